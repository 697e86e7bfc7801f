/*
 * image_world.h - a registry in memory: indexes, manifests and configurations made from one line of text, with real
 * digests and read by the real parsers. It meets the needs of a decision, and remembers which ones it had.
 *
 *     linux/amd64:a,b linux/arm64:a,c;env=2 att:x     an index of two images and an attestation
 *     single linux/amd64:a,b                          one manifest without an index
 *     linux/386:a [ linux/amd64:b ] index=2           an index in an index, and an annotation of the outer one
 *
 * After the platform of an image stand its layers, "a@512" has 512 KiB (1 MiB otherwise), and options: `env`, `label`,
 * `date` and `hist` go into its configuration, `names` names several variables and labels whose value is that label, `diff` into its diff_ids, `note` is an annotation of the manifest and
 * `entry` one of its entry; `type=docker` has the media types of Docker; with `bare=1` its entry has no platform, with
 * `says` another one than its configuration.
 * "artifact" instead of a platform: its configuration is none of an image; with `bare=1` it says so only there.
 *
 * Bodies are named by where they were first: "-" and "+" are the tops before and now, "+linux/arm64" is a manifest,
 * "+linux/arm64.config" its configuration, "-[1]" a nested index, "-att" an attestation. A second of one name gets "'".
 */
#ifndef BW_TESTS_IMAGE_WORLD_H
#define BW_TESTS_IMAGE_WORLD_H

#include "unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "image/bodies.h"

struct world_body {
	enum bw_body_kind kind;
	struct bw_digest digest;
	char *name;
	char *text;
	enum bw_trouble trouble; /* it cannot be had */
};

struct world {
	struct world_body *items;
	size_t count, capacity;
	char side; /* '-' or '+' while it is being made */
	unsigned nested;
	struct bw_buf asked; /* names, in the order in which they were needed */
	size_t asked_count;
};

static inline void world_init(struct world *w)
{
	*w = (struct world){.side = '-'};
	bw_buf_init(&w->asked, 1U << 20);
}

static inline void world_done(struct world *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->items[i].name);
		free(w->items[i].text);
	}
	free(w->items);
	bw_buf_done(&w->asked);
}

static inline struct world_body *world_find(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->items[i].name, name) == 0)
			return &w->items[i];
	return NULL;
}

static inline struct world_body *world_find_digest(const struct world *w, const struct bw_digest *d)
{
	for (size_t i = 0; i < w->count; i++)
		if (bw_digest_equal(&w->items[i].digest, d))
			return &w->items[i];
	return NULL;
}

/* --- making bodies ---------------------------------------------------------------------------- */

/* Takes the text over; the same text is the same body. */
static inline struct bw_digest world_put(struct world *w, enum bw_body_kind kind, const char *name,
					 char *text)
{
	struct world_body made = {.kind = kind, .text = text, .name = bw_asprintf("%c%s", w->side, name)};

	bw_digest_of(text, strlen(text), &made.digest);
	if (world_find_digest(w, &made.digest)) {
		free(made.name);
		free(text);
		return made.digest;
	}
	while (world_find(w, made.name)) {
		char *longer = bw_asprintf("%s'", made.name);

		free(made.name);
		made.name = longer;
	}
	BW_PUSH(w->items, w->count, w->capacity) = made;
	return made.digest;
}

/* The value of an option of "platform:layers;name=value;..."; NULL without it. The caller frees. */
static inline char *world_option(const char *token, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strchr(token, ';'); at; at = strchr(at + 1, ';'))
		if (strncmp(at + 1, name, len) == 0 && at[1 + len] == '=')
			return bw_strndup(at + len + 2, strcspn(at + len + 2, ";"));
	return NULL;
}

static inline void world_add_digest(struct bw_buf *out, const char *what, const char *text, size_t len)
{
	char *salted = bw_asprintf("%s:%.*s", what, (int)len, text);
	struct bw_digest d;

	bw_digest_of(salted, strlen(salted), &d);
	bw_buf_addf(out, "\"%s\"", d.text);
	free(salted);
}

/* Calls back for each layer, with its name and its size in KiB. */
static inline void world_each_layer(const char *token, struct bw_buf *out,
				    void (*fn)(struct bw_buf *out, const char *name, size_t len,
					       const char *kib, const char *arg),
				    const char *arg)
{
	const char *at = strchr(token, ':');

	assert_non_null(at);
	for (at++; *at != '\0' && *at != ';';) {
		size_t len = strcspn(at, ",;"), name_len = strcspn(at, "@,;");

		fn(out, at, name_len, name_len < len ? at + name_len + 1 : "1024", arg);
		at += len;
		if (*at == ',') {
			bw_buf_addc(out, ',');
			at++;
		}
	}
}

static inline void world_add_layer(struct bw_buf *out, const char *name, size_t len, const char *kib,
				   const char *arg)
{
	bw_buf_addf(out, "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"size\":%" PRIu64,
		    (uint64_t)strtoull(kib, NULL, 10) * 1024);
	bw_buf_adds(out, ",\"digest\":");
	world_add_digest(out, arg, name, len);
	bw_buf_addc(out, '}');
}

static inline void world_add_diff(struct bw_buf *out, const char *name, size_t len, const char *kib,
				  const char *arg)
{
	(void)kib;
	world_add_digest(out, arg ? arg : "diff", name, len);
}

/* "architecture":...,"os":... of "os(version)/arch/variant", as written: the parsers have to find the normal form. */
static inline void world_add_platform(struct bw_buf *out, const char *token)
{
	char *text = bw_strndup(token, strcspn(token, ":")), *variant = text;
	char *os = strsep(&variant, "/"), *arch = strsep(&variant, "/"), *version = os;

	os = strsep(&version, "(");
	bw_buf_addf(out, "\"architecture\":\"%s\",\"os\":\"%s\"", arch ? arch : "", os);
	if (variant)
		bw_buf_addf(out, ",\"variant\":\"%s\"", variant);
	if (version)
		bw_buf_addf(out, ",\"os.version\":\"%.*s\"", (int)strcspn(version, ")"), version);
	free(text);
}

static inline void world_add_option(struct bw_buf *out, const char *token, const char *name,
				    const char *format)
{
	char *value = world_option(token, name);
	const char *at = strchr(format, '%');

	assert_non_null(at);
	if (value)
		bw_buf_addf(out, "%.*s%s%s", (int)(at - format), format, value, at + 1);
	free(value);
}

static inline bool world_is_artifact(const char *token)
{
	return strncmp(token, "artifact:", strlen("artifact:")) == 0;
}

static inline char *world_config(const char *token)
{
	char *salt = world_option(token, "diff"), *names = world_option(token, "names");
	char *label = world_option(token, "label");
	struct bw_buf out;

	bw_buf_init(&out, 1U << 20);
	bw_buf_addc(&out, '{');
	if (!world_is_artifact(token)) {
		world_add_platform(&out, token);
		bw_buf_addc(&out, ',');
	}
	world_add_option(&out, token, "date", "\"created\":\"%T00:00:00Z\",");
	bw_buf_adds(&out, "\"config\":{\"Cmd\":[\"sh\"]");
	world_add_option(&out, token, "env", ",\"Env\":[\"PATH=/bin\",\"NODE_VERSION=%\"]");
	if (names)
		bw_buf_addf(&out, ",\"Env\":[\"%s1=%s\",\"%s2=%s\",\"%s3=%s\"]", names, label, names, label,
			    names, label);
	if (names)
		bw_buf_addf(&out, ",\"Labels\":{\"%s1\":\"%s\",\"%s2\":\"%s\"}", names, label, names, label);
	else
		world_add_option(&out, token, "label", ",\"Labels\":{\"version\":\"%\"}");
	bw_buf_adds(&out, "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	world_each_layer(token, &out, world_add_diff, salt);
	bw_buf_adds(&out, "]}");
	world_add_option(&out, token, "hist", ",\"history\":[{\"created_by\":\"%\"}]");
	bw_buf_addc(&out, '}');
	free(salt);
	free(names);
	free(label);
	return bw_buf_take(&out, NULL);
}

static inline const char *world_type(const char *token)
{
	return strstr(token, ";type=docker") ? "application/vnd.docker.distribution.manifest.v2+json"
					     : "application/vnd.oci.image.manifest.v1+json";
}

static inline const char *world_config_type(const char *token)
{
	if (world_is_artifact(token))
		return "application/vnd.cncf.helm.config.v1+json";
	return strstr(token, ";type=docker") ? "application/vnd.docker.container.image.v1+json"
					     : "application/vnd.oci.image.config.v1+json";
}

/* The manifest of an image, with its configuration. */
static inline struct bw_digest world_image(struct world *w, const char *token)
{
	char *name = bw_strndup(token, strcspn(token, ":")), *config_name = bw_asprintf("%s.config", name);
	char *config_text = world_config(token);
	size_t config_size = strlen(config_text);
	struct bw_digest config = world_put(w, BW_BODY_CONFIG, config_name, config_text);
	struct bw_digest made;
	struct bw_buf out;

	bw_buf_init(&out, 1U << 20);
	bw_buf_addf(&out, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\",",
		    world_type(token), world_config_type(token));
	bw_buf_addf(&out, "\"digest\":\"%s\",\"size\":%zu},\"layers\":[", config.text, config_size);
	world_each_layer(token, &out, world_add_layer, "layer");
	bw_buf_addc(&out, ']');
	world_add_option(&out, token, "note", ",\"annotations\":{\"note\":\"%\"}");
	bw_buf_addc(&out, '}');
	made = world_put(w, BW_BODY_MANIFEST, name, bw_buf_take(&out, NULL));
	free(name);
	free(config_name);
	return made;
}

static inline struct bw_digest world_attestation(struct world *w, const char *token)
{
	return world_put(
		w, BW_BODY_MANIFEST, "att",
		bw_asprintf("{\"schemaVersion\":2,\"config\":{},\"layers\":[],\"of\":\"%s\"}", token));
}

static inline void world_add_entry(struct world *w, struct bw_buf *out, const char *token)
{
	bool is_attestation = strncmp(token, "att:", strlen("att:")) == 0;
	struct bw_digest d = is_attestation ? world_attestation(w, token) : world_image(w, token);

	bw_buf_addf(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":500",
		    world_is_artifact(token) && !strstr(token, ";bare=") ? "application/vnd.cncf.chart"
									 : world_type(token),
		    d.text);
	if (is_attestation) {
		bw_buf_adds(out,
			    ",\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"},\"annotations\":"
			    "{\"vnd.docker.reference.type\":\"attestation-manifest\"}");
	} else if (!strstr(token, ";bare=") && !world_is_artifact(token)) {
		char *says = world_option(token, "says");

		bw_buf_adds(out, ",\"platform\":{");
		world_add_platform(out, says ? says : token);
		bw_buf_addc(out, '}');
		free(says);
	}
	world_add_option(out, token, "entry", ",\"annotations\":{\"entry\":\"%\"}");
	bw_buf_addc(out, '}');
}

/* Reads tokens up to the end or "]". */
/* NOLINTNEXTLINE(misc-no-recursion) as deep as the test's text */
static inline struct bw_digest world_index(struct world *w, const char *name, char **rest)
{
	struct bw_buf out;
	char *token, *note = NULL;
	size_t entries = 0;
	struct bw_digest made;

	bw_buf_init(&out, 4U << 20);
	bw_buf_adds(&out, "{\"schemaVersion\":2,\"mediaType\":\"application/"
			  "vnd.oci.image.index.v1+json\",\"manifests\":[");
	while ((token = strsep(rest, " ")) && strcmp(token, "]") != 0) {
		if (token[0] == '\0')
			continue;
		if (strncmp(token, "index=", strlen("index=")) == 0) {
			note = token + strlen("index=");
			continue;
		}
		bw_buf_adds(&out, entries++ ? "," : "");
		if (strcmp(token, "[") == 0) {
			char *inner_name = bw_asprintf("[%u]", ++w->nested);
			struct bw_digest inner = world_index(w, inner_name, rest);

			bw_buf_addf(&out,
				    "{\"mediaType\":\"application/"
				    "vnd.oci.image.index.v1+json\",\"size\":900,\"digest\":\"%s\"}",
				    inner.text);
			free(inner_name);
		} else {
			world_add_entry(w, &out, token);
		}
	}
	bw_buf_addc(&out, ']');
	if (note)
		bw_buf_addf(&out, ",\"annotations\":{\"note\":\"%s\"}", note);
	bw_buf_addc(&out, '}');
	assert_false(out.overflow);
	made = world_put(w, BW_BODY_MANIFEST, name, bw_buf_take(&out, NULL));
	return made;
}

/* Makes what `spec` says; returns the digest of its top. */
static inline struct bw_digest world_make(struct world *w, char side, const char *spec)
{
	char *copy = bw_strdup(spec), *rest = copy;
	struct bw_digest made;

	w->side = side;
	w->nested = 0;
	if (strncmp(copy, "single ", strlen("single ")) == 0) {
		size_t before = w->count;

		made = world_image(w, copy + strlen("single "));
		/* The top goes by its sign, unless it was there before. */
		for (size_t i = before; i < w->count; i++)
			if (bw_digest_equal(&w->items[i].digest, &made)) {
				free(w->items[i].name);
				w->items[i].name = bw_asprintf("%c", side);
			}
	} else {
		made = world_index(w, "", &rest);
	}
	free(copy);
	return made;
}

/* --- meeting needs ---------------------------------------------------------------------------- */

static inline void world_put_missing(const struct world_body *body, struct bw_bodies *to)
{
	struct bw_answer why = {.trouble = body->trouble};

	(void)snprintf(why.message, sizeof(why.message), "%s", bw_trouble_text(body->trouble));
	bw_bodies_put_missing(to, &body->digest, &why);
}

static inline void world_give(const struct world_body *body, struct bw_bodies *to)
{
	struct bw_manifest manifest = {0};
	struct bw_config config = {0};
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (body->trouble != BW_TROUBLE_NONE) {
		world_put_missing(body, to);
		return;
	}
	if (body->kind == BW_BODY_MANIFEST)
		rc = bw_manifest_parse(body->text, strlen(body->text), NULL, &manifest, &err);
	else
		rc = bw_config_parse(body->text, strlen(body->text), &config, &err);
	if (rc < 0)
		fail_msg("%s: %s: %s", body->name, err.msg, body->text);
	if (body->kind == BW_BODY_MANIFEST)
		bw_bodies_put_manifest(to, &body->digest, &manifest);
	else
		bw_bodies_put_config(to, &body->digest, &config);
}

/* Meets all open needs; returns how many there were. Each must be of a body of this world, and of its kind. */
static inline size_t world_meet(struct world *w, struct bw_bodies *b)
{
	size_t count;
	const struct bw_need *needs = bw_bodies_needs(b, &count);
	struct bw_need *copy = bw_alloc((count + 1) * sizeof(*copy));

	if (count > 0)
		memcpy(copy, needs, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++) {
		const struct world_body *body = world_find_digest(w, &copy[i].digest);

		if (!body || body->kind != copy[i].kind) {
			fail_msg("needed, but nowhere: %s", copy[i].digest.text);
			break;
		}
		bw_buf_addf(&w->asked, "%s%s", w->asked.len ? " " : "", body->name);
		w->asked_count++;
		world_give(body, b);
	}
	free(copy);
	return count;
}

#endif
