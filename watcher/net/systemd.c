/* systemd.c - see systemd.h. Datagrams of "KEY=value" lines to a socket of the manager; no library. */
#include "net/systemd.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"

#define MAX_STATUS_BYTES  400  /* before escaping */
#define MAX_MESSAGE_BYTES 4096 /* the manager takes no longer ones */
#define MAX_WAIT_MS	  500  /* for a manager that is busy, with what must not be lost */

struct bw_systemd {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_len;
	uv_timer_t watchdog;
};

/* What the environment says, until now. */
static char *take_variable(const char *name)
{
	char *value = bw_strdup_null(getenv(name));

	(void)unsetenv(name);
	return value;
}

/* A path, or "@name" in the abstract namespace, which has no NUL at its end. */
static bool read_address(struct bw_systemd *s, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len < 2 || len >= sizeof(s->to.sun_path) || (text[0] != '/' && text[0] != '@'))
		return false;
	s->to.sun_family = AF_UNIX;
	memcpy(s->to.sun_path, text, len);
	s->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (text[0] == '@')
		s->to.sun_path[0] = '\0';
	else
		s->to_len++;
	return true;
}

/*
 * What changes our state waits a moment for a manager that does not read just now: it would believe that we never came
 * up. Of the others there will be more. That it failed nobody could be told: the manager will say so by itself.
 */
static void send_text(struct bw_systemd *s, const char *text, int flags)
{
	if (s->fd >= 0)
		(void)sendto(s->fd, text, strlen(text), flags | MSG_NOSIGNAL, (const struct sockaddr *)&s->to,
			     s->to_len);
}

static void ping(uv_timer_t *t)
{
	send_text(t->data, "WATCHDOG=1", MSG_DONTWAIT);
}

/* Half the interval, in milliseconds; 0: nobody waits for pings of this process. */
static uint64_t read_watchdog(const char *usec, const char *pid)
{
	uint64_t interval, whose;

	if (!usec || !bw_text_number(usec, 1, UINT64_MAX, &interval))
		return 0;
	if (pid && (!bw_text_number(pid, 1, UINT64_MAX, &whose) || whose != (uint64_t)getpid()))
		return 0;
	return interval >= 4000 ? interval / 2000 : 1;
}

static void open_socket(struct bw_systemd *s)
{
	const struct timeval most = {.tv_usec = (suseconds_t)MAX_WAIT_MS * 1000};

	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd >= 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

struct bw_systemd *bw_systemd_new(struct bw_loop *l)
{
	BW_AUTOFREE char *address = take_variable("NOTIFY_SOCKET");
	BW_AUTOFREE char *usec = take_variable("WATCHDOG_USEC");
	BW_AUTOFREE char *pid = take_variable("WATCHDOG_PID");
	struct bw_systemd *s = BW_NEW(struct bw_systemd);
	uint64_t every_ms = read_watchdog(usec, pid);

	s->fd = -1;
	uv_timer_init(bw_loop_uv(l), &s->watchdog);
	s->watchdog.data = s;
	uv_unref((uv_handle_t *)&s->watchdog);
	if (read_address(s, address))
		open_socket(s);
	(void)bw_loop_now(l); /* moves libuv's clock on where nothing else did */
	if (s->fd >= 0 && every_ms > 0)
		uv_timer_start(&s->watchdog, ping, every_ms, every_ms);
	return s;
}

static void release(uv_handle_t *uv)
{
	free(uv->data);
}

void bw_systemd_free(struct bw_systemd *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	uv_close((uv_handle_t *)&s->watchdog, release);
}

void bw_systemd_ready(struct bw_systemd *s)
{
	send_text(s, "READY=1", 0);
}

/* The time tells the manager which of two reloads it is that became ready. */
void bw_systemd_reloading(struct bw_systemd *s)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		       (unsigned long long)uv_hrtime() / 1000);
	send_text(s, text, 0);
}

void bw_systemd_stopping(struct bw_systemd *s)
{
	send_text(s, "STOPPING=1", 0);
}

/* Escaped, a text cannot bring a line of its own. */
void bw_systemd_status(struct bw_systemd *s, const char *fmt, ...)
{
	BW_AUTOBUF struct bw_buf message;
	char text[MAX_STATUS_BYTES + 1];
	va_list args;
	int n;

	bw_buf_init(&message, MAX_MESSAGE_BYTES);
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		return;
	bw_buf_adds(&message, "STATUS=");
	bw_text_escape(&message, text, strlen(text));
	send_text(s, bw_buf_str(&message), MSG_DONTWAIT);
}
