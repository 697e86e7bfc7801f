#include "command/choose.h"

#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "store/build.h"

/* "/a/./b/../c//d" -> "/a/c/d", in place. By words alone: for paths that are no longer there. */
static void tidy(char *path)
{
	char *out = path;

	for (const char *in = path; *in;) {
		size_t len;

		in += strspn(in, "/");
		len = strcspn(in, "/");
		if (len == 2 && strncmp(in, "..", 2) == 0) {
			while (out > path && *--out != '/')
				;
		} else if (len > 0 && !(len == 1 && *in == '.')) {
			*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

char *bw_choose_location(const char *path)
{
	char *real = realpath(path, NULL);
	BW_AUTOFREE char *cwd = NULL;

	if (real)
		return real;
	cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	real = bw_asprintf("%s/%s", cwd ? cwd : "", path);
	tidy(real);
	return real;
}

/* A path first: a folder beside you is what you mean by its name. Else SOURCE or SOURCE:PATH. */
static int choose_operand(struct bw_store *s, const char *operand, size_t *ret_count, struct bw_err *err)
{
	const char *colon = strchr(operand, ':');
	BW_AUTOFREE char *location = strcmp(operand, "-") == 0 ? bw_strdup("-") : bw_choose_location(operand);
	BW_AUTOFREE char *source = bw_strndup(operand, colon ? (size_t)(colon - operand) : strlen(operand));
	int rc = bw_store_choose_location(s, location, ret_count, err);

	if (rc == 0 && *ret_count == 0)
		rc = bw_store_choose_source(s, source, colon ? colon + 1 : "", ret_count, err);
	return rc;
}

static int require(const char *operand, bool lenient, struct bw_err *err)
{
	if (!lenient || access(operand, F_OK) < 0)
		return bw_fail(err, BW_E_GONE, "nothing is tracked at '%s'%s", operand,
			       access(operand, F_OK) < 0 ? ", and there is no such path" : "");
	bw_warn("nothing is tracked at '%s' yet: `basewatch check` does that", operand);
	return 0;
}

int bw_choose(const struct bw_args *a, bool lenient, struct bw_store *s, size_t *ret_count,
	      struct bw_err *err)
{
	static const char *const here[] = {".", NULL};
	const char *const *operands = a->operands.count ? a->operands.items : here;
	size_t total = 0;
	int rc = bw_store_choose_none(s, err);

	for (; *operands && rc == 0; operands++) {
		size_t count = 0;

		rc = choose_operand(s, *operands, &count, err);
		if (rc == 0 && count == 0)
			rc = require(*operands, lenient, err);
		total += count;
	}
	if (rc == 0 && a->target)
		rc = bw_store_keep_target(s, a->target, &total, err);
	if (rc == 0)
		*ret_count = total;
	return rc;
}
