/*
 * crowd.h - all hosts of a client together: which of them are forgotten, and who goes next when all of them want to go at
 * once. Thousands of transfers at a time make each of them slow, and end none of them sooner.
 */
#ifndef BW_REGISTRY_CROWD_H
#define BW_REGISTRY_CROWD_H

#include <stdbool.h>

struct bw_door;
struct bw_host;
struct bw_registry;

/* That are remembered; more only as long as they are asked, or not to be asked. Some 3 KiB each, and their tokens. */
#define BW_REGISTRY_HOSTS 512
/* Of those that are not to be asked so many are remembered, unless the user named them: a stranger may have names without end. */
#define BW_REGISTRY_PAUSED 4096
/* Questions that have a request on its way, or wait for a token. */
#define BW_REGISTRY_SLOTS 500

/* In a ring that begins with the one without a host; all zero: in none. */
struct bw_seat {
	struct bw_host *host;
	struct bw_seat *prev, *next;
};

void bw_crowd_init(struct bw_registry *r);

/* Forgets those that were not asked for longest, so that there is room for one more. */
void bw_crowd_make_room(struct bw_registry *r);

/* It is asked now. */
void bw_crowd_use(struct bw_host *h);

/* It is about to be freed. */
void bw_crowd_leave(struct bw_host *h);

/*
 * May a further question of it go? One that hangs leaves room for the others: the more are on their way, the fewer may be of one
 * host. One that has none there stands in line otherwise, and is let go in its turn.
 */
bool bw_crowd_admits(struct bw_host *h);

/* Lets those in line go, as far as there is room. */
void bw_crowd_serve(struct bw_registry *r);

/* Is it the door of one of them? */
bool bw_crowd_uses_door(const struct bw_registry *r, const struct bw_door *d);

#endif
