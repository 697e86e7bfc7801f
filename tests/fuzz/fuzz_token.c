/*
 * Answers of token endpoints: what is accepted can stand in a header line. The same bytes as parts of a question to
 * one: the URL has no characters that no URL has.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "registry/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const char *body, size_t size)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_token t;

	if (bw_token_parse(body, size, &t, &err) < 0) {
		assert(err.code == BW_E_PEER && *err.msg);
		return;
	}
	assert(*t.text && t.lifetime_s >= 60 && t.lifetime_s <= 86400);
	for (const char *c = t.text; *c; c++)
		assert(*c > ' ' && *c <= '~');
	bw_token_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = bw_strndup((const char *)data, size);
	BW_AUTOFREE char *url = bw_token_url("https://r.io/token?a=b", text, text, text);

	check_answer(text, size);
	for (const char *c = url; *c; c++)
		assert(*c > ' ' && *c <= '~' && !strchr("\"<>\\^`{|}", *c));
	return 0;
}
