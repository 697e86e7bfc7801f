#include "buildfile/trace.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void bw_trace_done(struct bw_trace *t)
{
	free(t->text);
	free(t->at);
	*t = (struct bw_trace){0};
}

/* Room for `n` more bytes. */
static void reserve(struct bw_trace *t, size_t n)
{
	if (n <= t->capacity - t->len)
		return;
	t->capacity = t->len + n > 32 ? (t->len + n) * 2 : 64;
	t->text = bw_realloc(t->text, t->capacity, sizeof(*t->text));
	t->at = bw_realloc(t->at, t->capacity, sizeof(*t->at));
}

void bw_trace_add(struct bw_trace *t, char c, size_t at)
{
	reserve(t, 1);
	t->text[t->len] = c;
	t->at[t->len] = (uint32_t)at; /* a build file has at most 1 MiB */
	t->len++;
}

void bw_trace_add_run(struct bw_trace *t, const char *s, size_t len, size_t at)
{
	uint32_t *place;

	if (len == 0)
		return;
	reserve(t, len);
	memcpy(t->text + t->len, s, len);
	place = t->at + t->len;
	for (size_t i = 0; i < len; i++)
		place[i] = (uint32_t)(at + i);
	t->len += len;
}
