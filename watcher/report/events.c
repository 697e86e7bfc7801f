/* events.c - what was published, event after event; see report/events.h. */
#include "report/events.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "json.h"
#include "line.h"
#include "report/out.h"
#include "words.h"

#define ID_SHOWN   12 /* digits: enough to name an event with */
#define TYPE_START (ID_SHOWN + 2 + strlen("2026-11-21 12:00") + 2)

struct writer {
	const struct bw_report_options *o;
	struct bw_json w;
	struct bw_line line;
	char event[BW_EVENT_ID_MAX]; /* the one that is open; "" before the first */
};

static bool is_json(const struct writer *x)
{
	return x->o->format == BW_FORMAT_JSON;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_begin(struct writer *x)
{
	bw_json_open(&x->w, '{');
	bw_json_key_int(&x->w, "version", 1);
	bw_json_key(&x->w, "events");
	bw_json_open(&x->w, '[');
}

static void json_end_event(struct writer *x)
{
	if (!x->event[0])
		return;
	bw_json_close(&x->w, ']');
	bw_json_close(&x->w, '}');
}

static void json_event(struct writer *x, const struct bw_delivery *d)
{
	json_end_event(x);
	bw_json_open(&x->w, '{');
	bw_json_key_str(&x->w, "id", d->event_id);
	bw_json_key_str(&x->w, "type", d->type);
	bw_json_key_str(&x->w, "subject", d->subject);
	bw_json_key_time(&x->w, "at", d->at_ms);
	bw_json_key_str(&x->w, "suppressed", d->suppressed);
	bw_json_key(&x->w, "deliveries");
	bw_json_open(&x->w, '[');
}

static void json_delivery(struct bw_json *w, const struct bw_delivery *d)
{
	bool is_due = d->state == BW_DELIVERY_DUE;

	bw_json_open(w, '{');
	bw_json_key_str(w, "sink", d->sink);
	bw_json_key_str(w, "state", bw_delivery_state_name(d->state));
	bw_json_key_int(w, "attempts", d->attempts);
	bw_json_key_time(w, "created", d->created_ms);
	bw_json_key_time(w, "next", is_due ? d->next_ms : 0);
	bw_json_key_time(w, "expires", is_due ? d->expires_ms : 0);
	bw_json_key_time(w, "ended", d->ended_ms);
	bw_json_key_str(w, "error", d->error);
	bw_json_close(w, '}');
}

/* --- table ------------------------------------------------------------------------------------ */

/* "io.basewatch." says nothing to people. */
static const char *short_type(const char *type)
{
	static const char prefix[] = "io.basewatch.";

	return bw_text_starts(type, prefix) ? type + strlen(prefix) : type;
}

static void table_event(struct writer *x, const struct bw_delivery *d)
{
	BW_AUTOFREE char *id = bw_strndup(d->event_id, ID_SHOWN);
	char at[BW_TIME_MAX];

	bw_line_begin(&x->line, 0, TYPE_START);
	bw_line_flow(&x->line, BW_PLAIN, id);
	bw_line_flow(&x->line, BW_DIM, bw_time_short(d->at_ms, at));
	bw_line_flow(&x->line, BW_BOLD, short_type(d->type));
	bw_line_flow(&x->line, BW_PLAIN, d->subject);
	bw_line_end(&x->line);
	if (!d->suppressed)
		return;
	bw_line_begin(&x->line, ID_SHOWN + 2, TYPE_START);
	bw_line_flow(&x->line, BW_DIM, "suppressed");
	bw_line_flow(&x->line, BW_PLAIN, d->suppressed);
	bw_line_end(&x->line);
}

static enum bw_style style_of(enum bw_delivery_state state)
{
	switch (state) {
	case BW_DELIVERY_DUE: return BW_YELLOW;
	case BW_DELIVERY_SENT: return BW_GREEN;
	case BW_DELIVERY_DEAD: return BW_RED;
	case BW_DELIVERY_SUPERSEDED: break;
	}
	return BW_DIM;
}

/* "due since", "sent", "dead": when, after how many attempts, and what was said last. */
static void table_delivery(struct writer *x, const struct bw_delivery *d)
{
	char at[BW_TIME_MAX], attempts[BW_WORDS_MAX];

	bw_line_begin(&x->line, ID_SHOWN + 2, TYPE_START);
	bw_line_flow(&x->line, BW_PLAIN, d->sink);
	bw_line_flow(&x->line, style_of(d->state), bw_delivery_state_name(d->state));
	bw_line_flow(&x->line, BW_DIM,
		     bw_time_short(d->state == BW_DELIVERY_DUE ? d->next_ms : d->ended_ms, at));
	if (d->attempts > 0)
		bw_line_flow(&x->line, BW_DIM, bw_words_count(d->attempts, "attempt", "attempts", attempts));
	if (d->error)
		bw_line_flow(&x->line, BW_PLAIN, d->error);
	bw_line_end(&x->line);
}

/* --- from the store --------------------------------------------------------------------------- */

static int add(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	struct writer *x = arg;
	bool is_new = strcmp(x->event, d->event_id) != 0;

	(void)err;
	if (is_new && is_json(x))
		json_event(x, d);
	else if (is_new)
		table_event(x, d);
	if (d->sink && is_json(x))
		json_delivery(&x->w, d);
	else if (d->sink)
		table_delivery(x, d);
	if (is_new && strlen(d->event_id) < sizeof(x->event))
		memcpy(x->event, d->event_id, strlen(d->event_id) + 1);
	return 0;
}

static bool end(struct writer *x)
{
	if (is_json(x)) {
		json_end_event(x);
		bw_json_close(&x->w, ']');
		bw_json_close(&x->w, '}');
		return bw_report_json_finish(&x->w);
	}
	if (!x->event[0]) {
		bw_line_begin(&x->line, 0, 0);
		bw_line_words(&x->line, BW_PLAIN, "No events.");
		bw_line_end(&x->line);
	}
	return bw_out_finish(x->o->out, !x->line.failed);
}

int bw_events_write(struct bw_store *s, const struct bw_event_filter *filter,
		    const struct bw_report_options *o, struct bw_err *err)
{
	struct writer x = {.o = o};
	int rc;

	bw_json_init(&x.w, o->out, 0);
	bw_line_init(&x.line, o->out, o->width, o->colour);
	if (is_json(&x))
		json_begin(&x);
	rc = bw_store_each_event(s, filter, add, &x, err);
	if (rc >= 0 && !end(&x))
		rc = bw_fail_sys(err, errno ? errno : EIO, "write the events");
	bw_json_done(&x.w);
	bw_line_done(&x.line);
	return rc;
}
