/*
 * fuzz_text.c - everything in core/ that looks at text from outside: escaping, widths, globs, numbers, times,
 * base64, the JSON writer. Beyond "does not crash" it checks what callers rely on.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): the check must not depend on NDEBUG. */
static void require(bool holds)
{
	if (!holds)
		abort();
}

/* What was escaped has nothing left to escape, whatever it was. */
static void escape(const char *s, size_t len)
{
	BW_AUTOBUF struct bw_buf once, twice;

	bw_buf_init(&once, 4 * len);
	bw_buf_init(&twice, 16 * len);
	bw_text_escape(&once, s, len);
	bw_text_escape(&twice, once.data, once.len);
	require(!once.overflow && once.len == twice.len);
	require(strlen(once.data) == once.len);
	require(memcmp(once.data, bw_buf_str(&twice), once.len) == 0);
}

static void fit(const char *s, size_t len)
{
	size_t width = bw_text_width(s, len);

	require(width <= 2 * len);
	require(bw_text_fit(s, len, width) == len);
	for (size_t columns = 0; columns < width && columns < 20; columns++)
		require(bw_text_width(s, bw_text_fit(s, len, columns)) <= columns);
}

static void write_json(const char *s, size_t len)
{
	struct bw_json w;
	json_t *read;

	bw_json_init(&w, NULL, 12 * len + 16);
	bw_json_open(&w, '[');
	bw_json_strn(&w, s, len);
	bw_json_close(&w, ']');
	require(bw_json_flush(&w));
	read = json_loadb(w.buf.data, w.buf.len, JSON_ALLOW_NUL, NULL);
	require(json_is_string(json_array_get(read, 0)));
	json_decref(read);
	bw_json_done(&w);
}

static void base64(const char *s, size_t len)
{
	BW_AUTOBUF struct bw_buf bytes, text;

	bw_buf_init(&bytes, len);
	bw_buf_init(&text, 2 * len + 4);
	if (!bw_base64_decode(s, len, &bytes))
		return;
	require(bw_base64_encode(bytes.data, bytes.len, &text));
	require(text.len == len && memcmp(text.data, s, len) == 0); /* one text for each value */
}

static void times(const char *s)
{
	char text[BW_TIME_MAX];
	int64_t ms = 0, again = 0;
	uint64_t n;

	(void)bw_text_number(s, 0, UINT64_MAX, &n);
	(void)bw_time_parse_http(s, &ms);
	if (!bw_time_parse(s, &ms))
		return;
	if (ms < INT64_C(-62167219200000) ||
	    ms > INT64_C(253402300799999)) /* a zone led out of the four digits */
		return;
	require(bw_time_parse(bw_time_format(ms, text), &again));
	require(again <= ms && ms - again < 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = NULL;
	char *line_end;

	if (size > 4096)
		return 0;
	text = bw_strndup((const char *)data, size);
	escape(text, size);
	fit(text, size);
	write_json(text, size);
	base64(text, size);
	times(text);
	line_end = strchr(text, '\n');
	if (line_end) { /* the first line is a pattern, the rest a path */
		*line_end = '\0';
		(void)bw_text_glob(text, line_end + 1);
		(void)bw_text_distance(text, line_end + 1, 8);
	}
	return 0;
}
