/* complaint.c - see complaint.h. */
#include "registry/complaint.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/def.h"
#include "core/mem.h"

#define MAX_LINE   100
#define MAX_WORD   16
#define MAX_DIGITS 3
#define MIN_WORDS  3

#define SMALL  "abcdefghijklmnopqrstuvwxyz"
#define BLANKS " \t\r\n\v\f"

/* A word of a sentence, or a small number. */
static bool is_plain(const char *word, size_t len)
{
	size_t digits = strspn(word, "0123456789"), capital = *word >= 'A' && *word <= 'Z';

	if (digits >= len)
		return len <= MAX_DIGITS;
	return len <= MAX_WORD && capital + strspn(word + capital, SMALL "'-") >= len;
}

/* What comes behind it may be one. */
static bool announces_secret(const char *word, size_t len)
{
	static const char *const words[] = {"secret", "secrets", "password",   "passwords",  "passwd",
					    "pass",   "phrase",	 "passphrase", "token",	     "tokens",
					    "key",    "pin",	 "code",       "credentials"};

	for (size_t i = 0; i < BW_COUNT(words); i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
			return true;
	return false;
}

static bool is_sentence(const char *line)
{
	size_t count = 0;
	bool is_announced = false;

	for (const char *at = line; *at; count++) {
		size_t whole = strcspn(at, " "), len = whole;

		while (len > 0 && strchr(",.;!", at[len - 1]))
			len--;
		if (is_announced || len == 0 || !is_plain(at, len))
			return false;
		is_announced = announces_secret(at, len);
		at += whole;
		at += strspn(at, " ");
	}
	return count >= MIN_WORDS;
}

char *bw_complaint_words(const char *text, size_t len)
{
	BW_AUTOFREE char *copy = bw_strndup(text, len);
	char *line = copy + strspn(copy, BLANKS);
	size_t size = strcspn(line, "\r\n");

	while (size > 0 && strchr(BLANKS, line[size - 1]))
		size--;
	/* What stands on other lines counts as well: this may be the beginning of a document. */
	if (size > MAX_LINE || strlen(copy) != len || strpbrk(copy, "{}\""))
		return bw_strdup("");
	line[size] = '\0';
	return is_sentence(line) ? bw_strdup(line) : bw_strdup("");
}
