/*
 * digest.c - content digests; see OCI image-spec descriptor.md "Digests", and go-digest for what is
 * refused.
 */
#include "image/digest.h"

#include <string.h>

#include <openssl/evp.h>

#include "image/chars.h"
#include "image/quote.h"

#define SHORT_HEX 12

/* What go-digest has registered; a registry may name others, but no builder could check them. */
struct algorithm {
	const char *name;
	size_t name_len;
	size_t hex_len;
	const EVP_MD *(*md)(void);
};

static const struct algorithm algorithms[] = {
	{"sha256", 6, 64, EVP_sha256},
	{"sha384", 6, 96, EVP_sha384},
	{"sha512", 6, 128, EVP_sha512},
};

/* The algorithm whose name is before the ':', exactly so written. */
static const struct algorithm *find_algorithm(const char *s, size_t name_len)
{
	for (size_t i = 0; i < BW_COUNT(algorithms); i++) {
		const struct algorithm *a = &algorithms[i];

		if (a->name_len == name_len && memcmp(a->name, s, name_len) == 0)
			return a;
	}
	return NULL;
}

static int fail_algorithm(const char *s, size_t name_len, struct bw_err *err)
{
	char quoted[BW_QUOTE_MAX];

	return bw_fail(err, BW_E_INPUT,
		       "unsupported digest algorithm '%s', known are sha256, sha384 and sha512",
		       bw_quote(s, name_len, quoted, sizeof(quoted)));
}

/* Upper case gets words of its own: the digest is right, only written wrongly. */
static int fail_hex(char c, struct bw_err *err)
{
	char quoted[BW_QUOTE_MAX];

	if (is_hex(c))
		return bw_fail(err, BW_E_INPUT, "hex digits of a digest must be lowercase, not '%c'", c);
	return bw_fail(err, BW_E_INPUT, "a digest has hex digits behind the ':', not %s",
		       bw_quote_char(c, quoted));
}

/* Checks what is behind the ':'. A wrong character is told before a wrong length: it is the better hint. */
static int check_hex(const struct algorithm *a, const char *hex, size_t len, size_t *ret_offset,
		     struct bw_err *err)
{
	size_t within = len < a->hex_len ? len : a->hex_len;

	for (size_t i = 0; i < within; i++) {
		if (is_lower_hex(hex[i]))
			continue;
		*ret_offset = i;
		return fail_hex(hex[i], err);
	}
	*ret_offset = within;
	if (len < a->hex_len)
		return bw_fail(err, BW_E_INPUT, "digest is too short: %s has %zu hex digits, not %zu",
			       a->name, a->hex_len, len);
	if (len > a->hex_len)
		return bw_fail(err, BW_E_INPUT, "digest is too long: %s has %zu hex digits, not %zu", a->name,
			       a->hex_len, len);
	return 0;
}

static int check(const char *s, size_t len, size_t *ret_offset, struct bw_err *err)
{
	const char *colon = len ? memchr(s, ':', len) : NULL;
	const struct algorithm *a;
	size_t name_len;
	int rc;

	*ret_offset = 0;
	if (len == 0)
		return bw_fail(err, BW_E_INPUT, "digest is empty");
	if (!colon) {
		*ret_offset = len;
		return bw_fail(err, BW_E_INPUT, "digest has no ':', it looks like sha256:0123...");
	}
	name_len = (size_t)(colon - s);
	a = find_algorithm(s, name_len);
	if (!a)
		return fail_algorithm(s, name_len, err);
	rc = check_hex(a, colon + 1, len - name_len - 1, ret_offset, err);
	*ret_offset += name_len + 1;
	return rc;
}

int bw_digest_parse_at(const char *s, size_t len, struct bw_digest *ret, size_t *ret_offset,
		       struct bw_err *err)
{
	size_t offset;
	int rc = check(s, len, &offset, err);

	if (rc < 0) {
		if (ret_offset)
			*ret_offset = offset;
		return rc;
	}
	/* The longest that check() lets through is sha512, which fits. */
	memcpy(ret->text, s, len);
	ret->text[len] = '\0';
	return 0;
}

int bw_digest_parse(const char *s, size_t len, struct bw_digest *ret, struct bw_err *err)
{
	return bw_digest_parse_at(s, len, ret, NULL, err);
}

bool bw_digest_is_set(const struct bw_digest *d)
{
	return d->text[0] != '\0';
}

bool bw_digest_equal(const struct bw_digest *a, const struct bw_digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

/* When the library cannot hash (no memory), the result is unset, which no set digest equals. */
static void hash(const struct algorithm *a, const void *bytes, size_t len, struct bw_digest *ret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned raw_len = 0;
	char *out = ret->text;

	memset(ret, 0, sizeof(*ret));
	if (EVP_Digest(len ? bytes : "", len, raw, &raw_len, a->md(), NULL) != 1)
		return;
	memcpy(out, a->name, a->name_len);
	out += a->name_len;
	*out++ = ':';
	for (unsigned i = 0; i < raw_len; i++) {
		*out++ = digits[raw[i] >> 4];
		*out++ = digits[raw[i] & 15];
	}
}

void bw_digest_of(const void *bytes, size_t len, struct bw_digest *ret)
{
	hash(&algorithms[0], bytes, len, ret);
}

bool bw_digest_matches(const struct bw_digest *d, const void *bytes, size_t len)
{
	const struct algorithm *a = find_algorithm(d->text, strcspn(d->text, ":"));
	struct bw_digest actual = {0};

	if (!a)
		return false;
	hash(a, bytes, len, &actual);
	return bw_digest_is_set(&actual) && bw_digest_equal(&actual, d);
}

const char *bw_digest_short(const char *text, char out[BW_DIGEST_SHORT_MAX])
{
	struct bw_digest d;
	size_t keep = 0;

	out[0] = '\0';
	if (!text)
		return out;
	/* Hostile text is cut at the first byte that could steer a terminal, and is never read far. */
	if (bw_digest_parse(text, strnlen(text, BW_DIGEST_MAX), &d, NULL) == 0)
		keep = strcspn(text, ":") + 1 + SHORT_HEX;
	else
		while (keep < BW_DIGEST_SHORT_MAX - 1 && is_visible(text[keep]))
			keep++;
	memcpy(out, text, keep);
	out[keep] = '\0';
	return out;
}
