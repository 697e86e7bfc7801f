/*
 * test_reach.c - where registries, redirects and token endpoints may lead: for what the user names himself, and for what
 * strangers name.
 */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "net/address.h"
#include "registry/host.h"
#include "registry/question.h"
#include "registry/reach.h"
#include "unit/names.h"
#include "unit/registry_world.h"

#define INSIDE	(BW_ADDRESS_LOOPBACK | BW_ADDRESS_LINK_LOCAL)
#define ALL	(INSIDE | BW_ADDRESS_PRIVATE)
#define TO_NAME "; name it under `registries:` to allow it"

static void name_hosts(struct world *w, const struct bw_registry_host_options *hosts, size_t count)
{
	w->options.hosts = hosts;
	w->options.host_count = count;
}

static void answer_all(struct peer *p)
{
	peer_on(p, "HEAD /v2/r", "", FOUND);
}

/* --- what strangers name ---------------------------------------------------------------------- */

static void test_what_strangers_name_is_not_asked_on_this_machine(void **state)
{
	struct world *w = *state;

	w->options.refuse = INSIDE;
	open_plain(w);
	answer_all(w->peer);
	ask_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_trouble(
			&w->told[i], BW_TROUBLE_REFUSED,
			"refused: %s leads to a loopback address (127.0.0.1), where a Dockerfile from a git "
			"repository may not lead" TO_NAME);
	assert_counts(w, 1, 0, 0, 0); /* not tried again, and the others knew */
	assert_int_equal(peer_connections(w->peer), 0);
}

static void test_a_name_that_rebinds_is_refused_at_its_address(void **state)
{
	static const char *const hosts[] = {REBOUND, "localhost",  "LOCALHOST",
					    "127.1", "0x7f000001", "0.0.0.0"};
	struct world *w = *state;

	w->options.refuse = INSIDE;
	open_plain(w);
	answer_all(w->peer);
	for (size_t i = 0; i < BW_COUNT(hosts); i++) {
		(void)snprintf(w->host, sizeof(w->host), "%s:%u", hosts[i], w->peer->port);
		ask_all(w, 1);
		if (w->told[0].answer.trouble != BW_TROUBLE_REFUSED)
			fail_msg("%s: %s", w->host, w->told[0].answer.message);
	}
	assert_int_equal(peer_connections(w->peer), 0);
}

static void test_metadata_services_are_refused_too(void **state)
{
	struct world *w = *state;

	w->options.refuse = INSIDE;
	open_plain(w);
	(void)snprintf(w->host, sizeof(w->host), "169.254.169.254");
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_REFUSED,
		       "refused: %s leads to a link-local or metadata address (169.254.169.254), where a "
		       "Dockerfile from a git repository may not lead" TO_NAME);
}

static void test_a_host_that_the_user_named_is_asked(void **state)
{
	struct bw_registry_host_options named[] = {{.host = "*", .connections = 2}, {.host = NULL}};
	struct world *w = *state;

	w->peer = peer_new(NULL);
	answer_all(w->peer);
	(void)snprintf(w->host, sizeof(w->host), "localhost:%u", w->peer->port);
	w->options.refuse = INSIDE;
	named[1].host = w->host;
	name_hosts(w, named, 1); /* the star names nobody */
	open_registry(w);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_REFUSED);
	bw_registry_free(BW_TAKE(w->registry));
	name_hosts(w, named, 2);
	open_registry(w);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	ask_all(w, 1); /* another name was not named */
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_REFUSED);
}

static void test_a_host_of_the_command_line_is_named(void **state)
{
	static const char *entries[2] = {"127.0.0.1"};
	struct world *w = *state;

	w->options.refuse = INSIDE;
	w->options.insecure = entries;
	open_plain(w);
	answer_all(w->peer);
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

/* --- redirects -------------------------------------------------------------------------------- */

static void redirect_to(struct peer *p, const char *host, unsigned port)
{
	BW_AUTOFREE char *answer = bw_asprintf(
		"HTTP/1.1 307 Go\r\nLocation: http://%s:%u/there\r\nContent-Length: 0\r\n\r\n", host, port);

	peer_on(p, "HEAD ", "/v2/r", answer);
}

/* The first peer is a registry somewhere else: the proxy of the environment, as far as we know. */
static void open_behind_proxy(struct world *w, const char *const *insecure)
{
	char proxy[64];

	w->peer = peer_new(NULL);
	w->other = peer_new(NULL);
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", w->peer->port);
	setenv("http_proxy", proxy, 1);
	(void)snprintf(w->host, sizeof(w->host), "r.example:80");
	w->options.insecure = insecure;
	open_registry(w);
}

/* A registry without TLS is what the peer can play; it has to be named for that. */
static void ask_plainly(struct world *w)
{
	struct bw_host *h = bw_host_new(w->registry, w->host);

	h->is_plain = true;
	h->has_spoken = true;
	h->state = BW_CIRCUIT_CLOSED;
	bw_host_free(bw_map_put(w->registry->hosts, h->key, h));
	ask_all(w, 1);
	unsetenv("http_proxy");
}

static void test_a_redirect_into_this_machine_is_not_followed(void **state)
{
	static const char *const insecure[] = {"r.example", NULL};
	struct world *w = *state;
	char expected[256];

	open_behind_proxy(w, insecure); /* named, by the user himself, and yet */
	redirect_to(w->peer, "127.0.0.1", w->other->port);
	ask_plainly(w);
	(void)snprintf(
		expected, sizeof(expected),
		"refused: r.example:80 redirects to 127.0.0.1:%u, which leads to a loopback address" TO_NAME,
		w->other->port);
	assert_trouble(&w->told[0], BW_TROUBLE_REFUSED, expected);
	assert_counts(w, 1, 0, 0, 0);
	assert_int_equal(peer_connections(w->other), 0);
	assert_int_equal(peer_count(w->peer, "", ""), 1);
}

static void test_a_redirect_to_a_host_that_is_named_is_followed(void **state)
{
	static const char *insecure[] = {"r.example", NULL, NULL};
	struct world *w = *state;

	insecure[1] = REBOUND;
	open_behind_proxy(w, insecure);
	redirect_to(w->peer, REBOUND, w->other->port);
	setenv("no_proxy", REBOUND, 1);
	peer_on(w->other, "HEAD /there", "", FOUND);
	ask_plainly(w);
	unsetenv("no_proxy");
	assert_found(&w->told[0]);
	assert_int_equal(peer_connections(w->other), 1);
}

static void test_a_registry_on_this_machine_may_redirect_within_it(void **state)
{
	struct bw_registry_host_options named[1] = {{.host = NULL}};
	struct world *w = *state;

	w->other = peer_new(NULL);
	open_plain(w);
	redirect_to(w->peer, "localhost", w->other->port);
	peer_on(w->other, "HEAD /there", "", FOUND);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	bw_registry_free(BW_TAKE(w->registry));
	named[0].host = w->host; /* the same for strangers, when this one is named */
	name_hosts(w, named, 1);
	w->options.refuse = INSIDE;
	open_registry(w);
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

static void test_a_registry_on_this_machine_may_not_redirect_to_its_link(void **state)
{
	struct world *w = *state;

	open_plain(w);
	redirect_to(w->peer, "169.254.169.254", 80);
	ask_all(w, 1);
	assert_trouble(
		&w->told[0], BW_TROUBLE_REFUSED,
		"refused: %s redirects to 169.254.169.254, which leads to a link-local or metadata address "
		"(169.254.169.254)" TO_NAME);
}

/* The user chose it, wherever it is; what stands behind it is not known here. */
static void test_the_users_own_proxy_may_be_on_this_machine(void **state)
{
	static const char *const insecure[] = {"other.example", NULL};
	struct world *w = *state;

	w->options.refuse = INSIDE;
	open_behind_proxy(w, insecure);
	peer_on(w->peer, "HEAD http://r.example", "/v2/r", FOUND);
	ask_plainly(w);
	assert_found(&w->told[0]);
	assert_int_equal(peer_connections(w->other), 0);
}

static void test_a_place_that_goes_past_the_proxy_is_refused(void **state)
{
	struct world *w = *state;
	char proxy[64];

	w->options.refuse = INSIDE;
	w->peer = peer_new(NULL);
	(void)snprintf(proxy, sizeof(proxy), "http://10.0.0.1:%u", w->peer->port); /* the port is the same */
	setenv("http_proxy", proxy, 1);
	setenv("no_proxy", REBOUND, 1);
	open_registry(w);
	(void)snprintf(w->host, sizeof(w->host), REBOUND ":%u", w->peer->port);
	ask_plainly(w);
	unsetenv("no_proxy");
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_REFUSED);
	assert_int_equal(peer_connections(w->peer), 0);
}

/* Of a registry that was asked at this address. */
static void assert_noted(struct world *w, const char *name, const char *address, unsigned kind,
			 bool is_private)
{
	const struct bw_http_response r = {.first_address = address};
	struct bw_host *h = bw_host_new(w->registry, name);

	bw_reach_note(h, &r);
	assert_int_equal(h->kind, kind);
	assert_int_equal(h->peer_is_private, is_private);
	bw_host_free(h);
}

static void test_a_registry_is_where_its_address_is(void **state)
{
	struct world *w = *state;

	open_registry(w);
	assert_noted(w, "r.example", "93.184.216.34", 0, false);
	assert_noted(w, "r.example", "10.0.0.1", BW_ADDRESS_PRIVATE, true);
	assert_noted(w, "r.example", "127.0.0.1", BW_ADDRESS_LOOPBACK, true);
	assert_noted(w, "r.example", "", 0, false); /* behind a proxy */
	assert_noted(w, "localhost", "", BW_ADDRESS_LOOPBACK, false);
	assert_noted(w, "localhost", "169.254.1.1", INSIDE, true);
}

/* --- token endpoints -------------------------------------------------------------------------- */

static const struct {
	const char *host;	   /* of the registry */
	unsigned kind;		   /* of its address */
	const char *realm;	   /* host of its token endpoint */
	unsigned own, of_stranger; /* what is refused there to what the user, and what strangers name */
} realms[] = {
	{"r.example", 0, "auth.example", ALL, ALL},
	{"r.example", BW_ADDRESS_PRIVATE, "auth.example", INSIDE, INSIDE},
	{"10.0.0.1", 0, "auth.example", INSIDE, INSIDE},
	{"r.example", 0, "r.example", 0, INSIDE},
	{"r.example:5000", 0, "r.example", 0, INSIDE},
	{"r.example", BW_ADDRESS_LOOPBACK, "auth.example", BW_ADDRESS_LINK_LOCAL, INSIDE},
	{"r.example", BW_ADDRESS_LINK_LOCAL, "auth.example", BW_ADDRESS_LOOPBACK, INSIDE},
	{"localhost:5000", BW_ADDRESS_LOOPBACK, "127.0.0.1", BW_ADDRESS_LINK_LOCAL, INSIDE},
	{"named.example", 0, "auth.example", ALL, ALL},
	{"named.example", 0, "named.example", 0, 0},
	{"named.example", BW_ADDRESS_LOOPBACK, "auth.example", BW_ADDRESS_LINK_LOCAL, BW_ADDRESS_LINK_LOCAL},
};

static unsigned refused_to_realm(struct world *w, unsigned refuse, size_t row)
{
	static const struct bw_registry_host_options named[] = {{.host = "named.example"}};
	struct bw_http_request req = {0};
	struct bw_question q = {0};
	struct bw_host *h;

	w->options.refuse = refuse;
	name_hosts(w, named, 1);
	open_registry(w);
	h = bw_host_new(w->registry, realms[row].host);
	h->kind = realms[row].kind;
	h->peer_is_private = h->kind != 0;
	h->login.realm_origin.is_tls = true;
	(void)snprintf(h->login.realm_origin.host, BW_HOST_MAX, "%s", realms[row].realm);
	q.host = h;
	q.refuse = refuse;
	bw_reach_of_realm(h, bw_reach_refused(&q), &req);
	assert_int_equal(req.refuse_hops, INSIDE);
	/* Whoever is not named himself gets nothing out of what is. */
	assert_int_equal(req.is_named != NULL,
			 h->is_named || strncmp(realms[row].host, realms[row].realm, 9) == 0);
	if (req.is_named) {
		assert_true(req.is_named("https://named.example/token", req.named_arg));
		assert_false(req.is_named("https://named.example:5000/token", req.named_arg));
		assert_false(req.is_named("https://auth.example/token", req.named_arg));
	}
	bw_host_free(h);
	bw_registry_free(BW_TAKE(w->registry));
	return req.refuse;
}

static void test_token_endpoints_are_where_their_registry_is(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < BW_COUNT(realms); i++) {
		unsigned own = refused_to_realm(w, 0, i), of_stranger = refused_to_realm(w, INSIDE, i);

		if (own != realms[i].own || of_stranger != realms[i].of_stranger)
			fail_msg("%s, %s: %u and %u", realms[i].host, realms[i].realm, own, of_stranger);
	}
}

static void want_bearer_at(struct peer *p, const char *host, unsigned port)
{
	BW_AUTOFREE char *answer =
		bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			    "realm=\"http://%s:%u/token\",service=\"s\"\r\n\r\n",
			    host, port);

	peer_on(p, "HEAD ", "/v2/r", answer);
}

static void test_a_token_is_not_asked_for_on_this_machine(void **state)
{
	static const char *const insecure[] = {"r.example", NULL};
	struct world *w = *state;
	BW_AUTOFREE char *challenge = NULL;
	char expected[256];

	open_behind_proxy(w, insecure);
	/* With TLS: without, one that is not named is not asked wherever it is. */
	challenge = bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
				"realm=\"https://" REBOUND ":%u/token\"\r\n\r\n",
				w->other->port);
	peer_on(w->peer, "HEAD ", "", challenge);
	setenv("no_proxy", REBOUND, 1);
	ask_plainly(w);
	unsetenv("no_proxy");
	(void)snprintf(expected, sizeof(expected),
		       "refused: r.example:80 wants a log-in at " REBOUND
		       ":%u, which leads to a loopback address (127.0.0.1); name both under "
		       "`registries:` to allow it",
		       w->other->port);
	assert_trouble(&w->told[0], BW_TROUBLE_REFUSED, expected);
	assert_counts(w, 1, 0, 1, 0);
	assert_int_equal(peer_connections(w->other), 0);
}

static void test_a_token_endpoint_that_is_named_is_asked(void **state)
{
	static const char *const insecure[] = {"r.example", REBOUND, NULL};
	struct world *w = *state;

	open_behind_proxy(w, insecure);
	peer_on(w->peer, "HEAD ", "Authorization: Bearer T", FOUND);
	want_bearer_at(w->peer, REBOUND, w->other->port);
	on_body(w->other, "GET /token", "", "{\"token\":\"T\"}");
	setenv("no_proxy", REBOUND, 1);
	ask_plainly(w);
	unsetenv("no_proxy");
	assert_found(&w->told[0]);
	assert_int_equal(peer_count(w->other, "GET /token", ""), 1);
}

/* --- both at once ----------------------------------------------------------------------------- */

static void open_both(struct world *w)
{
	open_plain(w);
	w->view = bw_registry_for_strangers(w->registry, INSIDE);
}

/* Stranger's question, in the same line as those of ask(). */
static void ask_as_stranger(struct world *w, unsigned i)
{
	memset(&w->told[i].answer, 0, sizeof(w->told[i].answer));
	w->pending++;
	bw_registry_ask(w->view, w->host, w->names[i], "1", NULL, note, &w->told[i]);
}

static void test_a_refused_stranger_harms_nobody_else(void **state)
{
	struct world *w = *state;

	open_both(w);
	answer_all(w->peer);
	ask_as_stranger(w, 0); /* it introduces us, and is refused */
	ask(w, 1);
	ask_as_stranger(w, 2);
	ask(w, 3);
	bw_loop_run(w->loop);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_REFUSED);
	assert_int_equal(w->told[2].answer.trouble, BW_TROUBLE_REFUSED);
	assert_found(&w->told[1]);
	assert_found(&w->told[3]);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 2);
	assert_int_equal(bw_registry_count(w->view).heads, bw_registry_count(w->registry).heads);
}

static void test_a_connection_of_the_users_own_serves_no_stranger(void **state)
{
	struct world *w = *state;

	open_both(w);
	answer_all(w->peer);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	ask_as_stranger(w, 1);
	bw_loop_run(w->loop);
	assert_trouble(&w->told[1], BW_TROUBLE_REFUSED,
		       "refused: %s leads to a loopback address (127.0.0.1), where a Dockerfile from a git "
		       "repository may not lead" TO_NAME);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 2);
}

/* A name that the user did not write, and that leads to where he is asked to be named; so both sides are let in. */
static void test_a_wrong_password_is_shown_once_for_both(void **state)
{
	static const char *const insecure[] = {"127.0.0.1", NULL};
	struct world *w = *state;

	w->options.insecure = insecure;
	open_both(w);
	peer_on(w->peer, "HEAD /v2/r", "",
		"HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n");
	log_in(w, "bot:wrong");
	ask(w, 0);
	ask_as_stranger(w, 1);
	bw_loop_run(w->loop);
	ask_as_stranger(w, 2);
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 3; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, "HEAD", "Authorization: Basic"), 1);
	assert_int_equal(peer_count(w->peer, "", ""), 2);
}

/* As if the registry were on this machine: to the user's own questions its token endpoint may be. */
static void move_here(struct told *t)
{
	bw_registry_host(t->world->registry, t->world->host)->kind = BW_ADDRESS_LOOPBACK;
}

static void test_a_token_that_is_refused_to_a_stranger_is_fetched_for_the_user(void **state)
{
	static const char *const insecure[] = {"r.example", REBOUND, NULL};
	struct world *w = *state;
	struct bw_host *h;

	open_behind_proxy(w, insecure);
	w->view = bw_registry_for_strangers(w->registry, INSIDE);
	peer_on(w->peer, "HEAD ", "Authorization: Bearer T", FOUND);
	want_bearer_at(w->peer, REBOUND, w->other->port);
	on_body(w->other, "GET /token", "", "{\"token\":\"T\"}");
	setenv("no_proxy", REBOUND, 1);
	h = bw_registry_host(w->registry, w->host);
	h->is_plain = h->has_spoken = true;
	h->is_named = false; /* the peer can only play one that is */
	w->on_answer = move_here;
	ask_as_stranger(w, 0); /* it introduces us, and its token is refused */
	ask(w, 1);
	bw_loop_run(w->loop);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_REFUSED);
	assert_found(&w->told[1]);
	assert_int_equal(peer_count(w->other, "GET /token", ""), 1);
	ask_as_stranger(w, 2);
	w->pending++; /* for the same token, which that one asks for */
	bw_registry_ask(w->registry, w->host, w->names[2], "1", NULL, note, &w->told[3]);
	bw_loop_run(w->loop);
	unsetenv("no_proxy");
	unsetenv("http_proxy");
	assert_int_equal(w->told[2].answer.trouble, BW_TROUBLE_REFUSED);
	assert_found(&w->told[3]);
	assert_int_equal(peer_count(w->other, "GET /token", ""), 2);
}

static void test_a_view_is_freed_before_the_client_or_behind_it(void **state)
{
	struct world *w = *state;
	struct bw_registry *first, *second;

	open_registry(w);
	first = bw_registry_for_strangers(w->registry, INSIDE);
	second = bw_registry_for_strangers(w->registry, 0);
	bw_registry_free(first);
	bw_registry_free(BW_TAKE(w->registry));
	bw_registry_free(second);
}

static void test_names_of_one_registry_are_one_host(void **state)
{
	static const char *const insecure[] = {"plain.lan", NULL};
	struct world *w = *state;
	const struct bw_host *quay;

	w->options.insecure = insecure;
	open_registry(w);
	assert_ptr_equal(bw_registry_host(w->registry, "registry-1.docker.io"),
			 bw_registry_host(w->registry, "docker.io"));
	quay = bw_registry_host(w->registry, "Quay.io:443");
	assert_string_equal(quay->name, "Quay.io:443"); /* as somebody wrote it */
	assert_ptr_equal(bw_registry_host(w->registry, "quay.io"), quay);
	assert_ptr_not_equal(bw_registry_host(w->registry, "quay.io:5000"),
			     bw_registry_host(w->registry, "quay.io"));
	/* Without TLS these are two ports. */
	assert_ptr_not_equal(bw_registry_host(w->registry, "plain.lan:443"),
			     bw_registry_host(w->registry, "plain.lan"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_strangers_name_is_not_asked_on_this_machine),
		TEST(test_a_name_that_rebinds_is_refused_at_its_address),
		TEST(test_metadata_services_are_refused_too),
		TEST(test_a_host_that_the_user_named_is_asked),
		TEST(test_a_host_of_the_command_line_is_named),
		TEST(test_a_redirect_into_this_machine_is_not_followed),
		TEST(test_a_redirect_to_a_host_that_is_named_is_followed),
		TEST(test_a_registry_on_this_machine_may_redirect_within_it),
		TEST(test_a_registry_on_this_machine_may_not_redirect_to_its_link),
		TEST(test_the_users_own_proxy_may_be_on_this_machine),
		TEST(test_a_place_that_goes_past_the_proxy_is_refused),
		TEST(test_a_registry_is_where_its_address_is),
		TEST(test_token_endpoints_are_where_their_registry_is),
		TEST(test_a_token_is_not_asked_for_on_this_machine),
		TEST(test_a_token_endpoint_that_is_named_is_asked),
		TEST(test_a_refused_stranger_harms_nobody_else),
		TEST(test_a_connection_of_the_users_own_serves_no_stranger),
		TEST(test_a_wrong_password_is_shown_once_for_both),
		TEST(test_a_token_that_is_refused_to_a_stranger_is_fetched_for_the_user),
		TEST(test_a_view_is_freed_before_the_client_or_behind_it),
		TEST(test_names_of_one_registry_are_one_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
