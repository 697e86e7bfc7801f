/* held.h - of a sweep: the registries of which not all bases were asked, as its report says it. */
#ifndef BW_COMMAND_HELD_H
#define BW_COMMAND_HELD_H

#include "report/outlook.h"
#include "watch/sweep.h"

struct bw_held;

/* Both must outlive it. */
int bw_held_new(struct bw_store *s, const struct bw_sweep_result *r, struct bw_held **ret,
		struct bw_err *err) BW_NODISCARD;
void bw_held_free(struct bw_held *x); /* NULL is fine */
/* NULL: everything was asked. */
const struct bw_outlook *bw_held_outlook(const struct bw_held *x);

#endif
