/*
 * json.h - writes JSON element by element, so a report of 100,000 bases needs no tree in memory. (Reading is
 * jansson's work.) The writer keeps the commas and the nesting; a misuse is an assertion. Strings are
 * escaped, and invalid UTF-8 becomes U+FFFD, so the output is always valid JSON.
 *
 *     bw_json_open(&w, '{'); bw_json_key(&w, "a"); bw_json_int(&w, 1); bw_json_close(&w, '}');
 */
#ifndef BW_CORE_JSON_H
#define BW_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buf.h"

#define BW_JSON_DEPTH 16

struct bw_json {
	FILE *out; /* NULL: everything stays in `buf` */
	struct bw_buf buf;
	unsigned depth;
	char bracket[BW_JSON_DEPTH]; /* which is open at each depth */
	bool has_element[BW_JSON_DEPTH];
	bool after_key;
	bool failed; /* a write failed */
};

/* `out` NULL: the text is collected in w->buf (up to `max` bytes). */
void bw_json_init(struct bw_json *w, FILE *out, size_t max);
void bw_json_done(struct bw_json *w);  /* frees; does not flush */
bool bw_json_flush(struct bw_json *w); /* writes what is buffered to `out`; false if any write failed */

void bw_json_open(struct bw_json *w, char bracket);  /* '{' or '[' */
void bw_json_close(struct bw_json *w, char bracket); /* '}' or ']' */
void bw_json_key(struct bw_json *w, const char *key);
void bw_json_str(struct bw_json *w, const char *s); /* NULL writes null */
void bw_json_strn(struct bw_json *w, const char *s, size_t len);
void bw_json_int(struct bw_json *w, int64_t n);
void bw_json_bool(struct bw_json *w, bool b);
void bw_json_null(struct bw_json *w);
void bw_json_time(struct bw_json *w, int64_t ms); /* RFC 3339; 0 writes null */

/* Key and value in one. */
void bw_json_key_str(struct bw_json *w, const char *key, const char *s);
void bw_json_key_int(struct bw_json *w, const char *key, int64_t n);
void bw_json_key_bool(struct bw_json *w, const char *key, bool b);
void bw_json_key_time(struct bw_json *w, const char *key, int64_t ms);

#endif
