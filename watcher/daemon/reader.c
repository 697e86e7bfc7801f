#include "daemon/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"

void bw_reader_init(struct bw_reader *r, const struct bw_origin *o, const struct bw_reader_hooks *h)
{
	*r = (struct bw_reader){
		.origin = o, .hooks = *h, .source = o->path ? o->name : "", .seen = bw_map_new()};
}

void bw_reader_done(struct bw_reader *r)
{
	bw_map_free(r->seen, NULL);
	*r = (struct bw_reader){0};
}

/* --- one file -------------------------------------------------------------------------------------- */

struct taking {
	struct bw_reader *reader;
	struct bw_found_build found;
	size_t recipes; /* done */
};

/* What is wrong with an annotation is the same for every recipe; so is the text that it is said in. */
static void warn_of_file(struct bw_reader *r, const struct bw_found_build *x)
{
	for (size_t i = 0; x->file && i < x->file->warning_count; i++) {
		bool is_inside = r->origin->path == NULL;
		BW_AUTOFREE char *text = bw_asprintf("%s%s%s:%" PRIu32 ": %s", is_inside ? x->source : "",
						     is_inside ? ":" : "", x->path, x->file->warnings[i].line,
						     x->file->warnings[i].text);

		r->hooks.warn(text, r->hooks.arg);
	}
}

static int take_recipe(const struct bw_recipe *recipe, void *arg, struct bw_err *err)
{
	struct taking *t = arg;
	struct bw_found_build x = t->found;
	struct bw_dockerfile file;
	int rc;

	bw_recipe_read(recipe, &x, &file);
	if (t->recipes++ == 0)
		warn_of_file(t->reader, &x);
	rc = t->reader->hooks.build(&x, t->reader->hooks.arg, err);
	bw_dockerfile_done(&file);
	return rc;
}

int bw_reader_take(struct bw_reader *r, const char *root, const char *path, const char *inner,
		   const struct bw_buf *text, const char *problem, struct bw_err *err)
{
	struct taking t = {.reader = r,
			   .found = {.source = r->source,
				     .root = root,
				     .path = path,
				     .text = text,
				     .problem = text ? NULL : problem}};

	r->files++;
	if (r->origin->files.count > 0)
		(void)bw_map_put(r->seen, inner, r);
	return bw_origin_each_recipe(r->origin, inner, take_recipe, &t, err);
}

/* --- a folder -------------------------------------------------------------------------------------- */

/* In a named source the path counts from its root, which may lie above the folder that is walked. */
static int take_named(struct bw_reader *r, const struct bw_found *f, const char *inner, struct bw_err *err)
{
	size_t len = strlen(f->real_path), inner_len = strlen(inner);
	size_t root_len = r->root ? strlen(r->root) : len - inner_len > 1 ? len - inner_len - 1 : 1;
	BW_AUTOFREE char *root = bw_strndup(f->real_path, root_len);
	const char *path = f->real_path + root_len + (root[root_len - 1] != '/');

	return bw_reader_take(r, root, path, inner, f->text, f->problem, err);
}

static int take(struct bw_reader *r, const struct bw_found *f, const char *inner, struct bw_err *err)
{
	if (r->hooks.file)
		r->hooks.file(f->real_path, r->hooks.arg);
	if (r->source[0])
		return take_named(r, f, inner, err);
	return bw_reader_take(r, "", f->real_path, inner, f->text, f->problem, err);
}

static int take_found(const struct bw_found *f, void *arg, struct bw_err *err)
{
	return take(arg, f, f->inner_path, err);
}

static void take_trouble(const char *path, const char *problem, void *arg)
{
	const struct bw_reader *r = arg;

	r->hooks.trouble(path, problem, r->hooks.arg);
}

static void take_link(const char *path, const char *problem, void *arg)
{
	const struct bw_reader *r = arg;
	BW_AUTOFREE char *text = bw_asprintf("%s: %s", path, problem);

	r->hooks.warn(text, r->hooks.arg);
}

static int take_folder(const char *path, int64_t changed_s, void *arg, struct bw_err *err)
{
	const struct bw_reader *r = arg;

	return r->hooks.folder(path, changed_s, r->hooks.arg, err);
}

struct direct {
	struct bw_reader *reader;
	const char *root; /* of the walk */
	const char *inner;
};

/* Only what really is inside the source; its own name decides, as in the configuration. */
static int take_direct(const struct bw_found *f, void *arg, struct bw_err *err)
{
	const struct direct *d = arg;
	size_t len = strlen(d->root);

	if (strncmp(f->real_path, d->root, len) != 0 || strcmp(f->real_path + len + (len > 1), d->inner) != 0)
		return 0;
	return take(d->reader, f, d->inner, err);
}

/* It was to be a file: what is inside of a folder is nobody's business. */
static void leave_trouble(const char *path, const char *problem, void *arg)
{
	(void)path, (void)problem, (void)arg;
}

/* A file of the configuration that the walk did not come by: it has another name, or is excluded. */
static int walk_direct(struct bw_reader *r, const char *root, const char *inner, struct bw_err *err)
{
	struct direct d = {.reader = r, .root = root, .inner = inner};
	const struct bw_folder_options o = {0};
	const struct bw_folder_hooks h = {
		.file = take_direct, .trouble = leave_trouble, .link = leave_trouble, .arg = &d};
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", root, inner);
	BW_AUTOFREE char *real = realpath(path, NULL);
	BW_AUTOFREE char *walked = NULL;
	struct stat st;
	int rc;

	if (!real || stat(real, &st) < 0 || S_ISDIR(st.st_mode) || bw_map_get(r->seen, inner))
		return 0;
	rc = bw_folder_walk(path, &o, &h, &walked, err);
	return rc == BW_E_GONE ? 0 : rc;
}

int bw_reader_walk(struct bw_reader *r, char **ret_root, struct bw_err *err)
{
	const struct bw_folder_options o = bw_origin_folder_options(r->origin);
	const struct bw_folder_hooks h = {.file = take_found,
					  .trouble = take_trouble,
					  .link = take_link,
					  .folder = r->hooks.folder ? take_folder : NULL,
					  .arg = r};
	BW_AUTOFREE char *root = NULL;
	int rc = bw_folder_walk(r->origin->path, &o, &h, &root, err);

	for (size_t i = 0; rc == 0 && i < r->origin->files.count; i++)
		rc = walk_direct(r, root, r->origin->files.items[i], err);
	if (rc == 0)
		*ret_root = BW_TAKE(root);
	return rc;
}

void bw_reader_end(struct bw_reader *r)
{
	for (size_t i = 0; i < r->origin->files.count; i++) {
		const char *file = r->origin->files.items[i];
		BW_AUTOFREE char *text = NULL;

		if (bw_map_get(r->seen, file))
			continue;
		text = bw_asprintf(
			"%s: builds: there is no file '%s' (where that is a link, name what it leads to)",
			r->origin->shown, file);
		r->hooks.warn(text, r->hooks.arg);
	}
}
