/* backoff.h - how long to wait before the next attempt. Pure. */
#ifndef BW_NOTIFY_BACKOFF_H
#define BW_NOTIFY_BACKOFF_H

#include <stdint.h>

struct bw_backoff {
	uint32_t first_ms;   /* after the first failure */
	uint32_t longest_ms; /* before the jitter */
};

/* What a receiver asks for is believed up to a day. */
#define BW_BACKOFF_MAX_ASKED_S 86400U

/*
 * After `failures` (from 1) failures in a row: min(longest, first * 2^(failures-1)), spread by `random` over 25 % less to
 * 25 % more, so that what failed together does not come back together. Never 0.
 */
uint64_t bw_backoff_ms(const struct bw_backoff *b, unsigned failures, uint32_t random);
/* The same, unless the receiver said how long (`asked_s` > 0): then that. */
uint64_t bw_backoff_asked_ms(const struct bw_backoff *b, unsigned failures, uint32_t asked_s,
			     uint32_t random);

#endif
