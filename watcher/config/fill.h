/* fill.h - from a tree to values by the table, with everything that is wrong on the way. */
#ifndef BW_CONFIG_FILL_H
#define BW_CONFIG_FILL_H

#include "config/key.h"
#include "config/problem.h"
#include "core/def.h"

struct bw_fill {
	struct bw_conf_problems *problems;
	const char *folder; /* what relative paths count from */
	bool look;	    /* also look whether files and secrets are there */
	struct bw_buf path; /* of the key that is being read: "sinks.ci.url" */
};

/* The whole configuration. `record` has its defaults; what is wrong leaves them as they are. */
void bw_fill_root(struct bw_fill *f, const struct bw_node *root, void *record);

/* A problem at the node, with the path of the key in front. */
void bw_fill_complain(struct bw_fill *f, bool is_warning, const struct bw_node *at, const char *fmt, ...)
	BW_PRINTF(4, 5);
/* Goes down to a key, or to an element of a list; returns what bw_fill_leave() takes back. */
size_t bw_fill_enter(struct bw_fill *f, const char *name);
size_t bw_fill_enter_item(struct bw_fill *f, size_t index);
void bw_fill_leave(struct bw_fill *f, size_t mark);

/* The best of the names that are like `word`; start with NULL. */
void bw_fill_closest(const char *word, const char *candidate, const char **best, size_t *distance);
size_t bw_fill_far(const char *word); /* what `distance` starts with */

/* One value that is no container: fill_value.c. */
void bw_fill_value(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		   void *value);
void bw_fill_expected(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *advice);

#endif
