#include "buildfile/pin.h"

#include <assert.h>
#include <string.h>

#include "buildfile/likeness.h"
#include "buildfile/slot.h"
#include "buildfile/splice.h"
#include "buildfile/vars.h"
#include "core/mem.h"

/*
 * How often an edited text is read again. One reading is enough where every first guess is right; a wrong one among n
 * costs about 2 log n more.
 */
#define MAX_TRIES 256
#define MAX_WORK  (64U << 20) /* bytes of all these readings */

/* An edit that has a place. */
struct element {
	struct bw_pin_edit *edit;
	struct bw_slots slots;
	struct bw_splice splice; /* the place it is tried at */
	bool is_in;
	char *why; /* what the best try so far ran into; NULL: nothing to tell */
};

struct pinner {
	const char *text;
	size_t len;
	const struct bw_build_options *opts;
	const struct bw_dockerfile *d;
	/* For each use. */
	const struct bw_digest **wishes;
	bool *is_served; /* has its wanted digest in `best` */
	bool *must;	 /* of the current try; before the first one: wanted in two ways */
	struct element *elements;
	size_t element_count;
	const struct bw_splice **list; /* of the current try */
	struct bw_buf best;	       /* all elements that are in: read again, and found good as a whole */
	struct bw_buf trial;
	size_t tries;
	size_t work;
};

/* --- what is wanted --------------------------------------------------------------------------- */

static const struct bw_use *use_of(const struct pinner *p, const struct bw_pin_edit *e)
{
	return &p->d->uses[e->use];
}

static bool is_needed(const struct pinner *p, const struct bw_pin_edit *e)
{
	return bw_digest_is_set(&e->digest) && !bw_digest_equal(&e->digest, &use_of(p, e)->parts.digest);
}

/* Why no place in the file can give this use a digest; NULL: one may. */
static char *refusal_of(const struct pinner *p, const struct bw_pin_edit *e)
{
	const struct bw_use *u = use_of(p, e);

	if (u->is_scratch)
		return bw_strdup("scratch has no digest");
	if (!u->reference)
		return bw_asprintf("it names no image: %s", u->unresolved);
	if (u->role == BW_ROLE_CONTEXT)
		return bw_strdup("the image comes from --build-context");
	if (u->span.line > 0)
		return NULL;
	if (u->role == BW_ROLE_FRONTEND && bw_build_arg(p->opts, "BUILDKIT_SYNTAX"))
		return bw_strdup("the frontend comes from --build-arg BUILDKIT_SYNTAX");
	return bw_strdup("its place in the file is not known");
}

/* Two different wishes for one use are none. */
static void gather_wishes(struct pinner *p, struct bw_pin_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bw_pin_edit *e = &edits[i];

		assert(e->use < p->d->use_count);
		e->is_edited = false;
		e->line = 0;
		e->refused = NULL;
		if (bw_digest_is_set(&e->digest) && !p->wishes[e->use])
			p->wishes[e->use] = &e->digest;
	}
	for (size_t i = 0; i < count; i++)
		if (bw_digest_is_set(&edits[i].digest) &&
		    !bw_digest_equal(p->wishes[edits[i].use], &edits[i].digest))
			p->must[edits[i].use] = true;
	for (size_t i = 0; i < count; i++)
		if (p->must[edits[i].use] && bw_digest_is_set(&edits[i].digest)) {
			edits[i].refused = bw_strdup("two different digests are wanted for it");
			p->wishes[edits[i].use] = NULL;
		}
}

static bool has_budget(const struct pinner *p)
{
	return p->tries > 0 && p->work > 0;
}

/* Why it has no place, as far as that was looked for. A new string. */
static char *lack_of_place(const struct pinner *p, const struct bw_pin_edit *e)
{
	if (!has_budget(p))
		return bw_strdup("too many places of the file would have to be tried");
	return bw_slots_refusal(use_of(p, e), p->opts);
}

static void add_element(struct pinner *p, struct bw_pin_edit *e)
{
	struct element *new = &p->elements[p->element_count];

	*new = (struct element){.edit = e};
	bw_slots_init(&new->slots, p->text, p->len, use_of(p, e), &e->digest);
	if (bw_slots_next(&new->slots, &new->splice, &p->work))
		p->element_count++;
	else
		e->refused = lack_of_place(p, e);
}

static void gather_elements(struct pinner *p, struct bw_pin_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bw_pin_edit *e = &edits[i];

		if (e->refused || !is_needed(p, e))
			continue;
		e->refused = refusal_of(p, e);
		if (!e->refused)
			add_element(p, e);
	}
}

/* --- trying ----------------------------------------------------------------------------------- */

/* An element whose use got its digest along with another one has nothing left to do. */
static bool is_due(const struct pinner *p, const struct element *e)
{
	return !e->is_in && !p->is_served[e->edit->use];
}

/* What is in already and the elements [lo, hi). Returns how many of these are due. */
static size_t list_splices(struct pinner *p, size_t lo, size_t hi, size_t *ret_count)
{
	size_t count = 0;
	size_t due = 0;

	memcpy(p->must, p->is_served, p->d->use_count * sizeof(*p->must));
	for (size_t i = 0; i < p->element_count; i++) {
		struct element *e = &p->elements[i];
		bool is_new = i >= lo && i < hi && is_due(p, e);

		if (!e->is_in && !is_new)
			continue;
		p->list[count++] = &e->splice;
		p->must[e->edit->use] = true;
		due += is_new;
	}
	*ret_count = count;
	return due;
}

static void accept(struct pinner *p, size_t lo, size_t hi, const struct bw_dockerfile *after)
{
	struct bw_buf old = p->best;

	for (size_t i = lo; i < hi; i++)
		p->elements[i].is_in |= is_due(p, &p->elements[i]);
	for (size_t i = 0; i < p->d->use_count; i++)
		p->is_served[i] = !bw_digest_equal(&after->uses[i].parts.digest, &p->d->uses[i].parts.digest);
	p->best = p->trial;
	p->trial = old;
}

/* What a single element ran into; a use that would have got its digest, had it not been for another, tells more. */
static void note_reason(const struct pinner *p, struct element *e, enum bw_likeness likeness, size_t other,
			const struct bw_dockerfile *after)
{
	const struct bw_use *was = &p->d->uses[other];
	const struct bw_use *is = &after->uses[other];

	if (e->why)
		return;
	if (likeness == BW_UNLIKE_FILE) {
		e->why = bw_strdup("with a digest the file would be read in another way");
		return;
	}
	if (likeness != BW_UNLIKE_USE || other == e->edit->use ||
	    !bw_digest_equal(&after->uses[e->edit->use].parts.digest, &e->edit->digest))
		return;
	if (!is->reference || strcmp(is->parts.repository, was->parts.repository) != 0)
		e->why = bw_asprintf("line %u is put together from the same text", was->span.line);
	else if (p->wishes[other])
		e->why = bw_asprintf("line %u stands on the same text and needs another digest",
				     was->span.line);
	else
		e->why = bw_asprintf("line %u stands on the same text and is to stay as it is",
				     was->span.line);
}

/* Reads the trial again. True: it is good as a whole, and the best so far. */
static bool prove(struct pinner *p, size_t lo, size_t hi)
{
	enum bw_likeness likeness;
	struct bw_dockerfile after;
	size_t other = 0;

	p->work -= p->trial.len < p->work ? p->trial.len : p->work;
	bw_dockerfile_parse(p->trial.data, p->trial.len, p->opts, &after);
	likeness = bw_likeness_of(p->d, &after, p->wishes, p->must, &other);
	if (likeness == BW_ALIKE)
		accept(p, lo, hi, &after);
	else if (hi - lo == 1)
		note_reason(p, &p->elements[lo], likeness, other, &after);
	bw_dockerfile_done(&after);
	return likeness == BW_ALIKE;
}

/* Puts the elements [lo, hi) in, if they do no harm together with what is in. */
static bool try_elements(struct pinner *p, size_t lo, size_t hi)
{
	size_t count;

	if (list_splices(p, lo, hi, &count) == 0)
		return true;
	p->tries--;
	bw_buf_clear(&p->trial);
	return bw_splice_apply(p->text, p->len, p->list, count, &p->trial) && prove(p, lo, hi);
}

/* The other places of an element of which the first was none. */
static void try_other_places(struct pinner *p, size_t i)
{
	struct element *e = &p->elements[i];

	while (has_budget(p)) {
		bw_splice_done(&e->splice);
		if (!bw_slots_next(&e->slots, &e->splice, &p->work) || try_elements(p, i, i + 1))
			return;
	}
}

/* Halves what fails until the culprits stand alone. What is in has been proved as a whole at every moment. */
static void settle(struct pinner *p, size_t lo, size_t hi)
{
	size_t middle = lo + (hi - lo) / 2;

	if (lo == hi || !has_budget(p) || try_elements(p, lo, hi))
		return;
	if (hi - lo == 1) {
		try_other_places(p, lo);
		return;
	}
	settle(p, lo, middle);
	settle(p, middle, hi);
}

/* --- guesses that were not needed -------------------------------------------------------------- */

/* More of them are not looked at again. */
#define MAX_GUESSES 4096

/* Was its digest found somewhere before the FROM, and may another edit have brought it as well? */
static bool is_doubtful(const struct pinner *p, const struct element *e)
{
	if (!e->is_in || !bw_slots_is_guess(&e->slots))
		return false;
	for (size_t i = 0; i < p->element_count; i++) {
		const struct element *x = &p->elements[i];

		if (x->is_in && bw_digest_equal(&x->edit->digest, &e->edit->digest) &&
		    !bw_splice_equal(&x->splice, &e->splice))
			return true;
	}
	return false;
}

/* Tries the text without what this element edits, be it a part of another one, too. */
static void try_without(struct pinner *p, const struct element *e)
{
	size_t count = 0;

	memcpy(p->must, p->is_served, p->d->use_count * sizeof(*p->must));
	for (size_t i = 0; i < p->element_count; i++)
		if (p->elements[i].is_in && !bw_splice_equal(&p->elements[i].splice, &e->splice))
			p->list[count++] = &p->elements[i].splice;
	p->tries--;
	bw_buf_clear(&p->trial);
	if (!bw_splice_apply(p->text, p->len, p->list, count, &p->trial) || !prove(p, 0, 0))
		return;
	for (size_t i = 0; i < p->element_count; i++)
		if (bw_splice_equal(&p->elements[i].splice, &e->splice))
			p->elements[i].is_in = false;
}

/* A digest in a comment that went in together with the right one must come out again. */
static void prune(struct pinner *p)
{
	if (p->element_count > MAX_GUESSES)
		return;
	for (size_t i = 0; i < p->element_count && has_budget(p); i++) {
		const struct element *e = &p->elements[i];

		if (is_doubtful(p, e))
			try_without(p, e);
	}
}

/* --- the result ------------------------------------------------------------------------------- */

/* Where the lines of the text start. */
struct line_index {
	size_t *starts;
	size_t count, capacity;
};

static void index_lines(const struct pinner *p, struct line_index *ret)
{
	const char *end = p->text + p->len;
	const char *newline;

	for (const char *at = p->text; at; at = newline ? newline + 1 : NULL) {
		BW_PUSH(ret->starts, ret->count, ret->capacity) = (size_t)(at - p->text);
		newline = memchr(at, '\n', (size_t)(end - at));
	}
}

/* The number of the last line that starts at `at` or before it. */
static uint32_t line_of(const struct line_index *lines, size_t at)
{
	size_t lo = 0;
	size_t hi = lines->count;

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;

		if (lines->starts[middle] <= at)
			lo = middle;
		else
			hi = middle;
	}
	return (uint32_t)lo + 1;
}

/* The edits that stand before their uses, in ARGs: others may have got their digests from them. Equal ones once. */
struct givers {
	const struct element **items;
	size_t count, capacity;
};

static void find_givers(const struct pinner *p, struct givers *ret)
{
	for (size_t i = 0; i < p->element_count; i++) {
		const struct element *e = &p->elements[i];
		const struct element *last = ret->count > 0 ? ret->items[ret->count - 1] : NULL;

		if (!e->is_in || e->splice.start >= use_of(p, e->edit)->span.start ||
		    (last && bw_splice_equal(&last->splice, &e->splice)))
			continue;
		if (ret->count == ret->capacity) {
			ret->capacity = ret->capacity * 2 + 8;
			ret->items = bw_realloc(ret->items, ret->capacity, sizeof(const struct element *));
		}
		ret->items[ret->count++] = e;
	}
}

static const struct element *giver_of(const struct pinner *p, const struct givers *givers,
				      const struct bw_pin_edit *e)
{
	for (size_t i = 0; i < givers->count; i++) {
		const struct element *x = givers->items[i];

		if (bw_digest_equal(&x->edit->digest, &e->digest) &&
		    x->splice.start < use_of(p, e)->span.start)
			return x;
	}
	return NULL;
}

/* The line of an edit that has no place of its own. */
static uint32_t line_of_giver(const struct pinner *p, const struct givers *givers,
			      const struct line_index *lines, const struct bw_pin_edit *e)
{
	const struct element *giver = giver_of(p, givers, e);

	return giver ? line_of(lines, giver->splice.start) : use_of(p, e)->span.line;
}

static void report_refused(const struct pinner *p, struct element *e)
{
	if (p->is_served[e->edit->use])
		return;
	if (e->why)
		e->edit->refused = BW_TAKE(e->why);
	else
		e->edit->refused = lack_of_place(p, e->edit);
}

static bool report(const struct pinner *p, struct bw_pin_edit *edits, size_t count, struct bw_buf *ret)
{
	struct line_index lines = {0};
	struct givers givers = {0};
	bool is_edited = false;

	index_lines(p, &lines);
	find_givers(p, &givers);
	for (size_t i = 0; i < p->element_count; i++) {
		struct element *e = &p->elements[i];

		if (e->is_in)
			e->edit->line = line_of(&lines, e->splice.start);
		else
			report_refused(p, e);
	}
	for (size_t i = 0; i < count; i++) {
		struct bw_pin_edit *e = &edits[i];

		if (!p->is_served[e->use] || !p->wishes[e->use] || !is_needed(p, e))
			continue;
		free(e->refused);
		e->refused = NULL;
		e->is_edited = is_edited = true;
		if (e->line == 0)
			e->line = line_of_giver(p, &givers, &lines, e);
	}
	free(lines.starts);
	free(givers.items);
	if (is_edited)
		(void)bw_buf_add(ret, p->best.data, p->best.len);
	return is_edited;
}

static void pinner_done(struct pinner *p)
{
	for (size_t i = 0; i < p->element_count; i++) {
		bw_splice_done(&p->elements[i].splice);
		free(p->elements[i].why);
	}
	free(p->elements);
	free(p->wishes);
	free(p->is_served);
	free(p->must);
	free(p->list);
	bw_buf_done(&p->best);
	bw_buf_done(&p->trial);
}

bool bw_pin_apply(const char *text, size_t len, const struct bw_build_options *opts,
		  const struct bw_dockerfile *d, struct bw_pin_edit *edits, size_t count, struct bw_buf *ret)
{
	struct pinner p = {.text = text, .len = len, .opts = opts, .d = d, .tries = MAX_TRIES};
	bool is_edited;

	if (count == 0 || d->use_count == 0)
		return false;
	p.work = MAX_WORK;
	p.wishes = bw_alloc(d->use_count * sizeof(const struct bw_digest *));
	p.is_served = bw_alloc(d->use_count * sizeof(*p.is_served));
	p.must = bw_alloc(d->use_count * sizeof(*p.must));
	p.elements = bw_alloc(count * sizeof(*p.elements));
	p.list = bw_alloc(count * sizeof(const struct bw_splice *));
	bw_buf_init(&p.best, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&p.trial, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	gather_wishes(&p, edits, count);
	gather_elements(&p, edits, count);
	settle(&p, 0, p.element_count);
	prune(&p);
	is_edited = report(&p, edits, count, ret);
	pinner_done(&p);
	return is_edited;
}

void bw_pin_edits_done(struct bw_pin_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(edits[i].refused);
		edits[i].refused = NULL;
	}
}
