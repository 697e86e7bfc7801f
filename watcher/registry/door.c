/* door.c - see door.h. */
#include "registry/door.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/version.h"
#include "net/http.h"

static size_t length(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static char **join(const char *const *a, const char *const *b)
{
	size_t a_len = length(a), b_len = length(b);
	char **list = bw_alloc((a_len + b_len + 1) * sizeof(*list));

	for (size_t i = 0; i < a_len; i++)
		list[i] = bw_strdup(a[i]);
	for (size_t i = 0; i < b_len; i++)
		list[a_len + i] = bw_strdup(b[i]);
	return list;
}

static bool are_same(char *const *a, char *const *b)
{
	while (*a && *b && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return !*a && !*b;
}

static uint64_t mix(uint64_t stamp, uint64_t value)
{
	return (stamp ^ value) * 1099511628211ULL;
}

/* Files that are replaced are others; only CA files, as those of a client are read for each connection. */
static uint64_t stamp_of(char *const *files)
{
	uint64_t stamp = 14695981039346656037ULL;
	struct stat s;

	for (; *files; files++) {
		if (stat(*files, &s) < 0)
			s = (struct stat){0};
		stamp = mix(stamp, (uint64_t)s.st_ino);
		stamp = mix(stamp, (uint64_t)s.st_size);
		stamp = mix(stamp, (uint64_t)s.st_mtim.tv_sec);
		stamp = mix(stamp, (uint64_t)s.st_mtim.tv_nsec);
	}
	return stamp;
}

static struct bw_door *make_door(const struct bw_door_wish *w)
{
	struct bw_door *d = BW_NEW(struct bw_door);

	d->ca_files = join(w->ca_files, w->more_ca_files);
	d->cert_file = bw_strdup_null(w->cert_file);
	d->key_file = bw_strdup_null(w->key_file);
	d->place = bw_strdup_null(w->cert_file ? w->place : NULL);
	d->proxy = bw_strdup_null(w->proxy);
	d->connections = w->connections;
	d->stamp = stamp_of(d->ca_files);
	return d;
}

static void free_door(struct bw_door *d)
{
	for (char **file = d->ca_files; *file; file++)
		free(*file);
	free(d->ca_files);
	free(d->cert_file);
	free(d->key_file);
	free(d->place);
	free(d->proxy);
	free(d);
}

static bool is_same(const struct bw_door *a, const struct bw_door *b)
{
	return a->connections == b->connections && a->stamp == b->stamp &&
	       are_same(a->ca_files, b->ca_files) && bw_text_is(a->cert_file, b->cert_file) &&
	       bw_text_is(a->key_file, b->key_file) && bw_text_is(a->place, b->place) &&
	       bw_text_is(a->proxy, b->proxy);
}

static const struct bw_door *find(const struct bw_doors *x, const struct bw_door *wanted)
{
	for (size_t i = 0; i < x->count; i++)
		if (is_same(x->items[i], wanted))
			return x->items[i];
	return NULL;
}

static int open_http(struct bw_doors *x, struct bw_door *d, struct bw_err *err)
{
	const struct bw_http_options o = {
		.ca_files = (const char *const *)d->ca_files,
		.client_cert = d->cert_file,
		.client_key = d->key_file,
		.client_place = d->place,
		.proxy = d->proxy,
		.connections_per_host = d->connections,
		.user_agent = "basewatch/" BW_VERSION,
	};

	return bw_http_new(x->loop, &o, &d->http, err);
}

int bw_doors_open(struct bw_doors *x, const struct bw_door_wish *wish, const struct bw_door **ret,
		  struct bw_err *err)
{
	struct bw_door *d = make_door(wish);
	int rc;

	*ret = find(x, d);
	if (*ret) {
		free_door(d);
		return 0;
	}
	rc = open_http(x, d, err);
	if (rc < 0) {
		free_door(d);
		return rc;
	}
	BW_PUSH(x->items, x->count, x->capacity) = d;
	*ret = d;
	return 0;
}

void bw_doors_sweep(struct bw_doors *x, bool (*is_used)(const struct bw_door *d, const void *arg),
		    const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->count; i++) {
		struct bw_door *d = x->items[i];

		if (bw_http_is_busy(d->http) || is_used(d, arg)) {
			x->items[kept++] = d;
			continue;
		}
		bw_http_free(d->http);
		free_door(d);
	}
	x->count = kept;
}

void bw_doors_close(struct bw_doors *x)
{
	for (size_t i = 0; i < x->count; i++)
		bw_http_free(BW_TAKE(x->items[i]->http));
}

void bw_doors_done(struct bw_doors *x)
{
	for (size_t i = 0; i < x->count; i++)
		free_door(x->items[i]);
	free(x->items);
	*x = (struct bw_doors){0};
}
