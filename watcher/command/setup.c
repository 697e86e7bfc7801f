#include "command/setup.h"

#include "core/log.h"
#include "core/mem.h"

#define LINE_MAX_BYTES 8192

char *bw_setup_path(const struct bw_args *a)
{
	return a->config ? bw_strdup(a->config) : bw_conf_find_default();
}

static void say(const struct bw_conf_problems *p, const char *path, bool is_again)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct bw_conf_problem *x = &p->items[i];
		const struct bw_conf_problem bare = {.line = x->line, .column = x->column, .text = x->text};
		BW_AUTOBUF struct bw_buf line;

		bw_buf_init(&line, LINE_MAX_BYTES);
		bw_conf_problem_format(&bare, path, &line);
		if (x->is_warning && is_again)
			continue;
		if (x->is_warning)
			bw_warn("%s", bw_buf_str(&line));
		else
			bw_error("%s", bw_buf_str(&line));
	}
}

static int load(const struct bw_args *a, bool is_again, struct bw_conf **ret, struct bw_err *err)
{
	BW_AUTOFREE char *path = bw_setup_path(a);
	struct bw_conf_problems problems = {0};
	int rc = 0;

	if (!path)
		*ret = bw_conf_new();
	else
		rc = bw_conf_load(path, 0, ret, &problems, err);
	if (path)
		say(&problems, path, is_again);
	bw_conf_problems_done(&problems);
	return rc;
}

int bw_setup_load(const struct bw_args *a, struct bw_conf **ret, struct bw_err *err)
{
	return load(a, false, ret, err);
}

int bw_setup_load_again(const struct bw_args *a, struct bw_conf **ret, struct bw_err *err)
{
	return load(a, true, ret, err);
}
