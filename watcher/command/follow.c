#include "command/follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/ask.h"
#include "command/output.h"
#include "command/survey.h"
#include "command/turns.h"
#include "command/wording.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "report/report.h"
#include "watch/inquiry.h"

/*
 * What is compared with each other takes memory, up to BW_INQUIRY_MAX_BYTES for each comparison, which a registry may
 * make it take. A comparison is for bases of one repository that point to the same digest; of their pins each may need
 * bodies of its own, so their number is limited, too.
 */
#define MAX_COMPARISONS	  16 /* at the same time */
#define MAX_USES_TOGETHER 16

/* Asked once, whatever stands on it. The strings are those of the first use. */
struct bw_follow_base {
	char *normal; /* "docker.io/library/debian:12" */
	const char *registry, *repository, *tag;
	struct bw_follow **uses; /* known once all files are taken */
	size_t count, capacity;
	struct bw_answer answer;
	struct asking *asking;
};

/* Bases next to each other in the list of all. */
struct comparison {
	struct asking *asking;
	struct bw_follow_base **bases;
	size_t count;
	struct bw_bodies *bodies;
};

/*
 * First all tags, then what is behind those that pins have to be compared with: so whatever two bases both need is
 * needed at about the same time, and mostly fetched once.
 */
struct asking {
	struct bw_loop *loop;
	struct bw_inquiries *inquiries;
	struct bw_progress *progress;
	struct bw_follow_base **bases; /* those with a digest, in an order that puts together what is alike */
	size_t total;
	size_t answered;
	size_t count;
	struct comparison *comparisons;
	size_t comparison_count;
	size_t done;
	struct bw_turns turns;
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
	free(file->text);
	free(file);
}

static void free_base(void *p)
{
	struct bw_follow_base *base = p;

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

static struct bw_follow_file *new_file(const struct bw_follows *f, const struct bw_found_build *g)
{
	struct bw_follow_file *file = BW_NEW(struct bw_follow_file);

	file->path = bw_strdup(g->path);
	file->shown = bw_report_path("", g->path, f->cwd);
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

static bool is_listed(struct bw_follows *f, const struct bw_found_build *g, const struct bw_follow_file *file)
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

int bw_follows_take(struct bw_found_build *g, void *arg, struct bw_err *err)
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

/* --- where paths of a patch count from ------------------------------------------------------------- */

static bool is_in(const char *path, const char *folder, size_t len)
{
	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* Of absolute paths; "" is the root of all. */
static size_t shorten_to(const char *path, const char *folder, size_t len)
{
	while (len > 0 && !is_in(path, folder, len))
		do
			len--;
		while (len > 0 && folder[len] != '/');
	return len;
}

char *bw_follows_folder(const struct bw_follows *f)
{
	const char *first = f->count > 0 ? f->files[0]->path : f->cwd;
	size_t len = strlen(f->cwd);
	bool is_outside = false;

	for (size_t i = 0; i < f->count; i++)
		is_outside |= f->files[i]->path[0] == '/' && !is_in(f->files[i]->path, f->cwd, len);
	if (!is_outside)
		return NULL;
	len = strlen(first);
	for (size_t i = 0; i < f->count; i++)
		len = shorten_to(f->files[i]->path, first, len);
	return len > 0 ? bw_strndup(first, len) : bw_strdup("/");
}

/* --- asking ----------------------------------------------------------------------------------------- */

static void decide_uses(struct bw_bodies *b, void *arg)
{
	const struct comparison *c = arg;

	for (size_t i = 0; i < c->count; i++) {
		const struct bw_follow_base *base = c->bases[i];

		for (size_t k = 0; k < base->count; k++)
			bw_repin_decide(b, &base->answer, bw_reference_familiar(base->normal),
					&base->uses[k]->repin);
	}
}

static void fail_base(const struct bw_follow_base *base, const char *what)
{
	for (size_t i = 0; i < base->count; i++)
		bw_repin_fail(&base->uses[i]->repin, bw_strdup(what));
}

/* The last call of decide_uses() found all its needs met. */
static void inquired(int rc, const struct bw_err *err, void *arg)
{
	struct comparison *c = arg;
	struct asking *k = c->asking;
	BW_AUTOFREE char *why = rc < 0 ? bw_asprintf("cannot compare: %s", err->msg) : NULL;

	for (size_t i = 0; why && i < c->count; i++)
		fail_base(c->bases[i], why);
	bw_bodies_free(BW_TAKE(c->bodies));
	bw_turns_end(&k->turns);
	if (++k->done == k->comparison_count)
		bw_loop_stop(k->loop);
}

static void start_comparison(size_t index, void *arg)
{
	struct asking *k = arg;
	struct comparison *c = &k->comparisons[index];
	const struct bw_body_origin origin = {.registry = c->bases[0]->registry,
					      .repository = c->bases[0]->repository};

	c->bodies = bw_bodies_new();
	bw_inquire(k->inquiries, &origin, c->bodies, decide_uses, inquired, c);
}

static int compare_bases(const struct bw_follow_base *a, const struct bw_follow_base *b)
{
	int order = strcmp(a->registry, b->registry);

	if (order == 0)
		order = strcmp(a->repository, b->repository);
	return order != 0 ? order : strcmp(a->answer.digest.text, b->answer.digest.text);
}

static int by_likeness(const void *a, const void *b)
{
	const struct bw_follow_base *const *x = a;
	const struct bw_follow_base *const *y = b;
	int order = compare_bases(*x, *y);

	return order != 0 ? order : strcmp((*x)->tag, (*y)->tag);
}

/* The bases from `first` on that are compared together. */
static size_t take_alike(const struct asking *k, size_t first)
{
	size_t uses = k->bases[first]->count;
	size_t end = first + 1;

	for (; end < k->count && compare_bases(k->bases[first], k->bases[end]) == 0; end++) {
		uses += k->bases[end]->count;
		if (uses > MAX_USES_TOGETHER)
			break;
	}
	return end - first;
}

static void compare_all(struct asking *k)
{
	if (k->count > 1)
		qsort(k->bases, k->count, sizeof(struct bw_follow_base *), by_likeness);
	k->comparisons = bw_alloc((k->count + 1) * sizeof(*k->comparisons));
	for (size_t at = 0, count; at < k->count; at += count) {
		count = take_alike(k, at);
		k->comparisons[k->comparison_count++] =
			(struct comparison){.asking = k, .bases = &k->bases[at], .count = count};
	}
	k->turns = (struct bw_turns){
		.count = k->comparison_count, .most = MAX_COMPARISONS, .start = start_comparison, .arg = k};
	bw_turns_begin(&k->turns);
	if (k->comparison_count == 0)
		bw_loop_stop(k->loop);
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct bw_follow_base *base = arg;
	struct asking *k = base->asking;

	base->answer = *a;
	bw_progress_show(k->progress, ++k->answered, k->total);
	if (a->trouble) {
		BW_AUTOFREE char *why = bw_wording_of_tag(a);

		fail_base(base, why);
	} else {
		k->bases[k->count++] = base;
	}
	if (k->answered == k->total)
		compare_all(k);
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

	bw_info("asked for %zu base%s: %" PRIu64 " HEAD, %" PRIu64 " GET, %" PRIu64
		" token requests, %" PRIu64 " retries",
		bw_map_count(f->bases), bw_wording_plural(bw_map_count(f->bases)), c.heads, c.gets, c.tokens,
		c.retries);
}

static void ask_all(struct bw_follows *f, struct bw_asker *k, struct bw_progress *progress)
{
	struct asking asking = {.loop = k->loop, .progress = progress, .total = bw_map_count(f->bases)};
	struct bw_registry *registry = k->registries.clients.own;
	struct start s = {.survey = bw_survey_new(registry), .asking = &asking};

	asking.inquiries = bw_inquiries_new(registry, NULL);
	asking.bases = bw_alloc(asking.total * sizeof(struct bw_follow_base *));
	bw_map_each(f->bases, add_question, &s);
	bw_survey_start(s.survey);
	bw_loop_run(k->loop);
	say_counts(f, registry);
	bw_registry_free(BW_TAKE(k->registries.clients.own));
	bw_inquiries_free(asking.inquiries);
	bw_survey_free(s.survey);
	for (size_t i = 0; i < asking.comparison_count; i++)
		bw_bodies_free(asking.comparisons[i].bodies); /* of those that an interruption left open */
	free(asking.comparisons);
	free(asking.bases);
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
	rc = bw_asker_init(&k, a, NULL, err);
	if (rc == 0) {
		bw_asker_recall(&k, a);
		ask_all(f, &k, progress);
		*ret_interrupted = k.interrupted;
	}
	bw_progress_free(progress);
	bw_asker_done(&k);
	return rc;
}
