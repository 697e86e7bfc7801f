#include "daemon/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/filename.h"
#include "buildfile/merge.h"
#include "buildfile/template.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "core/version.h"
#include "source/worktree.h"

/* The options come from a command line, or from a file of 1 MiB. */
#define MAX_OPTION_BYTES (4U << 20)

void bw_recipe_init(struct bw_recipe *r, const struct bw_build_options *o)
{
	*r = (struct bw_recipe){.target = bw_strdup(o->target ? o->target : ""), .options = *o};
	bw_text_lower(r->target);
	r->options.target = r->target[0] ? r->target : NULL;
	bw_platform_host(&r->options.builder);
}

/* --- of the configuration -------------------------------------------------------------------------- */

static struct bw_setting *copy_pairs(const struct bw_conf_pairs *p)
{
	struct bw_setting *copy = bw_realloc(NULL, p->count + 1, sizeof(*copy));

	for (size_t i = 0; i < p->count; i++)
		copy[i] = (struct bw_setting){.name = bw_strdup(p->items[i].name),
					      .value = bw_strdup(p->items[i].value)};
	return copy;
}

/* In the order of the names: the order in which labels are written down means nothing. */
static int compare_names(const void *a, const void *b)
{
	const struct bw_conf_pair *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static char *labels_of(const struct bw_conf_pairs *labels)
{
	BW_AUTOFREE struct bw_conf_pair *sorted = bw_realloc(NULL, labels->count + 1, sizeof(*sorted));
	struct bw_json w;
	char *text;

	if (labels->count == 0)
		return NULL;
	memcpy(sorted, labels->items, labels->count * sizeof(*sorted));
	qsort(sorted, labels->count, sizeof(*sorted), compare_names);
	bw_json_init(&w, NULL, MAX_OPTION_BYTES);
	bw_json_open(&w, '{');
	for (size_t i = 0; i < labels->count; i++)
		bw_json_key_str(&w, sorted[i].name, sorted[i].value);
	bw_json_close(&w, '}');
	text = bw_strdup(bw_buf_str(&w.buf));
	bw_json_done(&w);
	return text;
}

static bool has_platform(const struct bw_recipe *r, const struct bw_platform *p)
{
	for (size_t i = 0; i < r->platform_count; i++)
		if (bw_platform_matches(&r->platforms[i], p))
			return true;
	return false;
}

/* One of them is as if nothing but --platform had been said. */
static int set_platforms(struct bw_recipe *r, const struct bw_conf_texts *platforms, struct bw_err *err)
{
	r->platforms = bw_realloc(NULL, platforms->count + 1, sizeof(*r->platforms));
	for (size_t i = 0; i < platforms->count; i++) {
		const char *text = platforms->items[i];
		struct bw_platform p = {0};

		if (bw_platform_parse(text, strlen(text), &p, err) < 0)
			return bw_fail(err, BW_E_CONFIG, "builds: %s: '%s' is no platform", r->file, text);
		if (!has_platform(r, &p))
			r->platforms[r->platform_count++] = p;
	}
	if (r->platform_count > 0)
		r->options.platform = r->platforms[0];
	if (r->platform_count == 1)
		r->platform_count = 0;
	return 0;
}

int bw_recipe_init_configured(struct bw_recipe *r, const struct bw_conf_build *b, struct bw_err *err)
{
	const struct bw_build_options o = {.args = copy_pairs(&b->args),
					   .arg_count = b->args.count,
					   .contexts = copy_pairs(&b->contexts),
					   .context_count = b->contexts.count,
					   .target = b->target};
	const char *file = b->file;

	while (bw_text_starts(file, "./"))
		file += 2 + strspn(file + 2, "/");
	bw_recipe_init(r, &o);
	r->file = bw_strdup(file);
	r->image = bw_strdup_null(b->image);
	r->labels = labels_of(&b->labels);
	return set_platforms(r, &b->platforms, err);
}

static void free_settings(const struct bw_setting *s, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(s[i].name);
		free(s[i].value);
	}
	free((void *)(uintptr_t)s);
}

void bw_recipe_done(struct bw_recipe *r)
{
	if (r->file) {
		free_settings(r->options.args, r->options.arg_count);
		free_settings(r->options.contexts, r->options.context_count);
	}
	free(r->file);
	free(r->target);
	free(r->platforms);
	free(r->image);
	free(r->labels);
	*r = (struct bw_recipe){0};
}

/* --- reading --------------------------------------------------------------------------------------- */

/* Everything that decides which uses come out, so that equal prints mean equal uses. */
static void add_options(const struct bw_recipe *r, struct bw_buf *all)
{
	const struct bw_build_options *o = &r->options;
	char platform[BW_PLATFORM_MAX], builder[BW_PLATFORM_MAX];

	bw_buf_addf(all, "%s\n%s\n%s\n%s\n", BW_VERSION, r->target,
		    bw_platform_format(&o->platform, platform), bw_platform_format(&o->builder, builder));
	for (size_t i = 1; i < r->platform_count; i++)
		bw_buf_addf(all, "and %s\n", bw_platform_format(&r->platforms[i], platform));
	for (size_t i = 0; i < o->arg_count; i++)
		bw_buf_addf(all, "arg %s=%s\n", o->args[i].name, o->args[i].value);
	for (size_t i = 0; i < o->context_count; i++)
		bw_buf_addf(all, "context %s=%s\n", o->contexts[i].name, o->contexts[i].value);
}

static void parse_for(const struct bw_build_options *o, const struct bw_found_build *x,
		      struct bw_dockerfile *ret)
{
	BW_AUTOFREE char *path = NULL;

	bw_dockerfile_parse(bw_buf_str(x->text), x->text->len, o, ret);
	if (bw_template_is_wanted(ret))
		path = bw_worktree_patch_path(x->source, x->path);
	bw_template_make(path, bw_buf_str(x->text), x->text->len, o, ret);
}

static void parse(const struct bw_recipe *r, const struct bw_found_build *x, struct bw_dockerfile *ret)
{
	size_t count = r->platform_count > 0 ? r->platform_count : 1;
	BW_AUTOFREE struct bw_dockerfile *files = bw_realloc(NULL, count, sizeof(*files));
	struct bw_build_options o = r->options;

	for (size_t i = 0; i < count; i++) {
		if (r->platform_count > 0)
			o.platform = r->platforms[i];
		parse_for(&o, x, &files[i]);
	}
	bw_dockerfile_merge(files, count, ret);
}

void bw_recipe_read(const struct bw_recipe *r, struct bw_found_build *x, struct bw_dockerfile *ret_file)
{
	BW_AUTOBUF struct bw_buf all;

	bw_buf_init(&all, BW_MAX_BUILDFILE_BYTES + MAX_OPTION_BYTES);
	*ret_file = (struct bw_dockerfile){0};
	x->target = r->target;
	x->image = r->image;
	x->labels = r->labels;
	x->is_configured = r->file != NULL;
	x->is_template = bw_filename_is_template(x->path);
	x->file = NULL;
	if (!x->text)
		return;
	parse(r, x, ret_file);
	x->file = ret_file;
	add_options(r, &all);
	bw_buf_add(&all, x->text->data, x->text->len);
	bw_digest_of(all.data, all.len, &x->fingerprint);
}

void bw_recipe_print(const struct bw_recipe *r, struct bw_buf *ret)
{
	bw_buf_addf(ret, "file %s\n", r->file ? r->file : "");
	add_options(r, ret);
	bw_buf_addf(ret, "image %s\nlabels %s\n", r->image ? r->image : "", r->labels ? r->labels : "");
}
