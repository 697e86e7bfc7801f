/* config.json and auth.json: whatever the bytes, finding ends and what is found is whole. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "registry/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[][2] = {
		{"docker.io", "library/debian"}, {"r.io", "a/b"}, {"r.io:5000", "a"}, {"[::1]:5000", "a"}};
	struct bw_credentials *c = bw_credentials_new();
	struct bw_err err = BW_ERR_INIT;

	if (bw_credentials_parse(c, (const char *)data, size, &err) < 0)
		assert(err.code == BW_E_INPUT && *err.msg);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct bw_credential *found = bw_credentials_find(c, names[i][0], names[i][1]);

		assert(!found || (*found->user && strlen(found->password) <= size));
	}
	bw_credentials_free(c);
	return 0;
}
