/* chars.h - classes of ASCII characters, free of any locale. Private to the room. */
#ifndef BW_IMAGE_CHARS_H
#define BW_IMAGE_CHARS_H

#include <stdbool.h>

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_lower_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static inline bool is_alnum(char c)
{
	return is_lower_alnum(c) || is_upper(c);
}

static inline bool is_lower_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static inline bool is_hex(char c)
{
	return is_lower_hex(c) || (c >= 'A' && c <= 'F');
}

/* Visible ASCII; the blank is not visible. */
static inline bool is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

static inline char to_lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

#endif
