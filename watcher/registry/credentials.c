/*
 * credentials.c - the `auths` of config.json and auth.json. Keys are brought into one form,
 * host[:port][/namespace], so that finding is a few look-ups: the whole name, then without its last part, and
 * so on down to the host.
 */
#include "registry/credentials.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "registry/address.h"

struct entry {
	struct bw_credential credential;
	bool is_exact; /* the key in the file is the normal form itself: it beats a URL of the same host */
};

/* Tells a file from what was there before. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size; /* -1: no file */
	struct timespec modified, changed;
};

struct bw_credentials {
	struct bw_map *entries; /* normal form of the key -> struct entry */
	unsigned owners;
	char *path; /* that it was loaded from; NULL: from no file */
	struct stamp stamp;
	uint64_t looked_ms, number;
	bool was_looked_at;
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
	wipe(c->password);
	*c = (struct bw_credential){0};
}

static void free_entry(void *p)
{
	struct entry *e = p;

	if (!e)
		return;
	bw_credential_done(&e->credential);
	free(e);
}

struct bw_credentials *bw_credentials_new(void)
{
	struct bw_credentials *c = BW_NEW(struct bw_credentials);

	c->entries = bw_map_new();
	c->owners = 1;
	return c;
}

struct bw_credentials *bw_credentials_share(struct bw_credentials *c)
{
	c->owners++;
	return c;
}

void bw_credentials_free(struct bw_credentials *c)
{
	if (!c || --c->owners > 0)
		return;
	bw_map_free(c->entries, free_entry);
	free(c->path);
	free(c);
}

/*
 * ---- keys
 * ---------------------------------------------------------------------------------------------------------
 */

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

/*
 * "https://index.docker.io/v1/" -> "docker.io", "Reg.lan:5000/team/" -> "reg.lan:5000/team". A path behind a
 * scheme never is a namespace: URLs are docker's old way to name a host.
 */
static char *normal_key(const char *key)
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

/* --- entries ---------------------------------------------------------------------------------- */

/* Splits "user:password" at the first colon. NULs behind the password are padding of old tools. */
static bool split(const struct bw_buf *text, struct bw_credential *ret)
{
	const char *colon = text->len ? memchr(text->data, ':', text->len) : NULL;
	size_t user_len, len;

	if (!colon || colon == text->data)
		return false;
	user_len = (size_t)(colon - text->data);
	len = text->len - user_len - 1;
	while (len > 0 && colon[len] == '\0')
		len--;
	if (memchr(text->data, '\0', user_len) || memchr(colon + 1, '\0', len))
		return false;
	ret->user = bw_strndup(text->data, user_len);
	ret->password = bw_strndup(colon + 1, len);
	return true;
}

static bool decode(const char *auth, struct bw_credential *ret)
{
	struct bw_buf text;
	bool ok;

	bw_buf_init(&text, BW_MAX_CREDENTIALS_BYTES);
	ok = bw_base64_decode(auth, strlen(auth), &text) && split(&text, ret);
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	bw_buf_done(&text);
	return ok;
}

static const char *member(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

/*
 * 1: there is one; 0: nothing here for us (a marker of a helper, an identity token); -1: it makes no sense.
 */
static int read_entry(const json_t *object, struct bw_credential *ret)
{
	const char *auth = member(object, "auth"), *user = member(object, "username");

	if (!json_is_object(object))
		return -1;
	if (*auth) {
		if (!decode(auth, ret))
			return -1;
	} else if (*user) {
		ret->user = bw_strdup(user);
		ret->password = bw_strdup(member(object, "password"));
	} else {
		return 0;
	}
	if (*ret->password || !*member(object, "identitytoken"))
		return 1;
	/* The password is empty because the identity token stands for it. */
	bw_credential_done(ret);
	return 0;
}

/* The exact key wins over a URL of the same host; among equals the first. */
static void add(struct bw_credentials *c, const char *key, struct bw_credential *credential)
{
	BW_AUTOFREE char *normal = normal_key(key);
	struct entry *e = BW_NEW(struct entry), *old = bw_map_get(c->entries, normal);

	e->credential = *credential;
	e->is_exact = strcmp(normal, key) == 0;
	if (old && (old->is_exact || !e->is_exact))
		free_entry(e);
	else
		free_entry(bw_map_put(c->entries, normal, e));
}

/* jansson does not wipe what it frees. */
static void wipe_member(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	if (json_is_string(v))
		explicit_bzero((char *)(uintptr_t)json_string_value(v), json_string_length(v));
}

/* 1: some entries cannot be used, `err` says why; the others are taken. */
static int parse(struct bw_credentials *c, const char *text, size_t len, struct bw_err *err)
{
	json_error_t why;
	json_auto_t *root = json_loadb(text, len, 0, &why);
	json_t *auths, *object;
	const char *key, *bad = NULL;

	if (!root)
		return bw_fail(err, BW_E_INPUT, "not JSON at line %d, column %d", why.line, why.column);
	auths = json_object_get(root, "auths");
	if (!json_is_object(root) || (auths && !json_is_object(auths) && !json_is_null(auths)))
		return bw_fail(err, BW_E_INPUT, "\"auths\" is not an object");
	json_object_foreach(auths, key, object)
	{
		struct bw_credential credential = {0};
		int found = read_entry(object, &credential);

		if (found > 0)
			add(c, key, &credential);
		else if (found < 0 && !bad)
			bad = key;
		wipe_member(object, "auth");
		wipe_member(object, "password");
	}
	if (bad)
		(void)bw_fail(err, BW_E_INPUT, "the entry of %s is not \"user:password\" in base64", bad);
	return bad ? 1 : 0;
}

int bw_credentials_parse(struct bw_credentials *c, const char *text, size_t len, struct bw_err *err)
{
	int rc = parse(c, text, len, err);

	return rc > 0 ? BW_E_INPUT : rc;
}

/* --- the file --------------------------------------------------------------------------------- */

char *bw_credentials_path(void)
{
	const char *file = getenv("REGISTRY_AUTH_FILE"), *folder = getenv("DOCKER_CONFIG"),
		   *home = getenv("HOME");

	if (file && *file)
		return bw_strdup(file);
	if (folder && *folder)
		return bw_asprintf("%s/config.json", folder);
	return home && *home ? bw_asprintf("%s/.docker/config.json", home) : NULL;
}

/* As parse(). */
static int read_file(struct bw_credentials *c, const char *path, struct bw_err *err)
{
	struct bw_err why = BW_ERR_INIT;
	struct bw_buf text;
	int rc;

	bw_buf_init(&text, BW_MAX_CREDENTIALS_BYTES);
	rc = bw_read_file(path, &text, &why);
	if (rc == BW_E_SYS && why.sys == ENOENT) {
		rc = 0;
	} else if (rc < 0) { /* its message names the file */
		rc = bw_fail(err, why.code, "credentials: %s", why.msg);
	} else {
		rc = parse(c, bw_buf_str(&text), text.len, err);
		if (rc != 0)
			(void)bw_err_ctx(err, "credentials: %s", path);
	}
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	bw_buf_done(&text);
	return rc;
}

static struct stamp stamp_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct stamp){.size = -1};
	return (struct stamp){.device = st.st_dev,
			      .inode = st.st_ino,
			      .size = st.st_size,
			      .modified = st.st_mtim,
			      .changed = st.st_ctim};
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       is_same_time(&a->modified, &b->modified) && is_same_time(&a->changed, &b->changed);
}

/* The stamp is taken first: what is written while we read is another file then. */
int bw_credentials_load(struct bw_credentials *c, struct bw_err *err)
{
	int rc;

	free(c->path);
	c->path = bw_credentials_path();
	if (!c->path)
		return 0;
	c->stamp = stamp_of(c->path);
	rc = read_file(c, c->path, err);
	return rc > 0 ? BW_E_INPUT : rc;
}

/* --- the file once more ----------------------------------------------------------------------- */

struct comparison {
	const struct bw_map *others;
	bool differ;
};

static void compare(const char *key, void *value, void *arg)
{
	const struct entry *e = value;
	struct comparison *x = arg;
	const struct entry *other = bw_map_get(x->others, key);

	x->differ = x->differ || !other || strcmp(e->credential.user, other->credential.user) != 0 ||
		    strcmp(e->credential.password, other->credential.password) != 0;
}

static bool are_same(const struct bw_map *a, const struct bw_map *b)
{
	struct comparison x = {.others = b, .differ = bw_map_count(a) != bw_map_count(b)};

	bw_map_each(a, compare, &x);
	return !x.differ;
}

void bw_credentials_reload(struct bw_credentials *c)
{
	struct bw_credentials *now;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (!c || !c->path)
		return;
	now = bw_credentials_new();
	c->stamp = stamp_of(c->path);
	rc = read_file(now, c->path, &err);
	if (rc < 0)
		bw_warn("%s; what was read of it before stays in force", err.msg);
	else if (rc > 0)
		bw_warn("%s; going on without it", err.msg);
	if (rc >= 0 && !are_same(c->entries, now->entries)) {
		struct bw_map *old = c->entries;

		c->entries = now->entries;
		now->entries = old;
		c->number++;
	}
	bw_credentials_free(now);
}

void bw_credentials_refresh(struct bw_credentials *c, uint64_t now_ms)
{
	struct stamp now;

	if (!c || !c->path || (c->was_looked_at && now_ms - c->looked_ms < BW_CREDENTIALS_LOOK_MS))
		return;
	c->was_looked_at = true;
	c->looked_ms = now_ms;
	now = stamp_of(c->path);
	if (!is_same_file(&now, &c->stamp))
		bw_credentials_reload(c);
}

uint64_t bw_credentials_number(const struct bw_credentials *c)
{
	return c ? c->number : 0;
}

const struct bw_credential *bw_credentials_find(const struct bw_credentials *c, const char *registry,
						const char *repository)
{
	BW_AUTOFREE char *name = NULL;
	BW_AUTOFREE char *host = NULL;
	struct entry *e = NULL;

	if (!c || bw_map_count(c->entries) == 0)
		return NULL;
	host = normal_key(registry);
	name = bw_asprintf("%s/%s", host, repository);
	while (!(e = bw_map_get(c->entries, name))) {
		char *slash = strrchr(name, '/');

		if (!slash)
			return NULL;
		*slash = '\0';
	}
	return &e->credential;
}
