#include <errno.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/gather.h"
#include "command/output.h"
#include "core/log.h"
#include "core/mem.h"
#include "report/listing.h"

static int show(struct bw_found_build *g, void *arg, struct bw_err *err)
{
	const struct bw_scan_file f = {
		.source = g->source, .path = g->path, .file = g->file, .problem = g->problem};

	(void)err;
	bw_scan_writer_add(arg, &f);
	return 0;
}

static int show_repository(const struct bw_fetched *f, void *arg, struct bw_err *err)
{
	(void)arg, (void)err;
	if (f->problem)
		bw_error("%s: %s", f->origin->shown, f->problem);
	for (size_t i = 0; i < f->missing_count; i++) {
		BW_AUTOFREE char *lack = bw_fetched_lack(f->missing[i]);

		if (bw_fetched_is_lack(f, i))
			bw_error("%s: %s", f->origin->shown, lack);
	}
	return 0;
}

enum bw_exit bw_command_scan(const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_report_options o;
	struct bw_gather_hooks hooks = {.file = show, .repository = show_repository};
	struct bw_gather_counts counts = {0};
	char *state = bw_remote_state(a);
	bool written;
	int rc, why;

	bw_output_init(a, &o);
	hooks.git_state = state;
	hooks.arg = bw_scan_writer_new(&o);
	rc = bw_gather(a, &hooks, &counts, &err);
	written = bw_scan_writer_end(hooks.arg);
	why = errno;
	bw_output_done(&o);
	if (rc == 0 && counts.files == 0 && counts.unreachable == 0 && !counts.interrupted)
		bw_warn("no build files found");
	if (rc == 0)
		rc = written ? bw_output_flush(&err) : bw_fail_sys(&err, why, "write to standard output");
	free(state);
	if (rc < 0)
		return bw_exit_with(&err);
	if (counts.interrupted)
		return BW_EXIT_INTERRUPTED;
	return counts.unreachable > 0 ? BW_EXIT_UNKNOWN : BW_EXIT_OK;
}
