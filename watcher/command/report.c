#include "report/report.h"

#include "command/choose.h"
#include "command/command.h"
#include "command/output.h"
#include "command/state.h"
#include "core/clock.h"
#include "core/log.h"
#include "store/source.h"

/* What is shown of it is what was known of it. */
static int warn_unreachable(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	char since[BW_TIME_MAX];

	(void)arg;
	(void)err;
	if (x->problem && x->has_chosen)
		bw_warn("%s: %s; what was known of it stays, since %s", x->name, x->problem,
			bw_time_short(x->problem_since_ms, since));
	return 0;
}

static int report(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_report_options o;
	struct bw_tally tally = {0};
	size_t count;
	int rc = bw_choose(a, true, s, &count, err);

	if (rc < 0)
		return rc;
	bw_output_init(a, &o);
	rc = bw_report_write(s, &o, &tally, err);
	bw_output_done(&o);
	if (rc == 0)
		rc = bw_store_each_git_source(s, NULL, warn_unreachable, NULL, err);
	*ret = bw_output_exit(a, &tally);
	return rc < 0 ? rc : bw_output_flush(err);
}

enum bw_exit bw_command_report(const struct bw_args *a)
{
	return bw_state_run(a, report);
}
