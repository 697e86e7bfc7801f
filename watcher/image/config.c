/*
 * config.c - configurations of images: OCI image-spec config.md, Docker image spec v1.2. A configuration is taken
 * apart into what it is compared by; what is left when everything known has been taken out is the part "other", so
 * that no member can change unseen.
 */
#include "image/config.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/body.h"

#define OCI_CONFIG    "application/vnd.oci.image.config.v1+json"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"

#define WHOSE "configuration"

/* Labels may hold whole documents, so NUL is no reason to refuse an image: it is compared like other text. */
static const struct bw_body_rules rules = {
	.name = WHOSE, .max_bytes = BW_MAX_CONFIG_BYTES, .allows_nul = true};

/* The parts that are members of `config`, the settings of a container. */
static const struct {
	enum bw_config_part part;
	const char *key;
} settings[] = {
	{BW_CONFIG_ENV, "Env"},
	{BW_CONFIG_LABELS, "Labels"},
	{BW_CONFIG_ENTRYPOINT, "Entrypoint"},
	{BW_CONFIG_CMD, "Cmd"},
	{BW_CONFIG_USER, "User"},
	{BW_CONFIG_WORKDIR, "WorkingDir"},
	{BW_CONFIG_PORTS, "ExposedPorts"},
	{BW_CONFIG_VOLUMES, "Volumes"},
	{BW_CONFIG_HEALTHCHECK, "Healthcheck"},
	{BW_CONFIG_STOP_SIGNAL, "StopSignal"},
	{BW_CONFIG_SHELL, "Shell"},
	{BW_CONFIG_ONBUILD, "OnBuild"},
};

bool bw_config_is_type(const char *media_type)
{
	char stripped[BW_MEDIA_TYPE_MAX];

	return bw_body_strip_type(media_type, stripped) &&
	       (bw_text_is_nocase(stripped, OCI_CONFIG) || bw_text_is_nocase(stripped, DOCKER_CONFIG));
}

/* --- layers ----------------------------------------------------------------------------------- */

static int read_diff_ids(const json_t *list, struct bw_config *c, struct bw_err *err)
{
	size_t count = json_array_size(list);

	if (count > BW_CONFIG_MAX_DIFF)
		return bw_fail(err, BW_E_LIMIT, WHOSE " has %zu layers, more than %d", count,
			       BW_CONFIG_MAX_DIFF);
	if (count == 0)
		return 0;
	c->diff_ids = bw_alloc(count * sizeof(*c->diff_ids));
	c->diff_count = count;
	for (size_t i = 0; i < count; i++) {
		const json_t *id = json_array_get(list, i);
		int rc;

		if (!json_is_string(id))
			return bw_fail(err, BW_E_PEER, WHOSE ": layer %zu of 'diff_ids' is not a string",
				       i + 1);
		rc = bw_body_digest_value(id, "'diff_ids' of the " WHOSE, &c->diff_ids[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_rootfs(const json_t *root, struct bw_config *c, struct bw_err *err)
{
	const json_t *rootfs = bw_body_member(root, "rootfs");
	const json_t *list = bw_body_member(rootfs, "diff_ids");

	if (rootfs && !json_is_object(rootfs))
		return bw_fail(err, BW_E_PEER, WHOSE ": 'rootfs' is not an object");
	if (list && !json_is_array(list))
		return bw_fail(err, BW_E_PEER, WHOSE ": 'diff_ids' is not a list");
	return read_diff_ids(list, c, err);
}

/* --- parts ------------------------------------------------------------------------------------ */

/* What programs leave out or write, as they please: to Docker and to Go no list is an empty list. */
static bool is_empty(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: return json_object_size(value) == 0;
	case JSON_ARRAY: return json_array_size(value) == 0;
	case JSON_STRING: return json_string_length(value) == 0;
	case JSON_INTEGER: return json_integer_value(value) == 0;
	case JSON_NULL:
	case JSON_FALSE: return true;
	case JSON_REAL:
	case JSON_TRUE: break;
	}
	return false;
}

static int keep(struct bw_config *c, enum bw_config_part part, const json_t *value, struct bw_err *err)
{
	if (!value || is_empty(value))
		return 0;
	c->parts[part] = bw_body_dump(value, BW_MAX_CONFIG_BYTES);
	/* Long numbers ("1e15") grow when they are written out. */
	return c->parts[part] ? 0 : bw_fail(err, BW_E_LIMIT, WHOSE " is too large when written out");
}

static void drop_empty_members(json_t *object)
{
	void *next;

	for (void *i = json_object_iter(object); i; i = next) {
		next = json_object_iter_next(object, i);
		if (is_empty(json_object_iter_value(i)))
			(void)json_object_del(object, json_object_iter_key(i));
	}
}

/* Keeps a member as a part, and takes it out of its object. */
static int take(struct bw_config *c, enum bw_config_part part, json_t *object, const char *key,
		struct bw_err *err)
{
	int rc = keep(c, part, json_object_get(object, key), err);

	(void)json_object_del(object, key);
	return rc;
}

static int take_settings(json_t *root, struct bw_config *c, struct bw_err *err)
{
	json_t *config = json_object_get(root, "config");
	int rc = 0;

	if (!json_is_object(config))
		return 0; /* something odd, which stays with the rest */
	for (size_t i = 0; rc == 0 && i < BW_COUNT(settings); i++)
		rc = take(c, settings[i].part, config, settings[i].key, err);
	drop_empty_members(config);
	return rc;
}

/*
 * Moves the dates out of the history. They are a list of their own, as long as the history, so that a date cannot
 * wander from one step to another unseen. False: no memory.
 */
static bool split_history(json_t *history, json_t *dates)
{
	bool has_dates = false;

	for (size_t i = 0; i < json_array_size(history); i++) {
		json_t *entry = json_array_get(history, i);
		json_t *date = bw_body_member(entry, "created");

		has_dates = has_dates || date;
		if (json_array_append_new(dates, date ? json_incref(date) : json_null()) < 0)
			return false;
		(void)json_object_del(entry, "created");
		drop_empty_members(entry);
	}
	if (!has_dates)
		(void)json_array_clear(dates);
	return true;
}

static int take_history(json_t *root, struct bw_config *c, struct bw_err *err)
{
	json_auto_t *both = json_object();
	json_t *created = bw_body_member(root, "created");
	json_t *history = json_object_get(root, "history");
	json_t *dates = json_array();
	int rc;

	if (json_object_set_new(both, "history", dates) < 0 ||
	    (created && json_object_set(both, "created", created) < 0) || !split_history(history, dates))
		return bw_fail(err, BW_E_LIMIT, WHOSE ": no memory for its dates");
	drop_empty_members(both);
	rc = keep(c, BW_CONFIG_DATES, both, err);
	(void)json_object_del(root, "created");
	return rc < 0 ? rc : take(c, BW_CONFIG_HISTORY, root, "history", err);
}

/* What is compared elsewhere: layers are the content, and the platform is what a change is judged by. */
static int take_rest(json_t *root, struct bw_config *c, struct bw_err *err)
{
	static const char *const elsewhere[] = {"rootfs", "os", "os.version", "architecture", "variant"};

	for (size_t i = 0; i < BW_COUNT(elsewhere); i++)
		(void)json_object_del(root, elsewhere[i]);
	drop_empty_members(root);
	return keep(c, BW_CONFIG_OTHER, root, err);
}

static int read_config(json_t *root, struct bw_config *c, struct bw_err *err)
{
	int rc = bw_body_platform(root, WHOSE, &c->platform, err);

	if (rc == 0)
		rc = read_rootfs(root, c, err);
	if (rc == 0)
		rc = take_settings(root, c, err);
	if (rc == 0)
		rc = take_history(root, c, err);
	if (rc == 0)
		rc = take_rest(root, c, err);
	return rc;
}

int bw_config_parse(const char *body, size_t len, struct bw_config *ret, struct bw_err *err)
{
	struct bw_config c = {0};
	json_auto_t *root = NULL;
	int rc = bw_body_load(body, len, &rules, &root, err);

	if (rc == 0)
		rc = read_config(root, &c, err);
	if (rc < 0) {
		bw_config_done(&c);
		return rc;
	}
	*ret = c;
	return 0;
}

void bw_config_done(struct bw_config *c)
{
	for (size_t i = 0; i < BW_CONFIG_PART_COUNT; i++)
		free(c->parts[i]);
	free(c->diff_ids);
	memset(c, 0, sizeof(*c));
}
