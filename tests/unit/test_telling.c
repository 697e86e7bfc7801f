/* From the configuration to what events are made by, to whom they are owed, and which sinks there are. */
#include "unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "daemon/telling.h"

static struct bw_conf *parse(const char *text)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	if (bw_conf_parse(text, strlen(text), "/", 0, &c, &problems, &err) < 0)
		fail_msg("%s", problems.count ? problems.items[0].text : err.msg);
	bw_conf_problems_done(&problems);
	return c;
}

struct told {
	struct bw_conf *conf;
	struct bw_telling t;
};

static void set_up(struct told *x, const char *text)
{
	struct bw_err err = BW_ERR_INIT;

	x->conf = parse(text);
	if (bw_telling_init(&x->t, x->conf, &err) < 0)
		fail_msg("%s", err.msg);
}

static void tear_down(struct told *x)
{
	bw_telling_done(&x->t);
	bw_conf_free(x->conf);
}

static void expect_texts(const char *const *list, const char *wanted)
{
	BW_AUTOBUF struct bw_buf got;

	bw_buf_init(&got, 1000);
	for (size_t i = 0; list && list[i]; i++)
		bw_buf_addf(&got, "%s%s", i > 0 ? " " : "", list[i]);
	assert_string_equal(list ? bw_buf_str(&got) : "*", wanted);
}

static void expect_sources(const struct bw_rule_source *list, const char *wanted)
{
	BW_AUTOBUF struct bw_buf got;

	bw_buf_init(&got, 1000);
	for (size_t i = 0; list && list[i].name; i++)
		bw_buf_addf(&got, "%s%s%s%s", i > 0 ? " " : "", list[i].name, list[i].branch ? "#" : "",
			    list[i].branch ? list[i].branch : "");
	assert_string_equal(list ? bw_buf_str(&got) : "*", wanted);
}

#define SINKS                                                 \
	"sinks:\n"                                            \
	"  broker: {type: mqtt, url: \"mqtt://x.example\"}\n" \
	"  ci: {type: webhook, url: \"https://x.example/\", " \
	"events: [rebuild.requested, base.unreachable], confirms: true, expire: 2h}\n"

static void sinks_are_those_of_the_configuration(void **state)
{
	struct told x;

	(void)state;
	set_up(&x, SINKS);
	assert_int_equal(x.t.sink_count, 2);
	assert_string_equal(x.t.sinks[0].name, "broker");
	expect_texts(x.t.sinks[0].types, "*");
	assert_false(x.t.sinks[0].confirms);
	assert_int_equal(x.t.sinks[0].expire_ms, 7 * 86400000LL);
	assert_string_equal(x.t.sinks[1].name, "ci");
	expect_texts(x.t.sinks[1].types, "rebuild.requested base.unreachable");
	assert_true(x.t.sinks[1].confirms);
	assert_int_equal(x.t.sinks[1].expire_ms, 2 * 3600000LL);
	tear_down(&x);
}

static void rules_are_those_of_the_configuration(void **state)
{
	const struct bw_rules *r;
	struct told x;

	(void)state;
	set_up(&x, "rules:\n"
		   "  - match: {sources: [shop, api], bases: [\"docker.io/**\", \"x/*\"], roles: [frontend, "
		   "final],\n"
		   "            classes: [index]}\n"
		   "    sinks: [ci, broker]\n"
		   "  - match: {sources: [shop, \"*\"], bases: [\"**\"]}\n"
		   "    sinks: []\n"
		   "  - sinks: [\"*\"]\n"
		   "  - match: {sources: [fallback]}\n"
		   "sources:\n"
		   "  - {path: /srv/shop, name: shop}\n"
		   "  - {path: /srv/other}\n"
		   "  - {git: \"https://me:secret@X.example/api.git\", name: api, branches: [main, "
		   "\"release/*\"]}\n"
		   "  - {git: \"https://x.example/b.git\", name: fallback}\n" SINKS);
	r = x.t.events.rules;
	assert_int_equal(r->count, 4);
	expect_sources(r->items[0].sources,
		       "shop https://x.example/api.git#main https://x.example/api.git#release/*");
	expect_texts(r->items[0].bases, "docker.io/** x/*");
	assert_int_equal(r->items[0].roles, 1U << BW_ROLE_FRONTEND | 1U << BW_ROLE_FINAL);
	assert_int_equal(r->items[0].classes, 1U << BW_CLASS_INDEX);
	expect_texts(r->items[0].sinks, "ci broker");
	expect_sources(r->items[1].sources, "*");
	expect_texts(r->items[1].bases, "*");
	expect_texts(r->items[1].sinks, "");
	expect_texts(r->items[2].sinks, "*");
	expect_sources(r->items[3].sources, "https://x.example/b.git#**");
	tear_down(&x);
}

/* Where the two disagreed, what no rule matches would not go by the default rule that is documented. */
static void the_default_rule_is_that_of_the_configuration(void **state)
{
	struct bw_conf_rule r;
	struct told x;

	(void)state;
	bw_conf_rule_default(&r);
	assert_int_equal(r.match.roles, BW_RULES_ROLES);
	assert_int_equal(r.match.classes, BW_RULES_CLASSES);
	bw_conf_rule_done(&r);
	set_up(&x, "rules: [{}]\n");
	assert_int_equal(x.t.rules.count, 1);
	expect_sources(x.t.rules.items[0].sources, "*");
	expect_texts(x.t.rules.items[0].bases, "*");
	expect_texts(x.t.rules.items[0].sinks, "*");
	tear_down(&x);
}

static void the_instance_is_named_or_is_the_host(void **state)
{
	char host[256] = "";
	struct told x;
	BW_AUTOFREE char *nobody = NULL;

	(void)state;
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	set_up(&x, "instance: farm\npoll: {unreachable-after: 5}\n");
	assert_string_equal(x.t.events.instance, "farm");
	assert_int_equal(x.t.events.unreachable_after, 5);
	tear_down(&x);
	set_up(&x, "");
	assert_string_equal(x.t.events.instance, host);
	assert_int_equal(x.t.events.unreachable_after, 3);
	assert_int_equal(x.t.sink_count, 0);
	assert_int_equal(x.t.events.rules->count, 0);
	tear_down(&x);
	nobody = bw_telling_instance(NULL);
	assert_string_equal(nobody, host);
}

static void nothing_may_be_configured_at_all(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_telling t;

	(void)state;
	assert_int_equal(bw_telling_init(&t, NULL, &err), 0);
	assert_int_equal(t.sink_count, 0);
	assert_int_equal(t.events.rules->count, 0);
	assert_int_equal(t.events.unreachable_after, 0);
	bw_telling_done(&t);
	bw_telling_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sinks_are_those_of_the_configuration),
		cmocka_unit_test(rules_are_those_of_the_configuration),
		cmocka_unit_test(the_default_rule_is_that_of_the_configuration),
		cmocka_unit_test(the_instance_is_named_or_is_the_host),
		cmocka_unit_test(nothing_may_be_configured_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
