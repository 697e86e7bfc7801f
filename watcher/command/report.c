#include "report/report.h"

#include "command/choose.h"
#include "command/command.h"
#include "command/gaps.h"
#include "command/next.h"
#include "command/output.h"
#include "command/state.h"

static int report(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_report_options o;
	struct bw_tally tally = {0};
	struct bw_gaps gaps = {0};
	struct bw_next *next = NULL;
	size_t count;
	int rc = bw_next_new(a, s, &next, err); /* first: it chooses too */

	if (rc == 0)
		rc = bw_choose(a, true, s, &count, err);
	if (rc == 0 && next)
		rc = bw_next_narrow(next, s, err);
	if (rc < 0) {
		bw_next_free(next);
		return rc;
	}
	bw_output_init(a, &o);
	o.gaps = &gaps;
	o.outlook = bw_next_outlook(next);
	rc = bw_gaps_known(a, s, &gaps, err);
	if (rc == 0)
		rc = bw_report_write(s, &o, &tally, err);
	bw_output_done(&o);
	bw_gaps_done(&gaps);
	bw_next_free(next);
	*ret = bw_output_exit(a, &tally);
	return rc < 0 ? rc : bw_output_flush(err);
}

enum bw_exit bw_command_report(const struct bw_args *a)
{
	return bw_state_run(a, report);
}
