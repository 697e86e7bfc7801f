/* findings.c - see report/findings.h. */
#include "report/findings.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/mem.h"
#include "json.h"
#include "line.h"
#include "report/out.h"
#include "words.h"

#define LEVEL_COLUMNS  7 /* "warning" */
#define LEVEL_START    2
#define SUBJECT_START  (LEVEL_START + LEVEL_COLUMNS + 2)
#define SUBJECT_MAX    32 /* longer ones stand out instead of pushing what was seen to the right */
#define NARROW	       72 /* below there is no column of subjects */
#define SENTENCE_BYTES 256

const char *bw_area_name(enum bw_area area)
{
	static const char *const names[BW_AREA_COUNT] = {
		[BW_AREA_ENVIRONMENT] = "environment", [BW_AREA_CONFIGURATION] = "configuration",
		[BW_AREA_DATABASE] = "database",       [BW_AREA_REGISTRY] = "registry",
		[BW_AREA_SOURCE] = "source",	       [BW_AREA_SINK] = "sink",
	};

	return (unsigned)area < BW_AREA_COUNT ? names[area] : "";
}

const char *bw_level_name(enum bw_level level)
{
	static const char *const names[BW_LEVEL_COUNT] = {
		[BW_LEVEL_OK] = "ok",
		[BW_LEVEL_NOTE] = "note",
		[BW_LEVEL_WARNING] = "warning",
		[BW_LEVEL_ERROR] = "error",
	};

	return (unsigned)level < BW_LEVEL_COUNT ? names[level] : "";
}

void bw_findings_done(struct bw_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].subject);
		free(f->items[i].seen);
		free(f->items[i].advice);
	}
	free(f->items);
	*f = (struct bw_findings){0};
}

size_t bw_findings_count(const struct bw_findings *f, enum bw_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->items[i].level == level;
	return n;
}

/* The next one of this area from `i` on; NULL: there is none. */
static const struct bw_finding *next_of(const struct bw_findings *f, enum bw_area area, size_t *i)
{
	while (*i < f->count && f->items[*i].area != area)
		++*i;
	return *i < f->count ? &f->items[(*i)++] : NULL;
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void json_finding(struct bw_json *w, const struct bw_finding *x)
{
	bw_json_open(w, '{');
	bw_json_key_str(w, "area", bw_area_name(x->area));
	bw_json_key_str(w, "subject", x->subject);
	bw_json_key_str(w, "level", bw_level_name(x->level));
	bw_json_key_str(w, "seen", x->seen);
	bw_json_key_str(w, "advice", x->advice);
	bw_json_close(w, '}');
}

static bool write_json(const struct bw_findings *f, const struct bw_report_options *o)
{
	const struct bw_finding *x;
	struct bw_json w;
	bool ok;

	bw_json_init(&w, o->out, 0);
	bw_json_open(&w, '{');
	bw_json_key_int(&w, "version", 1);
	bw_json_key(&w, "findings");
	bw_json_open(&w, '[');
	for (enum bw_area area = 0; area < BW_AREA_COUNT; area++)
		for (size_t i = 0; (x = next_of(f, area, &i));)
			json_finding(&w, x);
	bw_json_close(&w, ']');
	bw_json_key(&w, "summary");
	bw_json_open(&w, '{');
	for (enum bw_level level = 0; level < BW_LEVEL_COUNT; level++)
		bw_json_key_int(&w, bw_level_name(level), (int64_t)bw_findings_count(f, level));
	bw_json_close(&w, '}');
	bw_json_close(&w, '}');
	ok = bw_report_json_finish(&w);
	bw_json_done(&w);
	return ok;
}

/* --- table ---------------------------------------------------------------------------------------- */

static enum bw_style style_of(enum bw_level level)
{
	switch (level) {
	case BW_LEVEL_OK: return BW_GREEN;
	case BW_LEVEL_WARNING: return BW_YELLOW;
	case BW_LEVEL_ERROR: return BW_RED;
	case BW_LEVEL_NOTE:
	case BW_LEVEL_COUNT: break;
	}
	return BW_MAGENTA;
}

/* The widest subject of all areas, so that the eye runs down one column. */
static size_t subject_columns(const struct bw_findings *f, const struct bw_report_options *o)
{
	size_t widest = 0, cap = o->width > 0 && o->width / 3 < SUBJECT_MAX ? o->width / 3 : SUBJECT_MAX;

	if (o->width > 0 && o->width < NARROW)
		return 0;
	for (size_t i = 0; i < f->count; i++) {
		size_t columns = bw_line_columns(f->items[i].subject);

		if (columns > widest && columns <= cap)
			widest = columns;
	}
	return widest;
}

/* Level and subject, then what was seen; what to do about it in a line of its own, beneath what was seen. */
static void put_finding(struct bw_line *l, const struct bw_finding *x, size_t subjects)
{
	size_t start = subjects > 0 ? SUBJECT_START + subjects + 2 : SUBJECT_START;
	size_t most = l->width > SUBJECT_START ? l->width - SUBJECT_START : SIZE_MAX;

	bw_line_begin(l, LEVEL_START, start);
	bw_line_cell(l, style_of(x->level), bw_level_name(x->level), LEVEL_COLUMNS, LEVEL_COLUMNS);
	bw_line_cell(l, BW_BOLD, x->subject, subjects, most);
	bw_line_pad(l, l->columns + 1);
	bw_line_words(l, x->level == BW_LEVEL_OK ? BW_DIM : BW_PLAIN, x->seen);
	bw_line_end(l);
	if (!x->advice)
		return;
	bw_line_begin(l, start, start + 3);
	bw_line_words(l, BW_PLAIN, "->");
	bw_line_words(l, BW_PLAIN, x->advice);
	bw_line_end(l);
}

static void put_area(struct bw_line *l, const struct bw_findings *f, enum bw_area area, size_t subjects)
{
	const struct bw_finding *x;
	bool is_first = true;

	for (size_t i = 0; (x = next_of(f, area, &i)); is_first = false) {
		if (is_first) {
			bw_line_begin(l, 0, 0);
			bw_line_words(l, BW_BOLD, bw_area_name(area));
			bw_line_end(l);
		}
		put_finding(l, x, subjects);
	}
	if (!is_first)
		bw_line_end(l);
}

/* "1 error, 2 warnings." */
static void put_sentence(struct bw_line *l, const struct bw_findings *f)
{
	size_t errors = bw_findings_count(f, BW_LEVEL_ERROR);
	size_t warnings = bw_findings_count(f, BW_LEVEL_WARNING);
	char words[BW_WORDS_MAX];
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, SENTENCE_BYTES);
	if (errors > 0)
		(void)bw_buf_adds(&text, bw_words_count(errors, "error", "errors", words));
	if (warnings > 0)
		(void)bw_buf_addf(&text, "%s%s", errors > 0 ? ", " : "",
				  bw_words_count(warnings, "warning", "warnings", words));
	if (text.len == 0)
		(void)bw_buf_adds(&text, "Nothing is wrong");
	(void)bw_buf_addc(&text, '.');
	bw_line_begin(l, 0, 0);
	bw_line_words(l, BW_PLAIN, bw_buf_str(&text));
	bw_line_end(l);
}

static bool write_table(const struct bw_findings *f, const struct bw_report_options *o)
{
	size_t subjects = subject_columns(f, o);
	struct bw_line l;
	bool ok;

	bw_line_init(&l, o->out, o->width, o->colour);
	for (enum bw_area area = 0; area < BW_AREA_COUNT; area++)
		put_area(&l, f, area, subjects);
	put_sentence(&l, f);
	ok = bw_out_finish(o->out, !l.failed);
	bw_line_done(&l);
	return ok;
}

bool bw_findings_write(const struct bw_findings *f, const struct bw_report_options *o)
{
	return o->format == BW_FORMAT_JSON ? write_json(f, o) : write_table(f, o);
}
