/*
 * outlook.h - when the daemon asks next, as a report shows it. Who makes a report computes it, where a daemon watches. The
 * report of a sweep has those registries that were not asked for all of their bases.
 */
#ifndef BW_REPORT_OUTLOOK_H
#define BW_REPORT_OUTLOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bw_next_check {
	int64_t at_ms;
	const char *reason;
};

/* One that grants only so many requests, or is left alone for a while. */
struct bw_outlook_registry {
	const char *name;
	uint64_t bases;
	int64_t seen_ms; /* when what follows was so */
	bool has_budget; /* the next five are 0 without one */
	uint64_t limit, remaining, reserved;
	uint32_t window_s; /* 0: not said */
	bool is_free;
	int64_t interval_ms;	 /* in which each base is asked once; 0: as scheduled */
	const char *pause;	 /* a word; NULL: none */
	int64_t paused_until_ms; /* 0: not known */
	const char *text;	 /* for people, not escaped; NULL: all is as scheduled */
	const char *
		held_back; /* why this sweep did not ask for all of its bases; NULL: it did, or there was none */
};

struct bw_outlook {
	/* False: the daemon does not ask for it. The text is valid as long as the outlook. */
	bool (*find)(int64_t base_id, struct bw_next_check *ret, void *arg);
	void *arg;
	const struct bw_outlook_registry *registries;
	size_t count;
};

#endif
