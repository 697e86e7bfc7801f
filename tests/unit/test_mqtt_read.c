#include "unit/unit.h"

#include <string.h>

#include "notify/mqtt_read.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EVENT  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void text_members_of_an_event_are_its_attributes(void **state)
{
	static const char event[] =
		"{\"specversion\":\"1.0\",\"id\":\"x\",\"data\":{\"id\":\"y\"},\"Bad-Name\":\"z\",\"n\":1}";
	struct bw_mqtt_property p[BW_MQTT_MAX_ATTRIBUTES];
	json_t *root;

	(void)state;
	assert_int_equal(bw_mqtt_read_attributes(event, strlen(event), p, &root), 2);
	assert_string_equal(p[0].name, "specversion");
	assert_string_equal(p[1].value, "x");
	json_decref(root);
	assert_int_equal(bw_mqtt_read_attributes("[1]", 3, p, &root), 0);
	json_decref(root);
	assert_int_equal(bw_mqtt_read_attributes("{", 1, p, &root), 0);
	assert_null(root);
}

static void a_message_on_done_names_a_build_and_a_digest(void **state)
{
	static const char good[] = "{\"build\":\"shop/web\",\"digest\":\"" DIGEST "\",\"more\":[]}";
	struct bw_mqtt_rebuilt r = {0};
	struct bw_err err = BW_ERR_INIT;
	json_t *root = NULL;

	(void)state;
	assert_int_equal(bw_mqtt_read_rebuilt(good, strlen(good), &r, &root, &err), 0);
	assert_string_equal(r.build, "shop/web");
	assert_string_equal(r.digest, DIGEST);
	json_decref(root);
}

static void an_event_stands_for_its_build_and_digests(void **state)
{
	static const struct {
		const char *payload, *build;
	} rows[] = {
		{"{\"event\":\"" EVENT "\"}", NULL},
		{"{\"event\":\"" EVENT "\",\"build\":null,\"digest\":null}", NULL},
		{"{\"event\":\"" EVENT "\",\"build\":\"b\"}", "b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bw_mqtt_rebuilt r = {.digest = "?"};
		struct bw_err err = BW_ERR_INIT;
		json_t *root = NULL;

		assert_int_equal(
			bw_mqtt_read_rebuilt(rows[i].payload, strlen(rows[i].payload), &r, &root, &err), 0);
		assert_string_equal(r.event, EVENT);
		assert_null(r.digest);
		if (rows[i].build)
			assert_string_equal(r.build, rows[i].build);
		else
			assert_null(r.build);
		json_decref(root);
	}
}

static void nonsense_on_done_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *payload, *message;
	} rows[] = {
		{"", "no JSON: "},
		{"{\"build\":\"a\",\"build\":\"b\"}", "no JSON: duplicate"},
		{"[]", "it is not {\"build\""},
		{"{\"digest\":\"" DIGEST "\"}", "it is not {\"build\""},
		{"{\"build\":\"\",\"digest\":\"" DIGEST "\"}", "it is not {\"build\""},
		{"{\"build\":\"a\",\"digest\":\"sha256:00\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "0\"}", "it is not {\"build\""},
		{"{\"event\":\"sha256\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "\",\"digest\":\"" DIGEST "\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "\",\"build\":\"\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "\",\"build\":7}", "it is not {\"build\""},
		{"{\"build\":\"a\",\"digest\":\"" DIGEST "0\"}", "it is not {\"build\""},
		{"{\"build\":\"a\\u0000b\",\"digest\":\"" DIGEST "\"}", "no JSON: "},
	};
	char large[BW_MQTT_MAX_REBUILT + 1];

	(void)state;
	memset(large, ' ', sizeof(large));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bw_mqtt_rebuilt r = {0};
		struct bw_err err = BW_ERR_INIT;
		json_t *root = NULL;

		assert_int_equal(
			bw_mqtt_read_rebuilt(rows[i].payload, strlen(rows[i].payload), &r, &root, &err),
			BW_E_PEER);
		assert_memory_equal(err.msg, rows[i].message, strlen(rows[i].message));
		assert_null(root);
	}
	{
		struct bw_mqtt_rebuilt r = {0};
		struct bw_err err = BW_ERR_INIT;
		json_t *root = NULL;

		assert_int_equal(bw_mqtt_read_rebuilt(large, sizeof(large), &r, &root, &err), BW_E_PEER);
		assert_string_equal(err.msg, "4097 bytes, at most 4096 are read");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_members_of_an_event_are_its_attributes),
		cmocka_unit_test(a_message_on_done_names_a_build_and_a_digest),
		cmocka_unit_test(an_event_stands_for_its_build_and_digests),
		cmocka_unit_test(nonsense_on_done_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
