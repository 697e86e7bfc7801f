/* out.h - the end of an output. */
#ifndef BW_REPORT_OUT_H
#define BW_REPORT_OUT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Flushes. True when everything was written (`ok`: so far), or when the reader left before the end (`|
 * head`): it has what it wanted, and the verdict still decides the exit code. Else errno says why, as far as
 * it is known.
 */
bool bw_out_finish(FILE *out, bool ok);

#endif
