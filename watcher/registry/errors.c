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
#define LEAD_MAX	  120
/* What net/http.c says, and what can be done then. Both with the longest name of a host fit into a message. */
#define NO_CERT "it wants a client certificate, and there is none for it"
#define BRING_CERT                                                                                         \
	" (bring one: `cert-file` and `key-file` under `registries:`, or X.cert and X.key in its certs.d " \
	"folder)"

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
		"refused: %.60s wants a log-in at %.60s, which %s; name both under `registries:` to allow it",
		whom, realm, lead(r, where, sizeof(where)));
	ret->is_of_host = true;
	return true;
}

/* --- what exactly ------------------------------------------------------------------------------ */

/* Only of the place that was asked: whoever it redirects to is nobody of whom the user has said anything. */
static enum bw_cause cause_of(const struct bw_http_response *r)
{
	static const enum bw_cause causes[] = {
		[BW_HTTP_NO_CAUSE] = BW_CAUSE_NONE,
		[BW_HTTP_CERT_DATE] = BW_CAUSE_CERT_DATE,
		[BW_HTTP_CERT_NAME] = BW_CAUSE_CERT_NAME,
		[BW_HTTP_CERT_AUTHORITY] = BW_CAUSE_CERT_AUTHORITY,
		[BW_HTTP_CERT_BAD] = BW_CAUSE_CERT_BAD,
		[BW_HTTP_CERT_OWN] = BW_CAUSE_CERT_FILES,
		[BW_HTTP_CERT_WANTED] = BW_CAUSE_CERT_WANTED,
		[BW_HTTP_PROXY_LOGIN] = BW_CAUSE_PROXY_LOGIN,
	};

	if (r->failure == BW_HTTP_NOT_TLS)
		return BW_CAUSE_NOT_TLS;
	if (r->status == 407)
		return BW_CAUSE_PROXY_LOGIN;
	if (r->status == 503)
		return BW_CAUSE_BUSY;
	return causes[r->cause];
}

/* --- no answer -------------------------------------------------------------------------------- */

/* There is none for whomever a registry redirects to: what is in the configuration is for the registry itself. */
static const char *remedy(const struct bw_http_response *r)
{
	return r->cause == BW_HTTP_CERT_WANTED && strstr(r->error, NO_CERT) && !r->redirected ? BRING_CERT
											      : "";
}

static void set_no_answer(const struct bw_http_response *r, const char *whom, struct bw_failure *f)
{
	if (r->failure == BW_HTTP_NOT_TLS) /* the library's words for it are of no help */
		bw_failure_set(f, BW_TROUBLE_TLS, BW_RETRY_SOON, "%s does not speak TLS", whom);
	else
		bw_failure_set(f, kinds[r->failure].trouble, kinds[r->failure].retry, "%.80s: %s%s", whom,
			       r->error, remedy(r));
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

static bool has_no_answer(const struct bw_http_response *r, const char *whom, struct bw_failure *ret)
{
	char buf[BW_ORIGIN_MAX];
	uint32_t after_s;

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
	if (r->status == 407) {
		bw_failure_set(ret, BW_TROUBLE_CONNECTION, BW_RETRY_NEVER,
			       "%s: the proxy on the way wants to know who we are (407)", whom);
		return true;
	}
	if (r->status == 429) {
		bw_failure_set(ret, BW_TROUBLE_THROTTLED, BW_RETRY_LATER, "%s asks for fewer requests (429)",
			       whom);
		ret->has_retry_after = bw_retry_after(r, &ret->retry_after_s);
		ret->is_elsewhere = r->redirected;
		return true;
	}
	if (r->status == 503 && bw_retry_after(r, &after_s)) {
		bw_failure_set(ret, BW_TROUBLE_THROTTLED, BW_RETRY_LATER, "%s wants to be asked later (503)",
			       whom);
		ret->has_retry_after = true;
		ret->retry_after_s = after_s;
		ret->is_elsewhere = r->redirected;
		return true;
	}
	if (r->status >= 500) {
		bw_failure_set(ret, BW_TROUBLE_SERVER, BW_RETRY_SOON, "%s answered %u", whom, r->status);
		ret->has_retry_after = bw_retry_after(r, &ret->retry_after_s);
		return true;
	}
	return false;
}

bool bw_failure_of_response(const struct bw_http_response *r, const char *whom, struct bw_failure *ret)
{
	if (!has_no_answer(r, whom, ret))
		return false;
	ret->cause = cause_of(r);
	return true;
}

/* --- kinds of refusals ------------------------------------------------------------------------- */

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

/* --- the peer's own words --------------------------------------------------------------------- */

#define BLANKS " \t\r\n"

/* What the peer said. */
struct said {
	json_t *root;		    /* owns the texts; NULL: no JSON */
	const char *code, *message; /* NULL: not said */
};

static const char *member(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s && *s ? s : NULL;
}

/* What says most, of the forms that are not of the specification: Docker Hub's, OAuth2's, Google's, others'. */
static const char *find_message(const json_t *root)
{
	static const char *const keys[] = {"details", "detail", "error_description", "message", "error"};
	const char *s = member(json_object_get(root, "error"), "message");

	for (size_t i = 0; !s && i < BW_COUNT(keys); i++)
		s = member(root, keys[i]);
	return s;
}

/* The first entry of the document of the specification counts. */
static void read_json(struct said *x)
{
	const json_t *first = json_array_get(json_object_get(x->root, "errors"), 0);

	x->code = member(first, "code");
	x->message = member(first, "message");
	if (!x->message && !x->code)
		x->message = find_message(x->root);
}

static struct said read_body(const struct bw_http_response *r)
{
	size_t len = r->body->len < BW_MAX_ERROR_BODY_BYTES ? r->body->len : BW_MAX_ERROR_BODY_BYTES;
	struct said x = {0};

	if (len > 0)
		x.root = json_loadb(r->body->data, len, JSON_DISABLE_EOF_CHECK, NULL);
	if (x.root)
		read_json(&x);
	return x;
}

/* The first line with something on it, as much as fits of it; "" when it is no text. */
static void copy_line(const char *s, size_t len, char *out, size_t size)
{
	const char *end = s + len;
	size_t used = 0, n;

	*out = '\0';
	while (s < end && *s && strchr(BLANKS, *s))
		s++;
	for (; s < end && *s != '\r' && *s != '\n' && used + 4 < size; s += n) {
		n = bw_utf8_len(s, (size_t)(end - s));
		if (n == 0 || *s == '\0') {
			*out = '\0'; /* that is no text */
			return;
		}
		memcpy(out + used, s, n);
		used += n;
	}
	while (used > 0 && strchr(BLANKS, out[used - 1]))
		used--;
	out[used] = '\0';
}

/* A web page is for browsers; its title often says what it is about. */
static void copy_title(const char *page, char *out, size_t size)
{
	const char *start = strcasestr(page, "<title>");

	if (start) {
		start += strlen("<title>");
		copy_line(start, strcspn(start, "<"), out, size);
	}
}

/* What looks like the beginning of a document is no text for people. */
static void copy_text(const struct bw_buf *body, char *out, size_t size)
{
	const char *s = bw_buf_str(body), *start = s + strspn(s, BLANKS);

	if (*start == '<')
		copy_title(start, out, size);
	else if (*start && !strchr("{[", *start))
		copy_line(start, body->len - (size_t)(start - s), out, size);
}

static const char *pick_words(const struct said *x, const struct bw_http_response *r, char *out, size_t size)
{
	const char *words = x->message ? x->message : x->code;

	*out = '\0';
	if (words)
		copy_line(words, strlen(words), out, size);
	else if (!x->root)
		copy_text(r->body, out, size);
	return out;
}

const char *bw_failure_words(const struct bw_http_response *r, char *out, size_t size)
{
	struct said x = read_body(r);

	(void)pick_words(&x, r, out, size);
	json_decref(x.root);
	return out;
}

/* --- refusals --------------------------------------------------------------------------------- */

static enum bw_trouble by_code(const char *code, enum bw_trouble otherwise)
{
	for (size_t i = 0; code && i < BW_COUNT(codes); i++)
		if (strcasecmp(codes[i].code, code) == 0)
			return codes[i].trouble;
	return otherwise;
}

/* ECR says so with 400 or 403, and not always with a code: the log-in has ended, and nothing is wrong with the name. */
static bool is_over(const char *words)
{
	return strcasestr(words, "token has expired") || strcasestr(words, "token is expired");
}

static enum bw_trouble choose(const struct said *x, const char *words, unsigned status)
{
	enum bw_trouble t = by_code(x->code, by_status(status));

	return (t == BW_TROUBLE_DENIED || t == BW_TROUBLE_MALFORMED) && is_over(words) ? BW_TROUBLE_AUTH : t;
}

/* nginx says so with 400 (ngx_http_special_response.c, 496 and 495), when the handshake was fine without, or all the same. */
static bool is_about_cert(const struct bw_http_response *r, const char *whom, const char *words,
			  struct bw_failure *ret)
{
	bool is_missing = strcasestr(words, "No required SSL certificate was sent") != NULL;

	if (r->status != 400 || (!is_missing && !strcasestr(words, "The SSL certificate error")))
		return false;
	bw_failure_set(ret, BW_TROUBLE_TLS, BW_RETRY_NEVER, "%.80s: %s%s", whom,
		       is_missing ? NO_CERT : "it does not take our client certificate (400)",
		       is_missing && !r->redirected ? BRING_CERT : "");
	ret->cause = r->redirected ? BW_CAUSE_NONE : BW_CAUSE_CERT_WANTED;
	return true;
}

void bw_failure_of_refusal(const struct bw_http_response *r, const char *whom, const char *what,
			   struct bw_failure *ret)
{
	struct said said = read_body(r);
	char buf[BW_ORIGIN_MAX], words[BW_WORDS_MAX];
	enum bw_trouble trouble;

	(void)pick_words(&said, r, words, sizeof(words));
	trouble = choose(&said, words, r->status);
	json_decref(said.root);
	whom = teller(r, whom, buf);
	if (is_about_cert(r, whom, words, ret))
		return;
	if (what && bw_trouble_is_absence(trouble))
		bw_failure_set(ret, trouble, BW_RETRY_NEVER, "%s does not have %s: it answered %u%s%s", whom,
			       what, r->status, *words ? ", " : "", words);
	else
		bw_failure_set(ret, trouble, BW_RETRY_NEVER, "%s answered %u%s%s", whom, r->status,
			       *words ? ": " : "", words);
	ret->is_elsewhere = r->redirected;
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
