/* sockets.c - see sockets.h. */
#include "net/sockets.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"

struct watch {
	uv_poll_t uv;
	struct bw_sockets *sockets;
	int fd;
	int events; /* that the loop looks for */
	bool is_resting;
};

struct bw_sockets {
	uv_loop_t *uv;
	bw_sockets_ready_fn ready;
	void *arg;
	struct watch **items; /* by descriptor */
	size_t count;
};

struct bw_sockets *bw_sockets_new(uv_loop_t *uv, bw_sockets_ready_fn ready, void *arg)
{
	struct bw_sockets *s = BW_NEW(struct bw_sockets);

	s->uv = uv;
	s->ready = ready;
	s->arg = arg;
	return s;
}

static struct watch *find(const struct bw_sockets *s, int fd)
{
	return fd >= 0 && (size_t)fd < s->count ? s->items[fd] : NULL;
}

static void release(uv_handle_t *uv)
{
	free(uv->data);
}

/* The socket is closed next, and its number may come back at once: libuv forgets it now, not later. */
static void end(struct watch *w)
{
	w->sockets->items[w->fd] = NULL;
	uv_poll_stop(&w->uv);
	uv_close((uv_handle_t *)&w->uv, release);
}

void bw_sockets_free(struct bw_sockets *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i])
			end(s->items[i]);
	free(s->items);
	free(s);
}

static struct watch *begin(struct bw_sockets *s, int fd)
{
	struct watch *w = BW_NEW(struct watch);

	w->sockets = s;
	w->fd = fd;
	if (uv_poll_init_socket(s->uv, &w->uv, fd) < 0) {
		free(w);
		return NULL;
	}
	w->uv.data = w;
	if ((size_t)fd >= s->count) {
		size_t count = (size_t)fd + 16;

		s->items = bw_realloc(s->items, count, sizeof(struct watch *));
		memset(s->items + s->count, 0, (count - s->count) * sizeof(struct watch *));
		s->count = count;
	}
	s->items[fd] = w;
	return w;
}

/* What a peer says while nobody asks it anything, mostly that it goes, libcurl finds before it uses the connection. */
static void on_poll(uv_poll_t *uv, int status, int events)
{
	struct watch *w = uv->data;

	if (w->is_resting) {
		uv_poll_stop(uv);
		w->events = 0;
		return;
	}
	w->sockets->ready(w->fd, status, events, w->sockets->arg); /* `w` may be gone behind it */
}

bool bw_sockets_watch(struct bw_sockets *s, int fd, int events)
{
	struct watch *w = find(s, fd);

	if (!w)
		w = begin(s, fd);
	if (!w)
		return false;
	if (w->is_resting)
		uv_ref((uv_handle_t *)&w->uv);
	w->is_resting = false;
	if (w->events == events)
		return true;
	w->events = events;
	return uv_poll_start(&w->uv, events, on_poll) == 0;
}

/* What libcurl uses for itself, such as the pipe of its resolver, it closes without a word to us. */
static bool is_of_network(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/* One that rests does not keep the loop. */
void bw_sockets_leave(struct bw_sockets *s, int fd)
{
	struct watch *w = find(s, fd);

	if (!w || w->is_resting)
		return;
	if (!is_of_network(fd)) {
		end(w);
		return;
	}
	w->is_resting = true;
	uv_unref((uv_handle_t *)&w->uv);
}

int bw_sockets_close(struct bw_sockets *s, int fd)
{
	struct watch *w = find(s, fd);

	if (w)
		end(w);
	return close(fd);
}
