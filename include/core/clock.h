/*
 * clock.h - the one door to clocks, and times as text. Wall time is for storage and people, in milliseconds
 * since the epoch; deadlines are monotonic (net/loop.h). A test sets the wall clock with bw_clock_set().
 */
#ifndef BW_CORE_CLOCK_H
#define BW_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/def.h"

int64_t bw_clock_ms(void);
void bw_clock_set(int64_t ms); /* tests: this is now; 0 gives the real clock back */

#define BW_TIME_MAX 32

/* RFC 3339 in UTC with seconds: "2026-11-21T12:16:22Z". Returns `out`. */
const char *bw_time_format(int64_t ms, char out[BW_TIME_MAX]);
/* For people, UTC: "2026-11-21 12:16". Returns `out`. */
const char *bw_time_short(int64_t ms, char out[BW_TIME_MAX]);
/* RFC 3339 with zone, or a bare date "2026-12-31", which means its first instant in UTC. */
bool bw_time_parse(const char *s, int64_t *ret_ms);
/* An HTTP date (RFC 9110 5.6.7, IMF-fixdate and the two old forms). */
bool bw_time_parse_http(const char *s, int64_t *ret_ms);

#endif
