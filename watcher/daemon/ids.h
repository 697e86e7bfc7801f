/*
 * ids.h - sets of ids of builds (intake.h has the type). What works on two of them costs no more than sorting both: a
 * source may have tens of thousands of builds. Private to daemon/.
 */
#ifndef BW_DAEMON_IDS_H
#define BW_DAEMON_IDS_H

#include <stdbool.h>

#include "daemon/intake.h"

void bw_ids_done(struct bw_ids *ids);
void bw_ids_add(struct bw_ids *to, int64_t id);
void bw_ids_add_all(struct bw_ids *to, const struct bw_ids *from);
void bw_ids_sort(struct bw_ids *ids); /* and each once */

/* Keeps of `ids` what is not in `others`; both are sorted by that. True: something is only in one of them. */
bool bw_ids_subtract(struct bw_ids *ids, struct bw_ids *others);
/* The same; true: something of `others` was in `ids`. */
bool bw_ids_lose(struct bw_ids *ids, struct bw_ids *others);

#endif
