/* doctor_environment.c - the programs, variables, limits and files of the system that basewatch stands on. */
#include "command/doctor.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "net/http.h"
#include "net/process.h"
#include "net/proxy.h"
#include "source/giturl.h"
#include "store/build.h"

#define GIT_MS		5000
#define GIT_WORDS_BYTES 4096
#define NUMBER_BYTES	64
#define WATCHES_FILE	"/proc/sys/fs/inotify/max_user_watches"

struct bw_doctor_git_version {
	struct bw_doctor *doctor;
	struct bw_process *process;
	size_t expected;
	bool is_needed;
};

static void find(struct bw_doctor *d, const char *subject, struct bw_diagnosis x)
{
	bw_doctor_find(d, BW_AREA_ENVIRONMENT, subject, x);
}

/* --- git and ssh ---------------------------------------------------------------------------------- */

/* Of the configured repositories: one with that scheme; `is_any`: one at all. */
static bool has_repository(const struct bw_conf *c, bool is_any, enum bw_git_scheme scheme)
{
	for (size_t i = 0; i < c->sources.count; i++) {
		struct bw_giturl u;
		bool is_it;

		if (!c->sources.items[i].git)
			continue;
		if (is_any || bw_giturl_parse(c->sources.items[i].git, &u, NULL) < 0)
			return is_any;
		is_it = u.scheme == scheme;
		bw_giturl_done(&u);
		if (is_it)
			return true;
	}
	return false;
}

static void git_answered(const struct bw_process_result *r, void *arg)
{
	struct bw_doctor_git_version *g = arg;
	const char *words = bw_buf_str(r->output);
	BW_AUTOFREE char *line = bw_strndup(words, strcspn(words, "\n"));
	bool ok = r->end == BW_PROCESS_EXITED && r->status == 0;

	g->process = NULL;
	bw_doctor_answer(g->doctor, g->expected, bw_diagnose_git(ok ? line : NULL, g->is_needed));
}

static void ask_git(struct bw_doctor *d)
{
	static const char *const argv[] = {"git", "--version", NULL};
	const char *path = getenv("PATH");
	BW_AUTOFREE char *path_entry = bw_asprintf("PATH=%s", path ? path : "/usr/bin:/bin");
	const char *env[] = {path_entry, "LC_ALL=C", NULL};
	const struct bw_process_request req = {.argv = argv,
					       .env = env,
					       .max_output = GIT_WORDS_BYTES,
					       .max_errors = GIT_WORDS_BYTES,
					       .timeout_ms = GIT_MS};
	struct bw_doctor_git_version *g = BW_NEW(struct bw_doctor_git_version);

	g->doctor = d;
	g->is_needed = has_repository(d->conf, true, BW_GIT_HTTPS);
	d->git_version = g;
	if (bw_process_start(d->loop, &req, git_answered, g, &g->process, NULL) < 0)
		find(d, "git", bw_diagnose_git(NULL, g->is_needed));
	else
		g->expected = bw_doctor_expect(d, BW_AREA_ENVIRONMENT, "git");
}

static void look_at_ssh(struct bw_doctor *d)
{
	if (!has_repository(d->conf, false, BW_GIT_SSH))
		return;
	if (bw_io_is_in_path("ssh"))
		bw_doctor_say(d, BW_AREA_ENVIRONMENT, BW_LEVEL_OK, "ssh", "found in PATH", NULL);
	else
		bw_doctor_say(d, BW_AREA_ENVIRONMENT, BW_LEVEL_ERROR, "ssh",
			      "not found in PATH, and a repository is reached by ssh",
			      "install an ssh client (openssh-client), or use its https:// address");
}

/* --- variables ------------------------------------------------------------------------------------ */

static void look_at_home(struct bw_doctor *d)
{
	const char *home = getenv("HOME");

	find(d, "HOME", bw_diagnose_home(home, home && *home && access(home, X_OK) == 0));
}

static void look_at_proxy(struct bw_doctor *d, const char *name, const char *value)
{
	const char *trouble = strcasecmp(name, "no_proxy") == 0 ? NULL : bw_proxy_trouble(value);
	BW_AUTOFREE char *shown =
		trouble ? bw_asprintf("is no URL of a proxy: %s", trouble) : bw_diagnose_proxy(value);

	if (trouble) /* what is in it may be a password from its first letter on */
		bw_doctor_say(d, BW_AREA_ENVIRONMENT, BW_LEVEL_ERROR, name, shown,
			      "write it as http://[USER:PASSWORD@]HOST:PORT; nobody is reached through it");
	else
		bw_doctor_say(d, BW_AREA_ENVIRONMENT, BW_LEVEL_NOTE, name, shown, NULL);
}

/* Those that libcurl and git look at. */
static void look_at_proxies(struct bw_doctor *d)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
					    "ALL_PROXY",  "no_proxy",	 "NO_PROXY"};

	for (size_t i = 0; i < BW_COUNT(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			look_at_proxy(d, names[i], value);
	}
}

/* --- certificates --------------------------------------------------------------------------------- */

static bool is_filled_folder(const char *path)
{
	DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *e;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (e = readdir(dir)))
		found = e->d_name[0] != '.';
	(void)closedir(dir);
	return found;
}

static bool is_filled_file(const char *path)
{
	struct stat st;

	return path && access(path, R_OK) == 0 && stat(path, &st) == 0 && st.st_size > 0;
}

static void look_at_certificates(struct bw_doctor *d)
{
	const char *file, *folder;

	bw_http_trusted(&file, &folder);
	find(d, "certificates",
	     bw_diagnose_certificates(file, is_filled_file(file), folder, is_filled_folder(folder)));
}

/* --- limits --------------------------------------------------------------------------------------- */

struct folders {
	const struct bw_conf *conf;
	struct bw_map *map;
};

static int add_file(const char *path, void *arg, struct bw_err *err)
{
	struct folders *f = arg;

	(void)err;
	for (size_t i = 0; i < f->conf->sources.count; i++)
		if (f->conf->sources.items[i].path)
			bw_diagnose_add_folders(f->map, f->conf->sources.items[i].path, path);
	return 0;
}

/* 0: not known. */
static uint64_t read_limit(const char *path)
{
	BW_AUTOBUF struct bw_buf text;
	uint64_t n = 0;

	bw_buf_init(&text, NUMBER_BYTES);
	if (bw_read_file(path, &text, NULL) < 0 || text.len == 0)
		return 0;
	text.data[strcspn(text.data, "\n")] = '\0';
	return bw_text_number(text.data, 0, UINT64_MAX, &n) ? n : 0;
}

/* Of the folders of the configuration: nothing else is watched. */
static void look_at_watches(struct bw_doctor *d)
{
	struct folders f = {.conf = d->conf, .map = bw_map_new()};
	bool has_folder = false;

	for (size_t i = 0; i < d->conf->sources.count; i++)
		if (d->conf->sources.items[i].path) {
			has_folder = true;
			(void)bw_map_put(f.map, d->conf->sources.items[i].path, d);
		}
	if (d->store && bw_store_each_folder_file(d->store, add_file, &f, NULL) < 0)
		has_folder = false; /* the area of the database says why */
	if (has_folder)
		find(d, "inotify", bw_diagnose_watches(read_limit(WATCHES_FILE), bw_map_count(f.map)));
	bw_map_free(f.map, NULL);
}

static void look_at_descriptors(struct bw_doctor *d)
{
	const struct bw_conf *c = d->conf;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		find(d, "files",
		     bw_diagnose_descriptors((uint64_t)limit.rlim_cur,
					     c->sources.count + c->registries.count + c->sinks.count));
}

static void look_at_user(struct bw_doctor *d)
{
	if (geteuid() == 0)
		bw_doctor_say(d, BW_AREA_ENVIRONMENT, BW_LEVEL_NOTE, "user", "root",
			      "basewatch needs no rights of root: give it a user of its own");
}

/* --- the area ------------------------------------------------------------------------------------- */

void bw_doctor_environment_begin(struct bw_doctor *d)
{
	ask_git(d);
	look_at_ssh(d);
	look_at_home(d);
	look_at_user(d);
	look_at_proxies(d);
	look_at_certificates(d);
	look_at_watches(d);
	look_at_descriptors(d);
}

void bw_doctor_environment_end(struct bw_doctor *d)
{
	if (d->git_version)
		bw_process_cancel(d->git_version->process);
	free(d->git_version);
	d->git_version = NULL;
}
