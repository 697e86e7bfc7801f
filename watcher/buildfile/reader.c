#include "buildfile/reader.h"

#include <string.h>

#include "buildfile/grammar.h"
#include "buildfile/heredoc.h"
#include "buildfile/instruction.h"
#include "buildfile/lines.h"
#include "buildfile/mount.h"
#include "core/mem.h"
#include "core/text.h"

struct reader {
	struct bw_plan *plan;
	struct bw_dockerfile *d;
	struct bw_lines lines;
	struct bw_instruction ins;
	struct bw_instruction trigger;
	struct bw_mount mount;
	size_t note; /* the annotation above the coming instruction; BW_NOWHERE: none */
	bool is_stopped;
	struct bw_err err; /* here, because clearing one costs more than reading a short line */
};

/* --- annotations ------------------------------------------------------------------------------ */

static void read_comment(struct reader *r)
{
	const struct bw_comment *c = &r->lines.comment;
	struct bw_note note;
	struct bw_err err;

	if (!bw_note_is(c->text, c->len))
		return;
	if (bw_note_parse(c->text, c->len, &note, &err) < 0) {
		bw_plan_warn(r->d, c->line, "annotation not understood: %s", err.msg);
		return;
	}
	if (r->note != BW_NOWHERE) {
		bw_plan_warn(
			r->d, r->plan->notes[r->note].line,
			"this annotation has no effect: line %u has another one for the same instruction",
			c->line);
		r->plan->notes[r->note].is_used = true;
	}
	r->note = r->plan->note_count;
	BW_PUSH(r->plan->notes, r->plan->note_count, r->plan->note_capacity) =
		(struct bw_site_note){.note = note, .line = c->line};
}

/* A blank line, or the end, comes between the annotation and what it could stand above. */
static void drop_note(struct reader *r)
{
	if (r->note == BW_NOWHERE)
		return;
	bw_plan_warn(r->d, r->plan->notes[r->note].line,
		     "this annotation has no effect: it does not stand directly above an instruction");
	r->plan->notes[r->note].is_used = true;
	r->note = BW_NOWHERE;
}

static void check_inner_comments(struct reader *r)
{
	for (size_t i = 0; i < r->lines.inner_count; i++) {
		const struct bw_comment *c = &r->lines.inner[i];

		if (bw_note_is(c->text, c->len))
			bw_plan_warn(r->d, c->line,
				     "this annotation has no effect: it stands inside an instruction, not "
				     "above it");
	}
}

/* --- sites ------------------------------------------------------------------------------------ */

static size_t current_stage(const struct reader *r)
{
	return r->plan->stage_count - 1;
}

/* Keeps both texts in one piece of memory, and once where they are the same; none for a part of the file. */
static void keep_texts(struct bw_site *site, struct bw_text written, struct bw_text text, bool in_file)
{
	bool same = written.s == text.s && written.len == text.len;

	if (same && in_file) {
		site->written = written;
		site->text = text;
		return;
	}
	site->memory = bw_alloc(written.len + (same ? 0 : text.len) + 1);
	if (written.len > 0)
		memcpy(site->memory, written.s, written.len);
	site->written = (struct bw_text){site->memory, written.len};
	site->text = site->written;
	if (same)
		return;
	site->text = (struct bw_text){site->memory + written.len, text.len};
	if (text.len > 0)
		memcpy(site->memory + written.len, text.s, text.len);
}

/* A site for the bytes [from, to) of the logical line. */
static struct bw_site *add_site(struct reader *r, enum bw_site_kind kind, size_t from, size_t to,
				struct bw_text text)
{
	struct bw_text written = {r->lines.text + from, to - from};
	struct bw_site *site;

	if (r->plan->site_count == BW_DOCKERFILE_MAX_USES) {
		bw_plan_error(r->d, r->lines.first, "the file names more than %d images",
			      BW_DOCKERFILE_MAX_USES);
		r->is_stopped = true;
		return NULL;
	}
	(void)BW_PUSH(r->plan->sites, r->plan->site_count, r->plan->site_capacity);
	site = &r->plan->sites[r->plan->site_count - 1];
	*site = (struct bw_site){
		.kind = kind,
		.span = bw_lines_span(&r->lines, from, to),
		.stage = current_stage(r),
		.note = r->note,
		.source = BW_NOWHERE,
	};
	keep_texts(site, written, text, bw_lines_is_in_file(&r->lines));
	return site;
}

/* As add_site() for a part of text that lost its quotes: written is what lies between its first and last
 * byte. */
static struct bw_site *add_traced_site(struct reader *r, enum bw_site_kind kind, const struct bw_trace *trace,
				       size_t start, size_t len)
{
	struct bw_text text = {trace->text + start, len};
	size_t from = trace->at[start];
	size_t to = trace->at[start + len - 1] + 1U;

	if (to - from == len)
		text.s = r->lines.text + from;
	return add_site(r, kind, from, to, text);
}

/* 1 when a quote stands at both ends and nowhere between: the reference is what lies inside. */
static size_t whole_quote(struct bw_text word)
{
	char quote = word.len > 1 ? *word.s : '\0';

	if ((quote != '"' && quote != '\'') || word.s[word.len - 1] != quote)
		return 0;
	return !memchr(word.s + 1, quote, word.len - 2);
}

/* --- instructions ----------------------------------------------------------------------------- */

static void add_stage(struct reader *r)
{
	struct bw_plan *p = r->plan;

	BW_PUSH(p->stages, p->stage_count, p->stage_capacity) = (struct bw_stage){
		.line = r->lines.first,
		.from = BW_NOWHERE,
		.base = BW_NOWHERE,
		.first_child = BW_NOWHERE,
		.first_reachable_child = BW_NOWHERE,
	};
	bw_buf_init(&p->stages[p->stage_count - 1].base_text, BW_MAX_WORD_BYTES);
}

static void name_stage(struct bw_stage *stage, const struct bw_text *arg)
{
	if (arg[1].len != 2 || strncasecmp(arg[1].s, "as", 2) != 0 || !bw_grammar_is_stage_name(arg[2]))
		return;
	stage->name = bw_strndup(arg[2].s, arg[2].len);
	bw_text_lower(stage->name);
}

/* A FROM with too many words is an error, but its first word is most likely the base, and no base is to be
 * lost. */
static void read_from(struct reader *r)
{
	struct bw_plan *p = r->plan;
	const struct bw_instruction *ins = &r->ins;
	struct bw_text arg[3] = {{0}};
	struct bw_stage *stage;
	size_t count = 0;
	size_t pos = 0;

	while (count < BW_COUNT(arg) && bw_next_argument(ins->rest, &pos, &arg[count]))
		count++;
	add_stage(r);
	stage = &p->stages[p->stage_count - 1];
	if (count > 0) {
		size_t quote = whole_quote(arg[0]);
		size_t at = (size_t)(arg[0].s - ins->line);

		if (add_site(r, BW_SITE_FROM, at + quote, at + arg[0].len - quote, arg[0]))
			stage->from = p->site_count - 1;
	}
	stage->sites = p->site_count;
	if (count == 3)
		name_stage(stage, arg);
	for (size_t i = 0; i < ins->flag_count; i++) {
		const struct bw_flag *f = &ins->flags[i];

		if (!bw_flag_is(ins, f, "platform") || f->value_len == 0 || stage->platform_word)
			continue;
		stage->platform_word = bw_strndup(ins->flag_text.text + f->value, f->value_len);
		stage->platform_len = f->value_len;
	}
}

static void add_arg(struct reader *r, struct bw_text word)
{
	struct bw_plan *p = r->plan;
	const char *equals = memchr(word.s, '=', word.len);
	size_t name_len = equals ? (size_t)(equals - word.s) : word.len;
	struct bw_arg arg = {.line = r->lines.first};

	/* No reference can name such a thing. */
	if (name_len == 0 || memchr(word.s, '\0', name_len))
		return;
	if (p->arg_count == BW_DOCKERFILE_MAX_USES) {
		bw_plan_error(r->d, r->lines.first, "the file has more than %d global ARGs",
			      BW_DOCKERFILE_MAX_USES);
		r->is_stopped = true;
		return;
	}
	arg.name = bw_strndup(word.s, name_len);
	if (equals) {
		struct bw_text value = {equals + 1, word.len - name_len - 1};
		size_t at = (size_t)(value.s - r->ins.line);

		arg.value = bw_strndup(value.s, value.len);
		arg.value_len = value.len;
		arg.quote = whole_quote(value);
		if (value.len > 2 * arg.quote)
			arg.span = bw_lines_span(&r->lines, at + arg.quote, at + value.len - arg.quote);
	}
	BW_PUSH(p->args, p->arg_count, p->arg_capacity) = arg;
}

static void read_arg(struct reader *r)
{
	struct bw_text word;
	size_t pos = 0;

	/* A stage's own ARGs never reach a base (BuildKit dockerfile2llb). */
	if (r->plan->stage_count > 0)
		return;
	while (!r->is_stopped && bw_next_word(r->ins.rest, r->lines.escape, &pos, &word))
		add_arg(r, word);
}

/* BuildKit refuses a --from that expansion, without any variables, would change. */
static bool expands(struct bw_text text, char escape)
{
	struct bw_word_rules rules = {.escape = escape};
	struct bw_buf out;
	bool changes;

	if (text.len <= BW_MAX_WORD_BYTES && bw_word_is_plain(text.s, text.len, escape))
		return false;
	bw_buf_init(&out, BW_MAX_WORD_BYTES);
	changes = bw_word_expand(text.s, text.len, &rules, &out, NULL, NULL) < 0 || out.len != text.len ||
		  (text.len > 0 && memcmp(out.data, text.s, text.len) != 0);
	bw_buf_done(&out);
	return changes;
}

static void read_copy(struct reader *r, const struct bw_instruction *ins, bool is_trigger)
{
	for (size_t i = 0; i < ins->flag_count; i++) {
		const struct bw_flag *f = &ins->flags[i];
		struct bw_site *site;

		/* An empty value is the build context. */
		if (!bw_flag_is(ins, f, "from") || f->value_len == 0)
			continue;
		site = add_traced_site(r, BW_SITE_COPY, &ins->flag_text, f->value, f->value_len);
		if (!site)
			return;
		site->is_trigger = is_trigger;
		if (expands(site->text, r->lines.escape))
			site->failure = bw_strdup(
				"variable expansion is not supported for --from, define a new stage "
				"with FROM using ARG from global scope as a workaround");
	}
}

static void fail(struct reader *r, bool is_trigger, const char *text)
{
	struct bw_plan *p = r->plan;

	if (!is_trigger) {
		bw_plan_error(r->d, r->lines.first, "%s", text);
		return;
	}
	BW_PUSH(p->trigger_errors, p->trigger_error_count, p->trigger_error_capacity) =
		(struct bw_trigger_error){
			.stage = current_stage(r),
			.line = r->lines.first,
			.text = bw_strdup(text),
		};
}

static void note_bare_mount(struct reader *r, bool is_trigger)
{
	struct bw_plan *p = r->plan;

	if (p->stage_count == 0)
		return;
	if (is_trigger)
		p->stages[p->stage_count - 1].has_bare_mount_trigger = true;
	else
		p->stages[p->stage_count - 1].has_bare_mount = true;
}

static void read_mount(struct reader *r, const struct bw_instruction *ins, const struct bw_flag *f,
		       bool is_trigger)
{
	struct bw_mount *m = &r->mount;
	struct bw_site *site;

	if (bw_mount_read(&ins->flag_text, f->value, f->value_len, m, &r->err) < 0)
		fail(r, is_trigger, r->err.msg);
	if (m->from_len == 0) {
		note_bare_mount(r, is_trigger);
		return;
	}
	site = add_traced_site(r, BW_SITE_MOUNT, &m->text, m->from, m->from_len);
	if (!site)
		return;
	site->is_trigger = is_trigger;
	if (bw_mount_has_variable(site->text.s, site->text.len))
		site->failure =
			bw_strdup("'from' doesn't support variable expansion, define alias stage instead");
	else if (m->is_secret)
		site->failure = bw_strdup("secret mount should not have a from");
}

static void read_run(struct reader *r, const struct bw_instruction *ins, bool is_trigger)
{
	for (size_t i = 0; i < ins->flag_count && !r->is_stopped; i++)
		if (bw_flag_is(ins, &ins->flags[i], "mount") && ins->flags[i].has_value)
			read_mount(r, ins, &ins->flags[i], is_trigger);
}

/*
 * The trigger is parsed when it fires, as a file of its own: with a backslash as the escape character, and
 * from everything behind the word ONBUILD (BuildKit dockerfile2llb/convert.go).
 */
static void read_onbuild(struct reader *r)
{
	const struct bw_instruction *ins = &r->ins;
	size_t from = (size_t)(ins->name.s - ins->line) + ins->name.len;
	size_t end = (size_t)(ins->rest.s - ins->line) + ins->rest.len;

	if (ins->rest.len == 0)
		return;
	bw_instruction_read(&r->trigger, ins->line, from, end, '\\');
	/* Pairs are read with the file, everything else only when the trigger fires. */
	if (bw_grammar_check(&r->trigger, '\\', &r->err) < 0)
		fail(r, r->trigger.keyword != BW_KEYWORD_ENV && r->trigger.keyword != BW_KEYWORD_LABEL,
		     r->err.msg);
	if (r->trigger.keyword == BW_KEYWORD_COPY)
		read_copy(r, &r->trigger, true);
	else if (r->trigger.keyword == BW_KEYWORD_RUN)
		read_run(r, &r->trigger, true);
}

static bool may_have_heredoc(const struct bw_instruction *ins)
{
	if (ins->keyword != BW_KEYWORD_RUN && ins->keyword != BW_KEYWORD_COPY &&
	    ins->keyword != BW_KEYWORD_ADD)
		return false;
	return bw_list_read(ins->rest).form != BW_FORM_JSON;
}

static bool opens_heredoc(struct reader *r)
{
	/* Few lines have even one, and memchr() is the faster search. */
	if (!memchr(r->lines.text, '<', r->lines.len) || !memmem(r->lines.text, r->lines.len, "<<", 2))
		return false;
	if (r->ins.keyword != BW_KEYWORD_ONBUILD)
		return may_have_heredoc(&r->ins);
	bw_instruction_read(&r->trigger, r->ins.rest.s, 0, r->ins.rest.len, r->lines.escape);
	return may_have_heredoc(&r->trigger);
}

/* Bodies follow one after another and are no instructions: a FROM in there is text. */
static void skip_heredocs(struct reader *r)
{
	BW_AUTOHEREDOCS struct bw_heredocs found = {0};
	uint32_t line = r->lines.first;

	bw_heredocs_find(r->lines.text, r->lines.len, &found);
	for (size_t i = 0; i < found.count; i++) {
		const struct bw_heredoc *h = &found.items[i];

		if (bw_lines_skip_heredoc(&r->lines, h->name, h->len, h->trims_tabs))
			continue;
		bw_plan_error(r->d, line, "unterminated heredoc: no line \"%.*s\" ends it", (int)h->len,
			      h->name);
		r->is_stopped = true;
		return;
	}
}

static void read_instruction(struct reader *r)
{
	enum bw_keyword keyword;

	r->plan->instruction_count++;
	bw_instruction_read(&r->ins, r->lines.text, 0, r->lines.len, r->lines.escape);
	keyword = r->ins.keyword;
	if (bw_grammar_check(&r->ins, r->lines.escape, &r->err) < 0)
		fail(r, false, r->err.msg);
	if (keyword == BW_KEYWORD_FROM)
		read_from(r);
	else if (keyword == BW_KEYWORD_ARG)
		read_arg(r);
	else if (r->plan->stage_count == 0)
		fail(r, false, "no build stage in current context");
	else if (keyword == BW_KEYWORD_COPY)
		read_copy(r, &r->ins, false);
	else if (keyword == BW_KEYWORD_RUN)
		read_run(r, &r->ins, false);
	else if (keyword == BW_KEYWORD_ONBUILD)
		read_onbuild(r);
	r->note = BW_NOWHERE;
	check_inner_comments(r);
	if (!r->is_stopped && opens_heredoc(r))
		skip_heredocs(r);
}

static void read_lines(struct reader *r)
{
	while (!r->is_stopped) {
		switch (bw_lines_next(&r->lines)) {
		case BW_LINE_END: return;
		case BW_LINE_BLANK: drop_note(r); break;
		case BW_LINE_DIRECTIVE: break;
		case BW_LINE_COMMENT: read_comment(r); break;
		case BW_LINE_INSTRUCTION: read_instruction(r); break;
		}
	}
}

void bw_plan_read(struct bw_plan *plan, const char *text, size_t len, struct bw_dockerfile *d)
{
	struct reader r = {.plan = plan, .d = d, .note = BW_NOWHERE};

	bw_lines_init(&r.lines, text, len);
	read_lines(&r);
	drop_note(&r);
	if (r.lines.problem.code != BW_OK)
		bw_plan_error(d, r.lines.problem_line, "%s", r.lines.problem.msg);
	plan->escape = r.lines.escape;
	bw_lines_done(&r.lines);
	bw_instruction_done(&r.ins);
	bw_instruction_done(&r.trigger);
	bw_mount_done(&r.mount);
}
