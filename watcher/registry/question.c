/*
 * question.c - one question: HEAD, and GET where HEAD is not enough; what is worth another attempt, and what
 * it tells about the host. What an answer means is read in reading.c.
 */
#include "registry/question.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "image/manifest.h"
#include "registry/auth.h"
#include "registry/gate.h"
#include "registry/host.h"
#include "registry/list.h"
#include "registry/login.h"
#include "registry/page.h"
#include "registry/places.h"
#include "registry/quirks.h"
#include "registry/reach.h"
#include "registry/reading.h"

#define MAX_ATTEMPTS	 3 /* connection trouble, 5xx */
#define MAX_TIMEOUTS	 2
#define MAX_THROTTLES	 3
#define LEAST_LEFT_MS	 50 /* an attempt with less time than this is none */
#define THROTTLED_MS	 60000
#define MAX_THROTTLED_MS 86400000

/* --- states ----------------------------------------------------------------------------------- */

static struct bw_list *list_of(const struct bw_question *q, enum bw_question_state state)
{
	switch (state) {
	case BW_QUESTION_NEW: break;
	case BW_QUESTION_QUEUED: return &q->host->queue;
	case BW_QUESTION_WAITING:
	case BW_QUESTION_LOGIN: return &q->host->waiting;
	case BW_QUESTION_ASKING: return &q->host->asking;
	case BW_QUESTION_ENDING: return &q->host->registry->ending;
	}
	return NULL;
}

static bool takes_slot(enum bw_question_state state)
{
	return state == BW_QUESTION_LOGIN || state == BW_QUESTION_ASKING;
}

/* What begins, begins in the queue; what ends stays ended. */
static bool may_move(enum bw_question_state from, enum bw_question_state to)
{
	if (to == BW_QUESTION_NEW || from == BW_QUESTION_ENDING)
		return false;
	return (from == BW_QUESTION_NEW) == (to == BW_QUESTION_QUEUED);
}

void bw_question_move(struct bw_question *q, enum bw_question_state to)
{
	struct bw_host *h = q->host;

	assert(may_move(q->state, to));
	if (takes_slot(q->state)) {
		h->slots--;
		h->registry->slots--;
	}
	if (takes_slot(to)) {
		h->slots++;
		h->registry->slots++;
	}
	bw_list_remove(q);
	bw_list_add(list_of(q, to), q);
	q->state = to;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void finish(struct bw_question *q)
{
	bw_host_question_ended(q->host, q);
	bw_login_leave(q);
	bw_question_move(q, BW_QUESTION_ENDING);
}

static const struct bw_quirks *quirks_of(const struct bw_host *h)
{
	return bw_quirks_find(h->name, h->login.realm, h->login.service);
}

void bw_question_end(struct bw_question *q, const struct bw_failure *f)
{
	q->answer.trouble = f->trouble;
	q->answer.cause = f->cause;
	q->answer.retry_after_s = f->trouble == BW_TROUBLE_THROTTLED ? f->retry_after_s : 0;
	q->answer.is_held_back = f->is_held_back;
	memcpy(q->answer.message, f->message, sizeof(q->answer.message));
	if (!f->is_elsewhere)
		bw_quirks_advise(quirks_of(q->host), f->trouble, q->answer.message);
	finish(q);
}

void bw_question_succeed(struct bw_question *q, const struct bw_digest *d, const char *media_type)
{
	q->answer.trouble = BW_TROUBLE_NONE;
	q->answer.digest = *d;
	(void)snprintf(q->answer.media_type, sizeof(q->answer.media_type), "%s", media_type);
	finish(q);
}

/* Not the registry lets us wait, but the program that knows who we are there. */
static void blame_helper(const struct bw_question *q, struct bw_failure *f)
{
	const struct bw_host *h = q->host;
	BW_AUTOFREE char *program = bw_credentials_source(h->registry->credentials, h->name, q->repository);

	bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%.80s: no answer in time from %.160s", h->name,
		       program);
	f->cause = BW_CAUSE_HELPER;
}

void bw_question_give_up(struct bw_question *q)
{
	struct bw_failure f = q->failure;

	if (q->waiter.at)
		blame_helper(q, &f);
	else if (!f.trouble)
		bw_failure_set(&f, BW_TROUBLE_TIMEOUT, BW_RETRY_NEVER, "%s: no answer in time",
			       q->host->name);
	bw_question_end(q, &f);
}

/* --- another attempt? ------------------------------------------------------------------------- */

static bool plan_soon(struct bw_question *q, const struct bw_failure *f, uint64_t *ret_delay)
{
	struct bw_registry *r = q->host->registry;

	if (++q->attempts >= MAX_ATTEMPTS)
		return false;
	*ret_delay = bw_registry_jitter(r, q->attempts == 1 ? r->first_retry_ms : r->next_retry_ms);
	if (f->has_retry_after && f->retry_after_s * 1000ULL > *ret_delay)
		*ret_delay = f->retry_after_s * 1000ULL;
	return true;
}

/* Not before the peer said, a little later, and nobody else to this host either. At once is not what it means by 0. */
static bool plan_later(struct bw_question *q, const struct bw_failure *f, uint64_t *ret_delay)
{
	struct bw_registry *r = q->host->registry;
	uint64_t delay = f->retry_after_s ? f->retry_after_s * 1000ULL : r->next_retry_ms << q->throttles;

	if (++q->throttles >= MAX_THROTTLES)
		return false;
	*ret_delay = delay + bw_registry_jitter(r, r->first_retry_ms);
	return true;
}

static bool plan(struct bw_question *q, const struct bw_failure *f, uint64_t now, uint64_t *ret_delay)
{
	bool again = false;

	if (q->is_brief)
		return false;
	switch (f->retry) {
	case BW_RETRY_NEVER: break;
	case BW_RETRY_SOON: again = plan_soon(q, f, ret_delay); break;
	case BW_RETRY_LATER: again = plan_later(q, f, ret_delay); break;
	case BW_RETRY_TIMEOUT:
		again = ++q->timeouts < MAX_TIMEOUTS;
		*ret_delay = bw_registry_jitter(q->host->registry, q->host->registry->first_retry_ms);
		break;
	}
	return again && now + *ret_delay + LEAST_LEFT_MS < q->deadline_ms;
}

/*
 * Many questions fail by it, and this one is the first: a host that is asked for once is out with one time-out, because each
 * further one would cost those who could go elsewhere as much.
 */
static bool is_of_host(const struct bw_question *q, const struct bw_failure *f)
{
	return f->is_of_host || (q->is_brief && f->retry == BW_RETRY_TIMEOUT);
}

/* The last attempt failed: what does that say about the host? */
static void blame(struct bw_question *q, const struct bw_failure *f)
{
	struct bw_host *h = q->host;
	uint64_t ms = f->retry_after_s ? f->retry_after_s * 1000ULL : THROTTLED_MS;

	if (f->is_elsewhere)
		return;
	if (f->trouble == BW_TROUBLE_REFUSED) {
		if (f->is_of_host)
			bw_host_refused(h, q, f);
	} else if (f->retry == BW_RETRY_LATER)
		bw_host_fail(h, f, ms < MAX_THROTTLED_MS ? ms : MAX_THROTTLED_MS);
	else if (is_of_host(q, f) &&
		 (f->is_of_realm ? h->login.last_token_ms : h->last_answer_ms) < q->started_ms)
		bw_host_trip(h, f);
	else if (f->trouble == BW_TROUBLE_SERVER)
		bw_host_erred(h, f);
	else if (f->trouble == BW_TROUBLE_CONNECTION)
		bw_host_silent(h, f);
}

/*
 * A proxy may answer HEAD with 5xx while GET works (protocols 3.3): the last attempt finds out. It is not the
 * first thing to try, because Docker Hub counts GETs.
 */
static void choose_method(struct bw_question *q, const struct bw_failure *f)
{
	if (q->method == BW_HTTP_HEAD && f->trouble == BW_TROUBLE_SERVER && q->attempts == MAX_ATTEMPTS - 1) {
		q->method = BW_HTTP_GET;
		q->head_is_error = true;
	}
}

void bw_question_failed(struct bw_question *q, const struct bw_failure *f)
{
	struct bw_host *h = q->host;
	uint64_t now = bw_loop_now(h->registry->loop), delay = 0;

	q->failure = *f;
	if (f->retry == BW_RETRY_TIMEOUT)
		bw_host_silent(h, f);
	if (h->state == BW_CIRCUIT_OPEN || !plan(q, f, now, &delay)) {
		if (h->state != BW_CIRCUIT_OPEN)
			blame(q, f);
		bw_question_end(q, f);
		return;
	}
	choose_method(q, f);
	if (f->retry == BW_RETRY_LATER && !f->is_elsewhere)
		bw_gate_hush(q, delay, now);
	h->registry->counts.retries++;
	q->ready_ms = now + delay;
	bw_login_leave(q);
	bw_question_move(q, BW_QUESTION_WAITING);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* By the Date of the first answer; one with an Age comes out of somebody's cache (RFC 9111 5.1). */
static void compare_clocks(struct bw_host *h, const struct bw_http_response *r)
{
	char date[64], age[16];
	int64_t there_ms;

	if (h->has_clock || r->redirected || !r->status || bw_http_header(r, "age", 0, age, sizeof(age)) ||
	    !bw_http_header(r, "date", 0, date, sizeof(date)) || !bw_time_parse_http(date, &there_ms))
		return;
	h->has_clock = true;
	h->ahead_ms = bw_clock_ms() - there_ms;
}

static void answer_came(const struct bw_http_response *r, void *arg)
{
	struct bw_question *q = arg;
	struct bw_host *h = q->host;
	struct bw_registry *reg = h->registry;

	q->transfer = NULL;
	bw_gate_answered(q, r, bw_loop_now(reg->loop));
	if (!h->has_clock)
		compare_clocks(h, r);
	bw_reading_take(q, r);
	bw_host_pump(h);
	bw_registry_deliver(reg);
}

/* --- requests --------------------------------------------------------------------------------- */

static const char *make_url(const struct bw_question *q)
{
	struct bw_buf *url = &q->host->registry->url;
	bool has_query = q->page ? *q->page->query != '\0' : q->is_about_tags, ok;

	bw_buf_clear(url);
	ok = bw_buf_adds(url, q->host->is_plain ? "http://" : "https://") &&
	     bw_buf_adds(url, q->host->address) && bw_buf_adds(url, "/v2/") &&
	     bw_buf_adds(url, q->repository);
	if (q->page)
		ok = ok && bw_buf_adds(url, "/tags/list") && bw_buf_adds(url, q->page->query);
	else if (q->is_about_tags)
		ok = ok && bw_buf_adds(url, "/tags/list?n=1");
	else
		ok = ok && bw_buf_adds(url, q->is_blob ? "/blobs/" : "/manifests/") &&
		     bw_buf_adds(url, q->tag ? q->tag : q->digest.text);
	if (q->query)
		ok = ok && bw_buf_addc(url, has_query ? '&' : '?') && bw_buf_adds(url, q->query);
	return ok ? url->data : "";
}

static size_t max_body(const struct bw_question *q)
{
	if (q->page)
		return q->page->max_bytes;
	return q->is_blob ? BW_MAX_CONFIG_BYTES : BW_MAX_MANIFEST_BYTES;
}

static void send_request(struct bw_question *q, const char *signature, uint64_t left_ms)
{
	struct bw_host *h = q->host;
	struct bw_registry *r = h->registry;
	const char *accept = q->is_blob || q->page ? "Accept: */*" : "Accept: " BW_MANIFEST_ACCEPT;
	const char *headers[] = {accept, signature, NULL};
	struct bw_err err = BW_ERR_INIT;
	struct bw_failure f;
	struct bw_http_request req = {
		.method = q->method,
		.url = make_url(q),
		.headers = headers,
		.allow_plain = h->is_plain,
		.is_direct = h->is_loopback,
		.is_multiplexed = h->http_version == 2,
		.max_body = max_body(q),
		.connect_timeout_ms = r->connect_timeout_ms,
		.timeout_ms = left_ms < r->answer_timeout_ms ? (uint32_t)left_ms : r->answer_timeout_ms,
	};
	const struct bw_door *door = bw_host_door(h, &f);

	if (!door) {
		bw_question_end(q, &f);
		bw_host_fail(h, &f, r->dead_ms);
		return;
	}
	bw_reach_of_host(h, bw_reach_refused(q), &req);
	if (bw_http_start(door->http, &req, answer_came, q, &q->transfer, &err) < 0) {
		bw_failure_set(&f, BW_TROUBLE_CONNECTION, BW_RETRY_NEVER, "%s: %.150s", h->name, err.msg);
		bw_question_end(q, &f);
		return;
	}
	bw_gate_sent(q, bw_loop_now(r->loop));
	q->was_plain = h->is_plain;
	*(q->method == BW_HTTP_HEAD ? &r->counts.heads : &r->counts.gets) += 1;
	if (q->state != BW_QUESTION_ASKING)
		bw_question_move(q, BW_QUESTION_ASKING);
}

/* A further request of a question may have to wait as well, or is one too many. */
static bool passes(struct bw_question *q, uint64_t now)
{
	struct bw_failure f;
	uint64_t at = now;

	switch (bw_gate_try(q, now, &at, &f)) {
	case BW_GATE_GO: return true;
	case BW_GATE_DRY: bw_question_end(q, &f); return false;
	case BW_GATE_AT:
	case BW_GATE_SOON: break;
	}
	if (at + LEAST_LEFT_MS >= q->deadline_ms) {
		bw_failure_set(&f, BW_TROUBLE_THROTTLED, BW_RETRY_NEVER, "%s wants fewer requests",
			       q->host->name);
		f.retry_after_s = (uint32_t)((at - now + 999) / 1000);
		bw_question_end(q, &f);
		return false;
	}
	q->ready_ms = at;
	bw_login_leave(q);
	bw_question_move(q, BW_QUESTION_WAITING);
	return false;
}

void bw_question_proceed(struct bw_question *q)
{
	struct bw_registry *r = q->host->registry;
	uint64_t now = bw_loop_now(r->loop);
	const char *signature;
	struct bw_failure f;

	if (!q->started_ms) {
		q->started_ms = now;
		if (!q->deadline_ms)
			q->deadline_ms = now + r->give_up_ms;
	}
	if (q->host->is_get_only)
		q->method = BW_HTTP_GET;
	if (now + LEAST_LEFT_MS >= q->deadline_ms) {
		bw_question_give_up(q);
		return;
	}
	switch (bw_auth_prepare(q, &signature, &f)) {
	case BW_AUTH_READY:
		if (passes(q, now))
			send_request(q, signature, q->deadline_ms - now);
		break;
	case BW_AUTH_FAILED: bw_question_end(q, &f); break;
	case BW_AUTH_WAIT:
		if (q->state != BW_QUESTION_LOGIN)
			bw_question_move(q, BW_QUESTION_LOGIN);
		break;
	case BW_AUTH_LATER:
		q->ready_ms = BW_QUESTION_UNTIL_TOLD;
		bw_question_move(q, BW_QUESTION_WAITING);
		break;
	}
	bw_login_wipe(r);
}
