#include "command/choose.h"
#include "command/command.h"
#include "command/state.h"
#include "core/log.h"

static int forget(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	size_t builds, files = 0;
	int rc = bw_choose(a, false, s, &builds, err);

	(void)ret;
	if (rc == 0)
		rc = bw_store_forget(s, &files, err);
	if (rc == 0 && !a->quiet)
		printf("forgot %zu build%s; the history of their bases stays\n", builds,
		       builds == 1 ? "" : "s");
	return rc;
}

enum bw_exit bw_command_forget(const struct bw_args *a)
{
	if (a->operands.count > 0)
		return bw_state_run(a, forget);
	bw_error("forget needs the PATH or SOURCE to stop tracking");
	return BW_EXIT_USAGE;
}
