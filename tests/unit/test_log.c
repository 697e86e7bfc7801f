/* test_log.c - what people read on stderr: core/log.h. */
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/buf.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_say_who_and_how_bad),
		cmocka_unit_test(the_level_decides_what_is_said),
		cmocka_unit_test(hostile_text_stays_on_its_line),
		cmocka_unit_test(a_very_long_text_is_cut_visibly),
		cmocka_unit_test(the_hook_is_called_around_each_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
