/* turns.h - many things to be done, only some of them at the same time. Pure. */
#ifndef BW_COMMAND_TURNS_H
#define BW_COMMAND_TURNS_H

#include <stdbool.h>
#include <stddef.h>

/* Begins the thing at `index`; may call bw_turns_end() before it returns. */
typedef void (*bw_turns_fn)(size_t index, void *arg);

struct bw_turns {
	size_t count; /* of all of them */
	size_t most;  /* that are open at the same time */
	bw_turns_fn start;
	void *arg;
	/* Private. */
	size_t next;
	size_t open;
	bool is_feeding;
};

/* Starts the first ones, in their order. */
void bw_turns_begin(struct bw_turns *t);
/* One of those that were started is done: the next one's turn. */
void bw_turns_end(struct bw_turns *t);

#endif
