/* The CloudEvents that are made of facts: byte by byte, one id for one fact, and whatever the world calls its images. */
#include "unit/unit.h"

#include <string.h>

#include "core/mem.h"
#include "store/identity.h"
#include "watch/event.h"

#define UUID "6b1d3a52-1111-4222-8333-444455556666"
#define A    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B    "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char hub[] = "docker.io", debian[] = "library/debian", twelve[] = "12", b_digest[] = B, a_digest[] = A;

static struct bw_fact_base base_at(uint32_t number, char *digest)
{
	return (struct bw_fact_base){.id = 7,
				     .registry = hub,
				     .repository = debian,
				     .tag = twelve,
				     .number = number,
				     .digest = digest};
}

static struct bw_told make(const struct bw_event_options *o, const struct bw_fact *f)
{
	struct bw_told told = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_teller t;

	bw_event_teller(o, &t);
	if (t.fn(f, t.arg, &told, &err) < 0)
		fail_msg("%s", err.msg);
	return told;
}

static void drop(struct bw_told *t)
{
	free(t->subject);
	free(t->json);
	free(t->sinks);
	free(t->suppressed);
}

static const struct bw_event_options farm = {.instance = "build-farm"};

/* A fact's event, without the id, which hides what is to be read. */
static void expect_event(const struct bw_fact *f, const char *subject, const char *head, const char *data)
{
	struct bw_told t = make(&farm, f);
	BW_AUTOFREE char *wanted = bw_asprintf(
		"{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/basewatch/build-farm\",\"type\":\"%s\","
		"\"subject\":\"%s\",\"time\":\"1970-01-01T00:01:40Z\",\"datacontenttype\":\"application/"
		"json\","
		"\"dataschema\":\"urn:basewatch:schema:event:1\",\"data\":{%s}}",
		t.id, head, subject, data);

	assert_string_equal(t.json, wanted);
	assert_string_equal(t.type, head);
	assert_string_equal(t.subject, subject);
	assert_int_equal(strlen(t.id), 64);
	assert_int_equal(strspn(t.id, "0123456789abcdef"), 64);
	drop(&t);
}

#define BASE                                                                                  \
	"\"base\":\"docker.io/library/debian:12\",\"registry\":\"docker.io\",\"repository\":" \
	"\"library/debian\",\"tag\":\"12\","

static const struct bw_digest from_a = {A};

static void a_change_says_from_where_to_where_and_what_it_means(void **state)
{
	const struct bw_comparison platforms[] = {{from_a, "linux/amd64", BW_CLASS_CONTENT, "3 of 5 layers"},
						  {from_a, NULL, BW_CLASS_INDEX, ""},
						  {{B}, NULL, BW_CLASS_CONFIG, "of an older one"}};
	const struct bw_change change = {.from = from_a,
					 .class = BW_CLASS_CONTENT,
					 .moved = "3 of 5 layers",
					 .comparisons = platforms,
					 .comparison_count = 3};
	struct bw_fact_base b = base_at(2, b_digest);
	struct bw_fact f = {.kind = BW_FACT_CHANGED,
			    .uuid = UUID,
			    .at_ms = 100000,
			    .base = &b,
			    .from = &from_a,
			    .change = &change};

	(void)state;
	expect_event(&f, "docker.io/library/debian:12", "io.basewatch.base.changed",
		     BASE "\"number\":2,\"from\":\"" A "\",\"to\":\"" B
			  "\",\"class\":\"content\",\"moved\":\"3 of 5 layers\",\"platforms\":["
			  "{\"platform\":\"linux/amd64\",\"class\":\"content\",\"moved\":\"3 of 5 layers\"},"
			  "{\"platform\":null,\"class\":\"index\",\"moved\":null}]");
	f.change = NULL;
	expect_event(&f, "docker.io/library/debian:12", "io.basewatch.base.changed",
		     BASE "\"number\":2,\"from\":\"" A "\",\"to\":\"" B
			  "\",\"class\":\"unclassified\",\"moved\":null,\"platforms\":[]");
}

static void trouble_and_its_end_are_told(void **state)
{
	const struct bw_fact_trouble trouble = {
		.trouble = BW_TROUBLE_DNS, .message = "no \"host\"\n", .failures = 3, .since_ms = 40000};
	struct bw_fact_base b = base_at(0, NULL);
	struct bw_fact f = {
		.kind = BW_FACT_UNREACHABLE, .uuid = UUID, .at_ms = 100000, .base = &b, .trouble = &trouble};

	(void)state;
	expect_event(&f, "docker.io/library/debian:12", "io.basewatch.base.unreachable",
		     BASE
		     "\"number\":null,\"digest\":null,\"trouble\":\"dns\",\"message\":\"no \\\"host\\\"\\n\","
		     "\"failures\":3,\"since\":\"1970-01-01T00:00:40Z\"");
	f.kind = BW_FACT_RECOVERED;
	b = base_at(1, a_digest);
	expect_event(&f, "docker.io/library/debian:12", "io.basewatch.base.recovered",
		     BASE "\"number\":1,\"digest\":\"" A "\"");
}

static void a_test_says_that_it_is_one_and_has_an_id_of_its_own(void **state)
{
	struct bw_event_trial x = {.sink = "ci \"1\"", .at_ms = 100000, .random = 1};
	struct bw_err err = BW_ERR_INIT;
	struct bw_told one, again, other;

	(void)state;
	assert_int_equal(bw_event_make_test(&x, &farm, &one, &err), 0);
	BW_AUTOFREE char *wanted = bw_asprintf(
		"{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/basewatch/build-farm\",\"type\":"
		"\"io.basewatch.sink.test\",\"subject\":\"sink:ci "
		"\\\"1\\\"\",\"time\":\"1970-01-01T00:01:40Z\","
		"\"datacontenttype\":\"application/json\",\"dataschema\":\"urn:basewatch:schema:event:1\","
		"\"data\":{\"test\":true,\"sink\":\"ci \\\"1\\\"\"}}",
		one.id);
	assert_string_equal(one.json, wanted);
	assert_string_equal(one.type, "io.basewatch.sink.test");
	assert_string_equal(one.subject, "sink:ci \"1\"");
	assert_int_equal(strlen(one.id), 64);
	assert_int_equal(bw_event_make_test(&x, &farm, &again, &err), 0);
	assert_string_equal(again.id, one.id);
	x.random = 2;
	assert_int_equal(bw_event_make_test(&x, &farm, &other, &err), 0);
	assert_string_not_equal(other.id, one.id);
	drop(&one);
	drop(&again);
	drop(&other);
}

/* --- requests --------------------------------------------------------------------------------- */

struct request {
	struct bw_fact_use uses[2];
	struct bw_fact_outstanding base;
	struct bw_fact_request request;
	struct bw_fact fact;
};

static char role[] = "final", copy[] = "copy", stage[] = "web", amd64[] = "linux/amd64", shop[] = "shop",
	    path[] = "web/Dockerfile", target[] = "runtime", none[] = "",
	    url[] = "https://x.example/shop.git", branch[] = "main", commit[] = "c0ffee", moved[] = "layers",
	    image[] = "ghcr.io/acme/web", labels[] = "{\"a\":\"1\",\"team\":\"\\\"web\\\"\"}",
	    patch[] = "--- a/x\n+++ b/x\n";

static void make_request(struct request *r)
{
	*r = (struct request){
		.uses = {{.line = 3, .role = role, .stage = stage, .platform = amd64},
			 {.line = 9, .role = copy, .platform = amd64, .pinned = a_digest, .patch = patch}},
		.base = {.base = base_at(4, b_digest),
			 .from = a_digest,
			 .class = BW_CLASS_CONFIG,
			 .moved = moved,
			 .since_ms = 50000,
			 .use_count = 2},
		.request = {.build_id = 1,
			    .source = shop,
			    .path = path,
			    .target = target,
			    .url = url,
			    .branch = branch,
			    .commit = commit,
			    .image = image,
			    .labels = labels,
			    .base_count = 1,
			    .omitted = 5},
		.fact = {.kind = BW_FACT_REQUESTED, .uuid = UUID, .at_ms = 100000},
	};
	r->base.uses = r->uses;
	r->request.bases = &r->base;
	r->fact.request = &r->request;
}

static void a_request_says_all_that_a_job_needs(void **state)
{
	char id[BW_BUILD_ID_MAX];
	struct request r;
	BW_AUTOFREE char *data = NULL;

	(void)state;
	make_request(&r);
	bw_identity_of_build(UUID, "shop", "web/Dockerfile", "runtime", id);
	assert_int_equal(strlen(id), 32);
	data = bw_asprintf(
		"\"build\":\"%s\",\"source\":\"shop\",\"repository\":\"https://x.example/shop.git\","
		"\"branch\":\"main\",\"commit\":\"c0ffee\",\"file\":\"web/"
		"Dockerfile\",\"target\":\"runtime\",\"image\":\"ghcr.io/acme/web\",\"labels\":{\"a\":\"1\","
		"\"team\":\"\\\"web\\\"\"},"
		"\"platforms\":[\"linux/amd64\"],\"bases\":[{" BASE "\"number\":4,\"from\":\"" A
		"\",\"to\":\"" B
		"\",\"class\":\"config\",\"moved\":\"layers\",\"since\":\"1970-01-01T00:00:50Z\",\"uses\":["
		"{\"line\":3,\"role\":\"final\",\"stage\":\"web\",\"platform\":\"linux/"
		"amd64\",\"pinned\":null,\"patch\":null},"
		"{\"line\":9,\"role\":\"copy\",\"stage\":null,\"platform\":\"linux/amd64\",\"pinned\":\"" A
		"\",\"patch\":\"--- a/x\\n+++ b/x\\n\"}]}],\"omitted\":5,\"reminder\":0",
		id);
	expect_event(&r.fact, "shop:web/Dockerfile@runtime", "io.basewatch.rebuild.requested", data);
}

static void what_is_no_object_of_texts_is_no_label(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{NULL, "{}"},
		{"", "{}"},
		{"{", "{}"},
		{"[\"a\"]", "{}"},
		{"{\"a\":1,\"b\":\"\\u001b\\n\",\"c\":null}", "{\"b\":\"\\u001b\\n\"}"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		BW_AUTOFREE char *text = bw_strdup_null(cases[i].text);
		BW_AUTOFREE char *shown = bw_asprintf(",\"labels\":%s,\"platforms\":", cases[i].shown);
		struct request r;
		struct bw_told t;

		make_request(&r);
		r.request.labels = text;
		t = make(&farm, &r.fact);
		if (!strstr(t.json, shown))
			fail_msg("no %s in %s", shown, t.json);
		drop(&t);
	}
}

static void a_build_is_named_by_all_that_it_is(void **state)
{
	char ids[5][BW_BUILD_ID_MAX];

	(void)state;
	bw_identity_of_build(UUID, "s", "p", "t", ids[0]);
	bw_identity_of_build(UUID, "sp", "", "t", ids[1]);
	bw_identity_of_build(UUID, "s", "pt", "", ids[2]);
	bw_identity_of_build(UUID, "", "s", "pt", ids[3]);
	bw_identity_of_build("other", "s", "p", "t", ids[4]);
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
}

/* --- ids -------------------------------------------------------------------------------------- */

static void expect_same_id(const struct bw_fact *x, const struct bw_fact *y, bool same)
{
	struct bw_told first = make(&farm, x), second = make(&farm, y);

	assert_int_equal(strcmp(first.id, second.id) == 0, same);
	drop(&first);
	drop(&second);
}

static void one_fact_has_one_id_whoever_tells_it_and_when(void **state)
{
	const struct bw_event_options other = {0};
	struct bw_fact_base b = base_at(2, b_digest);
	struct bw_fact f = {
		.kind = BW_FACT_CHANGED, .uuid = UUID, .at_ms = 100000, .base = &b, .from = &from_a};
	struct bw_told x = make(&farm, &f), y;

	(void)state;
	f.at_ms = 200000;
	y = make(&other, &f);
	assert_string_equal(x.id, y.id);
	assert_non_null(strstr(y.json, "\"source\":\"/basewatch/localhost\""));
	drop(&x);
	drop(&y);
}

static void other_facts_have_other_ids(void **state)
{
	struct bw_fact_base b = base_at(2, b_digest), later = base_at(4, b_digest);
	const struct bw_fact_trouble first = {.since_ms = 1}, second = {.since_ms = 2};
	struct bw_fact f = {.kind = BW_FACT_CHANGED, .uuid = UUID, .at_ms = 1, .base = &b, .from = &from_a};
	struct bw_fact g = f;
	struct request r, q;

	(void)state;
	g.base = &later; /* A -> B -> A -> B */
	expect_same_id(&f, &g, false);
	g = f;
	g.uuid = "other";
	expect_same_id(&f, &g, false);
	f.kind = g.kind = BW_FACT_UNREACHABLE;
	g.uuid = f.uuid;
	f.trouble = &first;
	g.trouble = &second;
	expect_same_id(&f, &g, false);
	g.trouble = &first;
	g.at_ms = 9;
	expect_same_id(&f, &g, true);
	f.kind = g.kind = BW_FACT_RECOVERED;
	expect_same_id(&f, &g, false);
	make_request(&r);
	make_request(&q);
	expect_same_id(&r.fact, &q.fact, true);
	q.base.base.number = 6;
	expect_same_id(&r.fact, &q.fact, false);
}

/* --- rules ------------------------------------------------------------------------------------ */

#define ALL 0xffU

static const char *const nobody[] = {NULL}, *const chat[] = {"chat", NULL},
			 *const ci[] = {"ci", "chat", NULL};

/* "chat ci", "*" for all, "(why)" for nobody. */
static void expect_owed(const struct bw_rule *items, size_t count, const struct bw_fact *f,
			const char *wanted)
{
	const struct bw_rules rules = {items, count};
	const struct bw_event_options o = {.rules = &rules};
	struct bw_told t = make(&o, f);
	BW_AUTOBUF struct bw_buf got;

	bw_buf_init(&got, 1000);
	if (t.suppressed)
		bw_buf_addf(&got, "(%s)", t.suppressed);
	else if (!t.sinks)
		bw_buf_addc(&got, '*');
	for (size_t i = 0; t.sinks && t.sinks[i]; i++)
		bw_buf_addf(&got, "%s%s", i > 0 ? " " : "", t.sinks[i]);
	assert_non_null(t.json); /* a suppressed one is kept too */
	assert_string_equal(bw_buf_str(&got), wanted);
	drop(&t);
}

static void a_request_is_owed_to_the_sinks_of_all_its_uses(void **state)
{
	const struct bw_rule rules[] = {{.roles = 1U << BW_ROLE_FINAL, .classes = ALL, .sinks = chat},
					{.roles = 1U << BW_ROLE_COPY, .classes = ALL, .sinks = ci},
					{.roles = 1U << BW_ROLE_COPY, .classes = ALL}};
	struct request r;

	(void)state;
	make_request(&r);
	expect_owed(rules, 2, &r.fact, "chat ci");
	expect_owed(rules, 1, &r.fact, "*"); /* the default rule, for the copy */
	expect_owed(rules + 1, 1, &r.fact, "*");
	expect_owed(rules, 0, &r.fact, "*");
	r.base.use_count = 1;
	expect_owed(rules, 1, &r.fact, "chat");
}

static void what_rules_suppress_says_which(void **state)
{
	const struct bw_rule rules[] = {{.roles = 1U << BW_ROLE_COPY, .classes = ALL, .sinks = nobody},
					{.roles = 1U << BW_ROLE_FINAL, .classes = ALL, .sinks = nobody}};
	static char odd[] = "odd";
	struct request r;

	(void)state;
	make_request(&r);
	expect_owed(rules, 2, &r.fact, "(rules 2, 1 name no sinks)");
	expect_owed(rules, 1, &r.fact, "*");
	r.base.use_count = 1;
	expect_owed(rules, 2, &r.fact, "(rule 2 names no sinks)");
	r.uses[0].class = BW_CLASS_INDEX;
	expect_owed(rules, 1, &r.fact, "(no rule counts it)");
	r.uses[0].class = BW_CLASS_CONTENT;
	r.uses[0].role = odd; /* of a newer program */
	expect_owed(rules, 2, &r.fact, "(no rule counts it)");
}

static void events_of_bases_are_owed_to_all_or_nobody(void **state)
{
	static const char *const debians[] = {"docker.io/library/debian:*", NULL};
	const struct bw_rule rules[] = {{.roles = ALL, .classes = ALL, .bases = debians, .sinks = nobody},
					{.roles = ALL, .classes = ALL, .sinks = ci}};
	const struct bw_fact_trouble trouble = {.since_ms = 1};
	struct bw_fact_base b = base_at(2, b_digest);
	struct bw_fact f = {.kind = BW_FACT_CHANGED, .uuid = UUID, .base = &b, .from = &from_a};

	(void)state;
	expect_owed(rules, 2, &f, "(rule 1 names no sinks)");
	expect_owed(rules + 1, 1, &f, "*");
	f.kind = BW_FACT_RECOVERED;
	expect_owed(rules, 2, &f, "(rule 1 names no sinks)");
	f.kind = BW_FACT_UNREACHABLE;
	f.trouble = &trouble;
	expect_owed(rules, 2, &f, "(rule 1 names no sinks)");
	b.tag = stage;
	expect_owed(rules, 1, &f, "(rule 1 names no sinks)");
	b.registry = shop;
	expect_owed(rules, 1, &f, "*");
}

static void what_is_suppressed_and_each_reminder_are_events_of_their_own(void **state)
{
	const struct bw_rule rule = {.roles = ALL, .classes = ALL, .sinks = nobody};
	const struct bw_rules rules = {&rule, 1};
	const struct bw_event_options silent = {.rules = &rules};
	struct bw_told asked, suppressed;
	struct request r, q;

	(void)state;
	make_request(&r);
	make_request(&q);
	asked = make(&farm, &r.fact);
	suppressed = make(&silent, &r.fact);
	assert_string_not_equal(asked.id, suppressed.id);
	drop(&asked);
	drop(&suppressed);
	q.request.reminder = 1;
	expect_same_id(&r.fact, &q.fact, false);
	asked = make(&farm, &q.fact);
	assert_non_null(strstr(asked.json, ",\"omitted\":5,\"reminder\":1}"));
	drop(&asked);
	r.request.reminder = 2;
	expect_same_id(&r.fact, &q.fact, false);
}

/* --- the world -------------------------------------------------------------------------------- */

static void hostile_names_stay_json_on_one_line(void **state)
{
	static char evil[] = "a\n\x1b[31m\"\\\xff/Dockerfile";
	const struct bw_event_options o = {.instance = "Büro 1/?#%"};
	struct bw_told t;
	struct request r;

	(void)state;
	make_request(&r);
	r.request.path = evil;
	r.request.source = none;
	r.request.target = none;
	r.request.url = NULL;
	t = make(&o, &r.fact);
	assert_string_equal(t.subject, evil);
	assert_null(strpbrk(t.json, "\n\x1b\xff"));
	assert_non_null(strstr(t.json, "\"source\":\"/basewatch/B%C3%BCro%201%2F%3F%23%25\""));
	assert_non_null(strstr(t.json, "\"source\":null,\"repository\":null"));
	assert_non_null(strstr(t.json, "\"target\":null"));
	drop(&t);
}

static void the_teller_hands_its_options_on(void **state)
{
	const struct bw_rule rules[] = {{.roles = 1U << BW_ROLE_FRONTEND, .classes = 1},
					{.roles = 1, .classes = 1U << BW_CLASS_INDEX}};
	const struct bw_rules first = {rules, 1}, second = {rules + 1, 1};
	struct bw_event_options o = {.unreachable_after = 5};
	struct request r;
	struct bw_teller t;

	(void)state;
	bw_event_teller(&o, &t);
	assert_int_equal(t.unreachable_after, 5);
	assert_false(t.counts_index || t.counts_frontends);
	o.rules = &first;
	bw_event_teller(&o, &t);
	assert_true(!t.counts_index && t.counts_frontends);
	o.rules = &second;
	bw_event_teller(&o, &t);
	assert_true(t.counts_index && !t.counts_frontends);
	make_request(&r);
	r.uses[1].class = BW_CLASS_INDEX;
	assert_int_equal(t.fate(&r.request, &r.base, &r.uses[0], t.arg), BW_USE_ASKED);
	assert_int_equal(t.fate(&r.request, &r.base, &r.uses[1], t.arg), BW_USE_UNCOUNTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_says_from_where_to_where_and_what_it_means),
		cmocka_unit_test(trouble_and_its_end_are_told),
		cmocka_unit_test(a_test_says_that_it_is_one_and_has_an_id_of_its_own),
		cmocka_unit_test(a_request_says_all_that_a_job_needs),
		cmocka_unit_test(what_is_no_object_of_texts_is_no_label),
		cmocka_unit_test(a_build_is_named_by_all_that_it_is),
		cmocka_unit_test(one_fact_has_one_id_whoever_tells_it_and_when),
		cmocka_unit_test(other_facts_have_other_ids),
		cmocka_unit_test(a_request_is_owed_to_the_sinks_of_all_its_uses),
		cmocka_unit_test(what_rules_suppress_says_which),
		cmocka_unit_test(events_of_bases_are_owed_to_all_or_nobody),
		cmocka_unit_test(what_is_suppressed_and_each_reminder_are_events_of_their_own),
		cmocka_unit_test(hostile_names_stay_json_on_one_line),
		cmocka_unit_test(the_teller_hands_its_options_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
