#include "config/fill.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"

#define MESSAGE_MAX    1024
#define NAME_MAX_BYTES 255

/* --- places and problems ------------------------------------------------------------------------ */

void bw_fill_complain(struct bw_fill *f, bool is_warning, const struct bw_node *at, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	BW_AUTOFREE char *text = NULL;
	struct bw_conf_problem x = {.line = at->line, .column = at->column, .is_warning = is_warning};
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	text = f->path.len > 0 ? bw_asprintf("%s: %s", bw_buf_str(&f->path), message) : bw_strdup(message);
	x.text = text;
	bw_conf_problems_add(f->problems, &x);
}

size_t bw_fill_enter(struct bw_fill *f, const char *name)
{
	size_t mark = f->path.len;

	if (mark > 0)
		(void)bw_buf_addc(&f->path, '.');
	if (strchr(name, '.'))
		bw_tree_write_quoted(name, &f->path);
	else
		(void)bw_buf_adds(&f->path, name);
	return mark;
}

size_t bw_fill_enter_item(struct bw_fill *f, size_t index)
{
	size_t mark = f->path.len;

	(void)bw_buf_addf(&f->path, "[%zu]", index);
	return mark;
}

void bw_fill_leave(struct bw_fill *f, size_t mark)
{
	if (f->path.len > mark) {
		f->path.len = mark;
		f->path.data[mark] = '\0';
	}
}

size_t bw_fill_far(const char *word)
{
	size_t half = strlen(word) / 2;

	return half > 3 ? 4 : half + 1;
}

void bw_fill_closest(const char *word, const char *candidate, const char **best, size_t *distance)
{
	size_t d = strlen(word) > NAME_MAX_BYTES ? *distance : bw_text_distance(word, candidate, *distance);

	if (d < *distance) {
		*best = candidate;
		*distance = d;
	}
}

/* --- records ------------------------------------------------------------------------------------ */

/* Its index in the set; the count of the set: there is none. */
static size_t find_key(const struct bw_key_set *set, unsigned variant, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (bw_text_is(set->keys[i].name, name) && bw_key_fits(&set->keys[i], variant))
			return i;
	return set->count;
}

static void complain_unknown(struct bw_fill *f, const struct bw_key_set *set, unsigned variant,
			     const struct bw_node *key)
{
	const char *best = NULL;
	size_t distance = bw_fill_far(key->text);

	if (find_key(set, 0, key->text) < set->count) {
		bw_fill_complain(f, false, key, "does not go with %s",
				 variant ? set->variants[variant - 1] : "this");
		return;
	}
	if (strcmp(key->text, "<<") == 0) {
		bw_fill_complain(f, false, key, "merge keys are not supported; an alias of a whole value is");
		return;
	}
	for (size_t i = 0; i < set->count; i++)
		if (bw_key_fits(&set->keys[i], variant))
			bw_fill_closest(key->text, set->keys[i].name, &best, &distance);
	if (best)
		bw_fill_complain(f, false, key, "unknown key; did you mean '%s'?", best);
	else
		bw_fill_complain(f, false, key, "unknown key of %s", set->title);
}

static bool is_variant_neutral(const struct bw_key_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if ((set->keys[i].flags & BW_KEY_REQUIRED) && set->keys[i].variant == 0)
			return true;
	return false;
}

static void complain_missing_kind(struct bw_fill *f, const struct bw_key_set *set, const struct bw_node *at)
{
	const char *names[2] = {NULL, NULL};

	for (size_t i = 0; i < set->count; i++)
		if ((set->keys[i].flags & BW_KEY_REQUIRED) && set->keys[i].variant > 0)
			names[set->keys[i].variant - 1] = set->keys[i].name;
	if (names[0] && names[1])
		bw_fill_complain(f, false, at, "%s or %s is missing", names[0], names[1]);
}

/* `seen` has a bit for each key of the set. */
static void check_required(struct bw_fill *f, const struct bw_key_set *set, unsigned variant, uint64_t seen,
			   const struct bw_node *at)
{
	if (set->variants[0] && variant == 0 && !is_variant_neutral(set))
		complain_missing_kind(f, set, at);
	for (size_t i = 0; i < set->count; i++) {
		const struct bw_key *k = &set->keys[i];
		bool is_sure = k->variant == 0 || k->variant == variant;
		BW_AUTOBUF struct bw_buf expected;

		bw_buf_init(&expected, MESSAGE_MAX);
		if (!(k->flags & BW_KEY_REQUIRED) || !is_sure || (seen >> i & 1U))
			continue;
		bw_key_describe(k, &expected);
		bw_fill_complain(f, false, at, "%s is missing; expected %s", k->name, bw_buf_str(&expected));
	}
}

static bool is_text_key(struct bw_fill *f, const struct bw_node *key)
{
	if (key->kind == BW_NODE_TEXT)
		return true;
	bw_fill_complain(f, false, key, "a key must be a text");
	return false;
}

static void complain_twice(struct bw_fill *f, const struct bw_node *key, const struct bw_node *first)
{
	bw_fill_complain(f, false, key, "is there twice; the first is in line %u", first->line);
}

static void fill_any(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		     void *value);

/* `name`: in a map, what the record is called; else NULL. */
static void fill_record(struct bw_fill *f, const struct bw_key_set *set, const struct bw_node *n,
			const char *name, void *record)
{
	unsigned variant = set->variant_of_node ? set->variant_of_node(n, name) : 0;
	const struct bw_node *first[64] = {NULL};
	uint64_t seen = 0;

	for (size_t i = 0; i + 1 < n->count; i += 2) {
		const struct bw_node *key = n->items[i];
		size_t mark, index;

		if (!is_text_key(f, key))
			continue;
		mark = bw_fill_enter(f, key->text);
		index = find_key(set, variant, key->text);
		if (index == set->count) {
			complain_unknown(f, set, variant, key);
		} else if (seen >> index & 1U) {
			complain_twice(f, key, first[index]);
		} else {
			const struct bw_key *k = &set->keys[index];

			seen |= (uint64_t)1 << index;
			first[index] = key;
			if (!set->variants[0] || variant > 0 ||
			    k->variant == 0) /* of no kind: nobody knows */
				fill_any(f, k, n->items[i + 1], NULL, bw_key_at(record, k));
		}
		bw_fill_leave(f, mark);
	}
	check_required(f, set, variant, seen, n);
}

/* --- lists and maps ------------------------------------------------------------------------------ */

static bool is_kind(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n,
		    enum bw_node_kind kind)
{
	if (n->kind == kind)
		return true;
	if (bw_node_is_nothing(n) && !k->fallback && k->name) /* "sources:" and nothing behind it */
		return false;
	bw_fill_expected(f, k, n,
			 kind == BW_NODE_LIST && n->kind == BW_NODE_TEXT ? "a list of one is written [x]"
									 : NULL);
	return false;
}

static void fill_list(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, void *value)
{
	struct bw_key_list *list = value;

	if (!is_kind(f, k, n, BW_NODE_LIST))
		return;
	if (n->count == 0 && (k->flags & BW_KEY_NOT_EMPTY))
		bw_fill_complain(f, false, n, "is empty; leave it out for the default");
	bw_value_done(k, value);
	for (size_t i = 0; i < n->count; i++) {
		size_t mark = bw_fill_enter_item(f, i);

		fill_any(f, k->item, n->items[i], NULL, bw_element_add(k, list));
		bw_fill_leave(f, mark);
	}
}

static bool is_good_name(struct bw_fill *f, const struct bw_key *k, const struct bw_node *key)
{
	if (k->format->is_ok(key->text))
		return true;
	bw_fill_complain(f, false, key, "this name cannot be used; expected %s", k->format->expected);
	return false;
}

static void fill_map(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, void *value)
{
	struct bw_key_list *list = value;
	struct bw_map *seen;

	if (!is_kind(f, k, n, BW_NODE_MAP))
		return;
	bw_value_done(k, value);
	seen = bw_map_new();
	for (size_t i = 0; i + 1 < n->count; i += 2) {
		struct bw_node *key = n->items[i];
		const struct bw_node *first = NULL;
		size_t mark;

		if (!is_text_key(f, key))
			continue;
		mark = bw_fill_enter(f, key->text);
		first = bw_map_get(seen, key->text);
		if (first) {
			complain_twice(f, key, first);
		} else if (is_good_name(f, k, key)) {
			char *element = bw_element_add(k, list);

			(void)bw_map_put(seen, key->text, key);
			*(char **)(void *)element = bw_strdup(key->text);
			fill_any(f, k->item, n->items[i + 1], key->text, element + k->item->offset);
		}
		bw_fill_leave(f, mark);
	}
	bw_map_free(seen, NULL);
}

static void fill_any(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		     void *value)
{
	switch (k->type) {
	case BW_KEY_LIST: fill_list(f, k, n, value); break;
	case BW_KEY_MAP: fill_map(f, k, n, value); break;
	case BW_KEY_RECORD:
		if (is_kind(f, k, n, BW_NODE_MAP))
			fill_record(f, k->keys, n, name, value);
		break;
	default: bw_fill_value(f, k, n, name, value); break;
	}
}

void bw_fill_root(struct bw_fill *f, const struct bw_node *root, void *record)
{
	static const struct bw_key whole = {.type = BW_KEY_RECORD, .keys = &bw_keys_root};

	if (!bw_node_is_nothing(root))
		fill_any(f, &whole, root, NULL, record);
}
