/* doctor_configuration.c - the configuration, and what it names: files, folders, secrets. */
#include "command/doctor.h"

#include <string.h>

#include "command/setup.h"
#include "core/mem.h"
#include "core/text.h"

#define LINE_BYTES 8192

/* The area of the sources looks at folders itself. */
static bool is_said_elsewhere(const struct bw_doctor *d, const struct bw_conf_problem *x)
{
	return d->conf && x->is_warning && bw_text_starts(x->text, "sources[") &&
	       strstr(x->text, ".path: ") && strstr(x->text, " cannot be read: ");
}

/* "sources[0].path: ..." at its place; what to do stands in the text itself. */
static void find_problem(struct bw_doctor *d, const struct bw_conf_problem *x, const char *path)
{
	const struct bw_conf_problem bare = {.line = x->line, .column = x->column, .text = x->text};
	BW_AUTOFREE char *seen = NULL;
	BW_AUTOBUF struct bw_buf line;

	bw_buf_init(&line, LINE_BYTES);
	bw_conf_problem_format(&bare, path, &line);
	seen = bw_strdup(bw_buf_str(&line));
	bw_doctor_say(d, BW_AREA_CONFIGURATION, x->is_warning ? BW_LEVEL_WARNING : BW_LEVEL_ERROR, "file",
		      seen, x->is_warning ? NULL : "correct it; basewatch.yaml(5) explains every key");
}

static void find_summary(struct bw_doctor *d, const char *path)
{
	const struct bw_conf *c = d->conf;
	BW_AUTOFREE char *seen =
		bw_asprintf("%s: sources: %zu, registries: %zu, sinks: %zu, rules: %zu", path,
			    c->sources.count, c->registries.count, c->sinks.count, c->rules.count);

	bw_doctor_say(d, BW_AREA_CONFIGURATION, BW_LEVEL_OK, "file", seen, NULL);
}

/* A file that it names is of no use: that is an error, and no reason to take nothing else of it. */
static bool read_all_the_same(struct bw_doctor *d, const char *path)
{
	struct bw_conf_problems again = {0};
	struct bw_err err = BW_ERR_INIT;
	bool ok = bw_conf_load(path, 0, &d->conf, &again, &err) == 0;

	bw_conf_problems_done(&again);
	return ok;
}

static void load(struct bw_doctor *d, const char *path)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_conf_load(path, BW_CONF_LOOK, &d->conf, &problems, &err);

	d->is_conf_bad = rc < 0;
	d->is_conf_used = rc == 0 || read_all_the_same(d, path);
	if (rc == 0)
		find_summary(d, path);
	else if (problems.errors == 0) /* there is no file, or it cannot be read */
		bw_doctor_say(d, BW_AREA_CONFIGURATION, BW_LEVEL_ERROR, "file", err.msg,
			      "name a file that can be read with --config");
	for (size_t i = 0; i < problems.count; i++)
		if (!is_said_elsewhere(d, &problems.items[i]))
			find_problem(d, &problems.items[i], path);
	if (!d->is_conf_used)
		bw_doctor_say(d, BW_AREA_CONFIGURATION, BW_LEVEL_NOTE, "file",
			      "what it says was not looked at any further: everything has its default below",
			      NULL);
	bw_conf_problems_done(&problems);
}

void bw_doctor_configuration_begin(struct bw_doctor *d)
{
	BW_AUTOFREE char *path = bw_setup_path(d->args);

	if (path)
		load(d, path);
	else
		bw_doctor_say(d, BW_AREA_CONFIGURATION, BW_LEVEL_OK, "file",
			      "there is none: every key has its default", NULL);
	if (!d->conf)
		d->conf = bw_conf_new();
}

void bw_doctor_configuration_end(struct bw_doctor *d)
{
	(void)d;
}
