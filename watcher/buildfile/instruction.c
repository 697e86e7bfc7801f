#include "buildfile/instruction.h"

#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "buildfile/heredoc.h"
#include "buildfile/rune.h"
#include "core/mem.h"

static const char *const keyword_names[BW_KEYWORD_COUNT] = {
	[BW_KEYWORD_UNKNOWN] = "",	  [BW_KEYWORD_ADD] = "ADD",
	[BW_KEYWORD_ARG] = "ARG",	  [BW_KEYWORD_CMD] = "CMD",
	[BW_KEYWORD_COPY] = "COPY",	  [BW_KEYWORD_ENTRYPOINT] = "ENTRYPOINT",
	[BW_KEYWORD_ENV] = "ENV",	  [BW_KEYWORD_EXPOSE] = "EXPOSE",
	[BW_KEYWORD_FROM] = "FROM",	  [BW_KEYWORD_HEALTHCHECK] = "HEALTHCHECK",
	[BW_KEYWORD_LABEL] = "LABEL",	  [BW_KEYWORD_MAINTAINER] = "MAINTAINER",
	[BW_KEYWORD_ONBUILD] = "ONBUILD", [BW_KEYWORD_RUN] = "RUN",
	[BW_KEYWORD_SHELL] = "SHELL",	  [BW_KEYWORD_STOPSIGNAL] = "STOPSIGNAL",
	[BW_KEYWORD_USER] = "USER",	  [BW_KEYWORD_VOLUME] = "VOLUME",
	[BW_KEYWORD_WORKDIR] = "WORKDIR",
};

const char *bw_keyword_name(enum bw_keyword keyword)
{
	return keyword < BW_KEYWORD_COUNT ? keyword_names[keyword] : "";
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static enum bw_keyword keyword_of(struct bw_text name)
{
	char word[16];

	if (name.len == 0 || name.len >= sizeof(word))
		return BW_KEYWORD_UNKNOWN;
	for (size_t i = 0; i < name.len; i++)
		word[i] = upper(name.s[i]);
	word[name.len] = '\0';
	for (unsigned i = BW_KEYWORD_UNKNOWN + 1; i < BW_KEYWORD_COUNT; i++)
		if (strlen(keyword_names[i]) == name.len && memcmp(word, keyword_names[i], name.len) == 0)
			return (enum bw_keyword)i;
	return BW_KEYWORD_UNKNOWN;
}

static struct bw_text trim(const char *s, size_t len)
{
	size_t front = bw_blanks_front(s, len);

	s += front;
	len -= front;
	return (struct bw_text){s, len - bw_blanks_back(s, len)};
}

/* --- flags ------------------------------------------------------------------------------------ */

/* BuildKit reads flags byte by byte, so that the bytes 0x85 and 0xA0 are white space even inside UTF-8. */

static bool is_byte_space(char c)
{
	return bw_rune_is_space((unsigned char)c);
}

/*
 * The bytes at the front that a word goes on over without a second look, inside quotes and outside. All the
 * rest, quotes and white space among it, has smaller codes or is no ASCII.
 */
static size_t plain_run(const char *s, size_t len, char escape)
{
	size_t n = 0;

	while (n < len && s[n] > '\'' && (unsigned char)s[n] < 0x80 && s[n] != escape)
		n++;
	return n;
}

/* Reads one word up to white space outside quotes; quotes and escapes go. Returns where it ends. */
static size_t read_flag_word(struct bw_instruction *ins, size_t at, size_t end, char escape)
{
	const char *s = ins->line;
	char quote = '\0';

	for (; at < end; at++) {
		size_t plain = plain_run(s + at, end - at, escape);
		char c;

		bw_trace_add_run(&ins->flag_text, s + at, plain, at);
		at += plain;
		if (at == end)
			break;
		c = s[at];
		if (!quote && is_byte_space(c))
			break;
		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? '\0' : c;
			continue;
		}
		if (c == escape && ++at == end)
			break;
		bw_trace_add(&ins->flag_text, s[at], at);
	}
	return at;
}

static void add_flag(struct bw_instruction *ins, size_t start)
{
	size_t end = ins->flag_text.len;
	const char *equals = memchr(ins->flag_text.text + start, '=', end - start);
	size_t name_end = equals ? (size_t)(equals - ins->flag_text.text) : end;

	BW_PUSH(ins->flags, ins->flag_count, ins->flag_capacity) = (struct bw_flag){
		.name = start + 2,
		.name_len = name_end - start - 2,
		.value = equals ? name_end + 1 : end,
		.value_len = equals ? end - name_end - 1 : 0,
		.has_value = equals != NULL,
	};
}

/* Leading words that start with `--`; a lone `--` ends them. Returns where the arguments start. */
static size_t read_flags(struct bw_instruction *ins, size_t at, size_t end, char escape)
{
	const char *s = ins->line;

	for (;;) {
		size_t start = ins->flag_text.len;

		while (at < end && is_byte_space(s[at]))
			at++;
		if (end - at < 2 || s[at] != '-' || s[at + 1] != '-')
			return at;
		at = read_flag_word(ins, at, end, escape);
		if (ins->flag_text.len - start == 2) {
			ins->flag_text.len = start;
			return at;
		}
		add_flag(ins, start);
	}
}

void bw_instruction_read(struct bw_instruction *ins, const char *line, size_t from, size_t len, char escape)
{
	struct bw_text whole = trim(line + from, len - from);
	size_t at = 0;
	size_t end = (size_t)(whole.s - line) + whole.len;

	ins->line = line;
	ins->flag_text.len = 0;
	ins->flag_count = 0;
	while (at < whole.len && !bw_is_separator(whole.s[at]))
		at++;
	ins->name = (struct bw_text){whole.s, at};
	ins->keyword = keyword_of(ins->name);
	while (at < whole.len && bw_is_separator(whole.s[at]))
		at++;
	at = read_flags(ins, (size_t)(whole.s - line) + at, end, escape);
	ins->rest = trim(line + at, end - at);
}

void bw_instruction_done(struct bw_instruction *ins)
{
	bw_trace_done(&ins->flag_text);
	free(ins->flags);
	*ins = (struct bw_instruction){0};
}

bool bw_flag_is(const struct bw_instruction *ins, const struct bw_flag *f, const char *name)
{
	return strlen(name) == f->name_len && memcmp(ins->flag_text.text + f->name, name, f->name_len) == 0;
}

/* --- arguments -------------------------------------------------------------------------------- */

bool bw_next_argument(struct bw_text rest, size_t *pos, struct bw_text *ret)
{
	size_t at = *pos;
	size_t end;

	while (at < rest.len && bw_is_separator(rest.s[at]))
		at++;
	if (at == rest.len)
		return false;
	for (end = at; end < rest.len && !bw_is_separator(rest.s[end]);)
		end++;
	*ret = (struct bw_text){rest.s + at, end - at};
	*pos = end;
	return true;
}

bool bw_next_word(struct bw_text rest, char escape, size_t *pos, struct bw_text *ret)
{
	size_t start = *pos + bw_blanks_front(rest.s + *pos, rest.len - *pos);
	size_t at = start;
	size_t end = rest.len;
	char quote = '\0';

	while (at < rest.len) {
		uint32_t rune;
		size_t n = bw_rune_read(rest.s + at, rest.len - at, &rune);

		if (!quote && bw_rune_is_space(rune)) {
			end = at;
			break;
		}
		if (rune == (unsigned char)escape && quote != '\'') {
			/* An escape character at the very end is dropped. */
			if (at + 1 == rest.len) {
				end = at;
				at++;
				break;
			}
			at++;
			n = bw_rune_read(rest.s + at, rest.len - at, &rune);
		} else if (quote ? rune == (unsigned char)quote : rune == '\'' || rune == '"') {
			quote = quote ? '\0' : (char)rune;
		}
		at += n;
	}
	*ret = (struct bw_text){rest.s + start, end - start};
	*pos = at;
	return end > start;
}

static struct bw_list list_of_json(const json_t *array)
{
	struct bw_list list = {.form = BW_FORM_JSON, .count = json_array_size(array)};

	for (size_t i = 0; i < list.count; i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_string(item))
			return (struct bw_list){.form = BW_FORM_MIXED};
		list.has_empty |= json_string_length(item) == 0;
		if (i + 1 == list.count)
			list.last_is_heredoc =
				bw_heredoc_is(json_string_value(item), json_string_length(item));
	}
	return list;
}

struct bw_list bw_list_read(struct bw_text rest)
{
	struct bw_list list = {.form = BW_FORM_SHELL};
	struct bw_text last = {0};
	size_t pos = 0;

	if (rest.len > 0 && *rest.s == '[') {
		json_t *array = json_loadb(rest.s, rest.len, JSON_ALLOW_NUL, NULL);

		if (array) {
			list = list_of_json(array);
			json_decref(array);
			return list;
		}
	}
	while (bw_next_argument(rest, &pos, &last))
		list.count++;
	list.last_is_heredoc = list.count > 0 && bw_heredoc_is(last.s, last.len);
	return list;
}
