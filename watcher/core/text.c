/* text.c - see text.h. */
#include "core/text.h"

#include <string.h>

#include "codepoint.h"
#include "core/mem.h"

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0U) == 0x80U;
}

/* Well-formed sequences as in the Unicode standard, table 3-7: no overlong forms, no surrogates, up to
 * U+10FFFF. */
size_t bw_utf8_len(const char *s, size_t len)
{
	unsigned char lead, low = 0x80, high = 0xBF;
	size_t need;

	if (len == 0)
		return 0;
	lead = (unsigned char)s[0];
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	need = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	if (lead == 0xE0)
		low = 0xA0;
	else if (lead == 0xED)
		high = 0x9F;
	else if (lead == 0xF0)
		low = 0x90;
	else if (lead == 0xF4)
		high = 0x8F;
	if (len < need || (unsigned char)s[1] < low || (unsigned char)s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (!is_continuation(s[i]))
			return 0;
	return need;
}

void bw_text_escape(struct bw_buf *out, const char *s, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		uint32_t c;

		n = bw_utf8_len(s + i, len - i);
		c = n ? bw_codepoint_decode(s + i, n) : 0;
		if (n == 0 || (n == 1 && bw_codepoint_is_unsafe(c)))
			bw_buf_addf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
		else if (n > 1 && bw_codepoint_is_unsafe(c))
			bw_buf_addf(out, "\\u{%04x}", (unsigned)c);
		else
			bw_buf_add(out, s + i, n);
	}
}

char *bw_text_escaped(const char *s)
{
	size_t len = s ? strlen(s) : 0;
	struct bw_buf out;

	bw_buf_init(&out, 4 * len);
	bw_text_escape(&out, s, len);
	return bw_buf_take(&out, NULL);
}

size_t bw_text_width(const char *s, size_t len)
{
	size_t width = 0, n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = bw_utf8_len(s + i, len - i);
		width += n ? bw_codepoint_width(bw_codepoint_decode(s + i, n)) : 1;
	}
	return width;
}

size_t bw_text_fit(const char *s, size_t len, size_t columns)
{
	size_t i = 0, used = 0;

	while (i < len) {
		size_t n = bw_utf8_len(s + i, len - i);
		size_t width = n ? bw_codepoint_width(bw_codepoint_decode(s + i, n)) : 1;

		if (used + width > columns)
			break;
		used += width;
		i += n ? n : 1;
	}
	return i;
}

bool bw_text_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, 10U, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*ret = n;
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool bw_text_is(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool bw_text_is_nocase(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool bw_text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool bw_text_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

void bw_text_lower(char *s)
{
	for (; *s; s++)
		*s = lower(*s);
}

/*
 * Optimal string alignment distance by rows: row[j] is the distance of the first i bytes of `a` and the first
 * j of `b`. Three rows, because a swap looks two rows back.
 */
size_t bw_text_distance(const char *a, const char *b, size_t max)
{
	size_t la = strlen(a), lb = strlen(b);
	BW_AUTOFREE size_t *memory = NULL;
	size_t *two_back, *one_back, *row;

	if ((la > lb ? la - lb : lb - la) > max)
		return max + 1;
	memory = bw_realloc(NULL, lb + 1, 3 * sizeof(*memory));
	two_back = memory;
	one_back = memory + lb + 1;
	row = one_back + lb + 1;
	for (size_t j = 0; j <= lb; j++)
		one_back[j] = two_back[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t least = row[0] = i;
		size_t *spare = two_back;

		for (size_t j = 1; j <= lb; j++) {
			size_t best = one_back[j - 1] + (a[i - 1] != b[j - 1]);

			if (one_back[j] + 1 < best)
				best = one_back[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_back[j - 2] + 1 < best)
				best = two_back[j - 2] + 1;
			row[j] = best;
			least = best < least ? best : least;
		}
		if (least > max) /* no later row gets smaller */
			return max + 1;
		two_back = one_back;
		one_back = row;
		row = spare;
	}
	return one_back[lb] > max ? max + 1 : one_back[lb];
}
