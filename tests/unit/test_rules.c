/* Which changes are told to which sinks: rules.tsv. */
#include "unit/table.h"

#include "core/buf.h"
#include "core/mem.h"
#include "watch/rules.h"

#define MAX_RULES 4
#define MAX_ITEMS 8

/* A rule as the table writes it; the words are those of `text`. */
struct made {
	char *text;
	struct bw_rule rules[MAX_RULES];
	struct bw_rules all;
	struct bw_rule_source sources[MAX_RULES][MAX_ITEMS];
	const char *bases[MAX_RULES][MAX_ITEMS], *sinks[MAX_RULES][MAX_ITEMS];
};

static void split(char *list, const char **to)
{
	size_t count = 0;

	for (char *item; (item = strsep(&list, ",")) != NULL;) {
		assert_true(count + 1 < MAX_ITEMS);
		to[count++] = item;
	}
}

static void make_sources(char *list, struct bw_rule_source *to)
{
	const char *names[MAX_ITEMS] = {0};

	split(list, names);
	for (size_t i = 0; names[i]; i++) {
		char *hash = strchr(names[i], '#');

		if (hash)
			*hash++ = '\0';
		to[i] = (struct bw_rule_source){names[i], hash};
	}
}

static unsigned bits_of(char *list, bool are_roles)
{
	const char *names[MAX_ITEMS] = {0};
	unsigned bits = 0;

	split(list, names);
	for (size_t i = 0; names[i]; i++) {
		enum bw_role role = BW_ROLE_COUNT;
		enum bw_class class = BW_CLASS_COUNT;

		assert_true(are_roles ? bw_role_parse(names[i], &role) : bw_class_parse(names[i], &class));
		bits |= 1U << (are_roles ? (unsigned)role : (unsigned)class);
	}
	return bits;
}

static void make_word(struct made *m, size_t at, char *word)
{
	struct bw_rule *x = &m->rules[at];

	switch (word[0]) {
	case 's':
		make_sources(word + 2, m->sources[at]);
		x->sources = m->sources[at];
		break;
	case 'b':
		split(word + 2, m->bases[at]);
		x->bases = m->bases[at];
		break;
	case 'r': x->roles = bits_of(word + 2, true); break;
	case 'c': x->classes = bits_of(word + 2, false); break;
	case 'k':
		x->sinks = m->sinks[at];
		if (strcmp(word, "k:-") != 0)
			split(word + 2, m->sinks[at]);
		break;
	default: assert_string_equal(word, "-");
	}
}

static void make_rules(struct made *m, const char *text)
{
	char *rest, *word;
	size_t at = 0;

	*m = (struct made){.text = bw_strdup(text)};
	m->all.items = m->rules;
	m->all.count = text[0] != '\0';
	rest = m->text;
	for (size_t i = 0; i < MAX_RULES; i++) {
		m->rules[i].roles = BW_RULES_ROLES;
		m->rules[i].classes = BW_RULES_CLASSES;
	}
	while ((word = strsep(&rest, " ")) != NULL) {
		if (strcmp(word, "/") == 0) {
			assert_true(++at < MAX_RULES);
			m->all.count++;
		} else if (word[0]) {
			make_word(m, at, word);
		}
	}
}

/* "1 ci,chat", "0 *", "2 silent", "0 uncounted". */
static void describe(const struct bw_ruling *r, struct bw_buf *to)
{
	bw_buf_addf(to, "%zu ", r->rule);
	if (r->fate != BW_USE_ASKED) {
		assert_null(r->sinks);
		bw_buf_adds(to, r->fate == BW_USE_SUPPRESSED ? "silent" : "uncounted");
	} else if (!r->sinks) {
		bw_buf_adds(to, "*");
	}
	for (size_t i = 0; r->sinks && r->sinks[i]; i++)
		bw_buf_addf(to, "%s%s", i > 0 ? "," : "", r->sinks[i]);
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_rules_use use = {.source = fields[1], .base = fields[2]};
	struct bw_ruling ruling;
	struct made m;
	BW_AUTOBUF struct bw_buf got;

	(void)lens, (void)count, (void)arg;
	bw_buf_init(&got, 1000);
	make_rules(&m, fields[0]);
	if (strcmp(fields[3], "base") == 0) {
		bw_rules_decide_base(&m.all, fields[2], &ruling);
	} else {
		assert_true(bw_role_parse(fields[3], &use.role));
		assert_true(bw_class_parse(fields[4], &use.class));
		bw_rules_decide(&m.all, &use, &ruling);
	}
	describe(&ruling, &got);
	assert_string_equal(bw_buf_str(&got), fields[5]);
	free(m.text);
}

static void rules_decide_as_the_table_says(void **state)
{
	(void)state;
	table_each("rules.tsv", 6, check_row, NULL);
}

static void without_rules_everything_that_counts_goes_to_everybody(void **state)
{
	const struct bw_rules_use use = {.source = "", .base = "x/y:1", .role = BW_ROLE_COPY};
	struct bw_ruling ruling = {.rule = 7};

	(void)state;
	bw_rules_decide(NULL, &use, &ruling);
	assert_int_equal(ruling.fate, BW_USE_ASKED);
	assert_int_equal(ruling.rule, 0);
	assert_null(ruling.sinks);
	bw_rules_decide_base(NULL, "x/y:1", &ruling);
	assert_int_equal(ruling.fate, BW_USE_ASKED);
	assert_false(bw_rules_count_index(NULL));
	assert_false(bw_rules_count_frontends(NULL));
}

/* Only then has the store to look at what it leaves out otherwise. */
static void what_a_rule_names_beyond_the_default_is_known(void **state)
{
	static const struct {
		const char *rules;
		bool index, frontends;
	} cases[] = {
		{"", false, false},
		{"k:ci", false, false},
		{"c:content k:ci / c:index k:ci", true, false},
		{"c:index k:-", false, false},
		{"r:final / r:frontend,copy", false, true},
		{"r:frontend k:-", false, false},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		struct made m;

		make_rules(&m, cases[i].rules);
		assert_int_equal(bw_rules_count_index(&m.all), cases[i].index);
		assert_int_equal(bw_rules_count_frontends(&m.all), cases[i].frontends);
		free(m.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_decide_as_the_table_says),
		cmocka_unit_test(without_rules_everything_that_counts_goes_to_everybody),
		cmocka_unit_test(what_a_rule_names_beyond_the_default_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
