/* entry.h - what a table keeps of a base, or of what has none, until it can be sorted and shown. */
#ifndef BW_REPORT_ENTRY_H
#define BW_REPORT_ENTRY_H

#include "group.h"

/* The parts of a table, in the order in which they are shown. */
enum bw_part { BW_PART_TROUBLE, BW_PART_FRESH, BW_PART_QUIET, BW_PART_FILE };

/* One use beneath a base with trouble, or that stands on the wrong image. Text is escaped. */
struct bw_entry_use {
	const char *where;    /* path:line */
	const char *stage;    /* "" for one without a name */
	const char *platform; /* NULL: none */
	const char *target;   /* NULL: the last stage */
	const char *reason;   /* NULL: none, or the same as the base's */
	enum bw_role role;
	enum bw_verdict verdict;
};

/* Many bases of one registry with one reason: they share a heading. */
struct bw_alike {
	size_t count;
	int64_t since_ms; /* the earliest; 0: none */
	bool is_shown;
};

struct bw_entry {
	enum bw_part part;
	enum bw_verdict verdict;
	const char *name; /* of the base, else as written, else the path */
	const char *
		reason; /* NULL: none; of a fresh base: what this sweep saw of it that makes no build stale */
	int64_t since_ms; /* 0: none */
	bool has_base;
	const char *registry; /* of an unknown base; else NULL */
	struct bw_alike
		*alike; /* those of its registry that are unknown for the same reason; NULL: few, or none */
	bool is_file;	/* could not be read; `name` is its path */
	size_t order;	/* of arrival: keeps sorting stable */
	/* Those that are not well, and pins for another platform; or the single use of a quiet entry. */
	struct bw_entry_use *uses;
	size_t use_count;
	uint64_t total; /* all uses */
	uint64_t fresh; /* among them, and not in `uses` */
	uint64_t quiet; /* among them: ignored and unfollowable */
};

/* Makes an entry of a group; what it keeps is in the arena. */
void bw_entry_make(struct bw_entry *e, const struct bw_group *g, const struct bw_report_options *o,
		   struct bw_arena *a);

/* Do two entries without a base belong under one line? */
bool bw_entry_is_same(const struct bw_entry *a, const struct bw_entry *b);

/* By part, then worst verdict, then bases before the rest, then (fresh ones) those with a word to say, then name. */
void bw_entry_sort(struct bw_entry *entries, size_t count);

#endif
