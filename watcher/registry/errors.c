/* errors.c - what went wrong, in our words. */
#include "registry/errors.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "net/address.h"
#include "registry/address.h"

#define MAX_RETRY_AFTER_S 86400
#define MAX_PEER_TEXT	  160 /* bytes of the peer's own words that a message takes */
#define LEAD_MAX	  120

void bw_failure_set(struct bw_failure *f, enum bw_trouble trouble, enum bw_retry retry, const char *fmt, ...)
{
	va_list ap;

	*f = (struct bw_failure){.trouble = trouble, .retry = retry};
	va_start(ap, fmt);
	(void)vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
}

bool bw_retry_after(const struct bw_http_response *r, uint32_t *ret_s)
{
	char text[64];
	uint64_t seconds;
	int64_t at_ms;

	if (!bw_http_header(r, "retry-after", 0, text, sizeof(text)))
		return false;
	if (!bw_text_number(text, 0, UINT32_MAX, &seconds)) {
		if (!bw_time_parse_http(text, &at_ms))
			return false;
		at_ms -= bw_clock_ms();
		seconds = at_ms > 0 ? ((uint64_t)at_ms + 999) / 1000 : 0;
	}
	*ret_s = seconds > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S : (uint32_t)seconds;
	return true;
}

static const struct {
	enum bw_trouble trouble;
	enum bw_retry retry;
	bool is_of_host;
} kinds[] = {
	[BW_HTTP_DNS] = {BW_TROUBLE_DNS, BW_RETRY_SOON, true},
	[BW_HTTP_CONNECT] = {BW_TROUBLE_CONNECTION, BW_RETRY_SOON, true},
	[BW_HTTP_TIMEOUT] = {BW_TROUBLE_TIMEOUT, BW_RETRY_TIMEOUT, false},
	[BW_HTTP_TLS] = {BW_TROUBLE_TLS, BW_RETRY_NEVER, true},
	[BW_HTTP_NOT_TLS] = {BW_TROUBLE_TLS, BW_RETRY_SOON, true},
	[BW_HTTP_CUT] = {BW_TROUBLE_CONNECTION, BW_RETRY_SOON, false},
	[BW_HTTP_LIMIT] = {BW_TROUBLE_LIMIT, BW_RETRY_NEVER, false},
	[BW_HTTP_REDIRECT] = {BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, false},
	[BW_HTTP_PROTOCOL] = {BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, false},
};

/* --- places that are not talked to ------------------------------------------------------------ */

/* "leads to a loopback address (127.0.0.1)" */
static const char *lead(const struct bw_http_response *r, char *out, size_t size)
{
	bool has_address = r->refused_address && *r->refused_address;

	(void)snprintf(out, size, "leads to %s%s%s%s", bw_address_kind_name(r->refused_kind),
		       has_address ? " (" : "", has_address ? r->refused_address : "",
		       has_address ? ")" : "");
	return out;
}

/* Not asked again in this sweep: the rule stays, and a name that leads elsewhere by then is asked at the next. */
static void set_refused(const struct bw_http_response *r, const char *whom, struct bw_failure *f)
{
	char where[LEAD_MAX], name[BW_ORIGIN_MAX];
	struct bw_origin o;

	if (r->redirected && bw_origin_parse(r->effective_url, &o))
		bw_failure_set(f, BW_TROUBLE_REFUSED, BW_RETRY_NEVER,
			       "refused: %.70s redirects to %.70s, which %s; name it under `registries:` to "
			       "allow it",
			       whom, bw_origin_name(&o, name), lead(r, where, sizeof(where)));
	else
		bw_failure_set(
			f, BW_TROUBLE_REFUSED, BW_RETRY_NEVER,
			"refused: %.70s %s, where a Dockerfile from a git repository may not lead; name it "
			"under `registries:` to allow it",
			whom, lead(r, where, sizeof(where)));
	f->is_of_host = !r->redirected;
}

bool bw_failure_of_realm(const struct bw_http_response *r, const char *whom, const char *realm,
			 struct bw_failure *ret)
{
	char where[LEAD_MAX];

	if (!r->failure || !r->is_refused || r->redirected)
		return false;
	bw_failure_set(
		ret, BW_TROUBLE_REFUSED, BW_RETRY_NEVER,
		"refused: %.60s wants a log-in at %.60s, which %s; name it under `registries:` to allow it",
		whom, realm, lead(r, where, sizeof(where)));
	ret->is_of_host = true;
	return true;
}

/* --- no answer -------------------------------------------------------------------------------- */

static void set_no_answer(const struct bw_http_response *r, const char *whom, struct bw_failure *f)
{
	if (r->failure == BW_HTTP_NOT_TLS) /* the library's words for it are of no help */
		bw_failure_set(f, BW_TROUBLE_TLS, BW_RETRY_SOON, "%s does not speak TLS", whom);
	else
		bw_failure_set(f, kinds[r->failure].trouble, kinds[r->failure].retry, "%s: %s", whom,
			       r->error);
	f->is_of_host = kinds[r->failure].is_of_host && !r->redirected;
	if (r->timed_out && f->trouble == BW_TROUBLE_CONNECTION)
		f->trouble = BW_TROUBLE_TIMEOUT; /* tried again as often as other connection trouble */
}

/* Of which host does this answer tell? */
static const char *teller(const struct bw_http_response *r, const char *whom, char buf[BW_ORIGIN_MAX])
{
	struct bw_origin o;

	return r->redirected && bw_origin_parse(r->effective_url, &o) ? bw_origin_name(&o, buf) : whom;
}

bool bw_failure_of_response(const struct bw_http_response *r, const char *whom, struct bw_failure *ret)
{
	char buf[BW_ORIGIN_MAX];

	if (r->failure && r->is_refused) {
		set_refused(r, whom, ret);
		return true;
	}
	whom = teller(r, whom, buf);
	if (r->failure == BW_HTTP_LIMIT && r->status / 100 == 4)
		return false; /* a long-winded refusal is one */
	if (r->failure) {
		set_no_answer(r, whom, ret);
		return true;
	}
	if (r->status == 429) {
		bw_failure_set(ret, BW_TROUBLE_THROTTLED, BW_RETRY_LATER, "%s asks for fewer requests (429)",
			       whom);
		ret->has_retry_after = bw_retry_after(r, &ret->retry_after_s);
		return true;
	}
	if (r->status >= 500) {
		bw_failure_set(ret, BW_TROUBLE_SERVER, BW_RETRY_SOON, "%s answered %u", whom, r->status);
		ret->has_retry_after = bw_retry_after(r, &ret->retry_after_s);
		return true;
	}
	return false;
}

/* --- refusals --------------------------------------------------------------------------------- */

static const struct {
	const char *code;
	enum bw_trouble trouble;
} codes[] = {
	{"NAME_UNKNOWN", BW_TROUBLE_REPOSITORY_GONE}, {"NAME_INVALID", BW_TROUBLE_REPOSITORY_GONE},
	{"MANIFEST_UNKNOWN", BW_TROUBLE_TAG_GONE},    {"MANIFEST_INVALID", BW_TROUBLE_TAG_GONE},
	{"TAG_INVALID", BW_TROUBLE_TAG_GONE},	      {"DENIED", BW_TROUBLE_DENIED},
	{"UNAUTHORIZED", BW_TROUBLE_DENIED},	      {"TOOMANYREQUESTS", BW_TROUBLE_THROTTLED},
	{"NOT_FOUND", BW_TROUBLE_TAG_GONE},	      {"UNSUPPORTED", BW_TROUBLE_MALFORMED},
	{"BLOB_UNKNOWN", BW_TROUBLE_TAG_GONE},	      {"MANIFEST_BLOB_UNKNOWN", BW_TROUBLE_TAG_GONE},
	{"DIGEST_INVALID", BW_TROUBLE_TAG_GONE}, /* of an algorithm that it does not know: so it has none */
};

static enum bw_trouble by_status(unsigned status)
{
	switch (status) {
	case 404:
	case 410: return BW_TROUBLE_TAG_GONE;
	case 401:
	case 402:
	case 403:
	case 451: return BW_TROUBLE_DENIED;
	default: return BW_TROUBLE_MALFORMED;
	}
}

/* What the peer said, if it has the form of the specification; the first entry counts. */
struct said {
	const char *code, *message; /* NULL: not said */
};

static struct said read_errors(const json_t *root)
{
	const json_t *first = json_array_get(json_object_get(root, "errors"), 0);

	return (struct said){
		.code = json_string_value(json_object_get(first, "code")),
		.message = json_string_value(json_object_get(first, "message")),
	};
}

static enum bw_trouble by_code(const char *code, enum bw_trouble otherwise)
{
	for (size_t i = 0; code && i < BW_COUNT(codes); i++)
		if (strcasecmp(codes[i].code, code) == 0)
			return codes[i].trouble;
	return otherwise;
}

void bw_failure_of_refusal(const struct bw_http_response *r, const char *whom, const char *what,
			   struct bw_failure *ret)
{
	size_t len = r->body->len < BW_MAX_ERROR_BODY_BYTES ? r->body->len : BW_MAX_ERROR_BODY_BYTES;
	json_auto_t *root = len ? json_loadb(r->body->data, len, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	struct said said = read_errors(root);
	enum bw_trouble trouble = by_code(said.code, by_status(r->status));
	const char *words = said.message && *said.message ? said.message : said.code;
	char buf[BW_ORIGIN_MAX];

	whom = teller(r, whom, buf);
	if (what && bw_trouble_is_absence(trouble))
		bw_failure_set(ret, trouble, BW_RETRY_NEVER, "%s does not have %s: it answered %u%s%.*s",
			       whom, what, r->status, words ? ", " : "", MAX_PEER_TEXT, words ? words : "");
	else
		bw_failure_set(ret, trouble, BW_RETRY_NEVER, "%s answered %u%s%.*s", whom, r->status,
			       words ? ": " : "", MAX_PEER_TEXT, words ? words : "");
}

/* --- successes that are none ------------------------------------------------------------------ */

void bw_failure_of_digests(const struct bw_http_response *r, const char *whom,
			   const struct bw_contradiction *c, struct bw_failure *ret)
{
	char one[BW_DIGEST_SHORT_MAX], other[BW_DIGEST_SHORT_MAX], buf[BW_ORIGIN_MAX];

	bw_failure_set(ret, BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, "%s: %s %s, and %s %s",
		       teller(r, whom, buf), c->one, bw_digest_short(c->digest_of_one->text, one), c->other,
		       bw_digest_short(c->digest_of_other->text, other));
}
