/* test_log.c - what people read on stderr: core/log.h. */
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/log.h"
#include "core/mem.h"

struct capture {
	int file, real;
	struct bw_buf text;
};

/* stderr goes to a file without a name until capture_end(). */
static void capture_begin(struct capture *c)
{
	bw_buf_init(&c->text, 1U << 20);
	(void)fflush(stderr);
	c->file = memfd_create("stderr", 0);
	c->real = dup(STDERR_FILENO);
	assert_true(c->file >= 0 && c->real >= 0);
	assert_int_equal(dup2(c->file, STDERR_FILENO), STDERR_FILENO);
}

static const char *capture_end(struct capture *c)
{
	(void)fflush(stderr);
	(void)dup2(c->real, STDERR_FILENO);
	assert_int_equal(lseek(c->file, 0, SEEK_SET), 0);
	assert_int_equal(bw_read_all(c->file, &c->text, NULL), 0);
	(void)close(c->file);
	(void)close(c->real);
	return c->text.data;
}

static void lines_say_who_and_how_bad(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	bw_error("a %d", 1);
	bw_warn("b");
	bw_info("c");
	bw_debug("d");
	assert_string_equal(capture_end(&c), "basewatch: error: a 1\nbasewatch: warning: b\n");
	bw_buf_done(&c.text);
}

static void the_level_decides_what_is_said(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	bw_log_set_level(BW_LOG_DEBUG);
	bw_info("c");
	bw_debug("d");
	bw_log_set_level(BW_LOG_ERROR);
	bw_warn("b");
	bw_log_set_level(BW_LOG_WARN);
	assert_string_equal(capture_end(&c), "basewatch: info: c\nbasewatch: debug: d\n");
	bw_buf_done(&c.text);
}

static void hostile_text_stays_on_its_line(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	bw_error("%s", "x\nbasewatch: error: forged\x1B[2J\xE2\x80\xAE");
	assert_string_equal(capture_end(&c),
			    "basewatch: error: x\\x0abasewatch: error: forged\\x1b[2J\\u{202e}\n");
	bw_buf_done(&c.text);
}

static void a_very_long_text_is_cut_visibly(void **state)
{
	BW_AUTOFREE char *text = bw_alloc(100001);
	struct capture c;

	(void)state;
	memset(text, 1, 100000);
	capture_begin(&c);
	bw_error("%s", text);
	capture_end(&c);
	assert_true(c.text.len < 20000);
	assert_string_equal(c.text.data + c.text.len - 8, "\\x01...\n");
	bw_buf_done(&c.text);
}

static void note_hook(bool before, void *arg)
{
	(void)arg;
	(void)fputs(before ? "<" : ">", stderr);
}

static void the_hook_is_called_around_each_line(void **state)
{
	struct capture c;
	int arg;

	(void)state;
	capture_begin(&c);
	bw_log_set_hook(note_hook, &arg);
	bw_error("a");
	bw_debug("not said");
	bw_log_set_hook(NULL, NULL);
	bw_error("b");
	assert_string_equal(capture_end(&c), "<basewatch: error: a\n>basewatch: error: b\n");
	bw_buf_done(&c.text);
}

/* --- what a line is about, and its forms --------------------------------------------------------------- */

static const struct bw_log_context all = {
	.source = "shop", .build = "web", .base = "debian:12", .sink = "ci", .event = "ab12"};

static void a_line_says_what_it_is_about(void **state)
{
	const struct bw_log_context one = {.sink = "ci"}, hostile = {.base = "a\nb"};
	struct capture c;

	(void)state;
	capture_begin(&c);
	bw_log_at(BW_LOG_ERROR, &one, "refused %d", 1);
	bw_log_at(BW_LOG_WARN, &all, "x");
	bw_log_at(BW_LOG_WARN, NULL, "y");
	bw_log_at(BW_LOG_WARN, &hostile, "z");
	bw_log_at(BW_LOG_INFO, &one, "not said");
	assert_string_equal(
		capture_end(&c),
		"basewatch: error: sink ci: refused 1\n"
		"basewatch: warning: source shop: build web: base debian:12: sink ci: event ab12: x\n"
		"basewatch: warning: y\n"
		"basewatch: warning: base a\\x0ab: z\n");
	bw_buf_done(&c.text);
}

static void the_journal_gets_priorities(void **state)
{
	const struct bw_log_context one = {.sink = "ci"};
	struct capture c;

	(void)state;
	capture_begin(&c);
	bw_log_set_level(BW_LOG_DEBUG);
	bw_log_set_format(BW_LOG_JOURNAL);
	bw_error("a");
	bw_log_at(BW_LOG_WARN, &one, "b\n<0>forged");
	bw_info("c");
	bw_debug("d");
	bw_log_set_format(BW_LOG_PLAIN);
	bw_log_set_level(BW_LOG_WARN);
	assert_string_equal(capture_end(&c), "<3>a\n<4>sink ci: b\\x0a<0>forged\n<6>c\n<7>d\n");
	bw_buf_done(&c.text);
}

static void json_lines_have_a_key_for_everything(void **state)
{
	struct capture c;

	(void)state;
	bw_clock_set(1795263382000);
	capture_begin(&c);
	bw_log_set_format(BW_LOG_JSON);
	bw_log_at(BW_LOG_ERROR, &all, "x");
	bw_warn("say \"%s\"", "a\n\x1B[2J\xC2\x9B\xFF");
	bw_log_set_format(BW_LOG_PLAIN);
	bw_clock_set(0);
	assert_string_equal(capture_end(&c),
			    "{\"time\":\"2026-11-21T12:16:22Z\",\"level\":\"error\",\"message\":\"x\","
			    "\"source\":\"shop\",\"build\":\"web\",\"base\":\"debian:12\",\"sink\":\"ci\","
			    "\"event\":\"ab12\"}\n"
			    "{\"time\":\"2026-11-21T12:16:22Z\",\"level\":\"warning\","
			    "\"message\":\"say \\\"a\\\\x0a\\\\x1b[2J\\\\u{009b}\\\\xff\\\"\"}\n");
	bw_buf_done(&c.text);
}

/* Everything as long as it may be, of bytes that grow most: the line must still be whole. */
static void the_longest_line_is_whole_in_every_form(void **state)
{
	static const enum bw_log_format forms[] = {BW_LOG_PLAIN, BW_LOG_JOURNAL, BW_LOG_JSON};
	BW_AUTOFREE char *text = bw_alloc(10001);
	const struct bw_log_context c = {text, text, text, text, text};
	struct capture capture;

	(void)state;
	memset(text, 1, 10000);
	for (size_t i = 0; i < 3; i++) {
		capture_begin(&capture);
		bw_log_set_format(forms[i]);
		bw_log_at(BW_LOG_ERROR, &c, "%s", text);
		bw_log_set_format(BW_LOG_PLAIN);
		capture_end(&capture);
		assert_true(capture.text.len > 20000);
		assert_true(forms[i] == BW_LOG_JSON || capture.text.len < 48U << 10);
		assert_string_equal(capture.text.data + capture.text.len - 5,
				    forms[i] == BW_LOG_JSON ? "..\"}\n" : "1...\n");
		bw_buf_done(&capture.text);
	}
}

static void expect_automatic(const char *stream, const char *expected)
{
	struct capture c;

	capture_begin(&c);
	if (stream)
		assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	bw_log_set_format(BW_LOG_AUTO);
	bw_error("a");
	bw_log_set_format(BW_LOG_PLAIN);
	assert_string_equal(capture_end(&c), expected);
	bw_buf_done(&c.text);
}

/* The variable is inherited by all that a service starts; that fd 2 still leads there is what counts. */
static void the_form_follows_where_stderr_leads(void **state)
{
	struct capture c;
	struct stat st;
	char stream[64];

	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	expect_automatic(NULL, "basewatch: error: a\n");
	expect_automatic("8:1", "basewatch: error: a\n");
	expect_automatic("", "basewatch: error: a\n");
	capture_begin(&c);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	bw_log_set_format(BW_LOG_AUTO);
	bw_error("a");
	bw_log_set_format(BW_LOG_PLAIN);
	(void)unsetenv("JOURNAL_STREAM");
	assert_string_equal(capture_end(&c), "<3>a\n");
	bw_buf_done(&c.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_say_who_and_how_bad),
		cmocka_unit_test(the_level_decides_what_is_said),
		cmocka_unit_test(hostile_text_stays_on_its_line),
		cmocka_unit_test(a_very_long_text_is_cut_visibly),
		cmocka_unit_test(the_hook_is_called_around_each_line),
		cmocka_unit_test(a_line_says_what_it_is_about),
		cmocka_unit_test(the_journal_gets_priorities),
		cmocka_unit_test(json_lines_have_a_key_for_everything),
		cmocka_unit_test(the_longest_line_is_whole_in_every_form),
		cmocka_unit_test(the_form_follows_where_stderr_leads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
