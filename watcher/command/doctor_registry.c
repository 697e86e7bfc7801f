/*
 * doctor_registry.c - each registry is asked once, for one base that it is known for, as a sweep would ask it, and so is
 * each of its mirrors. Which registries there are is what the live builds name, and the configuration.
 */
#include "command/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "command/ask.h"
#include "command/next.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/mem.h"
#include "core/text.h"
#include "daemon/registries.h"
#include "image/reference.h"
#include "registry/certs.h"
#include "registry/credentials.h"
#include "store/base.h"
#include "store/build.h"
#include "store/poll.h"
#include "store/standing.h"

#define MAX_REGISTRIES 100
#define MAX_MIRRORS    8     /* of one registry */
#define GIVE_UP_MS     15000 /* before doctor ends as a whole ... */
#define SPARE_MS       1500  /* ... by this much */

struct registry;

struct mirror {
	struct registry *of;
	size_t expected;
	char *name, *repository;
	bool is_answered;
	struct bw_answer answer;
};

struct registry {
	struct bw_doctor *doctor;
	size_t expected;
	char *name, *repository, *tag;
	bool is_good;	 /* that base was had when it was asked for last */
	bool is_foreign; /* only git repositories name that base */
	uint64_t bases;
	char *source; /* where a log-in should come from, before it was tried; "": from nowhere */
	bool is_answered;
	struct bw_digest digest; /* when it was had */
	struct mirror mirrors[MAX_MIRRORS];
	size_t mirror_count;
	/* by the database: how it stood with whoever asked it last, and until when it wants to be left alone; 0: it does not */
	struct bw_standing standing; /* its name NULL: nothing is known */
	int64_t quiet_until_ms;
	/* by the daemon; the base NULL: nobody knows */
	struct bw_next_check next;
	char *next_base;
};

struct bw_doctor_registries {
	struct bw_registries open;
	bool *are_left_out;	/* of each registry of the configuration: its entry is of no use */
	bool is_first_left_out; /* the same of "*", which holds for all of them */
	struct registry *items;
	size_t count, capacity;
	size_t left_out;
	bool has_clock;
	struct bw_next *next; /* NULL: no daemon runs */
};

/* --- which ---------------------------------------------------------------------------------------- */

static void choose_base(struct registry *r, const struct bw_base *b)
{
	free(r->repository);
	free(r->tag);
	r->repository = bw_strdup(b->repository);
	r->tag = bw_strdup(b->tag);
	r->is_good = b->digest && b->failures == 0;
	r->is_foreign = b->is_foreign;
}

static char *base_name(const char *registry, const char *repository, const char *tag)
{
	BW_AUTOFREE char *base = bw_asprintf("%s/%s:%s", registry, repository, tag);

	return bw_strdup(bw_reference_familiar(base));
}

/* Of all bases of a registry the one that is asked for first. */
static void note_next(struct registry *r, const struct bw_outlook *o, const struct bw_base *b)
{
	struct bw_next_check next;

	if (!o || !o->find(b->id, &next, o->arg) || (r->next_base && next.at_ms >= r->next.at_ms))
		return;
	free(r->next_base);
	r->next_base = base_name(b->registry, b->repository, b->tag);
	r->next = next;
}

static struct registry *find(const struct bw_doctor_registries *all, const char *name)
{
	for (size_t i = all->count; i > 0; i--)
		if (strcmp(all->items[i - 1].name, name) == 0)
			return &all->items[i - 1];
	return NULL;
}

/* One that was had last time is the best to ask for. */
static int take_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct bw_doctor *d = arg;
	struct bw_doctor_registries *all = d->registries;
	struct registry *r = find(all, b->registry);

	(void)err;
	if (!r && all->count == MAX_REGISTRIES) {
		all->left_out++;
		return 0;
	}
	if (!r) {
		BW_PUSH(all->items, all->count, all->capacity) =
			(struct registry){.doctor = d, .name = bw_strdup(b->registry)};
		r = &all->items[all->count - 1];
		choose_base(r, b);
	} else if (!r->is_good && b->digest && b->failures == 0) {
		choose_base(r, b);
	}
	r->bases++;
	note_next(r, bw_next_outlook(all->next), b);
	return 0;
}

static void take_written(const struct bw_reference *x, void *arg)
{
	const struct bw_base b = {.registry = x->registry, .repository = x->repository, .tag = x->tag};

	(void)!take_base(&b, arg, NULL);
}

static int take_standing(const struct bw_standing *x, void *arg, struct bw_err *err)
{
	struct registry *r = find(arg, x->registry);

	(void)err;
	if (!r)
		return 0;
	r->standing = *x;
	r->standing.registry = r->name;
	if (x->pause == BW_PAUSE_THROTTLED)
		r->quiet_until_ms = x->paused_until_ms;
	return 0;
}

/* What a check has met stands with its bases. */
static int take_poll(const struct bw_poll *p, void *arg, struct bw_err *err)
{
	struct registry *r = find(arg, p->registry);
	int64_t until_ms = p->checked_ms + (int64_t)p->retry_after_s * 1000;

	(void)err;
	if (r && p->failures > 0 && p->trouble == BW_TROUBLE_THROTTLED && p->retry_after_s > 0 &&
	    until_ms > r->quiet_until_ms)
		r->quiet_until_ms = until_ms;
	return 0;
}

/* A bad configuration is told elsewhere, and then nobody knows what the daemon watches. */
static void foresee(struct bw_doctor *d)
{
	struct bw_err err = BW_ERR_INIT;
	BW_AUTOFREE char *seen = NULL;

	if (!d->is_conf_used || bw_next_new(d->args, d->store, &d->registries->next, &err) == 0)
		return;
	seen = bw_asprintf("when the daemon asks next cannot be told: %s", err.msg);
	bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_NOTE, "all", seen, NULL);
}

static void choose_tracked(struct bw_doctor *d)
{
	struct bw_err err = BW_ERR_INIT;
	int64_t now_ms = bw_clock_ms();
	int rc;

	foresee(d);
	rc = bw_store_choose_all(d->store, NULL, &err);
	if (rc == 0)
		rc = bw_store_each_wanted(d->store, now_ms, take_base, d, &err);
	if (rc == 0)
		rc = bw_store_each_standing(d->store, take_standing, d->registries, &err);
	if (rc == 0)
		rc = bw_store_each_poll(d->store, now_ms, take_poll, d->registries, &err);
	if (rc < 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_ERROR, "all", err.msg, NULL);
}

/* Before the first check there is nothing to go by but the files. */
static void choose_all(struct bw_doctor *d)
{
	if (d->store)
		choose_tracked(d);
	if (d->registries->count > 0)
		return;
	bw_doctor_read_files(d, take_written, d);
	if (d->registries->count == 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_NOTE, "all",
			      "not asked: nothing is tracked yet, and no build file of a configured folder "
			      "names a registry",
			      "run `basewatch check` first");
	else if (!d->args->offline)
		bw_doctor_say(
			d, BW_AREA_REGISTRY, BW_LEVEL_NOTE, "all",
			"nothing is tracked yet: asked are those that the build files of the configured "
			"folders name",
			NULL);
}

static bool is_asked(const struct bw_doctor_registries *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (bw_text_is_nocase(all->items[i].name, name))
			return true;
	return false;
}

/* --- the configuration ---------------------------------------------------------------------------- */

/* NULL: there is no such entry. "*" is one, and no name of a registry. */
static const struct bw_conf_registry *entry_of(const struct bw_doctor *d, const char *host)
{
	for (size_t i = 0; i < d->conf->registries.count; i++) {
		const struct bw_conf_registry *c = &d->conf->registries.items[i];

		if (strcmp(c->host, host) == 0 || bw_registry_is_same(c->host, host))
			return c;
	}
	return NULL;
}

/* What is said of it cannot be done, so what it would answer says nothing. */
static bool is_left_out(const struct registry *r)
{
	const struct bw_conf *c = r->doctor->conf;
	const struct bw_conf_registry *entry = entry_of(r->doctor, r->name);
	const struct bw_doctor_registries *all = r->doctor->registries;

	return all->are_left_out &&
	       (all->is_first_left_out || (entry && all->are_left_out[entry - c->registries.items]));
}

static bool has_only_mirrors(const struct registry *r)
{
	const struct bw_conf_registry *c = entry_of(r->doctor, r->name);

	return c && c->mirrors_only;
}

/* Those of the environment are told there. */
static void say_proxy(const struct registry *r)
{
	const struct bw_conf_registry *own = entry_of(r->doctor, r->name), *all = entry_of(r->doctor, "*");
	bool is_loopback = bw_registry_is_loopback(r->name);
	const char *proxy = own ? own->proxy : NULL;

	if (!proxy && !is_loopback)
		proxy = all ? all->proxy : NULL;
	if (proxy)
		bw_doctor_append(r->doctor, r->expected, bw_diagnose_route(proxy, is_loopback));
}

/* --- what is known of it besides ------------------------------------------------------------------ */

/* One that cannot be used is said by the answer. */
static void say_certs(const struct registry *r)
{
	struct bw_certs certs = {0};
	struct bw_err err = BW_ERR_INIT;

	if (bw_certs_find(r->name, NULL, &certs, &err) == 0 && certs.folder)
		bw_doctor_append(r->doctor, r->expected, bw_diagnose_certs(&certs));
	bw_certs_done(&certs);
}

static const struct bw_outlook_registry *outlook_of(const struct registry *r)
{
	const struct bw_outlook *o = bw_next_outlook(r->doctor->registries->next);

	for (size_t i = 0; o && i < o->count; i++)
		if (strcmp(o->registries[i].name, r->name) == 0)
			return &o->registries[i];
	return NULL;
}

static void say_next(const struct registry *r)
{
	const struct bw_outlook_registry *o = outlook_of(r);
	const struct bw_diagnosed_next next = {.base = r->next_base,
					       .at_ms = r->next.at_ms,
					       .reason = r->next.reason,
					       .pause = o ? o->pause : NULL,
					       .text = o ? o->text : NULL};

	if (r->next_base)
		bw_doctor_append(r->doctor, r->expected, bw_diagnose_next(&next));
}

/* Without one that a file names docker goes on, and so do we. One that the configuration names is an error as such. */
static void say_helper(const struct registry *r)
{
	const struct bw_conf_registry *c = entry_of(r->doctor, r->name);
	BW_AUTOFREE char *program = bw_diagnose_helper_name(r->source);

	if (program && !(c && c->helper) && !bw_io_is_in_path(program))
		bw_doctor_append(r->doctor, r->expected, bw_diagnose_helper(r->source, true));
}

/*
 * What was measured goes before what one question alone can tell. That questions are not free is no fact unless a daemon goes
 * by it: a single check has had no time to find out.
 */
static void say_budget(const struct registry *r, const struct bw_budget_plan *said)
{
	const struct bw_standing *known = &r->standing;
	bool is_measured =
		known->registry && known->has_budget && (known->is_free || r->doctor->registries->next);
	struct bw_budget_plan p = *said;
	const struct bw_diagnosed_budget b = {.plan = &p,
					      .is_measured = is_measured || said->is_free,
					      .bases = r->bases,
					      .every_ms = r->doctor->conf->poll.every_ms};

	if (!p.is_known)
		return;
	if (is_measured) {
		p.is_free = known->is_free;
		p.distance_ms = known->distance_ms > 0 ? (uint64_t)known->distance_ms : 0;
	}
	if (p.is_free && p.remaining > 0)
		p.hold_ms = 0;
	bw_doctor_append(r->doctor, r->expected, bw_diagnose_budget(&b));
}

/* --- what came ------------------------------------------------------------------------------------ */

/* As in a sweep: for what only strangers name, the network rules hold. */
static struct bw_registry *client_of(const struct registry *r)
{
	const struct bw_clients *c = &r->doctor->registries->open.clients;

	return r->is_foreign && c->foreign ? c->foreign : c->own;
}

/* That of the first registry that tells: one clock is enough to compare with. */
static void compare_clocks(struct bw_doctor *d, const char *whom, const struct bw_registry_facts *facts)
{
	if (d->registries->has_clock || !facts->has_clock)
		return;
	d->registries->has_clock = true;
	bw_doctor_find(d, BW_AREA_ENVIRONMENT, "clock", bw_diagnose_clock(facts->ahead_ms, whom));
}

/*
 * Where it wanted to know who we are, what it was told; else what it would have been told, or what kept us from telling it.
 * `facts` NULL: it is not known.
 */
static struct bw_diagnosed_registry how_asked(const char *name, const char *asked, const char *source,
					      const struct bw_registry_facts *facts)
{
	struct bw_diagnosed_registry how = {
		.name = name, .asked = asked, .credentials = *source ? source : NULL};

	if (!facts)
		return how;
	how.is_plain = facts->is_plain;
	how.is_open = !facts->wants_login;
	if (facts->login)
		how.credentials = facts->login;
	return how;
}

static enum bw_diagnosed_logins logins_of(const struct registry *r)
{
	const struct bw_conf_registry *c = entry_of(r->doctor, r->name);
	const char *only = getenv("REGISTRY_AUTH_FILE");

	if (c && (c->username || c->helper || c->anonymous))
		return BW_LOGINS_OF_CONF;
	return only && *only ? BW_LOGINS_OF_FILE : BW_LOGINS_OF_DOCKER;
}

/* A program was to know the log-in, and it came from elsewhere or nowhere. */
static void note_helper(const struct registry *r, struct bw_diagnosed_registry *how)
{
	BW_AUTOFREE char *program = bw_diagnose_helper_name(r->source);

	if (!program || how->credentials)
		return;
	how->helper = r->source;
	how->is_helper_missing = !bw_io_is_in_path(program);
}

static void finish_mirror(struct mirror *m)
{
	const struct registry *r = m->of;
	BW_AUTOFREE char *asked = base_name(m->name, m->repository, r->tag);
	BW_AUTOFREE char *source =
		bw_credentials_source(r->doctor->registries->open.credentials, m->name, m->repository);
	struct bw_registry_facts facts = {0};
	bool is_known = bw_registry_look(client_of(r), m->name, &facts);
	const struct bw_diagnosed_mirror how = {
		.asked = how_asked(m->name, asked, source, is_known ? &facts : NULL),
		.origin = bw_digest_is_set(&r->digest) ? &r->digest : NULL,
		.is_only = has_only_mirrors(r)};

	bw_doctor_answer(r->doctor, m->expected, bw_diagnose_mirror(&how, &m->answer));
}

/* What it says is compared with what the registry itself says: both have to be there. */
static void take_mirror(const struct bw_answer *a, void *arg)
{
	struct mirror *m = arg;

	m->answer = *a;
	m->is_answered = true;
	if (m->of->is_answered)
		finish_mirror(m);
}

static void finish_mirrors(struct registry *r)
{
	r->is_answered = true;
	for (size_t i = 0; i < r->mirror_count; i++)
		if (r->mirrors[i].is_answered)
			finish_mirror(&r->mirrors[i]);
}

static void take_answer(const struct bw_answer *a, void *arg)
{
	struct registry *r = arg;
	struct bw_doctor *d = r->doctor;
	BW_AUTOFREE char *asked = base_name(r->name, r->repository, r->tag);
	BW_AUTOFREE char *source =
		bw_credentials_source(d->registries->open.credentials, r->name, r->repository);
	struct bw_registry_facts facts = {0};
	bool is_known = bw_registry_look(client_of(r), r->name, &facts);
	struct bw_diagnosed_registry how = how_asked(r->name, asked, source, is_known ? &facts : NULL);

	how.logins = logins_of(r);
	note_helper(r, &how);
	if (is_known)
		compare_clocks(d, r->name, &facts);
	if (!a->trouble)
		r->digest = a->digest;
	/* What is appended comes before the end: with the last answer the loop stops. */
	if (a->cause != BW_CAUSE_CERT_FILES)
		say_certs(r);
	say_helper(r);
	say_budget(r, &facts.budget);
	bw_doctor_answer(d, r->expected, bw_diagnose_registry(&how, a));
	finish_mirrors(r);
}

/* --- clients -------------------------------------------------------------------------------------- */

/* One for which no build wants anything: that program is wanted the day when one does. */
static void look_at_helper(const char *registry, const char *source, void *arg)
{
	struct bw_doctor *d = arg;
	BW_AUTOFREE char *program = bw_diagnose_helper_name(source);
	BW_AUTOFREE char *host = bw_strndup(registry, strcspn(registry, "/"));
	struct bw_diagnosis x;

	if (!program || bw_io_is_in_path(program))
		return;
	for (size_t i = 0; i < d->registries->count; i++)
		if (bw_registry_is_same(host, d->registries->items[i].name))
			return;
	x = bw_diagnose_helper(source, false);
	x.level = BW_LEVEL_NOTE;
	bw_doctor_find(d, BW_AREA_REGISTRY, registry, x);
}

/* Only to see what is wrong with it: what can be used is read again with the clients. */
static void look_at_credentials(struct bw_doctor *d)
{
	struct bw_credentials *c = bw_credentials_new(NULL);
	struct bw_err err = BW_ERR_INIT;

	if (bw_credentials_load(c, &err) < 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_WARNING, "credentials", err.msg,
			      "mend that file: what cannot be read of it is not used");
	bw_credentials_each_helper(c, look_at_helper, d);
	bw_credentials_free(c);
}

static const struct registry *whose(const struct bw_doctor_registries *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct registry *r = &all->items[i];

		if (strcmp(r->name, name) == 0)
			return r;
		for (size_t k = 0; k < r->mirror_count; k++)
			if (strcmp(r->mirrors[k].name, name) == 0)
				return r;
	}
	return NULL;
}

static void hear_warning(const char *registry, const char *about, const char *text, void *arg)
{
	struct bw_doctor *d = arg;
	const struct registry *r = whose(d->registries, registry);
	BW_AUTOFREE char *seen = r && strcmp(r->name, registry) == 0
					 ? bw_asprintf("it says of %s: %s", about, text)
					 : bw_asprintf("%s says of %s: %s", registry, about, text);

	if (r)
		bw_doctor_append(d, r->expected, bw_doctor_diagnosis(BW_LEVEL_WARNING, seen, NULL));
	else
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_WARNING, "all", seen, NULL);
}

/* Can this entry alone be used? If not, it is said why. */
static bool try_entry(struct bw_doctor *d, const struct bw_registries_given *g, size_t n)
{
	struct bw_conf one = *d->conf;
	struct bw_registries open = {0};
	struct bw_err err = BW_ERR_INIT;

	one.registries.items = &d->conf->registries.items[n];
	one.registries.count = 1;
	if (bw_registries_open(d->loop, &one, g, &open, &err) == 0) {
		bw_registries_close(&open);
		return true;
	}
	bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_ERROR, one.registries.items[0].host, err.msg,
		      "bring what this names; until then it is not asked");
	return false;
}

/* All but the entries that name what cannot be read. */
static int open_rest(struct bw_doctor *d, const struct bw_registries_given *g, struct bw_err *err)
{
	struct bw_doctor_registries *all = d->registries;
	struct bw_conf rest = *d->conf;
	size_t count = rest.registries.count, kept = 0;
	int rc;

	rest.registries.items = bw_alloc((count + 1) * sizeof(*rest.registries.items));
	all->are_left_out = bw_alloc((count + 1) * sizeof(*all->are_left_out));
	for (size_t i = 0; i < count; i++) {
		all->are_left_out[i] = !try_entry(d, g, i);
		if (!all->are_left_out[i])
			rest.registries.items[kept++] = d->conf->registries.items[i];
		else if (strcmp(d->conf->registries.items[i].host, "*") == 0)
			all->is_first_left_out = true;
	}
	rest.registries.count = kept;
	rc = bw_registries_open(d->loop, &rest, g, &all->open, err);
	free(rest.registries.items);
	return rc;
}

static uint32_t patience(const struct bw_doctor *d)
{
	int64_t left_ms = BW_DOCTOR_MS - SPARE_MS - (bw_clock_ms() - d->started_ms);

	if (left_ms > GIVE_UP_MS)
		return GIVE_UP_MS;
	return left_ms > SPARE_MS ? (uint32_t)left_ms : SPARE_MS;
}

static bool open_clients(struct bw_doctor *d)
{
	struct bw_doctor_registries *all = d->registries;
	struct bw_registries_given given;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	bw_asker_given(d->args, &given);
	given.give_up_ms = patience(d);
	given.warned = hear_warning;
	given.warned_arg = d;
	rc = bw_registries_open(d->loop, d->conf, &given, &all->open, &err);
	if (rc == BW_E_CONFIG)
		rc = open_rest(d, &given, &err);
	if (rc < 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_ERROR, "all", err.msg,
			      "bring what this names; until then no registry is asked");
	return rc == 0;
}

/* --- the area ------------------------------------------------------------------------------------- */

static void ask_mirrors(struct registry *r)
{
	struct bw_registry *client = client_of(r);
	struct mirror *m = r->mirrors;

	while (r->mirror_count < MAX_MIRRORS && bw_registry_mirror(client, r->name, r->mirror_count,
								   r->repository, &m->name, &m->repository)) {
		BW_AUTOFREE char *subject = bw_asprintf("%s: mirror %s", r->name, m->name);

		m->of = r;
		m->expected = bw_doctor_expect(r->doctor, BW_AREA_REGISTRY, subject);
		r->mirror_count++;
		bw_registry_ask(client, m->name, m->repository, r->tag, NULL, take_mirror, m);
		m++;
	}
}

/* Its mirrors have nobody to be compared with. */
static void leave_alone(struct registry *r)
{
	bw_doctor_answer(r->doctor, r->expected, bw_diagnose_pause(r->quiet_until_ms));
	r->is_answered = true;
	ask_mirrors(r);
}

static void ask_one(struct registry *r)
{
	if (is_left_out(r))
		return;
	r->expected = bw_doctor_expect(r->doctor, BW_AREA_REGISTRY, r->name);
	r->source = bw_credentials_source(r->doctor->registries->open.credentials, r->name, r->repository);
	say_proxy(r);
	say_next(r);
	if (r->quiet_until_ms > bw_clock_ms() && !has_only_mirrors(r)) {
		leave_alone(r);
		return;
	}
	bw_registry_ask(client_of(r), r->name, r->repository, r->tag, NULL, take_answer, r);
	ask_mirrors(r);
}

static void ask_all(struct bw_doctor *d)
{
	struct bw_doctor_registries *all = d->registries;

	look_at_credentials(d);
	if (all->count == 0 || !open_clients(d))
		return;
	for (size_t i = 0; i < all->count; i++)
		ask_one(&all->items[i]);
}

/* Those that no build names: there is nothing to ask them for. */
static void say_unused(struct bw_doctor *d)
{
	for (size_t i = 0; i < d->conf->registries.count; i++) {
		const char *host = d->conf->registries.items[i].host;

		if (strcmp(host, "*") != 0 && !is_asked(d->registries, host) && !whose(d->registries, host))
			bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_NOTE, host,
				      "no tracked build names an image of it, so it was not asked", NULL);
	}
}

void bw_doctor_registries_begin(struct bw_doctor *d)
{
	BW_AUTOFREE char *seen = NULL;

	d->registries = BW_NEW(struct bw_doctor_registries);
	choose_all(d);
	if (d->args->offline && d->registries->count > 0) {
		seen = bw_asprintf("%zu not asked", d->registries->count);
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_NOTE, "all", seen, "leave --offline away");
	}
	if (d->args->offline)
		return;
	ask_all(d);
	say_unused(d);
	if (d->registries->left_out > 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_NOTE, "all",
			      "there are more than 100; the others were not asked", NULL);
}

static void free_one(struct registry *r)
{
	for (size_t i = 0; i < r->mirror_count; i++) {
		free(r->mirrors[i].name);
		free(r->mirrors[i].repository);
	}
	free(r->name);
	free(r->repository);
	free(r->tag);
	free(r->source);
	free(r->next_base);
}

void bw_doctor_registries_end(struct bw_doctor *d)
{
	struct bw_doctor_registries *all = d->registries;

	if (!all)
		return;
	bw_registries_close(&all->open);
	for (size_t i = 0; i < all->count; i++)
		free_one(&all->items[i]);
	free(all->items);
	free(all->are_left_out);
	bw_next_free(all->next);
	free(all);
	d->registries = NULL;
}
