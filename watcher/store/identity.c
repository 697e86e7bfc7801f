/* identity.c - see store/identity.h. */
#include "store/identity.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "image/digest.h"

#define MAX_PARTS (1U << 20) /* a path has some thousand bytes */

/* Parts are told apart by the NUL behind each. */
static void add_part(struct bw_buf *b, const char *text)
{
	(void)bw_buf_add(b, text, strlen(text) + 1);
}

void bw_identity_of_build(const char *uuid, const char *source, const char *path, const char *target,
			  char ret[BW_BUILD_ID_MAX])
{
	BW_AUTOBUF struct bw_buf b;
	struct bw_digest d;
	const char *hex;

	bw_buf_init(&b, MAX_PARTS);
	add_part(&b, uuid);
	add_part(&b, source);
	add_part(&b, path);
	add_part(&b, target);
	bw_digest_of(bw_buf_str(&b), b.len, &d);
	hex = strchr(d.text, ':');
	(void)snprintf(ret, BW_BUILD_ID_MAX, "%s", hex ? hex + 1 : "");
}
