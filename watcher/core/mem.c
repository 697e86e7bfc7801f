/* mem.c - see mem.h. */
#include "core/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Ends the process without running any of its code again: no memory is left to run it with. 70 is
 * EX_SOFTWARE. What matters is in the database, whose open transaction rolls back by itself.
 */
static _Noreturn void out_of_memory(void)
{
	static const char text[] = "basewatch: error: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(71);
	_exit(70);
}

void *bw_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *bw_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;
	void *grown;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	grown = realloc(p, bytes ? bytes : 1);
	if (!grown)
		out_of_memory();
	return grown;
}

char *bw_strdup(const char *s)
{
	return bw_strndup(s, strlen(s));
}

char *bw_strndup(const char *s, size_t n)
{
	char *copy;

	if (n == SIZE_MAX)
		out_of_memory();
	copy = bw_alloc(n + 1);
	if (n > 0)
		memcpy(copy, s, n);
	return copy;
}

char *bw_strdup_null(const char *s)
{
	return s ? bw_strdup(s) : NULL;
}

char *bw_asprintf(const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		out_of_memory();
	return text;
}

/* By memcpy, because the variable is a `T *` of any T and may not be read through a `void **`. */
void bw_auto_free(void *pointer_to_pointer)
{
	void *p;

	memcpy(&p, pointer_to_pointer, sizeof(p));
	free(p);
}

void bw_auto_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
