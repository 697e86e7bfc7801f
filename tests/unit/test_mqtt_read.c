#include "unit/unit.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "notify/mqtt_read.h"

#define DIGEST	 "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BUILD	 "0123456789abcdef0123456789abcdef"
#define NO_BUILD "its \"build\" is not the id of one: give data.build of an event (32 hexadecimal digits)"
#define EVENT	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void text_members_of_an_event_are_its_attributes(void **state)
{
	static const char event[] =
		"{\"specversion\":\"1.0\",\"id\":\"x\",\"data\":{\"id\":\"y\"},\"Bad-Name\":\"z\",\"n\":1}";
	struct bw_mqtt_property p[BW_MQTT_MAX_ATTRIBUTES];
	char *text;

	(void)state;
	assert_int_equal(bw_mqtt_read_attributes(event, strlen(event), p, &text), 2);
	assert_string_equal(p[0].name, "specversion");
	assert_string_equal(p[0].value, "1.0");
	assert_string_equal(p[1].name, "id");
	assert_string_equal(p[1].value, "x");
	free(text);
}

static void attributes_are_what_json_says(void **state)
{
	static const struct {
		const char *json, *value; /* of the last attribute */
		size_t count;
	} cases[] = {
		{"{\"a\":\"q\\\"u\\\\o\\u00e9t\\n\"}", "q\"u\\o\xc3\xa9t\n", 1},
		{"{\"data\":[{\"a\":\"}]\\\"\"},[]],\"b\":\"behind\"}", "behind", 1},
		{"{\"a\":\"\",\"b\":null,\"c\":true,\"d\":\",\"}", ",", 2},
		{"{\"a\":\"1\",\"b\":\"nul\\u0000\"}", "1", 1},
		{"{\"a\":\"1\",\"b\":\"\\uZZZZ\",\"c\":\"3\"}", "3", 2},
		{"{\"data\":\"text\"}", NULL, 0},
		{"{\"a\":\"open", NULL, 0},
		{"{\"a\":\"open\\", NULL, 0},
		{"{\"a\":\"", NULL, 0},
		{"{\"a\":", NULL, 0},
		{"{\"a\"", NULL, 0},
		{"{\"", NULL, 0},
		{"{\"a\":[[", NULL, 0},
		{"{,,,,", NULL, 0},
		{"{", NULL, 0},
		{"[1]", NULL, 0},
		{"", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		struct bw_mqtt_property p[BW_MQTT_MAX_ATTRIBUTES];
		char *text;
		size_t count = bw_mqtt_read_attributes(cases[i].json, strlen(cases[i].json), p, &text);

		if (count != cases[i].count || (count > 0 && strcmp(p[count - 1].value, cases[i].value) != 0))
			fail_msg("%s: %zu, %s", cases[i].json, count, count ? p[count - 1].value : "");
		free(text);
	}
}

static void more_attributes_than_there_is_room_for_are_left_out(void **state)
{
	struct bw_mqtt_property p[BW_MQTT_MAX_ATTRIBUTES];
	BW_AUTOBUF struct bw_buf b;
	char *text;

	(void)state;
	bw_buf_init(&b, 4096);
	for (unsigned i = 0; i < BW_MQTT_MAX_ATTRIBUTES + 4; i++)
		bw_buf_addf(&b, "%s\"a%u\":\"%u\"", i == 0 ? "{" : ",", i, i);
	bw_buf_addc(&b, '}');
	assert_int_equal(bw_mqtt_read_attributes(bw_buf_str(&b), b.len, p, &text), BW_MQTT_MAX_ATTRIBUTES);
	free(text);
}

static void a_message_on_done_names_a_build_and_a_digest(void **state)
{
	static const char good[] = "{\"build\":\"" BUILD "\",\"digest\":\"" DIGEST "\",\"more\":[]}";
	struct bw_mqtt_rebuilt r = {0};
	struct bw_err err = BW_ERR_INIT;
	json_t *root = NULL;

	(void)state;
	assert_int_equal(bw_mqtt_read_rebuilt(good, strlen(good), &r, &root, &err), 0);
	assert_string_equal(r.build, BUILD);
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
		{"{\"event\":\"" EVENT "\",\"build\":\"" BUILD "\"}", BUILD},
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

static void the_first_digits_of_an_event_are_enough(void **state)
{
	static const char brief[] = "{\"event\":\"ffffffffffff\"}";
	struct bw_mqtt_rebuilt r = {0};
	struct bw_err err = BW_ERR_INIT;
	json_t *root = NULL;

	(void)state;
	assert_int_equal(bw_mqtt_read_rebuilt(brief, strlen(brief), &r, &root, &err), 0);
	assert_string_equal(r.event, "ffffffffffff");
	json_decref(root);
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
		{"{\"build\":\"\",\"digest\":\"" DIGEST "\"}", NO_BUILD},
		{"{\"build\":\"shop:web/Dockerfile\"}", NO_BUILD},
		{"{\"build\":\"" BUILD "0\",\"digest\":\"" DIGEST "\"}", NO_BUILD},
		{"{\"build\":\"" BUILD "\"}", "it is not {\"build\""},
		{"{\"event\":\"fffff\"}", "it is not {\"build\""},
		{"{\"build\":\"" BUILD "\",\"digest\":\"sha256:00\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "0\"}", "it is not {\"build\""},
		{"{\"event\":\"sha256\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "\",\"digest\":\"" DIGEST "\"}", "it is not {\"build\""},
		{"{\"event\":\"" EVENT "\",\"build\":\"\"}", NO_BUILD},
		{"{\"event\":\"" EVENT "\",\"build\":7}", "it is not {\"build\""},
		{"{\"build\":\"" BUILD "\",\"digest\":\"" DIGEST "0\"}", "it is not {\"build\""},
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
		cmocka_unit_test(attributes_are_what_json_says),
		cmocka_unit_test(more_attributes_than_there_is_room_for_are_left_out),
		cmocka_unit_test(a_message_on_done_names_a_build_and_a_digest),
		cmocka_unit_test(an_event_stands_for_its_build_and_digests),
		cmocka_unit_test(the_first_digits_of_an_event_are_enough),
		cmocka_unit_test(nonsense_on_done_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
