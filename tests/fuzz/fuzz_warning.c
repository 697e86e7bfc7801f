/* Warning headers: every text is short, whole, and not empty; and the parser gets to the end. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/warning.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *value = bw_strndup((const char *)data, size);
	struct bw_warnings told = {0};
	const char *at = value;
	char text[BW_WARNING_MAX];

	while (bw_warning_next(&at, text)) {
		assert(at > value && at <= value + strlen(value));
		assert(*text && strlen(text) < sizeof(text));
		(void)bw_warnings_add(&told, text);
	}
	assert(!*at && told.count <= BW_WARNINGS_MAX);
	bw_warnings_done(&told);
	return 0;
}
