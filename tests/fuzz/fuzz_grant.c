/*
 * What tokens say that they grant: the bytes as a token, and as the claims of one. Nothing is granted to a repository that
 * the claims do not name.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const char *token)
{
	struct bw_grants *g = bw_grants_read(token, strlen(token));

	if (g) {
		(void)bw_grants_pull(g, "a/b");
		assert(!bw_grants_pull(g, "\x01 never"));
	}
	bw_grants_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *raw = bw_strndup((const char *)data, size);
	BW_AUTOFREE char *token = NULL;
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, 1 << 17);
	look(raw);
	if (size == 0 || size > 60000 || !bw_base64_encode(data, size, &text))
		return 0;
	for (size_t i = 0; i < text.len; i++)
		text.data[i] = text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i];
	text.data[strcspn(text.data, "=")] = '\0';
	token = bw_asprintf("e30.%s.c2ln", text.data);
	look(token);
	return 0;
}
