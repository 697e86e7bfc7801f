/* problem.h - what is wrong with a configuration file: all of it at once, each with its place. */
#ifndef BW_CONFIG_PROBLEM_H
#define BW_CONFIG_PROBLEM_H

#include <stdbool.h>

#include "core/buf.h"

#define BW_CONF_MAX_PROBLEMS 100 /* nobody reads more at once; the others are counted */

struct bw_conf_problem {
	unsigned line, column; /* from 1; 0: the file as a whole */
	bool is_warning;       /* the configuration can be used all the same */
	char *text;	       /* "sinks.ci.url: expected ..., got ..."; not yet escaped */
};

/* Zeroed is empty. */
struct bw_conf_problems {
	struct bw_conf_problem *items;
	size_t count, capacity;
	size_t errors, warnings; /* those that found no room are counted too */
};

void bw_conf_problems_add(struct bw_conf_problems *p, const struct bw_conf_problem *x); /* copies the text */
void bw_conf_problems_sort(struct bw_conf_problems *p);					/* by place */
void bw_conf_problems_done(struct bw_conf_problems *p);

/* "FILE:3:7: sinks.ci.url: ...", warnings with "warning: " before the key. */
void bw_conf_problem_format(const struct bw_conf_problem *x, const char *file, struct bw_buf *ret);

#endif
