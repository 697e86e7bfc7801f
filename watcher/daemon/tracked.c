#include "daemon/tracked.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/build.h"
#include "store/source.h"

/* --- branches -------------------------------------------------------------------------------------- */

struct loading {
	const struct bw_origin *origin;
	struct bw_tracked_branches *to;
};

static int note(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	struct loading *l = arg;

	(void)err;
	if (strcmp(x->url, l->origin->url.shown) == 0 && bw_origin_means_branch(l->origin, x->branch))
		BW_PUSH(l->to->items, l->to->count, l->to->capacity) =
			(struct bw_tracked_branch){.name = bw_strdup(x->name),
						   .branch = bw_strdup(x->branch),
						   .commit = bw_strdup_null(x->commit),
						   .problem_since_ms = x->problem ? x->problem_since_ms : 0};
	return 0;
}

int bw_tracked_load(struct bw_store *s, const struct bw_origin *o, struct bw_tracked_branches *ret,
		    struct bw_err *err)
{
	struct loading l = {.origin = o, .to = ret};

	*ret = (struct bw_tracked_branches){0};
	return bw_store_each_git_source(s, NULL, note, &l, err);
}

void bw_tracked_done(struct bw_tracked_branches *k)
{
	for (size_t i = 0; i < k->count; i++) {
		free(k->items[i].name);
		free(k->items[i].branch);
		free(k->items[i].commit);
	}
	free(k->items);
	*k = (struct bw_tracked_branches){0};
}

/* --- builds ---------------------------------------------------------------------------------------- */

struct listing {
	const struct bw_origin *origin;
	size_t skip; /* bytes of the path in front of the inner path */
	struct bw_ids *ids;
};

static int list_one(int64_t build_id, const char *path, const char *target, void *arg, struct bw_err *err)
{
	struct listing *l = arg;
	size_t skip = strlen(path) > l->skip ? l->skip : 0;

	(void)err;
	if (bw_origin_means(l->origin, path + skip, target))
		BW_PUSH(l->ids->items, l->ids->count, l->ids->capacity) = build_id;
	return 0;
}

/* A path that is not there (any more) has no links to look behind. */
int bw_tracked_list_folder(struct bw_store *s, const struct bw_origin *o, struct bw_ids *ret,
			   struct bw_err *err)
{
	struct listing l = {.origin = o, .ids = ret};
	BW_AUTOFREE char *real = realpath(o->path, NULL);
	const char *location = real ? real : o->path;

	if (o->name[0])
		return bw_store_each_live(s, o->name, "/", list_one, &l, err);
	l.skip = strlen(location) + !bw_text_ends(location, "/");
	return bw_store_each_live(s, "", location, list_one, &l, err);
}

int bw_tracked_list_branch(struct bw_store *s, const struct bw_origin *o, const char *name,
			   struct bw_ids *ret, struct bw_err *err)
{
	struct listing l = {.origin = o, .ids = ret};

	return bw_store_each_live(s, name, o->url.folder ? o->url.folder : "/", list_one, &l, err);
}

int bw_tracked_list(struct bw_store *s, const struct bw_origin *o, struct bw_ids *ret, struct bw_err *err)
{
	struct bw_tracked_branches k;
	int rc;

	if (o->path)
		return bw_tracked_list_folder(s, o, ret, err);
	rc = bw_tracked_load(s, o, &k, err);
	for (size_t i = 0; i < k.count && rc == 0; i++)
		rc = bw_tracked_list_branch(s, o, k.items[i].name, ret, err);
	bw_tracked_done(&k);
	return rc;
}

/* --- what was learned ------------------------------------------------------------------------------ */

struct settling {
	struct bw_store *store;
	const struct bw_fetched *fetched;
	int64_t now_ms;
	struct bw_ids *ids;
	bw_tracked_kept_fn kept;
	void *arg;
};

static bool is_gone(const char *path, void *arg)
{
	const struct bw_git_tree *tree = arg;

	return !bw_git_has_file(tree, path);
}

/* An unchanged branch is as it was when its files were looked at. */
static int put_branch(const struct settling *x, const struct bw_fetched_branch *b, struct bw_err *err)
{
	const struct bw_origin *o = x->fetched->origin;
	const struct bw_source_row row = {.name = b->source,
					  .url = o->url.shown,
					  .branch = b->branch,
					  .commit = b->commit,
					  .checked_ms = x->now_ms};
	int rc = bw_store_put_git_source(x->store, &row, x->now_ms, err);

	if (rc < 0 || !b->tree)
		return rc;
	return bw_store_end_missing(x->store, b->source, o->url.folder ? o->url.folder : "/", is_gone,
				    b->tree, x->now_ms, err);
}

static int choose_known(const struct settling *x, const char *name, struct bw_err *err)
{
	struct bw_ids ids = {0};
	int rc = bw_tracked_list_branch(x->store, x->fetched->origin, name, &ids, err);

	if (rc == 0)
		rc = bw_store_choose_builds(x->store, ids.items, ids.count, err);
	for (size_t i = 0; rc == 0 && x->ids && i < ids.count; i++)
		BW_PUSH(x->ids->items, x->ids->count, x->ids->capacity) = ids.items[i];
	free(ids.items);
	return rc;
}

static int keep(const struct settling *x, const struct bw_tracked_branch *b, const char *problem,
		struct bw_err *err)
{
	const struct bw_source_row row = {.name = b->name,
					  .url = x->fetched->origin->url.shown,
					  .branch = b->branch,
					  .commit = b->commit,
					  .checked_ms = x->now_ms,
					  .problem = problem};
	int rc = bw_store_put_git_source(x->store, &row, x->now_ms, err);

	if (rc == 0)
		rc = choose_known(x, b->name, err);
	if (rc == 0 && x->kept)
		x->kept(b->name, problem, b->problem_since_ms ? b->problem_since_ms : x->now_ms, x->arg);
	return rc;
}

/* Why a branch that is known is not among those that were found; NULL: there is nothing wrong with that. */
static char *problem_of(const struct bw_fetched *f, const struct bw_tracked_branch *b)
{
	for (size_t i = 0; i < f->missing_count; i++)
		if (strcmp(f->missing[i], b->branch) == 0 ||
		    (strcmp(f->missing[i], "HEAD") == 0 && f->count == 0))
			return bw_fetched_lack(f->missing[i]);
	return NULL;
}

/* Only a pattern says that all branches like it were looked for. */
static int settle_other(const struct settling *x, const struct bw_tracked_branch *b, struct bw_err *err)
{
	const struct bw_fetched *f = x->fetched;
	BW_AUTOFREE char *problem = f->problem ? bw_strdup(f->problem) : problem_of(f, b);

	if (problem)
		return keep(x, b, problem, err);
	if (bw_origin_has_pattern_for(f->origin, b->branch))
		return bw_store_end_unchosen(x->store, b->name, x->now_ms, err);
	return 0;
}

int bw_tracked_settle(struct bw_store *s, const struct bw_fetched *f, int64_t now_ms, struct bw_ids *ids,
		      bw_tracked_kept_fn kept, void *arg, struct bw_err *err)
{
	const struct settling x = {
		.store = s, .fetched = f, .now_ms = now_ms, .ids = ids, .kept = kept, .arg = arg};
	struct bw_tracked_branches k;
	int rc = bw_tracked_load(s, f->origin, &k, err);

	for (size_t i = 0; i < f->count && rc == 0; i++)
		rc = put_branch(&x, &f->branches[i], err);
	for (size_t i = 0; i < k.count && rc == 0; i++)
		if (!bw_fetched_find(f, k.items[i].branch))
			rc = settle_other(&x, &k.items[i], err);
	bw_tracked_done(&k);
	return rc;
}

/* --- what could not be looked into ----------------------------------------------------------------- */

void bw_tracked_gaps_of(const struct bw_fetched *f, struct bw_gaps *ret)
{
	const char *url = f->origin->url.shown;

	if (f->problem) {
		bw_gaps_add(ret, url, f->problem, 0);
		return;
	}
	for (size_t i = 0; i < f->missing_count; i++) {
		BW_AUTOFREE char *lack = bw_fetched_lack(f->missing[i]);
		BW_AUTOFREE char *place = strcmp(f->missing[i], "HEAD") == 0
						  ? bw_strdup(url)
						  : bw_asprintf("%s#%s", url, f->missing[i]);

		if (bw_fetched_is_lack(f, i))
			bw_gaps_add(ret, place, lack, 0);
	}
}

/* Without what is secret in a URL: it is stored. */
static char *key_of(const struct bw_origin *o)
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, 1U << 20);
	bw_buf_addf(&b, "%s\n%s", o->shown, o->path ? o->path : o->url.shown);
	if (!o->path && o->url.folder)
		bw_buf_addf(&b, "\n:%s", o->url.folder);
	for (size_t i = 0; i < o->branches.count; i++)
		bw_buf_addf(&b, "\n#%s", o->branches.items[i]);
	return bw_strdup(bw_buf_str(&b));
}

int bw_tracked_put_gaps(struct bw_store *s, const struct bw_origin *o, struct bw_gaps *g, int64_t now_ms,
			struct bw_err *err)
{
	BW_AUTOFREE char *key = key_of(o);

	return bw_store_put_gaps(s, key, g, now_ms, err);
}

int bw_tracked_load_gaps(struct bw_store *s, const struct bw_origin *o, struct bw_gaps *ret,
			 struct bw_err *err)
{
	BW_AUTOFREE char *key = key_of(o);

	return bw_store_load_gaps(s, key, ret, err);
}
