/* rule_scene.h - a store with the sinks ci and chat, answers that are told by rules, and the events as text. */
#ifndef BW_TESTS_RULE_SCENE_H
#define BW_TESTS_RULE_SCENE_H

#include "unit/store_fixture.h"

#include <jansson.h>

#include "store/outbox.h"
#include "watch/event.h"

struct scene {
	struct fixture *f;
	struct bw_rules rules;
	struct bw_event_options options; /* the rules are put into them */
	size_t seen;			 /* events that were listed */
};

static BW_UNUSED void sinks(struct scene *x)
{
	static const struct bw_sink_row rows[] = {{.name = "ci"}, {.name = "chat"}};

	assert_ok(x->f, bw_store_put_sinks(x->f->store, rows, 2, 5, &x->f->err));
}

static BW_UNUSED void make_teller(struct scene *x, struct bw_teller *ret)
{
	x->options.rules = &x->rules;
	bw_event_teller(&x->options, ret);
}

static void tell_seen(struct scene *x, const struct bw_seen *seen, size_t count)
{
	struct bw_teller t;

	make_teller(x, &t);
	assert_ok(x->f, bw_store_record(x->f->store, seen, count, &t, &x->f->counts, &x->f->err));
}

/* Every base has this digest, and nobody judged it. */
static BW_UNUSED void see_all(struct scene *x, int64_t at_ms, char letter)
{
	struct bw_answer a = {.media_type = OCI_INDEX};
	struct bw_seen seen[8] = {0};
	size_t count = (size_t)ask(x->f, "SELECT count(*) FROM base");

	assert_true(count <= BW_COUNT(seen));
	digest_from(letter, &a.digest);
	for (size_t i = 0; i < count; i++)
		seen[i] = (struct bw_seen){.base_id = (int64_t)i + 1, .at_ms = at_ms, .answer = &a};
	tell_seen(x, seen, count);
}

/* One base goes from one digest to another, "ab"; without meanings it stays. */
static BW_UNUSED void see_judged_by(struct scene *x, int64_t at_ms, const char *name, const char *from_to,
				    const char *meanings)
{
	struct bw_answer a = {.media_type = OCI_INDEX};
	struct made_change m = {0};
	struct bw_seen seen = {.base_id = base_id(x->f, name), .at_ms = at_ms, .answer = &a};

	digest_from(from_to[1], &a.digest);
	if (meanings) {
		make_change(&m, from_to[0], meanings);
		seen.change = &m.change;
	}
	tell_seen(x, &seen, 1);
	free(m.words);
}

/* --- events as text --------------------------------------------------------------------------- */

static void note_bases(const json_t *data, struct bw_buf *to)
{
	const json_t *bases = json_object_get(data, "bases");

	for (size_t i = 0; i < json_array_size(bases); i++) {
		const json_t *base = json_array_get(bases, i), *uses = json_object_get(base, "uses");

		bw_buf_addf(to, " [%s", json_string_value(json_object_get(base, "repository")) + 8);
		for (size_t k = 0; k < json_array_size(uses); k++)
			bw_buf_addf(
				to, " %d",
				(int)json_integer_value(json_object_get(json_array_get(uses, k), "line")));
		bw_buf_addc(to, ']');
	}
	if (json_integer_value(json_object_get(data, "reminder")) > 0)
		bw_buf_addf(to, " #%d", (int)json_integer_value(json_object_get(data, "reminder")));
}

static void note_event(const struct bw_delivery *d, struct bw_buf *to)
{
	json_t *event = json_loads(d->json, 0, NULL);
	const char *slash = strrchr(d->subject, '/'), *colon = slash ? strchr(slash, ':') : NULL;

	assert_non_null(event);
	assert_non_null(slash);
	bw_buf_addf(to, "%s ", d->type + strlen("io.basewatch."));
	if (d->subject[0] == '/')
		bw_buf_adds(to, d->subject);
	else
		bw_buf_addf(to, "%.*s", (int)(colon - slash - 1), slash + 1);
	note_bases(json_object_get(event, "data"), to);
	json_decref(event);
}

struct listing {
	struct bw_buf *to;
	char event[BW_EVENT_ID_MAX], *suppressed;
	size_t count, skip;
};

static void end_event(struct listing *l)
{
	if (l->suppressed)
		bw_buf_addf(l->to, " (%s)", l->suppressed);
	if (l->count > l->skip)
		bw_buf_addc(l->to, '\n');
	free(l->suppressed);
	l->suppressed = NULL;
}

static int note_delivery(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	struct listing *l = arg;

	(void)err;
	if (strcmp(l->event, d->event_id) != 0) {
		end_event(l);
		(void)snprintf(l->event, sizeof(l->event), "%s", d->event_id);
		if (++l->count > l->skip) {
			note_event(d, l->to);
			l->suppressed = bw_strdup_null(d->suppressed);
		}
	}
	if (d->sink && l->count > l->skip)
		bw_buf_addf(l->to, " %s", d->sink);
	return 0;
}

static const char *list_from(struct scene *x, const struct bw_event_filter *filter, size_t skip)
{
	struct listing l = {.to = &x->f->text, .skip = skip};

	bw_buf_clear(l.to);
	assert_ok(x->f, bw_store_each_event(x->f->store, filter, note_delivery, &l, &x->f->err));
	end_event(&l);
	x->seen = l.count > x->seen ? l.count : x->seen;
	return bw_buf_str(l.to);
}

/* "rebuild.requested /x/Dockerfile [a 1 2] #1 ci chat (why nobody)": lines of uses, number of the reminder, sinks. */
static BW_UNUSED const char *list(struct scene *x, const struct bw_event_filter *filter)
{
	return list_from(x, filter, 0);
}

static BW_UNUSED const char *events(struct scene *x)
{
	static const struct bw_event_filter all;

	return list_from(x, &all, 0);
}

/* Those that were not listed yet. */
static BW_UNUSED const char *new_events(struct scene *x)
{
	static const struct bw_event_filter all;

	return list_from(x, &all, x->seen);
}

#endif
