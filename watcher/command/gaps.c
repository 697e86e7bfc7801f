#include "command/gaps.h"

#include <string.h>

#include "command/choose.h"
#include "command/setup.h"
#include "core/mem.h"
#include "core/text.h"
#include "daemon/tracked.h"
#include "store/source.h"

/* Whole path parts only: /a is not above /ab. */
static bool is_at_or_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_repository(const struct bw_origin *o, const char *operand)
{
	struct bw_giturl u;
	bool is_it;

	if (!bw_giturl_is(operand) || bw_giturl_parse(operand, &u, NULL) < 0)
		return false;
	is_it = strcmp(u.shown, o->url.shown) == 0;
	bw_giturl_done(&u);
	return is_it;
}

/* A folder that could not be read may hide what is asked for below it, and is hidden in what is asked for above it. */
static bool means(const char *operand, const struct bw_origin *o, const struct bw_gap *g)
{
	BW_AUTOFREE char *location = bw_choose_location(operand);
	size_t len = strlen(o->shown);

	if (strncmp(operand, o->shown, len) == 0 && (operand[len] == '\0' || operand[len] == ':'))
		return true;
	if (!o->path)
		return is_repository(o, operand);
	return is_at_or_below(g->place, location) || is_at_or_below(location, g->place);
}

static bool is_meant(const struct bw_args *a, const struct bw_origin *o, const struct bw_gap *g)
{
	for (size_t i = 0; i < a->operands.count; i++)
		if (means(a->operands.items[i], o, g))
			return true;
	return a->operands.count == 0;
}

static int load(const struct bw_args *a, struct bw_store *s, const struct bw_origin *o, struct bw_gaps *ret,
		struct bw_err *err)
{
	struct bw_gaps all = {0};
	int rc = bw_tracked_load_gaps(s, o, &all, err);

	for (size_t i = 0; i < all.count; i++)
		if (is_meant(a, o, &all.items[i]))
			bw_gaps_add(ret, all.items[i].place, all.items[i].problem, all.items[i].since_ms);
	bw_gaps_done(&all);
	return rc;
}

/* The configuration of the database that was named, else of this machine; it was warned of what is doubtful in it. */
static int load_configured(const struct bw_args *a, struct bw_store *s, struct bw_gaps *ret,
			   struct bw_err *err)
{
	struct bw_origins o = {0};
	struct bw_conf *c = NULL;
	int rc = bw_setup_load_again(a, &c, err);

	if (rc == 0)
		rc = bw_origins_init(&o, c, err);
	for (size_t i = 0; i < o.count && rc == 0; i++)
		rc = load(a, s, &o.items[i], ret, err);
	bw_origins_done(&o);
	bw_conf_free(c);
	return rc;
}

/* One that is not configured, or not under this address. */
static int add_repository(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	struct bw_gaps *g = arg;

	(void)err;
	if (x->problem && x->has_chosen && !bw_gaps_has(g, x->name) && !bw_gaps_has(g, x->url))
		bw_gaps_add(g, x->name, x->problem, x->problem_since_ms);
	return 0;
}

int bw_gaps_known(const struct bw_args *a, struct bw_store *s, struct bw_gaps *ret, struct bw_err *err)
{
	int rc = 0;

	*ret = (struct bw_gaps){0};
	if (a->operands.count == 0 || !a->db || a->config)
		rc = load_configured(a, s, ret, err);
	return rc < 0 ? rc : bw_store_each_git_source(s, NULL, add_repository, ret, err);
}
