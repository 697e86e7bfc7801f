#include "command/remote.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/state.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "net/loop.h"

bool bw_remote_is(const char *operand)
{
	return bw_giturl_is(operand) && access(operand, F_OK) < 0;
}

bool bw_remote_means(const struct bw_giturl *u, const char *branch)
{
	if (!u->branch)
		return true;
	return strpbrk(u->branch, "*?[") ? bw_text_glob(u->branch, branch) : strcmp(u->branch, branch) == 0;
}

char *bw_remote_state(const struct bw_args *a)
{
	char *path = NULL, *state = NULL;
	const char *slash;

	if (bw_state_path(a, &path, NULL) == 0 && access(path, R_OK | W_OK) == 0) {
		slash = strrchr(path, '/');
		state = slash ? bw_asprintf("%.*s/git", (int)(slash - path), path) : bw_strdup("git");
	}
	free(path);
	return state;
}

/* --- running them ---------------------------------------------------------------------------------- */

static void take_end(void *arg)
{
	struct bw_remotes *r = arg;

	if (--r->open == 0)
		bw_loop_stop(r->loop);
}

struct interruption {
	struct bw_loop *loop;
	bool came;
};

static void interrupt(int signum, void *arg)
{
	struct interruption *i = arg;

	(void)signum;
	i->came = true;
	bw_loop_stop(i->loop);
}

/* Children lead sessions of their own: a signal from the terminal reaches us alone, and we end them. */
static int run(struct bw_remotes *r, const struct bw_origins *o, const char *state, bool *ret_interrupted,
	       struct bw_err *err)
{
	const struct bw_git_options options = {.state = state, .user_config = true};
	struct interruption i = {.loop = r->loop};
	struct bw_signal *on_int = NULL, *on_term = NULL;
	struct bw_git *g = NULL;
	int rc = bw_signal_new(r->loop, SIGINT, interrupt, &i, &on_int, err);

	if (rc == 0)
		rc = bw_signal_new(r->loop, SIGTERM, interrupt, &i, &on_term, err);
	if (rc == 0)
		rc = bw_git_new(r->loop, &options, &g, err);
	for (size_t n = 0; rc == 0 && n < o->count; n++)
		if (!o->items[n].path)
			(void)bw_fetched_start(g, &o->items[n], NULL, 0, take_end, r, &r->items[n]);
	if (rc == 0)
		bw_loop_run(r->loop);
	*ret_interrupted = i.came;
	bw_git_free(g);
	bw_signal_free(on_int);
	bw_signal_free(on_term);
	return rc;
}

static int run_in_temporary(struct bw_remotes *r, const struct bw_origins *o, bool *ret_interrupted,
			    struct bw_err *err)
{
	const char *tmp = getenv("TMPDIR");
	BW_AUTOFREE char *folder = bw_asprintf("%s/basewatch-git-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	struct bw_err why = BW_ERR_INIT;
	int rc;

	if (!mkdtemp(folder))
		return bw_fail_sys(err, errno, "create a temporary folder %s", folder);
	rc = run(r, o, folder, ret_interrupted, err);
	if (bw_git_remove(folder, &why) < 0)
		bw_warn("%s", why.msg);
	return rc;
}

int bw_remotes_fetch(const struct bw_origins *o, const char *state, struct bw_remotes *ret,
		     bool *ret_interrupted, struct bw_err *err)
{
	int rc;

	*ret = (struct bw_remotes){.items = bw_alloc((o->count + 1) * sizeof(*ret->items)),
				   .count = o->count};
	*ret_interrupted = false;
	for (size_t i = 0; i < o->count; i++)
		ret->open += o->items[i].path == NULL;
	if (ret->open == 0)
		return 0;
	rc = bw_loop_new(&ret->loop, err);
	if (rc < 0)
		return rc;
	rc = state ? run(ret, o, state, ret_interrupted, err)
		   : run_in_temporary(ret, o, ret_interrupted, err);
	bw_loop_free(BW_TAKE(ret->loop));
	return rc;
}

void bw_remotes_done(struct bw_remotes *r)
{
	for (size_t i = 0; i < r->count; i++)
		bw_fetched_done(&r->items[i]);
	free(r->items);
	*r = (struct bw_remotes){0};
}
