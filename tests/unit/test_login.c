/*
 * test_login.c - tokens for several repositories, credentials that come late, and what becomes of those that are refused:
 * the client against a peer, with credentials that the test says. Every request of every peer is looked at for what it
 * shows of them.
 */
#include "unit/registry_world.h"

#include "registry/host.h"
#include "registry/ticket.h"

/* --- credentials ------------------------------------------------------------------------------ */

/* The whole of registry/credentials.h, instead of the real one. */
struct bw_credentials {
	struct bw_credential list[4];
	const char *prefixes[4]; /* of repositories */
	unsigned count;
	const char *failure;
	bool is_late;
	struct bw_credentials_waiter *waiters;
	struct bw_timer *timer;
	uint64_t number;
	unsigned asked, refused, left;
};

void bw_credential_done(struct bw_credential *c)
{
	free(c->user);
	free(c->secret);
	free(c->source);
	*c = (struct bw_credential){0};
}

struct bw_credentials *bw_credentials_new(struct bw_loop *l)
{
	(void)l;
	return BW_NEW(struct bw_credentials);
}

struct bw_credentials *bw_credentials_share(struct bw_credentials *c)
{
	return c;
}

void bw_credentials_free(struct bw_credentials *c)
{
	for (unsigned i = 0; i < c->count; i++)
		bw_credential_done(&c->list[i]);
	assert_null(c->waiters); /* everybody has left */
	free(c);
}

void bw_credentials_configure(struct bw_credentials *c, const struct bw_credentials_given *list, size_t count)
{
	(void)c;
	(void)list;
	(void)count;
}

int bw_credentials_load(struct bw_credentials *c, struct bw_err *err)
{
	(void)c;
	(void)err;
	return 0;
}

int bw_credentials_parse(struct bw_credentials *c, const char *text, size_t len, struct bw_err *err)
{
	(void)c;
	(void)text;
	(void)len;
	(void)err;
	return 0;
}

void bw_credentials_refresh(struct bw_credentials *c, uint64_t now_ms)
{
	(void)c;
	(void)now_ms;
}

void bw_credentials_reload(struct bw_credentials *c)
{
	c->number++;
}

uint64_t bw_credentials_number(const struct bw_credentials *c)
{
	return c->number;
}

char *bw_credentials_source(const struct bw_credentials *c, const char *registry, const char *repository)
{
	(void)c;
	(void)registry;
	(void)repository;
	return bw_strdup("");
}

static void be_ready(void *arg)
{
	struct bw_credentials *c = arg;

	c->is_late = false;
	while (c->waiters) {
		struct bw_credentials_waiter *w = c->waiters;

		bw_credentials_leave(w);
		w->ready(w->arg);
	}
}

enum bw_credentials_step bw_credentials_ask(struct bw_credentials *c, const char *registry,
					    const char *repository, struct bw_credentials_waiter *w,
					    const struct bw_credential **ret, struct bw_err *err)
{
	(void)registry;
	c->asked++;
	if (c->failure) {
		bw_fail(err, BW_E_AUTH, "%s", c->failure);
		return BW_CREDENTIALS_FAILED;
	}
	if (c->is_late) {
		w->next = c->waiters;
		w->at = &c->waiters;
		if (w->next)
			w->next->at = &w->next;
		c->waiters = w;
		if (c->timer)
			bw_timer_start(c->timer, 1);
		return BW_CREDENTIALS_WAIT;
	}
	for (unsigned i = 0; i < c->count; i++)
		if (bw_text_starts(repository, c->prefixes[i])) {
			*ret = &c->list[i];
			return BW_CREDENTIALS_SOMEBODY;
		}
	return BW_CREDENTIALS_NOBODY;
}

void bw_credentials_leave(struct bw_credentials_waiter *w)
{
	if (!w->at)
		return;
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
	w->at = NULL;
}

void bw_credentials_refused(struct bw_credentials *c, uint64_t number)
{
	(void)number;
	c->refused++;
}

/* For repositories that begin with `prefix`. The first that fits counts. */
static void add(struct world *w, const char *prefix, enum bw_credential_kind kind, const char *user,
		const char *secret)
{
	struct bw_credentials *c = w->credentials;

	c->prefixes[c->count] = prefix;
	c->list[c->count] = (struct bw_credential){.kind = kind,
						   .user = bw_strdup(user),
						   .secret = bw_strdup(secret),
						   .source = bw_asprintf("source %u", c->count),
						   .number = c->count + 1};
	c->count++;
}

/* --- what was shown --------------------------------------------------------------------------- */

#define BOT	   "Authorization: Basic Ym90OnNlc2FtZQ==\r\n" /* bot:sesame */
#define ANY	   "GET /token"
#define WANT_BASIC "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"

static struct bw_host *host_of(struct world *w)
{
	return bw_map_get(w->registry->hosts, w->host);
}

static unsigned tokens(struct world *w)
{
	return (unsigned)bw_registry_count(w->registry).tokens;
}

/* Nothing of this appears in any request to that peer. */
static void assert_never_seen(struct peer *p, const char *secret)
{
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < p->request_count; i++)
		if (strstr(p->requests[i], secret))
			fail_msg("%s", p->requests[i]);
	pthread_mutex_unlock(&p->lock);
}

/* A JWT that lets pull r<from> .. r<to>. */
static char *jwt(unsigned from, unsigned to)
{
	struct bw_buf claims, text;
	char *token;

	bw_buf_init(&claims, 8000);
	bw_buf_init(&text, 16000);
	(void)bw_buf_adds(&claims, "{\"access\":[");
	for (unsigned i = from; i <= to; i++)
		(void)bw_buf_addf(&claims,
				  "%s{\"type\":\"repository\",\"name\":\"r%u\",\"actions\":[\"pull\"]}",
				  i > from ? "," : "", i);
	(void)bw_buf_adds(&claims, "]}");
	assert_true(bw_base64_encode(claims.data, claims.len, &text));
	text.data[strcspn(text.data, "=")] = '\0';
	token = bw_asprintf("e30.%s.c2ln", text.data);
	bw_buf_done(&claims);
	bw_buf_done(&text);
	return token;
}

static void give_token(struct peer *p, const char *match, const char *token)
{
	BW_AUTOFREE char *body = bw_asprintf("{\"token\":\"%s\",\"expires_in\":300}", token);

	on_body(p, match, "", body);
}

/* HEAD of r<i> with this token is answered. */
static void let_in(struct peer *p, const char *match, const char *token)
{
	BW_AUTOFREE char *with = bw_asprintf("Bearer %.80s", token);

	peer_on(p, match, with, FOUND);
}

/* --- several scopes --------------------------------------------------------------------------- */

static void test_a_request_takes_16_repositories_at_most(void **state)
{
	struct world *w = *state;

	open_plain(w);
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, "T0");
	ask_all(w, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_found(&w->told[i]);
	assert_int_equal(tokens(w), 3);
	assert_int_equal(peer_count(w->peer, ANY, "r15%3Apull HTTP"), 1);
	assert_int_equal(peer_count(w->peer, ANY, "r31%3Apull HTTP"), 1);
	assert_int_equal(peer_count(w->peer, ANY, "r39%3Apull HTTP"), 1);
	assert_true(host_of(w)->login.is_proven);
	assert_false(host_of(w)->login.is_single);
}

static void test_long_names_make_shorter_requests(void **state)
{
	struct world *w = *state;
	char names[MANY][300];

	open_plain(w);
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, "T0");
	for (unsigned i = 0; i < 12; i++) {
		memset(names[i], 'a', 240);
		(void)snprintf(names[i] + 240, 10, "%u", i);
		w->pending++;
		bw_registry_ask(w->registry, w->host, names[i], "1", NULL, note, &w->told[i]);
	}
	for (unsigned i = 12; i < 40; i++) { /* 240 bytes that take 720 in a URL */
		memset(names[i], '/', 240);
		(void)snprintf(names[i] + 240, 10, "%u", i);
		w->pending++;
		bw_registry_ask(w->registry, w->host, names[i], "1", NULL, note, &w->told[i]);
	}
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(w->told[i].count, 1);
	for (unsigned i = 0; i < w->peer->request_count; i++)
		assert_true(strcspn(w->peer->requests[i], "\r") < 4096 + 64);
	assert_in_range(tokens(w), 7, 9);
}

static void test_a_token_that_says_what_it_grants_is_shared_by_those(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *most = jwt(0, 6);
	BW_AUTOFREE char *none = jwt(90, 90);

	open_plain(w);
	let_in(w->peer, "HEAD /v2/", most);
	want_bearer(w->peer, ",error=\"insufficient_scope\"");
	give_token(w->peer, "GET /token?service=s&scope=repository%3Ar0%", most);
	give_token(w->peer, ANY, none);
	ask_all(w, 8);
	for (unsigned i = 0; i < 7; i++)
		assert_found(&w->told[i]);
	assert_trouble(&w->told[7], BW_TROUBLE_DENIED, "%s: no such repository, or access is denied");
	assert_int_equal(tokens(w), 2); /* r7 asked for itself, and still was not let in */
	assert_false(host_of(w)->login.is_single);
	assert_int_equal(peer_count(w->peer, "HEAD /v2/", "Bearer"), 8);
}

static void test_an_endpoint_that_reads_only_the_first_scope_gets_one_each(void **state)
{
	struct world *w = *state;

	open_plain(w);
	for (unsigned i = 0; i < 10; i++) {
		BW_AUTOFREE char *own = jwt(i, i);
		char match[64];

		(void)snprintf(match, sizeof(match), "HEAD /v2/r%u/", i);
		let_in(w->peer, match, own);
		(void)snprintf(match, sizeof(match), "GET /token?service=s&scope=repository%%3Ar%u%%", i);
		give_token(w->peer, match, own);
	}
	want_bearer(w->peer, ",error=\"insufficient_scope\"");
	ask_all(w, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_found(&w->told[i]);
	assert_int_equal(tokens(w), 10); /* the first one is used */
	assert_true(host_of(w)->login.is_single);
	assert_int_equal(peer_count(w->peer, "HEAD /v2/", "Bearer"), 10);
}

/* The same, and its tokens say nothing: one question finds out. */
static void test_an_opaque_token_is_tried_by_one_question(void **state)
{
	struct world *w = *state;

	open_plain(w);
	for (unsigned i = 0; i < 10; i++) {
		char match[64], token[16];

		(void)snprintf(token, sizeof(token), "opaque-%u", i);
		(void)snprintf(match, sizeof(match), "HEAD /v2/r%u/", i);
		let_in(w->peer, match, token);
		(void)snprintf(match, sizeof(match), "GET /token?service=s&scope=repository%%3Ar%u%%", i);
		give_token(w->peer, match, token);
	}
	want_bearer(w->peer, "");
	ask_all(w, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_found(&w->told[i]);
	assert_true(host_of(w)->login.is_single);
	assert_int_equal(peer_count(w->peer, "HEAD /v2/", "Bearer"), 11);
	assert_in_range(tokens(w), 10, 11);
}

/* It names all that it was asked for, and is good for the first. */
static void test_a_token_that_claims_too_much_is_found_out(void **state)
{
	static const char *const answers[] = {STATUS("403 No"), STATUS("404 No")};

	for (size_t i = 0; i < BW_COUNT(answers); i++) {
		struct world *w = *state;
		BW_AUTOFREE char *all = jwt(0, 4);
		BW_AUTOFREE char *with = bw_asprintf("Bearer %.80s", all);

		open_plain(w);
		let_in(w->peer, "HEAD /v2/r0/", all);
		peer_on(w->peer, "HEAD /v2/", with, answers[i]);
		let_in(w->peer, "HEAD /v2/", "own");
		want_bearer(w->peer, "");
		peer_on(w->peer, "GET /v2/", "", answers[i]);
		give_token(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull&scope", all);
		give_token(w->peer, ANY, "own");
		ask_all(w, 5);
		for (unsigned n = 0; n < 5; n++)
			assert_found(&w->told[n]);
		assert_true(host_of(w)->login.is_single);
		assert_int_equal(peer_count(w->peer, "HEAD /v2/", with), 2); /* one has found out */
		end(state);
		begin(state);
	}
}

/* What it says has been seen to be right: who is not let in, or not there, costs no further token. */
static void test_a_token_that_has_kept_its_word_is_believed(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *all = jwt(0, 4);
	BW_AUTOFREE char *with = bw_asprintf("Bearer %.80s", all);

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r3/", with, STATUS("404 No"));
	let_in(w->peer, "HEAD /v2/", all);
	want_bearer_for(w->peer, "HEAD /v2/", "");
	peer_on(w->peer, "GET /v2/", with, STATUS("404 No"));
	give_token(w->peer, ANY, all);
	ask_all(w, 5);
	assert_found(&w->told[4]);
	assert_int_not_equal(w->told[3].answer.trouble, BW_TROUBLE_NONE);
	assert_int_equal(tokens(w), 1);
	assert_false(host_of(w)->login.is_single);
}

/* 403, and "no such thing", may mean the token. */
static void test_a_shared_token_is_not_believed_when_nothing_is_there(void **state)
{
	static const char *const answers[] = {STATUS("403 No"), STATUS("404 No")};

	for (size_t i = 0; i < BW_COUNT(answers); i++) {
		struct world *w = *state;

		open_plain(w);
		let_in(w->peer, "HEAD /v2/r0/", "both");
		let_in(w->peer, "HEAD /v2/r1/", "own");
		peer_on(w->peer, "HEAD /v2/r1/", "Bearer", answers[i]);
		want_bearer(w->peer, "");
		give_token(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull&scope", "both");
		give_token(w->peer, "GET /token?service=s&scope=repository%3Ar1%3Apull ", "own");
		ask_all(w, 2);
		assert_found(&w->told[0]);
		assert_found(&w->told[1]);
		assert_int_equal(tokens(w), 2);
		assert_true(host_of(w)->login.is_single);
		end(state);
		begin(state);
	}
}

static const struct {
	const char *status;
	bool has_log_in;
} refusals[] = {
	{"400 No", false}, {"401 No", false}, {"403 No", false}, {"414 No", false},
	{"400 No", true},  {"403 No", true},  {"414 No", true},
};

static void test_who_refuses_several_scopes_gets_one_each(void **state)
{
	for (size_t i = 0; i < BW_COUNT(refusals); i++) {
		struct world *w = *state;
		BW_AUTOFREE char *refusal = with_body(refusals[i].status, "", "");

		open_plain(w);
		if (refusals[i].has_log_in)
			add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
		let_in(w->peer, "HEAD /v2/", "T0");
		want_bearer(w->peer, "");
		peer_on(w->peer, ANY, "r0%3Apull&scope=", refusal);
		give_token(w->peer, ANY, "T0");
		ask_all(w, 5);
		for (unsigned n = 0; n < 5; n++)
			assert_found(&w->told[n]);
		assert_int_equal(tokens(w), 6);
		assert_true(host_of(w)->login.is_single);
		end(state);
		begin(state);
	}
}

static void test_a_token_that_is_too_long_for_many_servers_is_the_last_of_its_kind(void **state)
{
	struct world *w = *state;
	char token[7001];

	open_plain(w);
	memset(token, 'L', 7000);
	token[7000] = '\0';
	let_in(w->peer, "HEAD /v2/", "LLL");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, token);
	ask_all(w, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_found(&w->told[i]);
	assert_true(host_of(w)->login.is_single);
	assert_in_range(tokens(w), 20, 21);
}

/* It ends in the middle of a sweep: for all who have it. */
static void test_a_shared_token_that_went_bad_is_replaced_for_all(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *new = jwt(0, 39);
	BW_AUTOFREE char *old = bw_asprintf("b2xk%s", new + 3);

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Bearer b2xk.", FOUND)->times = 20;
	peer_on(w->peer, "HEAD /v2/", "Bearer e30.", FOUND);
	want_bearer(w->peer, ",error=\"invalid_token\"");
	give_token(w->peer, ANY, old);
	w->peer->rules[3].times = 2;
	give_token(w->peer, ANY, new);
	ask_all(w, 30);
	for (unsigned i = 0; i < 30; i++)
		assert_found(&w->told[i]);
	assert_in_range(tokens(w), 3, 5);
	assert_false(host_of(w)->login.is_single);
}

static void test_different_credentials_are_never_in_one_request(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "r1", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	add(w, "r2", BW_CREDENTIAL_PASSWORD, "other", "secret");
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, "T0");
	ask_all(w, 30);
	for (unsigned i = 0; i < 30; i++)
		assert_found(&w->told[i]);
	assert_int_equal(tokens(w), 3);
	assert_int_equal(peer_count(w->peer, ANY, BOT), 1);
	for (unsigned i = 0; i < w->peer->request_count; i++) {
		const char *request = w->peer->requests[i];

		if (strstr(request, BOT))
			assert_null(strstr(request, "%3Ar2"));
		else if (!strstr(request, "Basic") && strstr(request, ANY))
			assert_null(strstr(request, "%3Ar1"));
	}
	assert_never_seen(w->peer, "sesame");
}

/* --- refusals --------------------------------------------------------------------------------- */

/* Whoever is first finds out for all; later, when everything is known already and many come at once, too. */
static void test_basic_that_ends_is_shown_once_by_many(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND)->times = 20;
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 20);
	assert_found(&w->told[19]);
	host_of(w)->login.standings[0].taken_ms -= 61000;
	ask_all(w, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, "HEAD /v2/", BOT), 21);
	assert_int_equal(w->credentials->refused,
			 1); /* it was good before: a helper program may have a new one */
	ask_all(w, 40);
	assert_int_equal(peer_count(w->peer, "HEAD /v2/", BOT), 21);
}

static void test_a_refused_log_in_is_shown_once_to_the_realm_by_many(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *token = jwt(0, 0);

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	let_in(w->peer, "HEAD /v2/", token);
	want_bearer(w->peer, "");
	give_token(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull&", token);
	peer_on(w->peer, ANY, "", STATUS("401 No"));
	ask_all(w, 1);
	assert_found(&w->told[0]);
	host_of(w)->login.is_single = true;
	host_of(w)->login.standings[0].taken_ms -= 61000;
	ask_all(w, 40);
	for (unsigned i = 1; i < 40; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, ANY, BOT), 2);
	assert_int_equal(w->credentials->refused, 1);
}

static void test_each_of_several_credentials_is_refused_for_itself(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "r1", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	add(w, "r2", BW_CREDENTIAL_PASSWORD, "other", "secret");
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND);
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 30);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH,
		       "%s wants a log-in, and there are no credentials for it");
	assert_found(&w->told[1]);
	assert_found(&w->told[19]);
	assert_trouble(&w->told[2], BW_TROUBLE_AUTH, "%s refuses the credentials of other");
	assert_trouble(&w->told[29], BW_TROUBLE_AUTH, "%s refuses the credentials of other");
	assert_int_equal(peer_count(w->peer, "HEAD /v2/r2", "Authorization"), 1);
	assert_int_equal(w->credentials->refused, 0); /* never good: a helper program would say the same */
}

/* A helper program has renewed what had ended. */
static void test_a_renewed_credential_is_tried_within_the_question(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "ended");
	peer_on(w->peer, "HEAD /v2/", "Ym90OmVuZGVk", FOUND)->times = 1;
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND);
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	w->credentials->list[0].number = 9;
	free(w->credentials->list[0].secret);
	w->credentials->list[0].secret = bw_strdup("sesame");
	ask_all(w, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_found(&w->told[i]);
}

/* With a log-in that has been good 403 is about the repository, otherwise it is about the log-in. */
static void test_403_of_the_realm_means_two_things(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull&account", "T0");
	peer_on(w->peer, ANY, "", STATUS("403 No"));
	ask_all(w, 1);
	assert_found(&w->told[0]);
	ask_all(w, 2);
	assert_found(&w->told[0]);
	assert_trouble(&w->told[1], BW_TROUBLE_DENIED,
		       "no such repository, or access is denied (%s gives no token for it)");
	end(state);
	begin(state);
	w = *state;
	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	want_bearer(w->peer, "");
	peer_on(w->peer, ANY, "", STATUS("403 No"));
	ask_all(w, 20);
	assert_trouble(&w->told[0], BW_TROUBLE_DENIED,
		       "no such repository, or access is denied (%s gives no token for it)");
	for (unsigned i = 1; i < 20; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(tokens(w), 3); /* for all, for the first, and for a second one */
	ask_all(w, 20);
	assert_int_equal(tokens(w), 3);
}

/* Who waits to see whether the log-in is taken does not share the fate of the one that it is tried with. */
static void test_a_refusal_of_the_first_repository_is_about_that_one(void **state)
{
	static const struct {
		const char *answer, *message;
		enum bw_trouble trouble;
	} refused[] = {
		{STATUS("403 No"), "no such repository, or access is denied (%s gives no token for it)",
		 BW_TROUBLE_DENIED},
		{STATUS("404 No"), "log in at %s: it answered 404", BW_TROUBLE_AUTH},
	};

	for (size_t i = 0; i < BW_COUNT(refused); i++) {
		struct world *w = *state;

		open_plain(w);
		add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
		let_in(w->peer, "HEAD /v2/", "T0");
		want_bearer(w->peer, "");
		peer_on(w->peer, ANY, "r0%3Apull", refused[i].answer);
		give_token(w->peer, ANY, "T0");
		ask_all(w, 1);
		assert_trouble(&w->told[0], refused[i].trouble, refused[i].message);
		ask_all(w, 5);
		assert_trouble(&w->told[0], refused[i].trouble, refused[i].message);
		for (unsigned n = 1; n < 5; n++)
			assert_found(&w->told[n]);
		host_of(w)->login.standings[0].taken_ms -= 61000;
		for (unsigned n = 0; n < 5; n++) /* the quiet minute */
			bw_ticket_drop(bw_map_get(host_of(w)->login.tickets, w->names[n]));
		ask_all(w, 5);
		assert_trouble(&w->told[0], refused[i].trouble, refused[i].message);
		for (unsigned n = 1; n < 5; n++)
			assert_found(&w->told[n]);
		end(state);
		begin(state);
	}
}

static void test_basic_that_is_never_taken_is_shown_for_two_repositories(void **state)
{
	static const char *const answers[] = {STATUS("403 No"), STATUS("400 No")};

	for (size_t i = 0; i < BW_COUNT(answers); i++) {
		struct world *w = *state;

		open_plain(w);
		add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
		peer_on(w->peer, "", BOT, answers[i]);
		peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
		ask_all(w, 20);
		assert_int_equal(w->told[0].answer.trouble,
				 i == 0 ? BW_TROUBLE_DENIED : BW_TROUBLE_MALFORMED);
		for (unsigned n = 1; n < 20; n++)
			assert_trouble(&w->told[n], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
		assert_int_equal(peer_count(w->peer, "GET /v2/r0/", BOT), 1); /* it may say more than HEAD */
		assert_int_equal(peer_count(w->peer, "HEAD /v2/r1/", BOT), 1);
		assert_int_equal(peer_count(w->peer, "", BOT), 3);
		end(state);
		begin(state);
	}
}

static void test_basic_that_is_not_for_one_repository_is_for_the_others(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	peer_on(w->peer, "HEAD /v2/r0/", BOT, STATUS("403 No"));
	peer_on(w->peer, "GET /v2/r0/", BOT, STATUS("403 No"));
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND);
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	for (unsigned n = 0; n < 2; n++) {
		ask_all(w, 10);
		assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_DENIED);
		for (unsigned i = 1; i < 10; i++)
			assert_found(&w->told[i]);
	}
}

/* As ECR says it: HEAD has no words, and there is no 401. */
static void test_basic_that_has_ended_may_be_told_by_403(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *expired = with_body("403 No", "",
					      "{\"errors\":[{\"code\":\"DENIED\",\"message\":"
					      "\"Your authorization token has expired.\"}]}");

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "ended");
	peer_on(w->peer, "HEAD /v2/", "Ym90OmVuZGVk", FOUND)->times = 1;
	peer_on(w->peer, "HEAD /v2/", "Ym90OmVuZGVk", STATUS("403 No"));
	peer_on(w->peer, "GET /v2/", "Ym90OmVuZGVk", expired);
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND);
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_AUTH);
	assert_non_null(strstr(w->told[0].answer.message, "expired"));
	assert_int_equal(w->credentials->refused, 1); /* a helper program is asked anew */
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, "", "Ym90OmVuZGVk"), 3);
	w->credentials->list[0].number = 9; /* that is what it says */
	free(w->credentials->list[0].secret);
	w->credentials->list[0].secret = bw_strdup("sesame");
	ask_all(w, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_found(&w->told[i]);
}

static void test_who_was_refused_is_not_forgotten_for_want_of_room(void **state)
{
	struct world *w = *state;
	struct bw_login *l;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND);
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	l = &host_of(w)->login;
	for (unsigned i = 0; i < BW_LOGIN_STANDINGS - 1; i++)
		bw_login_refuse(host_of(w), 100 + i);
	assert_int_equal(l->standings[0].number, 1);
	bw_login_refuse(host_of(w),
			99); /* instead of the one that is not refused, though that is not the oldest */
	for (unsigned i = 0; i < BW_LOGIN_STANDINGS; i++)
		assert_true(l->standings[i].number >= 99);
	ask_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_trouble(
			&w->told[i], BW_TROUBLE_AUTH,
			"%s has refused 16 different log-ins: no other one is shown to it for up to 30 "
			"minutes");
	assert_int_equal(peer_count(w->peer, "", BOT), 1);
	l->standings[3].refused_until_ms = 0;
	ask_all(w, 3);
	assert_found(&w->told[2]);
	assert_int_equal(l->standings[3].number, 1);
}

/* What is configured anew begins with another client. */
static void test_what_was_refused_stays_so_for_the_next_client(void **state)
{
	struct world *w = *state;
	struct bw_registry *former;

	open_plain(w);
	add(w, "r1", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	add(w, "r2", BW_CREDENTIAL_PASSWORD, "other", "secret");
	peer_on(w->peer, "HEAD /v2/", BOT, FOUND);
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 3);
	assert_trouble(&w->told[2], BW_TROUBLE_AUTH, "%s refuses the credentials of other");
	former = BW_TAKE(w->registry);
	open_registry(w);
	bw_registry_inherit(w->registry, former);
	bw_registry_free(former);
	ask_all(w, 3);
	assert_found(&w->told[1]);
	assert_trouble(&w->told[2], BW_TROUBLE_AUTH, "%s refuses the credentials of other");
	assert_int_equal(peer_count(w->peer, "HEAD /v2/r2", "Authorization"), 1);
}

/* A token that a helper program or a file is the source of is on its way, and nothing else happens yet. */
static void look_for_secret(void *arg)
{
	struct world *w = arg;

	if (tokens(w) == 0) {
		bw_timer_start(w->timer, 1);
		return;
	}
	assert_true(w->registry->secret.capacity > 0);
	for (size_t i = 0; i < w->registry->secret.capacity; i++)
		assert_int_equal(w->registry->secret.data[i], 0);
	bw_loop_stop(w->loop);
}

static void test_what_was_sent_to_the_realm_is_wiped_at_once(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	want_bearer(w->peer, "");
	peer_on(w->peer, ANY, "", "")->act = PEER_HANG;
	ask(w, 0);
	w->timer = bw_timer_new(w->loop, look_for_secret, w);
	bw_timer_start(w->timer, 1);
	bw_loop_run(w->loop);
	assert_int_equal(w->told[0].count, 0);
}

/* --- credentials that come late, or never ----------------------------------------------------- */

static void test_questions_wait_for_a_helper_program(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	w->credentials->is_late = true;
	w->credentials->timer = bw_timer_new(w->loop, be_ready, w->credentials);
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, "T0");
	ask_all(w, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_found(&w->told[i]);
	assert_int_equal(tokens(w), 1);
	assert_int_equal(peer_count(w->peer, ANY, BOT), 1);
	bw_timer_free(w->credentials->timer);
}

static void test_who_waits_too_long_for_a_helper_program_gives_up(void **state)
{
	struct world *w = *state;

	w->options.give_up_ms = 150;
	open_plain(w);
	w->credentials->is_late = true;
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask_all(w, 2);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH, "%s: no answer in time from "); /* of no name here */
	assert_null(w->credentials->waiters);
}

static void end_it(void *arg)
{
	struct world *w = arg;

	if (w->credentials->waiters)
		bw_loop_stop(w->loop);
	else
		bw_timer_start(w->timer, 1);
}

static void test_the_client_may_end_while_a_helper_program_runs(void **state)
{
	struct world *w = *state;

	open_plain(w);
	w->credentials->is_late = true;
	peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
	ask(w, 0);
	w->timer = bw_timer_new(w->loop, end_it, w);
	bw_timer_start(w->timer, 1);
	bw_loop_run(w->loop);
	bw_registry_free(BW_TAKE(w->registry));
	assert_null(w->credentials->waiters);
	assert_int_equal(w->told[0].count, 0);
}

static void test_without_an_answer_who_we_are_nobody_is_asked(void **state)
{
	struct world *w = *state;

	open_plain(w);
	w->credentials->failure = "docker-credential-x failed: no key";
	want_bearer(w->peer, "");
	ask_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s: docker-credential-x failed: no key");
	assert_int_equal(tokens(w), 0);
	assert_int_equal(peer_count(w->peer, "", "Authorization"), 0);
}

static void test_a_token_that_is_good_needs_no_helper_program(void **state)
{
	struct world *w = *state;
	unsigned asked;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, "T0");
	ask_all(w, 5);
	asked = w->credentials->asked;
	ask_all(w, 5);
	assert_int_equal(w->credentials->asked, asked);
	bw_credentials_reload(w->credentials); /* others, but ours is the same */
	ask_all(w, 5);
	assert_int_equal(tokens(w), 1);
	assert_true(w->credentials->asked > asked);
}

/* --- identity tokens and tokens for the registry ---------------------------------------------- */

#define FORM                                                                                                \
	"grant_type=refresh_token&client_id=basewatch&service=s&scope=repository%3Ar0%3Apull%20repository%" \
	"3Ar1%3Apull&refresh_token=id%2Bt"

static void test_an_identity_token_is_posted(void **state)
{
	struct world *w = *state;
	struct bw_registry_facts facts;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_IDENTITY, "<token>", "id+t");
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	peer_on(w->peer, "POST /token HTTP", "",
		"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{\"access_token\":\"T0\"}");
	ask_all(w, 2);
	assert_found(&w->told[0]);
	assert_found(&w->told[1]);
	assert_int_equal(peer_count(w->peer, "POST", FORM), 1);
	assert_int_equal(peer_count(w->peer, "POST", "Authorization"), 0);
	assert_int_equal(peer_count(w->peer, "POST", "Content-Type: application/x-www-form-urlencoded\r\n"),
			 1);
	assert_int_equal(tokens(w), 1);
	assert_int_equal(peer_count(w->peer, "HEAD", "id%2Bt"), 0);
	assert_true(bw_registry_look(w->registry, w->host, &facts));
	assert_true(facts.wants_login);
	assert_string_equal(facts.login, "source 0");
}

static void test_an_identity_token_is_a_password_where_nothing_can_be_posted(void **state)
{
	static const char *const answers[] = {STATUS("404 No"), STATUS("405 No")};

	for (size_t i = 0; i < BW_COUNT(answers); i++) {
		struct world *w = *state;

		open_plain(w);
		add(w, "", BW_CREDENTIAL_IDENTITY, "bot", "sesame");
		let_in(w->peer, "HEAD /v2/", "T0");
		want_bearer(w->peer, "");
		peer_on(w->peer, "POST /token", "", answers[i]);
		peer_on(w->peer, "GET /token", BOT,
			"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"token\":\"T0\"}");
		ask_all(w, 2);
		assert_found(&w->told[0]);
		ask_all(w, 20);
		assert_found(&w->told[19]);
		assert_int_equal(peer_count(w->peer, "POST", ""), 1); /* remembered */
		assert_int_equal(tokens(w), 4);
		end(state);
		begin(state);
	}
}

static void test_an_identity_token_that_has_ended_is_shown_once(void **state)
{
	static const struct {
		const char *status, *body;
	} answers[] = {{"401 No", ""}, {"400 No", "{\"error\":\"invalid_grant\"}"}};

	for (size_t i = 0; i < BW_COUNT(answers); i++) {
		struct world *w = *state;
		BW_AUTOFREE char *answer = with_body(answers[i].status, "", answers[i].body);

		open_plain(w);
		add(w, "", BW_CREDENTIAL_IDENTITY, "", "id");
		want_bearer(w->peer, "");
		peer_on(w->peer, "POST /token", "", answer);
		ask_all(w, 20);
		for (unsigned n = 0; n < 20; n++)
			assert_trouble(&w->told[n], BW_TROUBLE_AUTH, "%s refuses the token of source 0");
		assert_int_equal(tokens(w), 1);
		end(state);
		begin(state);
	}
}

static void test_a_token_for_the_registry_is_sent_as_it_is(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_BEARER, "", "direct");
	let_in(w->peer, "HEAD /v2/", "direct\r\n");
	want_bearer(w->peer, "");
	ask_all(w, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_found(&w->told[i]);
	assert_int_equal(tokens(w), 0);
	assert_int_equal(peer_count(w->peer, "GET", ""), 0);
}

static void test_a_token_for_the_registry_that_is_refused_is_sent_once(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_BEARER, "", "direct");
	want_bearer(w->peer, ",error=\"invalid_token\"");
	ask_all(w, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the token of source 0");
	assert_int_equal(peer_count(w->peer, "", "direct"), 1);
	assert_int_equal(tokens(w), 0);
}

static void test_a_token_that_would_break_a_header_is_not_sent(void **state)
{
	struct world *w = *state;

	open_plain(w);
	add(w, "", BW_CREDENTIAL_BEARER, "", "a\r\nX-Evil: 1");
	want_bearer(w->peer, "");
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH,
		       "%s cannot be sent this token, which is no single word: it is from source 0");
	assert_never_seen(w->peer, "Evil");
}

static void test_tokens_are_no_passwords(void **state)
{
	static const enum bw_credential_kind kinds[] = {BW_CREDENTIAL_BEARER, BW_CREDENTIAL_IDENTITY};

	for (size_t i = 0; i < BW_COUNT(kinds); i++) {
		struct world *w = *state;

		open_plain(w);
		add(w, "", kinds[i], "", "direct");
		peer_on(w->peer, "HEAD /v2/", "", WANT_BASIC);
		ask_all(w, 3);
		assert_trouble(
			&w->told[2], BW_TROUBLE_AUTH,
			"%s wants a user and a password (Basic), and there is only a token, from source 0");
		assert_int_equal(peer_count(w->peer, "", "Authorization"), 0);
		end(state);
		begin(state);
	}
}

/* --- realms ----------------------------------------------------------------------------------- */

static void test_a_realm_that_turns_up_elsewhere_is_not_asked(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *elsewhere = NULL, *message = NULL;

	open_plain(w);
	w->other = peer_new(NULL);
	add(w, "", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	elsewhere = bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
				"realm=\"http://127.0.0.1:%u/token\",service=\"s\"\r\n\r\n",
				w->other->port);
	let_in(w->peer, "HEAD /v2/r0/", "T0");
	want_bearer_for(w->peer, "HEAD /v2/r0/", "");
	peer_on(w->peer, "HEAD /v2/", "", elsewhere);
	give_token(w->peer, ANY, "T0");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	host_of(w)->login.scheme = BW_CHALLENGE_NONE; /* so that the next one comes without a token */
	ask_all(w, 2);
	message = bw_asprintf(
		"%%s wanted a log-in at 127.0.0.1:%u, and now it names 127.0.0.1:%u, which is not "
		"asked; restart basewatch if that is right",
		w->peer->port, w->other->port);
	assert_trouble(&w->told[1], BW_TROUBLE_AUTH, message);
	assert_int_equal(peer_count(w->other, "", ""), 0);
}

/* Two registries, each with a realm of its own, and different log-ins for both. */
static void test_credentials_of_one_host_reach_no_other(void **state)
{
	struct world *w = *state;
	char other[32];

	open_plain(w);
	w->other = peer_new(NULL);
	(void)snprintf(other, sizeof(other), "127.0.0.1:%u", w->other->port);
	add(w, "r", BW_CREDENTIAL_PASSWORD, "bot", "sesame");
	add(w, "x", BW_CREDENTIAL_IDENTITY, "", "identity");
	let_in(w->peer, "HEAD /v2/", "T0");
	want_bearer(w->peer, "");
	give_token(w->peer, ANY, "T0");
	let_in(w->other, "HEAD /v2/", "T1");
	want_bearer(w->other, "");
	peer_on(w->other, "POST /token", "",
		"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"token\":\"T1\"}");
	w->pending = 1;
	bw_registry_ask(w->registry, other, "x", "1", NULL, note, &w->told[30]);
	ask_all(w, 10);
	while (w->pending > 0)
		bw_loop_run(w->loop);
	assert_found(&w->told[9]);
	assert_found(&w->told[30]);
	assert_never_seen(w->peer, "identity");
	assert_never_seen(w->peer, "T1");
	assert_never_seen(w->other, "Ym90OnNlc2FtZQ==");
	assert_never_seen(w->other, "T0");
	assert_int_equal(peer_count(w->peer, "HEAD", "Basic"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_takes_16_repositories_at_most),
		TEST(test_long_names_make_shorter_requests),
		TEST(test_a_token_that_says_what_it_grants_is_shared_by_those),
		TEST(test_an_endpoint_that_reads_only_the_first_scope_gets_one_each),
		TEST(test_an_opaque_token_is_tried_by_one_question),
		TEST(test_a_token_that_claims_too_much_is_found_out),
		TEST(test_a_token_that_has_kept_its_word_is_believed),
		TEST(test_a_shared_token_is_not_believed_when_nothing_is_there),
		TEST(test_who_refuses_several_scopes_gets_one_each),
		TEST(test_a_token_that_is_too_long_for_many_servers_is_the_last_of_its_kind),
		TEST(test_a_shared_token_that_went_bad_is_replaced_for_all),
		TEST(test_different_credentials_are_never_in_one_request),
		TEST(test_basic_that_ends_is_shown_once_by_many),
		TEST(test_a_refused_log_in_is_shown_once_to_the_realm_by_many),
		TEST(test_each_of_several_credentials_is_refused_for_itself),
		TEST(test_a_renewed_credential_is_tried_within_the_question),
		TEST(test_403_of_the_realm_means_two_things),
		TEST(test_a_refusal_of_the_first_repository_is_about_that_one),
		TEST(test_basic_that_is_never_taken_is_shown_for_two_repositories),
		TEST(test_basic_that_is_not_for_one_repository_is_for_the_others),
		TEST(test_basic_that_has_ended_may_be_told_by_403),
		TEST(test_who_was_refused_is_not_forgotten_for_want_of_room),
		TEST(test_what_was_refused_stays_so_for_the_next_client),
		TEST(test_what_was_sent_to_the_realm_is_wiped_at_once),
		TEST(test_questions_wait_for_a_helper_program),
		TEST(test_who_waits_too_long_for_a_helper_program_gives_up),
		TEST(test_the_client_may_end_while_a_helper_program_runs),
		TEST(test_without_an_answer_who_we_are_nobody_is_asked),
		TEST(test_a_token_that_is_good_needs_no_helper_program),
		TEST(test_an_identity_token_is_posted),
		TEST(test_an_identity_token_is_a_password_where_nothing_can_be_posted),
		TEST(test_an_identity_token_that_has_ended_is_shown_once),
		TEST(test_a_token_for_the_registry_is_sent_as_it_is),
		TEST(test_a_token_for_the_registry_that_is_refused_is_sent_once),
		TEST(test_a_token_that_would_break_a_header_is_not_sent),
		TEST(test_tokens_are_no_passwords),
		TEST(test_a_realm_that_turns_up_elsewhere_is_not_asked),
		TEST(test_credentials_of_one_host_reach_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
