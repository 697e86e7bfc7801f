/* io.c - see io.h. */
#include "core/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

/* Takes back what was added, so that a failure leaves `out` as it was. */
static void truncate_to(struct bw_buf *out, size_t len)
{
	out->len = len;
	if (out->capacity > 0)
		out->data[len] = '\0';
}

int bw_read_all(int fd, struct bw_buf *out, struct bw_err *err)
{
	size_t before = out->len;
	char chunk[16384];
	ssize_t n;
	int sys;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (!bw_buf_add(out, chunk, (size_t)n)) {
			truncate_to(out, before);
			return bw_fail(err, BW_E_LIMIT, "more than %zu bytes", out->max);
		}
	}
	sys = errno;
	truncate_to(out, before);
	return bw_fail_sys(err, sys, "read");
}

int bw_read_file(const char *path, struct bw_buf *out, struct bw_err *err)
{
	BW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0)
		return bw_fail_sys(err, errno, "open %s", path);
	rc = bw_read_all(fd, out, err);
	if (rc < 0)
		return err ? bw_err_ctx(err, "%s", path) : rc;
	return 0;
}

bool bw_io_is_in_path(const char *program)
{
	const char *path = getenv("PATH");

	for (const char *p = path ? path : "/usr/bin:/bin"; *p; p += *p == ':') {
		size_t len = strcspn(p, ":");
		BW_AUTOFREE char *file = bw_asprintf("%.*s/%s", (int)len, p, program);

		if (len > 0 && access(file, X_OK) == 0)
			return true;
		p += len;
	}
	return false;
}
