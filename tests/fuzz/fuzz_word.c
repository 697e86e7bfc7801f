/*
 * Words and heredocs. The first line of the input is the value of the variable A, the rest is the word. It
 * ends, the result keeps its cap, and what is told about it lies in the word.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "buildfile/heredoc.h"
#include "buildfile/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool get(const char *name, size_t len, struct bw_word_value *ret, void *arg)
{
	if (len != 1 || *name != 'A')
		return false;
	*ret = *(const struct bw_word_value *)arg;
	return true;
}

static void check_facts(const struct bw_word_facts *facts, const char *word, size_t len, const void *origin)
{
	assert(!facts->origin || facts->origin == origin);
	assert(facts->missing_count <= BW_WORD_MISSING);
	for (size_t i = 0; i < facts->missing_count; i++)
		assert(facts->missing[i].s >= word &&
		       facts->missing[i].s + facts->missing[i].len <= word + len);
}

static void expand(const char *word, size_t len, char escape, struct bw_word_value *value)
{
	struct bw_word_rules rules = {.escape = escape, .get = get, .arg = value};
	struct bw_word_facts facts;
	struct bw_err err = BW_ERR_INIT;
	struct bw_buf out;
	int rc;

	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	rc = bw_word_expand(word, len, &rules, &out, &facts, &err);
	assert(rc == 0 || rc == BW_E_INPUT || rc == BW_E_LIMIT);
	assert((rc == 0) == (err.msg[0] == '\0'));
	assert(out.len <= BW_MAX_WORD_BYTES);
	if (rc == 0)
		check_facts(&facts, word, len, value);
	bw_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *newline = size > 0 ? memchr(text, '\n', size) : NULL;
	struct bw_word_value value = {.text = text, .len = newline ? (size_t)(newline - text) : 0};
	const char *word = newline ? newline + 1 : text;
	size_t len = newline ? size - value.len - 1 : size;
	BW_AUTOHEREDOCS struct bw_heredocs found = {0};

	value.origin = &value;
	if (size == 0)
		return 0;
	expand(word, len, '\\', &value);
	expand(word, len, '`', &value);
	bw_heredocs_find(word, len, &found);
	for (size_t i = 0; i < found.count; i++)
		assert(found.items[i].name && found.items[i].len > 0);
	return 0;
}
