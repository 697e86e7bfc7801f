/* base64.c - bw_base64_decode() and bw_base64_encode(): RFC 4648 section 4, canonical form only. */
#include "core/text.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 0..63, or -1. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Four characters to `n` bytes (1..3); bits that no byte takes must be zero (section 3.5). */
static bool decode_group(const char *s, size_t n, char out[3])
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i <= n ? value_of(s[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t i = 0; i < 3; i++)
		out[i] = (char)(unsigned char)(bits >> (16 - 8 * i) & 0xFFU);
	return (bits & ((1U << (24 - 8 * n)) - 1U)) == 0;
}

bool bw_base64_decode(const char *s, size_t len, struct bw_buf *out)
{
	size_t before = out->len, n;
	char group[3];
	bool ok = len % 4 == 0;

	for (size_t i = 0; ok && i < len; i += 4) {
		n = 3;
		if (i + 4 == len && s[i + 3] == '=')
			n = s[i + 2] == '=' ? 1 : 2;
		ok = decode_group(s + i, n, group) && bw_buf_add(out, group, n);
	}
	if (!ok && out->capacity > 0) {
		out->len = before;
		out->data[before] = '\0';
	}
	return ok;
}

bool bw_base64_encode(const void *bytes, size_t len, struct bw_buf *out)
{
	const unsigned char *b = bytes;
	size_t before = out->len;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)b[i] << 16 | (n > 1 ? (uint32_t)b[i + 1] << 8 : 0) |
				(n > 2 ? (uint32_t)b[i + 2] : 0);
		char group[4] = {ALPHABET[bits >> 18], ALPHABET[bits >> 12 & 63], ALPHABET[bits >> 6 & 63],
				 ALPHABET[bits & 63]};

		if (n < 3)
			group[3] = '=';
		if (n < 2)
			group[2] = '=';
		if (!bw_buf_add(out, group, sizeof(group))) {
			out->len = before;
			if (out->capacity > 0)
				out->data[before] = '\0';
			return false;
		}
	}
	return true;
}
