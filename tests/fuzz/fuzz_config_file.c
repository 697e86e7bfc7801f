/*
 * fuzz_config_file.c - any bytes as a configuration. What is refused has a problem with a place; what is accepted is
 * shown, and what is shown is accepted and shows the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must also hold in a build without assertions. */
#define MUST(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static struct bw_conf *parse(const char *text, size_t len)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;
	int rc = bw_conf_parse(text, len, "/", 0, &c, &problems, &err);

	MUST((rc < 0) == (problems.errors > 0) && (rc < 0) == !c);
	MUST(rc == 0 || (rc == BW_E_CONFIG && err.code == BW_E_CONFIG && err.msg[0]));
	for (size_t i = 0; i < problems.count; i++)
		MUST(problems.items[i].text[0] && (len > BW_CONF_MAX_BYTES || problems.items[i].line > 0));
	bw_conf_problems_done(&problems);
	return c;
}

static void check_shown(const struct bw_conf *c, enum bw_conf_format format)
{
	BW_AUTOBUF struct bw_buf first, second;
	struct bw_conf *again;

	bw_buf_init(&first, 32U << 20);
	bw_buf_init(&second, 32U << 20);
	bw_conf_show(c, format, &first);
	MUST(!first.overflow);
	if (first.len > BW_CONF_MAX_BYTES) /* defaults and escapes can make a large file larger */
		return;
	again = parse(first.data, first.len);
	MUST(again);
	bw_conf_show(again, format, &second);
	MUST(strcmp(bw_buf_str(&first), bw_buf_str(&second)) == 0);
	bw_conf_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_conf *c = parse((const char *)data, size);
	struct bw_conf_change change;

	if (!c)
		return 0;
	check_shown(c, BW_CONF_YAML);
	check_shown(c, BW_CONF_JSON);
	MUST(!bw_conf_compare(c, c, &change));
	bw_conf_change_done(&change);
	bw_conf_free(c);
	return 0;
}
