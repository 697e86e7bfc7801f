/* record.c - values by the table: defaults, memory, and what a key expects in words. See key.h. */
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "config/key.h"
#include "core/mem.h"
#include "core/text.h"

/* --- words ------------------------------------------------------------------------------------- */

static void describe_choices(const char *lead, const char *const *choices, const char *behind,
			     struct bw_buf *ret)
{
	(void)bw_buf_adds(ret, lead);
	for (size_t i = 0; choices[i]; i++)
		(void)bw_buf_addf(ret, "%s%s%s",
				  i == 0	   ? ""
				  : choices[i + 1] ? ", "
						   : " or ",
				  choices[i], behind);
}

static void describe_duration(const struct bw_key *k, struct bw_buf *ret)
{
	char min[BW_DURATION_TEXT], max[BW_DURATION_TEXT];

	(void)bw_buf_addf(ret, "a duration from %s to %s", bw_scalar_duration_text(k->min, min),
			  bw_scalar_duration_text(k->max, max));
	if (k->choices)
		(void)bw_buf_addf(ret, ", or %s", k->choices[0]);
}

static void describe_decimal(const struct bw_key *k, struct bw_buf *ret)
{
	char min[BW_DECIMAL_TEXT], max[BW_DECIMAL_TEXT];

	(void)bw_buf_addf(ret, "a number from %s to %s", bw_scalar_decimal_text(k->min, min),
			  bw_scalar_decimal_text(k->max, max));
}

static void describe_url(const struct bw_key *k, struct bw_buf *ret)
{
	describe_choices("a URL that begins with ", k->choices, "://", ret);
	if (k->word)
		(void)bw_buf_addf(ret, ", or %s", k->word);
}

static const char *plain_words(const struct bw_key *k)
{
	switch (k->type) {
	case BW_KEY_TEXT: return k->format->expected;
	case BW_KEY_SCALAR: return "a text or a number";
	case BW_KEY_BOOL: return "true or false";
	case BW_KEY_GIT: return BW_GIT_EXPECTED;
	case BW_KEY_GLOB: return "a pattern";
	case BW_KEY_FILE: return "the path of a file";
	case BW_KEY_FOLDER: return "the path of a folder";
	case BW_KEY_SECRET: return "{env: NAME} or {file: PATH}";
	case BW_KEY_HEADER: return "a text, {env: NAME} or {file: PATH}";
	case BW_KEY_LIST: return "a list";
	default: return "a map";
	}
}

void bw_key_describe(const struct bw_key *k, struct bw_buf *ret)
{
	long long min = (long long)k->min, max = (long long)k->max;

	if (k->type == BW_KEY_INTEGER)
		(void)bw_buf_addf(ret, "a whole number from %lld to %lld", min, max);
	else if (k->type == BW_KEY_PERCENT)
		(void)bw_buf_addf(ret, "a percentage from %lld%% to %lld%%", min, max);
	else if (k->type == BW_KEY_DURATION)
		describe_duration(k, ret);
	else if (k->type == BW_KEY_CHOICE)
		describe_choices("", k->choices, "", ret);
	else if (k->type == BW_KEY_CHOICES)
		describe_choices("a list of ", k->choices, "", ret);
	else if (k->type == BW_KEY_DECIMAL)
		describe_decimal(k, ret);
	else if (k->type == BW_KEY_URL)
		describe_url(k, ret);
	else
		(void)bw_buf_adds(ret, plain_words(k));
}

unsigned bw_choices_all(const char *const *choices)
{
	unsigned bits = 0;

	for (size_t i = 0; choices[i]; i++)
		bits |= 1U << i;
	return bits;
}

/* --- memory ------------------------------------------------------------------------------------ */

static void list_done(const struct bw_key *k, struct bw_key_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char *element = bw_element_at(k, list, i);

		if (k->type == BW_KEY_MAP)
			free(*(char **)(void *)element);
		bw_value_done(k->item, element + k->item->offset);
	}
	free(list->items);
	*list = (struct bw_key_list){0};
}

void bw_value_done(const struct bw_key *k, void *value)
{
	switch (k->type) {
	case BW_KEY_BOOL:
	case BW_KEY_INTEGER:
	case BW_KEY_DECIMAL:
	case BW_KEY_PERCENT:
	case BW_KEY_DURATION:
	case BW_KEY_CHOICE:
	case BW_KEY_CHOICES: break;
	case BW_KEY_SECRET: bw_secret_done(value); break;
	case BW_KEY_HEADER: {
		struct bw_conf_header_value *h = value;

		free(h->text);
		h->text = NULL;
		bw_secret_done(&h->secret);
		break;
	}
	case BW_KEY_RECORD: bw_record_done(k->keys, value); break;
	case BW_KEY_LIST:
	case BW_KEY_MAP: list_done(k, value); break;
	default: /* texts */
		free(*(char **)value);
		*(char **)value = NULL;
		break;
	}
}

void bw_record_done(const struct bw_key_set *set, void *record)
{
	for (size_t i = 0; i < set->count; i++)
		bw_value_done(&set->keys[i], bw_key_at(record, &set->keys[i]));
}

void *bw_element_add(const struct bw_key *k, struct bw_key_list *list)
{
	char *element;

	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 4;
		list->items = bw_realloc(list->items, list->capacity, k->item_size);
	}
	element = bw_element_at(k, list, list->count++);
	memset(element, 0, k->item_size);
	if (k->item->type == BW_KEY_RECORD)
		bw_record_init(k->item->keys, element + k->item->offset);
	return element;
}

/* --- defaults ---------------------------------------------------------------------------------- */

/* "*", or words with blanks between them. */
static unsigned default_choices(const struct bw_key *k)
{
	unsigned bits = 0;

	if (bw_text_is(k->fallback, "*"))
		return bw_choices_all(k->choices);
	for (const char *p = k->fallback; *p;) {
		size_t len = strcspn(p, " ");

		for (size_t i = 0; k->choices[i]; i++)
			if (strlen(k->choices[i]) == len && strncmp(k->choices[i], p, len) == 0)
				bits |= 1U << i;
		p += len + strspn(p + len, " ");
	}
	return bits;
}

static void set_default(const struct bw_key *k, void *value)
{
	uint64_t n = 0;

	switch (k->type) {
	case BW_KEY_BOOL: *(bool *)value = bw_text_is(k->fallback, "true"); break;
	case BW_KEY_INTEGER:
		(void)bw_text_number(k->fallback, 0, INT64_MAX, &n);
		*(int64_t *)value = (int64_t)n;
		break;
	case BW_KEY_DECIMAL: (void)bw_scalar_decimal(k->fallback, value); break;
	case BW_KEY_PERCENT: (void)bw_scalar_percent(k->fallback, value); break;
	case BW_KEY_DURATION: (void)bw_scalar_duration(k->fallback, value); break; /* "never" is 0 */
	case BW_KEY_CHOICES: *(unsigned *)value = default_choices(k); break;
	case BW_KEY_LIST: *(char **)bw_element_add(k, value) = bw_strdup(k->fallback); break;
	default: *(char **)value = bw_strdup(k->fallback); break;
	}
}

void bw_record_init(const struct bw_key_set *set, void *record)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct bw_key *k = &set->keys[i];

		if (k->type == BW_KEY_RECORD)
			bw_record_init(k->keys, bw_key_at(record, k));
		else if (k->fallback)
			set_default(k, bw_key_at(record, k));
		else if (k->type == BW_KEY_PERCENT) /* 0% is a share too */
			*(int64_t *)bw_key_at(record, k) = -1;
	}
}
