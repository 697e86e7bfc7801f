/*
 * rune.h - characters as BuildKit sees them: UTF-8 read one by one, an invalid byte counting as U+FFFD, and
 * the Unicode classes that decide where a word or a variable name ends (Go's unicode.IsSpace, IsLetter,
 * IsDigit).
 */
#ifndef BW_BUILDFILE_RUNE_H
#define BW_BUILDFILE_RUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BW_RUNE_INVALID 0xFFFDU

/* The rune at s (len > 0) and, returned, its length in bytes (1..4). */
size_t bw_rune_read(const char *s, size_t len, uint32_t *ret);
/* Writes the rune as UTF-8; returns the number of bytes. */
size_t bw_rune_write(uint32_t rune, char out[4]);

bool bw_rune_is_space(uint32_t rune);
bool bw_rune_is_letter(uint32_t rune);
bool bw_rune_is_digit(uint32_t rune);

/* Bytes of white space at the front and at the back. */
size_t bw_blanks_front(const char *s, size_t len);
size_t bw_blanks_back(const char *s, size_t len);

/* The separators of an instruction's arguments, `[\t\v\f\r ]` (BuildKit parser/split_command.go): U+00A0 is none. */
static inline bool bw_is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

/* `\s` of Go's regular expressions: no vertical tab. */
bool bw_is_blank(char c);

#endif
