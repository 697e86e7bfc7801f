/* log.c - see log.h. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/text.h"

#define MAX_TEXT_BYTES 4096		    /* before escaping; longer text is cut */
#define MAX_LINE_BYTES (8 * MAX_TEXT_BYTES) /* a byte becomes at most four: \xNN */

static enum bw_log_level visible = BW_LOG_WARN;
static void (*hook_fn)(bool before, void *arg);
static void *hook_arg;

void bw_log_set_level(enum bw_log_level level)
{
	visible = level;
}

void bw_log_set_hook(void (*hook)(bool before, void *arg), void *arg)
{
	hook_fn = hook;
	hook_arg = arg;
}

static void call_hook(bool before)
{
	if (hook_fn)
		hook_fn(before, hook_arg);
}

/* One write per line, so that lines of several processes on one terminal do not mix. */
static void print(enum bw_log_level level, const char *fmt, va_list args) BW_PRINTF(2, 0);
static void print(enum bw_log_level level, const char *fmt, va_list args)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	BW_AUTOBUF struct bw_buf line;
	char text[MAX_TEXT_BYTES];
	int n;

	bw_buf_init(&line, MAX_LINE_BYTES);
	if (level > visible)
		return;
	n = vsnprintf(text, sizeof(text), fmt, args);
	if (n < 0)
		return;
	bw_buf_addf(&line, "basewatch: %s: ", names[level]);
	if ((size_t)n < sizeof(text)) {
		bw_text_escape(&line, text, (size_t)n);
	} else {
		bw_text_escape(&line, text, sizeof(text) - 1);
		bw_buf_adds(&line, "...");
	}
	bw_buf_addc(&line, '\n');
	call_hook(true);
	(void)fwrite(line.data, 1, line.len, stderr);
	call_hook(false);
}

void bw_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_ERROR, fmt, args);
	va_end(args);
}

void bw_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_WARN, fmt, args);
	va_end(args);
}

void bw_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_INFO, fmt, args);
	va_end(args);
}

void bw_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_DEBUG, fmt, args);
	va_end(args);
}
