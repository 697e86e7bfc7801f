/* output.h - stdout as a verb needs it: terminal width, colour, current folder; and the progress bar on
 * stderr. */
#ifndef BW_COMMAND_OUTPUT_H
#define BW_COMMAND_OUTPUT_H

#include "command/args.h"
#include "command/exit.h"
#include "report/report.h"

/* `cwd` in it is allocated: free with bw_output_done(). */
void bw_output_init(const struct bw_args *a, struct bw_report_options *ret);
void bw_output_done(struct bw_report_options *o);

/* Flushes stdout. A reader that went away (`| head`) is no error of ours. */
int bw_output_flush(struct bw_err *err) BW_NODISCARD;

/*
 * Bytes that are the result themselves, such as a patch: as they are, except on a terminal, where control characters
 * other than the end of a line and the tabulator are shown escaped.
 */
void bw_output_bytes(const char *bytes, size_t len);

/* The exit code of the verdicts (design: stale or behind 1, else unknown 2), as --fail-on wants it. */
enum bw_exit bw_output_exit(const struct bw_args *a, const struct bw_tally *t);

struct bw_progress;
/* NULL when stderr is no terminal or the user wants quiet; every function takes NULL. */
struct bw_progress *bw_progress_new(const struct bw_args *a, const char *what);
void bw_progress_show(struct bw_progress *p, size_t done, size_t total);
void bw_progress_free(struct bw_progress *p); /* clears the line */

#endif
