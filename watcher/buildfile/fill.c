/* fill.c - templates become patches; see buildfile/template.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildfile/patch.h"
#include "buildfile/placeholder.h"
#include "buildfile/splice.h"
#include "buildfile/template.h"
#include "core/mem.h"
#include "core/text.h"

#define MAX_LINE (1U << 24) /* of a file; far beyond those that are read */

/* One template with its digest. */
struct piece {
	struct bw_template_use *use;
	const char *header; /* both lines */
	size_t header_len;
	size_t first;		   /* number of its first line */
	size_t changed;		   /* of the one that is changed */
	struct bw_buf before;	   /* the old lines */
	struct bw_splice *splices; /* in these */
	size_t splice_count, splice_capacity;
};

struct pieces {
	struct piece *items;
	size_t count, capacity;
};

/* --- reading ---------------------------------------------------------------------------------- */

struct line {
	const char *s;
	size_t len; /* without the newline */
};

/* False: there is none, or it does not end. */
static bool take_line(const char **at, struct line *ret)
{
	const char *newline = strchr(*at, '\n');

	if (!newline)
		return false;
	*ret = (struct line){*at, (size_t)(newline - *at)};
	*at = newline + 1;
	return true;
}

static bool begins(const struct line *l, const char *prefix)
{
	return l->len >= strlen(prefix) && memcmp(l->s, prefix, strlen(prefix)) == 0;
}

/* "@@ -12,7 +12,7 @@": the one number that matters. */
static bool read_place(const struct line *l, size_t *ret)
{
	size_t n = 0;

	if (!begins(l, "@@ -"))
		return false;
	for (const char *c = l->s + strlen("@@ -"); *c >= '0' && *c <= '9'; c++) {
		n = n * 10 + (size_t)(*c - '0');
		if (n > MAX_LINE)
			return false;
	}
	*ret = n;
	return n > 0;
}

/* What is read of the lines of a hunk. */
struct hunk {
	struct line minus, plus; /* s NULL: not there yet */
	size_t minus_at;	 /* in the old lines */
	size_t lines;
};

static bool read_line(struct piece *p, struct hunk *h, const struct line *l)
{
	struct line text = {l->s + 1, l->len - (l->len > 0)};

	if (l->len == 0)
		return false;
	if (*l->s == '\\') { /* the newline is the patch's own */
		p->before.len -= p->before.len > 0 && p->before.data[p->before.len - 1] == '\n';
		return true;
	}
	if (*l->s == '+') {
		if (h->plus.s || !h->minus.s || h->lines != p->changed - p->first + 1)
			return false;
		h->plus = text;
		return true;
	}
	if (*l->s == '-') {
		if (h->minus.s)
			return false;
		h->minus = text;
		h->minus_at = p->before.len;
		p->changed = p->first + h->lines;
	} else if (*l->s != ' ') {
		return false;
	}
	h->lines++;
	return bw_buf_add(&p->before, text.s, text.len) && bw_buf_addc(&p->before, '\n');
}

static bool read_hunk(const char *at, struct piece *p, struct hunk *h)
{
	struct line l;

	while (take_line(&at, &l))
		if (!read_line(p, h, &l))
			return false;
	return *at == '\0' && h->plus.s;
}

/* --- filling in ------------------------------------------------------------------------------- */

/* The new line. False: there is no place for the digest. */
static bool fill_line(const struct line *plus, const struct bw_digest *to, struct bw_buf *out)
{
	const char *at = plus->s, *end = plus->s + plus->len, *found;
	size_t count = 0;

	while ((found = memmem(at, (size_t)(end - at), BW_PLACEHOLDER, BW_PLACEHOLDER_LEN)) != NULL) {
		(void)bw_buf_add(out, at, (size_t)(found - at));
		(void)bw_buf_adds(out, to->text + strlen("sha256:"));
		at = found + BW_PLACEHOLDER_LEN;
		count++;
	}
	(void)bw_buf_add(out, at, (size_t)(end - at));
	return count > 0 && !out->overflow;
}

static void add_splice(struct piece *p, size_t start, size_t end, const char *text, size_t len)
{
	BW_PUSH(p->splices, p->splice_count, p->splice_capacity) =
		(struct bw_splice){.start = start, .end = end, .text = bw_strndup(text, len), .len = len};
}

/* One algorithm's digest for another's: what differs between both lines. */
static void splice_whole(const struct hunk *h, const struct bw_buf *now, struct piece *p)
{
	size_t most = h->minus.len < now->len ? h->minus.len : now->len, head = 0, tail = 0;

	while (head < most && h->minus.s[head] == now->data[head])
		head++;
	while (tail < most - head && h->minus.s[h->minus.len - 1 - tail] == now->data[now->len - 1 - tail])
		tail++;
	add_splice(p, h->minus_at + head, h->minus_at + h->minus.len - tail, now->data + head,
		   now->len - tail - head);
}

/* Nothing but the digests, so that what other templates change in this line can be put in as well. */
static void splice_digests(const struct hunk *h, const struct bw_buf *now, struct piece *p)
{
	const char *end = h->plus.s + h->plus.len, *at = h->plus.s;

	while ((at = memmem(at, (size_t)(end - at), BW_PLACEHOLDER, BW_PLACEHOLDER_LEN)) != NULL) {
		size_t start = (size_t)(at - h->plus.s);

		add_splice(p, h->minus_at + start, h->minus_at + start + BW_PLACEHOLDER_LEN,
			   now->data + start, BW_PLACEHOLDER_LEN);
		at += BW_PLACEHOLDER_LEN;
	}
}

/* The placeholder in the old line is a digest that somebody wrote: then nobody knows which of them is meant. */
static bool read_template(struct bw_template_use *u, struct piece *p)
{
	const char *at = u->template;
	struct hunk h = {0};
	struct line l;
	BW_AUTOBUF struct bw_buf now;

	*p = (struct piece){.use = u, .header = at};
	bw_buf_init(&p->before, BW_TEMPLATE_MAX_BYTES);
	bw_buf_init(&now, BW_TEMPLATE_MAX_BYTES);
	if (!take_line(&at, &l) || !begins(&l, "--- ") || !take_line(&at, &l) || !begins(&l, "+++ "))
		return false;
	p->header_len = (size_t)(at - p->header);
	if (!take_line(&at, &l) || !read_place(&l, &p->first) || !read_hunk(at, p, &h) ||
	    memmem(h.minus.s, h.minus.len, BW_PLACEHOLDER, BW_PLACEHOLDER_LEN) ||
	    !fill_line(&h.plus, &u->to, &now))
		return false;
	if (h.minus.len != now.len)
		splice_whole(&h, &now, p);
	else if (memcmp(h.minus.s, now.data, now.len) != 0)
		splice_digests(&h, &now, p);
	return p->splice_count > 0; /* else it has that digest */
}

static void piece_done(struct piece *p)
{
	bw_buf_done(&p->before);
	for (size_t i = 0; i < p->splice_count; i++)
		bw_splice_done(&p->splices[i]);
	free(p->splices);
}

/* --- one for each place ----------------------------------------------------------------------- */

/* Only this one stands in a template. */
static bool can_fill(const struct bw_template_use *u)
{
	return bw_text_starts(u->to.text, "sha256:") &&
	       strlen(u->to.text) == strlen("sha256:") + BW_PLACEHOLDER_LEN;
}

static int by_template(const void *a, const void *b)
{
	const struct bw_template_use *x = *(struct bw_template_use *const *)a;
	const struct bw_template_use *y = *(struct bw_template_use *const *)b;
	int order = strcmp(x->template, y->template);

	if (order == 0)
		order = (x > y) - (x < y);
	return order;
}

/* The uses of one template; they must agree, for they move together. */
static void take_uses(struct bw_template_use *const *uses, size_t count, struct pieces *ret)
{
	struct piece p;

	for (size_t i = 0; i < count; i++)
		if (!can_fill(uses[i]) || !bw_digest_equal(&uses[i]->to, &uses[0]->to))
			return;
	if (read_template(uses[0], &p))
		BW_PUSH(ret->items, ret->count, ret->capacity) = p;
	else
		piece_done(&p);
}

static void read_all(struct bw_template_use *uses, size_t count, struct pieces *ret)
{
	struct bw_template_use **list = bw_alloc(count * sizeof(struct bw_template_use *));
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		uses[i].patch = NULL;
		if (uses[i].template)
			list[known++] = &uses[i];
	}
	if (known > 1)
		qsort(list, known, sizeof(struct bw_template_use *), by_template);
	for (size_t i = 0, end; i < known; i = end) {
		for (end = i + 1; end < known && strcmp(list[i]->template, list[end]->template) == 0;)
			end++;
		take_uses(list + i, end - i, ret);
	}
	free(list);
}

/* --- putting together ------------------------------------------------------------------------- */

static int by_line(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->changed != y->changed)
		return x->changed < y->changed ? -1 : 1;
	return (x->use > y->use) - (x->use < y->use);
}

/* The byte that line `n`, from 0, begins with. False: the text ends before it. */
static bool find_line(const struct bw_buf *text, size_t n, size_t *ret)
{
	size_t at = 0;

	for (; n > 0; n--) {
		const char *newline = memchr(bw_buf_str(text) + at, '\n', text->len - at);

		if (!newline)
			return false;
		at = (size_t)(newline - text->data) + 1;
	}
	*ret = at;
	return true;
}

/* Puts the lines of `p` to those from `first` on; where they overlap they must be the same. */
static bool join(struct bw_buf *text, size_t first, struct piece *p)
{
	size_t at, common;

	if (p->first < first || !find_line(text, p->first - first, &at))
		return false;
	common = text->len - at < p->before.len ? text->len - at : p->before.len;
	if (memcmp(bw_buf_str(text) + at, bw_buf_str(&p->before), common) != 0)
		return false;
	for (size_t i = 0; i < p->splice_count; i++) {
		p->splices[i].start += at;
		p->splices[i].end += at;
	}
	return bw_buf_add(text, bw_buf_str(&p->before) + common, p->before.len - common);
}

static bool is_same_file(const struct piece *a, const struct piece *b)
{
	return a->header_len == b->header_len && memcmp(a->header, b->header, a->header_len) == 0;
}

/* One patch of all of them. False: they do not fit together, or into `out`. */
static bool merge(struct piece *pieces, size_t count, struct bw_buf *out)
{
	const struct bw_splice **list;
	BW_AUTOBUF struct bw_buf before, after;
	size_t total = 0;
	bool fits = true;

	bw_buf_init(&before, out->max);
	bw_buf_init(&after, out->max);
	for (size_t i = 0; i < count && fits; i++) {
		fits = is_same_file(&pieces[0], &pieces[i]) && join(&before, pieces[0].first, &pieces[i]);
		total += pieces[i].splice_count;
	}
	if (!fits)
		return false;
	list = bw_alloc(total * sizeof(const struct bw_splice *));
	for (size_t i = 0, at = 0; i < count; i++)
		for (size_t k = 0; k < pieces[i].splice_count; k++)
			list[at++] = &pieces[i].splices[k];
	fits = bw_splice_apply(bw_buf_str(&before), before.len, list, total, &after);
	free(list);
	if (!fits)
		return false;
	(void)bw_buf_add(out, pieces[0].header, pieces[0].header_len);
	bw_patch_add_hunk(out, pieces[0].first, &before, &after);
	return !out->overflow;
}

static struct bw_template_use *first_use(const struct piece *pieces, size_t count)
{
	struct bw_template_use *first = pieces[0].use;

	for (size_t i = 1; i < count; i++)
		first = pieces[i].use < first ? pieces[i].use : first;
	return first;
}

/* How many of them, from the first on, have their lines in each other's context. */
static size_t count_close(const struct piece *pieces, size_t count)
{
	size_t n = 1;

	while (n < count && pieces[n].changed - pieces[n - 1].changed <= BW_PATCH_CONTEXT)
		n++;
	return n;
}

void bw_template_fill(struct bw_template_use *uses, size_t count, size_t max_bytes)
{
	struct pieces all = {0};

	read_all(uses, count, &all);
	if (all.count > 1)
		qsort(all.items, all.count, sizeof(*all.items), by_line);
	for (size_t i = 0, n; i < all.count; i += n) {
		BW_AUTOBUF struct bw_buf out;

		bw_buf_init(&out, max_bytes);
		n = count_close(all.items + i, all.count - i);
		if (!merge(all.items + i, n, &out))
			continue;
		max_bytes -= out.len;
		first_use(all.items + i, n)->patch = bw_buf_take(&out, NULL);
	}
	for (size_t i = 0; i < all.count; i++)
		piece_done(&all.items[i]);
	free(all.items);
}
