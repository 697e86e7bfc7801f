/* patch.c - see patch.h. */
#include "store/patch.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/template.h"
#include "core/mem.h"
#include "core/text.h"

void bw_store_keep_pin(struct bw_kept_pins *k, const char *template)
{
	if (template)
		BW_PUSH(k->items, k->count, k->capacity) = bw_strdup(template);
}

/* --- the uses of a request as one list --------------------------------------------------------- */

struct uses {
	struct bw_fact_use **items;
	size_t count;
};

static void list_pins(const struct bw_fact_request *r, struct uses *ret)
{
	size_t total = 0;

	for (size_t i = 0; i < r->base_count; i++)
		total += r->bases[i].use_count;
	*ret = (struct uses){.items = bw_alloc(total * sizeof(struct bw_fact_use *))};
	for (size_t i = 0; i < r->base_count; i++)
		for (size_t k = 0; k < r->bases[i].use_count; k++)
			if (r->bases[i].uses[k].template)
				ret->items[ret->count++] = &r->bases[i].uses[k];
}

/* --- settling ---------------------------------------------------------------------------------- */

static int by_template(const void *a, const void *b)
{
	const struct bw_fact_use *const *x = a, *const *y = b;

	return strcmp((*x)->template, (*y)->template);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* They are sorted. */
static bool is_kept(const struct bw_kept_pins *k, const char *template)
{
	return k->count > 0 && bsearch(&template, k->items, k->count, sizeof(char *), by_text);
}

/* Uses with one template. */
static bool agree(struct bw_fact_use *const *uses, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (!bw_digest_equal(&uses[i]->to, &uses[0]->to))
			return false;
	return true;
}

static void settle(const struct uses *pins, const struct bw_kept_pins *k)
{
	for (size_t i = 0, end; i < pins->count; i = end) {
		const char *template = pins->items[i]->template;
		bool is_fine;

		for (end = i + 1; end < pins->count && strcmp(pins->items[end]->template, template) == 0;)
			end++;
		is_fine = agree(pins->items + i, end - i) && !is_kept(k, template);
		for (size_t at = i; at < end && !is_fine; at++)
			free(BW_TAKE(pins->items[at]->template));
	}
}

void bw_store_settle_pins(struct bw_fact_request *r, struct bw_kept_pins *k)
{
	struct uses pins;

	list_pins(r, &pins);
	if (pins.count > 1)
		qsort(pins.items, pins.count, sizeof(struct bw_fact_use *), by_template);
	if (k->count > 1)
		qsort(k->items, k->count, sizeof(char *), by_text);
	settle(&pins, k);
	free(pins.items);
	for (size_t i = 0; i < k->count; i++)
		free(k->items[i]);
	free(k->items);
	*k = (struct bw_kept_pins){0};
}

/* --- patches ----------------------------------------------------------------------------------- */

void bw_store_add_patches(struct bw_fact_request *view)
{
	struct bw_template_use *list;
	struct uses pins;

	list_pins(view, &pins);
	list = bw_alloc(pins.count * sizeof(*list));
	for (size_t i = 0; i < pins.count; i++)
		list[i] = (struct bw_template_use){.template = pins.items[i]->template,
						   .to = pins.items[i]->to};
	bw_template_fill(list, pins.count, BW_FACT_MAX_PATCH_BYTES);
	for (size_t i = 0; i < pins.count; i++)
		pins.items[i]->patch = list[i].patch;
	free(list);
	free(pins.items);
}

void bw_store_drop_patches(struct bw_fact_request *view)
{
	for (size_t i = 0; i < view->base_count; i++)
		for (size_t k = 0; k < view->bases[i].use_count; k++)
			free(BW_TAKE(view->bases[i].uses[k].patch));
}
