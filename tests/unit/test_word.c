#include "unit/table.h"

#include "buildfile/word.h"
#include "core/mem.h"

#define MAX_VARS 16

struct vars {
	struct bw_word_value value[MAX_VARS];
	const char *name[MAX_VARS];
	size_t count;
};

static bool get(const char *name, size_t len, struct bw_word_value *ret, void *arg)
{
	const struct vars *v = arg;

	for (size_t i = 0; i < v->count; i++)
		if (strlen(v->name[i]) == len && memcmp(v->name[i], name, len) == 0) {
			*ret = v->value[i];
			return true;
		}
	return false;
}

/* Splits "A=1;B=2" in place; the origin of each value is its name. */
static void read_vars(char *text, struct vars *ret)
{
	*ret = (struct vars){0};
	for (char *pair; (pair = strsep(&text, ";"));) {
		char *equals = strchr(pair, '=');

		if (!equals)
			continue;
		assert_true(ret->count < MAX_VARS);
		*equals = '\0';
		ret->name[ret->count] = pair;
		ret->value[ret->count++] =
			(struct bw_word_value){.text = equals + 1, .len = strlen(equals + 1), .origin = pair};
	}
}

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct vars vars;
	struct bw_word_rules rules = {.escape = f[1][0], .get = get, .arg = &vars};
	struct bw_buf out;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	(void)count;
	(void)arg;
	read_vars(f[2], &vars);
	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	rc = bw_word_expand(f[0], lens[0], &rules, &out, NULL, &err);
	if (f[3][0] == '=') {
		assert_int_equal(rc, 0);
		assert_string_equal(bw_buf_str(&out), f[3] + 1);
	} else {
		assert_int_equal(rc, BW_E_INPUT);
		assert_string_equal(err.msg, f[3] + 1);
	}
	bw_buf_done(&out);
}

static void words_expand_as_in_the_table(void **state)
{
	(void)state;
	table_each("word.tsv", 4, check_row, NULL);
}

static int expand(const char *word, const char *given, struct bw_buf *out, struct bw_word_facts *facts,
		  struct bw_err *err)
{
	static char text[256];
	static struct vars vars;
	struct bw_word_rules rules = {.escape = '\\', .get = get, .arg = &vars};

	(void)snprintf(text, sizeof(text), "%s", given);
	read_vars(text, &vars);
	return bw_word_expand(word, strlen(word), &rules, out, facts, err);
}

static void check_origin(const char *word, const char *given, const char *origin)
{
	struct bw_word_facts facts;
	struct bw_buf out;

	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	assert_int_equal(expand(word, given, &out, &facts, NULL), 0);
	if (origin)
		assert_string_equal((const char *)facts.origin, origin);
	else
		assert_null(facts.origin);
	bw_buf_done(&out);
}

static void the_origin_is_the_last_variable_that_gives_text(void **state)
{
	(void)state;
	check_origin("debian:12", "A=1", NULL);
	check_origin("$A", "A=1", "A");
	check_origin("${A}x", "A=1", "A");
	check_origin("$A$B", "A=1;B=2", "B");
	check_origin("$A$B", "A=1;B=", "A");
	check_origin("\"$A\"", "A=1", "A");
	check_origin("'$A'", "A=1", NULL);
	check_origin("${A:-$B}", "A=1;B=2", "A");
	check_origin("${U:-$B}", "B=2", "B");
	check_origin("${A:+$B}", "A=1;B=2", "B");
	check_origin("$A${U:+$B}", "A=1;B=2", "A");
	check_origin("${A:?$B}", "A=1;B=2", "A");
	check_origin("$A${B#2}", "A=1;B=23", NULL);
	check_origin("${A/x/$B}", "A=1;B=2", NULL);
	check_origin("${A%x}$B", "A=1;B=2", "B");
}

static void check_missing(const char *word, const char *given, const char *names)
{
	struct bw_word_facts facts;
	struct bw_buf out;
	struct bw_buf found;

	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	bw_buf_init(&found, 256);
	assert_int_equal(expand(word, given, &out, &facts, NULL), 0);
	for (size_t i = 0; i < facts.missing_count; i++)
		(void)bw_buf_addf(&found, "%.*s ", (int)facts.missing[i].len, facts.missing[i].s);
	assert_string_equal(bw_buf_str(&found), names);
	bw_buf_done(&found);
	bw_buf_done(&out);
}

static void unset_variables_that_leave_a_gap_are_named(void **state)
{
	(void)state;
	check_missing("$A", "A=1", "");
	check_missing("$U", "", "U ");
	check_missing("${U}$W", "", "U W ");
	check_missing("${U:-x}", "", "");
	check_missing("${U:-$W}", "", "W ");
	check_missing("${A:-$W}", "A=1", "");
	check_missing("${U:+x}", "", "U ");
	check_missing("${U#x}${U/a/b}", "", "U U ");
	check_missing("$E", "E=", "");
	check_missing("$a$b$c$d$e$f", "", "a b c d ");
}

static void a_gap_in_a_value_is_passed_on(void **state)
{
	struct vars vars = {.count = 1, .name = {"A"}, .value = {{.text = "", .missing = "B"}}};
	struct bw_word_rules rules = {.escape = '\\', .get = get, .arg = &vars};
	struct bw_word_facts facts;
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	assert_int_equal(bw_word_expand("$A", 2, &rules, &out, &facts, NULL), 0);
	assert_int_equal(facts.missing_count, 1);
	assert_memory_equal(facts.missing[0].s, "B", 1);
	bw_buf_done(&out);
}

static void nesting_has_a_limit(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_buf word;
	struct bw_buf out;

	(void)state;
	bw_buf_init(&word, BW_MAX_WORD_BYTES);
	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	for (int i = 0; i < 10000; i++)
		(void)bw_buf_adds(&word, "${U:-");
	assert_int_equal(expand(bw_buf_str(&word), "", &out, NULL, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, "${} nests more than 64 deep");
	bw_buf_done(&word);
	bw_buf_done(&out);
}

static void the_result_has_a_limit(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 8);
	assert_int_equal(expand("$A$A$A", "A=1234", &out, NULL, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, "the expanded word has more than 8 bytes");
	bw_buf_done(&out);
}

static void the_work_has_a_limit(void **state)
{
	struct vars vars = {
		.count = 1, .name = {"A"}, .value = {{.text = "aaaaaaaaaaaaaaaaaaaa", .len = 20}}};
	size_t work = 100;
	struct bw_word_rules rules = {.escape = '\\', .get = get, .arg = &vars, .work = &work};
	struct bw_err err = BW_ERR_INIT;
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	assert_int_equal(bw_word_expand("${A##*a*a*a*b}", 14, &rules, &out, NULL, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, "the expansion takes too much work");
	assert_int_equal(work, 0);
	assert_int_equal(bw_word_expand("plain", 5, &rules, &out, NULL, &err), BW_E_LIMIT);
	bw_buf_done(&out);
}

static void an_invalid_byte_becomes_the_replacement_character(void **state)
{
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	assert_int_equal(expand("a\xFF\xC3z", "", &out, NULL, NULL), 0);
	assert_string_equal(bw_buf_str(&out), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
	bw_buf_done(&out);
}

static void add_word(const char *word, size_t len, void *arg)
{
	(void)bw_buf_addf(arg, "[%.*s]", (int)len, word);
}

static void check_split(const char *line, const char *expected)
{
	struct vars vars = {.count = 1, .name = {"A"}, .value = {{.text = "x y", .len = 3}}};
	struct bw_word_rules rules = {.escape = '\\', .get = get, .arg = &vars};
	struct bw_buf words;

	bw_buf_init(&words, 1024);
	assert_int_equal(bw_word_split(line, strlen(line), &rules, add_word, &words, NULL), 0);
	assert_string_equal(bw_buf_str(&words), expected);
	bw_buf_done(&words);
}

static void splitting_follows_white_space_that_is_not_quoted(void **state)
{
	(void)state;
	check_split("", "");
	check_split("a b\tc", "[a][b][c]");
	check_split("  a  ", "[a]");
	check_split("'a b' c", "[a b][c]");
	check_split("\"a b\"c", "[a bc]");
	check_split("a\\ b", "[a b]");
	check_split("$A", "[x][y]");
	check_split("a$A", "[ax][y]");
	check_split("\"$A\"", "[x y]");
	check_split("a << b c", "[a][<< b][c]");
	check_split("''", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_expand_as_in_the_table),
		cmocka_unit_test(the_origin_is_the_last_variable_that_gives_text),
		cmocka_unit_test(unset_variables_that_leave_a_gap_are_named),
		cmocka_unit_test(a_gap_in_a_value_is_passed_on),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(the_result_has_a_limit),
		cmocka_unit_test(the_work_has_a_limit),
		cmocka_unit_test(an_invalid_byte_becomes_the_replacement_character),
		cmocka_unit_test(splitting_follows_white_space_that_is_not_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
