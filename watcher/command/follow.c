#include "command/follow.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "command/ask.h"
#include "command/output.h"
#include "command/survey.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "report/report.h"
#include "watch/inquiry.h"

/* Asked once, whatever stands on it. The strings are those of the first use. */
struct bw_follow_base {
	char *normal; /* "docker.io/library/debian:12" */
	const char *registry, *repository, *tag;
	struct bw_follow **uses; /* known once all files are taken */
	size_t count, capacity;
	struct bw_answer answer;
	struct bw_bodies *bodies;
	struct asking *asking;
};

/*
 * First all tags, then what is behind those that pins have to be compared with: so whatever two bases both need is
 * needed at the same time, and fetched once.
 */
struct asking {
	struct bw_follows *follows;
	struct bw_loop *loop;
	struct bw_inquiries *inquiries;
	struct bw_progress *progress;
	size_t total;
	size_t answered;
	size_t done; /* of them nothing more has to be learned */
};

void bw_follows_init(struct bw_follows *f)
{
	*f = (struct bw_follows){.cwd = getcwd(NULL, 0), .paths = bw_map_new(), .bases = bw_map_new()};
}

static void free_file(struct bw_follow_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		bw_repin_done(&file->uses[i].repin);
	bw_dockerfile_done(&file->parsed);
	free(file->uses);
	free(file->path);
	free(file->shown);
	free(file->folder);
	free(file->inner);
	free(file->text);
	free(file);
}

static void free_base(void *p)
{
	struct bw_follow_base *base = p;

	bw_bodies_free(base->bodies);
	free(base->normal);
	free(base->uses);
	free(base);
}

void bw_follows_done(struct bw_follows *f)
{
	for (size_t i = 0; i < f->count; i++)
		free_file(f->files[i]);
	free(f->files);
	free(f->cwd);
	bw_map_free(f->paths, NULL);
	bw_map_free(f->bases, free_base);
}

const char *bw_follow_name(const struct bw_follow *x)
{
	return bw_reference_familiar(x->base->normal);
}

char *bw_follow_place(const struct bw_follow_file *file, uint32_t line)
{
	return line > 0 ? bw_asprintf("%s:%" PRIu32, file->shown, line) : bw_strdup(file->shown);
}

/* --- taking files ----------------------------------------------------------------------------------- */

/* Paths in the current folder count from it, others from the folder that was named. */
static struct bw_follow_file *new_file(const struct bw_follows *f, const struct bw_gathered *g)
{
	struct bw_follow_file *file = BW_NEW(struct bw_follow_file);
	bool is_stdin = strcmp(g->path, "-") == 0;

	file->path = bw_strdup(g->path);
	file->shown = bw_report_path("", g->path, f->cwd);
	if (is_stdin) {
		file->folder = bw_strdup("");
		file->inner = bw_strdup("Dockerfile");
	} else if (file->shown[0] == '/') {
		file->folder = bw_strdup(g->folder);
		file->inner = bw_report_path("", g->path, g->folder);
	} else {
		file->folder = bw_strdup("");
		file->inner = bw_strdup(file->shown);
	}
	if (g->text) {
		file->text = bw_strndup(bw_buf_str(g->text), g->text->len);
		file->len = g->text->len;
	}
	if (g->file) {
		file->parsed = *g->file;
		*g->file = (struct bw_dockerfile){0};
	}
	return file;
}

static bool is_ignored(const struct bw_use *u)
{
	return u->ignored && (u->ignored_until_ms == 0 || bw_clock_ms() < u->ignored_until_ms);
}

/* A use without a reference. What the target never reaches would be no trouble for a build. */
static void list_unresolved(struct bw_follows *f, const struct bw_follow_file *file, const struct bw_use *u)
{
	BW_AUTOFREE char *place = bw_follow_place(file, u->span.line);

	f->left++;
	if (u->reachable) {
		f->unknown++;
		bw_error("%s: %s: %s", place, u->written, u->unresolved);
	} else {
		bw_warn("%s: %s: %s", place, u->written, u->unresolved);
	}
}

static struct bw_follow_base *base_for(struct bw_follows *f, const struct bw_reference *parts)
{
	BW_AUTOFREE char *normal = bw_reference_base(parts);
	struct bw_follow_base *base = bw_map_get(f->bases, normal);

	if (!base) {
		base = BW_NEW(struct bw_follow_base);
		base->registry = parts->registry;
		base->repository = parts->repository;
		base->tag = bw_reference_tag(parts);
		base->normal = BW_TAKE(normal);
		(void)bw_map_put(f->bases, base->normal, base);
	}
	return base;
}

static void add_use(struct bw_follows *f, struct bw_follow_file *file, size_t i)
{
	const struct bw_use *u = &file->parsed.uses[i];
	struct bw_follow x = {.use = i};

	/* Nothing moves there, or nobody wants to know. */
	if (u->is_scratch || is_ignored(u))
		return;
	if (!u->reference) {
		list_unresolved(f, file, u);
		return;
	}
	if (!bw_reference_tag(&u->parts))
		return;
	x.base = base_for(f, &u->parts);
	x.repin.pinned = u->parts.digest;
	/* In normal form; should it not be readable all the same, then the use names none. */
	if (u->platform && bw_platform_parse(u->platform, strlen(u->platform), &x.repin.want, NULL) < 0)
		x.repin.want = (struct bw_platform){0};
	BW_PUSH(file->uses, file->count, file->capacity) = x;
}

static bool is_listed(struct bw_follows *f, const struct bw_gathered *g, const struct bw_follow_file *file)
{
	if (!g->text) {
		f->unknown++;
		bw_error("%s: %s", file->shown, g->problem);
		return true;
	}
	/* What it is rendered to may stand on something else. */
	if (g->is_template) {
		bw_warn("%s: a template is not edited", file->shown);
		return true;
	}
	return false;
}

static void take_uses(struct bw_follows *f, struct bw_follow_file *file)
{
	const struct bw_dockerfile *d = &file->parsed;

	if (d->error) {
		BW_AUTOFREE char *place = bw_follow_place(file, d->error_line);

		f->unknown++;
		bw_error("%s: %s", place, d->error);
	}
	for (size_t i = 0; i < d->use_count; i++)
		add_use(f, file, i);
}

int bw_follows_take(struct bw_gathered *g, void *arg, struct bw_err *err)
{
	struct bw_follows *f = arg;
	struct bw_follow_file *file;

	(void)err;
	if (bw_map_put(f->paths, g->path, f))
		return 0;
	file = new_file(f, g);
	if (!is_listed(f, g, file))
		take_uses(f, file);
	/* A base may refer to the strings of its first use, so a file with uses stays. */
	if (file->count > 0)
		BW_PUSH(f->files, f->count, f->capacity) = file;
	else
		free_file(file);
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------------- */

static void decide_uses(struct bw_bodies *b, void *arg)
{
	struct bw_follow_base *base = arg;

	for (size_t i = 0; i < base->count; i++)
		bw_repin_decide(b, &base->answer, bw_reference_familiar(base->normal), &base->uses[i]->repin);
}

static void end_base(struct bw_follow_base *base)
{
	struct asking *k = base->asking;

	bw_bodies_free(base->bodies);
	base->bodies = NULL;
	if (++k->done == k->total)
		bw_loop_stop(k->loop);
}

static void fail_base(struct bw_follow_base *base, const char *what, const char *detail)
{
	for (size_t i = 0; i < base->count; i++)
		bw_repin_fail(&base->uses[i]->repin, bw_asprintf("%s: %s", what, detail));
	end_base(base);
}

/* The last call of decide_uses() found all its needs met. */
static void inquired(int rc, const struct bw_err *err, void *arg)
{
	struct bw_follow_base *base = arg;

	if (rc < 0)
		fail_base(base, "cannot compare", err->msg);
	else
		end_base(base);
}

static void inquire(const char *normal, void *value, void *arg)
{
	struct bw_follow_base *base = value;
	const struct bw_body_origin origin = {.registry = base->registry, .repository = base->repository};

	(void)normal, (void)arg;
	if (base->answer.trouble) {
		fail_base(base, bw_trouble_text(base->answer.trouble), base->answer.message);
		return;
	}
	base->bodies = bw_bodies_new();
	bw_inquire(base->asking->inquiries, &origin, base->bodies, decide_uses, inquired, base);
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct bw_follow_base *base = arg;
	struct asking *k = base->asking;

	base->answer = *a;
	bw_progress_show(k->progress, ++k->answered, k->total);
	if (k->answered == k->total)
		bw_map_each(k->follows->bases, inquire, NULL);
}

/* The arrays of the uses grow no more: now they can be pointed to. */
static void link_uses(struct bw_follows *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct bw_follow_file *file = f->files[i];

		for (size_t k = 0; k < file->count; k++) {
			struct bw_follow_base *base = bw_map_get(f->bases, file->uses[k].base->normal);

			BW_PUSH(base->uses, base->count, base->capacity) = &file->uses[k];
		}
	}
}

struct start {
	struct bw_survey *survey;
	struct asking *asking;
};

static void add_question(const char *normal, void *value, void *arg)
{
	struct bw_follow_base *base = value;
	const struct start *s = arg;

	(void)normal;
	base->asking = s->asking;
	bw_survey_add(s->survey, base->registry, base->repository, base->tag, answered, base);
}

static void say_counts(const struct bw_follows *f, const struct bw_registry *r)
{
	struct bw_registry_counts c = bw_registry_count(r);

	bw_info("asked for %zu bases: %" PRIu64 " HEAD, %" PRIu64 " GET, %" PRIu64 " token requests, %" PRIu64
		" retries",
		bw_map_count(f->bases), c.heads, c.gets, c.tokens, c.retries);
}

static void ask_all(struct bw_follows *f, struct bw_asker *k, struct bw_progress *progress)
{
	struct asking asking = {
		.follows = f, .loop = k->loop, .progress = progress, .total = bw_map_count(f->bases)};
	struct start s = {.survey = bw_survey_new(k->registry), .asking = &asking};

	asking.inquiries = bw_inquiries_new(k->registry, NULL);
	bw_map_each(f->bases, add_question, &s);
	bw_survey_start(s.survey);
	bw_loop_run(k->loop);
	say_counts(f, k->registry);
	bw_registry_free(BW_TAKE(k->registry));
	bw_inquiries_free(asking.inquiries);
	bw_survey_free(s.survey);
}

int bw_follows_ask(struct bw_follows *f, const struct bw_args *a, bool *ret_interrupted, struct bw_err *err)
{
	struct bw_progress *progress;
	struct bw_asker k;
	int rc;

	if (bw_map_count(f->bases) == 0)
		return 0;
	link_uses(f);
	progress = bw_progress_new(a, "asking");
	rc = bw_asker_init(&k, a, err);
	if (rc == 0) {
		ask_all(f, &k, progress);
		*ret_interrupted = k.interrupted;
	}
	bw_progress_free(progress);
	bw_asker_done(&k);
	return rc;
}
