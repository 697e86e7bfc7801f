/*
 * warning.h - `Warning` headers (RFC 7234 5.5; distribution-spec "Warnings"): what a registry wants its users to read.
 * Pure.
 */
#ifndef BW_REGISTRY_WARNING_H
#define BW_REGISTRY_WARNING_H

#include <stdbool.h>

#define BW_WARNING_MAX	256 /* bytes of a text that are kept, with the NUL */
#define BW_WARNINGS_MAX 8   /* texts of one registry */

/*
 * The next text of a header value, which may hold several, from `*at` on; `*at` moves behind it. Only code 299 is for users:
 * the others are of caches. What has not the form is skipped. False: there is no more.
 */
bool bw_warning_next(const char **at, char ret[BW_WARNING_MAX]);

/* Those that were told. */
struct bw_warnings {
	char *texts[BW_WARNINGS_MAX];
	unsigned count;
};

/* False: it was told before, or there were too many. */
bool bw_warnings_add(struct bw_warnings *w, const char *text);
void bw_warnings_done(struct bw_warnings *w);

#endif
