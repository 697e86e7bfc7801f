#include "buildfile/slot.h"

#include <stdint.h>
#include <string.h>

#include "buildfile/vars.h"
#include "core/mem.h"

/* Where is looked for a digest: in three stretches of the file, for all of it and then for its hex alone. */
#define PASSES	    6
#define FIRST_GUESS 4

/* --- letters with continuations in between ---------------------------------------------------- */

/*
 * What is looked at, and what may still be. Behind every letter there may be a comment of any length, and the next
 * letter to start from may stand in it: so each look is paid for where it is taken, and ends when nothing is left.
 */
struct view {
	const char *s;
	size_t len;
	size_t *work;
};

static void spend(size_t *work, size_t bytes)
{
	*work -= bytes < *work ? bytes : *work;
}

static size_t skip_blanks(const struct view *v, size_t at)
{
	size_t start = at;

	while (at < v->len && (v->s[at] == ' ' || v->s[at] == '\t' || v->s[at] == '\r'))
		at++;
	spend(v->work, at - start);
	return at;
}

/* Behind the blank lines and comments that a continuation passes over. */
static size_t skip_inner_lines(const struct view *v, size_t at)
{
	while (*v->work > 0) {
		size_t front = skip_blanks(v, at);
		const char *newline;

		if (front == v->len || (v->s[front] != '\n' && v->s[front] != '#'))
			break;
		newline = memchr(v->s + front, '\n', v->len - front);
		spend(v->work, newline ? (size_t)(newline - v->s) + 1 - front : v->len - front);
		if (!newline)
			break;
		at = (size_t)(newline - v->s) + 1;
	}
	return at;
}

/*
 * Behind a continuation at `at`, if there is one. Which of the two escape characters is the file's does not
 * matter: a wrong guess does not survive the second reading.
 */
static size_t skip_continuation(const struct view *v, size_t at)
{
	while (at < v->len && (v->s[at] == '\\' || v->s[at] == '`')) {
		size_t end = skip_blanks(v, at + 1);

		if (end == v->len || v->s[end] != '\n')
			break;
		spend(v->work, 2);
		at = skip_inner_lines(v, end + 1);
	}
	return at;
}

/* The end of `text` standing at `at`; 0: it does not stand there, or that would cost too much to find out. */
static size_t match(const struct view *v, size_t at, const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		if (i > 0)
			at = skip_continuation(v, at);
		spend(v->work, 1);
		if (at >= v->len || v->s[at] != text[i] || *v->work == 0)
			return 0;
		at++;
	}
	return at;
}

/* Letter by letter in the place of the old ones, so that the continuations stay; what is longer goes last. */
static void exchange(const struct view *v, size_t start, const char *old, const char *new,
		     struct bw_splice *ret)
{
	size_t end = match(v, start, old);
	size_t new_len = strlen(new);
	size_t old_len = strlen(old);
	size_t used = 0;
	size_t at = start;

	ret->start = start;
	ret->end = end;
	ret->len = 0;
	ret->text = bw_alloc(end - start + new_len);
	for (size_t i = 0; i < old_len; i++) {
		size_t letter = i > 0 ? skip_continuation(v, at) : at;
		size_t take = i + 1 == old_len ? new_len - used : used < new_len;

		memcpy(ret->text + ret->len, v->s + at, letter - at);
		ret->len += letter - at;
		memcpy(ret->text + ret->len, new + used, take);
		ret->len += take;
		used += take;
		at = letter + 1;
	}
}

/* --- a digest that is there already ----------------------------------------------------------- */

static const char *hex_of(const struct bw_digest *d)
{
	const char *colon = strchr(d->text, ':');

	return colon ? colon + 1 : d->text;
}

static bool is_same_algorithm(const struct bw_digest *a, const struct bw_digest *b)
{
	size_t len = (size_t)(hex_of(a) - a->text);

	return len == (size_t)(hex_of(b) - b->text) && memcmp(a->text, b->text, len) == 0;
}

/* The stretch that a pass looks through. False: there is none. */
static bool stretch_of(const struct bw_slots *s, size_t *from, size_t *to)
{
	const struct bw_use *u = s->use;

	switch (s->pass / 2) {
	case 0:
		*from = u->span.start;
		*to = u->span.end;
		return true;
	case 1:
		*from = u->arg_span.start;
		*to = u->arg_span.end;
		return u->arg_span.line > 0;
	default:
		/* Only FROM takes values from elsewhere, and only from ARGs before it. */
		*from = 0;
		*to = u->span.start;
		return u->role == BW_ROLE_FINAL || u->role == BW_ROLE_STAGE;
	}
}

/* False: it is not there, or there was not enough work left to find it. */
static bool find_text(const struct view *v, const char *text, size_t *at)
{
	while (*at<v->len && * v->work> 0) {
		const char *first = memchr(v->s + *at, *text, v->len - *at);

		if (!first)
			return false;
		*at = (size_t)(first - v->s);
		if (match(v, *at, text) > 0)
			return true;
		(*at)++;
	}
	return false;
}

/* Bare hex behind its algorithm has been found as a whole already. */
static bool has_algorithm(const struct bw_slots *s, size_t at)
{
	const char *text = s->use->parts.digest.text;
	size_t len = (size_t)(hex_of(&s->use->parts.digest) - text);

	return at >= len && memcmp(s->file + at - len, text, len) == 0;
}

/* The digest at `at`, which stands there whole or, `bare`, by its hex. */
static void replace_digest(const struct bw_slots *s, size_t at, bool bare, struct bw_splice *ret)
{
	const struct bw_digest *old = &s->use->parts.digest;
	size_t plenty = SIZE_MAX; /* that it stands there has been found out, with what there was */
	const struct view v = {s->file, s->len, &plenty};

	if (!is_same_algorithm(old, s->wish)) {
		exchange(&v, at, old->text, s->wish->text, ret);
		return;
	}
	for (const char *p = old->text; !bare && p < hex_of(old); p++)
		at = skip_continuation(&v, at + 1);
	exchange(&v, at, hex_of(old), hex_of(s->wish), ret);
}

/* Running over a byte costs far less than reading it as a part of a Dockerfile. */
static void charge(size_t *work, size_t bytes)
{
	spend(work, bytes / 16 + 1);
}

static bool next_digest(struct bw_slots *s, struct bw_splice *ret, size_t *work)
{
	const struct bw_digest *old = &s->use->parts.digest;

	for (; s->pass < PASSES; s->pass++, s->at = 0) {
		bool bare = s->pass % 2 == 1;
		struct view v = {s->file, 0, work};
		size_t from;

		if (!stretch_of(s, &from, &v.len) || (bare && !is_same_algorithm(old, s->wish)))
			continue;
		if (s->at < from)
			s->at = from;
		charge(work, v.len - s->at);
		while (find_text(&v, bare ? hex_of(old) : old->text, &s->at)) {
			size_t found = s->at++;

			if (bare && has_algorithm(s, found))
				continue;
			replace_digest(s, found, bare, ret);
			spend(work, ret->len); /* what stands between the letters is copied, however long */
			return true;
		}
	}
	return false;
}

/* --- no digest yet ---------------------------------------------------------------------------- */

/* The variables of a reference as it is written. */
struct variables {
	size_t start; /* of the last one that stands in no other */
	size_t end;
	bool has_automatic;
};

/* The end of `$name` or `${...}`, which may hold others. */
static size_t end_of_variable(const char *s, size_t at)
{
	size_t depth = 0;

	if (s[at + 1] != '{')
		return at + 1 + strspn(s + at + 1, BW_NAME_LETTERS);
	for (at++; s[at]; at++) {
		depth += s[at] == '{';
		if (s[at] == '}' && --depth == 0)
			return at + 1;
	}
	return at;
}

static char *name_of(const char *variable)
{
	const char *name = variable + (variable[1] == '{' ? 2 : 1);

	return bw_strndup(name, strspn(name, BW_NAME_LETTERS));
}

/* False: it has none. */
static bool find_variables(const char *written, struct variables *ret)
{
	const char *p = strchr(written, '$');

	*ret = (struct variables){0};
	if (!p)
		return false;
	for (; p; p = strchr(p + 1, '$')) {
		BW_AUTOFREE char *name = name_of(p);

		ret->has_automatic |= bw_vars_is_automatic(name);
		if ((size_t)(p - written) < ret->end)
			continue;
		ret->start = (size_t)(p - written);
		ret->end = end_of_variable(written, ret->start);
	}
	return true;
}

/* Does the text end with `tail`, and begins that at a path component? */
static bool ends_with_component(const char *text, const char *tail)
{
	size_t len = strlen(text);
	size_t tail_len = strlen(tail);

	if (tail_len == 0 || tail_len > len || strcmp(text + len - tail_len, tail) != 0)
		return false;
	return tail_len == len || text[len - tail_len - 1] == '/';
}

/* Are the last path component and the tag written out, behind the last variable? */
static bool has_own_name(const struct bw_use *u, const struct variables *v)
{
	const char *tail = u->written + v->end;

	return strchr(tail, '/') || ends_with_component(u->expanded, tail);
}

/* Does the ARG default hold the reference from one of its path components on? */
static bool holds_name(const struct bw_slots *s, size_t *work)
{
	const struct bw_span *span = &s->use->arg_span;
	const struct view v = {s->file, span->end, work};

	for (const char *name = s->use->expanded; name; name = strchr(name, '/')) {
		name += *name == '/';
		if (match(&v, span->start, name) == span->end)
			return true;
	}
	return false;
}

/* `${NAME:-value}` or `${NAME-value}` at the end, with the name and its tag as the value. */
static bool has_default(const struct bw_slots *s, const struct variables *v)
{
	const char *p = s->use->written + v->start;
	size_t len = v->end - v->start;
	BW_AUTOFREE char *value = NULL;
	size_t name;

	if (p[1] != '{' || s->file[s->use->span.end - 1] != '}')
		return false;
	name = 2 + strspn(p + 2, BW_NAME_LETTERS);
	name += p[name] == ':';
	if (p[name] != '-')
		return false;
	value = bw_strndup(p + name + 1, len - name - 2);
	return ends_with_component(s->use->expanded, value);
}

/*
 * Where the tag ends that a digest goes behind. Variables may say where the image comes from, as the content is the
 * same on every mirror; or one of them brings the name and the tag, and another value takes the digest away with
 * them. Else a digest would silently win against the tag that somebody gives.
 */
static bool end_of_tag(const struct bw_slots *s, size_t *ret, size_t *work)
{
	const struct bw_use *u = s->use;
	struct variables v;

	*ret = u->span.end;
	if (!find_variables(u->written, &v))
		return true;
	if (v.has_automatic || u->follows_target)
		return false;
	if (u->written[v.end])
		return has_own_name(u, &v);
	if (v.start > 0 && u->written[v.start - 1] != '/')
		return false;
	if (u->arg_span.line > 0) {
		*ret = u->arg_span.end;
		return holds_name(s, work);
	}
	*ret = u->span.end - 1;
	return has_default(s, &v);
}

static bool next_insertion(struct bw_slots *s, struct bw_splice *ret, size_t *work)
{
	size_t at;

	if (s->pass++ > 0 || !end_of_tag(s, &at, work))
		return false;
	ret->start = at;
	ret->end = at;
	ret->text = bw_asprintf("%s@%s", s->use->parts.tag ? "" : ":latest", s->wish->text);
	ret->len = strlen(ret->text);
	return true;
}

/* --- the door --------------------------------------------------------------------------------- */

void bw_slots_init(struct bw_slots *s, const char *file, size_t len, const struct bw_use *use,
		   const struct bw_digest *wish)
{
	*s = (struct bw_slots){.file = file, .len = len, .use = use, .wish = wish};
}

bool bw_slots_next(struct bw_slots *s, struct bw_splice *ret, size_t *work)
{
	if (bw_digest_is_set(&s->use->parts.digest))
		return next_digest(s, ret, work);
	return next_insertion(s, ret, work);
}

bool bw_slots_is_guess(const struct bw_slots *s)
{
	return s->pass >= FIRST_GUESS;
}

static char *digest_refusal(const struct bw_use *use, const struct bw_build_options *opts)
{
	const char *hex = hex_of(&use->parts.digest);

	for (size_t i = 0; i < opts->arg_count; i++)
		if (strstr(opts->args[i].value, hex))
			return bw_asprintf("its digest comes from --build-arg %s", opts->args[i].name);
	return bw_strdup("its digest does not stand in the file in one piece");
}

char *bw_slots_refusal(const struct bw_use *use, const struct bw_build_options *opts)
{
	BW_AUTOFREE char *name = NULL;
	struct variables v;

	if (bw_digest_is_set(&use->parts.digest))
		return digest_refusal(use, opts);
	if (!find_variables(use->written, &v))
		return bw_strdup("no place was found where a digest changes nothing else");
	if (v.has_automatic || use->follows_target)
		return bw_strdup(
			"it is another image for another platform: a digest would hold for one only");
	name = name_of(use->written + v.start);
	if (bw_build_arg(opts, name))
		return bw_asprintf("a part of it comes from --build-arg %s", name);
	return bw_asprintf("a part of it comes from ARG %s: a digest behind it would override "
			   "--build-arg %s=...",
			   name, name);
}
