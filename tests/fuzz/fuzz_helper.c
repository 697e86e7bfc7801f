/* What a credential helper says: whatever the bytes, it is one of three things, and a credential is whole. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "registry/helper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_credential c = {0};
	struct bw_err err = BW_ERR_INIT;
	enum bw_helper_step step = bw_helper_parse((const char *)data, size, &c, &err);

	assert(step == BW_HELPER_FOUND || step == BW_HELPER_NOTHING || step == BW_HELPER_FAILED);
	assert((step == BW_HELPER_FAILED) == (err.code == BW_E_PEER && *err.msg));
	if (step == BW_HELPER_FOUND)
		assert(c.kind != BW_CREDENTIAL_BEARER && strlen(c.user) + strlen(c.secret) <= size &&
		       (*c.user || *c.secret));
	else
		assert(!c.user && !c.secret);
	bw_credential_done(&c);
	return 0;
}
