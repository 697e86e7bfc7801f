#include "daemon/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/mem.h"
#include "store/build.h"

struct bw_intake {
	struct bw_store *store;
	struct bw_ids *ids;
	struct bw_build_scan scans[BW_INTAKE_BATCH];
	struct bw_dockerfile files[BW_INTAKE_BATCH]; /* what the scans point to */
	bool are_configured[BW_INTAKE_BATCH];
	size_t count;
	struct bw_ids configured; /* of what was written */
};

struct bw_intake *bw_intake_new(struct bw_store *s, struct bw_ids *ids)
{
	struct bw_intake *in = BW_NEW(struct bw_intake);

	in->store = s;
	in->ids = ids;
	return in;
}

static void drop(const char *text)
{
	free((void *)(uintptr_t)text);
}

static void clear(struct bw_intake *in)
{
	for (size_t i = 0; i < in->count; i++) {
		const struct bw_build_scan *x = &in->scans[i];

		drop(x->source);
		drop(x->root);
		drop(x->path);
		drop(x->target);
		drop(x->problem);
		drop(x->image);
		drop(x->labels);
		bw_dockerfile_done(&in->files[i]);
	}
	in->count = 0;
}

void bw_intake_free(struct bw_intake *in)
{
	if (!in)
		return;
	clear(in);
	free(in->configured.items);
	free(in);
}

static void add_id(struct bw_ids *to, int64_t id)
{
	BW_PUSH(to->items, to->count, to->capacity) = id;
}

int bw_intake_write(struct bw_intake *in, struct bw_err *err)
{
	int64_t ids[BW_INTAKE_BATCH];
	int rc = 0;

	if (in->count > 0)
		rc = bw_store_put_builds(in->store, in->scans, in->count, bw_clock_ms(), ids, err);
	for (size_t i = 0; rc == 0 && i < in->count; i++) {
		if (in->ids)
			add_id(in->ids, ids[i]);
		if (in->are_configured[i])
			add_id(&in->configured, ids[i]);
	}
	clear(in);
	return rc;
}

int bw_intake_add(struct bw_intake *in, struct bw_found_build *x, struct bw_err *err)
{
	struct bw_build_scan *scan = &in->scans[in->count];

	*scan = (struct bw_build_scan){
		.source = bw_strdup(x->source),
		.root = bw_strdup(x->root),
		.path = bw_strdup(x->path),
		.target = bw_strdup(x->target),
		.is_template = x->is_template,
		.fingerprint = x->fingerprint,
		.problem = bw_strdup_null(x->problem),
		.image = bw_strdup_null(x->image),
		.labels = bw_strdup_null(x->labels),
	};
	if (x->file) {
		in->files[in->count] = *x->file;
		scan->file = &in->files[in->count];
		*x->file = (struct bw_dockerfile){0};
	}
	in->are_configured[in->count] = x->is_configured;
	in->count++;
	return in->count == BW_INTAKE_BATCH ? bw_intake_write(in, err) : 0;
}

static bool is_gone(const char *location, void *arg)
{
	struct stat st;

	(void)arg;
	return lstat(location, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

int bw_intake_end_folder(struct bw_store *s, const char *source, const char *location, struct bw_err *err)
{
	return bw_store_end_missing(s, source, location, is_gone, NULL, bw_clock_ms(), err);
}

int bw_intake_end_replaced(const struct bw_intake *in, struct bw_err *err)
{
	return in->configured.count == 0 ? 0
					 : bw_store_end_others(in->store, in->configured.items,
							       in->configured.count, bw_clock_ms(), err);
}
