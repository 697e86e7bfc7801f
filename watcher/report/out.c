/* out.c - see out.h. */
#include "report/out.h"

#include <errno.h>
#include <poll.h>

/* The error of an earlier write is gone by now, but a pipe without a reader still shows. */
static bool reader_left(FILE *out)
{
	struct pollfd p = {.fd = fileno(out), .events = POLLOUT};

	return p.fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

bool bw_out_finish(FILE *out, bool ok)
{
	int why;

	errno = 0;
	if (fflush(out) == 0 && ok && !ferror(out))
		return true;
	why = errno;
	if (why == EPIPE || reader_left(out))
		return true;
	errno = why ? why : EIO; /* an earlier write failed, and nobody kept why */
	return false;
}
