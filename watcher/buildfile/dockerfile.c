#include "buildfile/dockerfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buildfile/contexts.h"
#include "buildfile/directive.h"
#include "buildfile/plan.h"
#include "buildfile/reader.h"
#include "buildfile/resolve.h"
#include "buildfile/rune.h"
#include "buildfile/vars.h"
#include "core/mem.h"

/* What the making of uses looks at. */
struct maker {
	const struct bw_build_options *opts;
	struct bw_plan *plan;
	struct bw_vars *vars;
	struct bw_dockerfile *d;
	size_t capacity;
	size_t final;			/* the stage whose base is the final one */
	char platform[BW_PLATFORM_MAX]; /* of the build, "" when not given */
	struct bw_err err;		/* here, because clearing one for each use costs time */
};

/* A string of bytes from the file: a NUL, which would hide what follows, becomes U+FFFD. */
static char *string_of(const char *s, size_t len)
{
	struct bw_buf out;
	char *string;

	if (len == 0 || !memchr(s, '\0', len))
		return bw_strndup(s, len);
	bw_buf_init(&out, len * 3);
	for (size_t i = 0; i < len; i++)
		(void)(s[i] ? bw_buf_addc(&out, s[i]) : bw_buf_adds(&out, "\xEF\xBF\xBD"));
	string = bw_buf_take(&out, NULL);
	bw_buf_done(&out);
	return string;
}

static void add_use(struct maker *m, const struct bw_use *use)
{
	BW_PUSH(m->d->uses, m->d->use_count, m->capacity) = *use;
}

/* Room for `n` more, so that no use is moved while the list grows. */
static void reserve_uses(struct maker *m, size_t n)
{
	if (n <= m->capacity - m->d->use_count)
		return;
	m->capacity = m->d->use_count + n;
	m->d->uses = bw_realloc(m->d->uses, m->capacity, sizeof(*m->d->uses));
}

/* --- what a text names ------------------------------------------------------------------------ */

/* Keeps the reference in the use; false: the text is none, and `unresolved` says why. */
static bool set_reference(struct maker *m, struct bw_use *use, const char *text, size_t len)
{
	if (bw_reference_parse(text, len, &use->parts, NULL, &m->err) < 0) {
		use->unresolved = bw_strdup(m->err.msg);
		return false;
	}
	use->reference = bw_reference_format(&use->parts);
	return true;
}

/* The image that a named context puts in the place of what the file says. False: it is no image, there is no
 * use. */
static bool set_context(struct maker *m, struct bw_use *use, const char *value)
{
	const char *image = bw_context_image(value);

	if (!image)
		return false;
	bw_reference_done(&use->parts);
	free(use->reference);
	free(use->expanded);
	use->parts = (struct bw_reference){0};
	use->reference = NULL;
	use->role = BW_ROLE_CONTEXT;
	use->expanded = bw_strdup(image);
	use->arg_span = (struct bw_span){0};
	use->follows_target = false;
	if (strcmp(image, "scratch") == 0)
		use->is_scratch = true;
	else
		(void)set_reference(m, use, image, strlen(image));
	return true;
}

/* The context that stands in for an image, if there is one. False: no use. */
static bool replace_image(struct maker *m, struct bw_use *use, const char *platform)
{
	struct bw_platform own;
	const char *context;

	if (platform && bw_platform_parse(platform, strlen(platform), &own, NULL) < 0)
		platform = NULL;
	context = bw_context_of_reference(m->opts, &use->parts, platform ? &own : NULL);
	return !context || set_context(m, use, context);
}

/* An image by name, or what a context makes of it. False: no use. */
static bool set_image(struct maker *m, struct bw_use *use, struct bw_text name, const char *platform)
{
	if (name.len == strlen("scratch") && memcmp(name.s, "scratch", name.len) == 0) {
		use->is_scratch = true;
		return true;
	}
	if (!set_reference(m, use, name.s, name.len) || m->opts->context_count == 0)
		return true;
	return replace_image(m, use, platform);
}

/* --- uses of the three kinds of sites --------------------------------------------------------- */

/* The reason to tell: an unset ARG is the better one, as it is the cause. */
static void prefer_missing(struct maker *m, struct bw_use *use, const struct bw_word_facts *facts)
{
	char *missing = bw_vars_missing(m->vars, facts);

	if (!missing)
		return;
	free(use->unresolved);
	use->unresolved = missing;
}

static char *blank_base(const struct bw_site *site)
{
	return bw_asprintf("base name (%.*s) should not be blank",
			   (int)(site->text.len < 256 ? site->text.len : 256), site->text.s);
}

/* BuildKit parses the name in every FROM, also where a context takes the stage's place. */
static void check_replaced(struct maker *m, const struct bw_site *site, struct bw_text name)
{
	struct bw_reference ref;
	BW_AUTOFREE char *problem = NULL;

	if (site->failure)
		problem = bw_strdup(site->failure);
	else if (name.len == 0)
		problem = blank_base(site);
	else if (strcmp(name.s, "scratch") == 0)
		return;
	else if (bw_reference_parse(name.s, name.len, &ref, NULL, &m->err) < 0)
		problem = bw_asprintf("failed to parse stage name \"%.256s\": %s", name.s, m->err.msg);
	else
		bw_reference_done(&ref);
	if (problem)
		bw_plan_error(m->d, m->plan->stages[site->stage].line, "%s", problem);
}

static bool make_base(struct maker *m, const struct bw_site *site, struct bw_use *use)
{
	struct bw_stage *stage = &m->plan->stages[site->stage];
	struct bw_text name = {bw_buf_str(&stage->base_text), stage->base_text.len};

	use->role = site->stage == m->final ? BW_ROLE_FINAL : BW_ROLE_STAGE;
	/* What follows the build's platform names none, as long as the build does not either. */
	if (stage->platform && !(stage->follows_target && !m->platform[0]))
		use->platform = bw_strdup(stage->platform);
	if (stage->context) {
		check_replaced(m, site, name);
		return set_context(m, use, stage->context);
	}
	if (site->failure) {
		use->unresolved = bw_strdup(site->failure);
		return true;
	}
	use->expanded = string_of(name.s, name.len);
	if (name.len == 0) {
		use->unresolved = blank_base(site);
	} else if (stage->platform_failure) {
		use->unresolved = bw_strdup(stage->platform_failure);
		return true;
	} else {
		use->arg_span = bw_vars_span(&stage->facts);
		use->follows_target = stage->facts.is_of_target;
		if (!set_image(m, use, name, stage->platform))
			return false;
	}
	if (use->unresolved && use->role != BW_ROLE_CONTEXT)
		prefer_missing(m, use, &stage->facts);
	return true;
}

static bool make_source(struct maker *m, const struct bw_site *site, struct bw_use *use)
{
	use->role = site->kind == BW_SITE_COPY ? BW_ROLE_COPY : BW_ROLE_MOUNT;
	/* A trigger that no stage of the file fires names nothing. */
	if (site->is_trigger && m->plan->stages[site->stage].first_child == BW_NOWHERE)
		return false;
	use->expanded = string_of(site->text.s, site->text.len);
	if (site->failure) {
		use->unresolved = bw_strdup(site->failure);
		return true;
	}
	return set_image(m, use, site->text, NULL);
}

/* The digits of `n`: every use has them, so they are not worth a printf. */
static char *number_text(size_t n)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return bw_strndup(digits + at, sizeof(digits) - at);
}

static void set_stage(struct maker *m, struct bw_use *use, size_t stage)
{
	const char *name = m->plan->stages[stage].name;

	use->stage = name ? bw_strdup(name) : number_text(stage);
}

static void set_note(struct maker *m, struct bw_use *use, size_t note)
{
	struct bw_site_note *n;

	if (note == BW_NOWHERE)
		return;
	n = &m->plan->notes[note];
	n->is_used = true;
	use->ignored = bw_strdup(n->note.reason);
	use->ignored_until_ms = n->note.until_ms;
}

static void make_use(struct maker *m, const struct bw_site *site)
{
	struct bw_use use = {.span = site->span};
	bool is_use;

	/* References to stages are no uses. */
	if (site->kind == BW_SITE_FROM && m->plan->stages[site->stage].base != BW_NOWHERE)
		return;
	if (site->source != BW_NOWHERE && !site->failure)
		return;
	is_use = site->kind == BW_SITE_FROM ? make_base(m, site, &use) : make_source(m, site, &use);
	if (!is_use) {
		bw_use_done(&use);
		return;
	}
	use.written = string_of(site->written.s, site->written.len);
	use.reachable = bw_plan_site_is_reachable(m->plan, site);
	if (!use.platform && m->platform[0])
		use.platform = bw_strdup(m->platform);
	set_stage(m, &use, site->stage);
	set_note(m, &use, site->note);
	add_use(m, &use);
}

/* --- the frontend ----------------------------------------------------------------------------- */

static void make_frontend(struct maker *m, const struct bw_frontend *f)
{
	struct bw_use use = {.role = BW_ROLE_FRONTEND, .span = f->span, .reachable = true};

	use.written = string_of(f->text, f->len);
	use.expanded = bw_strdup(use.written);
	if (f->len == 0)
		use.unresolved = bw_strdup("the frontend has no name");
	else
		(void)set_reference(m, &use, f->text, f->len);
	add_use(m, &use);
}

/* BUILDKIT_SYNTAX replaces what the file says; like there, what follows a blank are its arguments. */
static bool frontend_of_options(const struct bw_build_options *opts, struct bw_frontend *ret)
{
	const char *given = bw_build_arg(opts, "BUILDKIT_SYNTAX");

	if (!given)
		return false;
	given += bw_blanks_front(given, strlen(given));
	*ret = (struct bw_frontend){.text = given, .len = strcspn(given, " ")};
	if (given[ret->len] == '\0')
		ret->len -= bw_blanks_back(given, ret->len);
	return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* The FROM chain of the target goes over stages to one that stands on an image. */
static size_t final_stage(const struct bw_plan *plan)
{
	size_t stage = plan->target;

	if (plan->stage_count == 0)
		return BW_NOWHERE;
	while (plan->stages[stage].base != BW_NOWHERE)
		stage = plan->stages[stage].base;
	return stage;
}

/* A platform that breaks the build, at a stage that has no use to tell it. */
static void report_platforms(struct maker *m)
{
	for (size_t i = 0; i < m->plan->stage_count; i++) {
		const struct bw_stage *stage = &m->plan->stages[i];

		if (stage->platform_failure && (stage->base != BW_NOWHERE || stage->context))
			bw_plan_error(m->d, stage->line, "%s", stage->platform_failure);
	}
}

static void report_notes(struct maker *m)
{
	for (size_t i = 0; i < m->plan->note_count; i++)
		if (!m->plan->notes[i].is_used)
			bw_plan_warn(m->d, m->plan->notes[i].line,
				     "this annotation has no effect: the instruction names no base");
}

static void report_emptiness(const struct bw_plan *plan, struct bw_dockerfile *d)
{
	if (plan->instruction_count == 0)
		bw_plan_error(d, 0, "file with no instructions");
	else if (plan->stage_count == 0)
		bw_plan_error(d, 0, "dockerfile contains no stages to build");
}

static void make_uses(struct maker *m)
{
	const struct bw_build_options *o = m->opts;

	m->final = final_stage(m->plan);
	if (o->platform.os[0])
		(void)bw_platform_format(&o->platform, m->platform);
	reserve_uses(m, m->plan->site_count);
	for (size_t i = 0; i < m->plan->site_count; i++)
		make_use(m, &m->plan->sites[i]);
	report_platforms(m);
	report_notes(m);
}

static void read_dockerfile(struct maker *m, const char *text, size_t len)
{
	bw_plan_read(m->plan, text, len, m->d);
	report_emptiness(m->plan, m->d);
	bw_vars_init(m->vars, m->plan, m->opts, bw_plan_target_name(m->plan, m->opts), m->d);
	bw_plan_resolve(m->plan, m->vars, m->opts, m->d);
	make_uses(m);
}

void bw_dockerfile_parse(const char *text, size_t len, const struct bw_build_options *opts,
			 struct bw_dockerfile *ret)
{
	struct bw_plan plan = {0};
	struct bw_vars vars = {0};
	struct maker m = {.opts = opts, .plan = &plan, .vars = &vars, .d = ret};
	struct bw_frontend frontend;
	struct bw_frontend given;
	bool is_found;

	*ret = (struct bw_dockerfile){0};
	if (len == 0 || len > BW_MAX_BUILDFILE_BYTES) {
		bw_plan_error(ret, 0,
			      len == 0 ? "the Dockerfile cannot be empty" : "the file is larger than 1 MiB");
		return;
	}
	is_found = bw_frontend_find(text, len, &frontend);
	if (frontend_of_options(opts, &given))
		make_frontend(&m, &given);
	else if (is_found)
		make_frontend(&m, &frontend);
	if (is_found && frontend.is_json)
		bw_plan_error(ret, 1, "the file is written for the frontend %.256s, it is no Dockerfile",
			      frontend.text);
	else
		read_dockerfile(&m, text, len);
	bw_frontend_done(&frontend);
	bw_vars_done(&vars);
	bw_plan_done(&plan);
}

void bw_dockerfile_done(struct bw_dockerfile *d)
{
	for (size_t i = 0; i < d->use_count; i++)
		bw_use_done(&d->uses[i]);
	for (size_t i = 0; i < d->warning_count; i++)
		free(d->warnings[i].text);
	free(d->uses);
	free(d->warnings);
	free(d->error);
	*d = (struct bw_dockerfile){0};
}
