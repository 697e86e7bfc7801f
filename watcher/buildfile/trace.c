#include "buildfile/trace.h"

#include <stdlib.h>

#include "core/mem.h"

void bw_trace_done(struct bw_trace *t)
{
	free(t->text);
	free(t->at);
	*t = (struct bw_trace){0};
}

void bw_trace_add(struct bw_trace *t, char c, size_t at)
{
	if (t->len == t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : 64;
		t->text = bw_realloc(t->text, t->capacity, sizeof(*t->text));
		t->at = bw_realloc(t->at, t->capacity, sizeof(*t->at));
	}
	t->text[t->len] = c;
	t->at[t->len] = (uint32_t)at; /* a build file has at most 1 MiB */
	t->len++;
}
