#include "command/choose.h"

#include <string.h>
#include <unistd.h>

#include "command/origins.h"
#include "command/remote.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/tracked.h"
#include "source/giturl.h"
#include "store/build.h"
#include "store/source.h"

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

struct branches {
	const struct bw_giturl *url;
	char **names;
	size_t count, capacity;
};

static int note_branch(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	struct branches *b = arg;

	(void)err;
	if (strcmp(x->url, b->url->shown) == 0 && bw_remote_means(b->url, x->branch))
		BW_PUSH(b->names, b->count, b->capacity) = bw_strdup(x->name);
	return 0;
}

/* URL[#BRANCH[:FOLDER]]; without a branch all that are known of it. */
static int choose_repository(struct bw_store *s, const struct bw_giturl *u, size_t *ret_count,
			     struct bw_err *err)
{
	struct branches b = {.url = u};
	int rc = bw_store_each_git_source(s, NULL, note_branch, &b, err);

	for (size_t i = 0; i < b.count; i++) {
		size_t count = 0;

		if (rc == 0)
			rc = bw_store_choose_source(s, b.names[i], u->folder ? u->folder : "", &count, err);
		*ret_count += count;
		free(b.names[i]);
	}
	free(b.names);
	return rc;
}

/* SOURCE or SOURCE:PATH */
static int choose_source(struct bw_store *s, const char *operand, size_t *ret_count, struct bw_err *err)
{
	const char *colon = strchr(operand, ':');
	BW_AUTOFREE char *source = bw_strndup(operand, colon ? (size_t)(colon - operand) : strlen(operand));

	return bw_store_choose_source(s, source, colon ? colon + 1 : "", ret_count, err);
}

/* A path first: a folder beside you is what you mean by its name. */
static int choose_operand(struct bw_store *s, const char *operand, size_t *ret_count, struct bw_err *err)
{
	struct bw_giturl u;
	BW_AUTOFREE char *location = strcmp(operand, "-") == 0 ? bw_strdup("-") : bw_choose_location(operand);
	int rc = bw_store_choose_location(s, location, ret_count, err);

	if (rc < 0 || *ret_count > 0)
		return rc;
	/* The name of a branch's source parses too, also where the user was taken out of USER@HOST:PATH. */
	if ((bw_giturl_is(operand) || strchr(operand, '#')) && bw_giturl_parse(operand, &u, NULL) == 0) {
		rc = choose_repository(s, &u, ret_count, err);
		bw_giturl_done(&u);
	}
	return rc < 0 || *ret_count > 0 ? rc : choose_source(s, operand, ret_count, err);
}

static int require(const char *operand, bool lenient, struct bw_err *err)
{
	BW_AUTOFREE char *shown = bw_strdup(operand);

	bw_giturl_redact(shown, NULL);
	if (bw_giturl_is(operand) && access(operand, F_OK) < 0)
		return bw_fail(err, BW_E_GONE, "nothing is tracked of '%s': `basewatch check` does that",
			       shown);
	if (!lenient || access(operand, F_OK) < 0)
		return bw_fail(err, BW_E_GONE, "nothing is tracked at '%s'%s", operand,
			       access(operand, F_OK) < 0 ? ", and there is no such path" : "");
	bw_warn("nothing is tracked at '%s' yet: `basewatch check` does that", operand);
	return 0;
}

/* Without operands: all that is known of the sources of the configuration, where it has some. */
static int choose_configured(const struct bw_origins *o, struct bw_store *s, size_t *ret_count,
			     struct bw_err *err)
{
	struct bw_ids ids = {0};
	struct bw_gaps gaps = {0};
	int rc = 0;

	for (size_t i = 0; i < o->count && rc == 0; i++) {
		rc = bw_tracked_list(s, &o->items[i], &ids, err);
		if (rc == 0)
			rc = bw_tracked_load_gaps(s, &o->items[i], &gaps, err);
	}
	if (rc == 0)
		rc = bw_store_choose_builds(s, ids.items, ids.count, err);
	if (rc == 0 && ids.count == 0 && gaps.count == 0) /* else it was tried */
		bw_warn("nothing is tracked of the configured sources yet: `basewatch check` does that");
	*ret_count = ids.count;
	bw_gaps_done(&gaps);
	free(ids.items);
	return rc;
}

static int choose_operands(const struct bw_args *a, bool lenient, struct bw_store *s, size_t *total,
			   struct bw_err *err)
{
	static const char *const here[] = {".", NULL};
	const char *const *operands = a->operands.count ? a->operands.items : here;
	int rc = 0;

	for (; *operands && rc == 0; operands++) {
		size_t count = 0;

		rc = choose_operand(s, *operands, &count, err);
		if (rc == 0 && count == 0)
			rc = require(*operands, lenient, err);
		*total += count;
	}
	return rc;
}

int bw_choose(const struct bw_args *a, bool lenient, struct bw_store *s, size_t *ret_count,
	      struct bw_err *err)
{
	struct bw_origins o = {0};
	size_t total = 0;
	int rc = bw_store_choose_none(s, err);

	if (rc == 0 && a->operands.count == 0)
		rc = bw_origins_configured(a, &o, err);
	if (rc == 0)
		rc = o.count > 0 ? choose_configured(&o, s, &total, err)
				 : choose_operands(a, lenient, s, &total, err);
	bw_origins_done(&o);
	if (rc == 0 && a->target)
		rc = bw_store_keep_target(s, a->target, &total, err);
	if (rc == 0)
		*ret_count = total;
	return rc;
}
