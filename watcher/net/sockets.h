/*
 * sockets.h - the sockets that libcurl wants watched, on libuv; private to net/. libcurl leaves a socket when a request
 * ends, and mostly comes back at once with the next one. So the watch of a connection rests, and goes on as it was:
 * to end it and to begin it anew would cost ten calls of the kernel for each request.
 */
#ifndef BW_NET_SOCKETS_H
#define BW_NET_SOCKETS_H

#include <stdbool.h>
#include <uv.h>

struct bw_sockets;

/* `events`: UV_READABLE, UV_WRITABLE; `status` is negative for an error. It may free the sockets. */
typedef void (*bw_sockets_ready_fn)(int fd, int status, int events, void *arg);

struct bw_sockets *bw_sockets_new(uv_loop_t *uv, bw_sockets_ready_fn ready, void *arg);
void bw_sockets_free(struct bw_sockets *s); /* NULL is fine */

/* False: it cannot be watched. */
bool bw_sockets_watch(struct bw_sockets *s, int fd, int events);
/* Nobody wants to hear of it any more; it may be watched again. */
void bw_sockets_leave(struct bw_sockets *s, int fd);
/* Closes it. Every socket of the network has to end with this. */
int bw_sockets_close(struct bw_sockets *s, int fd);

#endif
