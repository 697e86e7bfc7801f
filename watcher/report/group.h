/*
 * group.h - rows gathered into judged bases. Rows come ordered by base, so only one base's uses are in memory
 * at a time, however long the report.
 */
#ifndef BW_REPORT_GROUP_H
#define BW_REPORT_GROUP_H

#include "arena.h"
#include "report/report.h"

/* A judged use. Strings live until the callback returns. */
struct bw_group_use {
	const char *source; /* "" for a folder without a name */
	const char *path;
	const char *target;
	const char *stage;	  /* NULL: none */
	const char *platform;	  /* NULL: none */
	const char *pinned;	  /* NULL: no digest written */
	const char *written;	  /* NULL only for a broken file */
	const char *reason;	  /* NULL: nothing to add */
	const char *change_class; /* these two as in store/row.h; NULL: never changed */
	const char *moved;	  /* NULL also when nobody could say */
	const char *evidence;	  /* what last made the build fresh; NULL: nothing had to */
	const char *pin_platform; /* of a pinned image that is for another platform; NULL: it fits */
	int64_t fresh_since_ms;	  /* by the evidence; 0 */
	enum bw_pin pin;
	uint32_t line; /* 0: none */
	enum bw_role role;
	bool is_file; /* no use: a build file that could not be read or parsed */
	bool reachable;
	enum bw_verdict verdict;
};

/* A base with all its uses; or exactly one use without a base, or a broken file. */
struct bw_group {
	const char *base;	 /* "registry/repository:tag"; NULL: a use without a base */
	int64_t base_id;	 /* 0 without one */
	enum bw_verdict verdict; /* the worst of the uses, and of that use: */
	int64_t since_ms;
	const char *reason;	  /* NULL: nothing to add */
	const char *change_class; /* NULL: never changed */
	const char *moved;	  /* NULL: never changed, or nobody could say */
	const char *digest;	  /* NULL: never seen */
	const char *previous;	  /* NULL: never changed */
	int64_t first_seen_ms;
	int64_t changed_at_ms;
	int64_t stale_since_ms; /* the earliest of the stale uses; 0: none is stale */
	int64_t checked_at_ms;
	struct bw_group_use *uses;
	size_t use_count;
	size_t use_capacity;
};

/* Did the sweep that this report is of see the last change of the base? Never in a report without a sweep. */
bool bw_group_is_news(const struct bw_group *g, const struct bw_report_options *o);

typedef void (*bw_group_fn)(const struct bw_group *g, void *arg);

struct bw_collector {
	const struct bw_report_options *o;
	bw_group_fn fn; /* called for each finished group, in the order of the rows */
	void *arg;
	struct bw_tally tally;
	int64_t youngest_ms; /* the youngest checked_at so far */
	int64_t base_id;
	bool gathering;
	struct bw_group group;
	struct bw_arena arena;
};

void bw_collector_init(struct bw_collector *c, const struct bw_report_options *o, bw_group_fn fn, void *arg);
void bw_collector_row(struct bw_collector *c, const struct bw_row *r);
void bw_collector_end(struct bw_collector *c); /* finishes the last group */
void bw_collector_done(struct bw_collector *c);

#endif
