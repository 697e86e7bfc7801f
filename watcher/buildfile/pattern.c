#include "buildfile/pattern.h"

#include <stdint.h>
#include <string.h>

#include "buildfile/rune.h"
#include "core/mem.h"

#define ANY  0x110000U /* `?` */
#define STAR 0x110001U /* `*` */
#define NONE SIZE_MAX

/* Text as runes; of a pattern: its elements. */
struct runes {
	uint32_t *item;
	size_t count;
};

struct matcher {
	struct runes pattern;
	struct runes value;
	size_t *work;
};

static void runes_done(struct runes *r)
{
	free(r->item);
	r->item = NULL;
}

static void matcher_done(struct matcher *m)
{
	runes_done(&m->pattern);
	runes_done(&m->value);
}

#define AUTORUNES   BW_CLEANUP(runes_done)
#define AUTOMATCHER BW_CLEANUP(matcher_done)

static struct runes runes_of(struct bw_text text)
{
	struct runes r = {.item = bw_alloc((text.len + 1) * sizeof(uint32_t))};

	for (size_t at = 0; at < text.len;)
		at += bw_rune_read(text.s + at, text.len - at, &r.item[r.count++]);
	return r;
}

static int too_much(struct bw_err *err)
{
	return bw_fail(err, BW_E_LIMIT, "the expansion takes too much work");
}

/* Takes `n` steps off the budget. */
static bool spend(size_t *work, size_t n)
{
	if (*work < n) {
		*work = 0;
		return false;
	}
	*work -= n;
	return true;
}

static int bad_escape(uint32_t rune, struct bw_text pattern, struct bw_err *err)
{
	char text[4];

	return bw_fail(err, BW_E_INPUT, "invalid pattern (%.*s) in substitution: invalid escape '\\%.*s'",
		       (int)pattern.len, pattern.s, rune ? (int)bw_rune_write(rune, text) : 0, text);
}

/* Turns the raw runes into elements, in place. */
static int compile(struct runes *r, struct bw_text pattern, struct bw_err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++) {
		uint32_t rune = r->item[i];

		if (rune == '*') {
			rune = STAR;
		} else if (rune == '?') {
			rune = ANY;
		} else if (rune == '\\') {
			rune = i + 1 < r->count ? r->item[i + 1] : 0;
			/* `}` and `/` are escaped for the sake of `${}`; they are no part of the pattern's
			 * own rules. */
			if (rune == '}' || rune == '/')
				continue;
			if (rune != '*' && rune != '?' && rune != '\\')
				return bad_escape(rune, pattern, err);
			i++;
		}
		r->item[count++] = rune;
	}
	r->count = count;
	return 0;
}

static void reverse(struct runes *r)
{
	for (size_t i = 0, k = r->count; i + 1 < k; i++) {
		uint32_t rune = r->item[--k];

		r->item[k] = r->item[i];
		r->item[i] = rune;
	}
}

/* Reverses a pattern, with each escape kept in front of its character. */
static void reverse_pattern(struct runes *r)
{
	reverse(r);
	/* Now "x\" stands where "\x" is meant. From the back, as escapes pair up from the original front. */
	for (size_t i = r->count; i-- > 1;) {
		if (r->item[i] != '\\')
			continue;
		r->item[i] = r->item[i - 1];
		r->item[i - 1] = '\\';
		i--;
	}
}

/* Do the elements [from, to), none of them STAR, stand at `at` of the value? */
static bool stands_at(struct matcher *m, size_t from, size_t to, size_t at)
{
	if (to - from > m->value.count - at)
		return false;
	for (size_t i = from; i < to; i++, at++) {
		uint32_t want = m->pattern.item[i];
		uint32_t have = m->value.item[at];

		if (!spend(m->work, 1) || (want == ANY ? have == '\n' : have != want))
			return false;
	}
	return true;
}

/* The end of the run that a STAR may cover from `at` on. */
static size_t run_end(struct matcher *m, size_t at)
{
	while (at < m->value.count && m->value.item[at] != '\n' && spend(m->work, 1))
		at++;
	return at;
}

static size_t next_star(const struct matcher *m, size_t from)
{
	while (from < m->pattern.count && m->pattern.item[from] != STAR)
		from++;
	return from;
}

/* The end of the piece [from, to) placed at the first (or last) possible place at or behind `at`; NONE:
 * nowhere. */
static size_t place(struct matcher *m, size_t from, size_t to, size_t at, bool last)
{
	size_t end = run_end(m, at);

	if (last) {
		for (size_t i = end + 1; i-- > at;)
			if (stands_at(m, from, to, i))
				return i + (to - from);
	} else {
		for (size_t i = at; i <= end; i++)
			if (stands_at(m, from, to, i))
				return i + (to - from);
	}
	return NONE;
}

/*
 * Where does the match that starts at `start` end? The pieces between the stars are placed one after another,
 * each as early as it goes, and for the longest match the last one as late as it goes. That finds the same
 * end as trying everything, without going back.
 */
static size_t match(struct matcher *m, size_t start, bool longest)
{
	size_t to = next_star(m, 0);
	size_t at = start + to;

	if (!stands_at(m, 0, to, start))
		return NONE;
	while (to < m->pattern.count) {
		size_t from = to + 1;

		to = next_star(m, from);
		if (from == to && to == m->pattern.count)
			return longest ? run_end(m, at) : at;
		if (from < to)
			at = place(m, from, to, at, longest && to == m->pattern.count);
		if (at == NONE)
			return NONE;
	}
	return at;
}

static int prepare(struct matcher *m, struct bw_text value, struct bw_text pattern, bool reversed,
		   size_t *work, struct bw_err *err)
{
	m->work = work;
	m->pattern = runes_of(pattern);
	m->value = runes_of(value);
	if (!spend(work, m->pattern.count + m->value.count))
		return too_much(err);
	if (reversed) {
		reverse_pattern(&m->pattern);
		reverse(&m->value);
	}
	return compile(&m->pattern, pattern, err);
}

static int add(struct bw_buf *out, const char *s, size_t len, struct bw_err *err)
{
	if (!bw_buf_add(out, s, len))
		return bw_fail(err, BW_E_LIMIT, "the expanded word has more than %zu bytes", out->max);
	return 0;
}

static int add_runes(const struct runes *r, size_t from, size_t to, struct bw_buf *out, struct bw_err *err)
{
	for (size_t i = from; i < to; i++) {
		char bytes[4];

		if (add(out, bytes, bw_rune_write(r->item[i], bytes), err) < 0)
			return err ? (int)err->code : BW_E_LIMIT;
	}
	return 0;
}

int bw_pattern_cut_front(struct bw_text value, struct bw_text pattern, bool longest, size_t *work,
			 struct bw_buf *out, struct bw_err *err)
{
	AUTOMATCHER struct matcher m = {0};
	int rc = prepare(&m, value, pattern, false, work, err);
	size_t end;

	if (rc < 0)
		return rc;
	end = match(&m, 0, longest);
	if (*work == 0)
		return too_much(err);
	return add_runes(&m.value, end == NONE ? 0 : end, m.value.count, out, err);
}

int bw_pattern_cut_back(struct bw_text value, struct bw_text pattern, bool longest, size_t *work,
			struct bw_buf *out, struct bw_err *err)
{
	AUTOMATCHER struct matcher m = {0};
	int rc = prepare(&m, value, pattern, true, work, err);
	size_t end;

	if (rc < 0)
		return rc;
	end = match(&m, 0, longest);
	if (*work == 0)
		return too_much(err);
	reverse(&m.value);
	return add_runes(&m.value, 0, m.value.count - (end == NONE ? 0 : end), out, err);
}

/* The leftmost match at or behind `from`, as long as it goes. */
static bool find(struct matcher *m, size_t from, size_t *ret_start, size_t *ret_end)
{
	for (size_t start = from; start <= m->value.count && *m->work > 0; start++) {
		size_t end = match(m, start, true);

		if (end == NONE)
			continue;
		*ret_start = start;
		*ret_end = end;
		return *m->work > 0;
	}
	return false;
}

int bw_pattern_replace(struct bw_text value, struct bw_text pattern, struct bw_text replacement, size_t *work,
		       struct bw_buf *out, struct bw_err *err)
{
	AUTOMATCHER struct matcher m = {0};
	int rc = prepare(&m, value, pattern, false, work, err);
	size_t start;
	size_t end;

	if (rc < 0)
		return rc;
	if (!find(&m, 0, &start, &end)) {
		if (*work == 0)
			return too_much(err);
		return add_runes(&m.value, 0, m.value.count, out, err);
	}
	rc = add_runes(&m.value, 0, start, out, err);
	if (rc == 0)
		rc = add(out, replacement.s, replacement.len, err);
	if (rc == 0)
		rc = add_runes(&m.value, end, m.value.count, out, err);
	return rc;
}

/* The name behind a `$` of a replacement; returns the bytes it takes, 0 when there is none. */
static size_t template_name(struct bw_text t, struct bw_text *ret_name)
{
	bool braced = t.len > 0 && *t.s == '{';
	size_t from = braced;
	size_t at = from;

	while (at < t.len) {
		uint32_t rune;
		size_t n = bw_rune_read(t.s + at, t.len - at, &rune);

		if (rune != '_' && !bw_rune_is_letter(rune) && !bw_rune_is_digit(rune))
			break;
		at += n;
	}
	if (at == from || (braced && (at == t.len || t.s[at] != '}')))
		return 0;
	*ret_name = (struct bw_text){t.s + from, at - from};
	return at + braced;
}

/* A template of Go's regexp package: the pattern has no groups, so only the whole match has a name, `0`. */
static int add_template(const struct matcher *m, size_t start, size_t end, struct bw_text t,
			struct bw_buf *out, struct bw_err *err)
{
	int rc = 0;

	while (rc == 0 && t.len > 0) {
		const char *dollar = memchr(t.s, '$', t.len);
		size_t plain = dollar ? (size_t)(dollar - t.s) : t.len;
		struct bw_text name;
		size_t n;

		rc = add(out, t.s, plain, err);
		if (rc < 0 || !dollar)
			return rc;
		t = (struct bw_text){dollar + 1, t.len - plain - 1};
		if (t.len > 0 && *t.s == '$') {
			rc = add(out, "$", 1, err);
			t = (struct bw_text){t.s + 1, t.len - 1};
			continue;
		}
		n = template_name(t, &name);
		if (n == 0)
			rc = add(out, "$", 1, err);
		else if (name.len == 1 && *name.s == '0')
			rc = add_runes(&m->value, start, end, out, err);
		t = (struct bw_text){t.s + n, t.len - n};
	}
	return rc;
}

int bw_pattern_replace_all(struct bw_text value, struct bw_text pattern, struct bw_text replacement,
			   size_t *work, struct bw_buf *out, struct bw_err *err)
{
	AUTOMATCHER struct matcher m = {0};
	int rc = prepare(&m, value, pattern, false, work, err);
	size_t done = 0; /* the end of the last match */
	size_t from = 0;
	size_t start;
	size_t end;

	while (rc == 0 && from <= m.value.count && find(&m, from, &start, &end)) {
		rc = add_runes(&m.value, done, start, out, err);
		/* An empty match right behind another match is none. */
		if (rc == 0 && (end > done || start == 0))
			rc = spend(work, replacement.len)
				     ? add_template(&m, start, end, replacement, out, err)
				     : too_much(err);
		done = end;
		from = end > from ? end : from + 1;
	}
	if (rc == 0 && *work == 0)
		rc = too_much(err);
	if (rc == 0)
		rc = add_runes(&m.value, done, m.value.count, out, err);
	return rc;
}
