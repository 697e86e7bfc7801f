/* authfile.c - reads config.json, auth.json and $DOCKER_AUTH_CONFIG. */
#include "registry/authfile.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "registry/address.h"

/* An exact key, which is the normal form itself, goes before a URL of the same host. */
/* A credential, or the name of a helper program. */
struct entry {
	struct bw_credential credential;
	char *helper;  /* "": none, and the credsStore is not asked */
	bool is_exact; /* the key was in normal form */
};

struct bw_authfile {
	struct bw_map *entries; /* normal form of the key -> struct entry */
	struct bw_map *helpers; /* the same */
	char *store;		/* NULL: none */
};

static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void bw_credential_done(struct bw_credential *c)
{
	wipe(c->user);
	wipe(c->secret);
	free(c->source);
	*c = (struct bw_credential){0};
}

static void free_entry(void *p)
{
	struct entry *e = p;

	if (!e)
		return;
	bw_credential_done(&e->credential);
	free(e->helper);
	free(e);
}

struct bw_authfile *bw_authfile_new(void)
{
	struct bw_authfile *f = BW_NEW(struct bw_authfile);

	f->entries = bw_map_new();
	f->helpers = bw_map_new();
	return f;
}

void bw_authfile_free(struct bw_authfile *f)
{
	if (!f)
		return;
	bw_map_free(f->entries, free_entry);
	bw_map_free(f->helpers, free_entry);
	free(f->store);
	free(f);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* What docker writes behind a host: the root of one of the registry APIs, and no namespace. */
static bool is_api_root(const char *path)
{
	static const char *const roots[] = {"", "/", "/v1", "/v1/", "/v2", "/v2/"};

	for (size_t i = 0; i < BW_COUNT(roots); i++)
		if (strcmp(path, roots[i]) == 0)
			return true;
	return false;
}

static const char *skip_scheme(const char *key)
{
	if (bw_text_starts(key, "https://"))
		return key + 8;
	return bw_text_starts(key, "http://") ? key + 7 : key;
}

/* A path behind a scheme never is a namespace: URLs are docker's old way to name a host. */
char *bw_authfile_key(const char *key)
{
	const char *bare = skip_scheme(key);
	size_t host_len = strcspn(bare, "/"), path_len;
	const char *path = bare + host_len;
	BW_AUTOFREE char *host = bw_strndup(bare, host_len);

	bw_text_lower(host);
	if (bare != key || is_api_root(path))
		path = "";
	path_len = strlen(path);
	while (path_len > 0 && path[path_len - 1] == '/')
		path_len--;
	return bw_asprintf("%s%.*s", bw_host_is_hub(host) ? "docker.io" : host, (int)path_len, path);
}

static void *find(const struct bw_map *m, const char *key, const char *repository)
{
	BW_AUTOFREE char *name = NULL;
	void *found;

	if (bw_map_count(m) == 0)
		return NULL;
	name = bw_asprintf("%s/%s", key, repository);
	while (!(found = bw_map_get(m, name))) {
		char *slash = strrchr(name, '/');

		if (!slash)
			return NULL;
		*slash = '\0';
	}
	return found;
}

const struct bw_credential *bw_authfile_find(const struct bw_authfile *f, const char *key,
					     const char *repository)
{
	const struct entry *e = find(f->entries, key, repository);

	return e ? &e->credential : NULL;
}

/* An empty name means none, also where there is a store (docker/cli getConfiguredCredentialStore). */
const char *bw_authfile_helper(const struct bw_authfile *f, const char *key, const char *repository,
			       const char **ret_member)
{
	const struct entry *e = find(f->helpers, key, repository);
	const char *name = e ? e->helper : f->store;

	if (!name || !*name)
		return NULL;
	*ret_member = e ? "credHelpers" : "credsStore";
	return name;
}

struct listener {
	bw_authfile_helper_fn fn;
	void *arg;
};

static void tell_helper(const char *key, void *value, void *arg)
{
	const struct entry *e = value;
	const struct listener *l = arg;

	if (*e->helper)
		l->fn(key, e->helper, l->arg);
}

void bw_authfile_each_helper(const struct bw_authfile *f, bw_authfile_helper_fn fn, void *arg)
{
	struct listener l = {.fn = fn, .arg = arg};

	bw_map_each(f->helpers, tell_helper, &l);
}

/* --- one credential --------------------------------------------------------------------------- */

bool bw_credential_equal(const struct bw_credential *a, const struct bw_credential *b)
{
	return a->kind == b->kind && bw_text_is(a->user, b->user) && bw_text_is(a->secret, b->secret);
}

bool bw_credential_set(struct bw_credential *c, const char *user, const char *secret)
{
	bool is_token = strcmp(user, "<token>") == 0;

	if (strlen(user) > BW_CREDENTIAL_MAX_BYTES || strlen(secret) > BW_CREDENTIAL_MAX_BYTES)
		return false;
	c->kind = is_token ? BW_CREDENTIAL_IDENTITY : BW_CREDENTIAL_PASSWORD;
	c->user = bw_strdup(is_token ? "" : user);
	c->secret = bw_strdup(secret);
	return true;
}

/* Splits "user:password" at the first colon. NULs behind the password are padding of old tools. */
static bool split(const struct bw_buf *text, struct bw_credential *ret)
{
	const char *colon = text->len ? memchr(text->data, ':', text->len) : NULL;
	char *user, *secret;
	size_t user_len, len;
	bool ok;

	if (!colon || colon == text->data)
		return false;
	user_len = (size_t)(colon - text->data);
	len = text->len - user_len - 1;
	while (len > 0 && colon[len] == '\0')
		len--;
	if (memchr(text->data, '\0', user_len) || memchr(colon + 1, '\0', len))
		return false;
	user = bw_strndup(text->data, user_len);
	secret = bw_strndup(colon + 1, len);
	ok = bw_credential_set(ret, user, secret);
	wipe(user);
	wipe(secret);
	return ok;
}

static bool decode(const char *auth, struct bw_credential *ret)
{
	struct bw_buf text;
	bool ok;

	bw_buf_init(&text, 2 * BW_CREDENTIAL_MAX_BYTES);
	ok = bw_base64_decode(auth, strlen(auth), &text) && split(&text, ret);
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	bw_buf_done(&text);
	return ok;
}

/* It becomes a header as it is. */
static bool is_token(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static const char *member(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

/* A token goes before a password, as in docker: where both stand the password is an empty or an old one. */
static bool replace(struct bw_credential *c, enum bw_credential_kind kind, const char *user,
		    const char *secret)
{
	char *kept = bw_strdup(user);

	bw_credential_done(c);
	c->kind = kind;
	c->user = kept;
	c->secret = bw_strdup(secret);
	return strlen(secret) <= BW_CREDENTIAL_MAX_BYTES && is_token(secret);
}

/* 1: there is one; 0: nothing here for us, the marker of a helper program; -1: it makes no sense. */
static int read_entry(const json_t *object, struct bw_credential *ret)
{
	const char *auth = member(object, "auth"), *user = member(object, "username"),
		   *identity = member(object, "identitytoken"), *bearer = member(object, "registrytoken");
	bool ok = true;

	if (!json_is_object(object))
		return -1;
	if (*auth)
		ok = decode(auth, ret);
	else if (*user)
		ok = bw_credential_set(ret, user, member(object, "password"));
	else if (!*identity && !*bearer)
		return 0;
	if (ok && *bearer)
		ok = replace(ret, BW_CREDENTIAL_BEARER, "", bearer);
	else if (ok && *identity)
		ok = replace(ret, BW_CREDENTIAL_IDENTITY, ret->user ? ret->user : "", identity);
	if (ok)
		return 1;
	bw_credential_done(ret);
	return -1;
}

/* --- the members of the file ------------------------------------------------------------------ */

/* Among equals the first. */
static void add(struct bw_map *entries, const char *key, const struct entry *new)
{
	BW_AUTOFREE char *normal = bw_authfile_key(key);
	struct entry *e = BW_NEW(struct entry), *old = bw_map_get(entries, normal);

	*e = *new;
	e->is_exact = strcmp(normal, key) == 0;
	if (old && (old->is_exact || !e->is_exact))
		free_entry(e);
	else
		free_entry(bw_map_put(entries, normal, e));
}

bool bw_helper_name_is_good(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= 64 && strspn(name, letters) == len;
}

/* jansson does not wipe what it frees. */
static void wipe_members(const json_t *object)
{
	static const char *const names[] = {"auth", "password", "identitytoken", "registrytoken"};

	for (size_t i = 0; i < BW_COUNT(names); i++) {
		const json_t *v = json_object_get(object, names[i]);

		if (json_is_string(v))
			explicit_bzero((char *)(uintptr_t)json_string_value(v), json_string_length(v));
	}
}

static void read_auths(struct bw_authfile *f, const json_t *auths, struct bw_err *ret)
{
	const char *key;
	json_t *object;

	json_object_foreach((json_t *)(uintptr_t)auths, key, object)
	{
		struct bw_credential credential = {0};
		int found = read_entry(object, &credential);

		if (found > 0 && bw_map_count(f->entries) >= BW_AUTHFILE_MAX_ENTRIES) {
			bw_credential_done(&credential);
			if (!ret->code)
				(void)bw_fail(ret, BW_E_INPUT,
					      "more than %d entries; the others do not count",
					      BW_AUTHFILE_MAX_ENTRIES);
		} else if (found > 0) {
			add(f->entries, key, &(struct entry){.credential = credential});
		} else if (found < 0 && !ret->code) {
			(void)bw_fail(ret, BW_E_INPUT,
				      "the entry of %.200s is not \"user:password\" in base64", key);
		}
	}
}

static void read_helpers(struct bw_authfile *f, const json_t *root, struct bw_err *ret)
{
	const json_t *helpers = json_object_get(root, "credHelpers"),
		     *store = json_object_get(root, "credsStore"), *name;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)helpers, key, name)
	{
		const char *s = json_string_value(name);

		if (s && (!*s || bw_helper_name_is_good(s)) &&
		    bw_map_count(f->helpers) < BW_AUTHFILE_MAX_ENTRIES)
			add(f->helpers, key, &(struct entry){.helper = bw_strdup(s)});
		else if (!ret->code)
			(void)bw_fail(
				ret, BW_E_INPUT,
				"what credHelpers has for %.200s cannot be the name of a helper program",
				key);
	}
	if (json_is_string(store) && bw_helper_name_is_good(json_string_value(store)))
		f->store = bw_strdup(json_string_value(store));
	else if (store && !json_is_null(store) && *member(root, "credsStore") && !ret->code)
		(void)bw_fail(ret, BW_E_INPUT, "what credsStore says cannot be the name of a helper program");
}

/* --- the variable ----------------------------------------------------------------------------- */

/* docker/cli takes the whole variable or nothing of it. */
static int check_strictly(const json_t *root, struct bw_err *err)
{
	const char *key, *inner;
	json_t *value, *auth;

	json_object_foreach((json_t *)(uintptr_t)root, key, value)
	{
		if (strcmp(key, "auths") != 0)
			return bw_fail(err, BW_E_INPUT, "\"%.100s\": only \"auths\" may stand there", key);
	}
	json_object_foreach(json_object_get(root, "auths"), key, value)
	{
		if (!json_is_object(value) || !*member(value, "auth"))
			return bw_fail(err, BW_E_INPUT, "the entry of %.200s has no \"auth\"", key);
		json_object_foreach(value, inner, auth)
		{
			if (strcmp(inner, "auth") != 0)
				return bw_fail(
					err, BW_E_INPUT,
					"the entry of %.200s has \"%.100s\": only \"auth\" may stand there",
					key, inner);
		}
	}
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int take(struct bw_authfile *f, const json_t *root, bool is_strict, struct bw_err *err)
{
	const json_t *auths = json_object_get(root, "auths");
	struct bw_err why = BW_ERR_INIT;
	int rc = 0;

	if (!json_is_object(root) || (auths && !json_is_object(auths) && !json_is_null(auths)))
		return bw_fail(err, BW_E_INPUT, "\"auths\" is not an object");
	if (is_strict)
		rc = check_strictly(root, err);
	if (rc < 0)
		return rc;
	read_auths(f, auths, &why);
	if (!is_strict)
		read_helpers(f, root, &why);
	if (!why.code)
		return 0;
	if (err)
		*err = why;
	return is_strict ? BW_E_INPUT : 1;
}

int bw_authfile_parse(struct bw_authfile *f, const char *text, size_t len, bool is_strict, struct bw_err *err)
{
	json_error_t why;
	json_auto_t *root = json_loadb(text, len, 0, &why);
	const char *key;
	json_t *object;
	int rc;

	if (!root)
		return bw_fail(err, BW_E_INPUT, "not JSON at line %d, column %d", why.line, why.column);
	rc = take(f, root, is_strict, err);
	json_object_foreach(json_object_get(root, "auths"), key, object)
	{
		wipe_members(object);
	}
	if (rc >= 0)
		return rc;
	/* Of a variable that is wrong nothing may stay. */
	bw_map_free(f->entries, free_entry);
	f->entries = bw_map_new();
	return rc;
}

/* --- signing and comparing -------------------------------------------------------------------- */

struct signature {
	const char *source;
	bw_credential_number_fn fn;
	void *arg;
};

static void sign(const char *key, void *value, void *arg)
{
	struct entry *e = value;
	const struct signature *s = arg;

	(void)key;
	free(e->credential.source);
	e->credential.source = bw_strdup(s->source);
	e->credential.number = s->fn(&e->credential, s->arg);
}

void bw_authfile_sign(struct bw_authfile *f, const char *source, bw_credential_number_fn fn, void *arg)
{
	struct signature s = {.source = source, .fn = fn, .arg = arg};

	bw_map_each(f->entries, sign, &s);
}

struct comparison {
	const struct bw_map *others;
	bool differ;
};

static void compare_entry(const char *key, void *value, void *arg)
{
	const struct entry *e = value, *other;
	struct comparison *x = arg;

	other = bw_map_get(x->others, key);
	x->differ = x->differ || !other || !bw_credential_equal(&e->credential, &other->credential) ||
		    !bw_text_is(e->helper, other->helper);
}

static bool maps_equal(const struct bw_map *a, const struct bw_map *b)
{
	struct comparison x = {.others = b, .differ = bw_map_count(a) != bw_map_count(b)};

	bw_map_each(a, compare_entry, &x);
	return !x.differ;
}

bool bw_authfile_equal(const struct bw_authfile *a, const struct bw_authfile *b)
{
	return bw_text_is(a->store, b->store) && maps_equal(a->entries, b->entries) &&
	       maps_equal(a->helpers, b->helpers);
}
