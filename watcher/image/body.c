/* body.c - the JSON of manifests and configurations; see body.h. */
#include "image/body.h"

#include <string.h>

#include "core/text.h"
#include "image/chars.h"
#include "image/quote.h"

/* A parsed value takes many times its bytes, so 4 MiB of "[[],[],..." would take hundreds of MiB. */
#define MAX_VALUES 200000 /* the largest index that we take has 1,000 children with some 20 values each */
#define MAX_DEPTH  64	  /* real ones nest 5 levels */
#define DETAIL_MAX 160	  /* of jansson's own words */

bool bw_body_strip_type(const char *s, char out[BW_MEDIA_TYPE_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	if (!s)
		return true;
	s += strspn(s, " \t");
	while (is_visible(s[len]) && s[len] != ';')
		len++;
	if (s[len + strspn(s + len, " \t")] != '\0' && s[len + strspn(s + len, " \t")] != ';')
		return false;
	if (len >= BW_MEDIA_TYPE_MAX)
		return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* Counts what a parser would have to build, before it builds it. Need not notice that the text is no JSON. */
static int check_extent(const char *body, size_t len, const char *name, struct bw_err *err)
{
	size_t values = 0;
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = body[i];

		if (in_string) {
			if (c == '\\')
				i++;
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
			values++;
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == ',') {
			values++;
		}
		if (depth > MAX_DEPTH)
			return bw_fail(err, BW_E_LIMIT, "%s nests deeper than %d levels", name, MAX_DEPTH);
		if (values > MAX_VALUES)
			return bw_fail(err, BW_E_LIMIT, "%s has more than %d values", name, MAX_VALUES);
	}
	return 0;
}

/*
 * Duplicate members are refused: parsers differ in which one they take. Numbers beyond 64 bits are refused by the
 * library, and so are NUL bytes where they are not allowed.
 */
int bw_body_load(const char *body, size_t len, const struct bw_body_rules *rules, json_t **ret,
		 struct bw_err *err)
{
	size_t flags = JSON_REJECT_DUPLICATES | (rules->allows_nul ? JSON_ALLOW_NUL : 0);
	char detail[DETAIL_MAX];
	json_error_t je;
	json_t *root;
	int rc;

	if (len > rules->max_bytes)
		return bw_fail(err, BW_E_LIMIT, "%s is larger than %zu bytes", rules->name, rules->max_bytes);
	rc = check_extent(body, len, rules->name, err);
	if (rc < 0)
		return rc;
	root = json_loadb(len ? body : "", len, flags, &je);
	if (!root)
		return bw_fail(err, BW_E_PEER, "%s is not valid JSON: %s (byte %d)", rules->name,
			       bw_quote(je.text, strlen(je.text), detail, sizeof(detail)), je.position);
	if (!json_is_object(root)) {
		json_decref(root);
		return bw_fail(err, BW_E_PEER, "%s is not a JSON object", rules->name);
	}
	*ret = root;
	return 0;
}

/* --- members ---------------------------------------------------------------------------------- */

json_t *bw_body_member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

int bw_body_string(const json_t *object, const char *key, const char *whose, const char **ret,
		   struct bw_err *err)
{
	const json_t *value = bw_body_member(object, key);

	if (value && !json_is_string(value))
		return bw_fail(err, BW_E_PEER, "%s: '%s' is not a string", whose, key);
	*ret = value ? json_string_value(value) : NULL;
	return 0;
}

/* "" when there is none: an OCI index may lack it. */
int bw_body_media_type(const json_t *object, const char *whose, char out[BW_MEDIA_TYPE_MAX],
		       struct bw_err *err)
{
	const char *text = NULL;
	int rc = bw_body_string(object, "mediaType", whose, &text, err);

	if (rc < 0)
		return rc;
	if (text && strnlen(text, BW_MEDIA_TYPE_MAX) == BW_MEDIA_TYPE_MAX)
		return bw_fail(err, BW_E_LIMIT, "%s: 'mediaType' is longer than %d bytes", whose,
			       BW_MEDIA_TYPE_MAX - 1);
	if (!bw_body_strip_type(text, out))
		return bw_fail(err, BW_E_PEER, "%s: 'mediaType' is not a media type", whose);
	return 0;
}

int bw_body_digest_value(const json_t *value, const char *whose, struct bw_digest *ret, struct bw_err *err)
{
	if (!json_is_string(value))
		return bw_fail(err, BW_E_PEER, "%s has no 'digest'", whose);
	if (bw_digest_parse(json_string_value(value), json_string_length(value), ret, err) < 0) {
		/* The digest module blames input; here it is the registry that is wrong. */
		if (err)
			err->code = BW_E_PEER;
		(void)bw_err_ctx(err, "%s", whose);
		return BW_E_PEER;
	}
	return 0;
}

int bw_body_digest(const json_t *object, const char *whose, struct bw_digest *ret, struct bw_err *err)
{
	return bw_body_digest_value(bw_body_member(object, "digest"), whose, ret, err);
}

/* Only shown to people, so a descriptor without a size is taken. */
int bw_body_size(const json_t *object, const char *whose, int64_t *ret, struct bw_err *err)
{
	const json_t *value = bw_body_member(object, "size");

	if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
		return bw_fail(err, BW_E_PEER, "%s: 'size' is not a number of bytes", whose);
	*ret = value ? json_integer_value(value) : 0;
	return 0;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

int bw_body_platform(const json_t *object, const char *whose, struct bw_platform *ret, struct bw_err *err)
{
	static const char *const keys[] = {"os", "os.version", "architecture", "variant"};
	const char *values[BW_COUNT(keys)];

	for (size_t i = 0; i < BW_COUNT(keys); i++) {
		int rc = bw_body_string(object, keys[i], whose, &values[i], err);

		if (rc < 0)
			return rc;
		if (strnlen(or_empty(values[i]), BW_PLATFORM_PART) == BW_PLATFORM_PART)
			return bw_fail(err, BW_E_LIMIT, "%s: '%s' of its platform is longer than %d bytes",
				       whose, keys[i], BW_PLATFORM_PART - 1);
	}
	if (!bw_platform_set(ret, values[0], values[1], values[2], values[3]))
		return bw_fail(err, BW_E_PEER,
			       "%s: its platform is too long or has characters that no platform has", whose);
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int append(const char *bytes, size_t len, void *arg)
{
	return bw_buf_add(arg, bytes, len) ? 0 : -1;
}

char *bw_body_dump(const json_t *value, size_t max)
{
	const size_t flags = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY;
	BW_AUTOBUF struct bw_buf out;

	bw_buf_init(&out, max);
	if (json_dump_callback(value, append, &out, flags) < 0)
		return NULL;
	return bw_buf_take(&out, NULL);
}
