#include "command/command.h"
#include "command/gather.h"
#include "command/output.h"
#include "core/log.h"
#include "report/listing.h"

static int show(struct bw_gathered *g, void *arg, struct bw_err *err)
{
	const struct bw_scan_file f = {
		.source = g->source, .path = g->path, .file = g->file, .problem = g->problem};

	(void)err;
	bw_scan_writer_add(arg, &f);
	return 0;
}

enum bw_exit bw_command_scan(const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_report_options o;
	struct bw_gather_hooks hooks = {.file = show};
	struct bw_gather_counts counts = {0};
	bool written;
	int rc;

	bw_output_init(a, &o);
	hooks.arg = bw_scan_writer_new(&o);
	rc = bw_gather(a, &hooks, &counts, &err);
	written = bw_scan_writer_end(hooks.arg);
	bw_output_done(&o);
	if (rc == 0 && counts.files == 0)
		bw_warn("no build files found");
	if (rc == 0)
		rc = written ? bw_output_flush(&err) : bw_fail_sys(&err, 0, "write to standard output");
	return rc < 0 ? bw_exit_with(&err) : BW_EXIT_OK;
}
