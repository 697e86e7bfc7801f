/*
 * tree.h - YAML as a tree, each node with its place. Read from text by yaml.c, written as text by write.c.
 */
#ifndef BW_CONFIG_TREE_H
#define BW_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

/* Far beyond any real file; aliases count as what they stand for, so a few lines cannot become gigabytes. */
#define BW_TREE_MAX_DEPTH 32
#define BW_TREE_MAX_NODES 100000U

enum bw_node_kind {
	BW_NODE_TEXT, /* a scalar */
	BW_NODE_LIST,
	BW_NODE_MAP, /* items: key, value, key, value ... */
};

struct bw_node {
	enum bw_node_kind kind;
	bool is_plain; /* scalar without quotes: it may be a number, a boolean or nothing */
	bool is_flow;  /* to be written on one line */
	unsigned line, column;
	char *text; /* of a scalar; holds no NUL byte */
	struct bw_node **items;
	size_t count, capacity;
};

struct bw_tree_place {
	unsigned line, column; /* 0: not known */
};

/*
 * NULL in `*ret`: there is nothing in the file. BW_E_INPUT with the place when it is not YAML, or is more than the caps
 * allow; the message does not quote the text.
 */
int bw_tree_read(const char *text, size_t len, struct bw_node **ret, struct bw_tree_place *ret_place,
		 struct bw_err *err) BW_NODISCARD;
const char *bw_tree_library(void); /* "0.2.5" */

struct bw_node *bw_node_new(enum bw_node_kind kind);
struct bw_node *bw_node_text(const char *text);				       /* as if it were in quotes */
struct bw_node *bw_node_plain(const char *text);			       /* a number or a boolean */
void bw_node_add(struct bw_node *parent, struct bw_node *child);	       /* takes it over */
void bw_node_put(struct bw_node *map, const char *key, struct bw_node *value); /* takes it over */
const struct bw_node *bw_node_get(const struct bw_node *map,
				  const char *key); /* NULL: no map, or not there */
void bw_node_free(struct bw_node *n);
void bw_auto_node(struct bw_node **n);
#define BW_AUTONODE BW_CLEANUP(bw_auto_node)

/* "nothing", a map or a list are no scalars. */
bool bw_node_is_nothing(const struct bw_node *n); /* `key:`, `~` or `null`; NULL is nothing too */

void bw_tree_write_yaml(const struct bw_node *n, struct bw_buf *ret);
void bw_tree_write_json(const struct bw_node *n, struct bw_buf *ret); /* on one line */
/* The same for people: one member per line, lists of scalars on one. */
void bw_tree_write_json_lines(const struct bw_node *n, unsigned depth, struct bw_buf *ret);
/* One text as it stands in YAML: in quotes where it needs them. */
void bw_tree_write_text(const char *text, struct bw_buf *ret);
/* In double quotes, whatever it is; valid in YAML and in JSON. */
void bw_tree_write_quoted(const char *text, struct bw_buf *ret);

#endif
