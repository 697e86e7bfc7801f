#include "buildfile/word.h"

#include <stdint.h>
#include <string.h>

#include "buildfile/rune.h"

#define END UINT32_MAX /* no more characters */

/* The word being collected while splitting. */
struct splitter {
	struct bw_buf word;
	bool in_word;
	bw_word_fn fn;
	void *arg;
};

struct lexer {
	const char *s;
	size_t len;
	size_t pos;
	const struct bw_word_rules *rules;
	bool raw_escapes; /* of the part being read */
	size_t *work;
	struct bw_buf
		*out; /* what is expanded so far; nested words are read at its end and then taken off again */
	struct bw_word_facts facts;
	struct splitter *split; /* NULL: not splitting */
	unsigned depth;
	struct bw_err *err;
};

/* `${name` and what comes behind it. */
struct substitution {
	struct bw_text name;
	char modifier[8]; /* for messages: ":=" */
	bool null_is_unset;
	bool is_set;
	struct bw_word_value value;
	size_t mark; /* where the nested word starts in `out` */
};

static int read_until(struct lexer *l, uint32_t stop, bool raw_escapes);

static int syntax_error(struct lexer *l, const char *what)
{
	return bw_fail(l->err, BW_E_INPUT, "syntax error: %s", what);
}

static uint32_t peek(const struct lexer *l)
{
	uint32_t rune;

	if (l->pos >= l->len)
		return END;
	(void)bw_rune_read(l->s + l->pos, l->len - l->pos, &rune);
	return rune;
}

static uint32_t next(struct lexer *l)
{
	uint32_t rune;

	if (l->pos >= l->len)
		return END;
	l->pos += bw_rune_read(l->s + l->pos, l->len - l->pos, &rune);
	return rune;
}

static int add(struct lexer *l, const char *s, size_t len)
{
	if (*l->work < len)
		return bw_fail(l->err, BW_E_LIMIT, "the expansion takes too much work");
	*l->work -= len;
	if (!bw_buf_add(l->out, s, len))
		return bw_fail(l->err, BW_E_LIMIT, "the expanded word has more than %zu bytes", l->out->max);
	return 0;
}

/* An invalid byte has become U+FFFD on the way. */
static int add_rune(struct lexer *l, uint32_t rune)
{
	char bytes[4];

	return add(l, bytes, bw_rune_write(rune, bytes));
}

static void cut(struct lexer *l, size_t mark)
{
	/* An empty buffer has no memory of its own yet. */
	if (l->out->len == mark)
		return;
	l->out->len = mark;
	l->out->data[mark] = '\0';
}

/* --- splitting -------------------------------------------------------------------------------- */

static void end_word(struct splitter *w)
{
	if (w->word.len == 0)
		return;
	w->fn(w->word.data, w->word.len, w->arg);
	bw_buf_clear(&w->word);
	w->in_word = false;
}

static void split_raw(struct lexer *l, const char *s, size_t len)
{
	if (!l->split)
		return;
	/* The result has the same maximum, and fails first. */
	(void)bw_buf_add(&l->split->word, s, len);
	l->split->in_word = true;
}

static void split_text(struct lexer *l, const char *s, size_t len)
{
	if (!l->split)
		return;
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t rune;

		n = bw_rune_read(s + at, len - at, &rune);
		if (!bw_rune_is_space(rune))
			split_raw(l, s + at, n);
		else if (l->split->in_word)
			end_word(l->split);
	}
}

/* --- quotes ----------------------------------------------------------------------------------- */

static int read_single_quoted(struct lexer *l)
{
	const char *start = l->s + ++l->pos;
	const char *end = memchr(start, '\'', l->len - l->pos);
	int rc = 0;

	if (!end) {
		l->pos = l->len;
		return bw_fail(l->err, BW_E_INPUT,
			       "unexpected end of statement while looking for matching single-quote");
	}
	if (l->rules->raw_quotes)
		rc = add(l, "'", 1);
	while (rc == 0 && l->s + l->pos < end)
		rc = add_rune(l, next(l));
	l->pos++;
	if (rc == 0 && l->rules->raw_quotes)
		rc = add(l, "'", 1);
	return rc;
}

static int read_dollar(struct lexer *l);

/* Between double quotes the escape character escapes `"`, `$` and itself, and else stands for itself. */
static int read_escape_in_quotes(struct lexer *l)
{
	uint32_t escape = next(l);
	uint32_t rune = peek(l);
	int rc = 0;

	if (l->raw_escapes)
		rc = add_rune(l, escape);
	if (rc < 0 || rune == END)
		return rc;
	if (rune == '"' || rune == '$' || rune == escape)
		return add_rune(l, next(l));
	return add_rune(l, escape);
}

static int read_double_quoted(struct lexer *l)
{
	int rc = 0;

	l->pos++;
	if (l->rules->raw_quotes)
		rc = add(l, "\"", 1);
	while (rc == 0) {
		uint32_t rune = peek(l);

		if (rune == END)
			return bw_fail(l->err, BW_E_INPUT,
				       "unexpected end of statement while looking for matching double-quote");
		if (rune == '"')
			break;
		if (rune == '$')
			rc = read_dollar(l);
		else if (rune == (unsigned char)l->rules->escape)
			rc = read_escape_in_quotes(l);
		else
			rc = add_rune(l, next(l));
	}
	l->pos++;
	if (rc == 0 && l->rules->raw_quotes)
		rc = add(l, "\"", 1);
	return rc;
}

/* --- variables -------------------------------------------------------------------------------- */

static bool is_special(uint32_t rune)
{
	return rune != END && rune < 0x80 && rune != 0 && strchr("@*#?-$!0", (int)rune);
}

/* Digits, or one special character, or letters, digits and `_`; may be empty. */
static struct bw_text read_name(struct lexer *l)
{
	size_t start = l->pos;
	uint32_t first = peek(l);
	bool number = first != END && bw_rune_is_digit(first);

	if (!number && is_special(first)) {
		l->pos++;
		return (struct bw_text){l->s + start, 1};
	}
	for (uint32_t rune = first; rune != END; rune = peek(l)) {
		bool digit = bw_rune_is_digit(rune);

		if (number ? !digit : !digit && rune != '_' && !bw_rune_is_letter(rune))
			break;
		(void)next(l);
	}
	return (struct bw_text){l->s + start, l->pos - start};
}

static bool look_up(struct lexer *l, struct bw_text name, struct bw_word_value *ret)
{
	*ret = (struct bw_word_value){.text = ""};
	return l->rules->get && l->rules->get(name.s, name.len, ret, l->rules->arg);
}

static void note_missing(struct lexer *l, const char *name, size_t len)
{
	if (l->facts.missing_count < BW_WORD_MISSING)
		l->facts.missing[l->facts.missing_count++] = (struct bw_text){name, len};
}

static int add_value(struct lexer *l, const struct bw_word_value *value)
{
	if (value->missing)
		note_missing(l, value->missing, strlen(value->missing));
	if (value->len > 0)
		l->facts.origin = value->origin;
	l->facts.is_of_target |= value->is_of_target;
	return add(l, value->text, value->len);
}

/* `$name`, or `${name}` when `braced`. */
static int add_variable(struct lexer *l, struct bw_text name, bool braced)
{
	struct bw_word_value value;
	int rc;

	if (look_up(l, name, &value))
		return add_value(l, &value);
	if (!l->rules->keeps_unset) {
		note_missing(l, name.s, name.len);
		return 0;
	}
	rc = add(l, braced ? "${" : "$", braced ? 2 : 1);
	if (rc == 0)
		rc = add(l, name.s, name.len);
	if (rc == 0 && braced)
		rc = add(l, "}", 1);
	return rc;
}

/* An unset variable that stays: the text is put together again around its expanded words. */
static int keep_unset(struct lexer *l, const struct substitution *u, size_t middle)
{
	struct bw_buf words;
	int rc;

	bw_buf_init(&words, BW_MAX_WORD_BYTES);
	(void)bw_buf_add(&words, bw_buf_str(l->out) + u->mark, l->out->len - u->mark);
	cut(l, u->mark);
	rc = add(l, "${", 2);
	if (rc == 0)
		rc = add(l, u->name.s, u->name.len);
	if (rc == 0)
		rc = add(l, u->modifier, strlen(u->modifier));
	if (rc == 0)
		rc = add(l, bw_buf_str(&words), middle - u->mark);
	if (rc == 0 && *u->modifier == '/')
		rc = add(l, "/", 1);
	if (rc == 0)
		rc = add(l, bw_buf_str(&words) + (middle - u->mark), words.len - (middle - u->mark));
	if (rc == 0)
		rc = add(l, "}", 1);
	bw_buf_done(&words);
	return rc;
}

/* Reads the nested word; an end of text inside it means that the brace (or slash) is missing. */
static int read_nested(struct lexer *l, uint32_t stop, bool raw_escapes, const char *missing)
{
	int rc;

	if (l->depth >= BW_WORD_DEPTH)
		return bw_fail(l->err, BW_E_LIMIT, "${} nests more than %d deep", BW_WORD_DEPTH);
	l->depth++;
	rc = read_until(l, stop, raw_escapes);
	l->depth--;
	if (rc == BW_E_INPUT && l->pos >= l->len)
		return syntax_error(l, missing);
	return rc;
}

static int unsupported(struct lexer *l, const struct substitution *u)
{
	return bw_fail(l->err, BW_E_INPUT, "unsupported modifier (%s) in substitution", u->modifier);
}

static int refuse(struct lexer *l, const struct substitution *u)
{
	const char *word = bw_buf_str(l->out) + u->mark;

	if (!*word)
		word = u->is_set ? "is not allowed to be empty" : "is not allowed to be unset";
	return bw_fail(l->err, BW_E_INPUT, "%.*s: %s", (int)u->name.len, u->name.s, word);
}

/* `#` and `%`: the pattern stands at the end of `out`. */
static int cut_value(struct lexer *l, const struct substitution *u, char kind)
{
	struct bw_text pattern = {bw_buf_str(l->out) + u->mark, l->out->len - u->mark};
	struct bw_text value = {u->value.text, u->value.len};
	bool longest = pattern.len > 0 && *pattern.s == kind;
	struct bw_buf result;
	int rc;

	pattern.s += longest;
	pattern.len -= longest;
	bw_buf_init(&result, BW_MAX_WORD_BYTES);
	if (kind == '#')
		rc = bw_pattern_cut_front(value, pattern, longest, l->work, &result, l->err);
	else
		rc = bw_pattern_cut_back(value, pattern, longest, l->work, &result, l->err);
	cut(l, u->mark);
	if (rc == 0)
		rc = add(l, bw_buf_str(&result), result.len);
	bw_buf_done(&result);
	return rc;
}

/* What an edited value leaves behind: no place of origin, but a gap when there was no value. */
static void note_edited(struct lexer *l, const struct substitution *u)
{
	l->facts.origin = NULL;
	if (!u->is_set)
		note_missing(l, u->name.s, u->name.len);
	else if (u->value.missing)
		note_missing(l, u->value.missing, strlen(u->value.missing));
}

static int use_value(struct lexer *l, const struct substitution *u)
{
	cut(l, u->mark);
	return add_value(l, &u->value);
}

/* `-`, `+`, `?`, `#`, `%`, with or without a colon: one word up to the brace. */
static int apply_word(struct lexer *l, struct substitution *u, uint32_t kind)
{
	struct bw_word_facts before = l->facts;
	int rc = read_nested(l, '}', kind == '#' || kind == '%', "missing '}'");
	bool empty;

	if (rc < 0)
		return rc;
	u->is_set = look_up(l, u->name, &u->value);
	if (l->rules->keeps_unset && !u->is_set)
		return keep_unset(l, u, u->mark);
	empty = !u->is_set || (u->null_is_unset && u->value.len == 0);
	switch (kind) {
	case '-':
		if (empty)
			return 0;
		l->facts = before;
		return use_value(l, u);
	case '+':
		if (!empty)
			return 0;
		l->facts = before;
		if (!u->is_set)
			note_missing(l, u->name.s, u->name.len);
		cut(l, u->mark);
		return 0;
	case '?':
		if (empty)
			return refuse(l, u);
		l->facts = before;
		return use_value(l, u);
	case '#':
	case '%':
		l->facts = before;
		note_edited(l, u);
		return cut_value(l, u, (char)kind);
	default: return unsupported(l, u);
	}
}

/* `/p/r` and `//p/r`: both words stand at the end of `out`, the second from `middle` on. */
static int replace_in_value(struct lexer *l, const struct substitution *u, size_t middle, bool all)
{
	const char *words = bw_buf_str(l->out);
	struct bw_text pattern = {words + u->mark, middle - u->mark};
	struct bw_text replacement = {words + middle, l->out->len - middle};
	struct bw_text value = {u->value.text, u->value.len};
	struct bw_buf result;
	int rc;

	bw_buf_init(&result, BW_MAX_WORD_BYTES);
	if (all)
		rc = bw_pattern_replace_all(value, pattern, replacement, l->work, &result, l->err);
	else
		rc = bw_pattern_replace(value, pattern, replacement, l->work, &result, l->err);
	cut(l, u->mark);
	if (rc == 0)
		rc = add(l, bw_buf_str(&result), result.len);
	bw_buf_done(&result);
	return rc;
}

static int apply_replacement(struct lexer *l, struct substitution *u)
{
	struct bw_word_facts before = l->facts;
	bool all = peek(l) == '/';
	size_t middle;
	int rc;

	l->pos += all;
	rc = read_nested(l, '/', true, "missing '/' in ${}");
	middle = l->out->len;
	if (rc == 0)
		rc = read_nested(l, '}', true, "missing '}'");
	if (rc < 0)
		return rc;
	u->is_set = look_up(l, u->name, &u->value);
	/* BuildKit writes one slash for two here. */
	if (l->rules->keeps_unset && !u->is_set)
		return keep_unset(l, u, middle);
	l->facts = before;
	note_edited(l, u);
	return replace_in_value(l, u, middle, all);
}

static void note_modifier(struct substitution *u, uint32_t rune)
{
	size_t len = strlen(u->modifier);

	if (rune == END)
		return;
	len += bw_rune_write(rune,
			     u->modifier + len); /* at most two of four bytes, and the last is the NUL */
	u->modifier[len < sizeof(u->modifier) ? len : sizeof(u->modifier) - 1] = '\0';
}

/* What comes behind the name; whatever it does, the value has a say in it. */
static int apply_modifier(struct lexer *l, struct substitution *u, uint32_t rune)
{
	int rc;

	if (*u->modifier == '/')
		rc = apply_replacement(l, u);
	else
		rc = apply_word(l, u, rune);
	l->facts.is_of_target |= u->is_set && u->value.is_of_target;
	return rc;
}

static int read_braced(struct lexer *l)
{
	struct substitution u = {.mark = l->out->len};
	uint32_t rune;

	l->pos++;
	rune = peek(l);
	if (rune == END)
		return syntax_error(l, "missing '}'");
	if (rune == '{' || rune == '}' || rune == ':')
		return syntax_error(l, "bad substitution");
	u.name = read_name(l);
	rune = next(l);
	if (rune == END)
		return syntax_error(l, "missing '}'");
	if (rune == '}')
		return add_variable(l, u.name, true);
	note_modifier(&u, rune);
	if (rune == ':') {
		u.null_is_unset = true;
		rune = next(l);
		note_modifier(&u, rune);
		if (rune == '#' || rune == '%')
			return unsupported(l, &u);
		return apply_modifier(l, &u, rune);
	}
	if (rune == '/' || rune == '+' || rune == '-' || rune == '?' || rune == '#' || rune == '%')
		return apply_modifier(l, &u, rune);
	return unsupported(l, &u);
}

static int read_dollar(struct lexer *l)
{
	struct bw_text name;

	l->pos++;
	if (peek(l) == '{')
		return read_braced(l);
	name = read_name(l);
	if (name.len == 0)
		return add(l, "$", 1);
	return add_variable(l, name, false);
}

/* --- the rest --------------------------------------------------------------------------------- */

/* `<<` takes the blanks behind it into its word, so that `<< EOF` is one. */
static int read_less(struct lexer *l)
{
	size_t start = l->pos++;

	if (peek(l) == '<') {
		l->pos++;
		while (l->pos < l->len &&
		       (l->s[l->pos] == ' ' || l->s[l->pos] == '\t' || l->s[l->pos] == '\r'))
			l->pos++;
	}
	return add(l, l->s + start, l->pos - start);
}

/* Unquoted, the escape character drops itself and the next character is literal. */
static int read_escape(struct lexer *l)
{
	size_t mark = l->out->len;
	uint32_t escape = next(l);
	uint32_t rune = next(l);
	int rc = 0;

	if (l->raw_escapes)
		rc = add_rune(l, escape);
	if (rc == 0 && rune != END)
		rc = add_rune(l, rune);
	if (rc == 0 && l->out->len > mark)
		split_raw(l, l->out->data + mark, l->out->len - mark);
	return rc;
}

static bool is_ordinary(const struct lexer *l, char c, uint32_t stop)
{
	return (unsigned char)c < 0x80 && c != '$' && c != '"' && c != '\'' && c != '<' &&
	       c != l->rules->escape && (unsigned char)c != stop;
}

/* A run of ordinary characters at once, or a single other one. */
static int read_plain(struct lexer *l, uint32_t stop)
{
	size_t mark = l->out->len;
	size_t start = l->pos;
	int rc;

	while (l->pos < l->len && is_ordinary(l, l->s[l->pos], stop))
		l->pos++;
	rc = l->pos > start ? add(l, l->s + start, l->pos - start) : add_rune(l, next(l));
	if (rc == 0)
		split_text(l, l->out->data + mark, l->out->len - mark);
	return rc;
}

/* One quoted string, variable or `<<`. */
static int read_special(struct lexer *l, uint32_t rune)
{
	size_t mark = l->out->len;
	int rc;

	switch (rune) {
	case '\'': rc = read_single_quoted(l); break;
	case '"': rc = read_double_quoted(l); break;
	case '<': rc = read_less(l); break;
	default: rc = read_dollar(l); break;
	}
	if (rc < 0)
		return rc;
	if (rune == '$')
		split_text(l, bw_buf_str(l->out) + mark, l->out->len - mark);
	else
		split_raw(l, bw_buf_str(l->out) + mark, l->out->len - mark);
	return 0;
}

/* Reads up to the character `stop`, which is taken and not part of the result; END: the whole text. */
static int read_until(struct lexer *l, uint32_t stop, bool raw_escapes)
{
	bool outer = l->raw_escapes;
	struct splitter *split = l->split;
	int rc = 0;

	l->raw_escapes = raw_escapes;
	if (l->depth > 0) {
		/* A nested word is no word of the line; in BuildKit it also wipes what the outer one had
		 * collected. */
		if (split)
			bw_buf_clear(&split->word);
		l->split = NULL;
	}
	while (rc == 0) {
		uint32_t rune = peek(l);

		if (rune == stop) {
			(void)next(l);
			break;
		}
		if (rune == END)
			rc = bw_fail(l->err, BW_E_INPUT,
				     "unexpected end of statement while looking for matching %c", (int)stop);
		else if (rune == '$' || rune == '"' || rune == '\'' || rune == '<')
			rc = read_special(l, rune);
		else if (rune == (unsigned char)l->rules->escape)
			rc = read_escape(l);
		else
			rc = read_plain(l, stop);
		if (l->split)
			cut(l, 0);
	}
	l->raw_escapes = outer;
	l->split = split;
	return rc;
}

bool bw_word_is_plain(const char *s, size_t len, char escape)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)s[i];

		/* Letters, digits and all that references are made of. */
		if (byte > '\'' && byte < 0x80)
			continue;
		/* A byte beyond ASCII may be an invalid one. */
		if (byte == '$' || byte == '"' || byte == '\'' || byte >= 0x80)
			return false;
	}
	return !memchr(s, escape, len);
}

int bw_word_expand(const char *s, size_t len, const struct bw_word_rules *rules, struct bw_buf *out,
		   struct bw_word_facts *facts, struct bw_err *err)
{
	size_t own = BW_WORD_WORK;
	struct lexer l = {.s = s, .len = len, .rules = rules, .out = out, .err = err};
	int rc;

	l.work = rules->work ? rules->work : &own;
	if (bw_word_is_plain(s, len, rules->escape))
		rc = add(&l, s, len);
	else
		rc = read_until(&l, END, rules->raw_escapes);
	if (facts)
		*facts = l.facts;
	return rc;
}

int bw_word_split(const char *s, size_t len, const struct bw_word_rules *rules, bw_word_fn fn, void *arg,
		  struct bw_err *err)
{
	size_t own = BW_WORD_WORK;
	struct splitter split = {.fn = fn, .arg = arg};
	struct bw_buf out;
	struct lexer l = {.s = s, .len = len, .rules = rules, .out = &out, .split = &split, .err = err};
	int rc;

	l.work = rules->work ? rules->work : &own;
	/* A line may be far longer than a word, and so may a quoted part of it. */
	bw_buf_init(&out, (size_t)BW_MAX_BUILDFILE_BYTES * 3);
	bw_buf_init(&split.word, BW_MAX_WORD_BYTES);
	rc = read_until(&l, END, rules->raw_escapes);
	if (rc == 0)
		end_word(&split);
	bw_buf_done(&split.word);
	bw_buf_done(&out);
	return rc;
}
