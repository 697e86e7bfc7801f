/* test_io.c - whole files with a cap: core/io.h. */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "core/mem.h"

/* A file without a name that holds `size` bytes. */
static int file_of(size_t size)
{
	char path[] = "/tmp/basewatch-io-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)unlink(path);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(write(fd, i % 2 ? "y" : "x", 1), 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void a_file_is_read_to_its_end(void **state)
{
	BW_AUTOCLOSE int fd = file_of(40001);
	BW_AUTOBUF struct bw_buf out;
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	bw_buf_init(&out, 50000);
	bw_buf_adds(&out, "before:");
	assert_int_equal(bw_read_all(fd, &out, &err), 0);
	assert_int_equal(out.len, 7 + 40001);
	assert_memory_equal(out.data, "before:xyxy", 11);
	assert_int_equal(err.code, BW_OK);
}

static void a_file_of_exactly_the_cap_is_read(void **state)
{
	BW_AUTOCLOSE int fd = file_of(20000);
	BW_AUTOBUF struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 20000);
	assert_int_equal(bw_read_all(fd, &out, NULL), 0);
	assert_int_equal(out.len, 20000);
}

static void a_file_over_the_cap_is_refused_and_leaves_nothing(void **state)
{
	BW_AUTOCLOSE int fd = file_of(20001);
	BW_AUTOBUF struct bw_buf out;
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	bw_buf_init(&out, 20000);
	assert_int_equal(bw_read_all(fd, &out, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, "more than 20000 bytes");
	assert_int_equal(out.len, 0);
	assert_string_equal(out.data, "");
	assert_int_equal(bw_read_file("/dev/zero", &out, &err), BW_E_LIMIT); /* a file without an end */
	assert_string_equal(err.msg, "/dev/zero: more than 20000 bytes");
}

static void failures_name_the_file(void **state)
{
	BW_AUTOBUF struct bw_buf out;
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	bw_buf_init(&out, 100);
	assert_int_equal(bw_read_file("/nonexistent/x", &out, &err), BW_E_SYS);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.msg, "open /nonexistent/x: No such file or directory");
	assert_int_equal(bw_read_file("/", &out, &err), BW_E_SYS);
	assert_int_equal(err.sys, EISDIR);
	assert_string_equal(err.msg, "/: read: Is a directory");
	assert_int_equal(bw_read_file("/dev/zero", &out, NULL),
			 BW_E_LIMIT); /* the class survives without a record */
	assert_int_equal(bw_read_all(-1, &out, &err), BW_E_SYS);
	assert_int_equal(err.sys, EBADF);
}

static void an_empty_file_is_an_empty_text(void **state)
{
	BW_AUTOBUF struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 100);
	assert_int_equal(bw_read_file("/dev/null", &out, NULL), 0);
	assert_string_equal(out.data, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_to_its_end),
		cmocka_unit_test(a_file_of_exactly_the_cap_is_read),
		cmocka_unit_test(a_file_over_the_cap_is_refused_and_leaves_nothing),
		cmocka_unit_test(failures_name_the_file),
		cmocka_unit_test(an_empty_file_is_an_empty_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
