/* known.h - what the brokers were last told of each base or build, by its number; private to daemon/. */
#ifndef BW_DAEMON_KNOWN_H
#define BW_DAEMON_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bw_known_subject {
	int64_t id;
	char *key;	 /* that it was told by; NULL: nothing was told */
	uint64_t told;	 /* of the document: bw_known_hash(); BW_KNOWN_CLEARED; BW_KNOWN_NOTHING */
	bool is_waiting; /* to be looked at, */
	bool spreads;	 /* and so are the builds on it, if they show anything else of it now */
	uint64_t rows;	 /* of what builds show of a base, as last read; 0: never */
};

#define BW_KNOWN_NOTHING 0
#define BW_KNOWN_CLEARED 1

/* Sorted by id: a pass goes through both in one order, and nearly all new ids come at the end. Starts zeroed. */
struct bw_known {
	struct bw_known_subject *subjects;
	size_t count, capacity;
};

void bw_known_done(struct bw_known *k);

/* The subject of this id, a new one where there is none. Valid until the next call that adds or removes. */
struct bw_known_subject *bw_known_get(struct bw_known *k, int64_t id);
/* The first with an id of at least that; NULL: there is none. */
struct bw_known_subject *bw_known_from(const struct bw_known *k, int64_t id);
/* Frees its key. */
void bw_known_remove(struct bw_known *k, int64_t id);
/* Everybody has to be told everything again; keys stay. */
void bw_known_doubt(struct bw_known *k);

/* FNV-1a, and never one of the values above; `seed` is a hash to go on from, 0 for none. */
uint64_t bw_known_hash(uint64_t seed, const void *bytes, size_t len);

#endif
