/* test_slot.c - looking for the place of a digest costs what it says, whatever stands between the letters. */
#include "unit/unit.h"

#include <string.h>

#include "buildfile/slot.h"
#include "core/mem.h"

#define LETTERS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct scene {
	struct bw_buf text;
	struct bw_dockerfile d;
	struct bw_digest wish;
	struct bw_slots slots;
	struct bw_splice splice;
};

static void add(struct scene *s, const char *line, size_t times)
{
	for (size_t i = 0; i < times; i++)
		assert_true(bw_buf_adds(&s->text, line));
}

static void begin(struct scene *s)
{
	*s = (struct scene){0};
	bw_buf_init(&s->text, BW_MAX_BUILDFILE_BYTES);
	bw_digest_of("new", 3, &s->wish);
}

/* The digest of the only use. */
static void look(struct scene *s)
{
	static const struct bw_build_options none;

	bw_dockerfile_parse(s->text.data, s->text.len, &none, &s->d);
	assert_null(s->d.error);
	assert_int_equal(s->d.use_count, 1);
	assert_true(bw_digest_is_set(&s->d.uses[0].parts.digest));
	bw_slots_init(&s->slots, s->text.data, s->text.len, &s->d.uses[0], &s->wish);
}

static void end(struct scene *s)
{
	bw_splice_done(&s->splice);
	bw_dockerfile_done(&s->d);
	bw_buf_done(&s->text);
}

/* In two pieces, so that it is looked for in all of the file, and not found. */
static void add_pieces(struct scene *s)
{
	add(s, "ARG A=0123456789abcdef0123456789abcdef\nFROM debian:12@sha256:${A}${A}\n", 1);
}

static size_t cost(struct scene *s)
{
	size_t work = SIZE_MAX;

	look(s);
	assert_false(bw_slots_next(&s->slots, &s->splice, &work));
	return SIZE_MAX - work;
}

static void a_look_through_plain_text_costs_less_than_reading_it(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	add(&s, "# make all of it and remove the source of it\n", 10000);
	add_pieces(&s);
	assert_in_range(cost(&s), s.text.len / 16, s.text.len);
	end(&s);
}

/* Each `s` could be the first letter, and from each the next letter is behind all the comments. */
static void comments_between_letters_are_paid_for_each_time(void **state)
{
	static const size_t lines = 1000;
	struct scene s;

	(void)state;
	begin(&s);
	add(&s, "#s\\\n", lines);
	add_pieces(&s);
	assert_true(cost(&s) > lines * lines / 2 * strlen("#s\\\n"));
	end(&s);
}

static void blanks_that_are_looked_over_are_paid_for(void **state)
{
	static const size_t blanks = 10000;
	struct scene s;

	(void)state;
	begin(&s);
	add(&s, "# s\\", 1);
	add(&s, " ", blanks);
	add(&s, "x\n", 1);
	add_pieces(&s);
	assert_true(cost(&s) > blanks);
	end(&s);
}

static void nothing_is_looked_at_when_no_work_is_left(void **state)
{
	struct scene s;
	size_t work = 100000;

	(void)state;
	begin(&s);
	add(&s, "#s\\\n", 100000);
	add_pieces(&s);
	look(&s);
	assert_false(bw_slots_next(&s.slots, &s.splice, &work));
	assert_int_equal(work, 0);
	end(&s);
}

/* The copy is paid for as well: a thousand uses of one such place would else be a thousand copies. */
static void what_is_copied_is_paid_for(void **state)
{
	static const size_t comments = 10000;
	struct scene s;
	size_t work = SIZE_MAX;

	(void)state;
	begin(&s);
	add(&s, "FROM debian:12@sha256:01234567\\\n", 1);
	add(&s, "# more\n", comments);
	add(&s, &LETTERS[8], 1);
	look(&s);
	assert_true(bw_slots_next(&s.slots, &s.splice, &work));
	assert_int_equal(s.splice.len, strlen(LETTERS) + strlen("\\\n") + comments * strlen("# more\n"));
	assert_true(SIZE_MAX - work >= 2 * s.splice.len);
	end(&s);
}

/* A digest behind the name in an ARG default, with a comment in the middle of the name. */
static void a_name_in_a_default_is_paid_for(void **state)
{
	static const struct bw_build_options none;
	static const size_t comments = 10000;
	struct scene s;
	size_t work = SIZE_MAX;

	(void)state;
	begin(&s);
	add(&s, "ARG A=deb\\\n", 1);
	add(&s, "# more\n", comments);
	add(&s, "ian:12\nFROM $A\n", 1);
	bw_dockerfile_parse(s.text.data, s.text.len, &none, &s.d);
	assert_int_equal(s.d.use_count, 1);
	bw_slots_init(&s.slots, s.text.data, s.text.len, &s.d.uses[0], &s.wish);
	assert_true(bw_slots_next(&s.slots, &s.splice, &work));
	assert_int_equal(s.splice.len, strlen("@") + strlen(s.wish.text));
	assert_true(SIZE_MAX - work >= comments * strlen("# more\n"));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_through_plain_text_costs_less_than_reading_it),
		cmocka_unit_test(comments_between_letters_are_paid_for_each_time),
		cmocka_unit_test(blanks_that_are_looked_over_are_paid_for),
		cmocka_unit_test(nothing_is_looked_at_when_no_work_is_left),
		cmocka_unit_test(what_is_copied_is_paid_for),
		cmocka_unit_test(a_name_in_a_default_is_paid_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
