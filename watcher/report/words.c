/* words.c - see words.h. */
#include "words.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/def.h"

const char *bw_words_count(uint64_t n, const char *one, const char *many, char out[BW_WORDS_MAX])
{
	(void)snprintf(out, BW_WORDS_MAX, "%" PRIu64 " %s", n, n == 1 ? one : many);
	return out;
}

/*
 * One unit and no second one: "3 days" is what a person would say. A unit serves up to about two of the
 * next.
 */
const char *bw_words_span(int64_t ms, char out[BW_WORDS_MAX])
{
	static const struct {
		int64_t seconds;
		int64_t below; /* in this unit */
		const char *one;
		const char *many;
	} units[] = {
		{60, 120, "minute", "minutes"},
		{3600, 48, "hour", "hours"},
		{86400, 61, "day", "days"},
		{2629746, 24, "month", "months"},
		{31556952, INT64_MAX, "year", "years"},
	};
	int64_t seconds = ms / 1000;
	size_t i = 0;

	if (seconds < 60) {
		(void)snprintf(out, BW_WORDS_MAX, "less than a minute");
		return out;
	}
	while (i + 1 < BW_COUNT(units) && seconds / units[i].seconds >= units[i].below)
		i++;
	return bw_words_count((uint64_t)(seconds / units[i].seconds), units[i].one, units[i].many, out);
}
