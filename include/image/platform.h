/*
 * platform.h - os/arch/variant (containerd/platforms). Parsed values are always in normal form: x86_64 is
 * amd64, arm64/v8 is arm64, arm is arm/v7, macos is darwin.
 */
#ifndef BW_IMAGE_PLATFORM_H
#define BW_IMAGE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define BW_PLATFORM_PART 64
#define BW_PLATFORM_MAX	 (4 * BW_PLATFORM_PART + 4) /* four parts, "(" ")" "/" "/" */

struct bw_platform {
	char os[BW_PLATFORM_PART]; /* "" in a zeroed value: no platform */
	char os_version[BW_PLATFORM_PART];
	char arch[BW_PLATFORM_PART];
	char variant[BW_PLATFORM_PART];
};

/* "os[(osversion)]/arch[/variant]", or one word that is an os or an arch ("arm64" is linux/arm64).
 * BW_E_INPUT. */
int bw_platform_parse(const char *s, size_t len, struct bw_platform *ret, struct bw_err *err) BW_NODISCARD;

/*
 * From the members of an OCI descriptor's `platform`; NULL members are empty. False when one is too long or
 * has characters other than letters, digits, '_', '.' and '-'; then `p` is untouched.
 */
bool bw_platform_set(struct bw_platform *p, const char *os, const char *os_version, const char *arch,
		     const char *variant);

/* "linux/arm/v7", "windows(10.0.20348.1)/amd64"; "" for no platform. Returns `out`. */
const char *bw_platform_format(const struct bw_platform *p, char out[BW_PLATFORM_MAX]);

/* The platform of this machine. */
void bw_platform_host(struct bw_platform *ret);

/*
 * Are they the same platform? Equal os, arch and variant; the os version only counts when `want` names one (first
 * three parts compared).
 */
bool bw_platform_matches(const struct bw_platform *want, const struct bw_platform *have);

/*
 * Would a builder that wants `want` take `have` (containerd/platforms, `Only`)? 0: the same platform. Else the greater
 * the farther: a lower variant, then the 32-bit architecture of the same processors. -1: never.
 */
int bw_platform_distance(const struct bw_platform *want, const struct bw_platform *have);

/* `unknown/unknown`: an attestation, no platform (protocols: BuildKit attestation storage). */
bool bw_platform_is_unknown(const struct bw_platform *p);

#endif
