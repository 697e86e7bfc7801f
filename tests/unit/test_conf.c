/* The configuration: what is refused and how that is said, what the values become, and what is shown of them. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/use.h"
#include "conf_folder.h"
#include "config/conf.h"
#include "core/mem.h"
#include "core/text.h"
#include "golden.h"
#include "image/class.h"
#include "table.h"

static struct bw_conf *parse(const char *text)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	if (bw_conf_parse(text, strlen(text), "/conf", 0, &c, &problems, &err) < 0)
		fail_msg("%s: %s", err.msg, problems.items[0].text);
	assert_int_equal(problems.count, 0);
	bw_conf_problems_done(&problems);
	return c;
}

/* All problems, one per line, escaped. */
static int problems_of(const char *text, size_t len, unsigned flags, struct bw_buf *ret)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;
	int rc = bw_conf_parse(text, len, "/conf", flags, &c, &problems, &err);

	assert_int_equal(rc, problems.errors ? BW_E_CONFIG : 0);
	assert_int_equal(err.code, rc);
	assert_int_equal(c == NULL, rc < 0);
	for (size_t i = 0; i < problems.count; i++) {
		BW_AUTOBUF struct bw_buf line;

		bw_buf_init(&line, 8192);
		bw_conf_problem_format(&problems.items[i], "", &line);
		(void)bw_buf_adds(ret, i > 0 ? "\n" : "");
		bw_text_escape(ret, line.data + 1, line.len - 1);
	}
	bw_conf_problems_done(&problems);
	bw_conf_free(c);
	return rc;
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	BW_AUTOBUF struct bw_buf got;
	int rc;

	(void)count, (void)arg;
	bw_buf_init(&got, 64U << 10);
	rc = problems_of(fields[1], lens[1], 0, &got);
	assert_string_equal(bw_buf_str(&got), fields[2]);
	assert_int_equal(rc, strcmp(fields[0], "nobody") == 0 ? 0 : BW_E_CONFIG);
	assert_null(strstr(bw_buf_str(&got), "hunter2"));
}

static void every_problem_of_a_file_has_its_place_its_key_and_what_was_expected(void **state)
{
	(void)state;
	table_each("config_errors.tsv", 3, check_row, NULL);
}

static void nothing_configured_means_the_defaults(void **state)
{
	static const char *const empty[] = {"",		  "{}",	  "# nothing\n",
					    "---\n...\n", "null", "sources:\nsinks:\npoll:\n"};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(empty); i++) {
		struct bw_conf *c = parse(empty[i]);

		assert_int_equal(c->poll.every_ms, 3600000);
		assert_int_equal(c->poll.jitter_percent, 10);
		assert_int_equal(c->poll.rescan_ms, 900000);
		assert_int_equal(c->poll.unreachable_after, 3);
		assert_int_equal(c->poll.settle_ms, 30000);
		assert_int_equal(c->poll.minimum_distance_ms, 10);
		assert_int_equal(c->reminders.every_ms, 0);
		assert_null(c->state);
		assert_null(c->instance);
		assert_int_equal(c->sources.count + c->builds.count + c->sinks.count + c->rules.count, 0);
		bw_conf_free(c);
	}
}

static const char full[] =
	"instance: farm\n"
	"state: lib/state\n"
	"sources:\n"
	"  - {path: ./src/shop, name: shop, exclude: [vendor]}\n"
	"  - git: https://bot:hunter2@github.com/acme/api.git\n"
	"    branches: [main, \"release/*\"]\n"
	"  - {git: ../repo.git}\n"
	"builds:\n"
	"  - source: shop\n"
	"    file: web/Dockerfile\n"
	"    target: runtime\n"
	"    args: {NODE_VERSION: 1.10, ODD: \"no\", EMPTY: \"\"}\n"
	"    contexts: {assets: \"docker-image://ghcr.io/acme/assets:1\"}\n"
	"    platforms: [linux/amd64, linux/arm/v7]\n"
	"    image: \"ghcr.io/acme/web:latest\"\n"
	"    labels: {team: web}\n"
	"poll: {every: 1s, jitter: 0%, minimum-distance: 0s}\n"
	"reminders: {every: 7d}\n"
	"registries:\n"
	"  \"*\": {connections: 2, in-flight: 8, requests-per-second: 2.50, reserve: 0%, proxy: none}\n"
	"  docker.io: {mirrors: [\"https://mirror.lan/hub?ns=docker.io\", \"http://localhost:5000\"], "
	"connections: 3, "
	"reserve: 20%}\n"
	"  ecr.aws: {helper: ecr-login, mirrors: [\"https://mirror.lan\"], mirrors-only: true}\n"
	"  ghcr.io: {anonymous: true, requests-per-second: 0.01, proxy: \"socks5h://[::1]:1080\", cert-file: "
	"c.pem, "
	"key-file: c.key}\n"
	"  \"registry.lan:5000\": {ca-file: lan.pem, insecure: true, username: bot, password: {file: pw}}\n"
	"sinks:\n"
	"  broker: {type: mqtt, url: \"mqtts://broker.lan:8883\", username: bw, password: {env: "
	"MQTT_PASSWORD}, qos: 2}\n"
	"  ci:\n"
	"    type: webhook\n"
	"    url: \"https://ci.lan/hooks/base?token=hunter2\"\n"
	"    secrets: [{file: /run/secrets/hook}, {env: OLD}]\n"
	"    headers: {X-Team: web, X-Number: 5, Authorization: {env: CI_AUTH}}\n"
	"    events: [rebuild.requested]\n"
	"    confirms: true\n"
	"rules:\n"
	"  - match: {sources: [shop], roles: [final], classes: [content, index], bases: [\"docker.io/**\"]}\n"
	"    sinks: [ci]\n"
	"  - sinks: []\n";

static void check_sources(const struct bw_conf *c)
{
	assert_int_equal(c->sources.count, 3);
	assert_string_equal(c->sources.items[0].path, "/conf/src/shop");
	assert_string_equal(bw_conf_source_name(&c->sources.items[0]), "shop");
	assert_string_equal(c->sources.items[0].exclude.items[0], "vendor");
	assert_string_equal(c->sources.items[0].include.items[0], "**");
	assert_string_equal(c->sources.items[1].git, "https://bot:hunter2@github.com/acme/api.git");
	assert_int_equal(c->sources.items[1].branches.count, 2);
	assert_string_equal(c->sources.items[1].branches.items[1], "release/*");
	assert_string_equal(c->sources.items[2].git, "/conf/../repo.git");
	assert_string_equal(c->sources.items[2].branches.items[0], "HEAD");
}

static void check_build(const struct bw_conf_build *b)
{
	assert_string_equal(b->file, "web/Dockerfile");
	assert_string_equal(b->target, "runtime");
	assert_int_equal(b->args.count, 3);
	assert_string_equal(b->args.items[0].name, "NODE_VERSION");
	assert_string_equal(b->args.items[0].value, "1.10");
	assert_string_equal(b->args.items[1].value, "no");
	assert_string_equal(b->args.items[2].value, "");
	assert_string_equal(b->contexts.items[0].value, "docker-image://ghcr.io/acme/assets:1");
	assert_string_equal(b->platforms.items[1], "linux/arm/v7");
	assert_string_equal(b->image, "ghcr.io/acme/web:latest");
	assert_string_equal(b->labels.items[0].name, "team");
}

static void check_registries(const struct bw_conf *c)
{
	const struct bw_conf_registry *all = &c->registries.items[0], *hub = &c->registries.items[1],
				      *ecr = &c->registries.items[2], *ghcr = &c->registries.items[3],
				      *lan = &c->registries.items[4];

	assert_string_equal(all->host, "*");
	assert_int_equal(all->connections, 2);
	assert_int_equal(all->in_flight, 8);
	assert_int_equal(all->requests_per_second, 2500);
	assert_int_equal(all->reserve_percent, 0);
	assert_string_equal(all->proxy, "none");
	assert_int_equal(hub->mirrors.count, 2);
	assert_string_equal(hub->mirrors.items[0], "https://mirror.lan/hub?ns=docker.io");
	assert_string_equal(hub->mirrors.items[1], "http://localhost:5000");
	assert_int_equal(hub->connections, 3);
	assert_int_equal(hub->reserve_percent, 20);
	assert_false(hub->mirrors_only);
	assert_string_equal(ecr->helper, "ecr-login");
	assert_true(ecr->mirrors_only);
	assert_true(ghcr->anonymous);
	assert_int_equal(ghcr->requests_per_second, 10);
	assert_string_equal(ghcr->proxy, "socks5h://[::1]:1080");
	assert_string_equal(ghcr->cert_file, "/conf/c.pem");
	assert_string_equal(ghcr->key_file, "/conf/c.key");
	assert_int_equal(lan->connections, 0);
	assert_int_equal(lan->in_flight, 0);
	assert_int_equal(lan->requests_per_second, 0);
	assert_int_equal(lan->reserve_percent, -1);
	assert_null(lan->proxy);
	assert_string_equal(lan->ca_file, "/conf/lan.pem");
	assert_string_equal(lan->password.file, "/conf/pw");
	assert_true(lan->insecure);
}

static void check_sinks(const struct bw_conf *c)
{
	const struct bw_conf_sink *broker = &c->sinks.items[0], *ci = &c->sinks.items[1];

	assert_string_equal(broker->name, "broker");
	assert_int_equal(broker->type, BW_CONF_MQTT);
	assert_string_equal(broker->prefix, "basewatch");
	assert_string_equal(broker->password.env, "MQTT_PASSWORD");
	assert_int_equal(broker->qos, 2);
	assert_int_equal(broker->events, 15);
	assert_int_equal(broker->expire_ms, 7 * 86400000LL);
	assert_int_equal(ci->type, BW_CONF_WEBHOOK);
	assert_int_equal(ci->secrets.count, 2);
	assert_string_equal(ci->secrets.items[0].file, "/run/secrets/hook");
	assert_string_equal(ci->headers.items[1].value.text, "5");
	assert_null(ci->headers.items[2].value.text);
	assert_string_equal(ci->headers.items[2].value.secret.env, "CI_AUTH");
	assert_int_equal(ci->events, 2);
	assert_int_equal(ci->timeout_ms, 30000);
	assert_true(ci->confirms);
	assert_false(ci->allow_link_local);
}

static void check_rules(const struct bw_conf *c)
{
	const struct bw_conf_match *m = &c->rules.items[0].match;

	assert_int_equal(c->rules.count, 2);
	assert_string_equal(m->sources.items[0], "shop");
	assert_int_equal(m->roles, 1U << BW_ROLE_FINAL);
	assert_int_equal(m->classes, 1U << BW_CLASS_CONTENT | 1U << BW_CLASS_INDEX);
	assert_string_equal(m->bases.items[0], "docker.io/**");
	assert_int_equal(c->rules.items[0].sinks.count, 1);
	assert_int_equal(c->rules.items[1].sinks.count, 0);
	assert_string_equal(c->rules.items[1].match.sources.items[0], "*");
}

static void every_key_becomes_its_value(void **state)
{
	struct bw_conf *c = parse(full);

	(void)state;
	assert_string_equal(c->instance, "farm");
	assert_string_equal(c->state, "/conf/lib/state");
	check_sources(c);
	check_build(&c->builds.items[0]);
	assert_int_equal(c->poll.every_ms, 1000);
	assert_int_equal(c->poll.jitter_percent, 0);
	assert_int_equal(c->poll.minimum_distance_ms, 0);
	assert_int_equal(c->reminders.every_ms, 7 * 86400000LL);
	check_registries(c);
	check_sinks(c);
	check_rules(c);
	bw_conf_free(c);
}

static void the_words_are_those_of_the_rooms_that_act_on_them(void **state)
{
	struct bw_conf_rule r;

	(void)state;
	for (unsigned i = 0; i < BW_ROLE_COUNT; i++)
		assert_string_equal(bw_conf_roles[i], bw_role_name((enum bw_role)i));
	assert_null(bw_conf_roles[BW_ROLE_COUNT]);
	bw_conf_rule_default(&r);
	for (unsigned i = 0; i < BW_CLASS_COUNT; i++) {
		assert_string_equal(bw_conf_classes[i], bw_class_name((enum bw_class)i));
		assert_int_equal(r.match.classes >> i & 1U, bw_class_counts((enum bw_class)i));
	}
	assert_null(bw_conf_classes[BW_CLASS_COUNT]);
	assert_int_equal(r.match.roles >> BW_ROLE_FRONTEND & 1U, 0);
	assert_int_equal(r.match.roles >> BW_ROLE_CONTEXT & 1U, 1);
	assert_string_equal(r.sinks.items[0], "*");
	bw_conf_rule_done(&r);
}

static char *show(const char *text, enum bw_conf_format format)
{
	struct bw_conf *c = parse(text);
	struct bw_buf out;

	bw_buf_init(&out, 1U << 20);
	bw_conf_show(c, format, &out);
	assert_false(out.overflow);
	bw_conf_free(c);
	return bw_buf_take(&out, NULL);
}

static void what_is_shown_has_all_defaults_and_no_secret(void **state)
{
	static const struct {
		const char *text, *golden;
		enum bw_conf_format format;
	} cases[] = {
		{full, "config-show.yaml", BW_CONF_YAML},
		{full, "config-show.json", BW_CONF_JSON},
		{"", "config-show-nothing.yaml", BW_CONF_YAML},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		BW_AUTOFREE char *shown = show(cases[i].text, cases[i].format);
		struct golden g;

		assert_null(strstr(shown, "hunter2"));
		golden_begin(&g);
		fputs(shown, g.out);
		golden_end(&g, cases[i].golden);
	}
}

static void what_is_shown_is_a_configuration_that_shows_the_same(void **state)
{
	static const char odd[] =
		"instance: \"0x1f\"\n"
		"builds: [{source: \"1\", file: \"yes\", args: {a: \"\\u0085\\u202e\\\"\\\\\", b: \"1e3\", "
		"c: \"- x: # y\"}}]\n"
		"sources: [{path: \"/a b/\xc3\xa9\", name: \"1\", include: [\"*\", \"[a]\", \"&x\"]}]\n";
	static const char *const texts[] = {full, odd, ""};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(texts); i++) {
		BW_AUTOFREE char *yaml = show(texts[i], BW_CONF_YAML);
		BW_AUTOFREE char *json = show(texts[i], BW_CONF_JSON);
		BW_AUTOFREE char *yaml_again = show(json, BW_CONF_YAML);
		BW_AUTOFREE char *json_again = show(yaml, BW_CONF_JSON);

		assert_string_equal(yaml, yaml_again);
		assert_string_equal(json, json_again);
	}
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void expect_problem(const char *text, size_t len, const char *wanted)
{
	BW_AUTOBUF struct bw_buf got;

	bw_buf_init(&got, 64U << 10);
	assert_int_equal(problems_of(text, len, 0, &got), BW_E_CONFIG);
	if (!strstr(bw_buf_str(&got), wanted))
		fail_msg("'%s' is not in: %s", wanted, bw_buf_str(&got));
}

static void aliases_are_copies_that_count(void **state)
{
	struct bw_conf *c = parse("sources: [{path: /a, exclude: &x [v, w]}, {path: /b, exclude: *x}]");
	BW_AUTOBUF struct bw_buf bomb;

	(void)state;
	assert_string_equal(c->sources.items[1].exclude.items[1], "w");
	bw_conf_free(c);
	bw_buf_init(&bomb, 4096);
	(void)bw_buf_adds(&bomb, "a: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++)
		(void)bw_buf_addf(&bomb, "b%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
				  i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	expect_problem(bomb.data, bomb.len, "too much: more than 100000 values, aliases expanded");
}

static void what_is_too_deep_too_much_or_too_large_is_refused(void **state)
{
	BW_AUTOBUF struct bw_buf text;

	(void)state;
	bw_buf_init(&text, 8U << 20);
	for (int i = 0; i < 1000; i++)
		(void)bw_buf_addc(&text, '[');
	expect_problem(text.data, text.len, "1:33: nested too deep: at most 32 levels");
	bw_buf_clear(&text);
	for (size_t i = 0; i < 100001; i++)
		(void)bw_buf_adds(&text, "- \n");
	expect_problem(text.data, text.len, "too much");
	bw_buf_clear(&text);
	while (text.len <= BW_CONF_MAX_BYTES)
		(void)bw_buf_adds(&text, "# comment\n");
	expect_problem(text.data, text.len, "too large: more than 1 MiB");
}

static void a_hundred_problems_are_listed_and_all_are_counted(void **state)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;
	BW_AUTOBUF struct bw_buf text;

	(void)state;
	bw_buf_init(&text, 1U << 20);
	for (int i = 0; i < 250; i++)
		(void)bw_buf_addf(&text, "wrong%d: 1\n", i);
	assert_int_equal(bw_conf_parse(text.data, text.len, "/", 0, &c, &problems, &err), BW_E_CONFIG);
	assert_int_equal(problems.count, BW_CONF_MAX_PROBLEMS);
	assert_int_equal(problems.errors, 250);
	assert_string_equal(err.msg, "the configuration has 250 errors");
	bw_conf_problems_done(&problems);
}

/* --- files ------------------------------------------------------------------------------------------ */

static void write_conf(const char *top, const char *inner, const char *text)
{
	free(folder_file(top, inner, text, strlen(text), 0644));
}

static void expect_found(const struct bw_conf_places *places, const char *top, const char *inner)
{
	BW_AUTOFREE char *found = bw_conf_find(places);
	BW_AUTOFREE char *wanted = bw_asprintf("%s/%s", top, inner);

	assert_non_null(found);
	assert_string_equal(found, wanted);
}

static void a_file_is_found_where_it_is_looked_for_and_paths_count_from_there(void **state)
{
	BW_AUTOFREE char *top = folder_new();
	BW_AUTOFREE char *home = bw_asprintf("%s/home", top);
	BW_AUTOFREE char *xdg = bw_asprintf("%s/xdg", top);
	BW_AUTOFREE char *path = bw_asprintf("%s/basewatch/basewatch.yaml", top);
	struct bw_conf_places places = {.xdg_config_home = xdg, .home = home, .etc = top};
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	(void)state;
	assert_null(bw_conf_find(&places));
	write_conf(top, "basewatch/basewatch.yaml", "state: here\n");
	expect_found(&places, top, "basewatch/basewatch.yaml");
	assert_int_equal(bw_conf_load(path, 0, &c, &problems, &err), 0);
	assert_true(bw_text_starts(c->state, top) && bw_text_ends(c->state, "/basewatch/here"));
	bw_conf_free(c);
	write_conf(top, "home/.config/basewatch/basewatch.yaml", "{}");
	expect_found(&places, top,
		     "basewatch/basewatch.yaml"); /* the variable is set: no other place in the home folder */
	write_conf(top, "xdg/basewatch/basewatch.yaml", "{}");
	expect_found(&places, top, "xdg/basewatch/basewatch.yaml");
	places.xdg_config_home = "";
	expect_found(&places, top, "home/.config/basewatch/basewatch.yaml");
	folder_free(top);
}

static void a_file_that_is_not_there_or_no_file_is_told(void **state)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	(void)state;
	assert_int_equal(bw_conf_load("/nowhere/basewatch.yaml", 0, &c, &problems, &err), BW_E_GONE);
	assert_string_equal(err.msg, "there is no file /nowhere/basewatch.yaml");
	assert_int_equal(problems.count, 0);
	err = BW_ERR_INIT;
	assert_int_equal(bw_conf_load("/tmp", 0, &c, &problems, &err), BW_E_CONFIG);
	assert_string_equal(err.msg, "/tmp: the configuration has 1 error");
	assert_non_null(strstr(problems.items[0].text, "Is a directory"));
	bw_conf_problems_done(&problems);
}

static void who_looks_outside_is_told_what_is_not_there(void **state)
{
	static const char text[] =
		"sources: [{path: nowhere}, {git: nothing.git}]\n"
		"registries: {r.io: {ca-file: /nowhere.pem, username: u, password: {env: BW_TEST_UNSET}}}\n";
	BW_AUTOBUF struct bw_buf got;

	(void)state;
	unsetenv("BW_TEST_UNSET");
	bw_buf_init(&got, 64U << 10);
	assert_int_equal(problems_of(text, strlen(text), BW_CONF_LOOK, &got), 0);
	assert_string_equal(
		bw_buf_str(&got),
		"1:18: warning: sources[0].path: /conf/nowhere cannot be read: No such file or directory\n"
		"1:34: warning: sources[1].git: /conf/nothing.git cannot be read: No such file or directory\n"
		"2:30: warning: registries.\"r.io\".ca-file: /nowhere.pem cannot be read: No such file or "
		"directory\n"
		"2:67: warning: registries.\"r.io\".password: the environment variable BW_TEST_UNSET is not "
		"set");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_problem_of_a_file_has_its_place_its_key_and_what_was_expected),
		cmocka_unit_test(nothing_configured_means_the_defaults),
		cmocka_unit_test(every_key_becomes_its_value),
		cmocka_unit_test(the_words_are_those_of_the_rooms_that_act_on_them),
		cmocka_unit_test(what_is_shown_has_all_defaults_and_no_secret),
		cmocka_unit_test(what_is_shown_is_a_configuration_that_shows_the_same),
		cmocka_unit_test(aliases_are_copies_that_count),
		cmocka_unit_test(what_is_too_deep_too_much_or_too_large_is_refused),
		cmocka_unit_test(a_hundred_problems_are_listed_and_all_are_counted),
		cmocka_unit_test(a_file_is_found_where_it_is_looked_for_and_paths_count_from_there),
		cmocka_unit_test(a_file_that_is_not_there_or_no_file_is_told),
		cmocka_unit_test(who_looks_outside_is_told_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
