/* mirror.c - see mirror.h. */
#include "registry/mirror.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/address.h"
#include "registry/client.h"

#define MAX_PREFIX 200 /* distribution-spec: a repository has 255 bytes with all that is behind it */
#define API_ROOT   "v2"

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A component of a repository (distribution-spec "Pulling manifests"): words with `.`, `_` and `-` between them. */
static bool is_component(const char *s, size_t len)
{
	if (len == 0 || !is_word(s[0]) || !is_word(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_word(s[i]) && !strchr("._-", s[i]))
			return false;
	return true;
}

static bool is_root(const char *s, size_t len)
{
	return len == strlen(API_ROOT) && strncmp(s, API_ROOT, len) == 0;
}

/* Each component of "/a/b", of `len` bytes without a slash at its end. */
static int check_path(const char *path, size_t len, struct bw_err *err)
{
	const char *at = path, *end = path + len;

	if (len > MAX_PREFIX)
		return bw_fail(err, BW_E_INPUT, "the path is longer than %d bytes", MAX_PREFIX);
	while (at < end) {
		const char *word = at + 1;
		size_t n = 0;

		while (word + n < end && word[n] != '/')
			n++;
		at = word + n;
		/* Written where other programs want the root of the API: in front, or behind everything. */
		if (is_root(word, n) && (word == path + 1 || at == end))
			return bw_fail(err, BW_E_INPUT,
				       "leave out /" API_ROOT ": it is put between the host and the path");
		if (!is_component(word, n))
			return bw_fail(
				err, BW_E_INPUT,
				"the path is put before the names of repositories, so it has only small "
				"letters and digits, with `.`, `_`, `-` and `/` between them");
	}
	return 0;
}

/* "?ns" or "?ns=HOST[:PORT]"; `query` may be "". */
static int check_query(const char *query, const char **ret_ns, struct bw_err *err)
{
	const char *value = NULL;
	struct bw_origin o;

	if (strcmp(query, "?ns") == 0)
		value = query + 3;
	else if (bw_text_starts(query, "?ns="))
		value = query + 4;
	else if (*query)
		return bw_fail(err, BW_E_INPUT,
			       "the only query that a mirror may have is ?ns or ?ns=REGISTRY");
	if (value && value > query + 3 && !bw_origin_of_registry(value, true, &o))
		return bw_fail(
			err, BW_E_INPUT,
			"?ns= wants the name of a registry, like docker.io; ?ns alone is the one that is "
			"asked for");
	*ret_ns = value;
	return 0;
}

/* For https the name that goes without saying; for http a registry would not be looked for at port 80. */
static char *name_of(const struct bw_origin *o)
{
	char name[BW_ORIGIN_MAX];

	if (bw_host_is_hub(o->host) && o->is_tls && o->port == 443)
		return bw_strdup("docker.io");
	bw_origin_name(o, name);
	return !o->is_tls && o->port == 80 ? bw_asprintf("%s:80", name) : bw_strdup(name);
}

static int check_start(const char *url, const char **ret_rest, struct bw_err *err)
{
	const char *host = strstr(url, "://");

	if (!host || !(strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0))
		return bw_fail(err, BW_E_INPUT, "it does not begin with https:// or http://");
	host += 3;
	*ret_rest = host + strcspn(host, "/?#");
	if (memchr(host, '@', (size_t)(*ret_rest - host)))
		return bw_fail(err, BW_E_INPUT,
			       "it has a user in it: a mirror's log-in stands under `registries:`, with the "
			       "mirror's "
			       "own name");
	if (strchr(host, '#'))
		return bw_fail(err, BW_E_INPUT, "it has a `#` in it");
	return 0;
}

int bw_mirror_parse(const char *url, struct bw_mirror *ret, struct bw_err *err)
{
	const char *path, *query, *ns = NULL;
	struct bw_origin o;
	size_t len;
	int rc = check_start(url, &path, err);

	if (rc < 0)
		return rc;
	if (!bw_origin_parse(url, &o))
		return bw_fail(err, BW_E_INPUT, "there is no HOST[:PORT] in it that could be asked");
	query = path + strcspn(path, "?");
	len = (size_t)(query - path);
	if (len > 0 && path[len - 1] == '/')
		len--;
	rc = check_path(path, len, err);
	if (rc == 0)
		rc = check_query(query, &ns, err);
	if (rc < 0)
		return rc;
	*ret = (struct bw_mirror){
		.registry = name_of(&o),
		.is_plain = !o.is_tls,
		.prefix = len ? bw_strndup(path + 1, len - 1) : bw_strdup(""),
		.ns = bw_strdup_null(ns),
	};
	return 0;
}

/* What it is told of `registry` counts: it may decide by that. */
static bool are_same(const struct bw_mirror *a, const struct bw_mirror *b, const char *registry)
{
	BW_AUTOFREE char *query_a = bw_mirror_query(a, registry), *query_b = bw_mirror_query(b, registry);

	return strcmp(a->registry, b->registry) == 0 && strcmp(a->prefix, b->prefix) == 0 &&
	       strcmp(query_a ? query_a : "", query_b ? query_b : "") == 0;
}

int bw_mirror_parse_next(const char *url, const char *registry, const struct bw_mirror *before, size_t count,
			 struct bw_mirror *ret, struct bw_err *err)
{
	int rc = bw_mirror_parse(url, ret, err);

	if (rc < 0)
		return rc;
	if (!*ret->prefix && bw_registry_is_same(ret->registry, registry))
		rc = bw_fail(err, BW_E_INPUT, "this is the registry itself: it is asked without that");
	for (size_t i = 0; i < count && rc == 0; i++)
		if (are_same(ret, &before[i], registry))
			rc = bw_fail(err, BW_E_INPUT, "this mirror is in the list already");
	if (rc < 0)
		bw_mirror_done(ret);
	return rc;
}

char *bw_mirror_name(const struct bw_mirror *m)
{
	return *m->prefix ? bw_asprintf("%s/%s", m->registry, m->prefix) : bw_strdup(m->registry);
}

void bw_mirror_done(struct bw_mirror *m)
{
	free(m->registry);
	free(m->prefix);
	free(m->ns);
	*m = (struct bw_mirror){0};
}

char *bw_mirror_repository(const struct bw_mirror *m, const char *repository)
{
	return *m->prefix ? bw_asprintf("%s/%s", m->prefix, repository) : bw_strdup(repository);
}

/* Only IPv6 addresses have characters that a query does not take as they are (RFC 3986 3.4). */
char *bw_mirror_query(const struct bw_mirror *m, const char *registry)
{
	const char *ns = m->ns && *m->ns ? m->ns : registry;
	size_t len = strlen(ns);

	if (!m->ns)
		return NULL;
	if (*ns == '[') {
		size_t inside = strcspn(ns, "]") - 1;

		return bw_asprintf("ns=%%5B%.*s%%5D%s", (int)inside, ns + 1,
				   inside + 2 < len ? ns + inside + 2 : "");
	}
	return bw_asprintf("ns=%s", ns);
}
