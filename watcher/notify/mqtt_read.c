/* mqtt_read.c - see the header. */
#include "notify/mqtt_read.h"

#include <stdbool.h>
#include <string.h>

#include "core/text.h"

#define MAX_BUILD 4096 /* bytes of its id */

/* CloudEvents 1.0, 3.1: names of attributes are lower-case letters and digits. */
static bool is_attribute(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0' &&
	       !bw_text_is(name, "data");
}

size_t bw_mqtt_read_attributes(const char *json, size_t len,
			       struct bw_mqtt_property out[BW_MQTT_MAX_ATTRIBUTES], json_t **ret_root)
{
	json_t *root = json_loadb(json, len, 0, NULL), *value;
	const char *name;
	size_t count = 0;

	*ret_root = root;
	json_object_foreach(root, name, value)
	{
		if (count < BW_MQTT_MAX_ATTRIBUTES && json_is_string(value) && is_attribute(name)) {
			out[count].name = name;
			out[count++].value = json_string_value(value);
		}
	}
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
