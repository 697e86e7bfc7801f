/* doctor_source.c - folders of the configuration, and its git repositories: asked for their branches, nothing fetched. */
#include "command/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "source/git.h"

#define ASK_MS	    20000
#define NAMES_BYTES 256 /* of branches, in one line */

struct repository {
	struct bw_doctor *doctor;
	const struct bw_conf_source *conf;
	struct bw_giturl url;
	size_t expected;
	size_t branches, named; /* how many there are; of them, those whose names found room */
	struct bw_buf names;
	bool is_missing; /* a branch that the configuration names */
};

struct bw_doctor_repositories {
	struct bw_git *git;
	char *folder; /* for git to work in; removed behind */
	struct repository *items;
	size_t count;
};

/* --- folders -------------------------------------------------------------------------------------- */

static void look_at_folder(struct bw_doctor *d, const struct bw_conf_source *s)
{
	DIR *dir = opendir(s->path);
	BW_AUTOFREE char *seen = dir ? bw_asprintf("%s can be read", s->path)
				     : bw_asprintf("%s cannot be read: %s", s->path, strerror(errno));

	bw_doctor_say(d, BW_AREA_SOURCE, dir ? BW_LEVEL_OK : BW_LEVEL_ERROR, bw_conf_source_name(s), seen,
		      dir ? NULL
			  : "make it readable for whoever runs basewatch, or correct its path; the builds "
			    "that were known of it stay meanwhile");
	if (dir)
		(void)closedir(dir);
}

/* --- repositories --------------------------------------------------------------------------------- */

static void take_branch(const struct bw_git_branch *b, void *arg)
{
	struct repository *r = arg;

	r->branches++;
	if (r->named + 1 == r->branches && bw_buf_addf(&r->names, "%s%s", r->named > 0 ? ", " : "", b->name))
		r->named++;
}

static void take_missing(const char *branch, void *arg)
{
	struct repository *r = arg;
	bool is_pattern = branch && strpbrk(branch, "*?[") != NULL;
	BW_AUTOFREE char *seen =
		branch ? bw_asprintf(is_pattern ? "no branch matches '%s'" : "it has no branch '%s'", branch)
		       : bw_strdup("it is empty, or its HEAD is no branch that it has");

	r->is_missing = true;
	bw_doctor_append(r->doctor, r->expected,
			 bw_doctor_diagnosis(is_pattern ? BW_LEVEL_WARNING : BW_LEVEL_ERROR, seen,
					     "look at `branches` of this source"));
}

static struct bw_diagnosis diagnose(const struct repository *r, int rc, const struct bw_err *err)
{
	static const char advice[] =
		"see whether `git ls-remote` reaches it as the user that runs basewatch; "
		"the builds that were known of it stay meanwhile";
	BW_AUTOFREE char *seen = NULL;

	if (rc < 0)
		return bw_doctor_diagnosis(BW_LEVEL_ERROR, err->msg, advice);
	if (r->branches == 0)
		return bw_doctor_diagnosis(BW_LEVEL_OK, "reachable, but no branch of it is watched", NULL);
	seen = r->named < r->branches
		       ? bw_asprintf("reachable; branches: %s and %zu more", bw_buf_str(&r->names),
				     r->branches - r->named)
		       : bw_asprintf("reachable; %s %s", r->branches == 1 ? "branch" : "branches",
				     bw_buf_str(&r->names));
	return bw_doctor_diagnosis(BW_LEVEL_OK, seen, NULL);
}

static void take_end(int rc, const struct bw_err *err, void *arg)
{
	struct repository *r = arg;

	bw_doctor_answer(r->doctor, r->expected, diagnose(r, rc, err));
}

static void ask(struct bw_doctor *d, const struct bw_conf_source *s)
{
	struct bw_doctor_repositories *all = d->repositories;
	struct repository *r = &all->items[all->count];
	struct bw_err err = BW_ERR_INIT;
	struct bw_git_request req = {.branches = (const char *const *)s->branches.items,
				     .branch_count = s->branches.count,
				     .only_branches = true};
	const struct bw_git_hooks hooks = {
		.branch = take_branch, .missing = take_missing, .end = take_end, .arg = r};

	*r = (struct repository){.doctor = d, .conf = s};
	if (bw_giturl_parse(s->git, &r->url, &err) < 0) {
		bw_doctor_say(d, BW_AREA_SOURCE, BW_LEVEL_ERROR, bw_conf_source_name(s), err.msg,
			      "correct its address");
		return;
	}
	all->count++;
	bw_buf_init(&r->names, NAMES_BYTES);
	r->expected = bw_doctor_expect(d, BW_AREA_SOURCE, s->name ? s->name : r->url.shown);
	req.url = &r->url;
	(void)bw_git_start(all->git, &req, &hooks);
}

/* False: there is nowhere for git to work in. */
static bool open_git(struct bw_doctor *d)
{
	const char *tmp = getenv("TMPDIR");
	struct bw_doctor_repositories *all = BW_NEW(struct bw_doctor_repositories);
	struct bw_git_options o = {.user_config = true, .at_once = 8, .ask_timeout_ms = ASK_MS};
	struct bw_err err = BW_ERR_INIT;

	d->repositories = all;
	all->items = bw_realloc(NULL, d->conf->sources.count, sizeof(*all->items));
	all->folder = bw_asprintf("%s/basewatch-doctor-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	o.state = all->folder;
	if (!mkdtemp(all->folder)) {
		(void)bw_fail_sys(&err, errno, "create a temporary folder %s", all->folder);
		free(BW_TAKE(all->folder));
	} else if (bw_git_new(d->loop, &o, &all->git, &err) == 0) {
		return true;
	}
	bw_doctor_say(d, BW_AREA_SOURCE, BW_LEVEL_ERROR, "git", err.msg,
		      "let TMPDIR name a folder that can be written to");
	return false;
}

/* --- the area ------------------------------------------------------------------------------------- */

void bw_doctor_sources_begin(struct bw_doctor *d)
{
	size_t repositories = 0;
	BW_AUTOFREE char *seen = NULL;

	for (size_t i = 0; i < d->conf->sources.count; i++)
		repositories += d->conf->sources.items[i].git != NULL;
	if (d->args->offline && repositories > 0) {
		seen = bw_asprintf("%zu not asked", repositories);
		bw_doctor_say(d, BW_AREA_SOURCE, BW_LEVEL_NOTE, "git", seen, "leave --offline away");
	}
	repositories = d->args->offline ? 0 : repositories;
	if (repositories > 0 && !open_git(d))
		repositories = 0;
	for (size_t i = 0; i < d->conf->sources.count; i++) {
		if (d->conf->sources.items[i].path)
			look_at_folder(d, &d->conf->sources.items[i]);
		else if (repositories > 0)
			ask(d, &d->conf->sources.items[i]);
	}
}

void bw_doctor_sources_end(struct bw_doctor *d)
{
	struct bw_doctor_repositories *all = d->repositories;
	struct bw_err err = BW_ERR_INIT;

	if (!all)
		return;
	bw_git_free(all->git);
	if (all->folder && bw_git_remove(all->folder, &err) < 0)
		bw_warn("%s", err.msg);
	for (size_t i = 0; i < all->count; i++) {
		bw_giturl_done(&all->items[i].url);
		bw_buf_done(&all->items[i].names);
	}
	free(all->items);
	free(all->folder);
	free(all);
	d->repositories = NULL;
}
