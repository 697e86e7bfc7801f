/*
 * table.h - the verdicts for people. Worst first: bases with trouble and their uses, then one line per fresh
 * base, then what is not followed, files that could not be read, and a sentence. Everything has to be there
 * before the first line (it is sorted), so only what will be shown is kept: of a fresh base a name and a
 * number.
 */
#ifndef BW_REPORT_TABLE_H
#define BW_REPORT_TABLE_H

#include "group.h"
#include "line.h"

struct bw_entry;

struct bw_table {
	const struct bw_report_options *o;
	struct bw_entry *entries;
	size_t count;
	size_t capacity;
	uint64_t files;	     /* that could not be read */
	uint64_t gaps;	     /* that could not be looked into */
	uint64_t unresolved; /* uses without a base that should have one */
	uint64_t baseless;   /* uses without a base that need none */
	struct bw_arena arena;
	struct bw_line line;
};

void bw_table_init(struct bw_table *t, const struct bw_report_options *o);
void bw_table_add(struct bw_table *t, const struct bw_group *g);
/* Writes everything. `known_since_ms`: what is shown was learned up to then; 0: just now. False: a write
 * failed. */
bool bw_table_end(struct bw_table *t, const struct bw_tally *tally, int64_t known_since_ms);
void bw_table_done(struct bw_table *t);

/* The colour of a verdict. */
enum bw_style bw_table_style(enum bw_verdict v);

#endif
