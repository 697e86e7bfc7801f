/* test_grant.c - what a token says that it is good for. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/grant.h"
#include "unit/table.h"

/* "header.claims.signature" in base64url; what begins with "raw " stays as it is behind that. */
static char *make_token(const char *claims, size_t len)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, 1 << 20);
	if (strncmp(claims, "raw ", 4) == 0)
		return bw_strdup(claims + 4);
	assert_true(bw_base64_encode(claims, len, &text));
	for (size_t i = 0; i < text.len; i++)
		text.data[i] = text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i];
	text.data[strcspn(text.data, "=")] = '\0';
	return bw_asprintf("eyJ0eXAiOiJKV1QifQ.%s.c2ln", text.data);
}

static const char *verdict(const struct bw_grants *g, const char *repository)
{
	if (!g)
		return "opaque";
	return bw_grants_pull(g, repository) ? "yes" : "no";
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	BW_AUTOFREE char *token = make_token(fields[0], lens[0]);
	struct bw_grants *g = bw_grants_read(token, strlen(token));

	(void)count;
	(void)arg;
	assert_string_equal(verdict(g, fields[1]), fields[2]);
	bw_grants_free(g);
}

static void test_tokens_say_what_they_grant_or_nothing(void **state)
{
	(void)state;
	table_each("grant.tsv", 3, check_row, NULL);
}

/* All values of six bits, with the two characters in which base64url differs. */
static void test_the_alphabet_is_that_of_urls(void **state)
{
	static const char claims[] =
		"{\"access\":[{\"type\":\"repository\",\"name\":\"a\",\"actions\":[\"pull\"],"
		"\"x\":\"\xc3\xbf\xc3\xbe\xef\xbf\xbd~~~?_?>>>\"}]}";
	BW_AUTOFREE char *token = make_token(claims, strlen(claims));
	struct bw_grants *g = bw_grants_read(token, strlen(token));

	(void)state;
	assert_true(strchr(token, '_') || strchr(token, '-'));
	assert_string_equal(verdict(g, "a"), "yes");
	bw_grants_free(g);
}

/* What a hostile endpoint adds for us to read is not read. */
static void test_only_so_many_entries_are_read(void **state)
{
	struct bw_buf text;
	BW_AUTOFREE char *token = NULL;
	struct bw_grants *g;

	(void)state;
	bw_buf_init(&text, 1 << 20);
	(void)bw_buf_adds(&text, "{\"access\":[");
	for (unsigned i = 0; i < 300; i++)
		(void)bw_buf_addf(&text,
				  "%s{\"type\":\"repository\",\"name\":\"r%u\",\"actions\":[\"pull\"]}",
				  i ? "," : "", i);
	(void)bw_buf_adds(&text, "]}");
	token = make_token(text.data, text.len);
	bw_buf_done(&text);
	g = bw_grants_read(token, strlen(token));
	assert_string_equal(verdict(g, "r255"), "yes");
	assert_string_equal(verdict(g, "r256"), "no");
	bw_grants_free(g);
	bw_grants_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens_say_what_they_grant_or_nothing),
		cmocka_unit_test(test_the_alphabet_is_that_of_urls),
		cmocka_unit_test(test_only_so_many_entries_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
