/* helper.c - credential helpers: runs, waiters, and what is kept. */
#include "registry/helper.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "net/process.h"
#include "registry/complaint.h"

#define BLANKS " \t\r\n\v\f"
/* What they say on standard error counts only where they say nothing on standard output. */
#define MAX_ERRORS (4U << 10)
/* So many registries with what their helpers said; those that are over go first. */
#define MAX_KEPT 1024

enum state { QUEUED, RUNNING, KNOWN };

/* What one program says of one registry. */
struct run {
	struct run *next;
	struct bw_helpers *helpers;
	char *name, *server;
	enum state state;
	bool is_outdated; /* it runs, and its answer will be too old */
	struct bw_process *process;
	struct bw_credentials_waiter *waiters; /* the last one first */
	/* When it is known */
	enum bw_helper_step step;
	struct bw_credential credential;
	char *message;
	uint64_t until_ms;
};

struct bw_helpers {
	struct bw_loop *loop;
	bw_credential_number_fn number;
	void *arg;
	struct run *runs; /* in the order of asking */
	size_t count;
	struct bw_map *told; /* whose complaint was logged, as "name registry" */
	unsigned running;
	uint32_t timeout_ms;
};

struct bw_helpers *bw_helpers_new(struct bw_loop *l, bw_credential_number_fn fn, void *arg)
{
	struct bw_helpers *h = BW_NEW(struct bw_helpers);

	h->loop = l;
	h->number = fn;
	h->arg = arg;
	h->told = bw_map_new();
	h->timeout_ms = BW_HELPER_TIMEOUT_MS;
	return h;
}

/* --- waiters ---------------------------------------------------------------------------------- */

static void put_in(struct bw_credentials_waiter **list, struct bw_credentials_waiter *w)
{
	w->next = *list;
	if (w->next)
		w->next->at = &w->next;
	w->at = list;
	*list = w;
}

void bw_credentials_leave(struct bw_credentials_waiter *w)
{
	if (!w || !w->at)
		return;
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
	w->next = NULL;
	w->at = NULL;
}

/* Puts those of a run before those in `woken`, which turns their order round: first come, first told. */
static void take_waiters(struct run *r, struct bw_credentials_waiter **woken)
{
	struct bw_credentials_waiter *w;

	while ((w = r->waiters)) {
		bw_credentials_leave(w);
		put_in(woken, w);
	}
}

/*
 * Whoever is told may do anything, also free all of this: nothing but the list, which is the caller's own, is looked at.
 */
static void wake(struct bw_credentials_waiter **woken)
{
	struct bw_credentials_waiter *w;

	while ((w = *woken)) {
		bw_credentials_leave(w);
		w->ready(w->arg);
	}
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void free_run(struct run *r)
{
	struct bw_credentials_waiter *nobody = NULL;

	take_waiters(r, &nobody);
	while (nobody)
		bw_credentials_leave(nobody);
	bw_process_cancel(r->process);
	bw_credential_done(&r->credential);
	free(r->name);
	free(r->server);
	free(r->message);
	free(r);
}

void bw_helpers_free(struct bw_helpers *h)
{
	if (!h)
		return;
	for (struct run *r = h->runs, *next; r; r = next) {
		next = r->next;
		free_run(r);
	}
	bw_map_free(h->told, NULL);
	free(h);
}

static bool is_over(const struct run *r)
{
	return r->state == KNOWN && bw_loop_now(r->helpers->loop) >= r->until_ms;
}

static void drop(struct bw_helpers *h, struct run **at)
{
	struct run *r = *at;

	*at = r->next;
	h->count--;
	free_run(r);
}

/* Secrets do not stay longer than they are good for. */
void bw_helpers_expire(struct bw_helpers *h)
{
	struct run **at = &h->runs;

	while (*at)
		if (is_over(*at))
			drop(h, at);
		else
			at = &(*at)->next;
}

static struct run *find(const struct bw_helpers *h, const char *name, const char *server)
{
	struct run *r = h->runs;

	while (r && (strcmp(r->server, server) != 0 || strcmp(r->name, name) != 0))
		r = r->next;
	return r;
}

static struct run *add(struct bw_helpers *h, const char *name, const char *server)
{
	struct run *r = BW_NEW(struct run), **at = &h->runs;

	while (h->count >= MAX_KEPT && *at) /* the oldest that is not at work */
		if ((*at)->state == KNOWN)
			drop(h, at);
		else
			at = &(*at)->next;
	at = &h->runs;
	while (*at)
		at = &(*at)->next;
	r->helpers = h;
	r->name = bw_strdup(name);
	r->server = bw_strdup(server);
	*at = r;
	h->count++;
	return r;
}

void bw_helpers_forget(struct bw_helpers *h)
{
	struct run **at = &h->runs;

	while (*at) {
		if ((*at)->state == KNOWN) {
			drop(h, at);
			continue;
		}
		(*at)->is_outdated = (*at)->state == RUNNING;
		at = &(*at)->next;
	}
}

void bw_helpers_refused(struct bw_helpers *h, uint64_t number)
{
	struct run **at = &h->runs;

	while (*at)
		if ((*at)->state == KNOWN && (*at)->step == BW_HELPER_FOUND &&
		    (*at)->credential.number == number)
			drop(h, at);
		else
			at = &(*at)->next;
}

/* --- what they say ---------------------------------------------------------------------------- */

static const char *string_of(const json_t *root, const char *name)
{
	const char *s = json_string_value(json_object_get(root, name));

	return s ? s : "";
}

static enum bw_helper_step take_answer(const json_t *root, struct bw_credential *ret, struct bw_err *err)
{
	const char *user = string_of(root, "Username"), *secret = string_of(root, "Secret");

	if (!json_is_string(json_object_get(root, "Username")) ||
	    !json_is_string(json_object_get(root, "Secret"))) {
		(void)bw_fail(err, BW_E_PEER, "its answer has no Username and Secret");
		return BW_HELPER_FAILED;
	}
	if (!*secret && (!*user || strcmp(user, "<token>") == 0))
		return BW_HELPER_NOTHING;
	if (bw_credential_set(ret, user, secret))
		return BW_HELPER_FOUND;
	(void)bw_fail(err, BW_E_PEER, "its answer is too long");
	return BW_HELPER_FAILED;
}

enum bw_helper_step bw_helper_parse(const char *text, size_t len, struct bw_credential *ret,
				    struct bw_err *err)
{
	json_auto_t *root = json_loadb(text, len, 0, NULL);
	const json_t *secret = json_object_get(root, "Secret");
	enum bw_helper_step step;

	if (!root) { /* it may be the secret itself: nothing of it is shown */
		(void)bw_fail(err, BW_E_PEER, "its answer is not JSON");
		return BW_HELPER_FAILED;
	}
	step = take_answer(root, ret, err);
	if (json_is_string(secret)) /* jansson does not */
		explicit_bzero((char *)(uintptr_t)json_string_value(secret), json_string_length(secret));
	return step;
}

/* What it says is not in it: such messages are stored, and sent to others. */
static void blame(struct run *r, const char *what)
{
	r->step = BW_HELPER_FAILED;
	r->message = bw_asprintf("docker-credential-%.40s: %s (" BW_HELPER_REMEDY ")", r->name, what);
}

/* Once, until it has an answer again: it may be asked every minute. */
static void warn(struct run *r, const char *said)
{
	BW_AUTOFREE char *key = bw_asprintf("%s %s", r->name, r->server);

	if (!*said || bw_map_get(r->helpers->told, key))
		return;
	(void)bw_map_put(r->helpers->told, key, r->helpers);
	bw_warn("docker-credential-%s for %s: %s", r->name, r->server, said);
}

static void warn_again(struct run *r)
{
	BW_AUTOFREE char *key = bw_asprintf("%s %s", r->name, r->server);

	(void)bw_map_remove(r->helpers->told, key);
}

static bool is_nothing(const struct bw_buf *b)
{
	static const char words[] = "credentials not found in native keychain";
	const char *s = bw_buf_str(b);

	s += strspn(s, BLANKS);
	if (!bw_text_starts(s, words))
		return false;
	s += strlen(words);
	return s[strspn(s, BLANKS)] == '\0';
}

/* It complains on standard output (docker-credential-helpers credentials/error.go). */
static void take_complaint(struct run *r, const struct bw_process_result *result)
{
	const struct bw_buf *from = result->output->len ? result->output : result->errors;
	BW_AUTOFREE char *said = NULL;
	BW_AUTOFREE char *what = NULL;

	if (is_nothing(from)) {
		r->step = BW_HELPER_NOTHING;
		return;
	}
	said = bw_complaint_words(bw_buf_str(from), from->len);
	what = bw_asprintf("it failed with status %d", result->status);
	warn(r, said);
	blame(r, what);
}

static void take_result(struct run *r, const struct bw_process_result *result)
{
	BW_AUTOFREE char *what = NULL;
	struct bw_err why = BW_ERR_INIT;

	switch (result->end) {
	case BW_PROCESS_EXITED:
		if (result->status != 0) {
			take_complaint(r, result);
			return;
		}
		r->step = bw_helper_parse(bw_buf_str(result->output), result->output->len, &r->credential,
					  &why);
		if (r->step == BW_HELPER_FAILED)
			blame(r, why.msg);
		return;
	case BW_PROCESS_KILLED: what = bw_asprintf("it was ended by signal %d", result->status); break;
	case BW_PROCESS_TIMEOUT:
		what = bw_asprintf("no answer within %g s", r->helpers->timeout_ms / 1000.0);
		break;
	case BW_PROCESS_LIMIT:
	case BW_PROCESS_REFUSED:
		what = bw_asprintf("it wrote more than %u bytes", BW_HELPER_MAX_OUTPUT);
		break;
	}
	blame(r, what);
}

/* The outputs of a child are freed as they are, and the secret stood there. */
static void wipe(const struct bw_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->capacity);
}

static void settle(struct run *r)
{
	bool is_good = r->step == BW_HELPER_FOUND || r->step == BW_HELPER_NOTHING;

	r->state = KNOWN;
	r->process = NULL;
	r->until_ms =
		bw_loop_now(r->helpers->loop) + (is_good ? BW_CREDENTIALS_KEEP_MS : BW_CREDENTIALS_FAILED_MS);
	if (is_good)
		warn_again(r);
	if (r->step == BW_HELPER_FOUND)
		r->credential.number = r->helpers->number(&r->credential, r->helpers->arg);
	if (r->is_outdated)
		r->until_ms = 0;
}

/* --- runs ------------------------------------------------------------------------------------- */

/*
 * What helpers, the keyrings behind them and the tools of clouds look at. '*' at the end: all that begin so. Nothing that
 * steers the loader (LD_*) or belongs between systemd and us, and no password of ours.
 */
static const char *const passed_on[] = {
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"LANG",
	"LC_*",
	"TZ",
	"TMPDIR",
	"XDG_*",
	/* keyrings, gpg, pass */
	"DBUS_SESSION_BUS_ADDRESS",
	"DISPLAY",
	"WAYLAND_DISPLAY",
	"GNUPGHOME",
	"GPG_*",
	"SSH_AUTH_SOCK",
	"PASSWORD_STORE_*",
	/* ECR, GAR, ACR */
	"AWS_*",
	"GOOGLE_*",
	"CLOUDSDK_*",
	"AZURE_*",
	"MSI_*",
	"IDENTITY_*",
	"DOCKER_CONFIG",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"ALL_PROXY",
	"NO_PROXY",
	"http_proxy",
	"https_proxy",
	"all_proxy",
	"no_proxy",
	"SSL_CERT_*",
};

static bool is_passed_on(const char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < BW_COUNT(passed_on); i++) {
		size_t want = strlen(passed_on[i]);
		bool is_prefix = passed_on[i][want - 1] == '*';

		if (is_prefix ? len >= want && strncmp(variable, passed_on[i], want - 1) == 0
			      : len == want && strncmp(variable, passed_on[i], want) == 0)
			return true;
	}
	return false;
}

/* The strings stay the environment's own. */
static const char **clean_environment(void)
{
	size_t count = 0, kept = 0;
	const char **env;

	while (environ && environ[count])
		count++;
	env = bw_alloc((count + 1) * sizeof(*env));
	for (size_t i = 0; i < count; i++)
		if (is_passed_on(environ[i]))
			env[kept++] = environ[i];
	return env;
}

static void pump(struct bw_helpers *h, struct bw_credentials_waiter **woken);

static void end_run(const struct bw_process_result *result, void *arg)
{
	struct run *r = arg;
	struct bw_helpers *h = r->helpers;
	struct bw_credentials_waiter *woken = NULL;

	take_result(r, result);
	wipe(result->output);
	wipe(result->errors);
	settle(r);
	h->running--;
	take_waiters(r, &woken);
	pump(h, &woken);
	wake(&woken);
}

/* Docker Hub is known to helpers by the key that docker has for it. */
static const char *address_of(const char *server)
{
	return strcmp(server, "docker.io") == 0 ? "https://index.docker.io/v1/" : server;
}

static void start(struct run *r)
{
	struct bw_helpers *h = r->helpers;
	BW_AUTOFREE char *program = bw_asprintf("docker-credential-%s", r->name);
	BW_AUTOFREE const char **env = clean_environment();
	const char *const argv[] = {program, "get", NULL};
	const struct bw_process_request req = {.argv = argv,
					       .env = env,
					       .input = address_of(r->server),
					       .input_len = strlen(address_of(r->server)),
					       .max_output = BW_HELPER_MAX_OUTPUT,
					       .max_errors = MAX_ERRORS,
					       .timeout_ms = h->timeout_ms};
	struct bw_err err = BW_ERR_INIT;

	if (bw_process_start(h->loop, &req, end_run, r, &r->process, &err) == 0) {
		r->state = RUNNING;
		h->running++;
		return;
	}
	if (err.sys == ENOENT)
		r->step = BW_HELPER_MISSING;
	else
		blame(r, strerror(err.sys));
	settle(r);
}

/* Starts what may run now. Those who wait for what cannot be started at all go into `woken`. */
static void pump(struct bw_helpers *h, struct bw_credentials_waiter **woken)
{
	struct run **at = &h->runs;

	while (*at && h->running < BW_HELPERS_AT_ONCE) {
		struct run *r = *at;

		if (r->state == QUEUED && !r->waiters) { /* they all have left */
			drop(h, at);
			continue;
		}
		if (r->state == QUEUED)
			start(r);
		if (r->state == KNOWN)
			take_waiters(r, woken);
		at = &r->next;
	}
}

/* --- asking ----------------------------------------------------------------------------------- */

static enum bw_helper_step tell(const struct run *r, const struct bw_credential **ret, struct bw_err *err)
{
	if (r->step == BW_HELPER_FOUND)
		*ret = &r->credential;
	if (r->step == BW_HELPER_FAILED)
		(void)bw_fail(err, BW_E_AUTH, "%s", r->message);
	return r->step;
}

enum bw_helper_step bw_helpers_ask(struct bw_helpers *h, const char *name, const char *server,
				   struct bw_credentials_waiter *w, const struct bw_credential **ret,
				   struct bw_err *err)
{
	struct run *r;

	bw_helpers_expire(h);
	r = find(h, name, server);
	if (!r) {
		r = add(h, name, server);
		if (h->running < BW_HELPERS_AT_ONCE)
			start(r);
	}
	if (r->state == KNOWN)
		return tell(r, ret, err);
	if (w)
		put_in(&r->waiters, w);
	return BW_HELPER_WAIT;
}

enum bw_helper_step bw_helpers_known(const struct bw_helpers *h, const char *name, const char *server)
{
	const struct run *r = find(h, name, server);

	return r && r->state == KNOWN && !is_over(r) ? r->step : BW_HELPER_WAIT;
}
