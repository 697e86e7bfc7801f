/* test_places.c - what the user says of single registries: log-in, certificates, connections, TLS or not. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "registry/host.h"
#include "registry/places.h"
#include "unit/registry_world.h"

static void name_hosts(struct world *w, const struct bw_registry_host_options *hosts, size_t count)
{
	w->options.hosts = hosts;
	w->options.host_count = count;
}

/* --- who is meant ----------------------------------------------------------------------------- */

static void test_hosts_are_found_by_the_names_that_people_write(void **state)
{
	static const struct bw_registry_host_options hosts[] = {
		{.host = "*"},	     {.host = "index.docker.io"}, {.host = "Reg.lan:5000"},
		{.host = "ghcr.io"}, {.host = "[fd00::1]:5000"},
	};
	static const struct {
		const char *name, *found;
	} rows[] = {
		{"docker.io", "docker.io"},
		{"registry-1.docker.io", "docker.io"},
		{"reg.lan:5000", "reg.lan:5000"},
		{"REG.LAN:5000", "reg.lan:5000"},
		{"reg.lan", NULL},
		{"reg.lan:5001", NULL},
		{"ghcr.io", "ghcr.io"},
		{"ghcr.io:443", "ghcr.io"},
		{"ghcr.io:5000", NULL},
		{"sub.ghcr.io", NULL},
		{"[fd00::1]:5000", "[fd00::1]:5000"},
		{"quay.io", NULL},
		{"*", NULL},
	};
	struct world *w = *state;

	name_hosts(w, hosts, BW_COUNT(hosts));
	open_registry(w);
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		const struct bw_place *p = bw_places_find(&w->registry->places, rows[i].name);

		if (!p != !rows[i].found || (p && strcmp(p->host, rows[i].found) != 0))
			fail_msg("%s: %s", rows[i].name, p ? p->host : "none");
	}
}

/* --- connections ------------------------------------------------------------------------------ */

static unsigned connections_of(struct world *w, const char *name)
{
	struct bw_host *h = bw_host_new(w->registry, name);
	unsigned n = h->door->connections;

	bw_host_free(h);
	return n;
}

static void test_connections_are_those_of_the_host_or_of_all(void **state)
{
	static const struct bw_registry_host_options hosts[] = {
		{.host = "a.lan", .connections = 7},
		{.host = "b.lan"},
		{.host = "*", .connections = 2},
	};
	struct world *w = *state;

	open_registry(w);
	assert_int_equal(connections_of(w, "a.lan"), 3);
	bw_registry_free(BW_TAKE(w->registry));
	name_hosts(w, hosts, 3);
	open_registry(w);
	assert_int_equal(connections_of(w, "a.lan"), 7);
	assert_int_equal(connections_of(w, "b.lan"), 2);
	assert_int_equal(connections_of(w, "c.lan"), 2);
	assert_int_equal(w->registry->places.door_count, 2); /* what is the same is one */
	bw_registry_free(BW_TAKE(w->registry));
	name_hosts(w, hosts, 2);
	w->options.connections = 5;
	open_registry(w);
	assert_int_equal(connections_of(w, "b.lan"), 5);
	assert_int_equal(connections_of(w, "c.lan"), 5);
}

static void test_as_many_requests_are_in_flight_as_the_host_may_have(void **state)
{
	struct bw_registry_host_options hosts[] = {{.connections = 1}};
	struct world *w = *state;

	w->peer = peer_new(NULL);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	hosts[0].host = w->host;
	name_hosts(w, hosts, 1);
	open_registry(w);
	ask_all(w, 12);
	assert_int_equal(peer_connections(w->peer), 2); /* the first one showed that there is no TLS */
}

/* --- certificates ----------------------------------------------------------------------------- */

static void test_the_certificates_of_one_host_are_not_those_of_another(void **state)
{
	struct bw_registry_host_options hosts[] = {{.host = NULL}};
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1,DNS:localhost");
	bw_registry_free(BW_TAKE(w->registry));
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	hosts[0] = (struct bw_registry_host_options){.host = w->host, .ca_file = w->ca};
	name_hosts(w, hosts, 1);
	w->options.ca_file = NULL;
	open_registry(w);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	(void)snprintf(w->host, sizeof(w->host), "localhost:%u", w->peer->port);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TLS);
}

static void test_the_certificates_for_all_are_for_those_without_an_entry(void **state)
{
	struct bw_registry_host_options hosts[] = {{.host = "*"}, {.host = NULL}};
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1");
	bw_registry_free(BW_TAKE(w->registry));
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	hosts[0].ca_file = w->ca;
	hosts[1].host = w->host;
	name_hosts(w, hosts, 1);
	w->options.ca_file = NULL;
	open_registry(w);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	bw_registry_free(BW_TAKE(w->registry));
	name_hosts(w, hosts, 2);
	open_registry(w);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TLS);
}

static void test_a_file_of_one_host_that_cannot_be_read_names_it(void **state)
{
	static const struct bw_registry_host_options hosts[] = {
		{.host = "good.lan"},
		{.host = "reg.lan", .ca_file = "/nonexistent/ca.pem", .username = "u", .password = "p"}};
	struct world *w = *state;
	struct bw_registry *r = NULL;
	struct bw_err err = BW_ERR_INIT;

	name_hosts(w, hosts, 2);
	assert_int_equal(bw_registry_new(w->loop, &w->options, &r, &err), BW_E_CONFIG);
	assert_string_equal(err.msg, "registries: reg.lan: ca-file: /nonexistent/ca.pem: cannot be read as a "
				     "file of PEM certificates");
	assert_null(r);
}

/* --- TLS or not ------------------------------------------------------------------------------- */

static void test_a_host_may_be_insecure_by_its_entry(void **state)
{
	struct bw_registry_host_options hosts[] = {{.insecure = true}};
	struct world *w = *state;

	w->peer = peer_new(NULL);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	(void)snprintf(w->host, sizeof(w->host), "0.0.0.0:%u", w->peer->port);
	hosts[0].host = w->host;
	name_hosts(w, hosts, 1);
	open_registry(w);
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

/* --- log-in ----------------------------------------------------------------------------------- */

#define U_P   "Authorization: Basic dTpw" /* u:p */
#define BASIC "HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n"

static void open_with_credential(struct world *w, struct bw_registry_host_options *o)
{
	w->peer = peer_new(NULL);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	*o = (struct bw_registry_host_options){.host = w->host, .username = "u", .password = "p"};
	name_hosts(w, o, 1);
	open_registry(w);
}

static void test_credentials_of_the_entry_come_before_those_of_the_file(void **state)
{
	struct bw_registry_host_options o;
	struct world *w = *state;

	open_with_credential(w, &o);
	log_in(w, "other:secret");
	peer_on(w->peer, "HEAD /v2/r", U_P, FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", BASIC);
	ask_all(w, 2);
	assert_found(&w->told[0]);
	assert_found(&w->told[1]);
	assert_int_equal(peer_count(w->peer, "", "Authorization: Basic"), 2);
}

static void test_credentials_of_one_host_are_not_shown_to_another(void **state)
{
	struct bw_registry_host_options o;
	struct world *w = *state;

	open_with_credential(w, &o);
	peer_on(w->peer, "HEAD /v2/r", "", BASIC);
	(void)snprintf(w->host, sizeof(w->host), "localhost:%u", w->peer->port);
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH,
		       "%s wants a log-in, and there are no credentials for it");
	assert_int_equal(peer_count(w->peer, "", "Authorization:"), 0);
}

static void test_credentials_do_not_go_along_with_a_redirect(void **state)
{
	struct bw_registry_host_options o;
	struct world *w = *state;
	BW_AUTOFREE char *answer = NULL;

	open_with_credential(w, &o);
	w->other = peer_new(NULL);
	answer = bw_asprintf(
		"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:%u/there\r\nContent-Length: 0\r\n\r\n",
		w->other->port);
	peer_on(w->peer, "HEAD /v2/r", U_P, answer);
	peer_on(w->peer, "HEAD /v2/r", "", BASIC);
	peer_on(w->other, "HEAD /there", "", FOUND);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_int_equal(peer_count(w->peer, "", U_P), 1);
	assert_int_equal(peer_count(w->other, "", ""), 1);
	assert_int_equal(peer_count(w->other, "", "Authorization"), 0);
}

static void test_credentials_of_the_entry_get_a_token(void **state)
{
	struct bw_registry_host_options o;
	struct world *w = *state;

	open_with_credential(w, &o);
	peer_on(w->peer, "HEAD /v2/r", "Authorization: Bearer T", FOUND);
	want_bearer(w->peer, "");
	peer_on(w->peer, "GET /token", U_P, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\":\"T\"}");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_int_equal(peer_count(w->peer, "GET /token", "account=u"), 1);
	assert_int_equal(peer_count(w->peer, "HEAD", "Authorization: Basic"), 0);
}

static void test_a_token_endpoint_with_an_entry_has_certificates_of_its_own(void **state)
{
	struct bw_registry_host_options hosts[1] = {{.host = NULL}};
	struct world *w = *state;
	BW_AUTOFREE char *answer = NULL;
	char realm[32];

	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-places-%d.pem", (int)getpid());
	w->tls = peer_tls("DNS:localhost", 10, w->ca);
	w->other = peer_new(w->tls);
	on_body(w->other, "GET /token", "", "{\"token\":\"T\"}");
	open_plain(w);
	(void)snprintf(realm, sizeof(realm), "localhost:%u", w->other->port);
	answer = bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			     "realm=\"https://%s/token\",service=\"s\"\r\n\r\n",
			     realm);
	peer_on(w->peer, "HEAD /v2/r", "Authorization: Bearer T", FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", answer);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TLS);
	bw_registry_free(BW_TAKE(w->registry));
	hosts[0] = (struct bw_registry_host_options){.host = realm, .ca_file = w->ca};
	name_hosts(w, hosts, 1);
	open_registry(w);
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hosts_are_found_by_the_names_that_people_write),
		TEST(test_connections_are_those_of_the_host_or_of_all),
		TEST(test_as_many_requests_are_in_flight_as_the_host_may_have),
		TEST(test_the_certificates_of_one_host_are_not_those_of_another),
		TEST(test_the_certificates_for_all_are_for_those_without_an_entry),
		TEST(test_a_file_of_one_host_that_cannot_be_read_names_it),
		TEST(test_a_host_may_be_insecure_by_its_entry),
		TEST(test_credentials_of_the_entry_come_before_those_of_the_file),
		TEST(test_credentials_of_one_host_are_not_shown_to_another),
		TEST(test_credentials_do_not_go_along_with_a_redirect),
		TEST(test_credentials_of_the_entry_get_a_token),
		TEST(test_a_token_endpoint_with_an_entry_has_certificates_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
