/* scalar.h - what a single value may look like: the formats of texts, durations, URLs. Pure. */
#ifndef BW_CONFIG_SCALAR_H
#define BW_CONFIG_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

/* A format that a text must have: how it is described to people, as a pattern (ECMA 262) for the schema, and in code. */
struct bw_format {
	const char *expected;
	const char *pattern;
	bool (*is_ok)(const char *text);
};

extern const struct bw_format bw_format_name;	  /* of a source or sink */
extern const struct bw_format bw_format_instance; /* part of a URI */
extern const struct bw_format bw_format_host;	  /* HOST[:PORT] or "*" */
extern const struct bw_format bw_format_inside;	  /* a path below a source */
extern const struct bw_format bw_format_platform; /* OS/ARCH[/VARIANT] */
extern const struct bw_format bw_format_topic;	  /* an MQTT topic without wildcards */
extern const struct bw_format bw_format_header;	  /* name of an HTTP header */
extern const struct bw_format bw_format_variable; /* name of an environment variable or a build argument */
extern const struct bw_format bw_format_line;	  /* anything without control characters */
extern const struct bw_format bw_format_branch;	  /* name or glob of a git branch */
extern const struct bw_format bw_format_helper;	  /* NAME of docker-credential-NAME */

/* A plain scalar that YAML readers take for a number or a boolean: "1.5", "0x1f", "yes", "~". */
bool bw_scalar_is_number(const char *text);
bool bw_scalar_is_word(const char *text);

/* "10ms", "30s", "5m", "1h", "7d": one whole number and one unit. */
#define BW_DURATION_PATTERN "^[0-9]+(ms|s|m|h|d)$"
bool bw_scalar_duration(const char *text, int64_t *ret_ms);
#define BW_DURATION_TEXT 32
const char *bw_scalar_duration_text(int64_t ms, char out[BW_DURATION_TEXT]); /* the largest unit that fits */

/* "0.5", "20": at most three digits behind the point; in thousandths */
bool bw_scalar_decimal(const char *text, int64_t *ret);
#define BW_DECIMAL_TEXT 32
const char *bw_scalar_decimal_text(int64_t thousandths, char out[BW_DECIMAL_TEXT]);

/* "10%" */
#define BW_PERCENT_PATTERN "^[0-9]+%$"
bool bw_scalar_percent(const char *text, int64_t *ret);

/*
 * SCHEME://HOST[:PORT] with one of `schemes` (NULL-terminated) and no user info; a path only where `may_have_path`.
 * NULL: fine; else what was expected. Never quotes the URL: it may hold a secret.
 */
#define BW_URL_HAS_USER "holds a user name or password"
const char *bw_scalar_url_problem(const char *url, const char *const *schemes, bool may_have_path);

/* What git may fetch from: URLs with the schemes below, user@host:path, and paths. The same way of answering. */
enum bw_git_kind { BW_GIT_REFUSED, BW_GIT_URL, BW_GIT_PATH };
enum bw_git_kind bw_scalar_git(const char *text);
#define BW_GIT_EXPECTED \
	"a repository: https://, http://, ssh://, git:// or file://, user@host:path, or a path"

/* Is the host of this URL the machine itself? */
bool bw_scalar_url_is_loopback(const char *url);

/* A header of this name is likely to carry a secret. */
bool bw_scalar_header_is_secret(const char *name);

#endif
