/*
 * config_compare.c - what differs between two configurations, in words; see image/config.h. The parts are compact
 * JSON with sorted keys, so equal values are equal text; only a part that differs is read again, for its names.
 */
#include "image/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/mem.h"
#include "core/text.h"

#define MAX_NAMES 3  /* of one part */
#define MAX_NAME  64 /* bytes of one name; longer ones are cut */

/* Something in a part that has a name: a variable, a label. */
struct named {
	const char *name;
	size_t len;
	const json_t *value;
	size_t order; /* where it stands */
};

struct names {
	struct named *items;
	size_t count;
	size_t capacity;
};

/* Gathers what is named in a part; false when the part is not what it should be. */
typedef bool (*gather_fn)(json_t *part, struct names *ret);

static void put(struct names *list, const char *name, size_t len, const json_t *value)
{
	struct named one = {.name = name, .len = len, .value = value, .order = list->count};

	BW_PUSH(list->items, list->count, list->capacity) = one;
}

/* "NAME=value". The whole text stands for the value: it differs when the value does. */
static bool gather_variables(json_t *part, struct names *ret)
{
	for (size_t i = 0; i < json_array_size(part); i++) {
		const json_t *entry = json_array_get(part, i);
		const char *text = json_string_value(entry);
		size_t len = json_string_length(entry);
		const char *end = text ? memchr(text, '=', len) : NULL;

		if (!text)
			return false;
		put(ret, text, end ? (size_t)(end - text) : len, entry);
	}
	return json_is_array(part);
}

static bool gather_keys(json_t *part, struct names *ret)
{
	for (void *i = json_object_iter(part); i; i = json_object_iter_next(part, i)) {
		const char *key = json_object_iter_key(i);

		put(ret, key, strlen(key), json_object_iter_value(i));
	}
	return json_is_object(part);
}

/* The rest of a configuration, with the settings that have no part of their own beside the other members. */
static bool gather_rest(json_t *part, struct names *ret)
{
	for (void *i = json_object_iter(part); i; i = json_object_iter_next(part, i)) {
		const char *key = json_object_iter_key(i);
		json_t *value = json_object_iter_value(i);

		if (strcmp(key, "config") != 0 || !gather_keys(value, ret))
			put(ret, key, strlen(key), value);
	}
	return json_is_object(part);
}

/* In the order of the enum. */
static const struct {
	const char *words;
	gather_fn gather; /* NULL: nothing in it has a name */
} parts[BW_CONFIG_PART_COUNT] = {
	[BW_CONFIG_ENV] = {"environment", gather_variables},
	[BW_CONFIG_LABELS] = {"labels", gather_keys},
	[BW_CONFIG_ENTRYPOINT] = {"entrypoint", NULL},
	[BW_CONFIG_CMD] = {"command", NULL},
	[BW_CONFIG_USER] = {"user", NULL},
	[BW_CONFIG_WORKDIR] = {"working directory", NULL},
	[BW_CONFIG_PORTS] = {"ports", gather_keys},
	[BW_CONFIG_VOLUMES] = {"volumes", gather_keys},
	[BW_CONFIG_HEALTHCHECK] = {"health check", NULL},
	[BW_CONFIG_STOP_SIGNAL] = {"stop signal", NULL},
	[BW_CONFIG_SHELL] = {"shell", NULL},
	[BW_CONFIG_ONBUILD] = {"ONBUILD", NULL},
	[BW_CONFIG_HISTORY] = {"history", NULL},
	[BW_CONFIG_OTHER] = {"other members", gather_rest},
	[BW_CONFIG_DATES] = {"dates", NULL},
};

/* --- names ------------------------------------------------------------------------------------ */

static int compare_names(const struct named *a, const struct named *b)
{
	size_t within = a->len < b->len ? a->len : b->len;
	int order = within ? memcmp(a->name, b->name, within) : 0;

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_named(const void *one, const void *other)
{
	const struct named *a = one, *b = other;
	int order = compare_names(a, b);

	return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* Sorted, each name once. Of a variable that is set twice the last value counts. */
static void settle(struct names *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_named);
	for (size_t i = 1; i < list->count; i++) {
		if (compare_names(&list->items[kept], &list->items[i]) != 0)
			kept++;
		list->items[kept] = list->items[i];
	}
	list->count = kept + 1;
}

/* The names that only one side has, or that have another value; both sides are sorted. */
static void find_differences(const struct names *a, const struct names *b, struct names *ret)
{
	size_t i = 0, j = 0;

	while (i < a->count || j < b->count) {
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : compare_names(&a->items[i], &b->items[j]);
		const struct named *one = order > 0 ? &b->items[j] : &a->items[i];

		if (order != 0 || !json_equal(a->items[i].value, b->items[j].value))
			put(ret, one->name, one->len, one->value);
		i += order <= 0;
		j += order >= 0;
	}
}

/* The names live in `json`, which the caller keeps as long. False: nothing can be named. */
static bool gather(const char *text, gather_fn fn, json_t **json, struct names *ret)
{
	if (!text)
		return true; /* no part: nothing in it */
	*json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!*json || !fn(*json, ret))
		return false;
	settle(ret);
	return true;
}

/* Cut where a character begins; a NUL would end the text. */
static void write_name(const struct named *n, struct bw_buf *out)
{
	size_t len = 0;

	while (len < n->len) {
		size_t step = bw_utf8_len(n->name + len, n->len - len);

		step = step ? step : 1;
		if (len + step > MAX_NAME)
			break;
		len += step;
	}
	for (size_t i = 0; i < len; i++)
		(void)bw_buf_addc(out, n->name[i] ? n->name[i] : '?');
	if (len < n->len)
		(void)bw_buf_adds(out, "...");
}

static void write_names(const struct names *list, struct bw_buf *out)
{
	(void)bw_buf_adds(out, " (");
	for (size_t i = 0; i < list->count && i < MAX_NAMES; i++) {
		(void)bw_buf_adds(out, i ? ", " : "");
		write_name(&list->items[i], out);
	}
	if (list->count > MAX_NAMES)
		(void)bw_buf_addf(out, " and %zu more", list->count - MAX_NAMES);
	(void)bw_buf_addc(out, ')');
}

/* --- parts ------------------------------------------------------------------------------------ */

/* Names that differ; nothing when only their order does, or a part is odd. */
static void write_differences(const char *a, const char *b, gather_fn fn, struct bw_buf *out)
{
	json_auto_t *json_a = NULL;
	json_auto_t *json_b = NULL;
	struct names names_a = {0}, names_b = {0}, differ = {0};

	if (gather(a, fn, &json_a, &names_a) && gather(b, fn, &json_b, &names_b))
		find_differences(&names_a, &names_b, &differ);
	if (differ.count > 0)
		write_names(&differ, out);
	free(names_a.items);
	free(names_b.items);
	free(differ.items);
}

static bool differs(const struct bw_config *a, const struct bw_config *b, size_t part)
{
	return !bw_text_is(a->parts[part], b->parts[part]);
}

static void write_part(const struct bw_config *a, const struct bw_config *b, size_t part, struct bw_buf *out)
{
	(void)bw_buf_adds(out, parts[part].words);
	if (parts[part].gather)
		write_differences(a->parts[part], b->parts[part], parts[part].gather, out);
}

void bw_config_compare(const struct bw_config *a, const struct bw_config *b, struct bw_buf *out)
{
	bool is_first = true;

	/* The dates are the last part: they are named when no other differs. */
	static_assert(BW_CONFIG_DATES == BW_CONFIG_PART_COUNT - 1, "dates come last");
	for (size_t i = 0; i < BW_CONFIG_PART_COUNT; i++) {
		if (!differs(a, b, i) || (i == BW_CONFIG_DATES && !is_first))
			continue;
		(void)bw_buf_adds(out, is_first ? "" : ", ");
		write_part(a, b, i, out);
		is_first = false;
	}
}
