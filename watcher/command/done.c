#include "command/choose.h"
#include "command/command.h"
#include "command/state.h"
#include "command/wording.h"
#include "core/clock.h"
#include "core/log.h"
#include "store/outbox.h"

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

static int close_event(const struct bw_args *a, struct bw_store *s, struct bw_done_counts *ret,
		       struct bw_err *err)
{
	struct bw_event_found e = {0};
	int64_t number, build_id;
	int rc = bw_store_find_event(s, a->event, &e, err);

	number = e.number;
	build_id = e.build_id;
	bw_event_found_done(&e);
	if (rc == 0 && build_id == 0)
		return bw_fail(err, BW_E_INPUT,
			       "event %s asks to rebuild nothing, or its build is not tracked any more",
			       a->event);
	return rc < 0 ? rc : bw_store_done_event(s, number, bw_clock_ms(), ret, err);
}

static int close_builds(const struct bw_args *a, struct bw_store *s, struct bw_done_counts *ret,
			struct bw_err *err)
{
	size_t builds;
	int rc = bw_choose(a, false, s, &builds, err);

	return rc < 0 ? rc
		      : bw_store_done(s, bw_digest_is_set(&a->digest) ? &a->digest : NULL, bw_clock_ms(), ret,
				      err);
}

static int done(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_done_counts counts = {0};
	int rc = a->event ? close_event(a, s, &counts, err) : close_builds(a, s, &counts, err);

	(void)ret;
	if (rc == 0 && !a->quiet)
		say(&counts);
	return rc;
}

enum bw_exit bw_command_done(const struct bw_args *a)
{
	bool has_builds = a->operands.count > 0;

	if (a->event && (has_builds || a->target || bw_digest_is_set(&a->digest))) {
		bw_error("--event says which build and digests are meant: no PATH, --target or --digest goes "
			 "with it");
		return BW_EXIT_USAGE;
	}
	if (a->event || has_builds)
		return bw_state_run(a, done);
	bw_error("done needs the PATH or BUILD that was rebuilt, or --event");
	return BW_EXIT_USAGE;
}
