/* table.c - see table.h. */
#include "table.h"

#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "entry.h"
#include "report/out.h"
#include "words.h"

#define VERDICT_COLUMNS 7 /* "unknown"; a gap of two follows */
#define NAME_START	9
#define NARROW		60 /* below, ages stand for times, and uses move to the left */
#define MINUTE_MS	60000
#define MANY_ALIKE	5  /* unknown bases of one registry with one reason: one heading */
#define NAMES_ALIKE	10 /* that are named beneath it */
#define USES_COLUMNS	10 /* a gap and "100 uses" */
#define SINCE_COLUMNS	33 /* a gap and "since 2026-11-20 10:02 (3 days)" */

void bw_table_init(struct bw_table *t, const struct bw_report_options *o)
{
	*t = (struct bw_table){.o = o};
	bw_line_init(&t->line, o->out, o->width, o->colour);
}

void bw_table_done(struct bw_table *t)
{
	free(t->entries);
	t->entries = NULL;
	bw_arena_done(&t->arena);
	bw_line_done(&t->line);
}

void bw_table_add(struct bw_table *t, const struct bw_group *g)
{
	struct bw_entry e;

	bw_entry_make(&e, g, t->o, &t->arena);
	if (!e.has_base) {
		t->files += e.is_file;
		t->unresolved += !e.is_file && e.part == BW_PART_TROUBLE;
		t->baseless += !e.is_file && e.part == BW_PART_QUIET;
	}
	BW_PUSH(t->entries, t->count, t->capacity) = e;
}

/* Among the files that could not be read: it has no uses either. */
static void add_gap(struct bw_table *t, const struct bw_gap *g)
{
	BW_AUTOFREE char *place = bw_report_path("", g->place, t->o->cwd);

	t->gaps++;
	BW_PUSH(t->entries, t->count, t->capacity) =
		(struct bw_entry){.part = BW_PART_FILE,
				  .verdict = BW_UNKNOWN,
				  .name = bw_arena_escaped(&t->arena, place),
				  .reason = bw_arena_escaped(&t->arena, g->problem),
				  .since_ms = g->since_ms,
				  .is_file = true,
				  .order = t->count};
}

enum bw_style bw_table_style(enum bw_verdict v)
{
	switch (v) {
	case BW_STALE: return BW_RED;
	case BW_BEHIND: return BW_YELLOW;
	case BW_UNKNOWN: return BW_MAGENTA;
	case BW_FRESH: return BW_GREEN;
	case BW_UNFOLLOWABLE:
	case BW_IGNORED:
	case BW_VERDICT_COUNT: break;
	}
	return BW_DIM;
}

static bool is_narrow(const struct bw_table *t)
{
	return t->o->width > 0 && t->o->width < NARROW;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t columns_of(const char *s)
{
	return bw_text_width(s, strlen(s));
}

/* Columns from `start` to the edge; without a terminal there is no edge. */
static size_t room(const struct bw_table *t, size_t start)
{
	if (t->o->width == 0)
		return SIZE_MAX;
	return t->o->width > start ? t->o->width - start : 1;
}

/*
 * The column of names is as wide as the widest, but a name that is much longer than the others stands out
 * instead of pushing what belongs to a hundred bases to the right. `rest` is what shall still fit beside it.
 */
static size_t name_columns(const struct bw_table *t, size_t from, size_t to, size_t rest)
{
	size_t sum = 0, widest = 0, cap;

	for (size_t i = from; i < to; i++)
		sum += columns_of(t->entries[i].name);
	cap = least(sum / (to - from) * 3 / 2 + 4, room(t, rest));
	for (size_t i = from; i < to; i++) {
		size_t columns = columns_of(t->entries[i].name);

		if (columns <= cap)
			widest = most(widest, columns);
	}
	return widest;
}

/* --- bases with trouble ----------------------------------------------------------------------- */

struct use_columns {
	size_t start;
	size_t where;
	size_t stage;
};

/* One set of columns for all uses of the table: the eye runs down roles and stages across bases. */
static struct use_columns measure_uses(const struct bw_table *t, size_t from, size_t to)
{
	struct use_columns c = {.start = is_narrow(t) ? 2 : NAME_START};
	size_t cap = t->o->width > 0 ? (size_t)t->o->width * 11 / 20 : 48;

	if (is_narrow(t))
		return c; /* no room for columns */
	for (size_t i = from; i < to; i++) {
		for (size_t k = 0; k < t->entries[i].use_count; k++) {
			const struct bw_entry_use *u = &t->entries[i].uses[k];

			c.where = most(c.where, columns_of(u->where));
			c.stage = most(c.stage, columns_of(u->stage));
		}
	}
	c.where = least(c.where, cap);
	c.stage = least(c.stage, 16);
	return c;
}

/*
 * "since 2026-11-20 10:02 (3 days)"; where there is little room only how long; in a file only what stays
 * true. What began this minute needs no age.
 */
static void put_since(struct bw_table *t, int64_t since_ms)
{
	bool is_new = t->o->now_ms - since_ms < MINUTE_MS;
	char at[BW_TIME_MAX], age[BW_WORDS_MAX];
	BW_AUTOFREE char *text = NULL;

	if (since_ms == 0)
		return;
	(void)bw_time_short(since_ms, at);
	(void)bw_words_span(t->o->now_ms - since_ms, age);
	if (is_narrow(t))
		text = is_new ? bw_strdup("just now") : bw_asprintf("for %s", age);
	else if (t->o->width == 0 || is_new)
		text = bw_asprintf("since %s", at);
	else
		text = bw_asprintf("since %s (%s)", at, age);
	bw_line_flow(&t->line, BW_DIM, text);
}

/*
 * The line of a base: its verdict and name, since when, and why; what does not fit goes on beneath the
 * name.
 */
static void put_heading(struct bw_table *t, const struct bw_entry *e, size_t names)
{
	struct bw_line *l = &t->line;

	bw_line_begin(l, 0, NAME_START);
	bw_line_cell(l, bw_table_style(e->verdict), bw_verdict_name(e->verdict), VERDICT_COLUMNS,
		     VERDICT_COLUMNS);
	bw_line_cell(l, BW_BOLD, e->name, names, room(t, NAME_START));
	put_since(t, e->since_ms);
	if (e->reason)
		bw_line_flow(l, BW_PLAIN, e->reason);
	bw_line_end(l);
}

/* What a use has to say that its base has not. */
static void put_notes(struct bw_table *t, const struct bw_entry *e, const struct bw_entry_use *u)
{
	struct bw_line *l = &t->line;
	BW_AUTOFREE char *target = NULL;

	if (u->verdict != e->verdict)
		bw_line_flow(l, bw_table_style(u->verdict), bw_verdict_name(u->verdict));
	if (u->platform)
		bw_line_flow(l, BW_DIM, u->platform);
	if (u->target) {
		target = bw_asprintf("target %s", u->target);
		bw_line_flow(l, BW_DIM, target);
	}
	if (u->reason)
		bw_line_flow(l, BW_PLAIN, u->reason);
}

/* A use beneath its base. The path comes whole as long as it fits anywhere; role and stage then move on. */
static void put_use(struct bw_table *t, const struct bw_entry *e, const struct bw_entry_use *u,
		    const struct use_columns *c)
{
	struct bw_line *l = &t->line;
	size_t role_end = c->start + c->where + 2 + strlen("frontend");
	bool aligned = !is_narrow(t);

	bw_line_begin(l, c->start, c->start + 2);
	bw_line_cell(l, BW_PLAIN, u->where, c->where, room(t, c->start));
	bw_line_flow(l, BW_DIM, bw_role_name(u->role));
	bw_line_pad(l, aligned ? role_end : 0);
	if (u->stage[0])
		bw_line_flow(l, BW_DIM, u->stage);
	bw_line_pad(l, aligned && c->stage > 0 ? role_end + 2 + c->stage : 0);
	put_notes(t, e, u);
	bw_line_end(l);
}

/* The uses that are not listed, so that the numbers add up. */
static void put_rest(struct bw_table *t, const struct bw_entry *e, size_t start)
{
	BW_AUTOBUF struct bw_buf text;
	char words[BW_WORDS_MAX];

	bw_buf_init(&text, 256);
	if (e->fresh > 0)
		bw_buf_adds(&text, bw_words_count(e->fresh, "fresh use", "fresh uses", words));
	if (e->fresh > 0 && e->quiet > 0)
		bw_buf_adds(&text, ", ");
	if (e->quiet > 0)
		bw_buf_adds(&text, bw_words_count(e->quiet, "ignored use", "ignored uses", words));
	if (text.len == 0)
		return;
	bw_line_begin(&t->line, start, start);
	bw_line_words(&t->line, BW_DIM, "and");
	bw_line_words(&t->line, BW_DIM, bw_buf_str(&text));
	bw_line_end(&t->line);
}

static bool is_alike(const struct bw_entry *a, const struct bw_entry *b)
{
	return a->alike == b->alike;
}

/* "app1:1, app2:1, app3:1 and 217 more" */
static void put_names(struct bw_table *t, size_t from, size_t to)
{
	const struct bw_entry *e = &t->entries[from];
	size_t named = 0, most_named = e->alike->count > NAMES_ALIKE + 1 ? NAMES_ALIKE : e->alike->count;
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, 8192);
	for (size_t i = from; i < to && named < most_named; i++)
		if (is_alike(e, &t->entries[i]))
			bw_buf_addf(&text, "%s%s", named++ ? ", " : "", t->entries[i].name);
	if (named < e->alike->count)
		bw_buf_addf(&text, " and %zu more", e->alike->count - named);
	bw_line_begin(&t->line, NAME_START, NAME_START);
	bw_line_words(&t->line, BW_DIM, bw_buf_str(&text));
	bw_line_end(&t->line);
}

/* One heading for all of them, where the first would be. */
static void put_alike(struct bw_table *t, size_t from, size_t to)
{
	const struct bw_entry *e = &t->entries[from];
	BW_AUTOFREE char *heading = bw_asprintf("%zu bases of %s", e->alike->count, e->registry);
	struct bw_line *l = &t->line;

	if (e->alike->is_shown)
		return;
	e->alike->is_shown = true;
	bw_line_begin(l, 0, NAME_START);
	bw_line_cell(l, bw_table_style(e->verdict), bw_verdict_name(e->verdict), VERDICT_COLUMNS,
		     VERDICT_COLUMNS);
	bw_line_cell(l, BW_BOLD, heading, columns_of(heading), room(t, NAME_START));
	put_since(t, e->alike->since_ms);
	bw_line_flow(l, BW_PLAIN, e->reason);
	bw_line_end(l);
	put_names(t, from, to);
}

/* Bases first, each with its uses; the same text without a base in thirty files is one heading and thirty
 * uses. */
static void put_trouble(struct bw_table *t, size_t from, size_t to)
{
	size_t names = name_columns(t, from, to, NAME_START + SINCE_COLUMNS);
	struct use_columns columns = measure_uses(t, from, to);

	for (size_t i = from; i < to; i++) {
		const struct bw_entry *e = &t->entries[i];

		if (e->alike) {
			put_alike(t, i, to);
			continue;
		}
		if (i == from || !bw_entry_is_same(e - 1, e))
			put_heading(t, e, names);
		for (size_t k = 0; k < e->use_count; k++)
			put_use(t, e, &e->uses[k], &columns);
		put_rest(t, e, columns.start);
	}
}

/* --- one line each ---------------------------------------------------------------------------- */

/* How many entries from `i` on belong under one line; `ret_uses` is the number of their uses. */
static size_t count_same(const struct bw_table *t, size_t i, size_t to, uint64_t *ret_uses)
{
	size_t n = 1;

	*ret_uses = t->entries[i].total;
	while (i + n < to && bw_entry_is_same(&t->entries[i], &t->entries[i + n])) {
		*ret_uses += t->entries[i + n].total;
		n++;
	}
	return n;
}

/* A base that needs no attention in one line: where it is used when that is one place, else in how many. */
static void put_short(struct bw_table *t, const struct bw_entry *e, uint64_t uses, size_t verdicts,
		      size_t names)
{
	struct bw_line *l = &t->line;
	bool fresh = e->part == BW_PART_FRESH;
	char words[BW_WORDS_MAX];

	bw_line_begin(l, 0, verdicts + 2);
	bw_line_cell(l, bw_table_style(e->verdict), bw_verdict_name(e->verdict), verdicts, verdicts);
	bw_line_cell(l, fresh ? BW_PLAIN : BW_DIM, e->name, names, room(t, verdicts + 2));
	if (uses == 1 && e->use_count == 1)
		bw_line_flow(l, BW_DIM, e->uses[0].where);
	else if (!e->is_file)
		bw_line_flow(l, BW_DIM, bw_words_count(uses, "use", "uses", words));
	if (e->reason) /* beside a single fresh use stands what is wrong with its image */
		bw_line_flow(l, fresh && e->use_count > 0 && uses == 1 ? BW_PLAIN : BW_DIM, e->reason);
	bw_line_end(l);
}

/*
 * The widest verdict of the part decides where names begin: "fresh" alone needs less room than "unfollowable".
 * Beneath a fresh base stand those uses that have the wrong image.
 */
static void put_shorts(struct bw_table *t, size_t from, size_t to)
{
	struct use_columns columns = {0};
	bool fresh = t->entries[from].part == BW_PART_FRESH;
	size_t verdicts = 0, names, n;
	uint64_t uses;

	if (fresh)
		columns = measure_uses(t, from, to);
	for (size_t i = from; i < to; i++)
		verdicts = most(verdicts, columns_of(bw_verdict_name(t->entries[i].verdict)));
	verdicts = most(verdicts, VERDICT_COLUMNS);
	names = name_columns(t, from, to, verdicts + 2 + USES_COLUMNS);
	for (size_t i = from; i < to; i += n) {
		n = count_same(t, i, to, &uses);
		put_short(t, &t->entries[i], uses, verdicts, names);
		for (size_t k = 0; fresh && uses > 1 && k < t->entries[i].use_count; k++)
			put_use(t, &t->entries[i], &t->entries[i].uses[k], &columns);
	}
}

/* Files have no uses to list: path, line and reason in one heading each. */
static void put_files(struct bw_table *t, size_t from, size_t to)
{
	size_t names = name_columns(t, from, to, NAME_START + SINCE_COLUMNS);

	for (size_t i = from; i < to; i++)
		put_heading(t, &t->entries[i], names);
}

/* --- the sentence ----------------------------------------------------------------------------- */

/* "12 bases: 1 stale, 1 behind, 10 fresh" */
static void say_bases(struct bw_buf *b, const struct bw_table *t, const struct bw_tally *tally)
{
	uint64_t by_verdict[BW_VERDICT_COUNT] = {0};
	const char *separator = ": ";
	char words[BW_WORDS_MAX];

	for (size_t i = 0; i < t->count; i++)
		by_verdict[t->entries[i].verdict] += t->entries[i].has_base;
	bw_buf_adds(b, bw_words_count(tally->bases, "base", "bases", words));
	for (enum bw_verdict v = 0; v < BW_VERDICT_COUNT; v++) {
		const char *name = bw_verdict_name(v);

		if (by_verdict[v] == 0)
			continue;
		bw_buf_adds(b, separator);
		bw_buf_adds(b, bw_words_count(by_verdict[v], name, name, words));
		separator = ", ";
	}
}

/* A first run has no history (design §7); without this sentence "all fresh" would say more than we know. */
static void say_first_sight(struct bw_buf *b, const struct bw_tally *tally)
{
	char words[BW_WORDS_MAX];

	if (tally->first_sights == 0)
		return;
	bw_buf_adds(b, "; first sight of ");
	bw_buf_adds(b, bw_words_count(tally->first_sights, "base", "bases", words));
	bw_buf_adds(b, ", nothing to compare with yet");
}

/* " 3 uses have no base to follow." - nothing at all for none. */
static void say_count(struct bw_buf *b, uint64_t n, const char *one, const char *many)
{
	char words[BW_WORDS_MAX];

	if (n == 0)
		return;
	bw_buf_addc(b, ' ');
	bw_buf_adds(b, bw_words_count(n, one, many, words));
	bw_buf_addc(b, '.');
}

/* The summary in words. It counts bases; what has none is told apart by why. */
static void put_sentence(struct bw_table *t, const struct bw_tally *tally, int64_t known_since_ms)
{
	BW_AUTOBUF struct bw_buf text;
	char at[BW_TIME_MAX];

	bw_buf_init(&text, 1024);
	if (tally->bases == 0) {
		bw_buf_adds(&text, t->gaps > 0 ? "No bases are known." : "No bases.");
	} else {
		say_bases(&text, t, tally);
		say_first_sight(&text, tally);
		bw_buf_addc(&text, '.');
	}
	say_count(&text, t->unresolved, "use could not be resolved", "uses could not be resolved");
	say_count(&text, t->baseless, "use has no base to follow", "uses have no base to follow");
	say_count(&text, t->files, "file could not be read", "files could not be read");
	say_count(&text, t->gaps, "source or folder could not be looked into",
		  "sources or folders could not be looked into");
	if (known_since_ms != 0)
		bw_buf_addf(&text, " Last checked %s.", bw_time_short(known_since_ms, at));
	bw_line_begin(&t->line, 0, 0);
	bw_line_words(&t->line, BW_PLAIN, bw_buf_str(&text));
	bw_line_end(&t->line);
}

/* Registries that are asked otherwise than scheduled. Their names come from build files. */
static void put_registries(struct bw_table *t)
{
	const struct bw_outlook *o = t->o->outlook;

	for (size_t i = 0; o && i < o->count; i++) {
		const char *text = o->registries[i].text;
		BW_AUTOFREE char *sentence = NULL;

		if (!text)
			continue;
		sentence = bw_asprintf("%s.", bw_arena_escaped(&t->arena, text));
		bw_line_begin(&t->line, 0, 2);
		bw_line_words(&t->line, BW_PLAIN, sentence);
		bw_line_end(&t->line);
	}
}

static struct bw_alike *alike_of(struct bw_map *all, const struct bw_entry *e, struct bw_arena *a)
{
	BW_AUTOFREE char *key = bw_asprintf("%s %s", e->registry, e->reason);
	struct bw_alike *x = bw_map_get(all, key);

	if (!x) {
		x = bw_arena_alloc(a, sizeof(*x));
		(void)bw_map_put(all, key, x);
	}
	return x;
}

/* The same 200 characters behind each of 300 bases tell nothing that they do not tell once. */
static void find_alike(struct bw_table *t)
{
	struct bw_map *all = bw_map_new();

	for (size_t i = 0; i < t->count; i++) {
		struct bw_entry *e = &t->entries[i];

		if (!e->registry || !e->reason)
			continue;
		e->alike = alike_of(all, e, &t->arena);
		e->alike->count++;
		if (e->since_ms && (!e->alike->since_ms || e->since_ms < e->alike->since_ms))
			e->alike->since_ms = e->since_ms;
	}
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].alike && t->entries[i].alike->count < MANY_ALIKE)
			t->entries[i].alike = NULL;
	bw_map_free(all, NULL);
}

bool bw_table_end(struct bw_table *t, const struct bw_tally *tally, int64_t known_since_ms)
{
	/* The parts stand in the order of enum bw_part, with a blank line behind each that is there. */
	static void (*const put[])(struct bw_table * t, size_t from, size_t to) = {
		[BW_PART_TROUBLE] = put_trouble,
		[BW_PART_FRESH] = put_shorts,
		[BW_PART_QUIET] = put_shorts,
		[BW_PART_FILE] = put_files,
	};

	for (size_t i = 0; t->o->gaps && i < t->o->gaps->count; i++)
		add_gap(t, &t->o->gaps->items[i]);
	bw_entry_sort(t->entries, t->count);
	find_alike(t);
	for (size_t from = 0, to; from < t->count; from = to) {
		enum bw_part part = t->entries[from].part;

		for (to = from; to < t->count && t->entries[to].part == part;)
			to++;
		put[part](t, from, to);
		bw_line_end(&t->line);
	}
	put_sentence(t, tally, known_since_ms);
	put_registries(t);
	return bw_out_finish(t->o->out, !t->line.failed);
}
