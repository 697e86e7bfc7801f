/* write.c - a tree as YAML for people, and as JSON. See tree.h. */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "config/scalar.h"
#include "config/tree.h"
#include "core/text.h"

#define INDENT 2

/* --- one text --------------------------------------------------------------------------------- */

static uint32_t decode(const char *s, size_t len)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)s[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3fU);
	return c;
}

/* What YAML does not allow as it is, and what could steer a terminal or be read in another order. */
static bool needs_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xad || c == 0x61c ||
	       c == 0xfeff || c == 0xfffe || c == 0xffff;
}

void bw_tree_write_quoted(const char *text, struct bw_buf *ret)
{
	size_t left = strlen(text), n;

	(void)bw_buf_addc(ret, '"');
	for (; left > 0; text += n, left -= n) {
		uint32_t c;

		n = bw_utf8_len(text, left);
		c = n ? decode(text, n) : 0xfffd;
		if (c == '"' || c == '\\')
			(void)bw_buf_addf(ret, "\\%c", (char)c);
		else if (n == 0 || needs_escape(c))
			(void)bw_buf_addf(ret, "\\u%04x", (unsigned)c);
		else
			(void)bw_buf_add(ret, text, n);
		n = n ? n : 1;
	}
	(void)bw_buf_addc(ret, '"');
}

/* Letters, digits and the few signs that mean nothing anywhere in YAML. */
static bool is_safe(const char *text)
{
	if (!isalnum((unsigned char)*text) && *text != '/' && *text != '.' && *text != '_')
		return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("/._%+-", *p))
			return false;
	return true;
}

/* "10%" and "1d" begin like numbers and are none, in any version of YAML. */
static bool could_be_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits > 0 && text[digits] && strchr("smhd%", text[digits]) &&
	    strspn(text + digits, "smhd%") == strlen(text + digits))
		return false;
	return isdigit((unsigned char)*text) || (*text == '.' && isdigit((unsigned char)text[1]));
}

void bw_tree_write_text(const char *text, struct bw_buf *ret)
{
	if (is_safe(text) && !could_be_number(text) && !bw_scalar_is_word(text))
		(void)bw_buf_adds(ret, text);
	else
		bw_tree_write_quoted(text, ret);
}

/* --- a tree ----------------------------------------------------------------------------------- */

/* Scalars only: such a list is written on one line. */
static bool is_flow(const struct bw_node *n)
{
	if (n->kind == BW_NODE_TEXT || n->is_flow || n->count == 0)
		return true;
	if (n->kind == BW_NODE_MAP)
		return false;
	for (size_t i = 0; i < n->count; i++)
		if (!is_flow(n->items[i]))
			return false;
	return true;
}

static void write_flow(const struct bw_node *n, struct bw_buf *ret)
{
	bool is_map = n->kind == BW_NODE_MAP;

	if (n->kind == BW_NODE_TEXT) {
		if (n->is_plain)
			(void)bw_buf_adds(ret, n->text);
		else
			bw_tree_write_text(n->text, ret);
		return;
	}
	(void)bw_buf_addc(ret, is_map ? '{' : '[');
	for (size_t i = 0; i < n->count; i++) {
		if (i > 0)
			(void)bw_buf_adds(ret, is_map && i % 2 == 1 ? ": " : ", ");
		write_flow(n->items[i], ret);
	}
	(void)bw_buf_addc(ret, is_map ? '}' : ']');
}

static void write_block(const struct bw_node *n, unsigned depth, bool is_indented, struct bw_buf *ret);

static void write_value(const struct bw_node *n, unsigned depth, struct bw_buf *ret)
{
	if (is_flow(n)) {
		(void)bw_buf_addc(ret, ' ');
		write_flow(n, ret);
		(void)bw_buf_addc(ret, '\n');
	} else {
		(void)bw_buf_addc(ret, '\n');
		write_block(n, depth + 1, false, ret);
	}
}

static void indent(unsigned depth, struct bw_buf *ret)
{
	(void)bw_buf_addf(ret, "%*s", (int)(depth * INDENT), "");
}

/* `is_indented`: the first line goes on behind "- ". */
static void write_block(const struct bw_node *n, unsigned depth, bool is_indented, struct bw_buf *ret)
{
	for (size_t i = 0; i < n->count; i += n->kind == BW_NODE_MAP ? 2 : 1) {
		if (i > 0 || !is_indented)
			indent(depth, ret);
		if (n->kind == BW_NODE_MAP) {
			bw_tree_write_text(n->items[i]->text, ret);
			(void)bw_buf_addc(ret, ':');
			write_value(n->items[i + 1], depth, ret);
		} else if (is_flow(n->items[i])) {
			(void)bw_buf_adds(ret, "- ");
			write_flow(n->items[i], ret);
			(void)bw_buf_addc(ret, '\n');
		} else {
			(void)bw_buf_adds(ret, "- ");
			write_block(n->items[i], depth + 1, true, ret);
		}
	}
}

void bw_tree_write_yaml(const struct bw_node *n, struct bw_buf *ret)
{
	if (is_flow(n)) {
		write_flow(n, ret);
		(void)bw_buf_addc(ret, '\n');
	} else {
		write_block(n, 0, false, ret);
	}
}

void bw_tree_write_json(const struct bw_node *n, struct bw_buf *ret)
{
	bool is_map = n->kind == BW_NODE_MAP;

	if (n->kind == BW_NODE_TEXT) {
		if (n->is_plain)
			(void)bw_buf_adds(ret, n->text);
		else
			bw_tree_write_quoted(n->text, ret);
		return;
	}
	(void)bw_buf_addc(ret, is_map ? '{' : '[');
	for (size_t i = 0; i < n->count; i++) {
		if (i > 0)
			(void)bw_buf_addc(ret, is_map && i % 2 == 1 ? ':' : ',');
		bw_tree_write_json(n->items[i], ret);
	}
	(void)bw_buf_addc(ret, is_map ? '}' : ']');
}

void bw_tree_write_json_lines(const struct bw_node *n, unsigned depth, struct bw_buf *ret)
{
	bool is_map = n->kind == BW_NODE_MAP;

	if (n->kind == BW_NODE_TEXT || is_flow(n)) {
		bw_tree_write_json(n, ret);
		return;
	}
	(void)bw_buf_addc(ret, is_map ? '{' : '[');
	for (size_t i = 0; i < n->count; i += is_map ? 2 : 1) {
		(void)bw_buf_adds(ret, i > 0 ? ",\n" : "\n");
		indent(depth + 1, ret);
		if (is_map) {
			bw_tree_write_json(n->items[i], ret);
			(void)bw_buf_adds(ret, ": ");
		}
		bw_tree_write_json_lines(n->items[is_map ? i + 1 : i], depth + 1, ret);
	}
	(void)bw_buf_addc(ret, '\n');
	indent(depth, ret);
	(void)bw_buf_addc(ret, is_map ? '}' : ']');
}
