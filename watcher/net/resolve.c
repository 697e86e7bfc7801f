/* resolve.c - one detached thread per look-up; it and the loop share the record, and the last one frees it. */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "core/mem.h"

struct bw_resolve {
	uv_async_t uv;
	pthread_mutex_t lock; /* of is_dropped, and of uv against being closed while the thread sends */
	bool is_dropped;
	atomic_int users; /* the thread, and the handle */
	char *host;
	struct bw_resolve_result result;
	bw_resolve_fn done;
	void *arg;
};

static void leave(struct bw_resolve *r)
{
	if (atomic_fetch_sub(&r->users, 1) > 1)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r->host);
	free(r);
}

static void take_addresses(struct bw_resolve_result *out, const struct addrinfo *list)
{
	for (; list && out->count < BW_RESOLVE_MAX; list = list->ai_next) {
		if (getnameinfo(list->ai_addr, list->ai_addrlen, out->address[out->count],
				BW_RESOLVE_TEXT_MAX, NULL, 0, NI_NUMERICHOST) == 0)
			out->count++;
	}
	if (out->count == 0)
		out->error = "no usable address";
}

static void *look_up(void *arg)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct bw_resolve *r = arg;
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(r->host, NULL, &hints, &list);

	if (rc == 0) {
		take_addresses(&r->result, list);
		freeaddrinfo(list);
	} else {
		r->result.error = gai_strerror(rc);
	}
	pthread_mutex_lock(&r->lock);
	if (!r->is_dropped)
		uv_async_send(&r->uv);
	pthread_mutex_unlock(&r->lock);
	leave(r);
	return NULL;
}

static void release_handle(uv_handle_t *uv)
{
	leave(uv->data);
}

static void drop(struct bw_resolve *r)
{
	pthread_mutex_lock(&r->lock);
	r->is_dropped = true;
	pthread_mutex_unlock(&r->lock);
	uv_close((uv_handle_t *)&r->uv, release_handle);
}

static void finish(uv_async_t *uv)
{
	struct bw_resolve *r = uv->data;
	const bw_resolve_fn done = r->done;
	void *arg = r->arg;

	drop(r);
	done(&r->result, arg); /* the record lives until the close callback */
}

static int start_thread(struct bw_resolve *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = pthread_attr_init(&attr);

	if (rc != 0)
		return rc;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, look_up, r);
	pthread_attr_destroy(&attr);
	return rc;
}

int bw_resolve_start(struct bw_loop *l, const char *host, bw_resolve_fn done, void *arg,
		     struct bw_resolve **ret, struct bw_err *err)
{
	struct bw_resolve *r = BW_NEW(struct bw_resolve);
	int rc = uv_async_init(bw_loop_uv(l), &r->uv, finish);

	if (rc < 0) {
		free(r);
		return bw_fail_sys(err, -rc, "look up %s", host);
	}
	r->uv.data = r;
	r->host = bw_strdup(host);
	r->done = done;
	r->arg = arg;
	atomic_init(&r->users, 2);
	pthread_mutex_init(&r->lock, NULL);
	rc = start_thread(r);
	if (rc != 0) {
		atomic_fetch_sub(&r->users, 1);
		drop(r);
		return bw_fail_sys(err, rc, "look up %s", host);
	}
	*ret = r;
	return 0;
}

void bw_resolve_cancel(struct bw_resolve *r)
{
	if (r)
		drop(r);
}
