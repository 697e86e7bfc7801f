/*
 * systemd.h - tells a service manager how we are, with the protocol of sd_notify(3), and that the loop still turns.
 * Without a manager that listens ($NOTIFY_SOCKET), or with an address of a kind that is not known, all of it does
 * nothing.
 */
#ifndef BW_NET_SYSTEMD_H
#define BW_NET_SYSTEMD_H

#include "net/loop.h"

struct bw_systemd;

/*
 * Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID and removes them from the environment: children are not to
 * speak for us. From then on the loop pings the watchdog, if there is one, at half its interval; that keeps nothing
 * alive.
 */
struct bw_systemd *bw_systemd_new(struct bw_loop *l);
void bw_systemd_free(struct bw_systemd *s); /* before the loop; NULL is fine */

void bw_systemd_ready(struct bw_systemd *s);	 /* after the start, and after each reloading */
void bw_systemd_reloading(struct bw_systemd *s); /* ready comes later, also when the configuration was bad */
void bw_systemd_stopping(struct bw_systemd *s);
/* What `systemctl status` shows; escaped and cut. */
void bw_systemd_status(struct bw_systemd *s, const char *fmt, ...) BW_PRINTF(2, 3);

#endif
