/* test_places.c - what the user says of single registries: log-in, certificates, connections, TLS or not. */
#include "unit/unit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/host.h"
#include "registry/places.h"
#include "unit/identity.h"
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
	struct bw_failure f;
	unsigned n = bw_host_door(h, &f)->connections;

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
	assert_int_equal(w->registry->places.doors.count, 2); /* what is the same is one */
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

static const char *other_path(const struct world *w)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%.55s.other", w->ca);
	return path;
}

/* The CA file of somebody else. */
static const char *other_ca(const struct world *w)
{
	identity_write(other_path(w), "DNS:somebody");
	return other_path(w);
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

static void test_the_certificates_for_all_are_for_those_that_do_not_say(void **state)
{
	struct bw_registry_host_options hosts[] = {{.host = "*"}, {.host = NULL}};
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1");
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	hosts[0].ca_file = w->ca;
	hosts[1].host = w->host;
	w->options.ca_file = NULL;
	for (size_t count = 1; count <= 2; count++) {
		bw_registry_free(BW_TAKE(w->registry));
		name_hosts(w, hosts, count);
		open_registry(w);
		ask_all(w, 1);
		assert_found(&w->told[0]);
	}
	bw_registry_free(BW_TAKE(w->registry));
	hosts[1].ca_file = other_ca(w);
	open_registry(w);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TLS);
	(void)unlink(hosts[1].ca_file);
}

static void refuse(struct world *w, const struct bw_registry_host_options *h, const char *words)
{
	struct bw_registry *r = NULL;
	struct bw_err err = BW_ERR_INIT;

	name_hosts(w, h, 1);
	assert_int_equal(bw_registry_new(w->loop, &w->options, &r, &err), BW_E_CONFIG);
	assert_string_equal(err.msg, words);
	assert_null(r);
}

static void test_what_cannot_be_used_is_told_with_its_key(void **state)
{
	struct bw_registry_host_options h = {.host = "reg.lan", .cert_file = "/nonexistent/me.pem"};
	struct world *w = *state;
	BW_AUTOFREE char *words = NULL;

	refuse(w, &h,
	       "registries: reg.lan: cert-file: /nonexistent/me.pem: cannot be read as a certificate in PEM");
	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-places-%d.pem", (int)getpid());
	identity_write(w->ca, "DNS:me");
	h.cert_file = w->ca;
	h.key_file = "/nonexistent/me.key";
	words = bw_asprintf(
		"registries: reg.lan: key-file: /nonexistent/me.key: cannot be read as the key of %s, "
		"in PEM and without a pass phrase",
		w->ca);
	refuse(w, &h, words);
	h = (struct bw_registry_host_options){.host = "*", .proxy = "http://bot:sesame@proxy.lan"};
	refuse(w, &h, "registries: *: proxy: there is a user in it; that is not supported");
}

static void test_a_file_of_one_host_that_cannot_be_read_names_it(void **state)
{
	static const struct bw_registry_host_options hosts[] = {
		{.host = "good.lan"}, {.host = "reg.lan", .ca_file = "/nonexistent/ca.pem"}};
	struct world *w = *state;
	struct bw_registry *r = NULL;
	struct bw_err err = BW_ERR_INIT;

	name_hosts(w, hosts, 2);
	assert_int_equal(bw_registry_new(w->loop, &w->options, &r, &err), BW_E_CONFIG);
	assert_string_equal(err.msg, "registries: reg.lan: ca-file: /nonexistent/ca.pem: cannot be read as a "
				     "file of PEM certificates");
	assert_null(r);
}

/* --- certs.d ---------------------------------------------------------------------------------- */

/* A folder for this host in one of our own; the files are links to where the tests have them. */
struct folder {
	char root[64], path[128];
	const char *roots[2];
};

static void make_folder(struct world *w, const char *host, struct folder *ret)
{
	(void)snprintf(ret->root, sizeof(ret->root), "/tmp/basewatch-certs-XXXXXX");
	assert_non_null(mkdtemp(ret->root));
	(void)snprintf(ret->path, sizeof(ret->path), "%s/%s", ret->root, host);
	assert_int_equal(mkdir(ret->path, 0755), 0);
	ret->roots[0] = ret->root;
	ret->roots[1] = NULL;
	w->options.certs = ret->roots;
}

static void put(const struct folder *f, const char *name, const char *from)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, name);

	assert_int_equal(symlink(from, path), 0);
}

static void drop(const struct folder *f, const char *name)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, name);

	assert_int_equal(unlink(path), 0);
}

static void remove_folder(const struct folder *f)
{
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(rmdir(f->root), 0);
}

static void close_registry(struct world *w)
{
	bw_registry_free(BW_TAKE(w->registry));
}

/* A TLS peer that nobody trusts yet, and no client. */
static void open_peer(struct world *w)
{
	open_tls(w, "IP:127.0.0.1,DNS:localhost");
	close_registry(w);
	w->options.ca_file = NULL;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
}

static enum bw_trouble ask_at(struct world *w, const char *name)
{
	(void)snprintf(w->host, sizeof(w->host), "%s:%u", name, w->peer->port);
	ask_all(w, 1);
	return w->told[0].answer.trouble;
}

static void test_a_host_with_a_folder_has_a_door_of_its_own(void **state)
{
	struct world *w = *state;
	struct folder f;

	open_peer(w);
	make_folder(w, w->host, &f);
	put(&f, "ca.crt", w->ca);
	open_registry(w);
	assert_int_equal(w->registry->places.doors.count, 1); /* nothing is read before it is needed */
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_NONE);
	assert_int_equal(w->registry->places.doors.count, 2);
	assert_int_equal(ask_at(w, "localhost"), BW_TROUBLE_TLS);
	assert_int_equal(w->registry->places.doors.count, 2); /* like all others */
	drop(&f, "ca.crt");
	remove_folder(&f);
}

static void test_files_of_an_entry_and_of_a_folder_add_up(void **state)
{
	struct bw_registry_host_options hosts[1];
	struct world *w = *state;
	struct folder f;

	open_peer(w);
	make_folder(w, w->host, &f);
	put(&f, "ca.crt", w->ca);
	hosts[0] = (struct bw_registry_host_options){.host = w->host, .ca_file = other_ca(w)};
	name_hosts(w, hosts, 1);
	open_registry(w);
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_NONE);
	close_registry(w);
	drop(&f, "ca.crt");
	put(&f, "ca.crt", hosts[0].ca_file);
	hosts[0].ca_file = w->ca;
	open_registry(w);
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_NONE);
	(void)unlink(other_path(w));
	drop(&f, "ca.crt");
	remove_folder(&f);
}

static void test_a_broken_folder_is_the_trouble_of_its_host_alone(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *words = NULL;
	struct folder f;

	open_peer(w);
	make_folder(w, w->host, &f);
	put(&f, "bad.crt", "/etc/hostname");
	words = bw_asprintf("%%s: %s/bad.crt: cannot be read as a file of PEM certificates", f.path);
	w->options.ca_file = w->ca;
	w->options.dead_ms = 1;
	open_registry(w);
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_TLS);
	assert_trouble(&w->told[0], BW_TROUBLE_TLS, words);
	assert_int_equal(ask_at(w, "localhost"), BW_TROUBLE_NONE);
	drop(&f, "bad.crt");
	while (ask_at(w, "127.0.0.1") != BW_TROUBLE_NONE) /* once it is tried again: at most dead_ms later */
		assert_trouble(&w->told[0], BW_TROUBLE_TLS, words);
	remove_folder(&f);
}

static void test_a_changed_folder_is_taken_with_the_next_reload(void **state)
{
	struct world *w = *state;
	struct folder f;

	open_peer(w);
	w->options.dead_ms = 1;
	make_folder(w, w->host, &f);
	put(&f, "ca.crt", w->ca);
	open_registry(w);
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_NONE);
	drop(&f, "ca.crt");
	put(&f, "ca.crt", other_ca(w)); /* another file of the same name */
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_NONE);
	bw_registry_reload(w->registry);
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_TLS);
	drop(&f, "ca.crt");
	put(&f, "new.crt", w->ca);
	bw_registry_reload(w->registry);
	while (ask_at(w, "127.0.0.1") != BW_TROUBLE_NONE)
		assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TLS);
	drop(&f, "new.crt");
	bw_registry_reload(w->registry);
	assert_int_equal(w->registry->places.doors.count, 2); /* that of all others, and the last one */
	remove_folder(&f);
	(void)unlink(other_path(w));
}

/* --- our certificate -------------------------------------------------------------------------- */

static int take_cert(X509_STORE_CTX *ctx, void *arg)
{
	atomic_uint *count = arg;

	(void)ctx;
	(*count)++;
	return 1;
}

static void want_cert(SSL_CTX *tls, atomic_uint *count)
{
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(tls, take_cert, count);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls, 0);
}

/* The registry at 127.0.0.1 has its token endpoint at this host, with another port. */
static void ask_with_realm(struct world *w, const char *realm_host)
{
	BW_AUTOFREE char *answer = NULL;

	peer_free(w->other);
	w->other = peer_new(w->tls);
	on_body(w->other, "GET /token", "", "{\"token\":\"T\"}");
	answer = bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			     "realm=\"https://%s:%u/token\",service=\"s\"\r\n\r\n",
			     realm_host, w->other->port);
	while (w->peer->rule_count > 0)
		free(w->peer->rules[--w->peer->rule_count].answer);
	peer_on(w->peer, "HEAD /v2/r", "Authorization: Bearer T", FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", answer);
	open_registry(w);
	assert_int_equal(ask_at(w, "127.0.0.1"), BW_TROUBLE_NONE);
	assert_int_equal(peer_count(w->other, "GET /token", ""), 1);
	close_registry(w);
}

static void test_our_certificate_is_shown_to_the_registrys_host_alone(void **state)
{
	struct bw_registry_host_options hosts[1] = {{.host = NULL}};
	struct world *w = *state;
	atomic_uint shown = 0;
	struct folder f;
	char me[64];

	(void)snprintf(me, sizeof(me), "/tmp/basewatch-places-%d-me", (int)getpid());
	identity_write(me, "DNS:me");
	open_peer(w);
	w->options.ca_file = w->ca;
	want_cert(w->tls, &shown);
	make_folder(w, w->host, &f);
	put(&f, "me.cert", me);
	put(&f, "me.key", me);
	ask_with_realm(w, "localhost");
	assert_int_equal(shown, 1);
	ask_with_realm(w, "127.0.0.1"); /* another port of its own host */
	assert_int_equal(shown, 3);
	drop(&f, "me.cert");
	drop(&f, "me.key");
	/* The same with that of an entry. */
	hosts[0] = (struct bw_registry_host_options){.host = w->host, .cert_file = me};
	name_hosts(w, hosts, 1);
	ask_with_realm(w, "localhost");
	assert_int_equal(shown, 4);
	remove_folder(&f);
	(void)unlink(me);
}

/* --- manners and proxies ---------------------------------------------------------------------- */

static void test_manners_are_those_of_the_host_or_of_all(void **state)
{
	static const struct bw_registry_host_options hosts[] = {
		{.host = "a.lan", .in_flight = 5, .requests_per_second = 0.5, .has_reserve = true},
		{.host = "b.lan", .connections = 9},
		{.host = "*", .connections = 2, .in_flight = 8, .has_reserve = true, .reserve_percent = 50},
	};
	const struct bw_manners *m;
	const struct bw_places *x;
	struct world *w = *state;

	open_registry(w);
	m = bw_places_manners(&w->registry->places, NULL);
	assert_int_equal(m->connections, 3);
	assert_int_equal(m->in_flight, 0);
	assert_true(m->requests_per_second <= 0);
	assert_int_equal(m->reserve_percent, 20);
	close_registry(w);
	name_hosts(w, hosts, 3);
	open_registry(w);
	x = &w->registry->places;
	m = bw_places_manners(x, bw_places_find(x, "a.lan"));
	assert_int_equal(m->connections, 2);
	assert_int_equal(m->in_flight, 5);
	assert_true(m->requests_per_second > 0.4 && m->requests_per_second < 0.6);
	assert_int_equal(m->reserve_percent, 0);
	m = bw_places_manners(x, bw_places_find(x, "b.lan"));
	assert_int_equal(m->connections, 9);
	assert_int_equal(m->in_flight, 8);
	assert_int_equal(m->reserve_percent, 50);
	assert_ptr_equal(bw_places_manners(x, bw_places_find(x, "c.lan")), &x->manners);
}

static const char *proxy_of(struct world *w, const char *name)
{
	const struct bw_door *d = NULL;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_places_door(&w->registry->places, name, &d, &err), 0);
	return d->proxy ? d->proxy : "of the environment";
}

static void test_a_proxy_is_that_of_the_host_or_of_all(void **state)
{
	static const struct bw_registry_host_options hosts[] = {
		{.host = "a.lan", .proxy = "socks5h://a.proxy:1"},
		{.host = "b.lan", .proxy = ""},
		{.host = "c.lan"},
		{.host = "*", .proxy = "http://all.proxy:1"},
	};
	struct world *w = *state;

	name_hosts(w, hosts, 3);
	open_registry(w);
	assert_string_equal(proxy_of(w, "a.lan"), "socks5h://a.proxy:1");
	assert_string_equal(proxy_of(w, "b.lan"), "");
	assert_string_equal(proxy_of(w, "c.lan"), "of the environment");
	assert_string_equal(proxy_of(w, "d.lan"), "of the environment");
	close_registry(w);
	name_hosts(w, hosts, 4);
	open_registry(w);
	assert_string_equal(proxy_of(w, "b.lan"), "");
	assert_string_equal(proxy_of(w, "c.lan"), "http://all.proxy:1");
	assert_string_equal(proxy_of(w, "d.lan"), "http://all.proxy:1");
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

static void open_with_credential(struct world *w)
{
	struct bw_credentials_given given = {.host = w->host, .username = "u", .password = "p"};

	open_plain(w);
	bw_credentials_configure(w->credentials, &given, 1);
}

static void test_credentials_of_the_entry_come_before_those_of_the_file(void **state)
{
	struct world *w = *state;

	open_with_credential(w);
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
	struct world *w = *state;

	open_with_credential(w);
	peer_on(w->peer, "HEAD /v2/r", "", BASIC);
	(void)snprintf(w->host, sizeof(w->host), "localhost:%u", w->peer->port);
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH,
		       "%s wants a log-in, and there are no credentials for it");
	assert_int_equal(peer_count(w->peer, "", "Authorization:"), 0);
}

static void test_credentials_do_not_go_along_with_a_redirect(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *answer = NULL;

	open_with_credential(w);
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
	struct world *w = *state;

	open_with_credential(w);
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

/* Whoever leads there chooses what is asked for in our name, unless the user named him as well. */
static void test_a_token_endpoint_sees_our_certificate_by_the_users_word_alone(void **state)
{
	struct bw_registry_host_options hosts[2] = {{.host = NULL}};
	struct world *w = *state;
	BW_AUTOFREE char *answer = NULL;
	atomic_uint shown = 0;
	char realm[32], me[64];

	(void)snprintf(me, sizeof(me), "/tmp/basewatch-places-%d-me", (int)getpid());
	identity_write(me, "DNS:me");
	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-places-%d.pem", (int)getpid());
	w->tls = peer_tls("DNS:localhost", 10, w->ca);
	want_cert(w->tls, &shown);
	w->other = peer_new(w->tls);
	on_body(w->other, "GET /token", "", "{\"token\":\"T\"}");
	w->peer = peer_new(NULL);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	(void)snprintf(realm, sizeof(realm), "localhost:%u", w->other->port);
	answer = bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			     "realm=\"https://%s/token\",service=\"s\"\r\n\r\n",
			     realm);
	peer_on(w->peer, "HEAD /v2/r", "Authorization: Bearer T", FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", answer);
	hosts[0] = (struct bw_registry_host_options){.host = realm, .ca_file = w->ca, .cert_file = me};
	hosts[1] = (struct bw_registry_host_options){.host = w->host};
	for (unsigned named = 1; named <= 2; named++) {
		name_hosts(w, hosts, named);
		open_registry(w);
		ask_all(w, 1);
		assert_found(&w->told[0]);
		assert_int_equal(shown, named - 1);
		bw_registry_free(BW_TAKE(w->registry));
	}
	(void)unlink(me);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hosts_are_found_by_the_names_that_people_write),
		TEST(test_connections_are_those_of_the_host_or_of_all),
		TEST(test_as_many_requests_are_in_flight_as_the_host_may_have),
		TEST(test_the_certificates_of_one_host_are_not_those_of_another),
		TEST(test_the_certificates_for_all_are_for_those_that_do_not_say),
		TEST(test_what_cannot_be_used_is_told_with_its_key),
		TEST(test_a_host_with_a_folder_has_a_door_of_its_own),
		TEST(test_files_of_an_entry_and_of_a_folder_add_up),
		TEST(test_a_broken_folder_is_the_trouble_of_its_host_alone),
		TEST(test_a_changed_folder_is_taken_with_the_next_reload),
		TEST(test_our_certificate_is_shown_to_the_registrys_host_alone),
		TEST(test_a_token_endpoint_sees_our_certificate_by_the_users_word_alone),
		TEST(test_manners_are_those_of_the_host_or_of_all),
		TEST(test_a_proxy_is_that_of_the_host_or_of_all),
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
