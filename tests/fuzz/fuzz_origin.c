/* Realms are URLs that a registry makes us ask: what counts as one has a host, and a name that leads back to it. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/address.h"
#include "registry/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = bw_strndup((const char *)data, size);
	char name[BW_ORIGIN_MAX];
	struct bw_origin o, again;

	if (bw_origin_parse(text, &o)) {
		assert(*o.host && o.port >= 1 && o.port <= 65535);
		bw_origin_name(&o, name);
		assert(bw_origin_of_registry(name, o.is_tls, &again));
		assert(bw_origin_equal(&o, &again));
		assert(!bw_host_is_loopback(o.host) || bw_host_is_private(o.host));
	}
	(void)bw_registry_is_loopback(text);
	return 0;
}
