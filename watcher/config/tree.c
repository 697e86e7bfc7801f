#include "config/tree.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

struct bw_node *bw_node_new(enum bw_node_kind kind)
{
	struct bw_node *n = BW_NEW(struct bw_node);

	n->kind = kind;
	return n;
}

struct bw_node *bw_node_text(const char *text)
{
	struct bw_node *n = bw_node_new(BW_NODE_TEXT);

	n->text = bw_strdup(text);
	return n;
}

struct bw_node *bw_node_plain(const char *text)
{
	struct bw_node *n = bw_node_text(text);

	n->is_plain = true;
	return n;
}

void bw_node_add(struct bw_node *parent, struct bw_node *child)
{
	BW_PUSH(parent->items, parent->count, parent->capacity) = child;
}

void bw_node_put(struct bw_node *map, const char *key, struct bw_node *value)
{
	bw_node_add(map, bw_node_text(key));
	bw_node_add(map, value);
}

const struct bw_node *bw_node_get(const struct bw_node *map, const char *key)
{
	if (!map || map->kind != BW_NODE_MAP)
		return NULL;
	for (size_t i = 0; i + 1 < map->count; i += 2)
		if (map->items[i]->kind == BW_NODE_TEXT && bw_text_is(map->items[i]->text, key))
			return map->items[i + 1];
	return NULL;
}

/* The depth is capped where the tree is made. */
void bw_node_free(struct bw_node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		bw_node_free(n->items[i]);
	free(n->items);
	free(n->text);
	free(n);
}

void bw_auto_node(struct bw_node **n)
{
	bw_node_free(*n);
}

bool bw_node_is_nothing(const struct bw_node *n)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (!n)
		return true;
	if (n->kind != BW_NODE_TEXT || !n->is_plain)
		return false;
	for (size_t i = 0; i < BW_COUNT(words); i++)
		if (strcmp(n->text, words[i]) == 0)
			return true;
	return false;
}
