#include <string.h>

#include "command/command.h"
#include "command/output.h"
#include "command/state.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "report/events.h"
#include "store/outbox.h"

static int list(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	const struct bw_event_filter filter = {
		.since_ms = a->since_ms, .sink = a->sink, .dead = a->dead, .suppressed = a->suppressed};
	struct bw_report_options o;
	int rc;

	(void)ret;
	bw_output_init(a, &o);
	rc = bw_events_write(s, &filter, &o, err);
	bw_output_done(&o);
	return rc < 0 ? rc : bw_output_flush(err);
}

typedef int (*event_fn)(const struct bw_args *a, struct bw_store *s, const struct bw_event_found *e,
			struct bw_err *err);

/* For each ID; nothing is done before all of them are found. */
static int each(const struct bw_args *a, struct bw_store *s, event_fn fn, struct bw_err *err)
{
	int rc = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 1; rc == 0 && i < a->operands.count; i++) {
			struct bw_event_found e = {0};

			rc = bw_store_find_event(s, a->operands.items[i], &e, err);
			if (rc == 0 && pass == 1)
				rc = fn(a, s, &e, err);
			bw_event_found_done(&e);
		}
	return rc;
}

/* As it is sent; a terminal shows what could steer it escaped. */
static int show_one(const struct bw_args *a, struct bw_store *s, const struct bw_event_found *e,
		    struct bw_err *err)
{
	(void)a;
	(void)s;
	(void)err;
	bw_output_bytes(e->json, strlen(e->json));
	bw_output_bytes("\n", 1);
	return 0;
}

static void say(const struct bw_args *a, const struct bw_event_found *e, size_t count)
{
	if (!a->quiet)
		printf("%.12s: %zu deliver%s due\n", e->id, count, count == 1 ? "y" : "ies");
}

static int retry_one(const struct bw_args *a, struct bw_store *s, const struct bw_event_found *e,
		     struct bw_err *err)
{
	size_t count = 0;
	int rc = bw_store_retry_event(s, e->number, a->sink, bw_clock_ms(), &count, err);

	if (rc == 0)
		say(a, e, count);
	return rc;
}

static int replay_one(const struct bw_args *a, struct bw_store *s, const struct bw_event_found *e,
		      struct bw_err *err)
{
	size_t count = 0;
	int rc = bw_store_replay_event(s, e->number, a->sink, bw_clock_ms(), &count, err);

	if (rc == 0)
		say(a, e, count);
	return rc;
}

static int show(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	int rc = each(a, s, show_one, err);

	(void)ret;
	return rc < 0 ? rc : bw_output_flush(err);
}

static int retry(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	(void)ret;
	return each(a, s, retry_one, err);
}

static int replay(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	(void)ret;
	return each(a, s, replay_one, err);
}

enum bw_exit bw_command_events(const struct bw_args *a)
{
	static const struct {
		const char *name;
		bw_state_fn run;
	} actions[] = {{"list", list}, {"show", show}, {"retry", retry}, {"replay", replay}};
	const char *name = a->operands.count ? a->operands.items[0] : "list";

	for (size_t i = 0; i < BW_COUNT(actions); i++) {
		if (!bw_text_is(name, actions[i].name))
			continue;
		if ((a->operands.count > 1) != (i > 0)) {
			bw_error(i > 0 ? "events %s needs the ID of an event" : "events %s takes no ID",
				 name);
			return BW_EXIT_USAGE;
		}
		if (i > 0 && (a->since_ms || a->dead || a->suppressed || (i == 1 && a->sink))) {
			bw_error("events %s means events by their ID: that option goes with list", name);
			return BW_EXIT_USAGE;
		}
		return bw_state_run(a, actions[i].run);
	}
	bw_error("events can list, show, retry or replay, not '%s'", name);
	return BW_EXIT_USAGE;
}
