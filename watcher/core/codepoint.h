/* codepoint.h - what text.c and json.c have to know about single Unicode code points. Private to core/. */
#ifndef BW_CORE_CODEPOINT_H
#define BW_CORE_CODEPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/def.h"

/* The code point of a valid sequence of `len` bytes (bw_utf8_len()). */
uint32_t bw_codepoint_decode(const char *s, size_t len);

/* Could it steer a terminal or hide or reorder text? Controls, bidirectional marks, zero width, line
 * separators. */
bool bw_codepoint_is_unsafe(uint32_t c);

/* Columns on a terminal: 0, 1 or 2. */
unsigned bw_codepoint_width(uint32_t c);

#endif
