#include "buildfile/splice.h"

#include <stdlib.h>
#include <string.h>

void bw_splice_done(struct bw_splice *s)
{
	free(s->text);
	*s = (struct bw_splice){0};
}

bool bw_splice_equal(const struct bw_splice *a, const struct bw_splice *b)
{
	return a->start == b->start && a->end == b->end && a->len == b->len &&
	       memcmp(a->text, b->text, a->len) == 0;
}

static int by_place(const void *a, const void *b)
{
	const struct bw_splice *const *x = a;
	const struct bw_splice *const *y = b;

	if ((*x)->start != (*y)->start)
		return (*x)->start < (*y)->start ? -1 : 1;
	if ((*x)->end != (*y)->end)
		return (*x)->end < (*y)->end ? -1 : 1;
	return 0;
}

/* `b` comes behind `a` in the order of places. */
static bool clash(const struct bw_splice *a, const struct bw_splice *b)
{
	return b->start < a->end || (b->start == a->start && b->end == a->end);
}

bool bw_splice_apply(const char *text, size_t len, const struct bw_splice **list, size_t count,
		     struct bw_buf *out)
{
	const struct bw_splice *last = NULL;
	size_t at = 0;
	bool fits = true;

	if (count > 1)
		qsort(list, count, sizeof(const struct bw_splice *), by_place);
	for (size_t i = 0; i < count && fits; i++) {
		const struct bw_splice *s = list[i];

		if (last && bw_splice_equal(last, s))
			continue;
		if (last && clash(last, s))
			return false;
		fits = bw_buf_add(out, text + at, s->start - at) && bw_buf_add(out, s->text, s->len);
		at = s->end;
		last = s;
	}
	return fits && bw_buf_add(out, text + at, len - at);
}
