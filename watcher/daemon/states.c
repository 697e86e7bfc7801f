/*
 * states.c - see daemon/states.h. Documents are made anew whenever something may have changed; of each one only the hash
 * is kept, to know whether it differs from what was told. Small pieces of that work make up a turn of the loop.
 *
 * bw_mqtt_sink_put() may ask for rows inside (notify/mqtt_state.c), so nothing of what is known is held across it.
 */
#include "daemon/states.h"

#include <string.h>

#include "core/mem.h"
#include "daemon/document.h"
#include "daemon/known.h"
#include "store/state.h"

#define TURN_WORK 300  /* documents and rows in one turn: some milliseconds */
#define PAGE	  64   /* ids that are listed at a time */
#define LOOK_MS	  2000 /* between looks whether another process has written, and after a failure */
#define MAX_GONE \
	4096 /* keys of what was forgotten since we began; beyond, the brokers that are away keep it */

/* The order of a pass. What is gone comes first: a build that is back is told behind it. */
enum phase { PHASE_GONE, PHASE_BASES, PHASE_BUILDS, PHASE_END };

struct place {
	enum phase phase;
	int64_t after;
};

struct listener {
	struct bw_mqtt_sink *sink;
	bool is_walking; /* it is being given everything, and has got what is before `at` */
	struct place at;
};

struct waiting {
	int64_t id;
	enum bw_mqtt_subject kind;
};

struct bw_states {
	struct bw_store *store;
	bw_states_failed_fn failed;
	void *arg;
	struct bw_timer *turn, *look;
	struct listener *listeners;
	size_t listener_count, listener_capacity;
	struct bw_known known[2]; /* by enum bw_mqtt_subject */
	char **gone;
	size_t gone_count, gone_capacity;
	struct waiting *queue;
	size_t queue_first, queue_count, queue_capacity;
	bool is_begun, is_passing, wants_pass;
	struct place pass;
	size_t work; /* of this turn */
	int64_t note;
	bool has_failed;
};

static bool has_work(const struct bw_states *x)
{
	return x->queue_first < x->queue_count || x->is_passing || x->wants_pass;
}

static void complain(struct bw_states *x, const struct bw_err *err)
{
	bool is_news = !x->has_failed;

	x->has_failed = true;
	if (is_news)
		x->failed(err, x->arg);
}

/* --- handing out ------------------------------------------------------------------------------ */

static enum phase phase_of(enum bw_mqtt_subject kind)
{
	return kind == BW_MQTT_BASE ? PHASE_BASES : PHASE_BUILDS;
}

/* Will its walk come to this anyway? */
static bool is_ahead(const struct listener *l, enum bw_mqtt_subject kind, int64_t id)
{
	if (!l->is_walking || l->at.phase > phase_of(kind))
		return false;
	return l->at.phase < phase_of(kind) || l->at.after < id;
}

static void add_gone(struct bw_states *x, char *key)
{
	if (x->gone_count < MAX_GONE)
		BW_PUSH(x->gone, x->gone_count, x->gone_capacity) = key;
	else
		free(key);
}

static void drop_gone(struct bw_states *x, const char *key)
{
	for (size_t i = 0; i < x->gone_count; i++) {
		if (strcmp(x->gone[i], key) != 0)
			continue;
		free(x->gone[i]);
		x->gone[i] = x->gone[--x->gone_count];
		return;
	}
}

/* The row is not there any more, or is another build's now: SQLite gives the last number away again. */
static void clear_key(struct bw_states *x, enum bw_mqtt_subject kind, char *key)
{
	BW_AUTOFREE char *copy = bw_strdup(key);

	add_gone(x, key);
	for (size_t i = 0; i < x->listener_count; i++)
		bw_mqtt_sink_put(x->listeners[i].sink, kind, copy, NULL, 0);
}

/* What is known of it is brought up to date; true: this is news. */
static bool note(struct bw_states *x, enum bw_mqtt_subject kind, int64_t id, const struct bw_document *d)
{
	struct bw_known_subject *k = bw_known_get(&x->known[kind], id);
	uint64_t told = d->json ? d->hash : BW_KNOWN_CLEARED;
	bool is_news;
	char *old = NULL;

	if (k->key && (!d->key || strcmp(k->key, d->key) != 0)) {
		old = BW_TAKE(k->key);
		k->told = BW_KNOWN_NOTHING;
	}
	if (d->key && !k->key) {
		k->key = bw_strdup(d->key);
		drop_gone(x, d->key);
	}
	is_news = d->key && k->told != told;
	k->told = told;
	if (!d->key)
		bw_known_remove(&x->known[kind], id);
	if (old)
		clear_key(x, kind, old);
	return is_news;
}

static void hand_out(struct bw_states *x, enum bw_mqtt_subject kind, int64_t id, const struct bw_document *d,
		     const struct listener *walker)
{
	bool is_news = note(x, kind, id, d);

	for (size_t i = 0; d->key && i < x->listener_count; i++) {
		const struct listener *l = &x->listeners[i];

		if (l == walker || (is_news && !is_ahead(l, kind, id)))
			bw_mqtt_sink_put(l->sink, kind, d->key, d->json, d->len);
	}
}

/* --- what waits ------------------------------------------------------------------------------- */

static void push(struct bw_states *x, enum bw_mqtt_subject kind, int64_t id, bool spreads)
{
	struct bw_known_subject *k = bw_known_get(&x->known[kind], id);

	k->spreads |= spreads;
	if (k->is_waiting)
		return;
	k->is_waiting = true;
	BW_PUSH(x->queue, x->queue_count, x->queue_capacity) = (struct waiting){.id = id, .kind = kind};
}

/* The first of the queue was looked at. */
static void pop(struct bw_states *x)
{
	const struct waiting *w = &x->queue[x->queue_first];
	struct bw_known_subject *k = bw_known_from(&x->known[w->kind], w->id);

	if (k && k->id == w->id)
		k->is_waiting = k->spreads = false;
	if (++x->queue_first == x->queue_count)
		x->queue_first = x->queue_count = 0;
}

enum manner {
	ALONE,	 /* nothing follows from it here */
	IN_PASS, /* the pass comes to the builds later */
	SPREADING,
};

/*
 * Builds show verdicts of their bases, so they are looked at when those are read otherwise than before. Only a pass and a
 * touch remember that: they alone see to all builds.
 */
static void spread(struct bw_states *x, int64_t base_id, const struct bw_document *d, enum manner manner)
{
	struct bw_known_subject *k = bw_known_from(&x->known[BW_MQTT_BASE], base_id);

	if (manner == ALONE || !k || k->id != base_id || k->rows == d->rows)
		return;
	k->rows = d->rows;
	for (size_t i = 0; manner == SPREADING && i < d->peer_count; i++)
		push(x, BW_MQTT_BUILD, d->peers[i], false);
}

static int look_at(struct bw_states *x, enum bw_mqtt_subject kind, int64_t id, enum manner manner,
		   const struct listener *walker, struct bw_err *err)
{
	struct bw_document d;
	int rc = kind == BW_MQTT_BASE ? bw_document_of_base(x->store, id, &d, err)
				      : bw_document_of_build(x->store, id, &d, err);

	if (rc < 0)
		return rc;
	x->work += 1 + d.row_count;
	for (size_t i = 0; kind == BW_MQTT_BUILD && manner == SPREADING && i < d.peer_count; i++)
		push(x, BW_MQTT_BASE, d.peers[i], false);
	hand_out(x, kind, id, &d, walker);
	if (kind == BW_MQTT_BASE)
		spread(x, id, &d, manner);
	bw_document_done(&d);
	return 0;
}

static int take_first(struct bw_states *x, struct bw_err *err)
{
	const struct waiting w = x->queue[x->queue_first];
	const struct bw_known_subject *k = bw_known_from(&x->known[w.kind], w.id);
	bool spreads = k && k->id == w.id && k->spreads;
	int rc = look_at(x, w.kind, w.id, spreads ? SPREADING : ALONE, NULL, err);

	if (rc == 0)
		pop(x);
	return rc;
}

/* --- going through everything ----------------------------------------------------------------- */

/* Those that we know, in between, have no row any more. */
static int look_between(struct bw_states *x, enum bw_mqtt_subject kind, int64_t after, int64_t before,
			struct bw_err *err)
{
	const struct bw_known_subject *k;
	int rc = 0;

	while (rc == 0 && (k = bw_known_from(&x->known[kind], after + 1)) && k->id < before) {
		after = k->id;
		rc = look_at(x, kind, after, ALONE, NULL, err);
	}
	return rc;
}

static void tell_gone(const struct bw_states *x, const struct listener *walker)
{
	for (size_t i = 0; walker && i < x->gone_count; i++)
		bw_mqtt_sink_put(walker->sink, BW_MQTT_BUILD, x->gone[i], NULL, 0);
}

/* A page at most of the ids behind `at`, until the work amounts to `limit`; moves `at`. */
static int look_at_page(struct bw_states *x, struct place *at, const struct listener *walker, size_t limit,
			struct bw_err *err)
{
	enum bw_mqtt_subject kind = at->phase == PHASE_BASES ? BW_MQTT_BASE : BW_MQTT_BUILD;
	int64_t ids[PAGE];
	size_t count = 0, i = 0;
	int rc = kind == BW_MQTT_BASE ? bw_store_list_bases(x->store, at->after, ids, PAGE, &count, err)
				      : bw_store_list_builds(x->store, at->after, ids, PAGE, &count, err);

	for (; rc == 0 && i < count && x->work < limit; i++) {
		rc = look_between(x, kind, at->after, ids[i], err);
		if (rc == 0)
			rc = look_at(x, kind, ids[i], walker ? ALONE : IN_PASS, walker, err);
		if (rc == 0)
			at->after = ids[i];
	}
	if (rc < 0 || i < count || count == PAGE)
		return rc;
	rc = look_between(x, kind, at->after, INT64_MAX, err);
	if (rc == 0)
		*at = (struct place){.phase = at->phase + 1};
	return rc;
}

static int go_on(struct bw_states *x, struct place *at, const struct listener *walker, size_t limit,
		 struct bw_err *err)
{
	if (at->phase != PHASE_GONE)
		return look_at_page(x, at, walker, limit, err);
	tell_gone(x, walker);
	at->phase = PHASE_BASES;
	return 0;
}

/* Starting over in the middle could take for ever beside a process that writes all the time: it goes to the end. */
static int take_page(struct bw_states *x, struct bw_err *err)
{
	int rc;

	if (!x->is_passing) {
		x->is_passing = true;
		x->wants_pass = false;
		x->pass = (struct place){.phase = PHASE_GONE};
	}
	rc = go_on(x, &x->pass, NULL, TURN_WORK, err);
	if (rc == 0 && x->pass.phase == PHASE_END)
		x->is_passing = false;
	return rc;
}

/* --- turns ------------------------------------------------------------------------------------ */

static void on_turn(void *arg)
{
	struct bw_states *x = arg;
	struct bw_err err = BW_ERR_INIT;
	int rc = 0;

	x->work = 0;
	while (rc == 0 && has_work(x) && x->work < TURN_WORK)
		rc = x->queue_first < x->queue_count ? take_first(x, &err) : take_page(x, &err);
	if (rc < 0) {
		complain(x, &err); /* on_look() goes on */
		return;
	}
	x->has_failed = false;
	if (has_work(x))
		bw_timer_start(x->turn, 0);
}

static void wake(struct bw_states *x)
{
	if (has_work(x) && !x->has_failed)
		bw_timer_start(x->turn, 0);
}

static void on_look(void *arg)
{
	struct bw_states *x = arg;
	struct bw_err err = BW_ERR_INIT;
	bool has_changed = false;

	if (bw_store_has_changed(x->store, &x->note, &has_changed, &err) < 0)
		complain(x, &err);
	else if (!has_work(x))
		x->has_failed = false;
	if (has_changed && x->is_begun)
		x->wants_pass = true;
	if (has_work(x))
		bw_timer_start(x->turn, 0);
	bw_timer_start(x->look, LOOK_MS);
}

/* --- the outside ------------------------------------------------------------------------------ */

struct bw_states *bw_states_new(struct bw_loop *l, struct bw_store *s, bw_states_failed_fn failed, void *arg)
{
	struct bw_states *x = BW_NEW(struct bw_states);
	bool has_changed;

	x->store = s;
	x->failed = failed;
	x->arg = arg;
	x->turn = bw_timer_new(l, on_turn, x);
	x->look = bw_timer_new(l, on_look, x);
	/* A failure is told by the first look: here nobody is ready to be told. */
	(void)!bw_store_has_changed(s, &x->note, &has_changed, NULL);
	bw_timer_start(x->look, LOOK_MS);
	return x;
}

void bw_states_free(struct bw_states *x)
{
	if (!x)
		return;
	bw_timer_free(x->turn);
	bw_timer_free(x->look);
	bw_known_done(&x->known[BW_MQTT_BASE]);
	bw_known_done(&x->known[BW_MQTT_BUILD]);
	for (size_t i = 0; i < x->gone_count; i++)
		free(x->gone[i]);
	free(x->gone);
	free(x->queue);
	free(x->listeners);
	free(x);
}

void bw_states_add(struct bw_states *x, struct bw_mqtt_sink *m)
{
	BW_PUSH(x->listeners, x->listener_count, x->listener_capacity) = (struct listener){.sink = m};
}

static struct listener *find_listener(const struct bw_states *x, const struct bw_mqtt_sink *m)
{
	for (size_t i = 0; i < x->listener_count; i++)
		if (x->listeners[i].sink == m)
			return &x->listeners[i];
	return NULL;
}

void bw_states_remove(struct bw_states *x, struct bw_mqtt_sink *m)
{
	struct listener *l = find_listener(x, m);

	if (l)
		*l = x->listeners[--x->listener_count];
}

/* What this broker did not get is told to all of them, when the store can be read again: nobody knows better. */
static void give_up_walk(struct bw_states *x, struct listener *l)
{
	l->is_walking = false;
	bw_known_doubt(&x->known[BW_MQTT_BASE]);
	bw_known_doubt(&x->known[BW_MQTT_BUILD]);
	x->wants_pass = true;
}

bool bw_states_rows(int64_t *cursor, struct bw_mqtt_sink *m, void *arg)
{
	struct bw_states *x = arg;
	struct listener *l = find_listener(x, m);
	struct bw_err err = BW_ERR_INIT;

	if (!l || !x->is_begun)
		return false;
	if ((*cursor)++ == 0) {
		l->is_walking = true;
		l->at = (struct place){.phase = PHASE_GONE};
	}
	if (go_on(x, &l->at, l, x->work + TURN_WORK, &err) < 0) {
		give_up_walk(x, l);
		complain(x, &err);
		return false;
	}
	l->is_walking = l->at.phase != PHASE_END;
	return l->is_walking;
}

void bw_states_touch(struct bw_states *x, const int64_t *base_ids, size_t count)
{
	for (size_t i = 0; x->is_begun && i < count; i++)
		push(x, BW_MQTT_BASE, base_ids[i], true);
	wake(x);
}

void bw_states_touch_build(struct bw_states *x, int64_t build_id)
{
	if (x->is_begun)
		push(x, BW_MQTT_BUILD, build_id, true);
	wake(x);
}

void bw_states_touch_all(struct bw_states *x)
{
	x->is_begun = true;
	x->wants_pass = true;
	wake(x);
}

bool bw_states_is_idle(const struct bw_states *x)
{
	return !has_work(x);
}
