#include "command/choose.h"
#include "command/command.h"
#include "command/state.h"
#include "command/wording.h"
#include "core/clock.h"
#include "core/log.h"

static void say(const struct bw_done_counts *c)
{
	printf("%zu build%s rebuilt: %zu base%s up to date", c->builds, bw_wording_plural(c->builds),
	       c->closed, bw_wording_plural(c->closed));
	if (c->moved)
		printf(", %zu moved on since and still stale", c->moved);
	if (c->pinned)
		printf(", %zu pinned and not moved by a rebuild: edit the pin", c->pinned);
	printf("\n");
}

static int done(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_done_counts counts = {0};
	size_t builds;
	int rc = bw_choose(a, false, s, &builds, err);

	(void)ret;
	if (rc == 0)
		rc = bw_store_done(s, bw_digest_is_set(&a->digest) ? &a->digest : NULL, bw_clock_ms(),
				   &counts, err);
	if (rc == 0 && !a->quiet)
		say(&counts);
	return rc;
}

enum bw_exit bw_command_done(const struct bw_args *a)
{
	if (a->operands.count > 0)
		return bw_state_run(a, done);
	bw_error("done needs the PATH or BUILD that was rebuilt");
	return BW_EXIT_USAGE;
}
