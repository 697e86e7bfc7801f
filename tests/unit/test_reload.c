/* What a reload would change: nothing, one thing, everything. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reload.h"

static struct bw_conf *parse(const char *text)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	if (bw_conf_parse(text, strlen(text), "/", 0, &c, &problems, &err) < 0)
		fail_msg("%s", problems.items[0].text);
	bw_conf_problems_done(&problems);
	return c;
}

static void add_names(struct bw_buf *out, const char *what, const struct bw_conf_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		(void)bw_buf_addf(out, "%s %s; ", what, t->items[i]);
}

static void add_lists(struct bw_buf *out, const char *what, const struct bw_conf_difference *d)
{
	static const char *const words[] = {"+", "-", "~"};
	const struct bw_conf_texts *const lists[] = {&d->added, &d->removed, &d->changed};

	for (size_t i = 0; i < 3; i++) {
		char lead[32];

		(void)snprintf(lead, sizeof(lead), "%s %s", what, words[i]);
		add_names(out, lead, lists[i]);
	}
}

/* The change in words. */
static void expect_change(const char *old_text, const char *new_text, const char *wanted)
{
	struct bw_conf *old = parse(old_text), *new = parse(new_text);
	struct bw_conf_change c;
	BW_AUTOBUF struct bw_buf got;

	bw_buf_init(&got, 4096);
	assert_int_equal(bw_conf_compare(old, new, &c), *wanted != '\0');
	(void)bw_buf_addf(&got, "%s%s%s%s", c.poll ? "poll; " : "", c.builds ? "builds; " : "",
			  c.rules ? "rules; " : "", c.reminders ? "reminders; " : "");
	add_lists(&got, "source", &c.sources);
	add_lists(&got, "registry", &c.registries);
	add_lists(&got, "sink", &c.sinks);
	add_names(&got, "restart", &c.restart);
	assert_string_equal(bw_buf_str(&got), wanted);
	bw_conf_change_done(&c);
	bw_conf_free(old);
	bw_conf_free(new);
}

static void the_same_in_other_words_is_no_change(void **state)
{
	(void)state;
	expect_change("", "{}", "");
	expect_change("poll: {every: 60m}", "poll: {every: 1h, jitter: 10%}", "");
	expect_change("sinks: {a: {type: mqtt, url: \"mqtt://h\"}}",
		      "sinks:\n  a:\n    url: 'mqtt://h'\n    type: mqtt\n    qos: 1\n", "");
}

static void each_key_is_told_by_its_name(void **state)
{
	(void)state;
	expect_change("", "poll: {every: 2h}", "poll; ");
	expect_change("", "reminders: {every: 2d}", "reminders; ");
	expect_change("", "rules: [{sinks: []}]", "rules; ");
	expect_change("instance: a", "instance: b", "restart instance; ");
	expect_change("state: /a", "", "restart state; ");
	expect_change("sources: [{path: /a, name: a}]",
		      "sources: [{path: /a, name: a}]\nbuilds: [{source: a, file: D}]", "builds; ");
}

static void sources_registries_and_sinks_come_go_and_change(void **state)
{
	(void)state;
	expect_change("sources: [{path: /a}, {git: \"https://h/b\"}, {path: /c, name: c}]",
		      "sources: [{path: /c2, name: c}, {git: \"https://h/b\", branches: [x]}, {path: /d}]",
		      "source + /d; source - /a; source ~ c; source ~ https://h/b; ");
	expect_change("registries: {a: {connections: 1}, b: {}}", "registries: {a: {connections: 2}, c: {}}",
		      "registry + c; registry - b; registry ~ a; ");
	expect_change("registries: {\"*\": {reserve: 20%}, a: {requests-per-second: 0.5}, b: {mirrors: "
		      "[\"https://m\"]}, "
		      "c: {helper: x}, d: {proxy: none}, e: {requests-per-second: 5}}",
		      "registries: {\"*\": {}, a: {requests-per-second: 0.51}, b: {mirrors: [\"https://m\", "
		      "\"https://n\"]}, "
		      "c: {anonymous: true}, d: {}, e: {requests-per-second: 5.0}}",
		      "registry ~ *; registry ~ a; registry ~ b; registry ~ c; registry ~ d; ");
	expect_change("sinks: {a: {type: mqtt, url: \"mqtt://h\"}}",
		      "sinks: {a: {type: mqtt, url: \"mqtt://h\", username: u, password: {env: P}}}",
		      "sink ~ a; ");
}

static void what_is_masked_when_shown_is_compared_all_the_same(void **state)
{
	(void)state;
	expect_change("sources: [{git: \"https://u:a@h/b\", name: b}]",
		      "sources: [{git: \"https://u:c@h/b\", name: b}]", "source ~ b; ");
	expect_change("sinks: {a: {type: webhook, url: \"https://h/?t=1\"}}",
		      "sinks: {a: {type: webhook, url: \"https://h/?t=2\"}}", "sink ~ a; ");
	expect_change("registries: {a: {username: u, password: {env: A}}}",
		      "registries: {a: {username: u, password: {file: /A}}}", "registry ~ a; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_in_other_words_is_no_change),
		cmocka_unit_test(each_key_is_told_by_its_name),
		cmocka_unit_test(sources_registries_and_sinks_come_go_and_change),
		cmocka_unit_test(what_is_masked_when_shown_is_compared_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
