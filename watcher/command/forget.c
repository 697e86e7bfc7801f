#include "command/choose.h"
#include "command/command.h"
#include "command/state.h"
#include "core/log.h"

static int forget(const struct bw_args *a, struct bw_store *s, struct bw_err *err)
{
	size_t builds, files = 0;
	int rc = bw_choose(a, false, s, &builds, err);

	if (rc == 0)
		rc = bw_store_forget(s, &files, err);
	if (rc == 0 && !a->quiet)
		printf("forgot %zu build%s; the history of their bases stays\n", builds,
		       builds == 1 ? "" : "s");
	return rc;
}

enum bw_exit bw_command_forget(const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_store *s = NULL;
	int rc;

	if (a->operands.count == 0)
		rc = bw_fail(&err, BW_E_INPUT, "forget needs the PATH or SOURCE to stop tracking");
	else
		rc = bw_state_open_existing(a, &s, &err);
	if (rc == 0)
		rc = forget(a, s, &err);
	bw_store_close(s);
	return rc < 0 ? bw_exit_with(&err) : BW_EXIT_OK;
}
