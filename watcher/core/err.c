/* err.c - see err.h. The record lives on the caller's stack, so nothing here allocates or fails. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef bw_fail /* the functions behind the macros */
#undef bw_fail_sys

/* Ends a text that did not fit with "...", at a character boundary, so the cut never leaves half a UTF-8
 * sequence. */
static void mark_cut(char *text, size_t size)
{
	size_t at = size - sizeof("...");

	while (at > 0 && ((unsigned char)text[at] & 0xC0U) == 0x80U)
		at--;
	memcpy(text + at, "...", sizeof("..."));
}

/* The message is one line whatever the parts contain: a peer's text may bring line breaks along. */
static void keep_one_line(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '\r')
			*text = ' ';
}

/* Formats into a text of its own first: the arguments may point into err->msg. */
static void format(char out[BW_ERR_MAX], const char *fmt, va_list args) BW_PRINTF(2, 0);
static void format(char out[BW_ERR_MAX], const char *fmt, va_list args)
{
	int n = vsnprintf(out, BW_ERR_MAX, fmt, args);

	if (n < 0)
		out[0] = '\0';
	else if (n >= BW_ERR_MAX)
		mark_cut(out, BW_ERR_MAX);
	keep_one_line(out);
}

/* Puts "first: second" into err->msg, cut where it does not fit. */
static void join(struct bw_err *err, const char *first, const char *second)
{
	char whole[2 * BW_ERR_MAX + 2];

	(void)snprintf(whole, sizeof(whole), "%s: %s", first, second);
	if (strlen(whole) >= BW_ERR_MAX) {
		whole[BW_ERR_MAX - 1] = '\0';
		mark_cut(whole, BW_ERR_MAX);
	}
	memcpy(err->msg, whole, strlen(whole) + 1);
}

int bw_fail(struct bw_err *err, enum bw_code code, const char *fmt, ...)
{
	char text[BW_ERR_MAX];
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	format(text, fmt, args);
	va_end(args);
	*err = (struct bw_err){.code = code};
	memcpy(err->msg, text, sizeof(text));
	return code;
}

int bw_fail_sys(struct bw_err *err, int sys, const char *fmt, ...)
{
	char text[BW_ERR_MAX];
	va_list args;

	if (!err)
		return BW_E_SYS;
	va_start(args, fmt);
	format(text, fmt, args);
	va_end(args);
	*err = (struct bw_err){.code = BW_E_SYS, .sys = sys};
	join(err, text, strerror(sys));
	return BW_E_SYS;
}

int bw_err_ctx(struct bw_err *err, const char *fmt, ...)
{
	char prefix[BW_ERR_MAX];
	va_list args;

	if (!err)
		return BW_E_SYS;
	va_start(args, fmt);
	format(prefix, fmt, args);
	va_end(args);
	join(err, prefix, err->msg);
	return err->code;
}
