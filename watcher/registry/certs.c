/* certs.c - see certs.h. */
#include "registry/certs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/address.h"

/* What stands in a folder and counts, by names. */
struct listing {
	char *names[BW_CERTS_MAX];
	size_t count;
	char *other; /* the first of what does not count; NULL: all does */
};

static void free_listing(struct listing *x)
{
	for (size_t i = 0; i < x->count; i++)
		free(x->names[i]);
	free(x->other);
}

/* --- which folder? ---------------------------------------------------------------------------- */

/*
 * Names come from build files of strangers, too. What can be in a host has no slash in it; nothing but dots would lead out
 * of the folder all the same.
 */
static bool is_name(const char *name)
{
	struct bw_origin o;

	return bw_origin_of_registry(name, true, &o) && o.host[strspn(o.host, ".")] != '\0';
}

/* A link to a folder is one. */
static bool is_folder(const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static char *find_in(const char *root, const char *const *names)
{
	for (; *names; names++) {
		BW_AUTOFREE char *path = bw_asprintf("%s/%s", root, *names);

		if (is_folder(path))
			return BW_TAKE(path);
	}
	return NULL;
}

static char *find_in_roots(const char *const *roots, const char *const *names)
{
	char *found = NULL;

	for (; *roots && !found; roots++)
		found = find_in(*roots, names);
	return found;
}

static char *find_folder(const char *registry, const char *const *given)
{
	static const char *const hub[] = {"docker.io", "index.docker.io", "registry-1.docker.io", NULL};
	BW_AUTOFREE char *name = bw_strdup(registry);
	const char *const own[] = {name, NULL};
	const char *home = getenv("HOME");
	BW_AUTOFREE char *ours =
		home && *home == '/' ? bw_asprintf("%s/.config/containers/certs.d", home) : NULL;
	const char *const roots[] = {"/etc/containers/certs.d", "/etc/docker/certs.d", NULL};
	const char *const *names = bw_host_is_hub(registry) ? hub : own;
	char *found = NULL;

	bw_text_lower(name);
	if (given)
		return find_in_roots(given, names);
	if (ours)
		found = find_in(ours, names);
	return found ? found : find_in_roots(roots, names);
}

/* --- what is in it? --------------------------------------------------------------------------- */

static bool counts(const char *name)
{
	return bw_text_ends(name, ".crt") || bw_text_ends(name, ".cert") || bw_text_ends(name, ".key");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void note_other(struct listing *x, const char *name)
{
	if (*name == '.' || (x->other && strcmp(x->other, name) <= 0))
		return;
	free(x->other);
	x->other = bw_strdup(name);
}

static int take_names(DIR *dir, const char *folder, struct listing *ret, struct bw_err *err)
{
	struct dirent *e;

	while ((e = readdir(dir))) {
		if (!counts(e->d_name)) {
			note_other(ret, e->d_name);
			continue;
		}
		if (ret->count == BW_CERTS_MAX)
			return bw_fail(err, BW_E_INPUT, "%s: more than %d certificates and keys", folder,
				       BW_CERTS_MAX);
		ret->names[ret->count++] = bw_strdup(e->d_name);
	}
	qsort(ret->names, ret->count, sizeof(ret->names[0]), by_name);
	return 0;
}

static int list(const char *folder, struct listing *ret, struct bw_err *err)
{
	DIR *dir = opendir(folder);
	int rc;

	if (!dir)
		return bw_fail(err, BW_E_INPUT, "%s: cannot be read: %s", folder, strerror(errno));
	rc = take_names(dir, folder, ret, err);
	(void)closedir(dir);
	return rc;
}

/* What is no file might never end, or block whoever opens it. */
static int check_file(const char *path, struct bw_err *err)
{
	struct stat s;

	if (stat(path, &s) < 0)
		return bw_fail(err, BW_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		return bw_fail(err, BW_E_INPUT, "%s: is no file", path);
	if (s.st_size > BW_CERTS_MAX_BYTES)
		return bw_fail(err, BW_E_INPUT, "%s: larger than %d bytes", path, BW_CERTS_MAX_BYTES);
	return 0;
}

static int check_files(const char *folder, const struct listing *x, struct bw_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < x->count && rc == 0; i++) {
		BW_AUTOFREE char *path = bw_asprintf("%s/%s", folder, x->names[i]);

		rc = check_file(path, err);
	}
	return rc;
}

/* Is there "a.key" to "a.cert"? */
static bool has_other(const struct listing *x, const char *name, const char *ending, const char *other)
{
	size_t len = strlen(name) - strlen(ending);

	for (size_t i = 0; i < x->count; i++)
		if (strncmp(x->names[i], name, len) == 0 && strcmp(x->names[i] + len, other) == 0)
			return true;
	return false;
}

static void take_pair(struct bw_certs *x, const char *name)
{
	if (x->cert_file && !x->left_out)
		x->left_out = bw_asprintf("%s/%s", x->folder, name);
	if (x->cert_file)
		return;
	x->cert_file = bw_asprintf("%s/%s", x->folder, name);
	x->key_file = bw_asprintf("%s/%.*s.key", x->folder, (int)(strlen(name) - strlen(".cert")), name);
}

static int sort_out(const struct listing *files, struct bw_certs *x, struct bw_err *err)
{
	size_t n = 0;

	x->ca_files = bw_alloc((files->count + 1) * sizeof(*x->ca_files));
	for (size_t i = 0; i < files->count; i++) {
		const char *name = files->names[i];

		if (bw_text_ends(name, ".crt"))
			x->ca_files[n++] = bw_asprintf("%s/%s", x->folder, name);
		else if (bw_text_ends(name, ".cert") && has_other(files, name, ".cert", ".key"))
			take_pair(x, name);
		else if (bw_text_ends(name, ".cert"))
			return bw_fail(err, BW_E_INPUT,
				       "%s/%s: the key beside it is missing, *.key (what shall be trusted is "
				       "called *.crt)",
				       x->folder, name);
		else if (!has_other(files, name, ".key", ".cert"))
			return bw_fail(err, BW_E_INPUT, "%s/%s: the certificate beside it is missing, *.cert",
				       x->folder, name);
	}
	return 0;
}

int bw_certs_find(const char *registry, const char *const *roots, struct bw_certs *ret, struct bw_err *err)
{
	struct listing files = {.count = 0};
	int rc;

	*ret = (struct bw_certs){0};
	if (!is_name(registry))
		return 0;
	ret->folder = find_folder(registry, roots);
	if (!ret->folder)
		return 0;
	rc = list(ret->folder, &files, err);
	if (rc == 0)
		rc = check_files(ret->folder, &files, err);
	if (rc == 0)
		rc = sort_out(&files, ret, err);
	if (rc == 0 && files.count == 0)
		ret->unused = BW_TAKE(files.other);
	free_listing(&files);
	return rc;
}

void bw_certs_done(struct bw_certs *x)
{
	for (char **file = x->ca_files; file && *file; file++)
		free(*file);
	free(x->ca_files);
	free(x->folder);
	free(x->cert_file);
	free(x->key_file);
	free(x->left_out);
	free(x->unused);
	*x = (struct bw_certs){0};
}
