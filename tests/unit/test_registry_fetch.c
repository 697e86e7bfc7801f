/*
 * test_registry_fetch.c - manifests and blobs by digest: verified whatever the peers say, from storage elsewhere without
 * showing it who we are, one request for what is not there.
 */
#include "unit/unit.h"

#include <openssl/evp.h>
#include <string.h>

#include "registry/host.h"
#include "unit/registry_world.h"

#define CONFIG	      "{\"architecture\":\"arm64\",\"os\":\"linux\"}"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define CONFIG_DIGEST "sha256:d6f56bc20064075ce319ac2e6fcef5de9ea21773b0a8a4398c4405222971f9c0"
#define NOBODY	      "sha256:0000000000000000000000000000000000000000000000000000000000000000"

typedef void (*fetch_fn)(struct bw_registry *r, const char *registry, const char *repository,
			 const struct bw_digest *digest, bw_body_fn fn, void *arg);

static struct bw_digest sha256(const char *text)
{
	struct bw_digest d;

	bw_digest_of(text, strlen(text), &d);
	return d;
}

static struct bw_digest sha512(const char *text)
{
	unsigned char raw[64];
	struct bw_digest d = {"sha512:"};

	assert_int_equal(EVP_Digest(text, strlen(text), raw, NULL, EVP_sha512(), NULL), 1);
	for (size_t i = 0; i < sizeof(raw); i++)
		(void)snprintf(d.text + 7 + i * 2, 3, "%02x", raw[i]);
	return d;
}

static struct bw_digest digest(const char *text)
{
	struct bw_digest d;

	assert_int_equal(bw_digest_parse(text, strlen(text), &d, NULL), 0);
	return d;
}

/* Begins to fetch for r<i>. */
static void begin_fetch(struct world *w, fetch_fn fetch, unsigned i, struct bw_digest d)
{
	unsigned before = w->told[i].count;

	w->pending++;
	fetch(w->registry, w->host, w->names[i], &d, note_body, &w->told[i]);
	assert_int_equal(w->told[i].count, before); /* never inside of the call; and the digest was copied */
}

/* Fetches for r0 and waits. */
static const struct told *fetch_one(struct world *w, fetch_fn fetch, struct bw_digest d)
{
	memset(&w->told[0].answer, 0, sizeof(w->told[0].answer));
	begin_fetch(w, fetch, 0, d);
	bw_loop_run(w->loop);
	assert_true(w->told[0].has_body == (w->told[0].answer.trouble == BW_TROUBLE_NONE));
	return &w->told[0];
}

static const struct told *blob(struct world *w, const char *content)
{
	return fetch_one(w, bw_registry_fetch_blob, sha256(content));
}

static void assert_came(const struct told *t, const char *content, const char *media_type)
{
	struct bw_digest d = sha256(content);

	assert_string_equal(t->answer.message, "");
	assert_int_equal(t->answer.trouble, BW_TROUBLE_NONE);
	assert_true(t->has_body);
	assert_int_equal(t->body_length, strlen(content));
	if (strncmp(t->answer.digest.text, "sha256:", 7) == 0)
		assert_string_equal(t->answer.digest.text, d.text);
	assert_string_equal(t->answer.media_type, media_type);
}

static void redirect(struct peer *p, const char *match, const char *with, const char *scheme, unsigned port,
		     const char *path)
{
	BW_AUTOFREE char *answer =
		bw_asprintf("HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: %s://127.0.0.1:%u%s\r\n\r\n",
			    scheme, port, path);

	peer_on(p, match, with, answer);
}

/* --- what comes ------------------------------------------------------------------------------- */

static void test_a_manifest_is_fetched_and_verified(void **state)
{
	struct world *w = *state;
	struct bw_digest right = sha256(BODY), wrong = sha256("x");
	char match[256], message[256], sent[BW_DIGEST_SHORT_MAX];

	open_plain(w);
	(void)snprintf(match, sizeof(match), "GET /v2/r0/manifests/%s ", right.text);
	on_body(w->peer, match, "Content-Type: " INDEX "\r\n", BODY);
	on_body(w->peer, "GET /v2/r1/", "", BODY);
	begin_fetch(w, bw_registry_fetch, 0, right);
	begin_fetch(w, bw_registry_fetch, 1, wrong);
	begin_fetch(w, bw_registry_fetch, 2, right);
	bw_loop_run(w->loop);
	assert_came(&w->told[0], BODY, INDEX);
	(void)snprintf(message, sizeof(message), "%%s: asked for sha256:2d711642b726, and it sent %s",
		       bw_digest_short(right.text, sent));
	assert_trouble(&w->told[1], BW_TROUBLE_MALFORMED, message);
	assert_false(w->told[1].has_body);
	(void)snprintf(message, sizeof(message), "%%s does not have the manifest %s: it answered 404", sent);
	assert_trouble(&w->told[2], BW_TROUBLE_TAG_GONE, message);
	assert_false(w->told[2].has_body);
	assert_int_equal(peer_count(w->peer, "GET", "\r\nAccept: " BW_MANIFEST_ACCEPT "\r\n"), 3);
}

static void test_a_blob_is_fetched_and_verified(void **state)
{
	struct world *w = *state;
	char match[256];

	open_tls(w, "IP:127.0.0.1");
	(void)snprintf(match, sizeof(match), "GET /v2/r0/blobs/%s ", sha256(CONFIG).text);
	on_body(w->peer, match, "Content-Type: " CONFIG_TYPE "; charset=utf-8\r\n", CONFIG);
	assert_came(blob(w, CONFIG), CONFIG, CONFIG_TYPE);
	assert_counts(w, 0, 1, 0, 0);
	assert_int_equal(peer_count(w->peer, "GET", "\r\nAccept: */*\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "GET", BW_MANIFEST_ACCEPT), 0);
}

static void test_a_blob_may_be_empty(void **state)
{
	struct world *w = *state;

	open_plain(w);
	on_body(w->peer, "GET /v2/r0/blobs/", "", "");
	assert_came(blob(w, ""), "", "");
}

static void test_digests_of_other_algorithms_are_verified_as_well(void **state)
{
	struct world *w = *state;
	struct bw_digest right = sha512(CONFIG), wrong = sha512("x");
	char match[256];

	open_plain(w);
	(void)snprintf(match, sizeof(match), "GET /v2/r0/blobs/%.70s", right.text);
	on_body(w->peer, match, "Content-Type: a/b\r\n", CONFIG);
	on_body(w->peer, "GET /v2/r0/", "", CONFIG);
	assert_came(fetch_one(w, bw_registry_fetch_blob, right), CONFIG, "a/b");
	assert_string_equal(w->told[0].answer.digest.text, right.text);
	assert_came(fetch_one(w, bw_registry_fetch, right), CONFIG, "");
	assert_string_equal(w->told[0].answer.digest.text, right.text);
	assert_trouble(fetch_one(w, bw_registry_fetch_blob, wrong), BW_TROUBLE_MALFORMED,
		       "%s: asked for sha512:a4abd4448c49, and it sent sha256:d6f56bc20064");
}

static const struct {
	const char *header; /* %s: the digest of the body, in sha512 */
	const char *message;
} named[] = {
	{"", NULL},
	{"Docker-Content-Digest: " CONFIG_DIGEST "\r\n", NULL},
	{"Docker-Content-Digest: " NOBODY "\r\n",
	 "%s: its header says sha256:000000000000, and its body is sha256:d6f56bc20064"},
	{"Docker-Content-Digest: soon\r\n", NULL},
	{"Docker-Content-Digest: md5:00000000000000000000000000000000\r\n", NULL},
	{"Docker-Content-Digest: \r\n", NULL},
	{"Docker-Content-Digest: %s\r\n", NULL},
};

/* The bytes decide; but a registry that says two things at once is not believed (protocols 3.3). */
static void test_a_header_that_contradicts_the_body_is_an_error(void **state)
{
	static const fetch_fn fetches[] = {bw_registry_fetch, bw_registry_fetch_blob};

	for (size_t i = 0; i < BW_COUNT(named) * 2; i++) {
		struct world *w = *state;
		const char *header = named[i / 2].header, *hole = strstr(header, "%s");
		BW_AUTOFREE char *filled =
			hole ? bw_asprintf("Docker-Content-Digest: %s\r\n", sha512(CONFIG).text)
			     : bw_strdup(header);
		const struct told *t;

		open_plain(w);
		on_body(w->peer, "GET /v2/r0/", filled, CONFIG);
		t = fetch_one(w, fetches[i % 2], sha256(CONFIG));
		if (named[i / 2].message)
			assert_trouble(t, BW_TROUBLE_MALFORMED, named[i / 2].message);
		else
			assert_came(t, CONFIG, "");
		assert_counts(w, 0, 2, 0, 0);
		end(state);
		begin(state);
	}
}

/* The digest of such an image is not that of its bytes: that is no reason to blame the registry. */
static void test_a_manifest_of_schema_1_cannot_be_verified(void **state)
{
	struct world *w = *state;

	open_plain(w);
	on_body(w->peer, "GET /v2/r0/",
		"Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws\r\n",
		"{\"schemaVersion\":1}");
	assert_trouble(
		fetch_one(w, bw_registry_fetch, digest(DIGEST)), BW_TROUBLE_MALFORMED,
		"%s: an image of schema 1, a format that registries have given up; its digest cannot be "
		"verified: push it again with a current tool");
	assert_trouble(fetch_one(w, bw_registry_fetch_blob, digest(DIGEST)), BW_TROUBLE_MALFORMED,
		       "%s: asked for sha256:6e1d9709c99f, and it sent sha256:0e9561cfb83d");
}

/* --- how much --------------------------------------------------------------------------------- */

static char *make_large(size_t size)
{
	char *text = bw_alloc(size + 1);

	memset(text, 'x', size);
	text[size] = '\0';
	return text;
}

static void test_a_blob_may_be_as_large_as_the_limit(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *large = make_large(BW_MAX_CONFIG_BYTES);

	open_plain(w);
	on_body(w->peer, "GET /v2/r0/", "", large);
	assert_came(blob(w, large), large, "");
	assert_trouble(fetch_one(w, bw_registry_fetch, sha256(large)), BW_TROUBLE_LIMIT,
		       "%s: the answer is larger than we take");
}

static void test_a_blob_that_is_too_large_is_not_read(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *large = make_large(BW_MAX_CONFIG_BYTES + 1);
	BW_AUTOFREE char *endless = bw_asprintf("HTTP/1.1 200 OK\r\n\r\n%s", large);

	open_plain(w);
	peer_on(w->peer, "GET /v2/r0/", "", "HTTP/1.1 200 OK\r\nContent-Length: 8388609\r\n\r\n")->times = 1;
	peer_on(w->peer, "GET /v2/r0/", "", endless)->act = PEER_CLOSE;
	assert_trouble(blob(w, large), BW_TROUBLE_LIMIT, "%s: the answer is larger than we take");
	assert_trouble(blob(w, large), BW_TROUBLE_LIMIT, "%s: the answer is larger than we take");
	assert_counts(w, 0, 3, 0, 0);
}

/* --- what does not come ----------------------------------------------------------------------- */

static const struct {
	const char *status, *body;
	enum bw_trouble trouble;
	const char *message;
} refusals[] = {
	{"404 No", "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"blob unknown to registry\"}]}",
	 BW_TROUBLE_TAG_GONE,
	 "%s does not have the # sha256:d6f56bc20064: it answered 404, blob unknown to registry"},
	{"404 No", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}", BW_TROUBLE_TAG_GONE,
	 "%s does not have the # sha256:d6f56bc20064: it answered 404, MANIFEST_UNKNOWN"},
	{"404 No", "", BW_TROUBLE_TAG_GONE, "%s does not have the # sha256:d6f56bc20064: it answered 404"},
	{"410 No", "<html>", BW_TROUBLE_TAG_GONE,
	 "%s does not have the # sha256:d6f56bc20064: it answered 410"},
	{"400 No", "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}", BW_TROUBLE_TAG_GONE,
	 "%s does not have the # sha256:d6f56bc20064: it answered 400, DIGEST_INVALID"},
	{"404 No", "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such name\"}]}",
	 BW_TROUBLE_REPOSITORY_GONE,
	 "%s does not have the # sha256:d6f56bc20064: it answered 404, no such name"},
	{"403 No", "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not for you\"}]}", BW_TROUBLE_DENIED,
	 "%s answered 403: not for you"},
	{"403 No", "", BW_TROUBLE_DENIED, "%s answered 403"},
	{"400 No", "", BW_TROUBLE_MALFORMED, "%s answered 400"},
	{"204 Nothing", "", BW_TROUBLE_MALFORMED, "%s answered 204"},
	{"206 Some", CONFIG, BW_TROUBLE_MALFORMED, "%s answered 206"},
	{"302 Go", "", BW_TROUBLE_MALFORMED, "%s answered 302"},
};

/* `message` with # for what was asked for. */
static char *about(const char *message, const char *what)
{
	const char *hole = strchr(message, '#');

	return hole ? bw_asprintf("%.*s%s%s", (int)(hole - message), message, what, hole + 1)
		    : bw_strdup(message);
}

/* Neither HEAD nor the list of tags: one request, one answer. */
static void test_what_is_not_there_costs_one_request(void **state)
{
	for (size_t i = 0; i < BW_COUNT(refusals) * 2; i++) {
		struct world *w = *state;
		bool is_blob = i % 2;
		BW_AUTOFREE char *answer = with_body(refusals[i / 2].status, "", refusals[i / 2].body);
		BW_AUTOFREE char *message = about(refusals[i / 2].message, is_blob ? "blob" : "manifest");

		open_plain(w);
		peer_on(w->peer, "GET /v2/r0/", "", answer);
		assert_trouble(
			fetch_one(w, is_blob ? bw_registry_fetch_blob : bw_registry_fetch, sha256(CONFIG)),
			refusals[i / 2].trouble, message);
		assert_int_equal(peer_count(w->peer, "", ""), 1);
		end(state);
		begin(state);
	}
}

static void test_errors_that_may_pass_are_tried_again(void **state)
{
	struct world *w = *state;
	struct peer_rule *cut;

	open_plain(w);
	peer_on(w->peer, "GET /v2/r0/", "", STATUS("503 Oops"))->times = 1;
	cut = peer_on(w->peer, "GET /v2/r0/", "", "HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n{\"arch");
	cut->act = PEER_CLOSE;
	cut->times = 1;
	on_body(w->peer, "GET /v2/r0/", "", CONFIG);
	assert_came(blob(w, CONFIG), CONFIG, "");
	assert_counts(w, 0, 4, 0, 2);
}

static void test_errors_that_do_not_pass_end(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "GET /v2/r0/", "", STATUS("500 Oops"));
	assert_trouble(blob(w, CONFIG), BW_TROUBLE_SERVER, "%s answered 500");
	assert_counts(w, 0, 4, 0, 2);
}

/* --- log-in ----------------------------------------------------------------------------------- */

static void test_the_token_of_a_repository_serves_its_blobs(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *config = with_body("200 OK", "", CONFIG);

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "Authorization: Bearer T0\r\n", FOUND);
	peer_on(w->peer, "GET /v2/r0/blobs/", "Authorization: Bearer T0\r\n", config);
	want_bearer_for(w->peer, "GET /v2/", "");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull ", "", "{\"token\":\"T0\"}");
	assert_came(blob(w, CONFIG), CONFIG, "");
	assert_counts(w, 0, 3, 1, 0); /* TLS, the 401, the answer */
	assert_came(blob(w, CONFIG), CONFIG, "");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_counts(w, 1, 4, 1, 0);
}

static void test_a_token_that_went_bad_is_replaced(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *config = with_body("200 OK", "", CONFIG);

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "Authorization: Bearer T0\r\n", FOUND);
	peer_on(w->peer, "GET /v2/r0/blobs/", "Authorization: Bearer T1\r\n", config);
	want_bearer_for(w->peer, "HEAD /v2/", "");
	want_bearer_for(w->peer, "GET /v2/", ",error=\"invalid_token\"");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	w->peer->rules[4].times = 1;
	on_body(w->peer, "GET /token", "", "{\"token\":\"T1\"}");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_came(blob(w, CONFIG), CONFIG, "");
	assert_counts(w, 3, 2, 2, 0);
}

static void test_what_the_token_does_not_allow_is_denied(void **state)
{
	struct world *w = *state;

	open_plain(w);
	want_bearer_for(w->peer, "GET /v2/", ",error=\"insufficient_scope\"");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	assert_trouble(blob(w, CONFIG), BW_TROUBLE_DENIED, "%s: no such repository, or access is denied");
	assert_counts(w, 0, 3, 1, 0);
}

/* --- storage elsewhere ------------------------------------------------------------------------ */

static void test_storage_elsewhere_does_not_learn_who_we_are(void **state)
{
	static const char *const shown[] = {"Authorization: Basic Ym90OnNlc2FtZQ==\r\n",
					    "Authorization: Bearer T0\r\n"};

	for (size_t i = 0; i < BW_COUNT(shown); i++) {
		struct world *w = *state;

		open_plain(w);
		w->other = peer_new(NULL);
		log_in(w, "bot:sesame");
		redirect(w->peer, "GET /v2/", shown[i], "http", w->other->port, "/store/c?signature=abc");
		if (i == 0)
			peer_on(w->peer, "GET /v2/", "",
				"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic "
				"realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
		else
			want_bearer_for(w->peer, "GET /v2/", "");
		on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
		on_body(w->other, "GET /store/c?signature=abc ", "Content-Type: binary/octet-stream\r\n",
			CONFIG);
		assert_came(blob(w, CONFIG), CONFIG, "binary/octet-stream");
		assert_came(fetch_one(w, bw_registry_fetch, sha256(CONFIG)), CONFIG, "binary/octet-stream");
		assert_int_equal(peer_count(w->peer, "GET /v2/", shown[i]), 2);
		assert_int_equal(peer_count(w->other, "", ""), 2);
		assert_int_equal(peer_count(w->other, "", "uthorization"), 0);
		assert_int_equal(peer_count(w->other, "", "bot"), 0);
		end(state);
		begin(state);
	}
}

static void test_storage_of_the_same_origin_is_asked_as_the_registry(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *config = with_body("200 OK", "", CONFIG);

	open_plain(w);
	redirect(w->peer, "GET /v2/", "Authorization: Bearer T0\r\n", "http", w->peer->port, "/store");
	want_bearer_for(w->peer, "GET /v2/", "");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	peer_on(w->peer, "GET /store ", "Authorization: Bearer T0\r\n", config);
	assert_came(blob(w, CONFIG), CONFIG, "");
}

static const struct {
	const char *answer;
	enum bw_trouble trouble;
	const char *message; /* with %u for the port of the storage */
} stores[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", BW_TROUBLE_MALFORMED,
	 "127.0.0.1:%u: asked for sha256:d6f56bc20064, and it sent sha256:44136fa355b3"},
	{"HTTP/1.1 404 No\r\nContent-Length: 37\r\n\r\n<Error><Code>NoSuchKey</Code></Error>",
	 BW_TROUBLE_TAG_GONE, "127.0.0.1:%u does not have the blob sha256:d6f56bc20064: it answered 404"},
	{STATUS("403 No"), BW_TROUBLE_DENIED, "127.0.0.1:%u answered 403"},
	{STATUS("503 No"), BW_TROUBLE_SERVER, "127.0.0.1:%u answered 503"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 8388609\r\n\r\n", BW_TROUBLE_LIMIT,
	 "127.0.0.1:%u: the answer is larger than we take"},
};

static void test_trouble_of_the_storage_is_told_as_its_own(void **state)
{
	for (size_t i = 0; i < BW_COUNT(stores); i++) {
		struct world *w = *state;
		BW_AUTOFREE char *message = NULL;
		const char *hole = strstr(stores[i].message, "%u");

		open_plain(w);
		w->other = peer_new(NULL);
		redirect(w->peer, "GET /v2/", "", "http", w->other->port, "/x");
		peer_on(w->other, "GET /x ", "", stores[i].answer);
		message = bw_asprintf("127.0.0.1:%u%s", w->other->port, hole + 2);
		assert_trouble(blob(w, CONFIG), stores[i].trouble, message);
		end(state);
		begin(state);
	}
}

static void test_a_log_in_that_the_storage_wants_is_trouble(void **state)
{
	struct world *w = *state;
	char message[128];

	open_plain(w);
	w->other = peer_new(NULL);
	log_in(w, "bot:sesame");
	redirect(w->peer, "GET /v2/", "", "http", w->other->port, "/x");
	peer_on(w->other, "GET /x ", "",
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	(void)snprintf(message, sizeof(message), "%%s redirects to 127.0.0.1:%u, which wants a log-in",
		       w->other->port);
	assert_trouble(blob(w, CONFIG), BW_TROUBLE_AUTH, message);
	assert_int_equal(peer_count(w->other, "", ""), 1);
	assert_int_equal(peer_count(w->other, "", "uthorization"), 0);
}

static void test_nobody_is_sent_from_tls_to_plain(void **state)
{
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1");
	w->other = peer_new(NULL);
	redirect(w->peer, "GET /v2/", "", "http", w->other->port, "/x");
	on_body(w->other, "GET /x ", "", CONFIG);
	assert_int_equal(blob(w, CONFIG)->answer.trouble, BW_TROUBLE_MALFORMED);
	assert_non_null(strstr(w->told[0].answer.message, "http"));
	assert_int_equal(peer_count(w->other, "", ""), 0);
}

static void test_five_redirects_are_followed_and_no_more(void **state)
{
	struct world *w = *state;

	open_plain(w);
	redirect(w->peer, "GET /v2/r0/", "", "http", w->peer->port, "/1");
	redirect(w->peer, "GET /1 ", "", "http", w->peer->port, "/2");
	redirect(w->peer, "GET /2 ", "", "http", w->peer->port, "/3");
	redirect(w->peer, "GET /3 ", "", "http", w->peer->port, "/4");
	redirect(w->peer, "GET /4 ", "", "http", w->peer->port, "/5");
	redirect(w->peer, "GET /v2/r1/", "", "http", w->peer->port, "/v2/r0/");
	on_body(w->peer, "GET /5 ", "", CONFIG);
	assert_came(blob(w, CONFIG), CONFIG, "");
	w->told[1].count = 0;
	begin_fetch(w, bw_registry_fetch_blob, 1, sha256(CONFIG));
	bw_loop_run(w->loop);
	assert_int_equal(w->told[1].answer.trouble, BW_TROUBLE_MALFORMED);
	assert_non_null(strstr(w->told[1].answer.message, "redirects"));
	assert_int_equal(peer_count(w->peer, "GET /5 ", ""), 1);
}

/* Its registry answered: that blobs cannot be had must not keep anybody from asking what its tags point to. */
static void test_storage_that_is_down_does_not_fail_its_registry(void **state)
{
	struct world *w = *state;

	open_plain(w);
	redirect(w->peer, "GET /v2/", "", "http", 1, "/x");
	peer_on(w->peer, "HEAD /v2/", "", FOUND);
	for (unsigned i = 0; i < 6; i++)
		begin_fetch(w, bw_registry_fetch_blob, i, sha256(CONFIG));
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(w->told[i].answer.trouble, BW_TROUBLE_CONNECTION);
		assert_int_equal(strncmp(w->told[i].answer.message, "127.0.0.1:1: ", 13), 0);
	}
	assert_counts(w, 0, 19, 0, 12); /* each was tried three times */
	w->told[0].count = 0;
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

/* One that only redirects has shown that it speaks plainly: it is not asked with TLS again and again. */
static void test_a_redirect_is_an_answer(void **state)
{
	struct world *w = *state;

	open_plain(w);
	w->other = peer_new(NULL);
	redirect(w->peer, "GET /v2/", "", "http", w->other->port, "/x");
	on_body(w->other, "GET /x ", "", CONFIG);
	assert_came(blob(w, CONFIG), CONFIG, "");
	assert_came(blob(w, CONFIG), CONFIG, "");
	assert_counts(w, 0, 3, 0, 0);
	assert_int_equal(((struct bw_host *)bw_map_get(w->registry->hosts, w->host))->state,
			 BW_CIRCUIT_CLOSED);
}

/* --- among others ----------------------------------------------------------------------------- */

/* One queue for all: who came first goes first, whatever he wants. */
static void test_fetches_and_questions_take_turns(void **state)
{
	struct world *w = *state;

	w->options.connections = 1;
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", FOUND)->act = PEER_HOLD;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	on_body(w->peer, "GET /v2/r", "", CONFIG);
	for (unsigned i = 0; i < MANY; i++) {
		if (i % 10 == 5)
			begin_fetch(w, bw_registry_fetch_blob, i, sha256(CONFIG));
		else if (i % 10 == 6)
			begin_fetch(w, bw_registry_fetch, i, sha256(CONFIG));
		else
			ask(w, i);
	}
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE - MANY + 1);
	release_later(w, 1);
	bw_loop_run(w->loop);
	assert_int_equal(peer_count(w->peer, "", ""), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		BW_AUTOFREE char *start =
			bw_asprintf("%s /v2/r%u/%s/", i % 10 == 5 || i % 10 == 6 ? "GET" : "HEAD", i,
				    i % 10 == 5 ? "blobs" : "manifests");

		assert_int_equal(strncmp(w->peer->requests[i], start, strlen(start)), 0);
		assert_int_equal(w->told[i].count, 1);
		assert_int_equal(w->told[i].answer.trouble, BW_TROUBLE_NONE);
	}
	assert_counts(w, MANY - 8 + 1, 8, 0, 0);
}

static void test_the_registry_may_be_freed_with_the_body_at_hand(void **state)
{
	struct world *w = *state;

	open_plain(w);
	on_body(w->peer, "GET /v2/r", "", CONFIG);
	w->on_answer = free_registry;
	for (unsigned i = 0; i < 5; i++)
		begin_fetch(w, bw_registry_fetch_blob, i, sha256(CONFIG));
	bw_loop_run(w->loop);
	assert_came(&w->told[0], CONFIG, "");
	assert_int_equal(w->told[4].count, 0);
}

/* --- asking by digest ------------------------------------------------------------------------- */

static void ask_for(struct world *w, const char *what)
{
	w->pending++;
	memset(&w->told[0].answer, 0, sizeof(w->told[0].answer));
	bw_registry_ask(w->registry, w->host, "r0", what, NULL, note, &w->told[0]);
	bw_loop_run(w->loop);
}

static void test_a_digest_that_was_asked_for_must_be_the_one(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_for(w, DIGEST);
	assert_found(&w->told[0]);
	ask_for(w, NOBODY);
	assert_trouble(&w->told[0], BW_TROUBLE_MALFORMED,
		       "%s: asked for sha256:000000000000, and it answers about sha256:6e1d9709c99f");
}

static void test_it_must_be_the_one_where_only_get_works_too(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:xyz\r\n\r\n");
	on_body(w->peer, "GET /v2/r", "Content-Type: a/b\r\n", CONFIG);
	ask_for(w, sha256(CONFIG).text);
	assert_string_equal(w->told[0].answer.message, "");
	assert_string_equal(w->told[0].answer.digest.text, sha256(CONFIG).text);
	assert_string_equal(w->told[0].answer.media_type, "a/b");
	ask_for(w, NOBODY);
	assert_trouble(&w->told[0], BW_TROUBLE_MALFORMED,
		       "%s: asked for sha256:000000000000, and it sent sha256:d6f56bc20064");
}

/* HEAD, and GET for the reason: the list of tags says nothing about a digest. */
static void test_a_digest_that_is_gone_is_no_matter_of_tags(void **state)
{
	struct world *w = *state;

	open_plain(w);
	ask_for(w, NOBODY);
	assert_trouble(&w->told[0], BW_TROUBLE_TAG_GONE,
		       "%s does not have the manifest sha256:000000000000: it answered 404");
	assert_int_equal(peer_count(w->peer, "", ""), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_manifest_is_fetched_and_verified),
		TEST(test_a_blob_is_fetched_and_verified),
		TEST(test_a_blob_may_be_empty),
		TEST(test_digests_of_other_algorithms_are_verified_as_well),
		TEST(test_a_header_that_contradicts_the_body_is_an_error),
		TEST(test_a_manifest_of_schema_1_cannot_be_verified),
		TEST(test_a_blob_may_be_as_large_as_the_limit),
		TEST(test_a_blob_that_is_too_large_is_not_read),
		TEST(test_what_is_not_there_costs_one_request),
		TEST(test_errors_that_may_pass_are_tried_again),
		TEST(test_errors_that_do_not_pass_end),
		TEST(test_the_token_of_a_repository_serves_its_blobs),
		TEST(test_a_token_that_went_bad_is_replaced),
		TEST(test_what_the_token_does_not_allow_is_denied),
		TEST(test_storage_elsewhere_does_not_learn_who_we_are),
		TEST(test_storage_of_the_same_origin_is_asked_as_the_registry),
		TEST(test_trouble_of_the_storage_is_told_as_its_own),
		TEST(test_a_log_in_that_the_storage_wants_is_trouble),
		TEST(test_nobody_is_sent_from_tls_to_plain),
		TEST(test_five_redirects_are_followed_and_no_more),
		TEST(test_storage_that_is_down_does_not_fail_its_registry),
		TEST(test_a_redirect_is_an_answer),
		TEST(test_fetches_and_questions_take_turns),
		TEST(test_the_registry_may_be_freed_with_the_body_at_hand),
		TEST(test_a_digest_that_was_asked_for_must_be_the_one),
		TEST(test_it_must_be_the_one_where_only_get_works_too),
		TEST(test_a_digest_that_is_gone_is_no_matter_of_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
