#include "source/gitrun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "net/proxy.h"
#include "source/gitfault.h"

#define MAX_WORDS	 24
#define MAX_ERROR_BYTES	 (16U << 10)
#define MAX_MEMORY_BYTES (3ULL << 30) /* address space; a pack of the largest size is mapped whole */
#define MAX_CPU_S	 600

/*
 * What a transport needs to reach the world as its owner set it up. No GIT_*: GIT_DIR, GIT_CONFIG_PARAMETERS and their
 * kin belong to the repository that we may have been started in, as from a hook. No SSH_ASKPASS, no DISPLAY: nobody
 * is asked.
 */
static const char *const passed_on[] = {
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"TMPDIR",
	"XDG_CONFIG_HOME",
	"XDG_RUNTIME_DIR",
	"SSH_AUTH_SOCK",
	"http_proxy",
	"https_proxy",
	"HTTPS_PROXY",
	"all_proxy",
	"ALL_PROXY",
	"no_proxy",
	"NO_PROXY",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"DBUS_SESSION_BUS_ADDRESS",
};

struct words {
	char **items;
	size_t count, capacity;
};

static void add(struct words *w, char *word)
{
	BW_PUSH(w->items, w->count, w->capacity) = word;
}

static void free_words(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i]) {
			explicit_bzero(w->items[i], strlen(w->items[i])); /* passwords among them */
			free(w->items[i]);
		}
	free(w->items);
}

/* --- configuration --------------------------------------------------------------------------------- */

struct settings {
	struct words *env;
	unsigned count;
};

/* By the environment, not by -c: command lines can be read by everybody on the machine. */
static void set(struct settings *s, const char *key, const char *value)
{
	add(s->env, bw_asprintf("GIT_CONFIG_KEY_%u=%s", s->count, key));
	add(s->env, bw_asprintf("GIT_CONFIG_VALUE_%u=%s", s->count, value));
	s->count++;
}

/* SCHEME://HOST[:PORT] of the URL: a redirect to another host must not get the password. */
static char *origin_of(const struct bw_giturl *u)
{
	const char *host = strstr(u->fetch, "://");

	return bw_strndup(u->fetch, host ? (size_t)(host + 3 - u->fetch) + strcspn(host + 3, "/") : 0);
}

/*
 * Name and password of the URL go by a helper that reads them from its environment: in the URL itself they would stand
 * in the arguments of git-remote-https.
 */
static void set_credentials(struct settings *s, const struct bw_giturl *u)
{
	BW_AUTOFREE char *origin = origin_of(u);
	BW_AUTOFREE char *user = bw_asprintf("credential.%s.username", origin);
	BW_AUTOFREE char *helper = bw_asprintf("credential.%s.helper", origin);

	if (!u->user)
		return;
	set(s, user, u->user);
	if (!u->password)
		return;
	add(s->env, bw_asprintf("BASEWATCH_GIT_PASSWORD=%s", u->password));
	set(s, helper, ""); /* no other helper, and none that remembers it */
	set(s, helper,
	    "!f() { test \"$1\" = get && printf 'password=%s\\n' \"$BASEWATCH_GIT_PASSWORD\"; }; f");
}

/*
 * The remote is known by the environment alone: nothing of it is written to the repository, and it stands on no command
 * line, where an address could be taken for an option.
 */
static void set_remote(struct settings *s, const struct bw_giturl *u)
{
	set(s, "remote.basewatch.url", u->fetch);
	set(s, "remote.basewatch.promisor", "true");
	set(s, "remote.basewatch.partialclonefilter", "blob:none");
	set(s, "transfer.credentialsInUrl", "allow");
	set_credentials(s, u);
}

static void set_all(struct words *env, const struct bw_gitrun *g, bool is_remote)
{
	struct settings s = {.env = env};

	set(&s, "core.hooksPath", "/dev/null");
	set(&s, "core.fsmonitor", "false");
	set(&s, "core.packedGitLimit", "256m");
	set(&s, "protocol.ext.allow", "never");
	set(&s, "gc.auto", "0"); /* packs of partial clones are never thrown away by it; gitstore.h does */
	set(&s, "maintenance.auto", "false");
	set(&s, "fetch.recurseSubmodules", "false");
	set(&s, "fetch.prune", "false");
	set(&s, "protocol.version", "2"); /* contents can be asked for by name */
	set(&s, "fetch.writeCommitGraph", "false");
	set(&s, "fetch.unpackLimit", "1"); /* one pack, not a file for each object */
	set(&s, "pack.threads", "1");
	set(&s, "http.lowSpeedLimit", "100");
	set(&s, "http.lowSpeedTime", "60");
	set(&s, "credential.interactive", "false");
	if (is_remote)
		set_remote(&s, g->url);
	add(env, bw_asprintf("GIT_CONFIG_COUNT=%u", s.count));
}

/* --- environment ----------------------------------------------------------------------------------- */

/* A redirect may only lead to one of these as well; what git supports besides is never needed. */
static const char *protocols_of(const struct bw_giturl *u, bool is_remote)
{
	if (!is_remote)
		return "none";
	switch (u->scheme) {
	case BW_GIT_HTTP: return "https:ssh:git:http";
	case BW_GIT_FILE: return "https:ssh:git:file";
	case BW_GIT_HTTPS:
	case BW_GIT_SSH:
	case BW_GIT_GIT: break;
	}
	return "https:ssh:git";
}

static void fill_env(struct words *env, const struct bw_gitrun *g, bool is_remote)
{
	for (size_t i = 0; i < BW_COUNT(passed_on); i++) {
		const char *value = getenv(passed_on[i]);

		if (value)
			add(env, bw_asprintf("%s=%s", passed_on[i], value));
	}
	add(env, bw_strdup("LC_ALL=C"));
	add(env, bw_strdup("GIT_TERMINAL_PROMPT=0"));
	add(env, bw_strdup("GIT_ASKPASS="));
	add(env, bw_strdup("GIT_OPTIONAL_LOCKS=0"));
	add(env, bw_strdup("GIT_NO_REPLACE_OBJECTS=1"));
	add(env, bw_strdup("GIT_PROTOCOL_FROM_USER=0"));
	add(env, bw_strdup("GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=15"));
	add(env, bw_asprintf("GIT_ALLOW_PROTOCOL=%s", protocols_of(g->url, is_remote)));
	if (!g->options->user_config) {
		add(env, bw_strdup("GIT_CONFIG_NOSYSTEM=1"));
		add(env, bw_strdup("GIT_CONFIG_GLOBAL=/dev/null"));
	}
	set_all(env, g, is_remote);
	add(env, NULL);
}

/* --- running --------------------------------------------------------------------------------------- */

int bw_gitrun_start(struct bw_loop *l, const struct bw_gitrun *g, const struct bw_gitrun_call *c,
		    bw_process_done_fn done, void *arg, struct bw_process **ret, struct bw_err *err)
{
	BW_AUTOFREE char *dir = bw_asprintf("--git-dir=%s", g->repository);
	const char *argv[MAX_WORDS] = {"git", dir};
	struct words env = {0};
	struct bw_err why = BW_ERR_INIT;
	size_t n = 2;
	int rc;

	/* With the user's own configuration only git knows which proxy it takes. */
	if (c->is_remote && !g->options->user_config && bw_text_starts(g->url->fetch, "http")) {
		rc = bw_proxy_check_variable(g->url->fetch, err);
		if (rc < 0)
			return rc;
	}
	for (const char *const *w = c->words; *w && n < MAX_WORDS - 1; w++)
		argv[n++] = *w;
	fill_env(&env, g, c->is_remote);
	const struct bw_process_request req = {
		.argv = argv,
		.env = (const char *const *)env.items,
		.cwd = g->options->state,
		.input = c->input,
		.input_len = c->input_len,
		.max_output = c->max_output,
		.max_errors = MAX_ERROR_BYTES,
		.output = c->output,
		.timeout_ms = c->timeout_ms,
		.max_memory_bytes = MAX_MEMORY_BYTES,
		.max_file_bytes = g->options->max_file_bytes,
		.max_cpu_s = MAX_CPU_S,
	};
	rc = bw_process_start(l, &req, done, arg, ret, &why);
	free_words(&env);
	if (rc < 0 && why.sys == ENOENT)
		return bw_fail(err, BW_E_INPUT, "the program git is not installed, or not in PATH");
	return rc < 0 ? bw_fail(err, why.code, "%s", why.msg) : 0;
}

int bw_gitrun_result(const struct bw_gitrun *g, const struct bw_process_result *r, const char *what,
		     struct bw_err *err)
{
	switch (r->end) {
	case BW_PROCESS_EXITED: break;
	case BW_PROCESS_TIMEOUT: return bw_fail(err, BW_E_RETRY, "%s: took too long, and was ended", what);
	case BW_PROCESS_LIMIT:
	case BW_PROCESS_REFUSED: return bw_fail(err, BW_E_LIMIT, "%s: too much output", what);
	case BW_PROCESS_KILLED:
		return bw_fail(err, BW_E_LIMIT, "%s: git was ended by signal %d (%s)", what, r->status,
			       strsignal(r->status));
	}
	if (r->status == 0)
		return 0;
	(void)bw_gitfault(bw_buf_str(r->errors), g->url, err);
	return bw_err_ctx(err, "%s", what);
}
