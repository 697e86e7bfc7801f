/* reload.c - see config/reload.h. Two values are the same when they would be written in the same way. */
#include "config/reload.h"

#include <string.h>

#include "config/effective.h"
#include "core/mem.h"
#include "core/text.h"

#define TEXT_MAX (16U << 20) /* a file of BW_CONF_MAX_BYTES with every default, and escapes, written out */

static char *written(const struct bw_key *k, const void *value)
{
	BW_AUTONODE struct bw_node *n = bw_effective_value(k, value, false);
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, TEXT_MAX);
	if (n)
		bw_tree_write_json(n, &text);
	return bw_strdup(bw_buf_str(&text));
}

static bool is_same(const struct bw_key *k, const void *a, const void *b)
{
	BW_AUTOFREE char *one = written(k, a);
	BW_AUTOFREE char *other = written(k, b);

	return strcmp(one, other) == 0;
}

static void add(struct bw_conf_texts *t, const char *name)
{
	BW_PUSH(t->items, t->count, t->capacity) = bw_strdup(name);
}

/* Sources are a list; the others are maps, whose elements begin with their name. */
static const char *name_of(const struct bw_key *k, const void *element)
{
	return k->type == BW_KEY_MAP ? *(char *const *)element : bw_conf_source_name(element);
}

static const void *find(const struct bw_key *k, const struct bw_key_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (bw_text_is(name_of(k, bw_element_at(k, list, i)), name))
			return bw_element_at(k, list, i);
	return NULL;
}

static void compare_lists(const struct bw_key *k, const struct bw_key_list *old,
			  const struct bw_key_list *new, struct bw_conf_difference *ret)
{
	for (size_t i = 0; i < new->count; i++) {
		const void *now = bw_element_at(k, new, i);
		const void *before = find(k, old, name_of(k, now));

		if (!before)
			add(&ret->added, name_of(k, now));
		else if (!is_same(k->item, before, now))
			add(&ret->changed, name_of(k, now));
	}
	for (size_t i = 0; i < old->count; i++) {
		const char *name = name_of(k, bw_element_at(k, old, i));

		if (!find(k, new, name))
			add(&ret->removed, name);
	}
}

/* Where the difference of a key goes: one of the two. */
struct target {
	const char *name;
	bool *flag;
	struct bw_conf_difference *lists;
};

static const struct target *target_of(const struct target *targets, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (bw_text_is(targets[i].name, name))
			return &targets[i];
	return NULL;
}

bool bw_conf_compare(const struct bw_conf *old, const struct bw_conf *new, struct bw_conf_change *ret)
{
	const struct target targets[] = {
		{"poll", &ret->poll, NULL},	  {"builds", &ret->builds, NULL},
		{"rules", &ret->rules, NULL},	  {"reminders", &ret->reminders, NULL},
		{"sources", NULL, &ret->sources}, {"registries", NULL, &ret->registries},
		{"sinks", NULL, &ret->sinks},
	};
	bool differs = false;

	*ret = (struct bw_conf_change){0};
	for (size_t i = 0; i < bw_keys_root.count; i++) {
		const struct bw_key *k = &bw_keys_root.keys[i];
		const void *before = bw_key_in(old, k), *now = bw_key_in(new, k);
		const struct target *t = target_of(targets, BW_COUNT(targets), k->name);

		if (is_same(k, before, now))
			continue;
		differs = true;
		if (k->flags & BW_KEY_RESTART)
			add(&ret->restart, k->name);
		else if (t && t->flag)
			*t->flag = true;
		else if (t)
			compare_lists(k, before, now, t->lists);
	}
	return differs;
}

static void texts_done(struct bw_conf_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i]);
	free(t->items);
}

static void difference_done(struct bw_conf_difference *d)
{
	texts_done(&d->added);
	texts_done(&d->removed);
	texts_done(&d->changed);
}

void bw_conf_change_done(struct bw_conf_change *c)
{
	difference_done(&c->sources);
	difference_done(&c->registries);
	difference_done(&c->sinks);
	texts_done(&c->restart);
	*c = (struct bw_conf_change){0};
}
