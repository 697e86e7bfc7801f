#include <stdio.h>

#include "command/command.h"
#include "command/output.h"
#include "command/rehearse.h"
#include "command/setup.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

#define SHOW_MAX_BYTES (16U << 20) /* a file of 1 MiB with all its defaults */

/* --- check ---------------------------------------------------------------------------------------- */

static void print_problem(const struct bw_conf_problem *x, const char *path)
{
	BW_AUTOBUF struct bw_buf line, escaped;

	bw_buf_init(&line, SHOW_MAX_BYTES);
	bw_buf_init(&escaped, SHOW_MAX_BYTES);
	bw_conf_problem_format(x, path, &line);
	bw_text_escape(&escaped, bw_buf_str(&line), line.len);
	puts(bw_buf_str(&escaped));
}

static void print_count(const char *lead, size_t n, const char *one, const char *many)
{
	printf("%s%zu %s", lead, n, n == 1 ? one : many);
}

/* "FILE: ok: 2 sources, 1 build, ..." */
static void print_summary(const struct bw_conf *c, const char *path)
{
	BW_AUTOFREE char *escaped = bw_text_escaped(path);

	printf("%s: ok", escaped);
	print_count(": ", c->sources.count, "source", "sources");
	print_count(", ", c->builds.count, "build", "builds");
	print_count(", ", c->registries.count, "registry", "registries");
	print_count(", ", c->sinks.count, "sink", "sinks");
	print_count(", ", c->rules.count, "rule", "rules");
	puts("");
}

struct checking {
	const char *path;
	struct bw_conf_problems problems;
	char *not_here; /* why `run` would not start on this machine; NULL: it would */
};

/* "sinks.ci.ca-file" is in the words of a warning already; here it is enough to say which one. */
static void take_refusal(const struct bw_refusal *r, void *arg)
{
	struct checking *k = arg;

	if (!r->is_elsewhere)
		bw_conf_complain(k->path, r->steps, r->text, &k->problems);
	else if (!k->not_here)
		k->not_here = bw_asprintf("%s %s: %s", r->steps[0], r->steps[1], r->text);
}

static int examine(struct checking *k, struct bw_conf **ret, struct bw_err *err)
{
	int rc = bw_conf_load(k->path, BW_CONF_LOOK, ret, &k->problems, err);

	if (rc == 0)
		rc = bw_rehearse(*ret, take_refusal, k, err);
	if (rc == 0 && k->problems.errors > 0)
		rc = bw_fail(err, BW_E_CONFIG, "%s: the configuration has %zu error%s", k->path,
			     k->problems.errors, k->problems.errors == 1 ? "" : "s");
	return rc;
}

static void print_not_here(const struct checking *k)
{
	BW_AUTOFREE char *line =
		bw_asprintf("%s: `basewatch run` would refuse to start here: %s", k->path, k->not_here);
	BW_AUTOFREE char *escaped = bw_text_escaped(line);

	puts(escaped);
}

static int check(const struct bw_args *a, struct bw_err *err)
{
	BW_AUTOFREE char *path = bw_setup_path(a);
	struct checking k = {.path = path};
	struct bw_conf *c = NULL;
	int rc;

	if (!path) {
		puts("there is no configuration file: every key has its default");
		return 0;
	}
	rc = examine(&k, &c, err);
	for (size_t i = 0; i < k.problems.count; i++)
		print_problem(&k.problems.items[i], path);
	if (k.problems.errors + k.problems.warnings > k.problems.count)
		printf("and %zu more\n", k.problems.errors + k.problems.warnings - k.problems.count);
	if (rc == 0)
		print_summary(c, path);
	if (rc == 0 && k.not_here)
		print_not_here(&k);
	free(k.not_here);
	bw_conf_problems_done(&k.problems);
	bw_conf_free(c);
	return rc;
}

/* --- show ----------------------------------------------------------------------------------------- */

static int show(const struct bw_args *a, struct bw_err *err)
{
	BW_AUTOBUF struct bw_buf text;
	struct bw_conf *c = NULL;
	int rc = bw_setup_load(a, &c, err);

	bw_buf_init(&text, SHOW_MAX_BYTES);
	if (rc < 0)
		return rc;
	bw_conf_show(c, a->format == BW_FORMAT_JSON ? BW_CONF_JSON : BW_CONF_YAML, &text);
	bw_conf_free(c);
	if (text.overflow)
		return bw_fail(err, BW_E_LIMIT, "the configuration is too large to be shown");
	(void)fwrite(text.data, 1, text.len, stdout);
	return 0;
}

enum bw_exit bw_command_config(const struct bw_args *a)
{
	const char *what = a->operands.count == 1 ? a->operands.items[0] : NULL;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (!bw_text_is(what, "check") && !bw_text_is(what, "show")) {
		bw_error("expected `config check` or `config show`; see `basewatch config --help`");
		return BW_EXIT_USAGE;
	}
	rc = bw_text_is(what, "check") ? check(a, &err) : show(a, &err);
	if (bw_output_flush(rc < 0 ? NULL : &err) < 0 && rc == 0)
		rc = err.code;
	return rc < 0 ? bw_exit_with(&err) : BW_EXIT_OK;
}
