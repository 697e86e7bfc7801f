#include "source/gitpick.h"

#include <string.h>

#include "buildfile/filename.h"
#include "core/mem.h"
#include "core/text.h"
#include "source/choice.h"

/* As the kernel's limit. */
#define MAX_LINKS 40

/* Behind the folder that was asked for; NULL: elsewhere. "" is that very path. */
static const char *below(const char *folder, const char *path)
{
	size_t len = folder ? strlen(folder) : 0;

	if (len == 0)
		return path;
	if (strncmp(path, folder, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path + len + (path[len] == '/');
}

static struct bw_choice_way walk(const struct bw_git_rules *r, const char *path, const char *rest)
{
	const struct bw_folder_options o = {.excludes = r->excludes,
					    .exclude_count = r->exclude_count,
					    .includes = r->includes,
					    .include_count = r->include_count};

	return bw_choice_walk(&o, path, (size_t)(rest - path));
}

static bool is_named(const struct bw_git_rules *r, const char *path)
{
	for (size_t i = 0; i < r->file_count; i++)
		if (strcmp(r->files[i], path) == 0)
			return true;
	return false;
}

bool bw_gitpick_takes(const struct bw_git_rules *r, const char *path)
{
	const char *rest = below(r->folder, path);
	struct bw_choice_way w;

	if (!rest)
		return false;
	if (!*rest || is_named(r, path))
		return true; /* named directly: whatever its name */
	if (!bw_filename_is_buildfile(bw_choice_base(path)))
		return false;
	w = walk(r, path, rest);
	return w.is_included && !w.is_excluded && !w.is_skipped;
}

/* --- links ----------------------------------------------------------------------------------------- */

struct path {
	struct bw_buf done; /* without links, and without a '/' at its end */
	char *rest;	    /* what is to be gone yet */
	unsigned links;
	bool is_out;
};

static void cut_last(struct path *p)
{
	const char *slash = p->done.len > 0 ? strrchr(p->done.data, '/') : NULL;

	if (p->done.len == 0) {
		p->is_out = true;
		return;
	}
	p->done.len = slash ? (size_t)(slash - p->done.data) : 0;
	p->done.data[p->done.len] = '\0';
}

/* The link at hand is replaced by what it holds. False: it cannot be followed. */
static bool replace_link(struct path *p, const char *target)
{
	char *rest;

	if (!target || !*target || ++p->links > MAX_LINKS)
		return false;
	if (target[0] == '/')
		p->is_out = true;
	cut_last(p);
	rest = bw_asprintf("%s/%s", target, p->rest);
	free(p->rest);
	p->rest = rest;
	return !p->is_out;
}

static bool step(struct path *p, const struct bw_git_tree *t, bw_gitpick_target_fn target, void *arg)
{
	BW_AUTOFREE char *rest = BW_TAKE(p->rest);
	const struct bw_git_entry *e;
	size_t n = strcspn(rest, "/");

	p->rest = bw_strdup(rest + n + (rest[n] == '/'));
	if (n == 0 || (n == 1 && rest[0] == '.'))
		return true;
	if (n == 2 && rest[0] == '.' && rest[1] == '.') {
		cut_last(p);
		return !p->is_out;
	}
	if ((p->done.len > 0 && !bw_buf_addc(&p->done, '/')) || !bw_buf_add(&p->done, rest, n))
		return false;
	e = bw_git_tree_find(t, bw_buf_str(&p->done));
	return !e || e->kind != BW_GIT_LINK_ENTRY || replace_link(p, target(e, arg));
}

static enum bw_gitpick_way judge(const struct bw_git_rules *r, const struct bw_git_tree *t, const char *path,
				 bool is_direct, const struct bw_git_entry **ret)
{
	const struct bw_git_entry *e = bw_git_tree_find(t, path);
	BW_AUTOFREE char *folder = bw_asprintf("%s/", path);
	const char *rest = below(r->folder, path);
	struct bw_choice_way w;

	if (!e && (!*path || bw_git_tree_has_folder(t, folder)))
		return BW_GITPICK_NOTHING; /* a folder is walked under its own name */
	if (!e)
		return BW_GITPICK_NOWHERE;
	if (is_direct && e->kind == BW_GIT_FILE_ENTRY) {
		*ret = e;
		return BW_GITPICK_FILE;
	}
	if (!rest || e->kind == BW_GIT_MODULE_ENTRY)
		return BW_GITPICK_OUT;
	w = walk(r, path, rest);
	if (w.is_excluded || !w.is_included || bw_gitpick_takes(r, path))
		return BW_GITPICK_NOTHING;
	*ret = e;
	return BW_GITPICK_FILE;
}

enum bw_gitpick_way bw_gitpick_follow(const struct bw_git_rules *r, const struct bw_git_tree *t,
				      const struct bw_git_entry *link, bw_gitpick_target_fn target, void *arg,
				      const struct bw_git_entry **ret)
{
	struct path p = {.rest = bw_strdup("")};
	/* Named directly, as a file would be: then it counts wherever in the tree it leads. */
	bool is_direct = (r->folder && strcmp(r->folder, bw_git_tree_path(t, link)) == 0) ||
			 is_named(r, bw_git_tree_path(t, link));
	enum bw_gitpick_way way;
	bool ok;

	bw_buf_init(&p.done, (size_t)2 * BW_GIT_MAX_PATH_BYTES);
	(void)bw_buf_adds(&p.done, bw_git_tree_path(t, link));
	ok = replace_link(&p, target(link, arg));
	while (ok && *p.rest)
		ok = step(&p, t, target, arg);
	way = p.is_out ? BW_GITPICK_OUT
	      : ok     ? judge(r, t, bw_buf_str(&p.done), is_direct, ret)
		       : BW_GITPICK_NOWHERE;
	bw_buf_done(&p.done);
	free(p.rest);
	return way;
}
