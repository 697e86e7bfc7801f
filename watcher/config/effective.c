#include "config/effective.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/conf.h"
#include "core/mem.h"
#include "core/text.h"

#define MASK "***"

/* User info is hidden: a user name alone may be a token, but for ssh it is a user name. */
static char *mask_user(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *from = scheme ? scheme + 3 : url;
	const char *end = from + strcspn(from, "/?#");
	const char *at = memrchr(from, '@', (size_t)(end - from));
	const char *colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;

	if (!at || !scheme || (bw_text_starts(url, "ssh://") && !colon))
		return bw_strdup(url);
	return bw_asprintf("%.*s" MASK "%s", (int)(from - url), url, at);
}

static char *mask_query(const char *url)
{
	size_t len = strcspn(url, "?#");

	return url[len] ? bw_asprintf("%.*s?" MASK, (int)len, url) : bw_strdup(url);
}

static struct bw_node *text_node(const struct bw_key *k, const char *text, bool is_masked)
{
	BW_AUTOFREE char *masked = NULL;

	if (!text)
		return NULL;
	if (is_masked && k->type == BW_KEY_GIT)
		masked = mask_user(text);
	else if (is_masked && (k->flags & BW_KEY_QUERY))
		masked = mask_query(text);
	return bw_node_text(masked ? masked : text);
}

static struct bw_node *number_node(int64_t n, const char *unit)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64 "%s", n, unit);
	return *unit ? bw_node_text(text) : bw_node_plain(text);
}

static struct bw_node *decimal_node(const struct bw_key *k, int64_t thousandths)
{
	char text[BW_DECIMAL_TEXT];

	return thousandths < k->min ? NULL : bw_node_plain(bw_scalar_decimal_text(thousandths, text));
}

static struct bw_node *duration_node(const struct bw_key *k, int64_t ms)
{
	char text[BW_DURATION_TEXT];

	return bw_node_text(k->choices && ms == 0 ? k->choices[0] : bw_scalar_duration_text(ms, text));
}

static struct bw_node *choices_node(const struct bw_key *k, unsigned bits)
{
	struct bw_node *n = bw_node_new(BW_NODE_LIST);

	for (size_t i = 0; k->choices[i]; i++)
		if (bits >> i & 1U)
			bw_node_add(n, bw_node_text(k->choices[i]));
	return n;
}

/* Where it is, not what it is. */
static struct bw_node *secret_node(const struct bw_secret *s)
{
	struct bw_node *n;

	if (!bw_secret_is_set(s))
		return NULL;
	n = bw_node_new(BW_NODE_MAP);
	n->is_flow = true;
	bw_node_put(n, s->env ? "env" : "file", bw_node_text(s->env ? s->env : s->file));
	return n;
}

static struct bw_node *list_node(const struct bw_key *k, const struct bw_key_list *list, bool is_masked)
{
	struct bw_node *n;

	if (list->count == 0 && !(k->flags & BW_KEY_SHOWN))
		return NULL;
	n = bw_node_new(k->type == BW_KEY_MAP ? BW_NODE_MAP : BW_NODE_LIST);
	for (size_t i = 0; i < list->count; i++) {
		const char *element = bw_element_at(k, list, i);
		struct bw_node *value = bw_effective_value(k->item, element + k->item->offset, is_masked);

		if (value && k->type == BW_KEY_MAP)
			bw_node_put(n, *(char *const *)(const void *)element, value);
		else if (value)
			bw_node_add(n, value);
	}
	return n;
}

struct bw_node *bw_effective_value(const struct bw_key *k, const void *value, bool is_masked)
{
	const struct bw_conf_header_value *header = value;
	int64_t number;

	switch (k->type) {
	case BW_KEY_BOOL: return bw_node_plain(*(const bool *)value ? "true" : "false");
	case BW_KEY_INTEGER:
		number = *(const int64_t *)value;
		return number < k->min ? NULL : number_node(number, "");
	case BW_KEY_DECIMAL: return decimal_node(k, *(const int64_t *)value);
	case BW_KEY_PERCENT:
		number = *(const int64_t *)value;
		return number < k->min ? NULL : number_node(number, "%");
	case BW_KEY_DURATION: return duration_node(k, *(const int64_t *)value);
	case BW_KEY_CHOICE: return bw_node_text(k->choices[*(const unsigned *)value]);
	case BW_KEY_CHOICES: return choices_node(k, *(const unsigned *)value);
	case BW_KEY_SECRET: return secret_node(value);
	case BW_KEY_HEADER: return header->text ? bw_node_text(header->text) : secret_node(&header->secret);
	case BW_KEY_RECORD: return bw_effective(k->keys, value, is_masked);
	case BW_KEY_LIST:
	case BW_KEY_MAP: return list_node(k, value, is_masked);
	default: return text_node(k, *(char *const *)value, is_masked);
	}
}

struct bw_node *bw_effective(const struct bw_key_set *set, const void *record, bool is_masked)
{
	unsigned variant = set->variant_of ? set->variant_of(record) : 0;
	struct bw_node *n = bw_node_new(BW_NODE_MAP);

	for (size_t i = 0; i < set->count; i++) {
		const struct bw_key *k = &set->keys[i];
		struct bw_node *value;

		if (!bw_key_fits(k, variant))
			continue;
		value = bw_effective_value(k, bw_key_in(record, k), is_masked);
		if (value)
			bw_node_put(n, k->name, value);
	}
	return n;
}
