/* test_tags.c - lists of tags, page after page; what registries say to their users; images of schema 1; advice. */
#include "unit/registry_world.h"

#include "registry/listing.h"
#include "registry/tags.h"

struct list {
	struct world *world;
	unsigned count; /* of calls */
	struct bw_answer answer;
	char tags[256];
	size_t tag_count;
	bool is_cut, frees;
};

static void note_tags(const struct bw_answer *a, const struct bw_tags *tags, void *arg)
{
	struct list *x = arg;

	x->count++;
	x->answer = *a;
	x->tag_count = tags->count;
	x->is_cut = tags->is_cut;
	assert_false(bw_digest_is_set(&a->digest));
	for (size_t i = 0; i < tags->count && i < 16; i++)
		(void)snprintf(x->tags + strlen(x->tags), sizeof(x->tags) - strlen(x->tags), "%s%s",
			       i ? " " : "", tags->items[i]);
	if (x->frees)
		bw_registry_free(BW_TAKE(x->world->registry));
	bw_loop_stop(x->world->loop);
}

static struct list list_with(struct world *w, const struct bw_tags_limits *limits, bool frees)
{
	struct list x = {.world = w, .frees = frees};

	bw_registry_tags(w->registry, w->host, "a/b", limits, note_tags, &x);
	assert_int_equal(x.count, 0);
	bw_loop_run(w->loop);
	assert_int_equal(x.count, 1);
	return x;
}

static struct list list_tags(struct world *w)
{
	return list_with(w, NULL, false);
}

/* One request more than the pages need: the first tries TLS. */
#define LIST "GET /v2/a/b/tags/list"

static void assert_listed(const struct list *x, const char *tags, bool is_cut)
{
	if (x->answer.trouble)
		fail_msg("%s: %s", bw_trouble_name(x->answer.trouble), x->answer.message);
	assert_string_equal(x->tags, tags);
	assert_int_equal(x->is_cut, is_cut);
}

static void test_one_page_is_the_list(void **state)
{
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, LIST "?n=1000 ", "", "{\"name\":\"a/b\",\"tags\":[\"2\",\"1\"]}");
	x = list_tags(w);
	assert_listed(&x, "2 1", false);
	assert_counts(w, 0, 2, 0, 0);
}

static void test_pages_follow_each_other_on_the_own_path(void **state)
{
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, LIST "?n=1000 ", "Link: <https://evil.example/v2/x?n=1000&last=2>; rel=\"next\"\r\n",
		"{\"tags\":[\"1\",\"2\"]}");
	on_body(w->peer, LIST "?n=1000&last=2 ", "Link: </v2/b/tags/list?last=4&n=2>; rel=next\r\n",
		"{\"tags\":[\"3\",\"4\"]}");
	on_body(w->peer, LIST "?n=2&last=4 ", "", "{\"tags\":[\"5\"]}");
	x = list_tags(w);
	assert_listed(&x, "1 2 3 4 5", false);
	assert_counts(w, 0, 4, 0, 0);
}

static void test_a_list_that_turns_in_circles_ends(void **state)
{
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, LIST "?n=1000 ", "Link: <?last=2>; rel=next\r\n", "{\"tags\":[\"1\",\"2\"]}");
	on_body(w->peer, LIST "?n=1000&last=2 ", "Link: <?last=2>; rel=next\r\n", "{\"tags\":[\"3\"]}");
	x = list_tags(w);
	assert_listed(&x, "1 2 3", true);
	assert_counts(w, 0, 3, 0, 0);
}

static void test_limits_end_a_list(void **state)
{
	static const struct bw_tags_limits two_pages = {.pages = 2}, three_tags = {.tags = 3};
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, LIST "?n=1000 ", "Link: <?last=2>; rel=next\r\n", "{\"tags\":[\"1\",\"2\"]}");
	on_body(w->peer, LIST "?n=1000&last=2 ", "Link: <?last=4>; rel=next\r\n", "{\"tags\":[\"3\",\"4\"]}");
	x = list_with(w, &two_pages, false);
	assert_listed(&x, "1 2 3 4", true);
	x = list_with(w, &three_tags, false);
	assert_listed(&x, "1 2 3", true);
	assert_counts(w, 0, 5, 0, 0);
}

static void test_a_page_that_is_too_long_is_a_limit(void **state)
{
	static const struct bw_tags_limits small = {.page_bytes = 20};
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, LIST, "", "{\"tags\":[\"123456789\"]}");
	x = list_with(w, &small, false);
	assert_int_equal(x.answer.trouble, BW_TROUBLE_LIMIT);
	assert_int_equal(x.tag_count, 0);
}

static void test_who_does_not_like_the_number_is_asked_without(void **state)
{
	static const char *const refusals[] = {STATUS("405 No"), STATUS("400 No")};

	for (size_t i = 0; i < BW_COUNT(refusals); i++) {
		struct world *w = *state;
		struct list x;

		open_plain(w);
		peer_on(w->peer, LIST "?n=", "", refusals[i]);
		on_body(w->peer, LIST " ", "Link: <?n=2&last=2>; rel=next\r\n", "{\"tags\":[\"1\",\"2\"]}");
		on_body(w->peer, LIST "?last=2 ", "", "{\"tags\":[\"3\"]}");
		x = list_tags(w);
		assert_listed(&x, "1 2 3", false);
		/* 400 is what servers of TLS say to plain HTTP: then TLS is tried once more. */
		assert_counts(w, 0, i == 0 ? 4 : 5, 0, 0);
		end(state);
		begin(state);
	}
}

static const struct {
	const char *status, *body;
	enum bw_trouble trouble;
	const char *message;
} troubles[] = {
	{"404 No", "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}", BW_TROUBLE_REPOSITORY_GONE,
	 "answered 404: NAME_UNKNOWN"},
	{"404 No", "", BW_TROUBLE_TAG_GONE, "answered 404"},
	{"403 No", "", BW_TROUBLE_DENIED, "answered 403"},
	{"405 No", "", BW_TROUBLE_MALFORMED, "answered 405"},
	{"200 OK", "<html>", BW_TROUBLE_MALFORMED, "list of tags: "},
	{"200 OK", "[]", BW_TROUBLE_MALFORMED, "that is no list of tags"},
};

static void test_a_list_that_cannot_be_had_is_trouble(void **state)
{
	for (size_t i = 0; i < BW_COUNT(troubles); i++) {
		struct world *w = *state;
		BW_AUTOFREE char *answer = with_body(troubles[i].status, "", troubles[i].body);
		struct list x;

		open_plain(w);
		peer_on(w->peer, LIST, "", answer);
		x = list_tags(w);
		assert_string_equal(bw_trouble_name(x.answer.trouble), bw_trouble_name(troubles[i].trouble));
		assert_non_null(strstr(x.answer.message, troubles[i].message));
		assert_int_equal(x.tag_count, 0);
		end(state);
		begin(state);
	}
}

static void test_a_later_page_that_cannot_be_had_cuts_the_list(void **state)
{
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, LIST "?n=1000 ", "Link: <?last=2>; rel=next\r\n", "{\"tags\":[\"1\",\"2\"]}");
	peer_on(w->peer, LIST "?n=1000&last=2 ", "", STATUS("403 No"));
	x = list_tags(w);
	assert_listed(&x, "1 2", true);
}

static void test_the_list_goes_by_the_log_in_of_its_repository(void **state)
{
	struct world *w = *state;
	struct list x;

	open_plain(w);
	on_body(w->peer, "GET /token", "", "{\"token\":\"T\"}");
	peer_on(w->peer, LIST, "Bearer T", "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"tags\":[\"1\"]}");
	want_bearer_for(w->peer, LIST, "");
	x = list_tags(w);
	assert_listed(&x, "1", false);
	assert_counts(w, 0, 3, 1, 0);
	assert_int_equal(peer_count(w->peer, "GET /token", "repository%3Aa%2Fb%3Apull"), 1);
}

static void test_the_client_may_be_freed_in_the_callback_and_before_it(void **state)
{
	struct world *w = *state;
	struct list x = {.world = w};

	open_plain(w);
	on_body(w->peer, LIST, "", "{\"tags\":[\"1\"]}");
	x = list_with(w, NULL, true);
	assert_listed(&x, "1", false);
	open_registry(w);
	x = (struct list){.world = w};
	bw_registry_tags(w->registry, w->host, "a/b", NULL, note_tags, &x);
	bw_registry_tags(w->registry, w->host, "a/c", NULL, note_tags, &x);
	bw_registry_free(BW_TAKE(w->registry));
	assert_int_equal(x.count, 0);
}

static void test_where_only_mirrors_are_asked_the_list_is_theirs(void **state)
{
	struct world *w = *state;
	struct bw_registry_host_options host = {.host = "registry.invalid", .mirrors_only = true};
	const char *mirrors[] = {NULL, NULL};
	BW_AUTOFREE char *url = NULL;
	struct list x;

	w->peer = peer_new(NULL);
	url = bw_asprintf("http://127.0.0.1:%u", w->peer->port);
	mirrors[0] = url;
	host.mirrors = mirrors;
	w->options.hosts = &host;
	w->options.host_count = 1;
	(void)snprintf(w->host, sizeof(w->host), "registry.invalid");
	open_registry(w);
	on_body(w->peer, LIST, "", "{\"tags\":[\"1\"]}");
	x = list_tags(w);
	assert_listed(&x, "1", false);
}

static void test_each_mirror_is_asked_for_the_list_until_one_has_it(void **state)
{
	struct world *w = *state;
	struct bw_registry_host_options host = {.host = "registry.invalid", .mirrors_only = true};
	const char *mirrors[] = {NULL, NULL, NULL};
	BW_AUTOFREE char *bad = NULL, *good = NULL;
	struct list x;

	w->peer = peer_new(NULL);
	w->other = peer_new(NULL);
	mirrors[0] = bad = bw_asprintf("http://127.0.0.1:%u", w->other->port);
	mirrors[1] = good = bw_asprintf("http://127.0.0.1:%u?ns", w->peer->port);
	host.mirrors = mirrors;
	w->options.hosts = &host;
	w->options.host_count = 1;
	(void)snprintf(w->host, sizeof(w->host), "registry.invalid");
	open_registry(w);
	peer_on(w->other, LIST, "", STATUS("503 Oops"));
	on_body(w->peer, "GET /v2/a/b/tags/list?n=1000&ns=registry.invalid ", "", "{\"tags\":[\"1\"]}");
	x = list_tags(w);
	assert_listed(&x, "1", false);
	assert_int_equal(peer_count(w->other, LIST, ""), 1);
}

/* --- what registries say to their users ------------------------------------------------------- */

struct said {
	unsigned count;
	char last[BW_ANSWER_MESSAGE_MAX];
	char registry[32], about[64];
};

static void hear(const char *registry, const char *about, const char *text, void *arg)
{
	struct said *s = arg;

	s->count++;
	(void)snprintf(s->last, sizeof(s->last), "%s", text);
	(void)snprintf(s->registry, sizeof(s->registry), "%s", registry);
	(void)snprintf(s->about, sizeof(s->about), "%s", about);
}

static void listen_to(struct world *w, struct said *s)
{
	w->options.warned = hear;
	w->options.warned_arg = s;
}

#define WARNS(text)                                                                                         \
	"HTTP/1.1 200 OK\r\nContent-Type: " INDEX "\r\nDocker-Content-Digest: " DIGEST "\r\nWarning: " text \
	"\r\nContent-Length: 2\r\n\r\n"

static void test_a_warning_is_told_once(void **state)
{
	struct world *w = *state;
	struct said s = {0};

	listen_to(w, &s);
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r1/", "",
		WARNS("299 - \"Soon\", 299 - \"Now\"\r\nWarning: 299 - \"Never\""));
	peer_on(w->peer, "HEAD /v2/", "", WARNS("299 - \"Soon\""));
	ask_all(w, 1);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.last, "Soon");
	assert_string_equal(s.registry, w->host);
	assert_string_equal(s.about, "r0:1");
	ask_all(w, 3);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.last, "Never");
}

static void test_refusals_may_warn_and_redirect_targets_may_not(void **state)
{
	struct world *w = *state;
	struct said s = {0};
	BW_AUTOFREE char *away = NULL;

	listen_to(w, &s);
	open_plain(w);
	w->other = peer_new(NULL);
	away = bw_asprintf("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:%u/v2/x/manifests/1\r\n"
			   "Content-Length: 0\r\n\r\n",
			   w->other->port);
	peer_on(w->peer, "HEAD /v2/r0/", "", away);
	peer_on(w->other, "HEAD /v2/x/", "", WARNS("299 - \"Storage\""));
	peer_on(w->peer, "HEAD /v2/r1/", "", STATUS("403 No"));
	peer_on(w->peer, "GET /v2/r1/", "",
		"HTTP/1.1 403 No\r\nWarning: 299 - \"Closed\"\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_int_equal(s.count, 0);
	ask_all(w, 2);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.last, "Closed");
}

static void test_eight_texts_of_a_registry_are_enough(void **state)
{
	struct world *w = *state;
	struct said s = {0};

	listen_to(w, &s);
	open_plain(w);
	for (unsigned i = 0; i < 12; i++) {
		BW_AUTOFREE char *path = bw_asprintf("HEAD /v2/r%u/", i);
		BW_AUTOFREE char *answer =
			bw_asprintf("HTTP/1.1 200 OK\r\nDocker-Content-Digest: " DIGEST
				    "\r\nWarning: 299 - \"%u\"\r\nContent-Length: 2\r\n\r\n",
				    i);

		peer_on(w->peer, path, "", answer);
	}
	for (unsigned i = 0; i < 12; i++)
		ask(w, i);
	bw_loop_run(w->loop);
	assert_int_equal(s.count, 8);
}

/* --- schema 1 --------------------------------------------------------------------------------- */

#define SCHEMA1_SAID                                                                                        \
	"%s: an image of schema 1, a format that registries have given up; its digest cannot be verified: " \
	"push it again with a current tool"

static void test_head_of_schema_1_is_refused_without_another_request(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/vnd.docker.distribution.manifest.v1+prettyjws\r\n"
		"Docker-Content-Digest: " DIGEST "\r\nContent-Length: 2\r\n\r\n");
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_MALFORMED, SCHEMA1_SAID);
	assert_counts(w, 2, 0, 0, 0);
	ask_all(w, 1); /* and it is asked again next time */
	assert_counts(w, 3, 0, 0, 0);
}

static void test_schema_1_without_its_type_is_seen_in_the_body(void **state)
{
	static const char *const headers[] = {
		"Content-Type: application/json\r\n",
		"Content-Type: application/json\r\nDocker-Content-Digest: " DIGEST "\r\n",
	};

	for (size_t i = 0; i < BW_COUNT(headers); i++) {
		struct world *w = *state;

		open_plain(w);
		peer_on(w->peer, "HEAD /v2/", "", STATUS("405 No"));
		on_body(w->peer, "GET /v2/", headers[i],
			"{\"schemaVersion\":1,\"name\":\"a\",\"fsLayers\":[]}");
		ask_all(w, 1);
		assert_trouble(&w->told[0], BW_TROUBLE_MALFORMED, SCHEMA1_SAID);
		end(state);
		begin(state);
	}
}

/* --- advice ----------------------------------------------------------------------------------- */

static void test_who_is_turned_away_by_a_known_kind_of_registry_gets_advice(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *challenge = NULL;

	open_plain(w);
	challenge =
		bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			    "realm=\"http://127.0.0.1:%u/service/token\",service=\"harbor-registry\"\r\n\r\n",
			    w->peer->port);
	on_body(w->peer, "GET /service/token", "", "{\"token\":\"T\"}");
	peer_on(w->peer, "HEAD /v2/", "Bearer T", STATUS("403 No"));
	peer_on(w->peer, "GET /v2/", "Bearer T", STATUS("403 No"));
	peer_on(w->peer, "HEAD /v2/", "", challenge);
	ask_all(w, 1);
	assert_trouble(
		&w->told[0], BW_TROUBLE_DENIED,
		"%s answered 403; at Harbor missing and private look the same; log in as a robot account "
		"(robot$NAME)");
}

static void test_nobody_advises_about_the_host_behind_a_redirect(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *away = NULL, *challenge = NULL, *message = NULL;

	open_plain(w);
	w->other = peer_new(NULL);
	away = bw_asprintf("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:%u/v2/x/manifests/1\r\n"
			   "Content-Length: 0\r\n\r\n",
			   w->other->port);
	challenge =
		bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
			    "realm=\"http://127.0.0.1:%u/service/token\",service=\"harbor-registry\"\r\n\r\n",
			    w->peer->port);
	on_body(w->peer, "GET /service/token", "", "{\"token\":\"T\"}");
	peer_on(w->peer, "HEAD /v2/", "Bearer T", away);
	peer_on(w->peer, "GET /v2/", "Bearer T", away);
	peer_on(w->peer, "HEAD /v2/", "", challenge);
	peer_on(w->other, "HEAD /v2/x/", "", STATUS("403 No"));
	peer_on(w->other, "GET /v2/x/", "", STATUS("403 No"));
	ask_all(w, 1);
	message = bw_asprintf("127.0.0.1:%u answered 403", w->other->port);
	assert_string_equal(w->told[0].answer.message, message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_page_is_the_list),
		TEST(test_pages_follow_each_other_on_the_own_path),
		TEST(test_a_list_that_turns_in_circles_ends),
		TEST(test_limits_end_a_list),
		TEST(test_a_page_that_is_too_long_is_a_limit),
		TEST(test_who_does_not_like_the_number_is_asked_without),
		TEST(test_a_list_that_cannot_be_had_is_trouble),
		TEST(test_a_later_page_that_cannot_be_had_cuts_the_list),
		TEST(test_the_list_goes_by_the_log_in_of_its_repository),
		TEST(test_the_client_may_be_freed_in_the_callback_and_before_it),
		TEST(test_where_only_mirrors_are_asked_the_list_is_theirs),
		TEST(test_each_mirror_is_asked_for_the_list_until_one_has_it),
		TEST(test_a_warning_is_told_once),
		TEST(test_refusals_may_warn_and_redirect_targets_may_not),
		TEST(test_eight_texts_of_a_registry_are_enough),
		TEST(test_head_of_schema_1_is_refused_without_another_request),
		TEST(test_schema_1_without_its_type_is_seen_in_the_body),
		TEST(test_who_is_turned_away_by_a_known_kind_of_registry_gets_advice),
		TEST(test_nobody_advises_about_the_host_behind_a_redirect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
