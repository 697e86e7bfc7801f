/*
 * doctor_registry.c - each registry is asked once, for one base that it is known for, as a sweep would ask it. Which
 * registries there are is what the live builds name, and the configuration.
 */
#include "command/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "command/ask.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "daemon/registries.h"
#include "image/reference.h"
#include "registry/credentials.h"
#include "store/base.h"
#include "store/build.h"

#define MAX_REGISTRIES 100
#define GIVE_UP_MS     20000

struct registry {
	struct bw_doctor *doctor;
	size_t expected;
	char *name, *repository, *tag;
	bool is_good;	 /* that base was had when it was asked for last */
	bool is_foreign; /* only git repositories name that base */
};

struct bw_doctor_registries {
	struct bw_registries open;
	bool is_without_conf;
	char *credentials_path; /* NULL: no file */
	struct registry *items;
	size_t count, capacity;
	size_t left_out;
	bool has_clock;
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

/* They come in the order of their registries. One that was had last time is the best to ask for. */
static int take_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct bw_doctor *d = arg;
	struct bw_doctor_registries *all = d->registries;
	bool is_known = all->count > 0 && strcmp(all->items[all->count - 1].name, b->registry) == 0;

	(void)err;
	if (is_known) {
		if (!all->items[all->count - 1].is_good && b->digest && b->failures == 0)
			choose_base(&all->items[all->count - 1], b);
		return 0;
	}
	if (all->count == MAX_REGISTRIES) {
		all->left_out++;
		return 0;
	}
	BW_PUSH(all->items, all->count, all->capacity) =
		(struct registry){.doctor = d, .name = bw_strdup(b->registry)};
	choose_base(&all->items[all->count - 1], b);
	return 0;
}

static void choose_all(struct bw_doctor *d)
{
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (!d->store)
		return;
	rc = bw_store_choose_all(d->store, NULL, &err);
	if (rc == 0)
		rc = bw_store_each_wanted(d->store, bw_clock_ms(), take_base, d, &err);
	if (rc < 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_ERROR, "all", err.msg, NULL);
}

static const struct bw_conf_registry *find_conf(const struct bw_conf *c, const char *name)
{
	for (size_t i = 0; i < c->registries.count; i++)
		if (bw_text_is_nocase(c->registries.items[i].host, name))
			return &c->registries.items[i];
	return NULL;
}

static bool is_asked(const struct bw_doctor_registries *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (bw_text_is_nocase(all->items[i].name, name))
			return true;
	return false;
}

/* --- what came ------------------------------------------------------------------------------------ */

/* As in a sweep: for what only strangers name, the network rules hold. */
static struct bw_registry *client_of(const struct registry *r)
{
	const struct bw_clients *c = &r->doctor->registries->open.clients;

	return r->is_foreign && c->foreign ? c->foreign : c->own;
}

static const char *credentials_of(const struct registry *r)
{
	const struct bw_doctor_registries *all = r->doctor->registries;
	const struct bw_conf_registry *c = find_conf(r->doctor->conf, r->name);

	if (c && c->username && !all->is_without_conf)
		return "the configuration";
	return bw_credentials_find(all->open.credentials, r->name, r->repository) ? all->credentials_path
										  : NULL;
}

/* That of the first registry that tells: one clock is enough to compare with. */
static void compare_clocks(struct bw_doctor *d, const char *whom, const struct bw_registry_facts *facts)
{
	if (d->registries->has_clock || !facts->has_clock)
		return;
	d->registries->has_clock = true;
	bw_doctor_find(d, BW_AREA_ENVIRONMENT, "clock", bw_diagnose_clock(facts->ahead_ms, whom));
}

static void take_answer(const struct bw_answer *a, void *arg)
{
	struct registry *r = arg;
	struct bw_doctor *d = r->doctor;
	BW_AUTOFREE char *base = bw_asprintf("%s/%s:%s", r->name, r->repository, r->tag);
	struct bw_registry_facts facts = {0};
	struct bw_diagnosed_registry how = {
		.name = r->name, .asked = bw_reference_familiar(base), .credentials = credentials_of(r)};

	if (bw_registry_look(client_of(r), r->name, &facts))
		compare_clocks(d, r->name, &facts);
	how.is_plain = facts.is_plain;
	bw_doctor_answer(d, r->expected, bw_diagnose_registry(&how, a));
}

/* --- clients -------------------------------------------------------------------------------------- */

/* Only to see what is wrong with it: what can be used is read again with the clients. */
static void look_at_credentials(struct bw_doctor *d)
{
	struct bw_credentials *c = bw_credentials_new();
	struct bw_err err = BW_ERR_INIT;

	if (bw_credentials_load(c, &err) < 0)
		bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_WARNING, "credentials", err.msg,
			      "mend that file: what cannot be read of it is not used");
	bw_credentials_free(c);
}

/* Where the configuration names what cannot be read, they are asked without all that it says of them. */
static bool open_clients(struct bw_doctor *d)
{
	struct bw_doctor_registries *all = d->registries;
	struct bw_registries_given given;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	bw_asker_given(d->args, &given);
	given.give_up_ms = GIVE_UP_MS;
	rc = bw_registries_open(d->loop, d->conf, &given, &all->open, &err);
	if (rc == 0)
		return true;
	bw_doctor_say(d, BW_AREA_REGISTRY, BW_LEVEL_ERROR, "all", err.msg,
		      "bring what this names; until then the configuration cannot be used for registries");
	bw_registries_close(&all->open);
	all->open = (struct bw_registries){0};
	all->is_without_conf = true;
	return rc == BW_E_CONFIG && bw_registries_open(d->loop, NULL, &given, &all->open, &err) == 0;
}

/* --- the area ------------------------------------------------------------------------------------- */

static void ask_all(struct bw_doctor *d)
{
	struct bw_doctor_registries *all = d->registries;

	look_at_credentials(d);
	all->credentials_path = bw_credentials_path();
	if (all->count == 0 || !open_clients(d))
		return;
	for (size_t i = 0; i < all->count; i++) {
		struct registry *r = &all->items[i];

		r->expected = bw_doctor_expect(d, BW_AREA_REGISTRY, r->name);
		bw_registry_ask(client_of(r), r->name, r->repository, r->tag, take_answer, r);
	}
}

/* Those that no build names: there is nothing to ask them for. */
static void say_unused(struct bw_doctor *d)
{
	for (size_t i = 0; i < d->conf->registries.count; i++) {
		const char *host = d->conf->registries.items[i].host;

		if (strcmp(host, "*") != 0 && !is_asked(d->registries, host))
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

void bw_doctor_registries_end(struct bw_doctor *d)
{
	struct bw_doctor_registries *all = d->registries;

	if (!all)
		return;
	bw_registries_close(&all->open);
	for (size_t i = 0; i < all->count; i++) {
		free(all->items[i].name);
		free(all->items[i].repository);
		free(all->items[i].tag);
	}
	free(all->items);
	free(all->credentials_path);
	free(all);
	d->registries = NULL;
}
