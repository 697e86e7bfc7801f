/* test_registries.c - from configuration and command line to the client and its view for strangers. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "daemon/registries.h"
#include "net/address.h"
#include "registry/host.h"
#include "registry/internal.h"
#include "registry/places.h"
#include "unit/credential.h"

struct world {
	struct bw_loop *loop;
	struct bw_conf *conf;
	struct bw_registries_given given;
	struct bw_registries registries;
	struct bw_err err;
};

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);

	assert_int_equal(bw_loop_new(&w->loop, &w->err), 0);
	setenv("REGISTRY_AUTH_FILE", "/nonexistent/auth.json", 1);
	unsetenv("BASEWATCH_TEST_PASSWORD");
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	bw_registries_close(&w->registries);
	bw_loop_free(w->loop);
	bw_conf_free(w->conf);
	free(w);
	return 0;
}

static int open_with(struct world *w, const char *text)
{
	struct bw_conf_problems problems = {0};
	int rc = bw_conf_parse(text, strlen(text), "/", 0, &w->conf, &problems, &w->err);

	if (rc < 0)
		fail_msg("%s", problems.count ? problems.items[0].text : w->err.msg);
	bw_conf_problems_done(&problems);
	return bw_registries_open(w->loop, w->conf, &w->given, &w->registries, &w->err);
}

static const struct bw_place *place(const struct bw_registry *r, const char *name)
{
	return bw_places_find(&r->places, name);
}

static void test_without_a_configuration_there_is_a_client_and_its_view(void **state)
{
	struct world *w = *state;

	assert_int_equal(bw_registries_open(w->loop, NULL, &w->given, &w->registries, &w->err), 0);
	assert_int_equal(w->registries.clients.own->refuse, 0);
	assert_int_equal(w->registries.clients.foreign->refuse, BW_ADDRESS_LOOPBACK | BW_ADDRESS_LINK_LOCAL);
	assert_int_equal(w->registries.clients.own->places.otherwise->connections, 3);
	assert_int_equal(w->registries.clients.own->places.count, 0);
	assert_ptr_equal(w->registries.clients.foreign->whole, w->registries.clients.own);
	bw_registries_close(&w->registries);
	bw_registries_close(&w->registries); /* nothing is left */
}

#define CONF                                                                                            \
	"registries:\n  '*': {connections: 5}\n  docker.io: {connections: 2, username: bot, password: " \
	"{env: "                                                                                        \
	"BASEWATCH_TEST_PASSWORD}}\n  'reg.lan:5000': {insecure: true}\n"

static void test_the_client_knows_what_is_configured(void **state)
{
	struct world *w = *state;
	const struct bw_registry *r;
	const struct bw_credential *who;

	setenv("BASEWATCH_TEST_PASSWORD", "sesame", 1);
	assert_int_equal(open_with(w, CONF), 0);
	r = w->registries.clients.foreign->whole;
	assert_int_equal(place(r, "docker.io")->door->connections, 2);
	assert_false(place(r, "docker.io")->is_insecure);
	assert_true(place(r, "reg.lan:5000")->is_insecure);
	assert_int_equal(place(r, "reg.lan:5000")->door->connections, 5);
	assert_int_equal(r->places.otherwise->connections, 5);
	assert_null(place(r, "reg.lan"));
	who = find_credential(r->credentials, "docker.io", "library/debian");
	assert_non_null(who);
	assert_string_equal(who->user, "bot");
	assert_string_equal(who->secret, "sesame");
	assert_false(has_credential(r->credentials, "reg.lan:5000", "a"));
}

static void test_the_command_line_goes_before(void **state)
{
	static const char *const insecure[] = {"other.lan", NULL};
	struct world *w = *state;
	struct bw_origin o = {.is_tls = true, .host = "other.lan", .port = 443};
	const struct bw_places *p;

	setenv("BASEWATCH_TEST_PASSWORD", "sesame", 1);
	w->given = (struct bw_registries_given){.connections = 7, .insecure = insecure, .give_up_ms = 9};
	assert_int_equal(open_with(w, CONF), 0);
	p = &w->registries.clients.own->places;
	assert_int_equal(place(w->registries.clients.own, "docker.io")->door->connections, 7);
	assert_int_equal(p->otherwise->connections, 7);
	assert_int_equal(p->doors.count, 1);
	assert_true(bw_places_is_insecure(p, &o));
	assert_int_equal(w->registries.clients.foreign->whole->give_up_ms, 9);
}

static void test_a_secret_that_cannot_be_read_is_told_with_its_key(void **state)
{
	struct world *w = *state;

	assert_int_equal(open_with(w, CONF), BW_E_CONFIG);
	assert_string_equal(w->err.msg, "registries: docker.io: password: the environment variable "
					"BASEWATCH_TEST_PASSWORD is not set");
	assert_null(w->registries.clients.own);
}

static void test_certificates_that_cannot_be_read_are_told_with_their_key(void **state)
{
	struct world *w = *state;

	assert_int_equal(open_with(w, "registries: {reg.lan: {ca-file: /nonexistent/ca.pem}}"), BW_E_CONFIG);
	assert_string_equal(
		w->err.msg,
		"registries: reg.lan: ca-file: /nonexistent/ca.pem: cannot be read as a file of PEM "
		"certificates");
	bw_conf_free(BW_TAKE(w->conf));
	assert_int_equal(open_with(w, "registries: {'*': {ca-file: /nonexistent/ca.pem}}"), BW_E_CONFIG);
	assert_string_equal(w->err.msg,
			    "registries: *: ca-file: /nonexistent/ca.pem: cannot be read as a file of "
			    "PEM certificates");
}

static void test_another_credentials_file_is_told_and_shared_with_the_next(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *path = bw_asprintf("/tmp/basewatch-registries-%d.json", (int)getpid());
	struct bw_registries next = {0};
	FILE *out;

	setenv("REGISTRY_AUTH_FILE", path, 1);
	assert_int_equal(bw_registries_open(w->loop, NULL, &w->given, &w->registries, &w->err), 0);
	assert_false(bw_registries_reload(&w->registries));
	out = fopen(path, "we");
	assert_non_null(out);
	(void)fputs("{\"auths\":{\"r.io\":{\"username\":\"u\",\"password\":\"p\"}}}", out);
	assert_int_equal(fclose(out), 0);
	assert_true(bw_registries_reload(&w->registries));
	assert_true(bw_registries_reload(&w->registries)); /* still others than it began with */
	assert_true(has_credential(w->registries.clients.own->credentials, "r.io", "a"));
	assert_int_equal(unlink(path), 0);
	w->given.former = &w->registries;
	assert_int_equal(bw_registries_open(w->loop, NULL, &w->given, &next, &w->err), 0);
	bw_registries_close(&w->registries);
	assert_true(has_credential(next.clients.foreign->whole->credentials, "r.io", "a"));
	assert_true(bw_registries_reload(&next)); /* the file is gone */
	bw_registries_close(&next);
}

static const char *secret_of(const struct world *w, const char *registry)
{
	const struct bw_credential *who = find_credential(w->registries.credentials, registry, "a");

	return who ? who->secret : "";
}

/* A configuration that turns out to be of no use leaves no trace. */
static void test_log_ins_that_are_configured_anew_wait_until_they_are_used(void **state)
{
	struct world *w = *state;
	struct bw_registries next = {0};

	setenv("BASEWATCH_TEST_PASSWORD", "sesame", 1);
	assert_int_equal(open_with(w, CONF), 0);
	assert_null(w->registries.logins);
	w->given.former = &w->registries;
	assert_int_equal(bw_registries_open(w->loop, w->conf, &w->given, &next, &w->err), 0);
	assert_false(next.has_other_logins);
	bw_registries_close(&next);
	setenv("BASEWATCH_TEST_PASSWORD", "other", 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bw_registries_open(w->loop, w->conf, &w->given, &next, &w->err), 0);
		assert_true(next.has_other_logins);
		assert_string_equal(secret_of(w, "docker.io"), "sesame");
		assert_false(bw_registries_reload(&w->registries));
		if (i == 0)
			bw_registries_close(&next);
	}
	bw_registries_use(&next);
	assert_string_equal(secret_of(w, "docker.io"), "other");
	assert_true(bw_registries_reload(&w->registries));
	assert_false(bw_registries_reload(&next));
	bw_registries_close(&next);
}

#define EVERY_KEY                                                                                            \
	"registries:\n  '*': {in-flight: 8, requests-per-second: 0.5, reserve: 0%, proxy: none}\n"           \
	"  docker.io: {mirrors: ['https://m.lan/hub', 'http://127.0.0.1:5000'], mirrors-only: true, proxy: " \
	"'http://p.lan:3128'}\n"                                                                             \
	"  reg.lan: {cert-file: /c.pem, key-file: /c.key}\n"

static void test_every_key_of_a_registry_is_handed_on(void **state)
{
	struct world *w = *state;
	struct bw_conf_problems problems = {0};
	struct bw_registry_host_options all, hub, lan;

	assert_int_equal(bw_conf_parse(EVERY_KEY, strlen(EVERY_KEY), "/", 0, &w->conf, &problems, &w->err),
			 0);
	bw_conf_problems_done(&problems);
	BW_AUTOFREE const char **none = bw_registries_host(&w->conf->registries.items[0], &all);
	BW_AUTOFREE const char **mirrors = bw_registries_host(&w->conf->registries.items[1], &hub);
	BW_AUTOFREE const char **neither = bw_registries_host(&w->conf->registries.items[2], &lan);

	assert_null(none);
	assert_null(neither);
	assert_string_equal(all.host, "*");
	assert_int_equal(all.in_flight, 8);
	assert_true(all.requests_per_second == 0.5);
	assert_true(all.has_reserve);
	assert_int_equal(all.reserve_percent, 0);
	assert_string_equal(all.proxy, ""); /* none, whatever the environment says */
	assert_ptr_equal(hub.mirrors, mirrors);
	assert_string_equal(hub.mirrors[0], "https://m.lan/hub");
	assert_string_equal(hub.mirrors[1], "http://127.0.0.1:5000");
	assert_null(hub.mirrors[2]);
	assert_true(hub.mirrors_only);
	assert_false(hub.has_reserve);
	assert_string_equal(hub.proxy, "http://p.lan:3128");
	assert_null(lan.proxy);
	assert_null(lan.mirrors);
	assert_string_equal(lan.cert_file, "/c.pem");
	assert_string_equal(lan.key_file, "/c.key");
}

/* The source of a log-in, as people are told it. */
static void expect_source(struct world *w, const char *registry, const char *part)
{
	BW_AUTOFREE char *source = bw_credentials_source(w->registries.credentials, registry, "a");

	if (part ? !strstr(source, part) : *source)
		fail_msg("%s: '%s'", registry, source);
}

static void test_who_logs_in_is_a_user_a_program_or_nobody(void **state)
{
	struct world *w = *state;

	setenv("DOCKER_AUTH_CONFIG",
	       "{\"auths\":{\"r.io\":{\"auth\":\"dTpw\"},\"s.io\":{\"auth\":\"dTpw\"}}}", 1);
	setenv("BASEWATCH_TEST_PASSWORD", "sesame", 1);
	assert_int_equal(open_with(w,
				   "registries: {r.io: {anonymous: true}, h.io: {helper: bw-test}, "
				   "docker.io: {username: bot, password: {env: BASEWATCH_TEST_PASSWORD}}}"),
			 0);
	unsetenv("DOCKER_AUTH_CONFIG");
	expect_source(w, "r.io", NULL); /* though somebody could */
	expect_source(w, "s.io", "DOCKER_AUTH_CONFIG");
	expect_source(w, "h.io", "docker-credential-bw-test");
	expect_source(w, "docker.io", "configuration");
	expect_source(w, "other.io", NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_without_a_configuration_there_is_a_client_and_its_view),
		CASE(test_the_client_knows_what_is_configured),
		CASE(test_the_command_line_goes_before),
		CASE(test_a_secret_that_cannot_be_read_is_told_with_its_key),
		CASE(test_certificates_that_cannot_be_read_are_told_with_their_key),
		CASE(test_log_ins_that_are_configured_anew_wait_until_they_are_used),
		CASE(test_every_key_of_a_registry_is_handed_on),
		CASE(test_who_logs_in_is_a_user_a_program_or_nobody),
		CASE(test_another_credentials_file_is_told_and_shared_with_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
