/* WWW-Authenticate: lines of the input are header values. What is accepted can be used. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "registry/challenge.h"

#define MAX_VALUES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t size)
{
	assert(!s || strlen(s) <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = bw_strndup((const char *)data, size);
	const char *values[MAX_VALUES];
	struct bw_err err = BW_ERR_INIT;
	struct bw_challenge c;
	size_t n = 0;

	for (char *rest = text; rest && n < MAX_VALUES;)
		values[n++] = strsep(&rest, "\n");
	if (bw_challenge_parse(values, n, &c, &err) < 0) {
		assert(err.code == BW_E_PEER && *err.msg);
		return 0;
	}
	assert(c.scheme != BW_CHALLENGE_NONE);
	assert(c.scheme != BW_CHALLENGE_BEARER || (c.realm && *c.realm));
	check_text(c.realm, size);
	check_text(c.service, size);
	check_text(c.scope, size);
	check_text(c.error, size);
	bw_challenge_done(&c);
	return 0;
}
