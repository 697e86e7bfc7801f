#include "daemon/origin.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define MAX_PRINT_BYTES (16U << 20) /* a configuration of 1 MiB, spelled out */

/* --- from the configuration ------------------------------------------------------------------------ */

static void add_text(struct bw_origin_texts *t, const char *text)
{
	t->items = bw_realloc(t->items, t->count + 1, sizeof(*t->items));
	t->items[t->count++] = bw_strdup(text);
}

/* `all` alone says nothing. */
static void copy_texts(const struct bw_conf_texts *from, const char *all, struct bw_origin_texts *to)
{
	if (from->count == 1 && bw_text_is(from->items[0], all))
		return;
	for (size_t i = 0; i < from->count; i++)
		add_text(to, from->items[i]);
}

static bool has_text(const struct bw_origin_texts *t, const char *text)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->items[i], text) == 0)
			return true;
	return false;
}

static size_t count_builds(const struct bw_conf *c, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < c->builds.count; i++)
		count += bw_text_is(c->builds.items[i].source, name);
	return count;
}

static int add_recipes(struct bw_origin *o, const struct bw_conf *c, const char *name, struct bw_err *err)
{
	const struct bw_build_options plain = {0};
	int rc = 0;

	o->recipes = bw_realloc(NULL, 1 + (name ? count_builds(c, name) : 0), sizeof(*o->recipes));
	bw_recipe_init(&o->recipes[o->recipe_count++], &plain);
	for (size_t i = 0; i < c->builds.count && name && rc == 0; i++) {
		const struct bw_conf_build *b = &c->builds.items[i];
		struct bw_recipe *r = &o->recipes[o->recipe_count];

		if (!bw_text_is(b->source, name))
			continue;
		rc = bw_recipe_init_configured(r, b, err);
		o->recipe_count++;
		if (!has_text(&o->files, r->file))
			add_text(&o->files, r->file);
	}
	return rc;
}

static void print_texts(struct bw_buf *b, const char *what, const struct bw_origin_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		(void)bw_buf_addf(b, "%s %s\n", what, t->items[i]);
}

static void print(struct bw_origin *o)
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, MAX_PRINT_BYTES);
	(void)bw_buf_addf(&b, "%s\n%s\n%s\n%s\n%s\n", o->path ? o->path : "", o->name,
			  o->url.fetch ? o->url.fetch : "", o->url.user ? o->url.user : "",
			  o->url.password ? o->url.password : "");
	o->place =
		bw_asprintf("%s\n%s\n%s", o->shown, o->path ? o->path : "", o->url.shown ? o->url.shown : "");
	print_texts(&b, "branch", &o->branches);
	print_texts(&b, "include", &o->includes);
	print_texts(&b, "exclude", &o->excludes);
	for (size_t i = 0; i < o->recipe_count; i++)
		bw_recipe_print(&o->recipes[i], &b);
	o->print = bw_strdup(bw_buf_str(&b));
}

static int init(struct bw_origin *o, const struct bw_conf *c, size_t index, struct bw_err *err)
{
	const struct bw_conf_source *s = &c->sources.items[index];
	struct bw_err why = BW_ERR_INIT;
	int rc = 0;

	*o = (struct bw_origin){.path = bw_strdup_null(s->path),
				.name = bw_strdup(s->name && s->path ? s->name : "")};
	if (s->git)
		rc = bw_giturl_parse(s->git, &o->url, &why);
	if (rc < 0)
		return bw_fail(err, BW_E_CONFIG, "sources[%zu].git: %s", index, why.msg);
	copy_texts(&s->branches, "HEAD", &o->branches);
	copy_texts(&s->include, "**", &o->includes);
	copy_texts(&s->exclude, NULL, &o->excludes);
	if (o->url.branch && o->branches.count == 0)
		add_text(&o->branches, o->url.branch);
	o->shown = bw_strdup(s->name ? s->name : s->path ? s->path : o->url.shown);
	rc = add_recipes(o, c, s->name, err);
	print(o);
	return rc;
}

int bw_origins_init(struct bw_origins *o, const struct bw_conf *c, struct bw_err *err)
{
	int rc = 0;

	*o = (struct bw_origins){.items = bw_realloc(NULL, c->sources.count + 1, sizeof(*o->items))};
	for (size_t i = 0; i < c->sources.count && rc == 0; i++)
		rc = init(&o->items[o->count++], c, i, err);
	return rc;
}

static void texts_done(struct bw_origin_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i]);
	free(t->items);
}

void bw_origin_done(struct bw_origin *o)
{
	for (size_t i = 0; i < o->recipe_count; i++)
		bw_recipe_done(&o->recipes[i]);
	free(o->recipes);
	texts_done(&o->branches);
	texts_done(&o->includes);
	texts_done(&o->excludes);
	texts_done(&o->files);
	bw_giturl_done(&o->url);
	free(o->shown);
	free(o->path);
	free(o->name);
	free(o->print);
	free(o->place);
	*o = (struct bw_origin){0};
}

void bw_origins_done(struct bw_origins *o)
{
	for (size_t i = 0; i < o->count; i++)
		bw_origin_done(&o->items[i]);
	free(o->items);
	*o = (struct bw_origins){0};
}

/* --- what belongs to it ---------------------------------------------------------------------------- */

int bw_origin_each_recipe(const struct bw_origin *o, const char *inner, bw_recipe_fn fn, void *arg,
			  struct bw_err *err)
{
	int rc = 0;

	if (!has_text(&o->files, inner))
		return fn(&o->recipes[0], arg, err);
	for (size_t i = 1; i < o->recipe_count && rc >= 0; i++)
		if (strcmp(o->recipes[i].file, inner) == 0)
			rc = fn(&o->recipes[i], arg, err);
	return rc;
}

bool bw_origin_means(const struct bw_origin *o, const char *inner, const char *target)
{
	const struct bw_folder_options f = bw_origin_folder_options(o);

	if (has_text(&o->files, inner)) {
		for (size_t i = 1; i < o->recipe_count; i++)
			if (strcmp(o->recipes[i].file, inner) == 0 &&
			    strcmp(o->recipes[i].target, target) == 0)
				return true;
		return false;
	}
	if (strcmp(o->recipes[0].target, target) != 0)
		return false;
	return (f.include_count == 0 && f.exclude_count == 0) || bw_folder_counts(&f, inner);
}

static bool is_pattern(const char *branch)
{
	return strpbrk(branch, "*?[") != NULL;
}

bool bw_origin_has_pattern_for(const struct bw_origin *o, const char *branch)
{
	for (size_t i = 0; i < o->branches.count; i++)
		if (is_pattern(o->branches.items[i]) && bw_text_glob(o->branches.items[i], branch))
			return true;
	return false;
}

bool bw_origin_means_branch(const struct bw_origin *o, const char *branch)
{
	return o->branches.count == 0 || has_text(&o->branches, "HEAD") || has_text(&o->branches, branch) ||
	       bw_origin_has_pattern_for(o, branch);
}

struct bw_folder_options bw_origin_folder_options(const struct bw_origin *o)
{
	return (struct bw_folder_options){
		.excludes = (const char *const *)o->excludes.items,
		.exclude_count = o->excludes.count,
		.includes = (const char *const *)o->includes.items,
		.include_count = o->includes.count,
	};
}

struct bw_git_request bw_origin_request(const struct bw_origin *o)
{
	return (struct bw_git_request){
		.url = &o->url,
		.branches = (const char *const *)o->branches.items,
		.branch_count = o->branches.count,
		.folder = o->url.folder,
		.includes = (const char *const *)o->includes.items,
		.include_count = o->includes.count,
		.excludes = (const char *const *)o->excludes.items,
		.exclude_count = o->excludes.count,
		.files = (const char *const *)o->files.items,
		.file_count = o->files.count,
	};
}
