/*
 * credentials.c - the sources in their order, and finding in them. Each source is a list of candidates for a name; the first
 * one that has something to say counts.
 */
#include "registry/credentials.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "registry/authfile.h"
#include "registry/helper.h"

#define CONFIGURATION "the configuration"
#define VARIABLE      "DOCKER_AUTH_CONFIG"

/* Of the configuration. */
struct given {
	struct bw_credential credential; /* when there is no `helper`, and it is not anonymous */
	char *helper;
	bool is_anonymous;
};

struct bw_credentials_draft {
	struct bw_map *given; /* as below */
};

/* Tells a file from what was there before. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size; /* -1: no file */
	struct timespec modified, changed;
};

struct source {
	char *name;	 /* for people */
	char *path;	 /* NULL: no file, and never read again */
	bool is_named;	 /* by REGISTRY_AUTH_FILE: somebody means it to be there */
	bool is_guessed; /* no variable names it: one that we may not look at is not ours */
	struct stamp stamp;
	struct bw_authfile *content;
};

struct bw_credentials {
	unsigned owners;
	unsigned char key[32]; /* of the numbers */
	struct bw_map *given;  /* normal form of the host -> struct given */
	struct source *sources;
	size_t count, capacity;
	size_t loaded;		     /* so many of them are of bw_credentials_load() */
	struct bw_helpers *helpers;  /* NULL: no loop to run them on */
	struct bw_map *missed;	     /* programs that we have said to be missing */
	struct bw_credential answer; /* what a helper program said, with its source */
	uint64_t looked_ms, number;
	bool was_looked_at;
};

/* --- numbers ---------------------------------------------------------------------------------- */

/*
 * A hash under a random key: equal for equal ones, and no use to whoever sees it. Two different ones share a number once in
 * 2^64; nothing is decided by it but whether a refusal was of this one.
 */
static uint64_t number_of(const struct bw_credential *c, void *arg)
{
	const struct bw_credentials *all = arg;
	const unsigned char kind = (unsigned char)c->kind;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	uint64_t number;

	/* The key first, and of a fixed length; a user has no NUL in it, so no two of them give the same bytes. */
	if (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1) {
		(void)EVP_DigestUpdate(hash, all->key, sizeof(all->key));
		(void)EVP_DigestUpdate(hash, &kind, sizeof(kind));
		(void)EVP_DigestUpdate(hash, c->user, strlen(c->user) + 1);
		(void)EVP_DigestUpdate(hash, c->secret, strlen(c->secret));
		(void)EVP_DigestFinal_ex(hash, digest, NULL);
	}
	EVP_MD_CTX_free(hash);
	memcpy(&number, digest, sizeof(number));
	return number ? number : 1;
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_given(void *p)
{
	struct given *g = p;

	if (!g)
		return;
	bw_credential_done(&g->credential);
	free(g->helper);
	free(g);
}

static void free_source(struct source *s)
{
	bw_authfile_free(s->content);
	free(s->name);
	free(s->path);
}

struct bw_credentials *bw_credentials_new(struct bw_loop *l)
{
	struct bw_credentials *c = BW_NEW(struct bw_credentials);

	c->owners = 1;
	c->given = bw_map_new();
	c->missed = bw_map_new();
	/* Fails only before the machine has any randomness at all; the numbers are then guessable, and still right. */
	(void)!getrandom(c->key, sizeof(c->key), 0);
	if (l)
		c->helpers = bw_helpers_new(l, number_of, c);
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
	bw_helpers_free(c->helpers);
	bw_map_free(c->given, free_given);
	bw_map_free(c->missed, NULL);
	for (size_t i = 0; i < c->count; i++)
		free_source(&c->sources[i]);
	free(c->sources);
	bw_credential_done(&c->answer);
	explicit_bzero(c->key, sizeof(c->key));
	free(c);
}

uint64_t bw_credentials_number(const struct bw_credentials *c)
{
	return c ? c->number : 0;
}

/* --- the configuration ------------------------------------------------------------------------ */

static struct given *make_given(struct bw_credentials *c, const struct bw_credentials_given *from)
{
	struct given *g = BW_NEW(struct given);

	g->is_anonymous = from->is_anonymous;
	g->helper = bw_strdup_null(from->helper);
	if (from->is_anonymous || from->helper)
		return g;
	g->credential.user = bw_strdup(from->username ? from->username : "");
	g->credential.secret = bw_strdup(from->password ? from->password : "");
	g->credential.source = bw_strdup(CONFIGURATION);
	g->credential.number = number_of(&g->credential, c);
	return g;
}

struct comparison {
	const struct bw_map *others;
	bool differ;
};

static void compare_given(const char *key, void *value, void *arg)
{
	const struct given *g = value, *other;
	struct comparison *x = arg;

	other = bw_map_get(x->others, key);
	x->differ = x->differ || !other || g->is_anonymous != other->is_anonymous ||
		    !bw_text_is(g->helper, other->helper) ||
		    !bw_credential_equal(&g->credential, &other->credential);
}

static bool is_other(const struct bw_map *given, const struct bw_map *old)
{
	struct comparison x = {.others = old};

	x.differ = bw_map_count(given) != bw_map_count(old);
	bw_map_each(given, compare_given, &x);
	return x.differ;
}

struct bw_credentials_draft *bw_credentials_draft_new(struct bw_credentials *c,
						      const struct bw_credentials_given *list, size_t count,
						      bool *ret_differs)
{
	struct bw_credentials_draft *d = BW_NEW(struct bw_credentials_draft);

	d->given = bw_map_new();
	for (size_t i = 0; i < count; i++) {
		BW_AUTOFREE char *host = bw_authfile_key(list[i].host);

		free_given(bw_map_put(d->given, host, make_given(c, &list[i])));
	}
	*ret_differs = is_other(d->given, c->given);
	return d;
}

void bw_credentials_use(struct bw_credentials *c, struct bw_credentials_draft *d)
{
	struct bw_map *old = c->given;

	if (is_other(d->given, old))
		c->number++;
	c->given = d->given;
	d->given = old;
	bw_credentials_draft_free(d);
}

void bw_credentials_draft_free(struct bw_credentials_draft *d)
{
	if (!d)
		return;
	bw_map_free(d->given, free_given);
	free(d);
}

void bw_credentials_configure(struct bw_credentials *c, const struct bw_credentials_given *list, size_t count)
{
	bool differs;

	bw_credentials_use(c, bw_credentials_draft_new(c, list, count, &differs));
}

/* --- sources ---------------------------------------------------------------------------------- */

static struct source *add_source(struct bw_credentials *c, const char *name, const char *path)
{
	struct source *s = &BW_PUSH(c->sources, c->count, c->capacity);

	*s = (struct source){.name = bw_strdup(name), .path = bw_strdup_null(path)};
	s->content = bw_authfile_new();
	s->stamp.size = -1;
	return s;
}

static void sign(struct bw_credentials *c, const struct source *s)
{
	bw_authfile_sign(s->content, s->name, number_of, c);
}

/* A file below the folder that a variable names, or else below another one, or nowhere. */
static void add_file(struct bw_credentials *c, const char *folder, const char *otherwise, const char *name)
{
	const char *home = getenv("HOME");
	BW_AUTOFREE char *path = NULL;

	if (folder && *folder)
		path = bw_asprintf("%s/%s", folder, name);
	else if (home && *home)
		path = bw_asprintf("%s/%s/%s", home, otherwise, name);
	if (path)
		(void)add_source(c, path, path);
}

/* The order of containers/image, behind $DOCKER_AUTH_CONFIG. */
static void add_files(struct bw_credentials *c)
{
	const char *only = getenv("REGISTRY_AUTH_FILE"), *runtime = getenv("XDG_RUNTIME_DIR");
	BW_AUTOFREE char *folder = NULL;

	if (only && *only) {
		add_source(c, only, only)->is_named = true;
		return;
	}
	folder = runtime && *runtime ? bw_asprintf("%s/containers", runtime)
				     : bw_asprintf("/run/containers/%u", (unsigned)getuid());
	add_file(c, folder, "", "auth.json");
	if (c->count > 0)
		c->sources[c->count - 1].is_guessed = !runtime || !*runtime;
	add_file(c, getenv("XDG_CONFIG_HOME"), ".config", "containers/auth.json");
	add_file(c, getenv("DOCKER_CONFIG"), ".docker", "config.json");
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

/* As bw_authfile_parse(). */
static int read_file(struct bw_authfile *f, const struct source *s, struct bw_err *err)
{
	struct bw_err why = BW_ERR_INIT;
	struct bw_buf text;
	int rc;

	bw_buf_init(&text, BW_MAX_CREDENTIALS_BYTES);
	rc = bw_read_file(s->path, &text, &why);
	if (rc == BW_E_SYS &&
	    (why.sys == ENOENT || why.sys == ENOTDIR || (s->is_guessed && why.sys == EACCES))) {
		rc = 0;
	} else if (rc < 0) { /* its message names the file */
		rc = bw_fail(err, why.code, "credentials: %s", why.msg);
	} else {
		rc = bw_authfile_parse(f, bw_buf_str(&text), text.len, false, err);
		if (rc != 0)
			(void)bw_err_ctx(err, "credentials: %s", s->path);
	}
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	bw_buf_done(&text);
	return rc;
}

/*
 * The stamp is taken first: what is written while we read is another file then. What was there stays where nothing can be
 * read. `*ret_differs`: something in it is another.
 */
static int read_source(struct bw_credentials *c, struct source *s, bool *ret_differs, struct bw_err *err)
{
	struct bw_authfile *now = bw_authfile_new(), *old = s->content;
	int rc;

	s->stamp = stamp_of(s->path);
	rc = read_file(now, s, err);
	if (rc < 0) {
		bw_authfile_free(now);
		return rc;
	}
	*ret_differs = *ret_differs || !bw_authfile_equal(old, now);
	s->content = now;
	bw_authfile_free(old);
	sign(c, s);
	return rc;
}

static int read_variable(struct bw_credentials *c, struct bw_err *err)
{
	const char *text = getenv(VARIABLE);
	struct source *s;
	int rc;

	if (!text || !*text)
		return 0;
	s = add_source(c, "$" VARIABLE, NULL);
	if (strlen(text) > BW_MAX_CREDENTIALS_BYTES)
		return bw_fail(err, BW_E_LIMIT, "credentials: $" VARIABLE ": longer than %u bytes",
			       BW_MAX_CREDENTIALS_BYTES);
	rc = bw_authfile_parse(s->content, text, strlen(text), true, err);
	if (rc != 0)
		(void)bw_err_ctx(err, "credentials: $" VARIABLE);
	sign(c, s);
	return rc;
}

/* The first trouble is the caller's to tell; more than one is rare, and told here. */
static void note_trouble(struct bw_err *first, const struct bw_err *why)
{
	if (!first->code)
		*first = *why;
	else
		bw_warn("%s; going on without it", why->msg);
}

/* Sources of bw_credentials_parse() stay behind those that are loaded. */
static void drop_loaded(struct bw_credentials *c)
{
	for (size_t i = 0; i < c->loaded; i++)
		free_source(&c->sources[i]);
	if (c->count > c->loaded)
		memmove(c->sources, c->sources + c->loaded, (c->count - c->loaded) * sizeof(*c->sources));
	c->count -= c->loaded;
	c->loaded = 0;
}

static void put_behind(struct bw_credentials *c, struct source *parsed, size_t count)
{
	c->loaded = c->count;
	for (size_t i = 0; i < count; i++)
		BW_PUSH(c->sources, c->count, c->capacity) = parsed[i];
	free(parsed);
}

/* The file that no other takes the place of is looked for again like all others, and said to be missing only once. */
static int load(struct bw_credentials *c, struct source *s, bool *ret_differs, struct bw_err *err)
{
	int rc = read_source(c, s, ret_differs, err);

	if (rc == 0 && s->is_named && s->stamp.size < 0)
		return bw_fail(
			err, BW_E_INPUT,
			"credentials: %s: there is no such file, and REGISTRY_AUTH_FILE names it and no "
			"other",
			s->path);
	return rc;
}

int bw_credentials_load(struct bw_credentials *c, struct bw_err *err)
{
	struct bw_err first = BW_ERR_INIT;
	struct source *parsed;
	size_t count;
	bool differs = false;

	drop_loaded(c);
	parsed = BW_TAKE(c->sources);
	count = c->count;
	c->count = c->capacity = 0;
	{
		struct bw_err why = BW_ERR_INIT;

		if (read_variable(c, &why) != 0)
			note_trouble(&first, &why);
	}
	add_files(c);
	for (size_t i = 0; i < c->count; i++) {
		struct bw_err why = BW_ERR_INIT;

		if (c->sources[i].path && load(c, &c->sources[i], &differs, &why) != 0)
			note_trouble(&first, &why);
	}
	put_behind(c, parsed, count);
	if (first.code && err)
		*err = first;
	return first.code;
}

int bw_credentials_parse(struct bw_credentials *c, const char *text, size_t len, struct bw_err *err)
{
	struct source *s = add_source(c, CONFIGURATION, NULL);
	int rc = bw_authfile_parse(s->content, text, len, false, err);

	sign(c, s);
	return rc > 0 ? BW_E_INPUT : rc;
}

/* --- the files once more ---------------------------------------------------------------------- */

static bool reread(struct bw_credentials *c, struct source *s)
{
	struct bw_err err = BW_ERR_INIT;
	bool differs = false;
	int rc = read_source(c, s, &differs, &err);

	if (rc < 0)
		bw_warn("%s; what was read of it before stays in force", err.msg);
	else if (rc > 0)
		bw_warn("%s; going on without it", err.msg);
	return differs;
}

/* Who logs in with a helper program touches the file, if only to mark it: what such programs said may be another too. */
static void look(struct bw_credentials *c, bool at_all)
{
	bool was_read = false, differs = false;

	for (size_t i = 0; i < c->loaded; i++) {
		struct source *s = &c->sources[i];
		struct stamp now;

		if (!s->path)
			continue;
		now = stamp_of(s->path);
		if (!at_all && is_same_file(&now, &s->stamp))
			continue;
		was_read = true;
		differs = reread(c, s) || differs;
	}
	if (differs)
		c->number++;
	if ((was_read || at_all) && c->helpers)
		bw_helpers_forget(c->helpers);
}

void bw_credentials_reload(struct bw_credentials *c)
{
	if (c)
		look(c, true);
}

void bw_credentials_refresh(struct bw_credentials *c, uint64_t now_ms)
{
	if (!c || (c->was_looked_at && now_ms - c->looked_ms < BW_CREDENTIALS_LOOK_MS))
		return;
	c->was_looked_at = true;
	c->looked_ms = now_ms;
	bw_credential_done(&c->answer);
	if (c->helpers)
		bw_helpers_expire(c->helpers);
	look(c, false);
}

/* --- candidates ------------------------------------------------------------------------------- */

/* What a source has to say of a name: exactly one of the three. */
struct candidate {
	const struct bw_credential *credential;
	const char *helper; /* stands as `member` in `where`; `member` NULL: in the configuration */
	bool is_nobody;
	const char *member, *where;
};

/* True: this is the one. */
typedef bool (*candidate_fn)(const struct candidate *x, void *arg);

static bool try_source(const struct source *s, const char *host, const char *repository, candidate_fn fn,
		       void *arg)
{
	struct candidate helper = {.where = s->name}, plain = {.where = s->name};

	helper.helper = bw_authfile_helper(s->content, host, repository, &helper.member);
	if (helper.helper && fn(&helper, arg))
		return true;
	plain.credential = bw_authfile_find(s->content, host, repository);
	return plain.credential && fn(&plain, arg);
}

static bool try_given(const struct given *g, candidate_fn fn, void *arg)
{
	const struct candidate x = {
		.credential = g->is_anonymous || g->helper ? NULL : &g->credential,
		.helper = g->is_anonymous ? NULL : g->helper,
		.is_nobody = g->is_anonymous,
		.where = CONFIGURATION,
	};

	return fn(&x, arg);
}

static void each_candidate(const struct bw_credentials *c, const char *host, const char *repository,
			   candidate_fn fn, void *arg)
{
	const struct given *g = bw_map_get(c->given, host);

	if (g && try_given(g, fn, arg))
		return;
	for (size_t i = 0; i < c->count; i++)
		if (try_source(&c->sources[i], host, repository, fn, arg))
			return;
}

static char *describe(const struct candidate *x)
{
	if (x->credential)
		return bw_strdup(x->where);
	if (x->is_nobody)
		return bw_strdup("");
	return x->member ? bw_asprintf("docker-credential-%s (%s in %s)", x->helper, x->member, x->where)
			 : bw_asprintf("docker-credential-%s (%s)", x->helper, x->where);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct question {
	struct bw_credentials *credentials;
	const char *host;
	struct bw_credentials_waiter *waiter;
	enum bw_credentials_step step;
	const struct bw_credential *found;
	struct bw_err *err;
};

static void keep_answer(struct bw_credentials *c, const struct bw_credential *said, const struct candidate *x)
{
	bw_credential_done(&c->answer);
	c->answer = *said;
	c->answer.user = bw_strdup(said->user);
	c->answer.secret = bw_strdup(said->secret);
	c->answer.source = describe(x);
}

/* As docker does: a machine where one tool is not installed is no reason to give up on all registries. */
static void warn_of_missing(struct bw_credentials *c, const struct candidate *x)
{
	if (bw_map_get(c->missed, x->helper))
		return;
	(void)bw_map_put(c->missed, x->helper, c);
	bw_warn("docker-credential-%s is not installed, or not in the PATH, and %s in %s names it; going on "
		"without it",
		x->helper, x->member, x->where);
}

/* The configuration means what it says; files are made by other tools on other days. */
static bool skip_missing(struct question *q, const struct candidate *x)
{
	if (x->member) {
		warn_of_missing(q->credentials, x);
		return true;
	}
	(void)bw_fail(q->err, BW_E_GONE,
		      "docker-credential-%.40s: it is not installed, or not in the PATH (install it, or set "
		      "`username` or `anonymous` under `registries:`)",
		      x->helper);
	return false;
}

static bool ask_helper(struct question *q, const struct candidate *x)
{
	struct bw_credentials *c = q->credentials;
	const struct bw_credential *said = NULL;

	q->step = BW_CREDENTIALS_FAILED;
	if (!c->helpers || !bw_helper_name_is_good(x->helper)) {
		(void)bw_fail(q->err, BW_E_AUTH, "docker-credential-%.40s: %s", x->helper,
			      c->helpers ? "this cannot be the name of a helper program"
					 : "programs cannot be run here");
		return true;
	}
	switch (bw_helpers_ask(c->helpers, x->helper, q->host, q->waiter, &said, q->err)) {
	case BW_HELPER_FOUND:
		keep_answer(c, said, x);
		q->found = &c->answer;
		q->step = BW_CREDENTIALS_SOMEBODY;
		return true;
	case BW_HELPER_NOTHING: break;
	case BW_HELPER_MISSING:
		if (!skip_missing(q, x))
			return true;
		break;
	case BW_HELPER_WAIT: q->step = BW_CREDENTIALS_WAIT; return true;
	case BW_HELPER_FAILED: return true;
	}
	q->step = BW_CREDENTIALS_NOBODY; /* so far */
	return false;
}

static bool ask_candidate(const struct candidate *x, void *arg)
{
	struct question *q = arg;

	if (x->helper)
		return ask_helper(q, x);
	q->found = x->credential;
	q->step = x->credential ? BW_CREDENTIALS_SOMEBODY : BW_CREDENTIALS_NOBODY;
	return true;
}

enum bw_credentials_step bw_credentials_ask(struct bw_credentials *c, const char *registry,
					    const char *repository, struct bw_credentials_waiter *w,
					    const struct bw_credential **ret, struct bw_err *err)
{
	BW_AUTOFREE char *host = NULL;
	struct question q = {.credentials = c, .waiter = w, .step = BW_CREDENTIALS_NOBODY, .err = err};

	if (!c)
		return BW_CREDENTIALS_NOBODY;
	bw_credentials_leave(w);
	host = bw_authfile_key(registry);
	q.host = host;
	each_candidate(c, host, repository, ask_candidate, &q);
	if (q.found)
		*ret = q.found;
	return q.step;
}

void bw_credentials_refused(struct bw_credentials *c, uint64_t number)
{
	if (c && c->helpers)
		bw_helpers_refused(c->helpers, number);
}

/* --- for people ------------------------------------------------------------------------------- */

struct description {
	const struct bw_credentials *credentials;
	const char *host;
	char *text;
};

/* Programs that are known to have nothing now are not it. */
static bool describe_candidate(const struct candidate *x, void *arg)
{
	struct description *d = arg;

	if (x->helper && d->credentials->helpers) {
		enum bw_helper_step step = bw_helpers_known(d->credentials->helpers, x->helper, d->host);

		if (step == BW_HELPER_NOTHING || (step == BW_HELPER_MISSING && x->member))
			return false;
	}
	d->text = describe(x);
	return true;
}

char *bw_credentials_source(const struct bw_credentials *c, const char *registry, const char *repository)
{
	BW_AUTOFREE char *host = bw_authfile_key(registry);
	struct description d = {.credentials = c, .host = host};

	if (c)
		each_candidate(c, host, repository, describe_candidate, &d);
	return d.text ? d.text : bw_strdup("");
}

struct listener {
	const struct source *source;
	bw_credentials_helper_fn fn;
	void *arg;
};

static void tell_helper(const char *key, const char *name, void *arg)
{
	const struct listener *l = arg;
	const struct candidate x = {.helper = name, .member = "credHelpers", .where = l->source->name};
	BW_AUTOFREE char *source = describe(&x);

	l->fn(key, source, l->arg);
}

void bw_credentials_each_helper(const struct bw_credentials *c, bw_credentials_helper_fn fn, void *arg)
{
	struct listener l = {.fn = fn, .arg = arg};

	for (size_t i = 0; i < c->count; i++) {
		l.source = &c->sources[i];
		bw_authfile_each_helper(c->sources[i].content, tell_helper, &l);
	}
}
