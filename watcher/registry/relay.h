/*
 * relay.h - one wish of somebody, for which several places may be asked: the mirrors of a registry in order, then the
 * registry itself. Each of them gets a question of its own.
 *
 * What is believed. Bytes of a known digest: from anybody, the digest proves them. What a tag points to: the registry itself
 * decides, so mirrors are asked only when it is known what it said last, and only one that says the same is believed.
 * Another digest may be newer, or older, or wrong: the registry is asked. That something is not there is never believed of a
 * mirror, it may not have been filled yet. Where the user says that there are only mirrors, each is the registry itself:
 * the first that answers is right, and absent is what all of them lack.
 *
 * Time. The mirrors together have half of give_up_ms, waiting in line included (who waited longer is passed on when his
 * turn comes), and each of them one attempt: whoever comes next is the second. The registry itself then has all of its own time, as if there were no mirrors, so one that hangs
 * cannot make it look dead. A mirror that does not answer is left alone for dead_ms as a whole; then one question
 * finds out whether it is back, and nobody else waits for that.
 */
#ifndef BW_REGISTRY_RELAY_H
#define BW_REGISTRY_RELAY_H

#include <stdbool.h>

#include "registry/internal.h"

struct bw_question;

/* False: there is no mirror to ask, and the registry itself is the caller's to ask. */
bool bw_relay_begin(struct bw_registry *r, const struct bw_wish *w) BW_NODISCARD;

/* One of its questions has its answer: asks the next, or tells. The last may free the client: only as bw_registry_deliver(). */
void bw_relay_take(struct bw_question *q);

/* How many of this place are with mirrors now? Each may come to the registry itself next. */
unsigned bw_relay_count(const struct bw_registry *r, const struct bw_place *place);

void bw_relay_free_all(struct bw_registry *r); /* untold */

#endif
