/* test_mirrors.c - registries that have mirrors: who is asked, in which order, and who is believed. */
#include "unit/registry_world.h"

#include "core/def.h"
#include "registry/host.h"
#include "registry/question.h"
#include "registry/relay.h"

#define OLDER "sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
#define NAMES(digest)                                                                  \
	"HTTP/1.1 200 OK\r\nContent-Type: " INDEX "\r\nDocker-Content-Digest: " digest \
	"\r\nContent-Length: 2\r\n\r\n"
#define FAR	      600000
#define ONLY	      " itself is not asked (mirrors-only)"
#define NO_REPOSITORY "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}"

/* w->peer is the registry itself, w->other its first mirror, and here is what the second needs. */
struct mirrors {
	struct world *world;
	struct peer *second;
	char names[2][32], urls[2][96];
	const char *list[3];
	struct bw_registry_host_options host;
};

static void name_mirror(struct mirrors *m, unsigned i, const struct peer *p, const char *more)
{
	(void)snprintf(m->names[i], sizeof(m->names[i]), "127.0.0.1:%u", p->port);
	(void)snprintf(m->urls[i], sizeof(m->urls[i]), "http://127.0.0.1:%u%s", p->port, more);
	m->list[i] = m->urls[i];
}

/* `count` of mirrors, their URLs with `more` behind them. */
static void open_mirrors(struct mirrors *m, struct world *w, unsigned count, const char *more)
{
	m->world = w;
	w->peer = peer_new(NULL);
	w->other = peer_new(NULL);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->peer->port);
	name_mirror(m, 0, w->other, more);
	if (count == 2) {
		m->second = peer_new(NULL);
		name_mirror(m, 1, m->second, more);
	}
	m->host.host = w->host;
	m->host.mirrors = m->list;
	w->options.hosts = &m->host;
	w->options.host_count = 1;
	open_registry(w);
}

static void close_mirrors(struct mirrors *m)
{
	bw_registry_free(BW_TAKE(m->world->registry));
	peer_free(BW_TAKE(m->second));
}

static void ask_known(struct world *w, unsigned i, const char *known)
{
	unsigned before = w->told[i].count;

	w->pending++;
	bw_registry_ask(w->registry, w->host, w->names[i], "1", known, note, &w->told[i]);
	assert_int_equal(w->told[i].count, before); /* never inside of the call */
}

static const struct told *answer_to(struct world *w, const char *known)
{
	memset(&w->told[0].answer, 0, sizeof(w->told[0].answer));
	ask_known(w, 0, known);
	bw_loop_run(w->loop);
	return &w->told[0];
}

static void assert_requests(const struct mirrors *m, unsigned origin, unsigned first, unsigned second)
{
	assert_int_equal(peer_count(m->world->peer, "", ""), origin);
	assert_int_equal(peer_count(m->world->other, "", ""), first);
	assert_int_equal(m->second ? peer_count(m->second, "", "") : 0, second);
}

static unsigned mirrored(const struct world *w)
{
	return (unsigned)bw_registry_count(w->registry).mirrored;
}

static void assert_message(const struct told *t, enum bw_trouble trouble, const char *start,
			   const char *end_of_it)
{
	const struct bw_answer *a = &t->answer;

	assert_string_equal(bw_trouble_name(a->trouble), bw_trouble_name(trouble));
	if (strncmp(a->message, start, strlen(start)) != 0 || !bw_text_ends(a->message, end_of_it))
		fail_msg("\"%s\" is not \"%s\" ... \"%s\"", a->message, start, end_of_it);
}

/* --- the tag ---------------------------------------------------------------------------------- */

static void test_a_mirror_that_names_what_is_known_is_believed(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	struct bw_registry_facts facts;

	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "HEAD /v2/r0/manifests/1 ", "", FOUND);
	assert_found(answer_to(w, DIGEST));
	assert_requests(&m, 0, 1, 0);
	assert_counts(w, 1, 0, 0, 0); /* http:// says that TLS need not be tried */
	assert_int_equal(mirrored(w), 1);
	assert_true(bw_registry_look(w->registry, m.names[0], &facts));
	assert_false(bw_registry_look(w->registry, w->host, &facts)); /* it has said nothing */
	close_mirrors(&m);
}

static void test_what_is_seen_first_is_asked_of_the_registry_itself(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 1, "");
	peer_on(w->peer, "HEAD /v2/r0/manifests/1 ", "", FOUND);
	assert_found(answer_to(w, NULL));
	assert_found(answer_to(w, ""));
	assert_requests(&m, 2, 0, 0);
	assert_int_equal(mirrored(w), 0);
	close_mirrors(&m);
}

static void test_another_digest_is_asked_of_the_registry_itself(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "HEAD /", "", NAMES(OLDER));
	peer_on(w->peer, "HEAD /", "", FOUND);
	assert_found(answer_to(w, DIGEST));
	assert_requests(&m, 1, 1, 0); /* the second mirror would say no more */
	assert_int_equal(mirrored(w), 0);
	close_mirrors(&m);
}

static void test_a_change_is_what_the_registry_itself_says(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "HEAD /", "", NAMES("sha256:" OLDER)); /* no digest at all */
	peer_on(w->other, "GET /", "", STATUS("500 No"));
	peer_on(w->peer, "HEAD /", "", FOUND);
	assert_found(answer_to(w, OLDER));
	close_mirrors(&m);
}

static void test_a_claim_that_nobody_confirms_is_trouble(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	BW_AUTOFREE char *expected = NULL;

	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "HEAD /", "", NAMES(OLDER));
	peer_on(w->peer, "", "", STATUS("403 No"));
	expected = bw_asprintf(
		"; its mirror %s names sha256:b5bb9d8014a0, which is not believed before it says so "
		"itself",
		m.names[0]);
	assert_message(answer_to(w, DIGEST), BW_TROUBLE_DENIED, w->host, expected);
	close_mirrors(&m);
}

static void test_mirrors_are_asked_in_order_and_then_the_registry(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "", "", STATUS("503 Later"));
	/* The second has nothing at all: 404 to everything. */
	peer_on(w->peer, "HEAD /", "", FOUND);
	assert_found(answer_to(w, DIGEST));
	assert_requests(&m, 1, 1, 1);	  /* no second attempt, and no GET to learn why it is not there */
	assert_counts(w, 3 + 1, 0, 0, 0); /* the registry itself speaks no TLS, either */
	close_mirrors(&m);
}

static void test_the_second_mirror_stands_in_for_the_first(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "", "", "")->act = PEER_RESET;
	peer_on(m.second, "HEAD /", "", FOUND);
	assert_found(answer_to(w, DIGEST));
	assert_requests(&m, 0, 1, 1);
	assert_int_equal(mirrored(w), 1);
	close_mirrors(&m);
}

static void test_absence_is_believed_of_the_registry_itself(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 1, "");
	on_body(w->peer, "GET /v2/r0/tags/", "", "{\"tags\":[\"2\"]}");
	assert_message(answer_to(w, DIGEST), BW_TROUBLE_TAG_GONE, w->host, " answered 404");
	assert_requests(&m, 3, 1, 0);
	close_mirrors(&m);
}

static void test_the_trouble_of_a_mirror_is_told_with_that_of_the_registry(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	BW_AUTOFREE char *expected = NULL;

	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "", "", STATUS("500 No"));
	peer_on(w->peer, "", "", STATUS("403 No"));
	expected = bw_asprintf("; of its mirror: %s answered 500", m.names[0]);
	assert_message(answer_to(w, DIGEST), BW_TROUBLE_DENIED, w->host, expected);
	close_mirrors(&m);
}

static void test_a_mirror_may_want_to_know_whose_it_is(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	BW_AUTOFREE char *match = NULL;

	open_mirrors(&m, w, 1, "/hub/a?ns");
	match = bw_asprintf("HEAD /v2/hub/a/r0/manifests/1?ns=%s HTTP", w->host);
	peer_on(w->other, match, "", FOUND);
	assert_found(answer_to(w, DIGEST));
	assert_requests(&m, 0, 1, 0);
	close_mirrors(&m);
}

/* --- of what use they are --------------------------------------------------------------------- */

struct turns {
	unsigned off, on;
	char why[BW_ANSWER_MESSAGE_MAX];
};

static void turned(const char *registry, const char *mirror, const char *why, void *arg)
{
	struct turns *t = arg;

	assert_non_null(registry);
	assert_non_null(mirror);
	if (!why) {
		t->on++;
		return;
	}
	t->off++;
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
}

static void ask_again(struct world *w, unsigned i)
{
	memset(&w->told[i].answer, 0, sizeof(w->told[i].answer));
	ask_known(w, i, DIGEST);
	bw_loop_run(w->loop);
}

static void assert_use(const struct world *w, unsigned answers, unsigned unusable, const char *why)
{
	struct bw_mirror_facts facts;

	assert_true(bw_registry_mirror_look(w->registry, 0, &facts));
	assert_int_equal(facts.answers, answers);
	assert_int_equal(facts.unusable, unusable);
	assert_string_equal(facts.why, why);
}

/* r0: both have it; r1: only the registry; r2: nobody; r3: the mirror names another. */
static void test_of_what_use_a_mirror_is_shows_when_the_registry_has_answered(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	struct turns turns = {0};
	struct bw_mirror_facts facts;

	w->options.mirror_turned = turned;
	w->options.mirror_arg = &turns;
	open_mirrors(&m, w, 1, "/hub");
	peer_on(w->other, "HEAD /v2/hub/r0/", "", FOUND);
	peer_on(w->other, "HEAD /v2/hub/r3/", "", NAMES(OLDER));
	peer_on(w->peer, "HEAD /v2/r1/", "", FOUND);
	peer_on(w->peer, "HEAD /v2/r3/", "", FOUND);
	ask_again(w, 0);
	ask_again(w, 2);
	assert_use(w, 2, 0, "");
	ask_again(w, 1);
	assert_use(w, 2, 1, "answered 404");
	ask_again(w, 3);
	assert_use(w, 2, 2, "names sha256:b5bb9d8014a0, and the registry itself sha256:6e1d9709c99f");
	assert_int_equal(turns.off, 0);
	ask_again(w, 1);
	ask_again(w, 1);
	assert_int_equal(turns.off, 1);
	assert_string_equal(turns.why, "answered 404");
	ask_again(w, 0);
	ask_again(w, 0);
	assert_int_equal(turns.on, 1);
	assert_int_equal(turns.off, 1);
	assert_use(w, 4, 4, "answered 404");
	assert_false(bw_registry_mirror_look(w->registry, 1, &facts));
	close_mirrors(&m);
}

/* --- there are only mirrors ------------------------------------------------------------------- */

static void test_the_only_ones_are_believed_at_first_sight(void **state)
{
	struct mirrors m = {.host.mirrors_only = true};
	struct world *w = *state;

	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "", "", STATUS("500 No"));
	peer_on(m.second, "HEAD /", "", FOUND);
	assert_found(answer_to(w, NULL));
	assert_found(answer_to(w, OLDER));
	assert_requests(&m, 0, 2, 2);
	assert_int_equal(mirrored(w), 2);
	close_mirrors(&m);
}

static void test_absent_is_what_all_of_them_lack(void **state)
{
	BW_AUTOFREE char *no = with_body("404 Not Found", "", NO_REPOSITORY);
	struct mirrors m = {.host.mirrors_only = true};
	struct world *w = *state;
	BW_AUTOFREE char *start = NULL;

	open_mirrors(&m, w, 2, "?ns=x.lan");
	peer_on(w->other, "GET /", "", no); /* the first has not even the repository */
	on_body(m.second, "GET /v2/r0/tags/list?n=1&ns=x.lan ", "", "{\"tags\":[]}");
	start = bw_asprintf("its 2 mirrors lack it; %s: answered 404; ", m.names[1]);
	assert_message(answer_to(w, DIGEST), BW_TROUBLE_TAG_GONE, start, ONLY);
	assert_int_equal(peer_count(m.second, "GET /v2/r0/tags/", ""), 1);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
	close_mirrors(&m);
}

static void test_a_repository_that_all_lack_is_gone(void **state)
{
	BW_AUTOFREE char *no = with_body("404 Not Found", "", NO_REPOSITORY);
	struct mirrors m = {.host.mirrors_only = true};
	struct world *w = *state;

	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "GET /", "", no);
	peer_on(m.second, "GET /", "", no);
	assert_message(answer_to(w, DIGEST), BW_TROUBLE_REPOSITORY_GONE, "its 2 mirrors lack it; ", ONLY);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
	close_mirrors(&m);
}

static void test_absence_is_not_known_while_one_of_them_fails(void **state)
{
	struct mirrors m = {.host.mirrors_only = true};
	struct world *w = *state;
	BW_AUTOFREE char *start = NULL;

	open_mirrors(&m, w, 2, "");
	peer_on(m.second, "", "", STATUS("403 No"));
	start = bw_asprintf("mirror %s: answered 403; %s itself", m.names[1], w->host);
	assert_message(answer_to(w, DIGEST), BW_TROUBLE_DENIED, start, ONLY);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
	close_mirrors(&m);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static const struct told *body_of(struct world *w, const struct bw_digest *d, bool is_blob)
{
	struct told *t = &w->told[0];

	memset(&t->answer, 0, sizeof(t->answer));
	w->pending++;
	if (is_blob)
		bw_registry_fetch_blob(w->registry, w->host, "r0", d, note_body, t);
	else
		bw_registry_fetch(w->registry, w->host, "r0", d, note_body, t);
	bw_loop_run(w->loop);
	return t;
}

static void test_bodies_come_from_whoever_has_the_right_bytes(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	struct bw_digest d;
	BW_AUTOFREE char *match = NULL;

	open_mirrors(&m, w, 2, "/hub?ns=x.lan");
	bw_digest_of(BODY, strlen(BODY), &d);
	match = bw_asprintf("GET /v2/hub/r0/blobs/%s?ns=x.lan ", d.text);
	on_body(w->other, "GET /v2/hub/r0/manifests/", "", BODY " ");
	on_body(m.second, match, "", BODY);
	on_body(w->peer, "GET /v2/r0/manifests/", "", BODY);
	assert_true(body_of(w, &d, false)->has_body);
	assert_requests(&m, 1, 1, 1); /* other bytes, nothing, the body */
	assert_int_equal(mirrored(w), 0);
	assert_true(body_of(w, &d, true)->has_body);
	assert_requests(&m, 1, 2, 2);
	assert_int_equal(mirrored(w), 1);
	assert_counts(w, 0, 5 + 1, 0, 0);
	close_mirrors(&m);
}

static void test_a_body_that_nobody_has_is_gone(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	struct bw_digest d;

	open_mirrors(&m, w, 1, "");
	bw_digest_of(BODY, strlen(BODY), &d);
	assert_message(body_of(w, &d, false), BW_TROUBLE_TAG_GONE, w->host, "");
	assert_false(w->told[0].has_body);
	assert_requests(&m, 1, 1, 0);
	close_mirrors(&m);
}

/* --- who we are ------------------------------------------------------------------------------- */

#define BASIC_401 "HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n"

static void want_basic(struct peer *p)
{
	peer_on(p, "HEAD /", "Authorization: Basic", FOUND);
	peer_on(p, "HEAD /", "", BASIC_401);
}

static void test_credentials_are_those_of_the_one_who_is_asked(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	BW_AUTOFREE char *text = NULL;
	struct bw_err err = BW_ERR_INIT;

	open_mirrors(&m, w, 2, "");
	want_basic(w->peer);
	want_basic(w->other);
	want_basic(m.second);
	log_in(w, "origin:secret");
	text = bw_asprintf("{\"auths\":{\"%s\":{\"auth\":\"bTI6YQ==\"}}}", m.names[1]);
	assert_int_equal(bw_credentials_parse(w->credentials, text, strlen(text), &err), 0);
	assert_found(answer_to(w, DIGEST));
	assert_int_equal(peer_count(w->other, "", "Authorization:"), 0);
	assert_int_equal(peer_count(m.second, "", "Authorization: Basic bTI6YQ=="), 1);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
	assert_found(answer_to(w, NULL));
	assert_int_equal(peer_count(w->peer, "", "Authorization: Basic b3JpZ2luOnNlY3JldA=="), 1);
	assert_int_equal(peer_count(w->other, "", "Authorization:"), 0);
	assert_int_equal(peer_count(m.second, "", "Authorization:"), 1);
	close_mirrors(&m);
}

static void test_a_mirror_of_the_user_may_be_anywhere(void **state)
{
	struct mirrors m = {.host.mirrors_only = true};
	struct world *w = *state;
	struct peer *stranger = peer_new(NULL);

	w->options.refuse = BW_ADDRESS_LOOPBACK;
	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "HEAD /", "", FOUND);
	assert_found(answer_to(w, NULL));
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", stranger->port);
	assert_message(answer_to(w, NULL), BW_TROUBLE_REFUSED, "refused: ", "");
	close_mirrors(&m);
	peer_free(stranger);
}

/* --- mirrors that are of no use ----------------------------------------------------------------- */

static void find_all(struct world *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		w->told[i].count = 0;
		ask_known(w, i, DIGEST);
	}
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(w->told[i].count, 1);
		assert_found(&w->told[i]);
	}
}

static void test_a_mirror_that_hangs_costs_one_timeout_for_all(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	w->options.answer_timeout_ms = 100;
	w->options.dead_ms = FAR;
	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "", "", "")->act = PEER_HANG;
	peer_on(w->peer, "HEAD /", "", FOUND);
	find_all(w, MANY);
	assert_requests(&m, MANY, 1, 0);
	find_all(w, MANY);
	assert_requests(&m, 2 * MANY, 1, 0);
	assert_counts(w, 2 * MANY + 1 + 1, 0, 0, 0);
	close_mirrors(&m);
}

static void test_nobody_waits_for_a_mirror_that_is_being_tried_again(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	w->options.answer_timeout_ms = 100;
	w->options.dead_ms = FAR;
	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "", "", "")->act = PEER_HANG;
	peer_on(w->peer, "HEAD /", "", FOUND);
	assert_found(answer_to(w, DIGEST));
	bw_registry_host(w->registry, m.names[0])->failed_until_ms = 0;
	for (unsigned i = 0; i < MANY; i++)
		ask_known(w, i, DIGEST);
	assert_int_equal(bw_registry_host(w->registry, m.names[0])->queue.count, 0);
	assert_int_equal(bw_registry_host(w->registry, w->host)->queue.count, MANY - 1 - 3);
	bw_loop_run(w->loop);
	assert_requests(&m, 1 + MANY, 2, 0);
	close_mirrors(&m);
}

static void test_a_mirror_that_is_back_is_asked_again(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	w->options.dead_ms = FAR;
	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "", "", STATUS("429 Slow\r\nRetry-After: 600"))->times = 1;
	peer_on(w->other, "HEAD /", "", FOUND);
	peer_on(w->peer, "HEAD /", "", FOUND);
	find_all(w, 3);
	assert_requests(&m, 3, 1, 0); /* it asked for peace, and that took nobody's time */
	bw_registry_host(w->registry, m.names[0])->failed_until_ms = 0;
	find_all(w, 1);
	find_all(w, 3);
	assert_requests(&m, 3, 5, 0);
	assert_int_equal(mirrored(w), 4);
	close_mirrors(&m);
}

static void test_a_mirror_that_is_down_costs_nothing(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	BW_AUTOCLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0); /* it never listens */
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", ntohs(a.sin_port));
	w->options.dead_ms = FAR;
	m.list[1] = url;
	open_mirrors(&m, w, 1, "");
	bw_registry_free(w->registry);
	m.list[0] = url;
	m.list[1] = NULL;
	open_registry(w);
	peer_on(w->peer, "HEAD /", "", FOUND);
	find_all(w, MANY);
	assert_counts(w, MANY + 1 + 1, 0, 0, 0);
	close_mirrors(&m);
}

static void test_mirrors_take_half_of_the_time_at_most(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	const struct bw_question *q;
	uint64_t before;

	w->options.give_up_ms = 300;
	open_mirrors(&m, w, 2, "");
	peer_on(w->other, "", "", "")->act = PEER_HANG;
	peer_on(m.second, "", "", "")->act = PEER_HANG;
	peer_on(w->peer, "HEAD /", "", FOUND);
	before = bw_loop_now(w->loop);
	ask_known(w, 0, DIGEST);
	q = bw_registry_host(w->registry, m.names[0])->asking.head;
	assert_in_range(q->deadline_ms, before + 150, bw_loop_now(w->loop) + 150);
	bw_loop_run(w->loop);
	assert_found(&w->told[0]);
	assert_requests(&m, 1, 1, 0); /* the second would have no time left */
	close_mirrors(&m);
}

/* --- ours ------------------------------------------------------------------------------------- */

static void test_room_counts_those_that_may_come_back(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "HEAD /", "", STATUS("404 No"))->act = PEER_HOLD;
	peer_on(w->peer, "HEAD /", "", FOUND);
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE);
	for (unsigned i = 0; i < MANY; i++)
		ask_known(w, i, DIGEST);
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE - MANY);
	peer_release(w->other);
	bw_loop_run(w->loop);
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE);
	assert_requests(&m, MANY, MANY, 0);
	close_mirrors(&m);
}

static void drop_registry(void *arg)
{
	struct world *w = arg;

	if (peer_held(w->other) == 0) {
		bw_timer_start(w->timer, 1);
		return;
	}
	bw_registry_free(BW_TAKE(w->registry));
	bw_loop_stop(w->loop);
}

static void test_a_client_is_freed_with_mirrors_asked(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 1, "/hub?ns");
	peer_on(w->other, "", "", FOUND)->act = PEER_HOLD;
	for (unsigned i = 0; i < MANY; i++)
		ask_known(w, i, DIGEST);
	w->timer = bw_timer_new(w->loop, drop_registry, w);
	bw_timer_start(w->timer, 1);
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(w->told[i].count, 0);
	close_mirrors(&m);
}

static void test_a_client_is_freed_when_told_of_a_mirror(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;

	open_mirrors(&m, w, 1, "");
	peer_on(w->other, "HEAD /v2/r0/", "", FOUND);
	peer_on(w->other, "HEAD /", "", FOUND)->act = PEER_HANG;
	w->on_answer = free_registry;
	for (unsigned i = 0; i < 5; i++)
		ask_known(w, i, DIGEST);
	bw_loop_run(w->loop);
	assert_int_equal(w->told[0].count, 1);
	assert_null(w->registry);
	close_mirrors(&m);
}

static void test_mirrors_can_be_named(void **state)
{
	struct mirrors m = {0};
	struct world *w = *state;
	BW_AUTOFREE char *registry = NULL, *repository = NULL;

	open_mirrors(&m, w, 2, "/hub?ns");
	assert_true(bw_registry_mirror(w->registry, w->host, 1, "library/a", &registry, &repository));
	assert_string_equal(registry, m.names[1]);
	assert_string_equal(repository, "hub/library/a");
	assert_false(bw_registry_mirror(w->registry, w->host, 2, "a", &registry, &repository));
	assert_false(bw_registry_mirror(w->registry, m.names[0], 0, "a", &registry, &repository));
	close_mirrors(&m);
}

static void test_a_mirror_that_cannot_be_one_is_named_without_its_text(void **state)
{
	static const char *const list[] = {"https://a.lan", "https://bot:secret@b.lan", NULL};
	const struct bw_registry_host_options host = {.host = "docker.io", .mirrors = list};
	struct bw_err err = BW_ERR_INIT;
	struct world *w = *state;

	w->options.hosts = &host;
	w->options.host_count = 1;
	assert_int_equal(bw_registry_new(w->loop, &w->options, &w->registry, &err), BW_E_CONFIG);
	assert_string_equal(
		err.msg, "registries: docker.io: mirrors: number 2: it has a user in it: a mirror's log-in "
			 "stands under `registries:`, with the mirror's own name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_mirror_that_names_what_is_known_is_believed),
		TEST(test_what_is_seen_first_is_asked_of_the_registry_itself),
		TEST(test_another_digest_is_asked_of_the_registry_itself),
		TEST(test_a_change_is_what_the_registry_itself_says),
		TEST(test_a_claim_that_nobody_confirms_is_trouble),
		TEST(test_mirrors_are_asked_in_order_and_then_the_registry),
		TEST(test_the_second_mirror_stands_in_for_the_first),
		TEST(test_absence_is_believed_of_the_registry_itself),
		TEST(test_the_trouble_of_a_mirror_is_told_with_that_of_the_registry),
		TEST(test_a_mirror_may_want_to_know_whose_it_is),
		TEST(test_of_what_use_a_mirror_is_shows_when_the_registry_has_answered),
		TEST(test_the_only_ones_are_believed_at_first_sight),
		TEST(test_absent_is_what_all_of_them_lack),
		TEST(test_a_repository_that_all_lack_is_gone),
		TEST(test_absence_is_not_known_while_one_of_them_fails),
		TEST(test_bodies_come_from_whoever_has_the_right_bytes),
		TEST(test_a_body_that_nobody_has_is_gone),
		TEST(test_credentials_are_those_of_the_one_who_is_asked),
		TEST(test_a_mirror_of_the_user_may_be_anywhere),
		TEST(test_a_mirror_that_hangs_costs_one_timeout_for_all),
		TEST(test_nobody_waits_for_a_mirror_that_is_being_tried_again),
		TEST(test_a_mirror_that_is_back_is_asked_again),
		TEST(test_a_mirror_that_is_down_costs_nothing),
		TEST(test_mirrors_take_half_of_the_time_at_most),
		TEST(test_room_counts_those_that_may_come_back),
		TEST(test_a_client_is_freed_with_mirrors_asked),
		TEST(test_a_client_is_freed_when_told_of_a_mirror),
		TEST(test_mirrors_can_be_named),
		TEST(test_a_mirror_that_cannot_be_one_is_named_without_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
