/* tags.h - which tags has a repository? For a person who asks; nothing that is done often needs it. */
#ifndef BW_REGISTRY_TAGS_H
#define BW_REGISTRY_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/client.h"

struct bw_tags_limits {	   /* 0: as it stands there */
	unsigned pages;	   /* 20 */
	size_t tags;	   /* 20,000 */
	size_t page_bytes; /* 1 MiB */
};

struct bw_tags {
	const char *const *items; /* in the order of the registry, which may be any */
	size_t count;
	bool is_cut; /* there may be more: a limit was reached, or a later page could not be had */
};

/* With trouble there are no tags. All of it is valid only during the call. */
typedef void (*bw_tags_fn)(const struct bw_answer *a, const struct bw_tags *tags, void *arg);

/*
 * One request for each page, to the registry itself, and each waits its turn as every question does. With `mirrors_only` its
 * mirrors are asked one after another until one has the first page, and that one for all others. No new page is asked for
 * after give_up_ms. The callback comes exactly once, and never inside of the call. `limits` may be NULL.
 */
void bw_registry_tags(struct bw_registry *r, const char *registry, const char *repository,
		      const struct bw_tags_limits *limits, bw_tags_fn fn, void *arg);

#endif
