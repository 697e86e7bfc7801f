/*
 * quote.h - pieces of foreign text inside error messages: short, one line, visible ASCII only, so a message
 * cannot steer a terminal and cannot be flooded by what it complains about. Private to the room.
 */
#ifndef BW_IMAGE_QUOTE_H
#define BW_IMAGE_QUOTE_H

#include <stddef.h>

#define BW_QUOTE_MAX 48

/* Copies `s` into `out`; what is not visible ASCII (or a blank) becomes '?', what does not fit "...". Returns
 * `out`. */
const char *bw_quote(const char *s, size_t len, char *out, size_t size);

/* One character in words: "'x'", "a blank", "byte 0x07", "a byte outside ASCII". Returns `out`. */
const char *bw_quote_char(char c, char out[BW_QUOTE_MAX]);

#endif
