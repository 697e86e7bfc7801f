/*
 * config.h - the configuration of an image (OCI image-spec config.md; Docker image spec v1.2): which platform it is
 * for, which layers it has, and what a container of it would get. Pure: bytes in, values out; hostile input is capped
 * and gives an error.
 */
#ifndef BW_IMAGE_CONFIG_H
#define BW_IMAGE_CONFIG_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"
#include "image/digest.h"
#include "image/platform.h"

#define BW_CONFIG_MAX_DIFF 1000 /* layers of one image; builders stop at 127 */

/* What a configuration is compared by. The dates are apart: every build has new ones. */
enum bw_config_part {
	BW_CONFIG_ENV,
	BW_CONFIG_LABELS,
	BW_CONFIG_ENTRYPOINT,
	BW_CONFIG_CMD,
	BW_CONFIG_USER,
	BW_CONFIG_WORKDIR,
	BW_CONFIG_PORTS,
	BW_CONFIG_VOLUMES,
	BW_CONFIG_HEALTHCHECK,
	BW_CONFIG_STOP_SIGNAL,
	BW_CONFIG_SHELL,
	BW_CONFIG_ONBUILD,
	BW_CONFIG_HISTORY, /* without its dates */
	BW_CONFIG_OTHER,   /* all other members, without rootfs and platform */
	BW_CONFIG_DATES,   /* `created` of the image and of its history */
	BW_CONFIG_PART_COUNT,
};

struct bw_config {
	struct bw_platform platform; /* os "" when it names none */
	struct bw_digest *diff_ids;  /* rootfs.diff_ids, lowest layer first */
	size_t diff_count;
	/* Compact JSON with sorted keys. NULL: not there, or empty (null, "", [], {}, false, 0), which is the same. */
	char *parts[BW_CONFIG_PART_COUNT];
};

/* Is this the media type of a configuration of an image (OCI or Docker), and not of some other artifact? */
bool bw_config_is_type(const char *media_type);

/* BW_E_PEER on malformed input, BW_E_LIMIT beyond the caps. The caller frees with bw_config_done(). */
int bw_config_parse(const char *body, size_t len, struct bw_config *ret, struct bw_err *err) BW_NODISCARD;
void bw_config_done(struct bw_config *c);

/*
 * Appends in words what differs, for people: "environment (NODE_VERSION), labels (version), history". At most three
 * names are given for a part ("and 4 more"), each cut to 64 bytes. Dates are only named when nothing else differs.
 * Appends nothing when all parts are equal. The text holds words of the configurations: hostile until escaped.
 */
void bw_config_compare(const struct bw_config *a, const struct bw_config *b, struct bw_buf *out);

#endif
