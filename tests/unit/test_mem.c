/* test_mem.c - memory of small objects: core/mem.h. Its end without memory is seen in a child process. */
#include "unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"

struct list {
	int *items;
	size_t count, capacity;
};

static void push_grows_the_array_and_keeps_what_is_in_it(void **state)
{
	struct list l = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		BW_PUSH(l.items, l.count, l.capacity) = i;
	assert_int_equal(l.count, 1000);
	assert_true(l.capacity >= 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(l.items[i], i);
	free(l.items);
}

static void new_objects_are_zeroed_and_never_null(void **state)
{
	struct list *l = BW_NEW(struct list);
	char *nothing = bw_alloc(0);

	(void)state;
	assert_null(l->items);
	assert_int_equal(l->count, 0);
	assert_non_null(nothing);
	free(nothing);
	free(l);
}

static void copies_end_where_they_shall(void **state)
{
	BW_AUTOFREE char *whole = bw_strdup("abc");
	BW_AUTOFREE char *part = bw_strndup("a\0c", 3);
	BW_AUTOFREE char *none = bw_strndup(NULL, 0);
	BW_AUTOFREE char *made = bw_asprintf("%d-%s", 7, "x");

	(void)state;
	assert_string_equal(whole, "abc");
	assert_memory_equal(part, "a\0c", 4);
	assert_string_equal(none, "");
	assert_string_equal(made, "7-x");
	assert_null(bw_strdup_null(NULL));
}

static void take_leaves_the_empty_value(void **state)
{
	BW_AUTOFREE char *guarded = bw_strdup("x");
	char *taken = BW_TAKE(guarded);

	(void)state;
	assert_null(guarded);
	assert_string_equal(taken, "x");
	free(taken);
}

static void a_guarded_descriptor_is_closed(void **state)
{
	int number;

	(void)state;
	{
		BW_AUTOCLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		BW_AUTOCLOSE int none = -1;

		(void)none;
		number = fd;
		assert_true(fd >= 0);
	}
	assert_int_equal(fcntl(number, F_GETFD), -1);
}

/* The exit status of a child that asks for n * size bytes, and the first bytes of what it said. */
static int status_of_child(size_t n, size_t size, char *said, size_t said_size)
{
	int ends[2], status = 0;
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		const struct rlimit no_core = {0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)dup2(ends[1], STDERR_FILENO);
		(void)bw_realloc(NULL, n, size);
		_exit(0);
	}
	(void)close(ends[1]);
	len = read(ends[0], said, said_size - 1);
	said[len > 0 ? len : 0] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void without_memory_the_process_ends_and_says_so(void **state)
{
	char said[256];

	(void)state;
	assert_int_equal(status_of_child(SIZE_MAX, 2, said, sizeof(said)), 70); /* the product would wrap */
	assert_string_equal(said, "basewatch: error: out of memory\n");
	assert_int_equal(status_of_child(16, 16, said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(push_grows_the_array_and_keeps_what_is_in_it),
		cmocka_unit_test(new_objects_are_zeroed_and_never_null),
		cmocka_unit_test(copies_end_where_they_shall),
		cmocka_unit_test(take_leaves_the_empty_value),
		cmocka_unit_test(a_guarded_descriptor_is_closed),
		cmocka_unit_test(without_memory_the_process_ends_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
