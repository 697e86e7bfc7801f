/* grant.c - see grant.h. */
#include "registry/grant.h"

#include <jansson.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"

#define MAX_ENTRIES 256 /* we never ask for more than a few */

struct bw_grants {
	json_t *claims, *access;
};

/* The claims of "header.claims.signature" (RFC 7515 7.1). False: it has not that form. */
static bool find_claims(const char *token, size_t len, const char **ret, size_t *ret_len)
{
	const char *first = memchr(token, '.', len), *second;

	if (!first)
		return false;
	first++;
	second = memchr(first, '.', len - (size_t)(first - token));
	if (!second || memchr(second + 1, '.', len - (size_t)(second + 1 - token)))
		return false;
	*ret = first;
	*ret_len = (size_t)(second - first);
	return *ret_len > 0;
}

/* base64url without padding (RFC 7515 2), as the other base64. */
static bool decode(const char *text, size_t len, struct bw_buf *out)
{
	BW_AUTOBUF struct bw_buf plain;

	bw_buf_init(&plain, BW_MAX_TOKEN_BYTES + 4);
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '+' || c == '/' || c == '=')
			return false;
		if (!bw_buf_addc(&plain, c == '-' ? '+' : c == '_' ? '/' : c))
			return false;
	}
	while (plain.len % 4)
		(void)bw_buf_addc(&plain, '=');
	return bw_base64_decode(bw_buf_str(&plain), plain.len, out);
}

/* Some write the members with a capital letter. */
static const json_t *member(const json_t *entry, const char *name, const char *capital)
{
	const json_t *v = json_object_get(entry, name);

	return v ? v : json_object_get(entry, capital);
}

static const char *type_of(const json_t *entry)
{
	return json_string_value(member(entry, "type", "Type"));
}

/* A claim of another shape says nothing that we understand. */
static bool is_readable(const json_t *access)
{
	return json_is_array(access) && (json_array_size(access) == 0 || type_of(json_array_get(access, 0)));
}

struct bw_grants *bw_grants_read(const char *token, size_t len)
{
	BW_AUTOBUF struct bw_buf text;
	json_t *claims = NULL, *access;
	struct bw_grants *g;
	const char *part;
	size_t part_len;

	bw_buf_init(&text, BW_MAX_TOKEN_BYTES);
	if (find_claims(token, len, &part, &part_len) && decode(part, part_len, &text))
		claims = json_loadb(bw_buf_str(&text), text.len, 0, NULL);
	access = json_object_get(claims, "access");
	if (!is_readable(access)) {
		json_decref(claims);
		return NULL;
	}
	g = BW_NEW(struct bw_grants);
	g->claims = claims;
	g->access = access;
	return g;
}

void bw_grants_free(struct bw_grants *g)
{
	if (!g)
		return;
	json_decref(g->claims);
	free(g);
}

static bool has_pull(const json_t *actions)
{
	for (size_t i = 0; i < json_array_size(actions) && i < MAX_ENTRIES; i++) {
		const char *action = json_string_value(json_array_get(actions, i));

		if (bw_text_is(action, "pull") || bw_text_is(action, "*"))
			return true;
	}
	return false;
}

bool bw_grants_pull(const struct bw_grants *g, const char *repository)
{
	for (size_t i = 0; i < json_array_size(g->access) && i < MAX_ENTRIES; i++) {
		const json_t *entry = json_array_get(g->access, i);
		const char *type = type_of(entry);
		const char *name = json_string_value(member(entry, "name", "Name"));

		/* "repository", or with a class: "repository(plugin)" (spec/auth/scope.md) */
		if (type && (strcmp(type, "repository") == 0 || bw_text_starts(type, "repository(")) &&
		    bw_text_is(name, repository) && has_pull(member(entry, "actions", "Actions")))
			return true;
	}
	return false;
}
