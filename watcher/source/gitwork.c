#include "source/gitwork.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* What a link may hold; more is no path. */
#define MAX_TARGET_BYTES 4095U

void bw_git_works_init(struct bw_git_works *w)
{
	*w = (struct bw_git_works){.blobs = bw_map_new()};
}

static void free_blob(void *p)
{
	struct bw_git_blob *b = p;

	free(b->text);
	free(b->problem);
	free(b);
}

void bw_git_works_done(struct bw_git_works *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->items[i].name);
		free(w->items[i].picks);
		bw_git_tree_done(&w->items[i].tree);
	}
	free(w->items);
	free(w->wanted);
	bw_map_free(w->blobs, free_blob);
	*w = (struct bw_git_works){0};
}

int bw_git_works_add(struct bw_git_works *w, const char *name, const char *commit, struct bw_err *err)
{
	struct bw_git_work *x;

	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->items[i].name, name) == 0)
			return 0;
	if (w->count == BW_GIT_MAX_BRANCHES)
		return bw_fail(err, BW_E_LIMIT, "more than %u branches are asked for", BW_GIT_MAX_BRANCHES);
	x = &BW_PUSH(w->items, w->count, w->capacity);
	*x = (struct bw_git_work){.name = bw_strdup(name)};
	memcpy(x->commit, commit, strnlen(commit, BW_GIT_OID_MAX - 1));
	return 0;
}

/* --- what has to be read --------------------------------------------------------------------------- */

static void want(struct bw_git_works *w, const struct bw_git_tree *t, const struct bw_git_entry *e)
{
	const char *oid = bw_git_tree_oid(t, e);

	if (bw_map_get(w->blobs, oid))
		return;
	(void)bw_map_put(w->blobs, oid, BW_NEW(struct bw_git_blob));
	BW_PUSH(w->wanted, w->wanted_count, w->wanted_capacity) = oid;
}

/* All links of a tree: any of them may lie on the way of one that counts. */
static int want_links(struct bw_git_works *w, const struct bw_git_tree *t, struct bw_err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i].kind != BW_GIT_LINK_ENTRY)
			continue;
		if (++count > BW_GIT_MAX_LINKS)
			return bw_fail(err, BW_E_LIMIT, "more than %u links", BW_GIT_MAX_LINKS);
		want(w, t, &t->items[i]);
	}
	return 0;
}

int bw_git_works_pick(struct bw_git_works *w, struct bw_git_work *x, struct bw_err *err)
{
	bool has_link = false;

	x->has_tree = true;
	w->tree_bytes += x->tree.text.len;
	if (w->tree_bytes > BW_GIT_MAX_TREES_BYTES)
		return bw_fail(err, BW_E_LIMIT, "more than %u MiB of paths in all branches",
			       BW_GIT_MAX_TREES_BYTES >> 20);
	for (size_t i = 0; i < x->tree.count; i++) {
		const struct bw_git_entry *e = &x->tree.items[i];

		if (e->kind == BW_GIT_MODULE_ENTRY ||
		    !bw_gitpick_takes(&w->rules, bw_git_tree_path(&x->tree, e)))
			continue;
		has_link = has_link || e->kind == BW_GIT_LINK_ENTRY;
		BW_PUSH(x->picks, x->count, x->capacity) = (struct bw_git_pick){.entry = e};
		want(w, &x->tree, e);
	}
	return has_link ? want_links(w, &x->tree, err) : 0;
}

struct targets {
	const struct bw_git_works *works;
	const struct bw_git_tree *tree;
};

static const char *target_of(const struct bw_git_entry *link, void *arg)
{
	const struct targets *t = arg;
	const struct bw_git_blob *b = bw_map_get(t->works->blobs, bw_git_tree_oid(t->tree, link));

	return b && b->text && b->len <= MAX_TARGET_BYTES && strlen(b->text) == b->len ? b->text : NULL;
}

static bool has_pick(const struct bw_git_work *x, const struct bw_git_entry *e)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->picks[i].entry == e)
			return true;
	return false;
}

/* False: the link itself is no pick any more. */
static bool follow(struct bw_git_works *w, struct bw_git_work *x, struct bw_git_pick *p)
{
	struct targets t = {.works = w, .tree = &x->tree};
	const struct bw_git_entry *to = NULL;

	switch (bw_gitpick_follow(&w->rules, &x->tree, p->entry, target_of, &t, &to)) {
	case BW_GITPICK_NOTHING: return false;
	case BW_GITPICK_OUT: p->link_problem = "link leads out of the source; not followed"; return true;
	case BW_GITPICK_NOWHERE: p->link_problem = "link leads nowhere"; return true;
	case BW_GITPICK_FILE: break;
	}
	if (has_pick(x, to))
		return false;
	p->entry = to;
	want(w, &x->tree, to);
	return true;
}

/* Entries lie in the order of their paths. */
static int compare(const void *a, const void *b)
{
	const struct bw_git_pick *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

void bw_git_works_follow(struct bw_git_works *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct bw_git_work *x = &w->items[i];
		size_t kept = 0;

		for (size_t k = 0; k < x->count; k++) {
			struct bw_git_pick p = x->picks[k];

			if (p.entry->kind == BW_GIT_LINK_ENTRY && !follow(w, x, &p))
				p.entry = NULL;
			x->picks[k] = p;
		}
		for (size_t k = 0; k < x->count; k++)
			if (x->picks[k].entry)
				x->picks[kept++] = x->picks[k];
		x->count = kept;
		if (kept > 1)
			qsort(x->picks, kept, sizeof(*x->picks), compare);
	}
	w->are_links_read = true;
}

/* --- what was read --------------------------------------------------------------------------------- */

int bw_git_works_take(struct bw_git_works *w, size_t n, const struct bw_buf *content, bool is_missing,
		      const char *problem, struct bw_err *err)
{
	struct bw_git_blob *b = n < w->wanted_count ? bw_map_get(w->blobs, w->wanted[n]) : NULL;

	if (!b)
		return bw_fail(err, BW_E_PEER, "more objects than were asked for");
	b->is_missing = is_missing;
	if (!content && !is_missing)
		b->problem = bw_strdup(problem);
	if (!content)
		return 0;
	if (content->len > BW_GIT_MAX_CONTENT_BYTES - w->bytes)
		return bw_fail(err, BW_E_LIMIT, "more than %u MiB of build files",
			       BW_GIT_MAX_CONTENT_BYTES >> 20);
	w->bytes += content->len;
	b->len = content->len;
	b->text = bw_strndup(bw_buf_str(content), content->len);
	return 0;
}

size_t bw_git_works_keep_missing(struct bw_git_works *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->wanted_count; i++) {
		const struct bw_git_blob *b = bw_map_get(w->blobs, w->wanted[i]);

		if (b->is_missing)
			w->wanted[kept++] = w->wanted[i];
	}
	w->wanted_count = kept;
	return kept;
}

void bw_git_works_give_up(struct bw_git_works *w)
{
	for (size_t i = 0; i < w->wanted_count; i++) {
		struct bw_git_blob *b = bw_map_get(w->blobs, w->wanted[i]);

		b->is_missing = false;
		b->problem = bw_strdup("the repository does not hand it out");
	}
	w->wanted_count = 0;
}

/* --- telling --------------------------------------------------------------------------------------- */

static void tell_pick(const struct bw_git_works *w, const struct bw_git_work *x,
		      const struct bw_git_branch *branch, const struct bw_git_pick *p,
		      const struct bw_git_hooks *h)
{
	const struct bw_git_blob *b = bw_map_get(w->blobs, bw_git_tree_oid(&x->tree, p->entry));
	struct bw_git_file f = {.path = bw_git_tree_path(&x->tree, p->entry)};
	struct bw_buf text;

	if (p->link_problem) {
		if (h->link)
			h->link(branch, f.path, p->link_problem, h->arg);
		return;
	}
	if (!h->file)
		return;
	if (b && b->text) {
		text = (struct bw_buf){.data = b->text, .len = b->len, .capacity = b->len + 1, .max = b->len};
		f.text = &text;
	} else {
		f.problem = b && b->problem ? b->problem : "could not be read";
	}
	h->file(branch, &f, h->arg);
}

static void tell_branch(const struct bw_git_works *w, struct bw_git_work *x, const struct bw_git_hooks *h)
{
	const struct bw_git_branch b = {.name = x->name,
					.commit = x->commit,
					.is_unchanged = x->is_unchanged,
					.tree = x->has_tree ? &x->tree : NULL};

	if (h->branch)
		h->branch(&b, h->arg);
	for (size_t i = 0; i < x->count; i++)
		tell_pick(w, x, &b, &x->picks[i], h);
	if (h->listed)
		h->listed(&b, h->arg);
}

void bw_git_works_tell(const struct bw_git_works *w, const struct bw_git_hooks *h)
{
	for (size_t i = 0; i < w->count; i++)
		tell_branch(w, &w->items[i], h);
}
