/* What the log says of what the poller notices: one line for a registry that is down, not one for each of its bases. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "daemon/journal.h"

struct log {
	struct bw_journal *journal;
	FILE *to;
	int saved;
	char text[4096];
};

static int set_up(void **state)
{
	struct log *x = BW_NEW(struct log);

	x->journal = bw_journal_new();
	x->to = tmpfile();
	assert_non_null(x->to);
	bw_log_set_level(BW_LOG_INFO);
	(void)fflush(stderr);
	x->saved = dup(STDERR_FILENO);
	assert_true(dup2(fileno(x->to), STDERR_FILENO) >= 0);
	*state = x;
	return 0;
}

static void end_capture(struct log *x)
{
	if (x->saved < 0)
		return;
	(void)fflush(stderr);
	(void)dup2(x->saved, STDERR_FILENO);
	(void)close(x->saved);
	x->saved = -1;
}

static int tear_down(void **state)
{
	struct log *x = *state;

	end_capture(x);
	bw_log_set_level(BW_LOG_WARN);
	bw_journal_free(x->journal);
	(void)fclose(x->to);
	free(x);
	return 0;
}

static void expect(struct log *x, const char *text)
{
	size_t len;

	end_capture(x);
	rewind(x->to);
	len = fread(x->text, 1, sizeof(x->text) - 1, x->to);
	x->text[len] = '\0';
	assert_string_equal(x->text, text);
}

static void trouble(struct log *x, const char *repository, enum bw_trouble t, const char *message)
{
	struct bw_answer a = {.trouble = t};
	const struct bw_poller_notice n = {.news = BW_NEWS_TROUBLE,
					   .registry = "r.example",
					   .repository = repository,
					   .tag = "1",
					   .answer = &a};

	(void)snprintf(a.message, sizeof(a.message), "%s", message);
	bw_journal_notice(x->journal, &n);
}

static void fine(struct log *x, const char *repository)
{
	const struct bw_poller_notice n = {
		.news = BW_NEWS_FINE, .registry = "r.example", .repository = repository, .tag = "1"};

	bw_journal_notice(x->journal, &n);
}

static void a_registry_that_is_down_is_one_line(void **state)
{
	struct log *x = *state;

	trouble(x, "a", BW_TROUBLE_CONNECTION, "r.example: refused");
	trouble(x, "b", BW_TROUBLE_DNS, "no such name");
	fine(x, "a");
	fine(x, "b");
	trouble(x, "b", BW_TROUBLE_DNS, "no such name");
	expect(x, "basewatch: warning: r.example cannot be asked: refused\n"
		  "basewatch: info: r.example answers again\n"
		  "basewatch: warning: r.example cannot be asked: no such name\n");
}

static void what_is_wrong_with_a_base_is_told_for_each(void **state)
{
	struct log *x = *state;

	trouble(x, "a", BW_TROUBLE_TAG_GONE, "the tag is gone");
	trouble(x, "b", BW_TROUBLE_DENIED, "no");
	fine(x, "b");
	fine(x, "c");
	expect(x, "basewatch: warning: base r.example/a:1: cannot be asked: the tag is gone\n"
		  "basewatch: warning: base r.example/b:1: cannot be asked: no\n"
		  "basewatch: info: base r.example/b:1: answers again\n");
}

static void a_change_ends_a_trouble_and_is_told_with_its_class(void **state)
{
	struct log *x = *state;
	struct bw_answer a = {0};
	const struct bw_change change = {.class = BW_CLASS_CONTENT, .moved = "1 of 2 layers differ\n"};
	struct bw_poller_notice n = {.news = BW_NEWS_MOVED,
				     .registry = "r.example",
				     .repository = "a",
				     .tag = "1",
				     .answer = &a,
				     .change = &change};

	(void)snprintf(a.digest.text, sizeof(a.digest.text), "sha256:ab");
	trouble(x, "a", BW_TROUBLE_SERVER, "broken");
	bw_journal_notice(x->journal, &n);
	n.change = NULL;
	bw_journal_notice(x->journal, &n);
	n.news = BW_NEWS_FIRST;
	bw_journal_notice(x->journal, &n);
	expect(x, "basewatch: warning: r.example cannot be asked: broken\n"
		  "basewatch: info: r.example answers again\n"
		  "basewatch: info: base r.example/a:1: moved to sha256:ab (content: 1 of 2 layers "
		  "differ\\x0a)\n"
		  "basewatch: info: base r.example/a:1: moved to sha256:ab (unclassified)\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_registry_that_is_down_is_one_line),
		TEST(what_is_wrong_with_a_base_is_told_for_each),
		TEST(a_change_ends_a_trouble_and_is_told_with_its_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
