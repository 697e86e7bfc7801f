/* warned.h - what registries say to their users, told to them once as long as the program runs, however many clients ask. */
#ifndef BW_COMMAND_WARNED_H
#define BW_COMMAND_WARNED_H

#include "daemon/registries.h"

struct bw_warned;

struct bw_warned *bw_warned_new(void);
void bw_warned_free(struct bw_warned *w); /* after the clients; NULL is fine */

/* Warnings of the clients that are opened with `given` go to standard error, or to the log. */
void bw_warned_attach(struct bw_warned *w, struct bw_registries_given *given);

#endif
