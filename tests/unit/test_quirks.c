/* test_quirks.c - who is known by name, and what is said because of it; and is each row documented and played? */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "registry/quirks.c" /* NOLINT(bugprone-suspicious-include): white box */
#include "unit/table.h"

#define MAX_FILE 200000

static const char *name_of(const struct bw_quirks *q)
{
	return q ? q->name : "-";
}

static const char *or_null(const char *field)
{
	return strcmp(field, "-") == 0 ? NULL : field;
}

static void check_name(char **fields, size_t *lens, size_t count, void *arg)
{
	(void)lens, (void)count, (void)arg;
	assert_string_equal(name_of(bw_quirks_find(fields[0], or_null(fields[1]), or_null(fields[2]))),
			    fields[3]);
}

static void test_registries_are_known_by_their_host_or_their_challenge(void **state)
{
	(void)state;
	table_each("quirks.tsv", 4, check_name, NULL);
}

static const char *advised(const char *registry, enum bw_trouble t, const char *message,
			   char out[BW_ANSWER_MESSAGE_MAX])
{
	(void)snprintf(out, BW_ANSWER_MESSAGE_MAX, "%s", message);
	bw_quirks_advise(bw_quirks_find(registry, NULL, NULL), t, out);
	return out;
}

static void test_trouble_with_a_log_in_comes_with_advice(void **state)
{
	char out[BW_ANSWER_MESSAGE_MAX];

	(void)state;
	assert_string_equal(
		advised("ghcr.io", BW_TROUBLE_DENIED, "ghcr.io answered 403: denied", out),
		"ghcr.io answered 403: denied; at GHCR missing and private look the same; log in with a "
		"personal access token that has read:packages");
	assert_string_equal(advised("ghcr.io", BW_TROUBLE_AUTH, "x", out),
			    "x; log in with a personal access token that has read:packages");
	assert_string_equal(
		advised("1.dkr.ecr.eu-west-1.amazonaws.com", BW_TROUBLE_AUTH, "token has expired", out),
		"token has expired; log-ins (user AWS) end after 12 h: use docker-credential-ecr-login");
	assert_string_equal(advised("mcr.microsoft.com", BW_TROUBLE_DENIED, "x", out),
			    "x; all of it is public: is the name right?");
}

static void test_other_trouble_and_other_registries_come_without(void **state)
{
	char out[BW_ANSWER_MESSAGE_MAX];

	(void)state;
	assert_string_equal(advised("r.io", BW_TROUBLE_AUTH, "x", out), "x");
	for (int t = BW_TROUBLE_NONE; t < BW_TROUBLE_COUNT; t++)
		if (t != BW_TROUBLE_AUTH && t != BW_TROUBLE_DENIED)
			assert_string_equal(advised("ghcr.io", (enum bw_trouble)t, "x", out), "x");
}

static void test_a_long_message_makes_room_for_the_advice(void **state)
{
	char message[BW_ANSWER_MESSAGE_MAX], out[BW_ANSWER_MESSAGE_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(message); len++) {
		memset(message, 'x', len);
		message[len] = '\0';
		(void)advised("docker.io", BW_TROUBLE_DENIED, message, out);
		assert_non_null(strstr(out, "; log in with `docker login`, an access token as password"));
		assert_true(strlen(out) < sizeof(out));
		assert_true(strstr(out, "x...;") || strncmp(out, message, len) == 0);
	}
	for (size_t i = 0; i + 2 < sizeof(message); i += 2)
		memcpy(message + i, "\xc3\xa4", 3);
	(void)advised("docker.io", BW_TROUBLE_DENIED, message, out);
	assert_non_null(strstr(out, "\xc3\xa4...; at Docker Hub"));
}

/* --- the page and the shapes ------------------------------------------------------------------ */

static char *read_file(const char *path)
{
	char *text = bw_alloc(MAX_FILE);
	FILE *in = fopen(path, "re");

	assert_non_null(in);
	assert_true(fread(text, 1, MAX_FILE - 1, in) > 0);
	(void)fclose(in);
	return text;
}

static void assert_has(const char *text, const char *path, const char *before, const char *name,
		       const char *after)
{
	BW_AUTOFREE char *wanted = bw_asprintf("%s%s%s", before, name, after);

	if (!strstr(text, wanted))
		fail_msg("%s has no line of %s", path, name);
}

static void test_each_registry_has_its_section_and_its_shape(void **state)
{
	BW_AUTOFREE char *page = read_file("contrib/registries.md");
	BW_AUTOFREE char *shapes = read_file("tests/it/shapes.bats");

	(void)state;
	for (size_t n = 0; n < BW_COUNT(all); n++) {
		const struct bw_quirks *q = &all[n];

		assert_has(page, "contrib/registries.md", "\n## ", q->name, "\n");
		assert_has(shapes, "tests/it/shapes.bats", "\n@test \"", q->name, ": ");
		assert_true(!q->login == (!q->hosts && !q->realm));
	}
	assert_int_equal(BW_COUNT(all), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registries_are_known_by_their_host_or_their_challenge),
		cmocka_unit_test(test_trouble_with_a_log_in_comes_with_advice),
		cmocka_unit_test(test_other_trouble_and_other_registries_come_without),
		cmocka_unit_test(test_a_long_message_makes_room_for_the_advice),
		cmocka_unit_test(test_each_registry_has_its_section_and_its_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
