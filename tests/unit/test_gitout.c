/* test_gitout.c - what git prints: refs, trees, contents, and what it says when it fails. */
#include "unit/table.h"

#include "core/mem.h"
#include "source/gitfault.h"
#include "source/gitout.h"
#include "source/gitpick.h"

#define OID "f8ca51fa6df6b35420a4bafa3c66b65ae67276cb"

static enum bw_code code_of(const char *name)
{
	static const struct {
		const char *name;
		enum bw_code code;
	} codes[] = {{"RETRY", BW_E_RETRY}, {"GONE", BW_E_GONE},   {"AUTH", BW_E_AUTH}, {"INPUT", BW_E_INPUT},
		     {"FULL", BW_E_FULL},   {"LIMIT", BW_E_LIMIT}, {"PEER", BW_E_PEER}};

	for (size_t i = 0; i < BW_COUNT(codes); i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	fail_msg("no class %s", name);
	return BW_OK;
}

static void check_fault(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;

	(void)lens, (void)count, (void)arg;
	assert_int_equal(bw_gitfault(f[0], NULL, &err), code_of(f[1]));
	assert_string_equal(err.msg, f[2]);
}

static void failures_have_classes_and_words(void **state)
{
	(void)state;
	table_each("gitfault.tsv", 3, check_fault, NULL);
}

static void refs_are_read_and_names_that_cannot_be_left_out(void **state)
{
	static const char text[] = "ref: refs/heads/main\tHEAD\n" OID "\tHEAD\n" OID "\trefs/heads/main\n" OID
				   "\trefs/heads/-x\n" OID "\trefs/heads/a..b\n" OID "\trefs/heads/a\x1b"
				   "b\n" OID "\trefs/tags/v1\n" OID "\tx/refs/heads/y\n";
	struct bw_git_refs r;

	(void)state;
	assert_int_equal(bw_gitout_refs(text, strlen(text), "refs/heads/", &r, NULL), 0);
	assert_string_equal(r.head, "main");
	assert_string_equal(r.head_oid, OID);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.items[0].name, "main");
	assert_string_equal(r.items[1].name, "-x");
	assert_null(bw_git_refs_find(&r, "y"));
	bw_git_refs_done(&r);
}

static void what_is_no_list_of_refs_is_refused(void **state)
{
	static const char *const bad[] = {"x\n", OID "\n", OID "\trefs/heads/main", "F8CA\trefs/heads/x\n"};
	struct bw_git_refs r;

	(void)state;
	for (size_t i = 0; i < BW_COUNT(bad); i++)
		assert_int_equal(bw_gitout_refs(bad[i], strlen(bad[i]), "refs/heads/", &r, NULL), BW_E_PEER);
	assert_int_equal(bw_gitout_refs("", 0, "refs/heads/", &r, NULL), 0); /* empty */
	assert_int_equal(r.count, 0);
	bw_git_refs_done(&r);
}

static int read_tree(const char *text, size_t len, struct bw_git_tree *ret, struct bw_err *err)
{
	struct bw_buf b;

	bw_buf_init(&b, len + 1);
	assert_true(bw_buf_add(&b, text, len));
	return bw_gitout_tree(&b, ret, err);
}

#define FILE_AT(path) "100644 blob " OID "\t" path "\0"

static void a_tree_is_read_and_looked_up(void **state)
{
	static const char text[] =
		FILE_AT("Dockerfile") FILE_AT("a.b") FILE_AT("a/b") "160000 commit " OID "\tsub";
	struct bw_git_tree t;

	(void)state;
	assert_int_equal(read_tree(text, sizeof(text), &t, NULL), 0);
	assert_int_equal(t.count, 4);
	assert_ptr_equal(bw_git_tree_find(&t, "a/b"), &t.items[2]);
	assert_string_equal(bw_git_tree_oid(&t, &t.items[2]), OID);
	assert_int_equal(t.items[3].kind, BW_GIT_MODULE_ENTRY);
	assert_null(bw_git_tree_find(&t, "a"));
	assert_true(bw_git_tree_has_folder(&t, "a/"));
	assert_false(bw_git_tree_has_folder(&t, "b/"));
	bw_git_tree_done(&t);
}

static void check_bad_tree(const char *text, size_t len, enum bw_code code, const char *message)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_git_tree t;

	assert_int_equal(read_tree(text, len, &t, &err), code);
	assert_string_equal(err.msg, message);
}

static void trees_that_git_would_not_make_are_refused(void **state)
{
	(void)state;
#define BAD(text, message) check_bad_tree(text, sizeof(text) - 1, BW_E_PEER, message)
	BAD(FILE_AT("b") FILE_AT("a"), "the tree is not in order");
	BAD(FILE_AT("a") FILE_AT("a"), "the tree is not in order");
	BAD(FILE_AT("a/../b"), "a path in the tree has an empty part, '.' or '..'");
	BAD(FILE_AT("/a"), "a path in the tree has an empty part, '.' or '..'");
	BAD(FILE_AT(""), "a path in the tree has an empty part, '.' or '..'");
	BAD("100644 blob " OID "\ta", "the list of files is not one");
	BAD("040000 tree " OID "\ta\0", "the list of files is not one");
	BAD("100644 blob 123\ta\0", "the list of files is not one");
	BAD("x\0", "the list of files is not one");
#undef BAD
}

static void rules_take_what_the_walk_through_a_folder_takes(void **state)
{
	static const char *const excludes[] = {"old/", "*.dev", "/top/**"};
	static const char *const includes[] = {"services/**", "Containerfile"};
	struct bw_git_rules r = {.excludes = excludes, .exclude_count = BW_COUNT(excludes)};

	(void)state;
	assert_true(bw_gitpick_takes(&r, "Dockerfile"));
	assert_true(bw_gitpick_takes(&r, "x/top/Dockerfile"));
	assert_false(bw_gitpick_takes(&r, "x/old/Dockerfile"));
	assert_false(bw_gitpick_takes(&r, "x/Dockerfile.dev"));
	assert_false(bw_gitpick_takes(&r, "top/x/Dockerfile"));
	assert_false(bw_gitpick_takes(&r, "node_modules/x/Dockerfile"));
	assert_false(bw_gitpick_takes(&r, "x/README"));
	r.includes = includes;
	r.include_count = BW_COUNT(includes);
	assert_true(bw_gitpick_takes(&r, "services/x/Dockerfile"));
	assert_true(bw_gitpick_takes(&r, "x/Containerfile"));
	assert_false(bw_gitpick_takes(&r, "x/Dockerfile"));
	r = (struct bw_git_rules){.folder = "a/b"};
	assert_true(bw_gitpick_takes(&r, "a/b/c/Dockerfile"));
	assert_true(bw_gitpick_takes(&r, "a/b")); /* named directly */
	assert_false(bw_gitpick_takes(&r, "a/bc/Dockerfile"));
	assert_false(bw_gitpick_takes(&r, "Dockerfile"));
}

struct story {
	struct bw_git_objects o;
	char said[512];
};

static void note(size_t n, const struct bw_buf *content, bool is_missing, const char *problem, void *arg)
{
	struct story *s = arg;
	size_t at = strlen(s->said);

	(void)snprintf(s->said + at, sizeof(s->said) - at, "%zu%s %s\n", n,
		       is_missing ? "?"
		       : content  ? "="
				  : "!",
		       content ? bw_buf_str(content) : problem);
}

static void contents_come_in_the_order_they_were_asked_for(void **state)
{
	static const char text[] = OID " blob 5\nab\nde\n" OID " missing\n" OID " blob 2000\n";
	struct story s = {.o = {.max = 1024, .object = note, .arg = &s}};
	char zeros[2000] = {0};

	(void)state;
	bw_gitout_objects_init(&s.o);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_true(bw_gitout_objects_feed(&s.o, text + i, 1));
	assert_true(bw_gitout_objects_feed(&s.o, zeros, sizeof(zeros)));
	assert_true(bw_gitout_objects_feed(&s.o, "\n" OID " tree 0\n\n", 2 + 40 + 8 + 1));
	assert_string_equal(
		s.said,
		"0= ab\nde\n1? not in the repository\n2! larger than 1 KiB; not taken\n3! not a file\n");
	assert_false(bw_gitout_objects_feed(&s.o, "what\n", 5));
	bw_gitout_objects_done(&s.o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_have_classes_and_words),
		cmocka_unit_test(refs_are_read_and_names_that_cannot_be_left_out),
		cmocka_unit_test(what_is_no_list_of_refs_is_refused),
		cmocka_unit_test(a_tree_is_read_and_looked_up),
		cmocka_unit_test(trees_that_git_would_not_make_are_refused),
		cmocka_unit_test(rules_take_what_the_walk_through_a_folder_takes),
		cmocka_unit_test(contents_come_in_the_order_they_were_asked_for),
	};

	return cmocka_run_group_tests_name("gitout", tests, NULL, NULL);
}
