/* report.c - see report/report.h and reporter.h. */
#include "report/report.h"

#include <errno.h>

#include "core/mem.h"
#include "group.h"
#include "json.h"
#include "reporter.h"
#include "table.h"

/* Rows become groups in the collector, and groups become lines or JSON. Only the writer of the format is in
 * use. */
struct bw_reporter {
	const struct bw_report_options *o;
	int64_t checked_at_ms;
	struct bw_collector collector;
	struct bw_table table;
	struct bw_report_json json;
};

static bool is_json(const struct bw_reporter *r)
{
	return r->o->format == BW_FORMAT_JSON;
}

static void on_group(const struct bw_group *g, void *arg)
{
	struct bw_reporter *r = arg;

	if (is_json(r))
		bw_report_json_add(&r->json, g);
	else
		bw_table_add(&r->table, g);
}

struct bw_reporter *bw_reporter_new(const struct bw_report_options *o, int64_t checked_at_ms)
{
	struct bw_reporter *r = BW_NEW(struct bw_reporter);

	r->o = o;
	r->checked_at_ms = checked_at_ms;
	bw_collector_init(&r->collector, o, on_group, r);
	if (is_json(r))
		bw_report_json_begin(&r->json, o, checked_at_ms);
	else
		bw_table_init(&r->table, o);
	return r;
}

void bw_reporter_row(struct bw_reporter *r, const struct bw_row *row)
{
	bw_collector_row(&r->collector, row);
}

bool bw_reporter_end(struct bw_reporter *r, struct bw_tally *ret)
{
	struct bw_collector *c = &r->collector;
	/* A person who just saw the sweep need not be told when it was. */
	int64_t known_since_ms = r->checked_at_ms == 0 ? c->youngest_ms : 0;

	bw_collector_end(c);
	if (r->o->gaps) {
		c->tally.verdicts[BW_UNKNOWN] += r->o->gaps->count;
		c->tally.counted[BW_UNKNOWN] += r->o->gaps->count;
	}
	*ret = c->tally;
	return is_json(r) ? bw_report_json_end(&r->json, &c->tally)
			  : bw_table_end(&r->table, &c->tally, known_since_ms);
}

void bw_reporter_free(struct bw_reporter *r)
{
	if (!r)
		return;
	if (is_json(r))
		bw_report_json_done(&r->json);
	else
		bw_table_done(&r->table);
	bw_collector_done(&r->collector);
	free(r);
}

static int on_row(const struct bw_row *row, void *arg, struct bw_err *err)
{
	(void)err;
	bw_reporter_row(arg, row);
	return 0;
}

static int youngest(const struct bw_row *row, void *arg, struct bw_err *err)
{
	int64_t *ms = arg;

	(void)err;
	if (row->checked_at_ms > *ms)
		*ms = row->checked_at_ms;
	return 0;
}

int bw_report_write(struct bw_store *s, const struct bw_report_options *o, struct bw_tally *ret,
		    struct bw_err *err)
{
	int64_t checked_at_ms = o->checked_at_ms;
	struct bw_reporter *r;
	struct bw_tally tally;
	int rc = 0;

	/*
	 * In JSON this time stands before the bases, and keeping them all just for that would cost far
	 * more.
	 */
	if (o->format == BW_FORMAT_JSON && checked_at_ms == 0)
		rc = bw_store_each_row(s, youngest, &checked_at_ms, err);
	if (rc < 0)
		return rc;
	r = bw_reporter_new(o, checked_at_ms);
	rc = bw_store_each_row(s, on_row, r, err);
	if (rc >= 0 && !bw_reporter_end(r, &tally))
		rc = bw_fail_sys(err, errno ? errno : EIO, "write the report");
	bw_reporter_free(r);
	if (rc < 0)
		return rc;
	*ret = tally;
	return 0;
}
