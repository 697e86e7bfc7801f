#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/io.h"
#include "core/mem.h"

bool bw_secret_is_set(const struct bw_secret *s)
{
	return s->env || s->file;
}

static int read_env(const char *name, struct bw_buf *ret, struct bw_err *err)
{
	const char *value = getenv(name);

	if (!value)
		return bw_fail(err, BW_E_GONE, "the environment variable %s is not set", name);
	if (!bw_buf_adds(ret, value))
		return bw_fail(err, BW_E_LIMIT, "the environment variable %s is too long for a secret", name);
	return 0;
}

/* Not blocking: a named pipe is no place for a secret that is read again. */
static int read_secret_file(const char *path, struct bw_buf *ret, struct bw_err *err)
{
	BW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return bw_fail(err, BW_E_GONE, "there is no file %s", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return bw_fail_sys(err, errno, "read %s", path);
	if (!S_ISREG(st.st_mode))
		return bw_fail(err, BW_E_INPUT, "%s is no regular file", path);
	if (st.st_mode & S_IROTH)
		return bw_fail(err, BW_E_DENIED,
			       "%s may be read by everyone, so it is no secret; chmod o-r makes it one",
			       path);
	rc = bw_read_all(fd, ret, err);
	return rc < 0 ? bw_err_ctx(err, "%s", path) : 0;
}

static void drop_newline(struct bw_buf *b)
{
	if (b->len > 0 && b->data[b->len - 1] == '\n')
		b->data[--b->len] = '\0';
	else
		return;
	if (b->len > 0 && b->data[b->len - 1] == '\r')
		b->data[--b->len] = '\0';
}

int bw_secret_read(const struct bw_secret *s, struct bw_buf *ret, struct bw_err *err)
{
	const char *from = s->env ? s->env : s->file;
	int rc;

	if (!from)
		return bw_fail(err, BW_E_GONE, "there is no secret");
	bw_buf_clear(ret);
	rc = s->env ? read_env(s->env, ret, err) : read_secret_file(s->file, ret, err);
	if (rc < 0)
		return rc;
	if (s->file)
		drop_newline(ret);
	if (ret->len == 0)
		return bw_fail(err, BW_E_INPUT, "the secret in %s is empty", from);
	if (memchr(ret->data, '\0', ret->len))
		return bw_fail(err, BW_E_INPUT, "the secret in %s holds a NUL", from);
	return 0;
}

void bw_secret_wipe(struct bw_buf *value)
{
	if (value->capacity > 0)
		explicit_bzero(value->data, value->capacity);
	bw_buf_done(value);
}

void bw_secret_done(struct bw_secret *s)
{
	free(s->env);
	free(s->file);
	*s = (struct bw_secret){0};
}
