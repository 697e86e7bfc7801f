/*
 * body.h - reading the JSON of manifests and configurations: what both kinds of body share. Everything is the peer's
 * doing, so what is wrong is BW_E_PEER, and BW_E_LIMIT beyond the caps. Private to the room.
 */
#ifndef BW_IMAGE_BODY_H
#define BW_IMAGE_BODY_H

#include <stdbool.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/err.h"
#include "image/digest.h"
#include "image/manifest.h"
#include "image/platform.h"

/* What one kind of body may be. */
struct bw_body_rules {
	const char *name; /* in messages: "manifest" */
	size_t max_bytes;
	bool allows_nul; /* strings with \u0000 inside */
};

/* An object without duplicate members; the caller decrefs. */
int bw_body_load(const char *body, size_t len, const struct bw_body_rules *rules, json_t **ret,
		 struct bw_err *err) BW_NODISCARD;

/* A member; one that is null is not there: Go programs write null for an empty list. */
json_t *bw_body_member(const json_t *object, const char *key);

/* Members of an object; `whose` is for the message. NULL, "" and 0 when they are not there, where they may be. */
int bw_body_string(const json_t *object, const char *key, const char *whose, const char **ret,
		   struct bw_err *err) BW_NODISCARD;
int bw_body_media_type(const json_t *object, const char *whose, char out[BW_MEDIA_TYPE_MAX],
		       struct bw_err *err) BW_NODISCARD;
int bw_body_digest(const json_t *object, const char *whose, struct bw_digest *ret,
		   struct bw_err *err) BW_NODISCARD;
int bw_body_size(const json_t *object, const char *whose, int64_t *ret, struct bw_err *err) BW_NODISCARD;

/* The value itself as a digest. */
int bw_body_digest_value(const json_t *value, const char *whose, struct bw_digest *ret,
			 struct bw_err *err) BW_NODISCARD;
/* From the members os, os.version, architecture and variant of `object`; zeroed when there are none. */
int bw_body_platform(const json_t *object, const char *whose, struct bw_platform *ret,
		     struct bw_err *err) BW_NODISCARD;

/* Compact JSON with sorted keys, so that equal values give equal text. NULL: longer than `max` bytes. */
char *bw_body_dump(const json_t *value, size_t max);

/* A media type without parameters and blanks ("; charset=utf-8"). "" for NULL; false when it cannot be one. */
bool bw_body_strip_type(const char *s, char out[BW_MEDIA_TYPE_MAX]);

#endif
