#include "command/turns.h"

/* What ends inside its start is followed by the loop that started it: so a long list is no deep recursion. */
void bw_turns_begin(struct bw_turns *t)
{
	if (t->is_feeding)
		return;
	t->is_feeding = true;
	while (t->next < t->count && t->open < t->most) {
		t->open++;
		t->start(t->next++, t->arg);
	}
	t->is_feeding = false;
}

void bw_turns_end(struct bw_turns *t)
{
	t->open--;
	bw_turns_begin(t);
}
