/* mqtt_read.c - see the header. */
#include "notify/mqtt_read.h"

#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define BUILD_DIGITS 32 /* of its id: store/identity.h */
#define EVENT_MIN    6	/* digits that are enough: store/outbox.h */
#define EVENT_MAX    64

/* CloudEvents 1.0, 3.1: names of attributes are lower-case letters and digits. */
static bool is_attribute(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0' &&
	       !bw_text_is(name, "data");
}

/*
 * A tree of each event would cost more than all the rest of sending it, so these few members are cut out of a copy of
 * the text. Whoever wrote it, nothing behind its end is read.
 */

/* Behind the string that begins at `s`, or at the end of the text. */
static char *skip_string(char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : s;
}

/* Behind a value of any kind: at the comma or the bracket that ends it. */
static char *skip_value(char *s)
{
	size_t depth = 0;

	while (*s) {
		if (depth == 0 && strchr(",}]", *s))
			return s;
		if (*s == '{' || *s == '[')
			depth++;
		else if (*s == '}' || *s == ']')
			depth--;
		s = *s == '"' ? skip_string(s) : s + 1;
	}
	return s;
}

/* What is between the quotes, in place: with escapes it is never shorter than without. NULL: not to be read. */
static char *decode(char *begin, char *end)
{
	json_t *value;

	if (end - begin < 2 || end[-1] != '"')
		return NULL;
	if (!memchr(begin, '\\', (size_t)(end - begin))) {
		end[-1] = '\0';
		return begin + 1;
	}
	value = json_loadb(begin, (size_t)(end - begin), JSON_DECODE_ANY, NULL);
	if (value)
		memcpy(begin, json_string_value(value), json_string_length(value) + 1);
	json_decref(value);
	return value ? begin : NULL;
}

/* The member at `s`, if it is one; `ret_end` is behind it. */
static bool read_attribute(char *s, struct bw_mqtt_property *ret, char **ret_end)
{
	char *colon, *name, *value;

	*ret_end = s + strlen(s);
	if (*s != '"')
		return false;
	colon = skip_string(s);
	if (*colon != ':')
		return false;
	*ret_end = skip_value(colon + 1);
	if (colon[1] != '"')
		return false;
	name = decode(s, colon);
	value = decode(colon + 1, *ret_end);
	if (!name || !value || !is_attribute(name))
		return false;
	*ret = (struct bw_mqtt_property){.name = name, .value = value};
	return true;
}

size_t bw_mqtt_read_attributes(const char *json, size_t len,
			       struct bw_mqtt_property out[BW_MQTT_MAX_ATTRIBUTES], char **ret_text)
{
	char *at = bw_strndup(json, len);
	size_t count = 0;

	*ret_text = at;
	while ((*at == '{' || *at == ',') && count < BW_MQTT_MAX_ATTRIBUTES)
		count += read_attribute(at + 1, &out[count], &at);
	return count;
}

/* "sha256:" and 64 digits, or another algorithm of the same form; whether it exists is for others to say. */
static bool is_digest(const char *s)
{
	size_t name = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+._-"), digits;

	if (name == 0 || name > 32 || s[name] != ':')
		return false;
	s += name + 1;
	digits = strspn(s, "0123456789abcdef");
	return digits >= 32 && digits <= 128 && s[digits] == '\0' && (name != 6 || digits == 64);
}

static bool is_hex(const char *s, size_t min, size_t max)
{
	size_t len = strspn(s, "0123456789abcdef");

	return s[len] == '\0' && len >= min && len <= max;
}

/* null is as good as none; false: it is there, and no text. */
static bool take_text(const json_t *root, const char *name, const char **ret)
{
	const json_t *value = json_object_get(root, name);

	*ret = json_string_value(value);
	return *ret || !value || json_is_null(value);
}

/* A build and a digest, or an event, with or without its build. */
static int read_members(const json_t *root, struct bw_mqtt_rebuilt *ret, struct bw_err *err)
{
	bool are_texts = take_text(root, "build", &ret->build) && take_text(root, "digest", &ret->digest) &&
			 take_text(root, "event", &ret->event);

	if (are_texts && ret->build && !is_hex(ret->build, BUILD_DIGITS, BUILD_DIGITS))
		return bw_fail(
			err, BW_E_PEER,
			"its \"build\" is not the id of one: give data.build of an event (%d hexadecimal "
			"digits)",
			BUILD_DIGITS);
	if (are_texts && ret->event && !ret->digest && is_hex(ret->event, EVENT_MIN, EVENT_MAX))
		return 0;
	if (are_texts && !ret->event && ret->build && ret->digest && is_digest(ret->digest))
		return 0;
	return bw_fail(err, BW_E_PEER,
		       "it is not {\"build\": ID, \"digest\": \"sha256:...\"}, nor {\"event\": ID}");
}

int bw_mqtt_read_rebuilt(const char *payload, size_t len, struct bw_mqtt_rebuilt *ret, json_t **ret_root,
			 struct bw_err *err)
{
	json_error_t je;
	json_t *root;
	struct bw_mqtt_rebuilt r;
	int rc;

	if (len > BW_MQTT_MAX_REBUILT)
		return bw_fail(err, BW_E_PEER, "%zu bytes, at most %d are read", len, BW_MQTT_MAX_REBUILT);
	root = json_loadb(payload, len, JSON_REJECT_DUPLICATES, &je);
	if (!root)
		return bw_fail(err, BW_E_PEER, "no JSON: %s", je.text);
	rc = read_members(root, &r, err);
	if (rc < 0) {
		json_decref(root);
		return rc;
	}
	*ret = r;
	*ret_root = root;
	return 0;
}
