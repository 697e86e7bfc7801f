/*
 * reference.c - image references. The text is cut as Docker cuts it (distribution/reference normalize.go):
 * first the registry at the first '/', then the repository up to ':' or '@', then tag and digest. Each piece
 * is then checked against the grammar (regexp.go) where it stands, so a message can tell the byte.
 */
#include "image/reference.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/chars.h"
#include "image/quote.h"

#define HUB	       "docker.io"
#define HUB_OLD	       "index.docker.io" /* the name before "docker.io"; the only one that Docker folds */
#define HUB_API	       "registry-1.docker.io"
#define HUB_LIBRARY    "library/"
#define DEFAULT_TAG    "latest"
#define REPOSITORY_MAX 255 /* bytes, without the registry */
#define TAG_MAX	       128
#define IMAGE_ID_LEN   64

struct scan {
	const char *s;
	size_t len;
	size_t bad; /* the byte where it goes wrong */
	struct bw_err *err;
};

/* The pieces of a reference as byte ranges of the text; `to` is behind the last byte. */
struct piece {
	size_t from;
	size_t to;
};

struct pieces {
	struct piece registry; /* empty: none written, so Docker Hub */
	struct piece path;
	struct piece tag;
	struct piece digest;
	bool has_tag;
	bool has_digest;
};

/* Notes where it goes wrong, and fails. */
#define FAIL(sc, at, ...) ((sc)->bad = (at), bw_fail((sc)->err, BW_E_INPUT, __VA_ARGS__))

static int fail_char(struct scan *sc, size_t at, const char *what)
{
	char quoted[BW_QUOTE_MAX];

	return FAIL(sc, at, "%s cannot have %s", what, bw_quote_char(sc->s[at], quoted));
}

/* The first `c` in a piece; its end when there is none. */
static size_t find(const struct scan *sc, struct piece in, char c)
{
	const char *at = in.from < in.to ? memchr(sc->s + in.from, c, in.to - in.from) : NULL;

	return at ? (size_t)(at - sc->s) : in.to;
}

static bool is_text(const struct scan *sc, struct piece p, const char *text)
{
	size_t len = strlen(text);

	return p.to - p.from == len && memcmp(sc->s + p.from, text, len) == 0;
}

/* --- registry --------------------------------------------------------------------------------- */

/* The part of a host name that starts a piece; `*ret_end` is where it ends, at a dot or with the piece. */
static int check_label(struct scan *sc, struct piece p, size_t *ret_end)
{
	size_t end = p.from;

	for (; end < p.to && sc->s[end] != '.'; end++)
		if (!is_alnum(sc->s[end]) && sc->s[end] != '-')
			return fail_char(sc, end, "registry name");
	if (p.from == end)
		return FAIL(sc, p.from, "registry name has an empty part");
	if (sc->s[p.from] == '-')
		return FAIL(sc, p.from, "a part of a registry name cannot start with '-'");
	if (sc->s[end - 1] == '-')
		return FAIL(sc, end - 1, "a part of a registry name cannot end with '-'");
	*ret_end = end;
	return 0;
}

/* Parts joined by single dots; upper case is allowed, a trailing dot is not. */
static int check_host_name(struct scan *sc, struct piece p)
{
	for (;;) {
		size_t end = p.to;
		int rc = check_label(sc, p, &end);

		if (rc < 0 || end == p.to)
			return rc;
		p.from = end + 1;
	}
}

/* What is between the brackets; the grammar wants hex digits and colons, no more. */
static int check_ipv6(struct scan *sc, struct piece p)
{
	if (p.from == p.to)
		return FAIL(sc, p.from, "IPv6 address is empty");
	for (size_t i = p.from; i < p.to; i++)
		if (!is_hex(sc->s[i]) && sc->s[i] != ':')
			return fail_char(sc, i, "IPv6 address");
	return 0;
}

/* Any number of digits: the grammar does not ask whether such a port can exist (distribution/reference
 * regexp.go). */
static int check_port(struct scan *sc, struct piece p)
{
	if (p.from == p.to)
		return FAIL(sc, p.from, "registry name has no port behind the ':'");
	for (size_t i = p.from; i < p.to; i++)
		if (!is_digit(sc->s[i]))
			return fail_char(sc, i, "port of the registry before the '/'");
	return 0;
}

/* "https://": people paste addresses. */
static bool is_scheme(const struct scan *sc, struct piece p)
{
	return sc->s[p.to - 1] == ':' && p.to + 1 < sc->len && sc->s[p.to + 1] == '/';
}

/* host, host:port, [ipv6] or [ipv6]:port. The piece is not empty. */
static int check_registry(struct scan *sc, struct piece p)
{
	bool is_ipv6 = sc->s[p.from] == '[';
	size_t host_end = find(sc, p, is_ipv6 ? ']' : ':');
	char quoted[BW_QUOTE_MAX];
	int rc;

	if (is_scheme(sc, p))
		return FAIL(sc, p.from, "an image reference has no '%s//' in front",
			    bw_quote(sc->s + p.from, p.to - p.from, quoted, sizeof(quoted)));
	if (is_ipv6 && host_end == p.to)
		return FAIL(sc, p.to, "IPv6 address has no closing ']'");
	rc = is_ipv6 ? check_ipv6(sc, (struct piece){p.from + 1, host_end})
		     : check_host_name(sc, (struct piece){p.from, host_end});
	if (is_ipv6)
		host_end++;
	if (rc < 0 || host_end == p.to)
		return rc;
	if (sc->s[host_end] != ':')
		return FAIL(sc, host_end,
			    "IPv6 address of the registry is followed by %s, not by ':' and a port",
			    bw_quote_char(sc->s[host_end], quoted));
	return check_port(sc, (struct piece){host_end + 1, p.to});
}

/* --- repository ------------------------------------------------------------------------------- */

static bool is_separator(char c)
{
	return c == '.' || c == '_' || c == '-';
}

/* Length of the separator at `at`: ".", "_", "__" or any number of dashes. */
static size_t separator_len(const struct scan *sc, size_t at, size_t to)
{
	char c = sc->s[at];
	size_t max = c == '-' ? to - at : c == '_' ? 2 : 1;
	size_t n = 1;

	while (n < max && at + n < to && sc->s[at + n] == c)
		n++;
	return n;
}

/* Something else than a letter or digit stands at `at`, or nothing. */
static int fail_component(struct scan *sc, struct piece p, size_t at)
{
	char quoted[BW_QUOTE_MAX];
	size_t run = at;

	if (p.from == p.to)
		return FAIL(sc, at, "repository name has an empty part");
	if (at == p.to)
		return FAIL(sc, at - 1, "a part of a repository name cannot end with '%c'", sc->s[at - 1]);
	if (is_upper(sc->s[at]))
		return FAIL(sc, at, "repository name must be lowercase: '%s'",
			    bw_quote(sc->s + p.from, p.to - p.from, quoted, sizeof(quoted)));
	if (!is_separator(sc->s[at]))
		return fail_char(sc, at, "repository name");
	if (at == p.from)
		return FAIL(sc, at, "a part of a repository name cannot start with '%c'", sc->s[at]);
	while (run > p.from && is_separator(sc->s[run - 1]))
		run--;
	return FAIL(
		sc, at,
		"repository name cannot have '%s': only '.', '_', '__' or dashes may join letters or digits",
		bw_quote(sc->s + run, at + 1 - run, quoted, sizeof(quoted)));
}

/* Lower case letters and digits, joined by separators? `*ret_at` is the byte where it stops being that. */
static bool is_component(const struct scan *sc, struct piece p, size_t *ret_at)
{
	size_t at = p.from;

	for (;;) {
		*ret_at = at;
		if (at == p.to || !is_lower_alnum(sc->s[at]))
			return false;
		while (at < p.to && is_lower_alnum(sc->s[at]))
			at++;
		*ret_at = at;
		if (at == p.to)
			return true;
		if (!is_separator(sc->s[at]))
			return false;
		at += separator_len(sc, at, p.to);
	}
}

/* `max` is the length that is left; what Docker adds or counts besides has been taken off. */
static int check_path(struct scan *sc, struct piece p, size_t max)
{
	struct piece part = p;
	size_t at;

	if (p.from == p.to)
		return FAIL(sc, p.from, "repository name is missing");
	for (;; part.from = part.to + 1) {
		part.to = find(sc, (struct piece){part.from, p.to}, '/');
		if (!is_component(sc, part, &at))
			return fail_component(sc, part, at);
		if (part.to == p.to)
			break;
	}
	if (p.to - p.from > max)
		return FAIL(sc, p.from + max, "repository name is longer than %d characters%s",
			    REPOSITORY_MAX,
			    max < REPOSITORY_MAX ? ", with what is before the first '/' or 'library/' counted"
						 : "");
	return 0;
}

/* --- tag and digest --------------------------------------------------------------------------- */

/* Wrong characters are told before a wrong length: they are the better hint. */
static int check_tag(struct scan *sc, struct piece p)
{
	if (p.from == p.to)
		return FAIL(sc, p.from, "tag is missing behind the ':'");
	for (size_t i = p.from; i < p.to; i++) {
		char c = sc->s[i];

		if (!is_alnum(c) && c != '_' && c != '.' && c != '-')
			return fail_char(sc, i, "tag");
		if (i == p.from && (c == '.' || c == '-'))
			return FAIL(sc, i, "tag cannot start with '%c'", c);
	}
	if (p.to - p.from > TAG_MAX)
		return FAIL(sc, p.from + TAG_MAX, "tag is longer than %d characters", TAG_MAX);
	return 0;
}

/* The digest module knows why; here its byte is moved to where the digest stands in the reference. */
static int check_digest(struct scan *sc, struct piece p, struct bw_digest *ret)
{
	size_t offset = 0;
	int rc;

	if (p.from == p.to)
		return FAIL(sc, p.from, "digest is missing behind the '@'");
	rc = bw_digest_parse_at(sc->s + p.from, p.to - p.from, ret, &offset, sc->err);
	sc->bad = p.from + offset;
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Docker takes what is before the first '/' as a registry if it cannot be a part of a Docker Hub name. */
static bool is_registry(const struct scan *sc, struct piece p)
{
	if (is_text(sc, p, "localhost"))
		return true;
	for (size_t i = p.from; i < p.to; i++)
		if (sc->s[i] == '.' || sc->s[i] == ':' || is_upper(sc->s[i]))
			return true;
	return false;
}

/*
 * "my_host.lan/app": taken for a registry because of the dot, but no host name because of the '_'. The
 * grammar takes it all the same, as a path without registry, and the builder then asks the host of that name.
 * Its length counts as path.
 */
static bool is_underscore_host(const struct scan *sc, struct piece p)
{
	size_t at;

	return find(sc, p, '_') < p.to && is_component(sc, p, &at);
}

/* An image ID: Docker refuses it as a name, since everybody would misread it. */
static bool is_image_id(const struct scan *sc)
{
	if (sc->len != IMAGE_ID_LEN)
		return false;
	for (size_t i = 0; i < sc->len; i++)
		if (!is_lower_hex(sc->s[i]))
			return false;
	return true;
}

/*
 * The digest begins at the first '@' behind the registry, the tag at the first ':' before that: so
 * "localhost:5000" has a tag, "localhost:5000/a" a port, and "a@sha256:..." no tag.
 */
static void cut(const struct scan *sc, struct pieces *p)
{
	struct piece rest = {0, sc->len};
	struct piece first = {0, find(sc, rest, '/')};
	size_t colon;

	if (first.to < sc->len && is_registry(sc, first)) {
		p->registry = first;
		rest.from = first.to + 1;
	}
	p->path = p->tag = p->digest = rest;
	p->digest.from = find(sc, rest, '@');
	p->tag.to = p->digest.from;
	p->has_digest = p->digest.from < sc->len;
	if (p->has_digest)
		p->digest.from++;
	colon = find(sc, (struct piece){rest.from, p->tag.to}, ':');
	p->has_tag = colon < p->tag.to;
	p->tag.from = colon + (p->has_tag ? 1 : 0);
	p->path.to = colon;
}

/* Does the name belong to Docker Hub and to none of its users? Such names live in "library/". */
static bool is_official(const struct scan *sc, const struct pieces *p)
{
	bool on_hub =
		p->registry.to == 0 || is_text(sc, p->registry, HUB) || is_text(sc, p->registry, HUB_OLD);

	return on_hub && find(sc, p->path, '/') == p->path.to;
}

/* From left to right, so the first thing wrong is the one that is told. */
static int check(struct scan *sc, const struct pieces *p, struct bw_digest *ret_digest)
{
	size_t max = REPOSITORY_MAX;
	int rc = 0;

	if (is_official(sc, p)) {
		max -= strlen(HUB_LIBRARY);
	} else if (is_underscore_host(sc, p->registry)) {
		max -= p->registry.to < max ? p->registry.to + 1 : max;
	} else if (p->registry.to > 0) {
		rc = check_registry(sc, p->registry);
	}
	if (rc == 0)
		rc = check_path(sc, p->path, max);
	if (rc == 0 && p->has_tag)
		rc = check_tag(sc, p->tag);
	if (rc == 0 && p->has_digest)
		rc = check_digest(sc, p->digest, ret_digest);
	return rc;
}

/* Writes the text and its NUL; returns where the next one goes. */
static char *keep(char *to, const char *s, size_t len)
{
	*(char *)mempcpy(to, s, len) = '\0';
	return to + len + 1;
}

/* The texts of a reference lie in one piece of memory; `registry` is its start, and what is freed. */
static void keep_texts(const struct scan *sc, const struct pieces *p, struct bw_reference *ret)
{
	bool is_hub = p->registry.to == 0 || is_text(sc, p->registry, HUB_OLD);
	size_t registry_len = is_hub ? strlen(HUB) : p->registry.to;
	size_t library_len = is_official(sc, p) ? strlen(HUB_LIBRARY) : 0;
	size_t path_len = p->path.to - p->path.from;
	size_t tag_len = p->tag.to - p->tag.from;
	char *at = bw_realloc(NULL, registry_len + library_len + path_len + tag_len + 3, 1);

	ret->registry = at;
	at = keep(at, is_hub ? HUB : sc->s, registry_len);
	ret->repository = at;
	at = mempcpy(at, HUB_LIBRARY, library_len);
	at = keep(at, sc->s + p->path.from, path_len);
	ret->tag = p->has_tag ? at : NULL;
	(void)keep(at, sc->s + p->tag.from, tag_len);
}

/* Fills `ret` only when nothing is left that can fail. */
static int parse(struct scan *sc, struct bw_reference *ret)
{
	struct pieces p = {0};
	struct bw_digest digest = {0};
	int rc;

	if (sc->len == 0)
		return FAIL(sc, 0, "image reference is empty");
	if (is_image_id(sc))
		return FAIL(sc, 0, "64 hex digits are an image ID and cannot be a repository name");
	cut(sc, &p);
	rc = check(sc, &p, &digest);
	if (rc < 0)
		return rc;
	keep_texts(sc, &p, ret);
	ret->digest = digest;
	return 0;
}

int bw_reference_parse(const char *s, size_t len, struct bw_reference *ret, size_t *ret_offset,
		       struct bw_err *err)
{
	struct scan sc = {.s = s, .len = len, .err = err};
	int rc = parse(&sc, ret);

	if (rc < 0 && ret_offset)
		*ret_offset = sc.bad;
	return rc;
}

void bw_reference_done(struct bw_reference *r)
{
	free(r->registry); /* the other texts lie behind it, see keep_texts() */
	memset(r, 0, sizeof(*r));
}

const char *bw_reference_tag(const struct bw_reference *r)
{
	if (r->tag)
		return r->tag;
	return bw_digest_is_set(&r->digest) ? NULL : DEFAULT_TAG;
}

/* Writes `mark` and `text`, or nothing without a text; returns where it goes on. */
static char *append(char *to, char mark, const char *text, size_t len)
{
	if (len == 0)
		return to;
	*to = mark;
	return mempcpy(to + 1, text, len);
}

/* By hand, since every base of every file is written so. `tag` and `digest` may be "". */
static char *join(const struct bw_reference *r, const char *tag, const char *digest)
{
	size_t registry_len = strlen(r->registry);
	size_t repository_len = strlen(r->repository);
	size_t tag_len = strlen(tag);
	size_t digest_len = strlen(digest);
	char *text =
		bw_realloc(NULL, registry_len + repository_len + tag_len + digest_len + sizeof("/:@"), 1);
	char *end = mempcpy(text, r->registry, registry_len);

	end = append(end, '/', r->repository, repository_len);
	end = append(end, ':', tag, tag_len);
	end = append(end, '@', digest, digest_len);
	*end = '\0';
	return text;
}

char *bw_reference_format(const struct bw_reference *r)
{
	const char *tag = bw_reference_tag(r);

	return join(r, tag ? tag : "", r->digest.text);
}

char *bw_reference_base(const struct bw_reference *r)
{
	const char *tag = bw_reference_tag(r);

	return tag ? join(r, tag, "") : NULL;
}

/* Would the name without "docker.io/" be read as one of another registry? */
static bool is_misread(const char *name)
{
	struct scan sc = {.s = name, .len = strlen(name)};
	struct piece first = {0, find(&sc, (struct piece){0, sc.len}, '/')};

	return first.to < sc.len && is_registry(&sc, first);
}

const char *bw_reference_familiar(const char *normal)
{
	const char *name;

	if (!bw_text_starts(normal, HUB "/"))
		return normal;
	name = normal + strlen(HUB "/");
	if (is_misread(name))
		return normal;
	/* "library/a/b" is no official image: without "library/" it would be a user's. */
	if (bw_text_starts(name, HUB_LIBRARY) && !strchr(name + strlen(HUB_LIBRARY), '/'))
		name += strlen(HUB_LIBRARY);
	return name;
}

const char *bw_reference_api_host(const char *registry)
{
	return strcmp(registry, HUB) == 0 ? HUB_API : registry;
}
