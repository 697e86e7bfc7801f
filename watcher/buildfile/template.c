/* template.c - makes templates; fill.c fills them in. See buildfile/template.h. */
#include "buildfile/template.h"

#include <string.h>

#include "buildfile/likeness.h"
#include "buildfile/patch.h"
#include "buildfile/pin.h"
#include "buildfile/placeholder.h"
#include "buildfile/splice.h"
#include "core/mem.h"
#include "core/text.h"

/*
 * So many places are proved one by one. Of more, half of them at a time move, a different half each time, so that each
 * has moved while any other one stayed; that takes as many readings as their number has binary digits.
 */
#define MAX_SINGLE 16

#define NO_SLOT SIZE_MAX

/* A place where one line is edited, for all uses that get their digest from it. */
struct slot {
	size_t line;	 /* from 0 */
	const char *key; /* of the uses: what is pinned to what */
	struct bw_splice *splices;
	size_t splice_count, splice_capacity;
	bool is_unsafe;
	char *patch;
};

struct maker {
	const char *text;
	size_t len;
	const struct bw_build_options *opts;
	struct bw_dockerfile *d;
	struct bw_patch_lines lines;
	struct bw_pin_edit *edits; /* of the pinned uses */
	char **keys;
	size_t *slots_of;
	size_t edit_count;
	struct slot *slots;
	size_t slot_count, slot_capacity;
};

static bool is_pinned(const struct bw_use *u)
{
	return u->reference && bw_digest_is_set(&u->parts.digest) && bw_reference_tag(&u->parts);
}

static size_t count_pinned(const struct bw_dockerfile *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->use_count; i++)
		count += is_pinned(&d->uses[i]);
	return count;
}

/* --- places ----------------------------------------------------------------------------------- */

/*
 * Uses move together when they are pinned to the same digest of the same base for the same platform. Each such group
 * gets a digest of its own, so that the editor refuses a text that two of them share.
 */
static void make_edits(struct maker *m)
{
	size_t count = count_pinned(m->d);

	m->edits = bw_alloc(count * sizeof(*m->edits));
	m->keys = bw_alloc(count * sizeof(char *));
	m->slots_of = bw_alloc(count * sizeof(*m->slots_of));
	for (size_t i = 0; i < m->d->use_count; i++) {
		const struct bw_use *u = &m->d->uses[i];
		BW_AUTOFREE char *base = is_pinned(u) ? bw_reference_base(&u->parts) : NULL;
		size_t at = m->edit_count;

		if (!base)
			continue;
		m->keys[at] = bw_asprintf("template of %s@%s %s", base, u->parts.digest.text,
					  u->platform ? u->platform : "");
		m->edits[at] = (struct bw_pin_edit){.use = i};
		bw_digest_of(m->keys[at], strlen(m->keys[at]), &m->edits[at].digest);
		m->slots_of[at] = NO_SLOT;
		m->edit_count++;
	}
}

static const char *find_in_line(const struct bw_patch_line *l, const char *from, const char *what)
{
	return memmem(from, (size_t)(l->s + l->len - from), what, strlen(what));
}

/* All places of the old digest in this line; there may be none. */
static void add_splices(const struct maker *m, const struct bw_patch_line *l, const struct bw_digest *old,
			struct slot *x)
{
	bool is_sha256 = bw_text_starts(old->text, "sha256:");
	const char *from = is_sha256 ? old->text + strlen("sha256:") : old->text;
	const char *to = is_sha256 ? BW_PLACEHOLDER : "sha256:" BW_PLACEHOLDER;

	for (const char *at = l->s; (at = find_in_line(l, at, from)) != NULL; at += strlen(from)) {
		size_t start = (size_t)(at - m->text);

		BW_PUSH(x->splices, x->splice_count, x->splice_capacity) =
			(struct bw_splice){.start = start,
					   .end = start + strlen(from),
					   .text = bw_strdup(to),
					   .len = strlen(to)};
	}
}

static size_t find_slot(const struct maker *m, size_t line, const char *key)
{
	for (size_t i = m->slot_count; i-- > 0;)
		if (m->slots[i].line == line && strcmp(m->slots[i].key, key) == 0)
			return i;
	return NO_SLOT;
}

/* The placeholder must not be there before. */
static size_t add_slot(struct maker *m, size_t line, size_t edit)
{
	const struct bw_patch_line *l = &m->lines.items[line];
	struct slot x = {.line = line, .key = m->keys[edit]};

	if (l->len > BW_TEMPLATE_MAX_BYTES || find_in_line(l, l->s, BW_PLACEHOLDER))
		return NO_SLOT;
	add_splices(m, l, &m->d->uses[m->edits[edit].use].parts.digest, &x);
	if (x.splice_count == 0)
		return NO_SLOT;
	BW_PUSH(m->slots, m->slot_count, m->slot_capacity) = x;
	return m->slot_count - 1;
}

/* All of them are edited at once, to learn where each has its place. */
static void find_slots(struct maker *m)
{
	BW_AUTOBUF struct bw_buf after;

	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	if (!bw_pin_apply(m->text, m->len, m->opts, m->d, m->edits, m->edit_count, &after))
		return;
	bw_patch_split(m->text, m->len, &m->lines);
	for (size_t i = 0; i < m->edit_count; i++) {
		const struct bw_pin_edit *e = &m->edits[i];

		if (!e->is_edited || e->line == 0 || e->line > m->lines.count)
			continue;
		m->slots_of[i] = find_slot(m, e->line - 1, m->keys[i]);
		if (m->slots_of[i] == NO_SLOT)
			m->slots_of[i] = add_slot(m, e->line - 1, i);
	}
}

/* --- proof ------------------------------------------------------------------------------------ */

static size_t count_rounds(size_t slots)
{
	size_t rounds = 0;

	if (slots <= MAX_SINGLE)
		return slots;
	for (; slots > 0; slots /= 2)
		rounds++;
	return rounds;
}

static bool is_in_round(const struct maker *m, size_t slot, size_t round)
{
	if (slot == NO_SLOT)
		return false;
	return m->slot_count <= MAX_SINGLE ? slot == round : ((slot + 1) >> round & 1) != 0;
}

static bool edit_slots(const struct maker *m, size_t round, struct bw_buf *out)
{
	const struct bw_splice **list;
	size_t total = 0, count = 0;
	bool is_done;

	for (size_t i = 0; i < m->slot_count; i++)
		total += m->slots[i].splice_count;
	list = bw_alloc(total * sizeof(const struct bw_splice *));
	for (size_t i = 0; i < m->slot_count; i++)
		for (size_t k = 0; k < m->slots[i].splice_count && is_in_round(m, i, round); k++)
			list[count++] = &m->slots[i].splices[k];
	is_done = bw_splice_apply(m->text, m->len, list, count, out);
	free(list);
	return is_done;
}

/* Do the uses of these slots, and they alone, get the placeholder? */
static bool prove(const struct maker *m, size_t round)
{
	const struct bw_digest placeholder = {.text = "sha256:" BW_PLACEHOLDER};
	const struct bw_digest **wishes;
	struct bw_dockerfile after;
	size_t other;
	bool *must, is_alike;
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	if (!edit_slots(m, round, &text))
		return false;
	wishes = bw_alloc(m->d->use_count * sizeof(const struct bw_digest *));
	must = bw_alloc(m->d->use_count * sizeof(*must));
	for (size_t i = 0; i < m->edit_count; i++)
		if (is_in_round(m, m->slots_of[i], round)) {
			wishes[m->edits[i].use] = &placeholder;
			must[m->edits[i].use] = true;
		}
	bw_dockerfile_parse(bw_buf_str(&text), text.len, m->opts, &after);
	is_alike = bw_likeness_of(m->d, &after, wishes, must, &other) == BW_ALIKE;
	bw_dockerfile_done(&after);
	free(wishes);
	free(must);
	return is_alike;
}

static void prove_all(struct maker *m)
{
	size_t rounds = count_rounds(m->slot_count);

	for (size_t round = 0; round < rounds; round++) {
		if (prove(m, round))
			continue;
		for (size_t i = 0; i < m->slot_count; i++)
			m->slots[i].is_unsafe |= is_in_round(m, i, round);
	}
}

/* --- the text --------------------------------------------------------------------------------- */

/* It will stand in JSON, which has no other bytes. */
static bool is_text(const struct bw_buf *b)
{
	for (size_t at = 0, n; at < b->len; at += n) {
		n = bw_utf8_len(b->data + at, b->len - at);
		if (n == 0 || b->data[at] == '\0')
			return false;
	}
	return true;
}

static char *format(const struct maker *m, const char *path, const struct slot *x)
{
	size_t lo = x->line > BW_PATCH_CONTEXT ? x->line - BW_PATCH_CONTEXT : 0;
	size_t hi =
		m->lines.count - x->line > BW_PATCH_CONTEXT ? x->line + BW_PATCH_CONTEXT + 1 : m->lines.count;
	size_t start = (size_t)(m->lines.items[lo].s - m->text);
	size_t end = (size_t)(m->lines.items[hi - 1].s - m->text) + m->lines.items[hi - 1].len;
	BW_AUTOBUF struct bw_buf before, after, out;

	bw_buf_init(&before, BW_TEMPLATE_MAX_BYTES);
	bw_buf_init(&after, BW_TEMPLATE_MAX_BYTES);
	bw_buf_init(&out, BW_TEMPLATE_MAX_BYTES);
	(void)bw_buf_add(&before, m->text + start, end - start);
	for (size_t i = 0, at = start; i <= x->splice_count; i++) {
		const struct bw_splice *s = i < x->splice_count ? &x->splices[i] : NULL;

		(void)bw_buf_add(&after, m->text + at, (s ? s->start : end) - at);
		if (s)
			(void)bw_buf_add(&after, s->text, s->len);
		at = s ? s->end : end;
	}
	if (before.overflow || after.overflow || !is_text(&before))
		return NULL;
	bw_patch_add_header(&out, path);
	bw_patch_add_hunk(&out, lo + 1, &before, &after);
	return out.overflow ? NULL : bw_buf_take(&out, NULL);
}

static void hand_out(struct maker *m, const char *path)
{
	size_t left = BW_TEMPLATE_MAX_FILE_BYTES;

	for (size_t i = 0; i < m->slot_count; i++)
		if (!m->slots[i].is_unsafe)
			m->slots[i].patch = format(m, path, &m->slots[i]);
	for (size_t i = 0; i < m->edit_count; i++) {
		const char *patch = m->slots_of[i] == NO_SLOT ? NULL : m->slots[m->slots_of[i]].patch;

		if (!patch || strlen(patch) > left)
			continue;
		left -= strlen(patch);
		m->d->uses[m->edits[i].use].patch = bw_strdup(patch);
	}
}

static void maker_done(struct maker *m)
{
	for (size_t i = 0; i < m->slot_count; i++) {
		for (size_t k = 0; k < m->slots[i].splice_count; k++)
			bw_splice_done(&m->slots[i].splices[k]);
		free(m->slots[i].splices);
		free(m->slots[i].patch);
	}
	for (size_t i = 0; i < m->edit_count; i++)
		free(m->keys[i]);
	bw_pin_edits_done(m->edits, m->edit_count);
	free(m->lines.items);
	free(m->edits);
	free(m->keys);
	free(m->slots_of);
	free(m->slots);
}

bool bw_template_is_wanted(const struct bw_dockerfile *d)
{
	return count_pinned(d) > 0;
}

void bw_template_make(const char *path, const char *text, size_t len, const struct bw_build_options *opts,
		      struct bw_dockerfile *d)
{
	struct maker m = {.text = text, .len = len, .opts = opts, .d = d};

	if (!path || !*path || !bw_template_is_wanted(d))
		return;
	make_edits(&m);
	find_slots(&m);
	prove_all(&m);
	hand_out(&m, path);
	maker_done(&m);
}
