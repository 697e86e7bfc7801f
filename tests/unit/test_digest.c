/* test_digest.c - digests: what is one, what is none and why, and hashing. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "image/digest.h"
#include "unit/table.h"

#define HEX64	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ABC_256	 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NONE_256 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_384   \
	"sha384:" \
	"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
#define ABC_512                                                                   \
	"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static struct bw_digest make(const char *text)
{
	struct bw_digest d = {0};

	assert_int_equal(bw_digest_parse(text, strlen(text), &d, NULL), 0);
	return d;
}

/* Columns: text, byte where it goes wrong, what the message must hold; byte "ok": it is a digest. */
static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_digest d;
	char *copy = malloc(lens[0] ? lens[0] : 1);
	bool good = strcmp(fields[1], "ok") == 0;
	size_t offset = 777;
	int rc;

	(void)count;
	(void)arg;
	assert_non_null(copy);
	memset(&d, 0x5a, sizeof(d));
	memcpy(copy, fields[0], lens[0]);
	rc = bw_digest_parse_at(copy, lens[0], &d, &offset, &err);
	free(copy);
	assert_int_equal(rc, good ? 0 : BW_E_INPUT);
	assert_int_equal(err.code, rc);
	if (good) {
		assert_string_equal(d.text, fields[0]);
		return;
	}
	assert_int_equal(offset, strtoul(fields[1], NULL, 10));
	assert_int_equal(d.text[0], 0x5a);
	assert_string_equal(err.msg, fields[2]);
}

static void test_parse(void **state)
{
	(void)state;
	table_each("digest.tsv", 3, check_row, NULL);
}

static void test_parse_reads_only_its_length(void **state)
{
	struct bw_digest d = {0};

	(void)state;
	assert_int_equal(bw_digest_parse(ABC_256 "junk", 71, &d, NULL), 0);
	assert_string_equal(d.text, ABC_256);
	assert_int_equal(bw_digest_parse(ABC_256, 70, &d, NULL), BW_E_INPUT);
	assert_int_equal(bw_digest_parse(NULL, 0, &d, NULL), BW_E_INPUT);
	assert_string_equal(d.text, ABC_256);
}

static void test_set_and_equal(void **state)
{
	struct bw_digest none = {0};
	struct bw_digest a = make(ABC_256);
	struct bw_digest b = make(NONE_256);

	(void)state;
	assert_false(bw_digest_is_set(&none));
	assert_true(bw_digest_is_set(&a));
	assert_true(bw_digest_equal(&a, &a));
	assert_false(bw_digest_equal(&a, &b));
	assert_false(bw_digest_equal(&a, &none));
	assert_true(bw_digest_equal(&none, &none));
}

static void test_hash(void **state)
{
	struct bw_digest d;

	(void)state;
	bw_digest_of("abc", 3, &d);
	assert_string_equal(d.text, ABC_256);
	bw_digest_of("", 0, &d);
	assert_string_equal(d.text, NONE_256);
	bw_digest_of(NULL, 0, &d);
	assert_string_equal(d.text, NONE_256);
}

static void test_bytes_match_by_the_algorithm_of_the_digest(void **state)
{
	const char *const texts[] = {ABC_256, ABC_384, ABC_512};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(texts); i++) {
		struct bw_digest d = make(texts[i]);

		assert_true(bw_digest_matches(&d, "abc", 3));
		assert_false(bw_digest_matches(&d, "abd", 3));
		assert_false(bw_digest_matches(&d, "abc", 2));
		assert_false(bw_digest_matches(&d, "", 0));
		d.text[strlen(d.text) - 1] ^= 1;
		assert_false(bw_digest_matches(&d, "abc", 3));
	}
}

static void test_nothing_matches_an_unset_digest(void **state)
{
	struct bw_digest none = {0};
	struct bw_digest odd = {"md5:900150983cd24fb0d6963f7d28e17f72"};

	(void)state;
	assert_false(bw_digest_matches(&none, "", 0));
	assert_false(bw_digest_matches(&none, "abc", 3));
	assert_false(bw_digest_matches(&odd, "abc", 3));
}

static void test_short_form(void **state)
{
	static const char *const rows[][2] = {
		{ABC_256, "sha256:ba7816bf8f01"},
		{ABC_512, "sha512:ddaf35a19361"},
		{"", ""},
		{"sha256:short", "sha256:short"},
		{ABC_256 "0", "sha256:ba7816bf8f01"},
		{"a text that goes on", "a"},
		{"12345678901234567890", "1234567890123456789"},
		{"ab\x1b[31mred", "ab"},
		{"\xc3\xa9", ""},
	};
	char out[BW_DIGEST_SHORT_MAX];

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		assert_string_equal(bw_digest_short(rows[i][0], out), rows[i][1]);
	assert_string_equal(bw_digest_short(NULL, out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_reads_only_its_length),
		cmocka_unit_test(test_set_and_equal),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_bytes_match_by_the_algorithm_of_the_digest),
		cmocka_unit_test(test_nothing_matches_an_unset_digest),
		cmocka_unit_test(test_short_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
