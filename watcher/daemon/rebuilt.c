/* rebuilt.c - see daemon/rebuilt.h. Every word of the message is a stranger's; the log escapes what it is given. */
#include "daemon/rebuilt.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "image/digest.h"
#include "store/build.h"
#include "store/identity.h"
#include "store/outbox.h"
#include "store/state.h"

#define SHORT_ID 12 /* of an event's id in the log: `events show` takes the beginning */

struct work {
	const struct bw_mqtt_rebuilt *said;
	struct bw_store *store;
	struct bw_done_counts counts;
	int64_t build_id;
	char on[BW_DIGEST_SHORT_MAX + sizeof(" on ")]; /* empty: what the event names */
};

static int take_digest(struct work *w, struct bw_err *err)
{
	const char *text = w->said->digest;
	char brief[BW_DIGEST_SHORT_MAX];
	struct bw_digest d;
	int rc = bw_digest_parse(text, strlen(text), &d, err);

	if (rc < 0)
		return rc;
	(void)snprintf(w->on, sizeof(w->on), " on %s", bw_digest_short(text, brief));
	return bw_store_done_build(w->store, w->said->build, &d, bw_clock_ms(), &w->counts, &w->build_id,
				   err);
}

static int compare_build(const struct bw_build_state *b, void *arg, struct bw_err *err)
{
	const struct work *w = arg;
	char id[BW_BUILD_ID_MAX];

	bw_identity_of_build(bw_store_uuid(w->store), b->source, b->path, b->target, id);
	if (w->said->build && strcmp(w->said->build, id) != 0)
		return bw_fail(err, BW_E_INPUT, "the event is of build %s", id);
	return 0;
}

static int take_event(struct work *w, struct bw_err *err)
{
	struct bw_event_found e;
	int rc = bw_store_find_event(w->store, w->said->event, &e, err);

	if (rc < 0)
		return rc;
	w->build_id = e.build_id;
	if (e.build_id == 0)
		rc = bw_fail(err, BW_E_GONE, "the event %.12s asks for no build that there is", e.id);
	else
		rc = bw_store_read_build(w->store, e.build_id, compare_build, w, err);
	if (rc == 0)
		rc = bw_store_done_event(w->store, e.number, bw_clock_ms(), &w->counts, err);
	bw_event_found_done(&e);
	return rc;
}

static void say(const struct work *w, const struct bw_log_context *where)
{
	const struct bw_done_counts *c = &w->counts;

	if (c->moved > 0)
		bw_log_at(BW_LOG_WARN, where,
			  "rebuilt%s: %zu of its bases closed, %zu moved on since: still stale", w->on,
			  c->closed, c->moved);
	else if (c->closed > 0)
		bw_log_at(BW_LOG_INFO, where, "rebuilt%s: %zu of its bases closed", w->on, c->closed);
	else if (c->pinned > 0)
		bw_log_at(BW_LOG_WARN, where,
			  "rebuilt%s: nothing to close, %zu of its bases wait for a new pin", w->on,
			  c->pinned);
	else
		bw_log_at(BW_LOG_INFO, where, "rebuilt%s: nothing was outstanding", w->on);
}

void bw_rebuilt_take(const struct bw_mqtt_rebuilt *r, struct bw_store *s, struct bw_states *x)
{
	BW_AUTOFREE char *event = r->event ? bw_strndup(r->event, SHORT_ID) : NULL;
	const struct bw_log_context where = {.build = r->build, .event = event};
	struct work w = {.said = r, .store = s};
	struct bw_err err = BW_ERR_INIT;

	if ((r->event ? take_event(&w, &err) : take_digest(&w, &err)) < 0) {
		bw_log_at(BW_LOG_WARN, &where, "somebody says that it was rebuilt: %s", err.msg);
		return;
	}
	say(&w, &where);
	bw_states_touch_build(x, w.build_id);
}
