/* backoff.c - exponential distances with a cap and a spread. */
#include "notify/backoff.h"

/* first * 2^(failures-1) up to the longest, without ever shifting further than it has to. */
static uint64_t plain_ms(const struct bw_backoff *b, unsigned failures)
{
	uint64_t ms = b->first_ms;

	for (unsigned i = 1; i < failures && ms > 0 && ms < b->longest_ms; i++)
		ms *= 2;
	return ms < b->longest_ms ? ms : b->longest_ms;
}

uint64_t bw_backoff_ms(const struct bw_backoff *b, unsigned failures, uint32_t random)
{
	uint64_t ms = plain_ms(b, failures);
	uint64_t spread = ms / 2; /* from -25 % to +25 % */

	ms = ms - ms / 4 + spread * random / UINT32_MAX;
	return ms ? ms : 1;
}

uint64_t bw_backoff_asked_ms(const struct bw_backoff *b, unsigned failures, uint32_t asked_s, uint32_t random)
{
	if (asked_s == 0)
		return bw_backoff_ms(b, failures, random);
	return (uint64_t)(asked_s < BW_BACKOFF_MAX_ASKED_S ? asked_s : BW_BACKOFF_MAX_ASKED_S) * 1000;
}
