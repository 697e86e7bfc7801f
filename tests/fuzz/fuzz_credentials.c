/*
 * config.json, auth.json and $DOCKER_AUTH_CONFIG: whatever the bytes, finding ends, what is found is whole, and no program is
 * named that could be anything but one.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "registry/authfile.h"
#include "unit/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[][2] = {
	{"docker.io", "library/debian"}, {"r.io", "a/b"}, {"r.io:5000", "a"}, {"[::1]:5000", "a"}};

static void look(const char *text, size_t size)
{
	struct bw_credentials *c = bw_credentials_new(NULL);
	struct bw_err err = BW_ERR_INIT;

	if (bw_credentials_parse(c, text, size, &err) < 0)
		assert(err.code == BW_E_INPUT && *err.msg);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct bw_credential *found = find_credential(c, names[i][0], names[i][1]);
		char *source = bw_credentials_source(c, names[i][0], names[i][1]);

		assert(!found || (found->user && strlen(found->secret) <= size && found->number && *source));
		free(source);
	}
	bw_credentials_free(c);
}

static void parse(const char *text, size_t size, bool is_strict)
{
	struct bw_authfile *f = bw_authfile_new();
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_authfile_parse(f, text, size, is_strict, &err);

	assert(rc == 0 || err.code == BW_E_INPUT);
	assert(!is_strict || rc <= 0);
	assert(bw_authfile_equal(f, f));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *member = NULL, *name = bw_authfile_helper(f, names[i][0], names[i][1], &member);

		assert(!name || (!is_strict && bw_helper_name_is_good(name) && member));
		assert(rc == 0 || !is_strict || !bw_authfile_find(f, names[i][0], names[i][1]));
	}
	bw_authfile_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	look((const char *)data, size);
	parse((const char *)data, size, false);
	parse((const char *)data, size, true);
	return 0;
}
