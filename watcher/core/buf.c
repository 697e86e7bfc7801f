/* buf.c - see buf.h. */
#include "core/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

/* What `data` points to while nothing is allocated: readable and terminated, and in memory that nobody can
 * write. */
static const char EMPTY[1] = "";

void bw_buf_init(struct bw_buf *b, size_t max)
{
	assert(max < SIZE_MAX / 2);
	*b = (struct bw_buf){.data = (char *)EMPTY, .max = max};
}

void bw_buf_done(struct bw_buf *b)
{
	if (b->capacity > 0)
		free(b->data);
	bw_buf_init(b, b->max);
}

void bw_buf_clear(struct bw_buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->capacity > 0)
		b->data[0] = '\0';
}

/* Room for `n` more bytes and the NUL. Doubles, so that n appends cost O(n), but never beyond the maximum. */
static bool reserve(struct bw_buf *b, size_t n)
{
	size_t need;
	size_t capacity = b->capacity ? b->capacity : 64;

	if (n > b->max - b->len) {
		b->overflow = true;
		return false;
	}
	need = b->len + n + 1;
	if (need <= b->capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	if (capacity > b->max + 1)
		capacity = b->max + 1;
	b->data = bw_realloc(b->capacity > 0 ? b->data : NULL, capacity, 1);
	b->capacity = capacity;
	b->data[b->len] = '\0';
	return true;
}

bool bw_buf_reserve(struct bw_buf *b, size_t n)
{
	return reserve(b, n);
}

bool bw_buf_add(struct bw_buf *b, const void *bytes, size_t n)
{
	if (!reserve(b, n))
		return false;
	if (n > 0)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
	return true;
}

bool bw_buf_addc(struct bw_buf *b, char c)
{
	return bw_buf_add(b, &c, 1);
}

bool bw_buf_adds(struct bw_buf *b, const char *s)
{
	return bw_buf_add(b, s, strlen(s));
}

bool bw_buf_addf(struct bw_buf *b, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0 || !reserve(b, (size_t)n))
		return false;
	va_start(args, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return true;
}

const char *bw_buf_str(const struct bw_buf *b)
{
	return b->data ? b->data : EMPTY;
}

char *bw_buf_take(struct bw_buf *b, size_t *ret_len)
{
	char *taken = b->capacity > 0 ? b->data : bw_strdup("");

	if (ret_len)
		*ret_len = b->len;
	bw_buf_init(b, b->max);
	return taken;
}
