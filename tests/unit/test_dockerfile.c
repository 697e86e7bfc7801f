/* The Dockerfile reader as a whole; the cases are in tests/unit/dockerfile/. */
#include "unit/dockerfile_case.h"

#include <dirent.h>

/* Where the text was joined from several lines, the place holds more bytes than the text. */
static void check_span(const struct bw_use *u, const char *file, size_t len)
{
	const struct bw_span *s = &u->span;
	size_t n = strlen(u->written);
	uint32_t line = 1;
	size_t line_start = 0;

	if (s->line == 0 || n == 0)
		return;
	assert_true(s->start < s->end && s->end <= len);
	if (s->end - s->start == n)
		assert_memory_equal(file + s->start, u->written, n);
	assert_int_equal(file[s->start], *u->written);
	assert_int_equal(file[s->end - 1], u->written[n - 1]);
	for (size_t i = 0; i < s->start; i++)
		if (file[i] == '\n') {
			line++;
			line_start = i + 1;
		}
	assert_int_equal(s->line, line);
	assert_int_equal(s->column, s->start - line_start + 1);
}

/* A use has a reference, or is scratch, or says why not: one of the three. */
static void check_use(const struct bw_use *u)
{
	assert_int_equal(1, (u->reference != NULL) + u->is_scratch + (u->unresolved != NULL));
	assert_int_equal(u->reference != NULL, u->parts.repository != NULL);
	assert_int_equal(u->role == BW_ROLE_FRONTEND, u->stage == NULL);
	assert_non_null(u->written);
}

static void run_case(struct dockerfile_case *c)
{
	struct bw_dockerfile d;
	struct bw_buf shown;

	bw_buf_init(&shown, BW_MAX_BUILDFILE_BYTES);
	bw_dockerfile_parse(bw_buf_str(&c->text), c->text.len, &c->opts, &d);
	show_dockerfile(&shown, &d, bw_buf_str(&c->text));
	if (strcmp(bw_buf_str(&shown), bw_buf_str(&c->expected)) != 0) {
		/* Not through cmocka, which cuts long messages. */
		(void)fprintf(stderr, "--- expected\n%s--- found\n%s", bw_buf_str(&c->expected),
			      bw_buf_str(&shown));
		fail_msg("line %zu: %s", c->line, c->name);
	}
	for (size_t i = 0; i < d.use_count; i++) {
		check_use(&d.uses[i]);
		/* What a context names is told at the place of the text that it replaces. */
		check_span(&d.uses[i], bw_buf_str(&c->text), c->text.len);
	}
	bw_dockerfile_done(&d);
	bw_buf_done(&shown);
}

static void run_file(const char *topic)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "tests/unit/dockerfile/%s.txt", topic);
	assert_true(case_each(path, run_case) > 0);
}

static void lines_are_joined_as_buildkit_does(void **state)
{
	(void)state;
	run_file("lines");
}

static void directives_set_the_frontend_and_the_escape_character(void **state)
{
	(void)state;
	run_file("directives");
}

static void instructions_are_split_and_judged(void **state)
{
	(void)state;
	run_file("instructions");
}

static void words_of_from_are_expanded(void **state)
{
	(void)state;
	run_file("words");
}

static void heredoc_bodies_are_text(void **state)
{
	(void)state;
	run_file("heredocs");
}

static void args_reach_the_bases_they_may_reach(void **state)
{
	(void)state;
	run_file("args");
}

static void names_are_looked_up_in_the_right_place(void **state)
{
	(void)state;
	run_file("stages");
}

static void the_target_decides_what_is_reachable(void **state)
{
	(void)state;
	run_file("targets");
}

static void triggers_fire_in_the_children(void **state)
{
	(void)state;
	run_file("onbuild");
}

static void contexts_take_the_place_of_bases(void **state)
{
	(void)state;
	run_file("contexts");
}

static void annotations_are_read_or_reported(void **state)
{
	(void)state;
	run_file("annotations");
}

static void known_traps_are_avoided(void **state)
{
	(void)state;
	run_file("traps");
}

static void every_case_file_is_run(void **state)
{
	DIR *dir = opendir("tests/unit/dockerfile");
	size_t count = 0;

	(void)state;
	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));)
		count += bw_text_ends(e->d_name, ".txt");
	(void)closedir(dir);
	assert_int_equal(count, 12);
}

static void parse_into(const char *text, size_t len, struct bw_dockerfile *d)
{
	static const struct bw_build_options none;

	bw_dockerfile_parse(text, len, &none, d);
}

static void an_empty_file_is_an_error(void **state)
{
	struct bw_dockerfile d;

	(void)state;
	parse_into("", 0, &d);
	assert_string_equal(d.error, "the Dockerfile cannot be empty");
	assert_int_equal(d.error_line, 0);
	bw_dockerfile_done(&d);
}

static void a_file_beyond_the_cap_is_refused(void **state)
{
	size_t len = BW_MAX_BUILDFILE_BYTES + 1;
	char *text = bw_alloc(len);
	struct bw_dockerfile d;

	(void)state;
	memset(text, '\n', len);
	parse_into(text, len, &d);
	assert_string_equal(d.error, "the file is larger than 1 MiB");
	assert_int_equal(d.use_count, 0);
	bw_dockerfile_done(&d);
	free(text);
}

/* One physical line of `len` bytes: a comment of that length, then a base. */
static char *error_of_long_line(size_t len, size_t *ret_uses)
{
	char *text = bw_alloc(len + 16);
	struct bw_dockerfile d;
	char *error;

	memset(text, 'x', len);
	text[0] = '#';
	memcpy(text + len, "\nFROM a\n", 8);
	parse_into(text, len + 8, &d);
	error = bw_strdup_null(d.error);
	*ret_uses = d.use_count;
	bw_dockerfile_done(&d);
	free(text);
	return error;
}

static void a_line_may_have_65535_bytes_and_no_more(void **state)
{
	size_t uses;
	char *error;

	(void)state;
	error = error_of_long_line(65535, &uses);
	assert_null(error);
	assert_int_equal(uses, 1);
	error = error_of_long_line(65536, &uses);
	assert_string_equal(error, "dockerfile line greater than max allowed size of 65535");
	assert_int_equal(uses, 1); /* what comes behind is not lost */
	free(error);
}

/* A name is longer than a word may get, through variables. */
static void an_expansion_is_capped(void **state)
{
	struct bw_buf text;
	struct bw_dockerfile d;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, "ARG A=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	for (int i = 0; i < 16; i++)
		(void)bw_buf_adds(&text, "ARG A=$A$A\n");
	(void)bw_buf_adds(&text, "FROM debian:12\nFROM x$A\n");
	parse_into(text.data, text.len, &d);
	assert_non_null(d.error);
	assert_string_equal(d.error, "ARG A: the expanded word has more than 65536 bytes");
	assert_int_equal(d.use_count, 2);
	assert_string_equal(d.uses[0].reference, "docker.io/library/debian:12");
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
}

/* Many expensive expansions in one file share one budget. */
static void hostile_expansions_end_soon(void **state)
{
	struct bw_buf text;
	struct bw_dockerfile d;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, "ARG A=");
	for (int i = 0; i < 30000; i++)
		(void)bw_buf_addc(&text, 'a');
	(void)bw_buf_adds(&text, "\nARG P=");
	for (int i = 0; i < 10000; i++)
		(void)bw_buf_adds(&text, "*a");
	(void)bw_buf_adds(&text, "b\n");
	for (int i = 0; i < 5000; i++)
		(void)bw_buf_adds(&text, "FROM ${A/$P/x}${A##$P}${A%%$P}\n");
	(void)bw_buf_adds(&text, "FROM debian:12\n");
	parse_into(text.data, text.len, &d);
	assert_int_equal(d.use_count, 5001);
	assert_string_equal(d.uses[4999].unresolved, "the expansion takes too much work");
	assert_null(d.uses[4999].expanded);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
}

static void the_number_of_uses_is_capped(void **state)
{
	struct bw_buf text;
	struct bw_dockerfile d;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	for (int i = 0; i < BW_DOCKERFILE_MAX_USES + 1; i++)
		(void)bw_buf_adds(&text, "FROM a\n");
	parse_into(text.data, text.len, &d);
	assert_string_equal(d.error, "the file names more than 65536 images");
	assert_int_equal(d.error_line, BW_DOCKERFILE_MAX_USES + 1);
	assert_int_equal(d.use_count, BW_DOCKERFILE_MAX_USES);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
}

/* A joined line may be far longer than a word, and its heredoc still counts. */
static void a_heredoc_at_the_end_of_a_very_long_instruction_is_seen(void **state)
{
	struct bw_buf text;
	struct bw_dockerfile d;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, "FROM a\nRUN x \\\n");
	for (int i = 0; i < 3000; i++)
		(void)bw_buf_adds(&text, "  echo some words of a long command && \\\n");
	(void)bw_buf_adds(&text, "  cat <<EOF\nFROM b\nEOF\n");
	parse_into(text.data, text.len, &d);
	assert_null(d.error);
	assert_int_equal(d.use_count, 1);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
}

static void a_nul_byte_hides_nothing(void **state)
{
	static const char text[] = "FROM debian\0:12\n";
	struct bw_dockerfile d;

	(void)state;
	parse_into(text, sizeof(text) - 1, &d);
	assert_int_equal(d.use_count, 1);
	assert_string_equal(d.uses[0].written, "debian\xEF\xBF\xBD:12");
	assert_null(d.uses[0].reference);
	assert_non_null(d.uses[0].unresolved);
	bw_dockerfile_done(&d);
}

/* BUILDPLATFORM leaves the version of the system out, TARGETPLATFORM does not. */
static void the_version_of_the_system_is_in_one_platform_arg_only(void **state)
{
	static const char text[] =
		"ARG A=${BUILDPLATFORM}:${BUILDOSVERSION}\nARG B=$TARGETPLATFORM\nFROM $A\nFROM $B\n";
	struct bw_build_options opts = {
		.builder = {.os = "windows", .os_version = "10.0.1", .arch = "amd64"}};
	struct bw_dockerfile d;

	(void)state;
	bw_dockerfile_parse(text, strlen(text), &opts, &d);
	assert_int_equal(d.use_count, 2);
	assert_string_equal(d.uses[0].expanded, "windows/amd64:10.0.1");
	assert_string_equal(d.uses[1].expanded, "windows(10.0.1)/amd64");
	bw_dockerfile_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_joined_as_buildkit_does),
		cmocka_unit_test(directives_set_the_frontend_and_the_escape_character),
		cmocka_unit_test(instructions_are_split_and_judged),
		cmocka_unit_test(words_of_from_are_expanded),
		cmocka_unit_test(heredoc_bodies_are_text),
		cmocka_unit_test(args_reach_the_bases_they_may_reach),
		cmocka_unit_test(names_are_looked_up_in_the_right_place),
		cmocka_unit_test(the_target_decides_what_is_reachable),
		cmocka_unit_test(triggers_fire_in_the_children),
		cmocka_unit_test(contexts_take_the_place_of_bases),
		cmocka_unit_test(annotations_are_read_or_reported),
		cmocka_unit_test(known_traps_are_avoided),
		cmocka_unit_test(every_case_file_is_run),
		cmocka_unit_test(an_empty_file_is_an_error),
		cmocka_unit_test(a_file_beyond_the_cap_is_refused),
		cmocka_unit_test(a_line_may_have_65535_bytes_and_no_more),
		cmocka_unit_test(an_expansion_is_capped),
		cmocka_unit_test(hostile_expansions_end_soon),
		cmocka_unit_test(the_number_of_uses_is_capped),
		cmocka_unit_test(a_heredoc_at_the_end_of_a_very_long_instruction_is_seen),
		cmocka_unit_test(a_nul_byte_hides_nothing),
		cmocka_unit_test(the_version_of_the_system_is_in_one_platform_arg_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
