/*
 * redact.h - what a receiver says goes into the database and the logs, and a receiver may say what it was sent: so
 * everything secret that we know of is taken out of its words first. Pure.
 */
#ifndef BW_NOTIFY_REDACT_H
#define BW_NOTIFY_REDACT_H

#include "core/buf.h"

#define BW_REDACTED	   "[hidden]"
#define BW_REDACT_LINE_MAX 256 /* bytes of a line, with its NUL */

struct bw_redactor;

struct bw_redactor *bw_redactor_new(void);
void bw_redactor_free(struct bw_redactor *r); /* wipes; NULL is fine */

/* One secret, as it is. Empty ones are ignored. */
void bw_redactor_add(struct bw_redactor *r, const char *secret);
/* The value of a header; of "Bearer abc" also "abc", of "Basic ..." also what is encoded in it. */
void bw_redactor_add_header(struct bw_redactor *r, const char *value);
/* What may be secret in a URL: the query, and each part of the path that is as long as a token. */
void bw_redactor_add_url(struct bw_redactor *r, const char *url);

/*
 * The first line of `text` that has words in it (else the last), without secrets, cut with "..." where it is too long. Bytes that end a
 * string or a line do not get through; anything else may, so escape it for a terminal. Returns `out`.
 */
const char *bw_redact_line(const struct bw_redactor *r, const char *text, size_t len,
			   char out[BW_REDACT_LINE_MAX]);

#endif
