/*
 * reading.c - from an HTTP answer to the next step of its question: transport and throttling first, then the
 * log-in, then success, then refusals.
 */
#include "registry/reading.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/text.h"
#include "image/manifest.h"
#include "registry/address.h"
#include "registry/auth.h"
#include "registry/host.h"
#include "registry/page.h"
#include "registry/question.h"

#define SCHEMA1 "application/vnd.docker.distribution.manifest.v1+"
#define UNVERIFIABLE                                                                                    \
	"an image of schema 1, a format that registries have given up; its digest cannot be verified: " \
	"push it again with a current tool"
#define WARNINGS_BYTES 4096 /* of all warnings of an answer (distribution-spec) */
#define ABOUT_MAX      512
#define WHAT_MAX       (BW_DIGEST_SHORT_MAX + 16)

/* --- success ---------------------------------------------------------------------------------- */

/* Content-Type without its parameters, in lower case; "" when there is none or it is too long to be one. */
static void read_media_type(const struct bw_http_response *r, char out[BW_MEDIA_TYPE_MAX])
{
	char text[512];
	size_t len;

	out[0] = '\0';
	if (!bw_http_header(r, "content-type", 0, text, sizeof(text)))
		return;
	len = strcspn(text, "; \t");
	if (len >= BW_MEDIA_TYPE_MAX)
		return;
	memcpy(out, text, len);
	out[len] = '\0';
	bw_text_lower(out);
}

static bool read_digest(const struct bw_http_response *r, struct bw_digest *ret)
{
	char text[BW_DIGEST_MAX + 1];

	return bw_http_header(r, "docker-content-digest", 0, text, sizeof(text)) &&
	       bw_digest_parse(text, strlen(text), ret, NULL) == 0;
}

static void use_get(struct bw_question *q)
{
	q->method = BW_HTTP_GET;
	bw_question_proceed(q);
}

static bool reject(const struct bw_question *q, const char *what, struct bw_failure *f)
{
	bw_failure_set(f, BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, "%s: %s", q->host->name, what);
	return false;
}

static bool is_schema1(const char *media_type)
{
	return bw_text_starts(media_type, SCHEMA1);
}

static void take_head(struct bw_question *q, const struct bw_http_response *r)
{
	char media_type[BW_MEDIA_TYPE_MAX];
	struct bw_digest d;
	struct bw_failure f;

	read_media_type(r, media_type);
	if (!read_digest(r, &d)) {
		q->host->is_get_only = true;
		use_get(q);
		return;
	}
	if (bw_digest_is_set(&q->digest) && !bw_digest_equal(&q->digest, &d)) {
		struct bw_contradiction c = {"asked for", "it answers about", &q->digest, &d};

		bw_failure_of_digests(r, q->host->name, &c, &f);
		bw_question_end(q, &f);
		return;
	}
	if (is_schema1(media_type)) {
		(void)reject(q, UNVERIFIABLE, &f);
		bw_question_end(q, &f);
		return;
	}
	bw_question_succeed(q, &d, media_type);
}

/* GET works. If that is because HEAD does not, nobody needs to try HEAD there again. */
static void learn_method(const struct bw_question *q)
{
	struct bw_host *h = q->host;

	/* 5xx may have passed by itself in the meantime: it takes two of them. */
	if (q->head_refused || (q->head_is_error && ++h->get_hints >= 2))
		h->is_get_only = true;
}

static bool matches(const struct bw_digest *d, const struct bw_buf *body)
{
	return bw_digest_matches(d, bw_buf_str(body), body->len);
}

/* The header is optional, but one that says something wrong is an error of the registry (protocols 3.3). */
static bool check_header(const struct bw_question *q, const struct bw_http_response *r,
			 const struct bw_digest *actual, struct bw_failure *f)
{
	struct bw_contradiction c = {.one = "its header says", .other = "its body is"};
	struct bw_digest named;

	if (!read_digest(r, &named) || bw_digest_equal(&named, actual) || matches(&named, r->body))
		return true;
	c.digest_of_one = &named;
	c.digest_of_other = actual;
	bw_failure_of_digests(r, q->host->name, &c, f);
	return false;
}

/* By its digest: that decides, whatever the bytes are. */
static bool check_asked(const struct bw_question *q, const struct bw_http_response *r, struct bw_failure *f)
{
	struct bw_contradiction c = {.one = "asked for", .other = "it sent", .digest_of_one = &q->digest};
	struct bw_digest sent;

	if (matches(&q->digest, r->body))
		return check_header(q, r, &q->digest, f);
	bw_digest_of(bw_buf_str(r->body), r->body->len, &sent);
	c.digest_of_other = &sent;
	bw_failure_of_digests(r, q->host->name, &c, f);
	return false;
}

/* By its tag: without a digest in the header the bytes must be a manifest, and theirs is the digest. */
static bool check_tagged(const struct bw_question *q, const struct bw_http_response *r, char *media_type,
			 struct bw_digest *ret, struct bw_failure *f)
{
	const struct bw_buf *body = r->body;
	struct bw_digest named;
	struct bw_manifest m;

	bw_digest_of(bw_buf_str(body), body->len, ret);
	if (is_schema1(media_type))
		return reject(q, UNVERIFIABLE, f);
	if (read_digest(r, &named)) {
		if (!check_header(q, r, ret, f))
			return false;
		*ret = named; /* in the algorithm of the registry, as HEAD would say it */
		return true;
	}
	if (bw_manifest_parse(bw_buf_str(body), body->len, *media_type ? media_type : NULL, &m, NULL) < 0)
		return reject(q, "the answer is no manifest", f);
	if (m.media_type[0])
		memcpy(media_type, m.media_type, BW_MEDIA_TYPE_MAX);
	bw_manifest_done(&m);
	return true;
}

/* By its type or, as old registries name none, by what it says itself. Its digest is one of a part of it. */
static bool has_schema1(const struct bw_buf *body, const char *media_type)
{
	json_auto_t *root = json_loadb(bw_buf_str(body), body->len, 0, NULL);

	return is_schema1(media_type) || json_integer_value(json_object_get(root, "schemaVersion")) == 1;
}

static void take_body(struct bw_question *q, const struct bw_http_response *r)
{
	char media_type[BW_MEDIA_TYPE_MAX];
	struct bw_digest d = q->digest;
	struct bw_failure f;
	bool ok;

	read_media_type(r, media_type);
	ok = bw_digest_is_set(&d) ? check_asked(q, r, &f) : check_tagged(q, r, media_type, &d, &f);
	if (!ok) {
		if (!q->is_blob && has_schema1(r->body, media_type))
			(void)reject(q, UNVERIFIABLE, &f);
		bw_question_end(q, &f);
		return;
	}
	learn_method(q);
	q->body = r->body; /* told before this response is gone */
	bw_question_succeed(q, &d, media_type);
}

/* A page of the list of tags. */
static void take_page(struct bw_question *q, const struct bw_http_response *r)
{
	const struct bw_digest none = {0};
	char link[2 * BW_PAGE_QUERY_MAX];
	bool has_link = bw_http_header(r, "link", 0, link, sizeof(link));
	struct bw_err err = BW_ERR_INIT;
	struct bw_failure f;

	if (bw_page_read(q->page, bw_buf_str(r->body), r->body->len, has_link ? link : NULL, &err) < 0) {
		(void)reject(q, err.msg, &f);
		bw_question_end(q, &f);
		return;
	}
	bw_question_succeed(q, &none, "");
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Does the answer come from somebody whom the registry sent us to? */
static bool is_foreign(const struct bw_question *q, const struct bw_http_response *r, struct bw_origin *ret)
{
	struct bw_origin own;

	return r->redirected && bw_origin_parse(r->effective_url, ret) &&
	       bw_origin_of_registry(q->host->address, !q->host->is_plain, &own) &&
	       !bw_origin_equal(ret, &own);
}

static void take_challenge(struct bw_question *q, const struct bw_http_response *r)
{
	char name[BW_ORIGIN_MAX];
	struct bw_origin other;
	struct bw_failure f;

	if (is_foreign(q, r, &other)) {
		bw_failure_set(&f, BW_TROUBLE_AUTH, BW_RETRY_NEVER,
			       "%s redirects to %s, which wants a log-in", q->host->name,
			       bw_origin_name(&other, name));
		f.is_elsewhere = true;
	} else if (bw_auth_challenged(q, r, &f)) {
		bw_question_proceed(q);
		return;
	}
	bw_question_end(q, &f);
}

/* "the blob sha256:0123456789ab"; NULL: a tag was asked for. */
static const char *what_was_asked(const struct bw_question *q, char out[WHAT_MAX])
{
	char digest[BW_DIGEST_SHORT_MAX];

	if (!bw_digest_is_set(&q->digest))
		return NULL;
	(void)snprintf(out, WHAT_MAX, "the %s %s", q->is_blob ? "blob" : "manifest",
		       bw_digest_short(q->digest.text, digest));
	return out;
}

/*
 * HEAD has no body that would say why; and some do not know HEAD at all. What was asked for by its digest and is not
 * there is settled with that one answer: it costs no further question, and nobody waits for a repository to return. The
 * same goes for a mirror, of which nobody believes it.
 */
static void take_refusal(struct bw_question *q, const struct bw_http_response *r)
{
	char what[WHAT_MAX];
	struct bw_failure f;

	if (q->method == BW_HTTP_HEAD) {
		if (r->status == 405 || r->status == 501)
			q->host->is_get_only = true;
		if (q->is_one_of_many && r->status == 404) {
			bw_failure_of_refusal(r, q->host->name, what_was_asked(q, what), &f);
			bw_question_end(q, &f);
			return;
		}
		q->head_refused = true;
		use_get(q);
		return;
	}
	bw_failure_of_refusal(r, q->host->name, what_was_asked(q, what), &f);
	/* A log-in that has ended, and no 401 says so. Of a token that was fetched with it that says nothing. */
	if (f.trouble == BW_TROUBLE_AUTH && (q->sent == BW_SENT_BASIC || q->sent == BW_SENT_SECRET))
		bw_login_refuse(q->host, q->credential);
	if (f.trouble == BW_TROUBLE_TAG_GONE && !bw_digest_is_set(&q->digest) && !q->page &&
	    !q->is_one_of_many && !(q->host->registry->trusts_absence && !q->relay)) {
		q->failure = f;
		q->is_about_tags = true;
		bw_question_proceed(q);
		return;
	}
	bw_question_end(q, &f);
}

/*
 * Is the tag gone, or the whole repository? docker-registry says MANIFEST_UNKNOWN for both (handlers/manifests.go), but
 * its list of tags knows. Whatever else comes of that question, the tag is gone.
 */
static void take_tags(struct bw_question *q, const struct bw_http_response *r)
{
	struct bw_failure f = q->failure;

	if (!r->failure && r->status == 404)
		bw_failure_of_refusal(r, q->host->name, NULL, &f);
	bw_question_end(q, f.trouble == BW_TROUBLE_REPOSITORY_GONE ? &f : &q->failure);
}

/*
 * https first; plain only for those who may, when the peer does not speak TLS at all: not because of a bad
 * certificate, and not where TLS worked before. Some servers of plain HTTP answer a handshake with nothing: they wait
 * for the end of its "header". A mirror that says nothing is not waited for twice: of one without TLS that is known.
 */
static bool falls_back(struct bw_question *q, const struct bw_http_response *r)
{
	struct bw_host *h = q->host;

	if (!(r->failure == BW_HTTP_NOT_TLS || (r->is_mute && !q->is_brief)) || r->redirected ||
	    q->was_plain || !h->may_be_plain)
		return false;
	if (h->has_spoken && !h->is_plain)
		return false;
	h->is_plain = true;
	return true;
}

static void take_failure(struct bw_question *q, const struct bw_http_response *r, const struct bw_failure *f)
{
	if (falls_back(q, r))
		bw_question_proceed(q);
	else
		bw_question_failed(q, f);
}

/* "team/app:1" */
static const char *about(const struct bw_question *q, char out[ABOUT_MAX])
{
	const char *what = q->tag ? q->tag : q->digest.text;

	(void)snprintf(out, ABOUT_MAX, "%s%s%s", q->repository,
		       bw_digest_is_set(&q->digest) ? "@"
		       : *what			    ? ":"
						    : "",
		       what);
	return out;
}

/* What those say to whom it redirects is not its own word. */
static void note_warnings(const struct bw_question *q, const struct bw_http_response *r)
{
	struct bw_host *h = q->host;
	const struct bw_registry *reg = h->registry;
	char value[WARNINGS_BYTES], text[BW_WARNING_MAX], whole[ABOUT_MAX];

	for (unsigned n = 0; reg->warned && bw_http_header(r, "warning", n, value, sizeof(value)); n++)
		for (const char *at = value; bw_warning_next(&at, text);)
			if (bw_warnings_add(&h->warnings, text))
				reg->warned(h->name, about(q, whole), text, reg->warned_arg);
}

/*
 * Who redirects has answered, whatever becomes of it: storage that is down must not make its registry look dead. Only
 * the version of HTTP is that of the other place.
 */
static void note_answer(const struct bw_question *q, const struct bw_http_response *r)
{
	struct bw_host *h = q->host;

	if (r->status && !r->redirected)
		note_warnings(q, r);
	if (r->status || r->redirected)
		bw_host_answered(h, r->redirected ? h->http_version : r->http_version, r->status);
}

void bw_reading_take(struct bw_question *q, const struct bw_http_response *r)
{
	struct bw_failure f;

	note_answer(q, r);
	if (q->page)
		q->page->status = r->status;
	/* Who sends us elsewhere has let us in. */
	if (r->status && bw_auth_answered(q, r->redirected && r->status != 401 ? 307 : r->status)) {
		bw_question_proceed(q);
		return;
	}
	if (q->is_about_tags)
		take_tags(q, r);
	else if (q->method == BW_HTTP_HEAD && r->status == 501 && !r->failure)
		take_refusal(q, r);
	else if (bw_failure_of_response(r, q->host->name, &f))
		take_failure(q, r, &f);
	else if (r->status == 401)
		take_challenge(q, r);
	else if (r->status != 200)
		take_refusal(q, r);
	else if (q->method == BW_HTTP_HEAD)
		take_head(q, r);
	else if (q->page)
		take_page(q, r);
	else
		take_body(q, r);
}
