/*
 * quota.c - see quota.h. All forms are lists of members, "value;key=value;..." (RFC 9651 3.1), read by one loose parser:
 * what a registry says by the way is no reason to fail.
 */
#include "registry/quota.h"

#include <stddef.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "net/http.h"

#define MAX_MEMBERS 8
#define MAX_LINE    1024
#define MAX_WORD    64
#define MAX_RESET_S 604800
#define A_DATE	    1000000000 /* more is no number of seconds from now, but since 1970 */

/* One member of a list; numbers that are too large are UINT32_MAX. */
struct member {
	char name[MAX_WORD]; /* a name in quotes or bare, without its quotes; "" when it is a number */
	bool has_value;	     /* the number itself, or that of "name=number" */
	bool has_q, has_r, has_t, has_w;
	bool is_other; /* it counts something else than requests */
	uint32_t value, q, r, t, w;
};

struct list {
	struct member items[MAX_MEMBERS];
	size_t count;
	bool has_other; /* members that are left out, because they count something else */
};

/* --- lists ------------------------------------------------------------------------------------ */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* Up to one of `ends` outside of quotes. A word that is too long is no word. */
static const char *read_word(const char *s, const char *ends, char out[MAX_WORD])
{
	bool in_quotes = false, fits = true;
	size_t n = 0;

	for (s = skip_blanks(s); *s && (in_quotes || !strchr(ends, *s)); s++) {
		if (*s == '"') {
			in_quotes = !in_quotes;
			continue;
		}
		if (*s == '\\' && in_quotes && s[1])
			s++;
		if (n + 1 < MAX_WORD)
			out[n++] = *s;
		else
			fits = false;
	}
	while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
		n--;
	out[fits ? n : 0] = '\0';
	return s;
}

/* A fraction is cut off: some count in tenths of seconds. */
static bool read_number(const char *s, uint32_t *ret)
{
	uint64_t n = 0;
	size_t digits = strspn(s, "0123456789");
	const char *rest = s + digits;

	if (digits == 0)
		return false;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest)
		return false;
	for (size_t i = 0; i < digits && n < UINT32_MAX; i++)
		n = n * 10 + (uint64_t)(s[i] - '0');
	*ret = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	return true;
}

static void set_parameter(struct member *m, const char *key, const char *value)
{
	static const char *const requests = "requests"; /* the quota unit that is meant without one */

	if (bw_text_is_nocase(key, "q"))
		m->has_q = read_number(value, &m->q);
	else if (bw_text_is_nocase(key, "r"))
		m->has_r = read_number(value, &m->r);
	else if (bw_text_is_nocase(key, "t"))
		m->has_t = read_number(value, &m->t);
	else if (bw_text_is_nocase(key, "w") || bw_text_is_nocase(key, "window"))
		m->has_w = read_number(value, &m->w) && m->w > 0;
	else if (bw_text_is_nocase(key, "qu"))
		m->is_other = !bw_text_is_nocase(value, requests);
}

/* "=value", if there is one. */
static const char *read_value(const char *s, char out[MAX_WORD])
{
	out[0] = '\0';
	return *s == '=' ? read_word(s + 1, ";,", out) : s;
}

static const char *read_member(const char *s, struct member *m)
{
	char key[MAX_WORD], value[MAX_WORD];

	*m = (struct member){0};
	s = read_value(read_word(s, "=;,", m->name), value);
	if (*value)
		m->has_value = read_number(value, &m->value);
	else if (read_number(m->name, &m->value)) {
		m->has_value = true;
		m->name[0] = '\0';
	}
	while (*s == ';') {
		s = read_value(read_word(s + 1, "=;,", key), value);
		set_parameter(m, key, value);
	}
	return s;
}

static void read_line(const char *s, struct list *l)
{
	for (;;) {
		struct member m;

		s = read_member(s, &m);
		l->has_other |= m.is_other;
		if (!m.is_other && (m.has_value || m.name[0]) && l->count < MAX_MEMBERS)
			l->items[l->count++] = m;
		if (*s != ',')
			return;
		s++;
	}
}

/* All lines of that name. One that is too long would be cut in the middle of a number. */
static struct list read_list(const struct bw_http_response *r, const char *name)
{
	struct list l = {.count = 0};
	char line[MAX_LINE];

	for (unsigned i = 0; i < MAX_MEMBERS && bw_http_header(r, name, i, line, sizeof(line)); i++)
		if (strlen(line) + 1 < sizeof(line))
			read_line(line, &l);
	return l;
}

/* --- what they say ---------------------------------------------------------------------------- */

static void set_reset(struct bw_quota *q, uint32_t value, int64_t now_ms)
{
	int64_t s = value;

	if (s >= A_DATE)
		s -= now_ms / 1000;
	if (s < 0)
		s = 0;
	q->has_reset = true;
	q->reset_s = s < MAX_RESET_S ? (uint32_t)s : MAX_RESET_S;
}

/* Is less of `a` left, measured by its limit? Of two equals the slower one counts. */
static bool is_tighter(const struct bw_quota *a, const struct bw_quota *b)
{
	uint64_t left_a = a->remaining * b->limit, left_b = b->remaining * a->limit;

	if (left_a != left_b)
		return left_a < left_b;
	return a->window_s * b->limit > b->window_s * a->limit;
}

/* All are at most UINT32_MAX, so that two of them can be multiplied. */
static void offer(struct bw_quota *best, struct bw_quota q)
{
	if (q.limit == 0)
		return;
	if (q.remaining > q.limit)
		q.remaining = q.limit;
	if (best->limit == 0 || is_tighter(&q, best))
		*best = q;
}

static const struct member *find_name(const struct list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i].name, name) == 0)
			return &l->items[i];
	return NULL;
}

/* Its window, or that of the policy with the same limit. */
static uint32_t window_of(const struct member *limit, const struct list *policies)
{
	if (limit->has_w)
		return limit->w;
	for (size_t i = 0; i < policies->count; i++) {
		const struct member *p = &policies->items[i];

		if (p->has_value && p->has_w && p->value == limit->value)
			return p->w;
	}
	return 0;
}

/* "default";r=50;t=30 with "default";q=100;w=60. A single one is meant by a single policy even under another name. */
static void offer_named(struct bw_quota *best, const struct list *l, const struct member *m,
			const struct list *policies, int64_t now_ms)
{
	const struct member *p = find_name(policies, m->name);
	struct bw_quota q;

	if (!p && policies->count == 1 && l->count == 1 && !policies->has_other)
		p = &policies->items[0];
	if (!p || !p->has_q || !m->has_r)
		return;
	q = (struct bw_quota){.limit = p->q, .remaining = m->r, .window_s = p->has_w ? p->w : 0};
	if (m->has_t)
		set_reset(&q, m->t, now_ms);
	offer(best, q);
}

/* limit=100, remaining=50, reset=5 */
static void offer_dictionary(struct bw_quota *best, const struct list *l, const struct list *policies,
			     int64_t now_ms)
{
	const struct member *limit = find_name(l, "limit"), *remaining = find_name(l, "remaining"),
			    *reset = find_name(l, "reset");
	struct bw_quota q;

	if (!limit || !limit->has_value || !remaining || !remaining->has_value)
		return;
	q = (struct bw_quota){
		.limit = limit->value, .remaining = remaining->value, .window_s = window_of(limit, policies)};
	if (reset && reset->has_value)
		set_reset(&q, reset->value, now_ms);
	offer(best, q);
}

static void read_one_field(const struct bw_http_response *r, int64_t now_ms, struct bw_quota *best)
{
	struct list l = read_list(r, "ratelimit"), policies = read_list(r, "ratelimit-policy");

	for (size_t i = 0; i < l.count; i++)
		offer_named(best, &l, &l.items[i], &policies, now_ms);
	offer_dictionary(best, &l, &policies, now_ms);
}

/* Which limit is this the rest of? The one with its window; without one the first, which is the one that counts. */
static const struct member *limit_of(const struct member *left, size_t nth, const struct list *limits)
{
	for (size_t i = 0; left->has_w && i < limits->count; i++)
		if (limits->items[i].has_w && limits->items[i].w == left->w)
			return &limits->items[i];
	return nth == 0 && limits->count > 0 ? &limits->items[0] : NULL;
}

/* The names of the three fields; the policies of the drafts 03 to 06 stand in the first, or in a field of their own. */
static void read_three_fields(const struct bw_http_response *r, const char *const names[3], int64_t now_ms,
			      struct bw_quota *best)
{
	struct list limits = read_list(r, names[0]), left = read_list(r, names[1]),
		    reset = read_list(r, names[2]);

	for (size_t i = 0; i < left.count; i++) {
		const struct member *m = &left.items[i], *limit = limit_of(m, i, &limits);
		struct bw_quota q;

		if (!limit || !limit->has_value || !m->has_value || limit->name[0] || m->name[0])
			continue;
		q = (struct bw_quota){.limit = limit->value, .remaining = m->value};
		q.window_s = window_of(limit, &limits);
		if (q.window_s == 0) {
			struct list policies = read_list(r, "ratelimit-policy");

			q.window_s = window_of(limit, &policies);
		}
		if (q.window_s == 0 && m->has_w)
			q.window_s = m->w;
		if (i == 0 && reset.count > 0 && reset.items[0].has_value && !reset.items[0].name[0])
			set_reset(&q, reset.items[0].value, now_ms);
		offer(best, q);
	}
}

/* By their own clock, where they tell the time: a date to reset at is of that one. */
static int64_t their_clock(const struct bw_http_response *r, int64_t now_ms)
{
	char date[64];
	int64_t ms;

	return bw_http_header(r, "date", 0, date, sizeof(date)) && bw_time_parse_http(date, &ms) ? ms
												 : now_ms;
}

bool bw_quota_read(const char *headers, int64_t now_ms, struct bw_quota *ret)
{
	static const char *const draft[] = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"};
	static const char *const other[] = {"x-ratelimit-limit", "x-ratelimit-remaining",
					    "x-ratelimit-reset"};
	const struct bw_http_response r = {.headers = headers};
	struct bw_quota best = {0};

	if (!strstr(headers,
		    "ratelimit")) /* most registries say nothing, and this is done for every answer */
		return false;
	now_ms = their_clock(&r, now_ms);
	read_one_field(&r, now_ms, &best);
	if (best.limit == 0)
		read_three_fields(&r, draft, now_ms, &best);
	if (best.limit == 0)
		read_three_fields(&r, other, now_ms, &best);
	if (best.limit == 0)
		return false;
	*ret = best;
	return true;
}
