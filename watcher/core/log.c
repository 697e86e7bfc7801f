/* log.c - see log.h. */
#include "core/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/text.h"

#define MAX_TEXT_BYTES	  4096 /* before escaping; longer text is cut */
#define MAX_CONTEXT_BYTES 512  /* of each */
/* A byte becomes at most five: \\xNN in JSON. journald takes lines of 48 KiB,
 * and the form for it stays below. */
#define MAX_LINE_BYTES (16 * MAX_TEXT_BYTES)

static const char *const names[] = {"error", "warning", "info", "debug"};

static enum bw_log_level visible = BW_LOG_WARN;
static enum bw_log_format chosen = BW_LOG_PLAIN;
static void (*hook_fn)(bool before, void *arg);
static void *hook_arg;

void bw_log_set_level(enum bw_log_level level)
{
	visible = level;
}

/* systemd.exec(5): the variable is inherited by everything below a service, the
 * descriptor perhaps not. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	(void)snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return bw_text_is(stream, here);
}

void bw_log_set_format(enum bw_log_format format)
{
	if (format == BW_LOG_AUTO)
		format = is_journal(STDERR_FILENO) ? BW_LOG_JOURNAL : BW_LOG_PLAIN;
	chosen = format;
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

struct part {
	const char *name, *value;
};

#define PARTS 5

/* From the large to the small. */
static void list_parts(const struct bw_log_context *c, struct part ret[PARTS])
{
	static const struct bw_log_context nothing = {0};

	if (!c)
		c = &nothing;
	ret[0] = (struct part){"source", c->source};
	ret[1] = (struct part){"build", c->build};
	ret[2] = (struct part){"base", c->base};
	ret[3] = (struct part){"sink", c->sink};
	ret[4] = (struct part){"event", c->event};
}

static void add_escaped(struct bw_buf *out, const char *s, size_t max)
{
	size_t len = strnlen(s, max + 1);

	bw_text_escape(out, s, len <= max ? len : max);
	if (len > max)
		bw_buf_adds(out, "...");
}

static void add_line(struct bw_buf *line, enum bw_log_level level, const struct part parts[PARTS],
		     const char *text)
{
	static const int priorities[] = {3, 4, 6, 7}; /* of syslog(3) */

	if (chosen == BW_LOG_JOURNAL)
		bw_buf_addf(line, "<%d>", priorities[level]);
	else
		bw_buf_addf(line, "basewatch: %s: ", names[level]);
	for (size_t i = 0; i < PARTS; i++) {
		if (!parts[i].value)
			continue;
		bw_buf_addf(line, "%s ", parts[i].name);
		add_escaped(line, parts[i].value, MAX_CONTEXT_BYTES);
		bw_buf_adds(line, ": ");
	}
	bw_buf_adds(line, text);
}

/* Escaped as well before it becomes JSON: whoever shows a decoded text is as
 * safe as who reads the line. */
static void add_json(struct bw_buf *line, enum bw_log_level level, const struct part parts[PARTS],
		     const char *text)
{
	BW_AUTOBUF struct bw_buf value;
	struct bw_json w;

	bw_buf_init(&value, MAX_LINE_BYTES);
	bw_json_init(&w, NULL, MAX_LINE_BYTES);
	bw_json_open(&w, '{');
	bw_json_key_time(&w, "time", bw_clock_ms());
	bw_json_key_str(&w, "level", names[level]);
	bw_json_key_str(&w, "message", text);
	for (size_t i = 0; i < PARTS; i++) {
		if (!parts[i].value)
			continue;
		bw_buf_clear(&value);
		add_escaped(&value, parts[i].value, MAX_CONTEXT_BYTES);
		bw_json_key_str(&w, parts[i].name, bw_buf_str(&value));
	}
	bw_json_close(&w, '}');
	bw_buf_add(line, w.buf.data, w.buf.len);
	bw_json_done(&w);
}

/* One write per line, so that lines of several processes on one terminal do not
 * mix. */
static void print(enum bw_log_level level, const struct bw_log_context *c, const char *fmt, va_list args)
	BW_PRINTF(3, 0);
static void print(enum bw_log_level level, const struct bw_log_context *c, const char *fmt, va_list args)
{
	BW_AUTOBUF struct bw_buf line;
	BW_AUTOBUF struct bw_buf escaped;
	struct part parts[PARTS];
	char text[MAX_TEXT_BYTES + 1];

	bw_buf_init(&line, MAX_LINE_BYTES);
	bw_buf_init(&escaped, MAX_LINE_BYTES);
	if (level > visible || vsnprintf(text, sizeof(text), fmt, args) < 0)
		return;
	list_parts(c, parts);
	add_escaped(&escaped, text, MAX_TEXT_BYTES - 1);
	(chosen == BW_LOG_JSON ? add_json : add_line)(&line, level, parts, bw_buf_str(&escaped));
	bw_buf_addc(&line, '\n');
	call_hook(true);
	(void)fwrite(line.data, 1, line.len, stderr);
	call_hook(false);
}

void bw_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_ERROR, NULL, fmt, args);
	va_end(args);
}

void bw_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_WARN, NULL, fmt, args);
	va_end(args);
}

void bw_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_INFO, NULL, fmt, args);
	va_end(args);
}

void bw_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(BW_LOG_DEBUG, NULL, fmt, args);
	va_end(args);
}

void bw_log_at(enum bw_log_level level, const struct bw_log_context *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(level, c, fmt, args);
	va_end(args);
}
