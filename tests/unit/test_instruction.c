#include "unit/table.h"

#include "buildfile/grammar.h"
#include "buildfile/instruction.h"
#include "core/buf.h"

/* Every byte of a flag has its place in the line. */
static void check_places(const struct bw_instruction *ins)
{
	for (size_t i = 0; i < ins->flag_text.len; i++)
		assert_int_equal(ins->flag_text.text[i], ins->line[ins->flag_text.at[i]]);
}

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_instruction *ins = arg;
	struct bw_buf flags;

	bw_buf_init(&flags, 1024);
	bw_instruction_read(ins, f[0], 0, lens[0], '\\');
	for (size_t i = 0; i < ins->flag_count; i++) {
		const struct bw_flag *flag = &ins->flags[i];

		(void)bw_buf_addf(&flags, "[%.*s%s%.*s]", (int)flag->name_len,
				  ins->flag_text.text + flag->name, flag->has_value ? "=" : "",
				  (int)flag->value_len, ins->flag_text.text + flag->value);
	}
	assert_string_equal(bw_keyword_name(ins->keyword), f[1]);
	assert_string_equal(bw_buf_str(&flags), count > 2 ? f[2] : "");
	assert_int_equal(ins->rest.len, count > 3 ? lens[3] : 0);
	if (ins->rest.len > 0)
		assert_memory_equal(ins->rest.s, f[3], lens[3]);
	check_places(ins);
	bw_buf_done(&flags);
}

static void instructions_are_split_as_in_the_table(void **state)
{
	BW_AUTOINSTRUCTION struct bw_instruction ins = {0};

	(void)state;
	table_each("instruction.tsv", 1, check_row, &ins);
}

static void every_keyword_is_known_in_any_case(void **state)
{
	static const char *const words[] = {
		"ADD",	  "ARG",   "CMD",	  "COPY",  "ENTRYPOINT", "ENV",
		"EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
		"RUN",	  "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",	 "WORKDIR",
	};
	BW_AUTOINSTRUCTION struct bw_instruction ins = {0};

	(void)state;
	assert_int_equal(sizeof(words) / sizeof(*words), BW_KEYWORD_COUNT - 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char lower[16];

		(void)snprintf(lower, sizeof(lower), "%s", words[i]);
		lower[0] = (char)(lower[0] | 0x20);
		bw_instruction_read(&ins, lower, 0, strlen(lower), '\\');
		assert_string_equal(bw_keyword_name(ins.keyword), words[i]);
	}
	assert_string_equal(bw_keyword_name(BW_KEYWORD_UNKNOWN), "");
}

static void check_words(const char *text, const char *expected)
{
	struct bw_text rest = {text, strlen(text)};
	struct bw_text word;
	struct bw_buf shown;
	size_t pos = 0;

	bw_buf_init(&shown, 1024);
	while (bw_next_word(rest, '\\', &pos, &word))
		(void)bw_buf_addf(&shown, "[%.*s]", (int)word.len, word.s);
	assert_string_equal(bw_buf_str(&shown), expected);
	bw_buf_done(&shown);
}

static void words_of_arg_keep_their_quotes(void **state)
{
	(void)state;
	check_words("", "");
	check_words("a b=c", "[a][b=c]");
	check_words("a=\"b c\" d", "[a=\"b c\"][d]");
	check_words("a='b c'd", "[a='b c'd]");
	check_words("a=b\\ c d", "[a=b\\ c][d]");
	check_words("a=\"b\\\" c\" d", "[a=\"b\\\" c\"][d]");
	check_words("a='b\\' c", "[a='b\\'][c]");
	check_words("a=b\\", "[a=b]");
	check_words("a \\", "[a]");
	check_words("a=\"b c", "[a=\"b c]");
	check_words("a\xC2\xA0"
		    "b",
		    "[a][b]");
	check_words("a=\\\xC3\xA9 b", "[a=\\\xC3\xA9][b]");
	check_words("''", "['']");
}

static struct bw_list list_of(const char *text)
{
	return bw_list_read((struct bw_text){text, strlen(text)});
}

static void lists_are_json_or_shell(void **state)
{
	(void)state;
	assert_int_equal(list_of("a b").form, BW_FORM_SHELL);
	assert_int_equal(list_of("a b").count, 2);
	assert_int_equal(list_of("").count, 0);
	assert_int_equal(list_of("[\"a\", \"b c\"]").form, BW_FORM_JSON);
	assert_int_equal(list_of("[\"a\", \"b c\"]").count, 2);
	assert_int_equal(list_of("[]").form, BW_FORM_JSON);
	assert_int_equal(list_of("[]").count, 0);
	assert_int_equal(list_of("[\"a\", 1]").form, BW_FORM_MIXED);
	assert_int_equal(list_of("[[\"a\"]]").form, BW_FORM_MIXED);
	assert_int_equal(list_of("['a']").form, BW_FORM_SHELL);
	assert_int_equal(list_of("[\"a\"] b").form, BW_FORM_SHELL);
	assert_int_equal(list_of("[\"a\"").form, BW_FORM_SHELL);
	assert_true(list_of("[\"\"]").has_empty);
	assert_true(list_of("a <<EOF").last_is_heredoc);
	assert_true(list_of("[\"a\", \"<<EOF\"]").last_is_heredoc);
	assert_false(list_of("<<EOF a").last_is_heredoc);
}

static void check_grammar_row(char **f, size_t *lens, size_t count, void *arg)
{
	BW_AUTOINSTRUCTION struct bw_instruction ins = {0};
	struct bw_err err = BW_ERR_INIT;
	int rc;

	(void)arg;
	bw_instruction_read(&ins, f[0], 0, lens[0], '\\');
	rc = bw_grammar_check(&ins, '\\', &err);
	assert_string_equal(err.msg, count > 1 ? f[1] : "");
	assert_int_equal(rc, count > 1 ? BW_E_INPUT : 0);
}

static void instructions_are_judged_as_in_the_table(void **state)
{
	(void)state;
	table_each("grammar.tsv", 1, check_grammar_row, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_are_split_as_in_the_table),
		cmocka_unit_test(every_keyword_is_known_in_any_case),
		cmocka_unit_test(words_of_arg_keep_their_quotes),
		cmocka_unit_test(lists_are_json_or_shell),
		cmocka_unit_test(instructions_are_judged_as_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
