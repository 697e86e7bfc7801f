/*
 * forecast.h - when will each base be asked next, and why then? For reports and people. Pure: rows, options and the time
 * go in, as the schedule of the daemon has them (watch/schedule.h); it is what would happen if every question from now on
 * were answered and nothing moved.
 *
 * Where a registry grants less than the schedule wants, the order of due decides: each base waits for those before it.
 */
#ifndef BW_WATCH_FORECAST_H
#define BW_WATCH_FORECAST_H

#include "store/poll.h"
#include "store/standing.h"
#include "watch/schedule.h"

struct bw_forecast;

/* `uuid` is that of the database. */
struct bw_forecast *bw_forecast_new(const struct bw_schedule_options *o, const char *uuid, int64_t now_ms);
void bw_forecast_free(struct bw_forecast *f); /* NULL is fine */

/* In any order, then the end. The strings are copied. */
void bw_forecast_add_standing(struct bw_forecast *f, const struct bw_standing *x);
void bw_forecast_add_base(struct bw_forecast *f, const struct bw_poll *p);
void bw_forecast_end(struct bw_forecast *f);

/* Texts belong to the forecast. The names of registries in them are not escaped. */
struct bw_forecast_base {
	int64_t at_ms;
	const char *reason; /* a sentence without a full stop */
};
/* False: it was not added. */
bool bw_forecast_find(const struct bw_forecast *f, int64_t id, struct bw_forecast_base *ret);

struct bw_forecast_registry {
	struct bw_standing
		standing; /* zeroed but for the name where nothing is known; a pause that is over is none */
	size_t bases;
	int64_t interval_ms; /* in which each base is asked once, where that is longer than the schedule has it; else 0 */
	const char *text; /* a sentence; NULL: all is as scheduled */
};
/* Those with bases, by name. False: there are no more. */
bool bw_forecast_registry(const struct bw_forecast *f, size_t n, struct bw_forecast_registry *ret);

#define BW_FORECAST_SPAN_MAX 48

/* In two units at most: "3 d 3 h", "6 h", "4 s". Returns `out`. */
const char *bw_forecast_span(int64_t ms, char out[BW_FORECAST_SPAN_MAX]);

#endif
