/*
 * registry_world.h - what the tests of the registry client share: a loop, a client, one or two peers, and what was told.
 * Time limits are short here; the ones that a test does not wait for are long.
 */
#ifndef BW_TESTS_REGISTRY_WORLD_H
#define BW_TESTS_REGISTRY_WORLD_H

#include "unit/unit.h"

#include <string.h>

#include "core/buf.h"
#include "core/text.h"
#include "image/digest.h"
#include "net/loop.h"
#include "registry/client.h"
#include "registry/internal.h"
#include "unit/peer.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define DIGEST	   "sha256:6e1d9709c99f2b083c2851485d1809e9d1d379aeb2e09e767c1b4ceac29d91c5"
#define INDEX	   "application/vnd.oci.image.index.v1+json"
#define FOUND                                                                          \
	"HTTP/1.1 200 OK\r\nContent-Type: " INDEX "\r\nDocker-Content-Digest: " DIGEST \
	"\r\nContent-Length: 2\r\n\r\n"
#define BODY	     "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[]}"
#define MANY	     40
#define STATUS(text) "HTTP/1.1 " text "\r\nContent-Length: 0\r\n\r\n"

struct told {
	unsigned count;
	struct bw_answer answer;
	size_t body_length;
	bool has_body;
	struct world *world;
};

struct world {
	struct bw_loop *loop;
	struct bw_registry *registry;
	struct bw_registry *view; /* of it, for strangers; NULL */
	struct bw_registry_options options;
	struct bw_credentials *credentials;
	struct bw_timer *timer;
	struct peer *peer, *other;
	SSL_CTX *tls;
	char host[32], ca[64];
	char names[MANY][16];
	struct told told[MANY];
	unsigned pending;
	void (*on_answer)(struct told *t);
	unsigned wanted; /* held answers to wait for */
};

/* --- the stage -------------------------------------------------------------------------------- */

static inline int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	w->credentials = bw_credentials_new(NULL);
	w->options.credentials = w->credentials;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(w->names[i], sizeof(w->names[i]), "r%u", i);
		w->told[i].world = w;
	}
	*state = w;
	return 0;
}

static inline int end(void **state)
{
	struct world *w = *state;

	bw_registry_free(w->view);
	bw_registry_free(w->registry);
	bw_timer_free(w->timer);
	bw_loop_free(w->loop);
	bw_credentials_free(w->credentials);
	peer_free(w->peer);
	peer_free(w->other);
	SSL_CTX_free(w->tls);
	(void)unlink(w->ca);
	free(w);
	return 0;
}

static inline void open_registry(struct world *w)
{
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_registry_new(w->loop, &w->options, &w->registry, &err), 0);
	assert_int_equal(w->registry->first_retry_ms, 250);
	assert_int_equal(w->registry->next_retry_ms, 1000);
	w->registry->first_retry_ms = 4;
	w->registry->next_retry_ms = 8;
}

static inline void open_plain(struct world *w)
{
	w->peer = peer_new(NULL);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	open_registry(w);
}

static inline void open_tls(struct world *w, const char *san)
{
	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-registry-%d.pem", (int)getpid());
	w->tls = peer_tls(san, 10, w->ca);
	w->peer = peer_new(w->tls);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	w->options.ca_file = w->ca;
	open_registry(w);
}

static inline void log_in(struct world *w, const char *user_and_password)
{
	BW_AUTOFREE char *text = NULL;
	struct bw_buf base64;
	struct bw_err err = BW_ERR_INIT;

	bw_buf_init(&base64, 1000);
	assert_true(bw_base64_encode(user_and_password, strlen(user_and_password), &base64));
	text = bw_asprintf("{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}", w->host, base64.data);
	assert_int_equal(bw_credentials_parse(w->credentials, text, strlen(text), &err), 0);
	bw_buf_done(&base64);
}

static inline void note(const struct bw_answer *a, void *arg)
{
	struct told *t = arg;
	struct world *w = t->world;

	t->count++;
	t->answer = *a;
	assert_true((a->trouble == BW_TROUBLE_NONE) == (*a->message == '\0'));
	assert_true((a->trouble == BW_TROUBLE_NONE) == bw_digest_is_set(&a->digest));
	if (--w->pending == 0)
		bw_loop_stop(w->loop);
	if (w->on_answer)
		w->on_answer(t);
}

static inline void note_body(const struct bw_answer *a, const struct bw_buf *body, void *arg)
{
	struct told *t = arg;

	t->has_body = body != NULL;
	t->body_length = body ? body->len : 0;
	note(a, arg);
}

static inline void ask(struct world *w, unsigned i)
{
	unsigned before = w->told[i].count;

	w->pending++;
	bw_registry_ask(w->registry, w->host, w->names[i], "1", NULL, note, &w->told[i]);
	assert_int_equal(w->told[i].count, before); /* never inside of the call */
}

/* Asks for r0 to r<count-1> and waits for all answers. */
static inline void ask_all(struct world *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		memset(&w->told[i].answer, 0, sizeof(w->told[i].answer));
		w->told[i].count = 0;
		ask(w, i);
	}
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(w->told[i].count, 1);
}

static inline void assert_found(const struct told *t)
{
	if (t->answer.trouble)
		fail_msg("%s: %s", bw_trouble_name(t->answer.trouble), t->answer.message);
	assert_string_equal(t->answer.digest.text, DIGEST);
	assert_string_equal(t->answer.media_type, INDEX);
}

/* `message` may hold one %s for the registry. */
static inline void assert_trouble(const struct told *t, enum bw_trouble trouble, const char *message)
{
	const char *host = t->world->host, *hole = strstr(message, "%s");
	BW_AUTOFREE char *expected =
		hole ? bw_asprintf("%.*s%s%s", (int)(hole - message), message, host, hole + 2)
		     : bw_strdup(message);

	assert_string_equal(bw_trouble_name(t->answer.trouble), bw_trouble_name(trouble));
	assert_string_equal(t->answer.message, expected);
	assert_string_equal(t->answer.digest.text, "");
}

static inline void assert_counts(const struct world *w, unsigned heads, unsigned gets, unsigned tokens,
				 unsigned retries)
{
	struct bw_registry_counts c = bw_registry_count(w->registry);

	assert_int_equal(c.heads, heads);
	assert_int_equal(c.gets, gets);
	assert_int_equal(c.tokens, tokens);
	assert_int_equal(c.retries, retries);
}

static inline char *with_body(const char *status, const char *headers, const char *body)
{
	return bw_asprintf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body),
			   body);
}

static inline void on_body(struct peer *p, const char *match, const char *headers, const char *body)
{
	BW_AUTOFREE char *answer = with_body("200 OK", headers, body);

	peer_on(p, match, "", answer);
}

/* --- answers that are held back --------------------------------------------------------------- */

static inline void release_when_full(void *arg)
{
	struct world *w = arg;

	if (peer_held(w->peer) < w->wanted) {
		bw_timer_start(w->timer, 1);
		return;
	}
	peer_release(w->peer);
}

static inline void release_later(struct world *w, unsigned wanted)
{
	w->wanted = wanted;
	w->timer = bw_timer_new(w->loop, release_when_full, w);
	bw_timer_start(w->timer, 1);
}

/* --- log-in ----------------------------------------------------------------------------------- */

static inline void want_bearer_for(struct peer *p, const char *match, const char *more)
{
	BW_AUTOFREE char *answer =
		bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			    "realm=\"http://127.0.0.1:%u/token\",service=\"s\"%s\r\n\r\n",
			    p->port, more);

	peer_on(p, match, "", answer);
}

static inline void want_bearer(struct peer *p, const char *more)
{
	want_bearer_for(p, "HEAD /v2/", more);
}

/* --- ending ----------------------------------------------------------------------------------- */

static inline void free_registry(struct told *t)
{
	bw_registry_free(BW_TAKE(t->world->registry));
	bw_loop_stop(t->world->loop);
}

#endif
