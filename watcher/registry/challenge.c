/* challenge.c - tokenizes WWW-Authenticate as RFC 9110 11.2-11.6 has it, lenient where registries are. */
#include "registry/challenge.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"

#define MAX_PARAMETER 8192 /* bytes of one value; real realms and scopes have a few hundred */

struct reader {
	const char *at;
	struct bw_challenge
		current; /* the challenge that is being read; its scheme may be NONE: one that we ignore */
	bool is_open;	 /* there is a current challenge */
	bool has_parameters;
	struct bw_challenge best;
	struct bw_buf offered; /* names of the schemes, for the message */
};

/* RFC 9110 5.6.2; what else may stand in a token68 (`/`, `=`) is read where it is needed. */
static bool is_token_char(char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(others, c));
}

static size_t token_len(const char *s)
{
	size_t n = 0;

	while (is_token_char(s[n]))
		n++;
	return n;
}

static void skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t");
}

static bool is_usable(const struct bw_challenge *c)
{
	return c->scheme == BW_CHALLENGE_BASIC || (c->scheme == BW_CHALLENGE_BEARER && c->realm && *c->realm);
}

/* Ends the current challenge: the first usable Bearer wins, then the first Basic. */
static void close_challenge(struct reader *r)
{
	if (is_usable(&r->current) && r->current.scheme > r->best.scheme) {
		bw_challenge_done(&r->best);
		r->best = r->current;
	} else {
		bw_challenge_done(&r->current);
	}
	r->current = (struct bw_challenge){0};
	r->is_open = false;
}

static void open_challenge(struct reader *r, const char *name, size_t len)
{
	BW_AUTOFREE char *scheme = bw_strndup(name, len);

	close_challenge(r);
	r->is_open = true;
	r->has_parameters = false;
	if (bw_text_is_nocase(scheme, "bearer"))
		r->current.scheme = BW_CHALLENGE_BEARER;
	else if (bw_text_is_nocase(scheme, "basic"))
		r->current.scheme = BW_CHALLENGE_BASIC;
	if (r->offered.len + len + 2 <= r->offered.max)
		(void)bw_buf_addf(&r->offered, "%s%s", r->offered.len ? ", " : "", scheme);
}

/* Behind the opening quote. False: no closing one, or too long; then it is read to its end all the same. */
static bool read_quoted(struct reader *r, struct bw_buf *value)
{
	bool fits = true;

	for (; *r->at; r->at++) {
		if (*r->at == '"') {
			r->at++;
			return fits;
		}
		if (*r->at == '\\' && r->at[1])
			r->at++;
		fits = bw_buf_addc(value, *r->at) && fits;
	}
	return false;
}

/* Unquoted values are read up to the next comma or blank: URLs without quotes are out there. */
static bool read_value(struct reader *r, struct bw_buf *value)
{
	size_t n;

	if (*r->at == '"') {
		r->at++;
		return read_quoted(r, value);
	}
	n = strcspn(r->at, ", \t\"");
	r->at += n;
	return bw_buf_add(value, r->at - n, n);
}

static char **parameter(struct bw_challenge *c, const char *name)
{
	if (bw_text_is_nocase(name, "realm"))
		return &c->realm;
	if (bw_text_is_nocase(name, "service"))
		return &c->service;
	if (bw_text_is_nocase(name, "scope"))
		return &c->scope;
	return bw_text_is_nocase(name, "error") ? &c->error : NULL;
}

/* At the '='. Of a parameter that comes twice the first one holds. */
static void read_parameter(struct reader *r, const char *name, size_t len)
{
	BW_AUTOFREE char *key = bw_strndup(name, len);
	char **place = r->is_open ? parameter(&r->current, key) : NULL;
	BW_AUTOBUF struct bw_buf value;
	bool is_whole;

	bw_buf_init(&value, MAX_PARAMETER);
	r->at++;
	skip_blanks(r);
	is_whole = read_value(r, &value);
	r->has_parameters = true;
	if (is_whole && place && !*place)
		*place = bw_strdup(bw_buf_str(&value));
}

/* One word: the name of a scheme, of a parameter, or the data of a scheme like Negotiate. */
static void read_word(struct reader *r, bool is_behind_comma)
{
	const char *word = r->at;
	size_t len = token_len(word);

	if (len == 0 || (!is_behind_comma && r->is_open && !r->has_parameters && word[len] == '/')) {
		r->at += len + 1 + strcspn(word + len + 1, ", \t"); /* token68, or garbage */
		return;
	}
	r->at += len;
	if (*r->at == '=' && (r->at[1] == '=' || r->at[1] == '\0' || r->at[1] == ',')) {
		r->at += strcspn(r->at, ", \t"); /* token68 with its padding */
		return;
	}
	skip_blanks(r);
	if (*r->at == '=')
		read_parameter(r, word, len);
	else if (is_behind_comma || !r->is_open || r->has_parameters)
		open_challenge(r, word, len);
}

static void read_line(struct reader *r, const char *line)
{
	bool is_behind_comma = true;

	r->at = line;
	for (;;) {
		skip_blanks(r);
		if (*r->at == '\0')
			break;
		if (*r->at == ',') {
			r->at++;
			is_behind_comma = true;
			continue;
		}
		read_word(r, is_behind_comma);
		is_behind_comma = false;
	}
	close_challenge(r);
}

int bw_challenge_parse(const char *const *values, size_t count, struct bw_challenge *ret, struct bw_err *err)
{
	struct reader r = {0};
	int rc = 0;

	bw_buf_init(&r.offered, 256);
	for (size_t i = 0; i < count; i++)
		read_line(&r, values[i]);
	if (r.best.scheme)
		*ret = r.best;
	else if (r.offered.len)
		rc = bw_fail(err, BW_E_PEER, "no log-in that we know is offered, only %s", r.offered.data);
	else
		rc = bw_fail(err, BW_E_PEER, "no log-in is offered");
	bw_buf_done(&r.offered);
	return rc;
}

void bw_challenge_done(struct bw_challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	free(c->error);
	*c = (struct bw_challenge){0};
}
