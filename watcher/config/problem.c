#include "config/problem.h"

#include <stdlib.h>

#include "core/mem.h"

void bw_conf_problems_add(struct bw_conf_problems *p, const struct bw_conf_problem *x)
{
	struct bw_conf_problem copy = *x;

	if (x->is_warning)
		p->warnings++;
	else
		p->errors++;
	if (p->count == BW_CONF_MAX_PROBLEMS)
		return;
	copy.text = bw_strdup(x->text);
	BW_PUSH(p->items, p->count, p->capacity) = copy;
}

static bool is_before(const struct bw_conf_problem *a, const struct bw_conf_problem *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* By insertion: at most a hundred, and those of one place stay in their order. */
void bw_conf_problems_sort(struct bw_conf_problems *p)
{
	for (size_t i = 1; i < p->count; i++) {
		struct bw_conf_problem x = p->items[i];
		size_t at = i;

		for (; at > 0 && is_before(&x, &p->items[at - 1]); at--)
			p->items[at] = p->items[at - 1];
		p->items[at] = x;
	}
}

void bw_conf_problems_done(struct bw_conf_problems *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].text);
	free(p->items);
	*p = (struct bw_conf_problems){0};
}

void bw_conf_problem_format(const struct bw_conf_problem *x, const char *file, struct bw_buf *ret)
{
	(void)bw_buf_adds(ret, file);
	if (x->line > 0)
		(void)bw_buf_addf(ret, ":%u:%u", x->line, x->column);
	(void)bw_buf_addf(ret, ": %s%s", x->is_warning ? "warning: " : "", x->text);
}
