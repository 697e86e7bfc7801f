/*
 * fuzz_config.c - any bytes as two configurations, one per line. What is accepted is within the caps and in a form that
 * is read again as the same; what is refused blames the peer or a limit. Two that are equal have no difference, and the
 * words for a difference are few.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "image/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must also hold in a build without assertions. */
#define MUST(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static void check_config(const struct bw_config *c)
{
	char out[BW_PLATFORM_MAX];

	MUST(c->diff_count <= BW_CONFIG_MAX_DIFF);
	MUST((c->diff_ids == NULL) == (c->diff_count == 0));
	for (size_t i = 0; i < c->diff_count; i++)
		MUST(bw_digest_is_set(&c->diff_ids[i]));
	MUST(strlen(bw_platform_format(&c->platform, out)) < sizeof(out));
	for (size_t i = 0; i < BW_CONFIG_PART_COUNT; i++)
		MUST(!c->parts[i] || (c->parts[i][0] != '\0' && strcmp(c->parts[i], "null") != 0));
}

/* True: accepted. */
static bool parse(const uint8_t *data, size_t size, struct bw_config *ret)
{
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_config_parse((const char *)data, size, ret, &err);

	if (rc == 0) {
		check_config(ret);
		return true;
	}
	MUST(rc == BW_E_PEER || rc == BW_E_LIMIT);
	MUST(err.code == (enum bw_code)rc && err.msg[0] != '\0');
	for (const char *c = err.msg; *c; c++)
		MUST(*c >= ' ' && *c <= '~');
	MUST(!ret->diff_ids);
	return false;
}

/* The part, written as the part of a configuration of its own, is the same part again. */
static void check_settings_read_again(const struct bw_config *c)
{
	BW_AUTOBUF struct bw_buf text;
	struct bw_config again = {0};

	bw_buf_init(&text, 2U * BW_MAX_CONFIG_BYTES);
	MUST(bw_buf_addf(&text, "{\"config\":{\"Env\":%s,\"Labels\":%s}}",
			 c->parts[BW_CONFIG_ENV] ? c->parts[BW_CONFIG_ENV] : "null",
			 c->parts[BW_CONFIG_LABELS] ? c->parts[BW_CONFIG_LABELS] : "null"));
	MUST(bw_config_parse(text.data, text.len, &again, NULL) == 0);
	MUST(bw_text_is(again.parts[BW_CONFIG_ENV], c->parts[BW_CONFIG_ENV]));
	MUST(bw_text_is(again.parts[BW_CONFIG_LABELS], c->parts[BW_CONFIG_LABELS]));
	bw_config_done(&again);
}

static bool is_equal(const struct bw_config *a, const struct bw_config *b)
{
	for (size_t i = 0; i < BW_CONFIG_PART_COUNT; i++)
		if (!bw_text_is(a->parts[i], b->parts[i]))
			return false;
	return true;
}

static void check_difference(const struct bw_config *a, const struct bw_config *b)
{
	BW_AUTOBUF struct bw_buf there, back;

	bw_buf_init(&there, 4096);
	bw_buf_init(&back, 4096);
	bw_config_compare(a, b, &there);
	bw_config_compare(b, a, &back);
	MUST(!there.overflow && !back.overflow);
	MUST((there.len == 0) == is_equal(a, b));
	MUST(strlen(bw_buf_str(&there)) == there.len);
	MUST(strcmp(bw_buf_str(&there), bw_buf_str(&back)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t first = end ? (size_t)(end - data) : size;
	size_t skip = first + (end ? 1 : 0);
	struct bw_config a = {0}, b = {0};
	bool is_first = parse(data, first, &a);
	bool is_second = parse(data + skip, size - skip, &b);

	if (is_first) {
		check_settings_read_again(&a);
		check_difference(&a, &a);
	}
	if (is_first && is_second)
		check_difference(&a, &b);
	bw_config_done(&a);
	bw_config_done(&b);
	return 0;
}
