/*
 * deliveries.h - one outcome of a delivery, for tests; many are recorded together (store/outbox.h).
 */
#ifndef BW_TESTS_DELIVERIES_H
#define BW_TESTS_DELIVERIES_H

#include "core/def.h"
#include "store/outbox.h"

static BW_UNUSED int record_sent(struct bw_store *s, int64_t id, int64_t now_ms, struct bw_err *err)
{
	const struct bw_delivery_outcome o = {.id = id, .state = BW_DELIVERY_SENT};

	return bw_store_record_deliveries(s, &o, 1, now_ms, err);
}

static BW_UNUSED int record_dead(struct bw_store *s, int64_t id, const char *error, int64_t now_ms,
				 struct bw_err *err)
{
	const struct bw_delivery_outcome o = {.id = id, .state = BW_DELIVERY_DEAD, .error = error};

	return bw_store_record_deliveries(s, &o, 1, now_ms, err);
}

static BW_UNUSED int record_retry(struct bw_store *s, int64_t id, int64_t next_ms, const char *error,
				  int64_t now_ms, struct bw_err *err)
{
	const struct bw_delivery_outcome o = {
		.id = id, .state = BW_DELIVERY_DUE, .next_ms = next_ms, .error = error};

	return bw_store_record_deliveries(s, &o, 1, now_ms, err);
}

#endif
