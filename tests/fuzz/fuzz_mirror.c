/* What counts as a mirror has a name that can be asked, and leads to where its URL led. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/address.h"
#include "registry/mirror.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, const struct bw_mirror *m)
{
	BW_AUTOFREE char *repository = bw_mirror_repository(m, "a");
	BW_AUTOFREE char *query = bw_mirror_query(m, "docker.io");
	struct bw_origin of_url, of_name;

	assert(bw_origin_parse(text, &of_url) && bw_origin_of_registry(m->registry, !m->is_plain, &of_name));
	assert(bw_origin_equal(&of_url, &of_name) || strcmp(m->registry, "docker.io") == 0);
	assert(repository[strspn(repository, "abcdefghijklmnopqrstuvwxyz0123456789._-/")] == '\0');
	assert(!strstr(repository, "//") && !strstr(repository, "..") == !strstr(m->prefix, ".."));
	assert(!query || (strncmp(query, "ns=", 3) == 0 && !strpbrk(query, "&#?[] ")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = bw_strndup((const char *)data, size);
	struct bw_err err = BW_ERR_INIT;
	struct bw_mirror m;

	if (bw_mirror_parse(text, &m, &err) < 0) {
		assert(*err.msg);
		return 0;
	}
	check(text, &m);
	bw_mirror_done(&m);
	return 0;
}
