/* mqtt_read.c - see the header. */
#include "notify/mqtt_read.h"

#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define MAX_BUILD 4096 /* bytes of its id */

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

/* As event ids are (store/outbox.h): a hash in full. */
static bool is_event(const char *s)
{
	return strlen(s) == 64 && s[strspn(s, "0123456789abcdef")] == '\0';
}

/* A build and a digest, or an event, with or without its build; null is as good as none. */
static bool read_members(const json_t *root, struct bw_mqtt_rebuilt *ret)
{
	const json_t *build = json_object_get(root, "build"), *digest = json_object_get(root, "digest"),
		     *event = json_object_get(root, "event");

	ret->build = json_string_value(build);
	ret->digest = json_string_value(digest);
	ret->event = json_string_value(event);
	if ((build && !ret->build && !json_is_null(build)) ||
	    (ret->build && (!*ret->build || strlen(ret->build) > MAX_BUILD)))
		return false;
	if (ret->event)
		return !ret->digest && is_event(ret->event);
	return ret->build && ret->digest && is_digest(ret->digest);
}

int bw_mqtt_read_rebuilt(const char *payload, size_t len, struct bw_mqtt_rebuilt *ret, json_t **ret_root,
			 struct bw_err *err)
{
	json_error_t je;
	json_t *root;
	struct bw_mqtt_rebuilt r;

	if (len > BW_MQTT_MAX_REBUILT)
		return bw_fail(err, BW_E_PEER, "%zu bytes, at most %d are read", len, BW_MQTT_MAX_REBUILT);
	root = json_loadb(payload, len, JSON_REJECT_DUPLICATES, &je);
	if (!root)
		return bw_fail(err, BW_E_PEER, "no JSON: %s", je.text);
	if (!read_members(root, &r)) {
		json_decref(root);
		return bw_fail(err, BW_E_PEER,
			       "it is not {\"build\": ID, \"digest\": \"sha256:...\"}, nor {\"event\": ID}");
	}
	*ret = r;
	*ret_root = root;
	return 0;
}
