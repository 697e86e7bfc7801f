/*
 * events.h - what was published, and what is owed to whom. JSON as in config/basewatch-events.schema.json.
 */
#ifndef BW_REPORT_EVENTS_H
#define BW_REPORT_EVENTS_H

#include "report/report.h"
#include "store/outbox.h"

int bw_events_write(struct bw_store *s, const struct bw_event_filter *filter,
		    const struct bw_report_options *o, struct bw_err *err) BW_NODISCARD;

#endif
