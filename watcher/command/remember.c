#include "command/remember.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/build.h"
#include "store/source.h"

/* A branch that the store knows of a repository. */
struct known {
	char *name, *branch, *commit;
	int64_t since_ms;
};

struct knowledge {
	const struct bw_remote *remote;
	struct known *items;
	size_t count, capacity;
};

static int note(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	struct knowledge *k = arg;

	(void)err;
	if (strcmp(x->url, k->remote->url.shown) == 0 && bw_remote_means(&k->remote->url, x->branch))
		BW_PUSH(k->items, k->count, k->capacity) =
			(struct known){.name = bw_strdup(x->name),
				       .branch = bw_strdup(x->branch),
				       .commit = bw_strdup_null(x->commit),
				       .since_ms = x->problem ? x->problem_since_ms : 0};
	return 0;
}

static void forget_all(struct knowledge *k)
{
	for (size_t i = 0; i < k->count; i++) {
		free(k->items[i].name);
		free(k->items[i].branch);
		free(k->items[i].commit);
	}
	free(k->items);
}

/* --- it was looked into ---------------------------------------------------------------------------- */

static bool is_gone(const char *path, void *arg)
{
	const struct bw_git_tree *tree = arg;

	return !bw_git_has_file(tree, path);
}

static int put_branch(struct bw_store *s, const struct bw_remote *r, const struct bw_remote_branch *b,
		      int64_t now_ms, struct bw_err *err)
{
	const struct bw_source_row row = {.name = b->source,
					  .url = r->url.shown,
					  .branch = b->branch,
					  .commit = b->commit,
					  .checked_ms = now_ms};
	int rc = bw_store_put_git_source(s, &row, now_ms, err);

	if (rc < 0)
		return rc;
	return bw_store_end_missing(s, b->source, r->url.folder ? r->url.folder : "/", is_gone, b->tree,
				    now_ms, err);
}

static bool is_there(const struct bw_remote *r, const char *branch)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->branches[i].branch, branch) == 0)
			return true;
	return false;
}

/* Only a pattern says that all branches like it were looked for. */
static int end_branches(struct bw_store *s, const struct bw_remote *r, const struct knowledge *k,
			int64_t now_ms, struct bw_err *err)
{
	int rc = 0;

	if (!r->url.branch || !strpbrk(r->url.branch, "*?["))
		return 0;
	for (size_t i = 0; i < k->count && rc == 0; i++)
		if (!is_there(r, k->items[i].branch))
			rc = bw_store_end_unchosen(s, k->items[i].name, now_ms, err);
	return rc;
}

/* --- it was not ------------------------------------------------------------------------------------ */

static int keep_known(struct bw_store *s, const struct bw_remote *r, const struct known *x, int64_t now_ms,
		      struct bw_err *err)
{
	const struct bw_source_row row = {.name = x->name,
					  .url = r->url.shown,
					  .branch = x->branch,
					  .commit = x->commit,
					  .checked_ms = now_ms,
					  .problem = r->problem};
	char since[BW_TIME_MAX];
	int rc = bw_store_put_git_source(s, &row, now_ms, err);

	if (rc == 0)
		rc = bw_store_choose_source(s, x->name, r->url.folder ? r->url.folder : "", NULL, err);
	if (rc == 0)
		bw_warn("%s: %s: as it was known, since %s", x->name, r->problem,
			bw_time_short(x->since_ms ? x->since_ms : now_ms, since));
	return rc;
}

int bw_remember_repository(struct bw_store *s, const struct bw_remote *r, int64_t now_ms, struct bw_err *err)
{
	struct knowledge k = {.remote = r};
	int rc = bw_store_each_git_source(s, NULL, note, &k, err);

	for (size_t i = 0; i < r->count && rc == 0; i++)
		rc = put_branch(s, r, &r->branches[i], now_ms, err);
	if (rc == 0 && !r->problem)
		rc = end_branches(s, r, &k, now_ms, err);
	for (size_t i = 0; i < k.count && rc == 0 && r->problem; i++)
		rc = keep_known(s, r, &k.items[i], now_ms, err);
	if (rc == 0 && r->problem && k.count == 0)
		bw_warn("%s: %s", r->url.shown, r->problem);
	forget_all(&k);
	return rc;
}
