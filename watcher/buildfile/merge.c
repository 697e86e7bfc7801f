#include "buildfile/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

struct entry {
	struct bw_use use;
	size_t rank;   /* of the platform */
	size_t number; /* within its file */
	bool is_dropped;
};

/* The frontend comes first wherever it stands: that of a build-arg stands nowhere. */
static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	bool x_first = x->use.role == BW_ROLE_FRONTEND, y_first = y->use.role == BW_ROLE_FRONTEND;

	if (x_first != y_first)
		return x_first ? -1 : 1;
	if (x->use.span.start != y->use.span.start)
		return x->use.span.start < y->use.span.start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* A COPY of ONBUILD is a use of one place, as each other line is. */
static bool is_same_place(const struct bw_use *a, const struct bw_use *b)
{
	return a->span.start == b->span.start && a->span.end == b->span.end && a->span.line == b->span.line &&
	       a->span.column == b->span.column &&
	       (a->role == BW_ROLE_FRONTEND) == (b->role == BW_ROLE_FRONTEND);
}

static bool is_followed(const struct bw_use *u)
{
	return u->reference && bw_reference_tag(&u->parts);
}

/* `role` may differ: which FROM is the final one may be a matter of the platform. */
static bool is_same(const struct bw_use *a, const struct bw_use *b)
{
	return a->role == b->role && a->is_scratch == b->is_scratch && a->reachable == b->reachable &&
	       bw_text_is(a->stage, b->stage) && bw_text_is(a->expanded, b->expanded) &&
	       bw_text_is(a->reference, b->reference) && bw_text_is(a->unresolved, b->unresolved) &&
	       bw_text_is(a->ignored, b->ignored) && a->arg_span.start == b->arg_span.start &&
	       a->arg_span.line == b->arg_span.line;
}

static void drop(struct entry *e)
{
	bw_use_done(&e->use);
	e->is_dropped = true;
}

/* `from`..`to`: all that stand in one place. */
static void keep_needed(struct entry *entries, size_t from, size_t to)
{
	size_t kept = to;

	for (size_t i = from; i < to && kept == to; i++)
		if (entries[i].use.reachable)
			kept = i;
	for (size_t i = from; i < to; i++)
		if (!entries[i].use.reachable && (kept < to || i > from))
			drop(&entries[i]);
}

static void drop_repeated(struct entry *entries, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct bw_use *first = &entries[i].use;

		for (size_t k = i + 1; k < to && !entries[i].is_dropped; k++) {
			const struct bw_use *other = &entries[k].use;

			if (entries[k].is_dropped || !is_same(first, other))
				continue;
			if (bw_text_is(first->platform, other->platform)) {
				drop(&entries[k]);
			} else if (!is_followed(first)) {
				free(BW_TAKE(first->platform)); /* of all of them */
				drop(&entries[k]);
			}
		}
	}
}

static struct entry *collect(struct bw_dockerfile *files, size_t count, size_t *ret_count)
{
	struct entry *entries;
	size_t total = 0, n = 0;

	for (size_t i = 0; i < count; i++)
		total += files[i].use_count;
	entries = bw_realloc(NULL, total + 1, sizeof(*entries));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < files[i].use_count; k++)
			entries[n++] = (struct entry){.use = files[i].uses[k], .rank = i, .number = k};
		files[i].use_count = 0;
	}
	if (n > 1)
		qsort(entries, n, sizeof(*entries), compare);
	*ret_count = n;
	return entries;
}

static void take_uses(struct bw_dockerfile *files, size_t count, struct bw_dockerfile *ret)
{
	size_t n, to;
	BW_AUTOFREE struct entry *entries = collect(files, count, &n);

	for (size_t from = 0; from < n; from = to) {
		to = from + 1;
		while (to < n && is_same_place(&entries[from].use, &entries[to].use))
			to++;
		keep_needed(entries, from, to);
		drop_repeated(entries, from, to);
	}
	ret->uses = bw_realloc(NULL, n + 1, sizeof(*ret->uses));
	for (size_t i = 0; i < n; i++)
		if (!entries[i].is_dropped)
			ret->uses[ret->use_count++] = entries[i].use;
}

/* What is said of the text is the same for every platform. */
static void take_words(struct bw_dockerfile *files, size_t count, struct bw_dockerfile *ret)
{
	for (size_t i = 0; i < count && !ret->error; i++) {
		ret->error = BW_TAKE(files[i].error);
		ret->error_line = files[i].error_line;
	}
	ret->warnings = BW_TAKE(files[0].warnings);
	ret->warning_count = files[0].warning_count;
	files[0].warning_count = 0;
}

void bw_dockerfile_merge(struct bw_dockerfile *files, size_t count, struct bw_dockerfile *ret)
{
	*ret = (struct bw_dockerfile){0};
	if (count == 1) {
		*ret = files[0];
		files[0] = (struct bw_dockerfile){0};
		return;
	}
	take_uses(files, count, ret);
	take_words(files, count, ret);
	for (size_t i = 0; i < count; i++)
		bw_dockerfile_done(&files[i]);
}
