/* Which bases may be asked of mirrors: those whose last word from the registry itself still stands; store/base.h. */
#include "unit/store_fixture.h"

#include "store/base.h"
#include "store/poll.h"

static int note_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s%s ", b->repository + strlen("library/"), b->is_contradicted ? "!" : "");
	return 0;
}

static const char *bases_of(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_wanted(f->store, f->now_ms, note_base, f, &f->err));
	return bw_buf_str(&f->text);
}

static void what_a_registry_said_last_stands_until_it_says_something_else(void **state)
{
	struct fixture *f = *state;

	put(f, "/a", "new:1 same:1 gone:1 nowhere:1 torn:1 slow:1 shut:1");
	for (const char *const *name = (const char *const[]){"same:1", "gone:1", "nowhere:1", "torn:1",
							     "slow:1", "shut:1", NULL};
	     *name; name++)
		see(f, *name, 'a', 20);
	see_same(f, "same:1", 30);
	see_trouble(f, "gone:1", BW_TROUBLE_TAG_GONE, "x", 30);
	see_trouble(f, "nowhere:1", BW_TROUBLE_REPOSITORY_GONE, "x", 30);
	see_trouble(f, "torn:1", BW_TROUBLE_UNSETTLED, "x", 30);
	see_trouble(f, "slow:1", BW_TROUBLE_TIMEOUT, "x", 30);
	see_trouble(f, "shut:1", BW_TROUBLE_DENIED, "x", 30);
	assert_string_equal(bases_of(f), "gone! new nowhere! same shut slow torn! ");
	see(f, "gone:1", 'a', 40);
	run_sql(f->path, "UPDATE poll SET waited = 1 WHERE base_id ="
			 " (SELECT id FROM base WHERE repository = 'library/slow')");
	assert_string_equal(bases_of(f), "gone new nowhere! same shut slow! torn! ");
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_find_wanted(f->store, base_id(f, "slow:1"), f->now_ms, note_base, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "slow! ");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_registry_said_last_stands_until_it_says_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
