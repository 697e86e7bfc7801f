/* test_helper.c - credential helpers: what they say, who waits for it, and how long it is kept. Time is moved by hand. */
#include "unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "net/loop.h"
#include "net/process.h"
#include "registry/credentials.h"
#include "unit/table.h"

static uint64_t ahead_ms;

static uint64_t later(const struct bw_loop *l)
{
	return bw_loop_now(l) + ahead_ms;
}

#define bw_loop_now later
#include "registry/credentials.c" /* NOLINT(bugprone-suspicious-include): white box */
#include "registry/helper.c"	  /* NOLINT(bugprone-suspicious-include): white box */
#undef bw_loop_now

#include "core/io.h"
#include "core/log.h"
#include "unit/credential.h"

#define MANY 6

struct scene;

struct asker {
	struct bw_credentials_waiter waiter;
	struct scene *scene;
	const char *host;
	unsigned told;
	enum bw_credentials_step step;
	char *who;
	struct bw_err err;
};

struct scene {
	char path[64];
	struct bw_loop *loop;
	struct bw_timer *timer;
	struct bw_credentials *c;
	struct asker askers[MANY];
	unsigned pending;
	unsigned wanted_starts;
	void (*on_ready)(struct asker *a);
	struct bw_err err;
};

/* --- helpers made for the test ---------------------------------------------------------------- */

static char *at(const struct scene *s, const char *name)
{
	return bw_asprintf("%s/%s", s->path, name);
}

static void write_text(const struct scene *s, const char *name, const char *text, mode_t mode)
{
	BW_AUTOFREE char *path = at(s, name);
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	(void)fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A program that notes each run in the file `runs`. */
static void make_helper(const struct scene *s, const char *name, const char *script)
{
	BW_AUTOFREE char *file = bw_asprintf("docker-credential-%s", name);
	BW_AUTOFREE char *text =
		bw_asprintf("#!/bin/sh\ncd '%s' || exit 9\necho \"$1\" >>runs\n%s\n", s->path, script);

	write_text(s, file, text, 0700);
}

/* "" for no file. */
static char *content(const struct scene *s, const char *name)
{
	BW_AUTOFREE char *path = at(s, name);
	struct bw_buf text;
	struct bw_err err = BW_ERR_INIT;

	bw_buf_init(&text, 1U << 20);
	if (bw_read_file(path, &text, &err) == 0 && text.data)
		return bw_buf_take(&text, NULL);
	bw_buf_done(&text);
	return bw_strdup("");
}

static unsigned runs(const struct scene *s)
{
	BW_AUTOFREE char *text = content(s, "runs");
	unsigned count = 0;

	for (const char *c = text; *c; c++)
		count += *c == '\n';
	return count;
}

static void use_config(struct scene *s, const char *text)
{
	write_text(s, "config.json", text, 0600);
	assert_int_equal(bw_credentials_load(s->c, &s->err), 0);
}

static int set_up(void **state)
{
	struct scene *s = BW_NEW(struct scene);
	BW_AUTOFREE char *path = NULL;

	ahead_ms = 0;
	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	(void)snprintf(s->path, sizeof(s->path), "/tmp/basewatch-helper.XXXXXX");
	assert_non_null(mkdtemp(s->path));
	path = bw_asprintf("%s:/usr/bin:/bin", s->path);
	setenv("PATH", path, 1);
	setenv("HOME", s->path, 1);
	setenv("DOCKER_CONFIG", s->path, 1);
	setenv("XDG_RUNTIME_DIR", s->path, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("DOCKER_AUTH_CONFIG");
	assert_int_equal(bw_loop_new(&s->loop, &s->err), 0);
	s->c = bw_credentials_new(s->loop);
	for (unsigned i = 0; i < MANY; i++)
		s->askers[i] = (struct asker){.scene = s, .host = "r.io"};
	*state = s;
	return 0;
}

static void remove_all(const struct scene *s)
{
	static const char *const names[] = {
		"config.json",	       "runs", "stdin", "env", "go", "docker-credential-x",
		"docker-credential-y", ""};

	for (size_t i = 0; i < BW_COUNT(names); i++) {
		BW_AUTOFREE char *path = at(s, names[i]);

		(void)remove(path);
	}
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	bw_timer_free(s->timer);
	bw_credentials_free(s->c);
	bw_loop_free(s->loop);
	for (unsigned i = 0; i < MANY; i++)
		free(s->askers[i].who);
	remove_all(s);
	free(s);
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void ask(struct asker *a);

static void be_told(void *arg)
{
	struct asker *a = arg;
	struct scene *s = a->scene;

	a->told++;
	assert_null(a->waiter.at);
	ask(a);
	if (s->on_ready)
		s->on_ready(a);
	if (a->step != BW_CREDENTIALS_WAIT && --s->pending == 0)
		bw_loop_stop(s->loop);
}

static void ask(struct asker *a)
{
	const struct bw_credential *found = NULL;
	unsigned before = a->told;

	a->waiter.ready = be_told;
	a->waiter.arg = a;
	a->err = BW_ERR_INIT;
	a->step = bw_credentials_ask(a->scene->c, a->host, "team/a", &a->waiter, &found, &a->err);
	assert_int_equal(a->told, before); /* never inside */
	assert_true((a->step == BW_CREDENTIALS_SOMEBODY) == (found != NULL));
	assert_true((a->step == BW_CREDENTIALS_FAILED) == (a->err.code != BW_OK));
	assert_true((a->step == BW_CREDENTIALS_WAIT) == (a->waiter.at != NULL));
	free(a->who);
	a->who = credential_text(found);
}

/* Asks, and waits for the answer where it has to be waited for. */
static struct asker *answer(struct scene *s, const char *host)
{
	struct asker *a = &s->askers[0];

	a->host = host;
	a->told = 0;
	ask(a);
	if (a->step == BW_CREDENTIALS_WAIT) {
		s->pending = 1;
		bw_loop_run(s->loop);
	}
	return a;
}

static void assert_answer(struct scene *s, const char *host, const char *who)
{
	const struct asker *a = answer(s, host);

	if (a->step == BW_CREDENTIALS_FAILED)
		fail_msg("%s", a->err.msg);
	assert_string_equal(a->who, who);
}

static void assert_failure(struct scene *s, const char *message)
{
	const struct asker *a = answer(s, "r.io");
	BW_AUTOFREE char *expected =
		bw_asprintf("docker-credential-x: %s (mend it, or set `username` or `anonymous` under "
			    "`registries:`)",
			    message);

	assert_int_equal(a->step, BW_CREDENTIALS_FAILED);
	assert_int_equal(a->err.code, BW_E_AUTH);
	assert_string_equal(a->err.msg, expected);
}

#define STORE	"{\"credsStore\":\"x\"}"
#define BOT	"echo '{\"ServerURL\":\"r.io\",\"Username\":\"bot\",\"Secret\":\"pw\"}'"
#define NOTHING "echo credentials not found in native keychain; exit 1"

/* --- what they say ---------------------------------------------------------------------------- */

static void check_answer(char **fields, size_t *lens, size_t count, void *arg)
{
	static const char *const steps[] = {"found", "nothing", "missing", "wait", "failed"};
	struct bw_credential c = {0};
	struct bw_err err = BW_ERR_INIT;
	enum bw_helper_step step = bw_helper_parse(fields[0], lens[0], &c, &err);
	BW_AUTOFREE char *text = step == BW_HELPER_FOUND ? credential_text(&c) : bw_strdup(err.msg);

	(void)count;
	(void)arg;
	if (strcmp(steps[step], fields[1]) != 0 || strcmp(text, fields[2]) != 0)
		fail_msg("%s: %s, %s", fields[0], steps[step], text);
	bw_credential_done(&c);
}

static void test_answers_of_every_form(void **state)
{
	(void)state;
	table_each("helper.tsv", 3, check_answer, NULL);
}

static void test_a_helper_that_knows_us_is_asked_by_the_name_of_the_registry(void **state)
{
	struct scene *s = *state;
	BW_AUTOFREE char *input = NULL;
	BW_AUTOFREE char *arguments = NULL;
	BW_AUTOFREE char *source = NULL;
	BW_AUTOFREE char *expected =
		bw_asprintf("docker-credential-x (credsStore in %s/config.json)", s->path);

	make_helper(s, "x", "cat >stdin; " BOT);
	use_config(s, STORE);
	assert_answer(s, "R.io:5000", "bot:pw");
	assert_int_equal(s->askers[0].told, 1);
	input = content(s, "stdin");
	arguments = content(s, "runs");
	source = bw_credentials_source(s->c, "R.io:5000", "team/a");
	assert_string_equal(input, "r.io:5000");
	assert_string_equal(arguments, "get\n");
	assert_string_equal(source, expected);
	assert_string_equal(find_credential(s->c, "R.io:5000", "x")->source, expected);
}

static void test_docker_hub_has_the_name_that_docker_gives_it(void **state)
{
	struct scene *s = *state;
	BW_AUTOFREE char *input = NULL;

	make_helper(s, "x", "cat >stdin; " BOT);
	use_config(s, "{\"credHelpers\":{\"index.docker.io\":\"x\"}}");
	assert_answer(s, "docker.io", "bot:pw");
	input = content(s, "stdin");
	assert_string_equal(input, "https://index.docker.io/v1/");
}

static void test_a_namespace_is_asked_for_by_its_host(void **state)
{
	struct scene *s = *state;
	BW_AUTOFREE char *input = NULL;

	make_helper(s, "x", "cat >stdin; " BOT);
	use_config(s, "{\"credHelpers\":{\"r.io/team\":\"x\"}}");
	assert_answer(s, "r.io", "bot:pw");
	input = content(s, "stdin");
	assert_string_equal(input, "r.io");
}

static void test_the_user_token_means_an_identity_token(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
	use_config(s, STORE);
	assert_answer(s, "r.io", "identity :refresh");
}

static void test_a_helper_that_has_nothing_leaves_it_to_the_next_source(void **state)
{
	struct scene *s = *state;
	BW_AUTOFREE char *source = NULL;

	make_helper(s, "x", NOTHING);
	use_config(s, "{\"credsStore\":\"x\",\"auths\":{\"r.io\":{\"auth\":\"dTpw\"}}}");
	assert_answer(s, "r.io", "u:p");
	source = bw_credentials_source(s->c, "r.io", "team/a");
	assert_true(bw_text_starts(source, s->path)); /* it is known now to have nothing */
	assert_answer(s, "other.io", "-");
	assert_int_equal(s->askers[0].step, BW_CREDENTIALS_NOBODY);
	assert_answer(s, "r.io", "u:p");
	assert_int_equal(runs(s), 2);
}

static void test_a_helper_of_the_configuration_goes_before_those_of_files(void **state)
{
	struct scene *s = *state;
	const struct bw_credentials_given given = {.host = "r.io", .helper = "y"};

	make_helper(s, "x", BOT);
	make_helper(s, "y", "echo '{\"Username\":\"why\",\"Secret\":\"s\"}'");
	use_config(s, STORE);
	bw_credentials_configure(s->c, &given, 1);
	assert_answer(s, "r.io", "why:s");
	make_helper(s, "y", NOTHING);
	bw_credentials_reload(s->c);
	assert_answer(s, "r.io", "bot:pw");
}

/* --- what goes wrong -------------------------------------------------------------------------- */

static void test_a_helper_that_fails_is_an_error_and_says_what_to_do(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "echo; echo '  the keyring is locked  '; echo more; exit 7");
	use_config(s, "{\"credsStore\":\"x\",\"auths\":{\"r.io\":{\"auth\":\"dTpw\"}}}");
	bw_log_set_level(BW_LOG_ERROR);
	assert_failure(s, "it failed with status 7");
	bw_log_set_level(BW_LOG_WARN);
	assert_string_equal(s->askers[0].who, "-"); /* and nobody else takes its place */
}

static void test_a_helper_that_hangs_is_ended(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "exec sleep 1000");
	s->c->helpers->timeout_ms = 50;
	use_config(s, STORE);
	assert_failure(s, "no answer within 0.05 s");
}

static void test_a_helper_that_dies_is_told_with_its_signal(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "kill -KILL $$");
	use_config(s, STORE);
	assert_failure(s, "it was ended by signal 9");
}

static void test_a_helper_that_floods_is_ended(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "exec yes");
	use_config(s, STORE);
	assert_failure(s, "it wrote more than 65536 bytes");
}

static void test_garbage_is_an_error_that_does_not_show_it(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "echo my-secret-password");
	use_config(s, STORE);
	assert_failure(s, "its answer is not JSON");
}

static void test_a_file_that_is_no_program_is_an_error(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	write_text(s, "docker-credential-x", "text", 0600);
	use_config(s, STORE);
	assert_failure(s, "Permission denied");
}

/* What is written to standard error meanwhile. */
static char *said_while(struct scene *s, const char *const *hosts, size_t count)
{
	FILE *said = tmpfile();
	int kept = dup(2);
	char text[2048] = "";
	size_t got;

	assert_true(said && kept >= 0);
	assert_int_equal(dup2(fileno(said), 2), 2);
	for (size_t i = 0; i < count; i++)
		(void)answer(s, hosts[i]);
	assert_int_equal(dup2(kept, 2), 2);
	(void)close(kept);
	rewind(said);
	got = fread(text, 1, sizeof(text) - 1, said);
	text[got] = '\0';
	(void)fclose(said);
	return bw_strdup(text);
}

static void assert_said(struct scene *s, const char *script, const char *said)
{
	static const char *const hosts[] = {"r.io"};
	BW_AUTOFREE char *got = NULL;
	BW_AUTOFREE char *expected =
		*said ? bw_asprintf("basewatch: warning: docker-credential-x for r.io: %s\n", said)
		      : bw_strdup("");

	make_helper(s, "x", script);
	bw_credentials_reload(s->c);
	got = said_while(s, hosts, 1);
	if (strcmp(got, expected) != 0)
		fail_msg("%s: %s", script, got);
	assert_failure(s, "it failed with status 1");
}

static void test_what_it_says_is_logged_once_and_never_in_the_message(void **state)
{
	struct scene *s = *state;

	use_config(s, STORE);
	assert_said(s, "echo 'the keyring is locked'; exit 1", "the keyring is locked");
	assert_said(s, "echo 'the keyring is locked'; exit 1", "");
	make_helper(s, "x", BOT);
	bw_credentials_reload(s->c);
	assert_answer(s, "r.io", "bot:pw");
	assert_said(s, "echo 'cannot talk to gpg' >&2; exit 1", "cannot talk to gpg");
}

static void test_a_secret_that_it_prints_is_seen_nowhere(void **state)
{
	static const char json[] = "'{\"Username\":\"bot\",\"Secret\":\"sesame\"}'";
	struct scene *s = *state;
	BW_AUTOFREE char *out = bw_asprintf("echo %s; exit 1", json);
	BW_AUTOFREE char *errors = bw_asprintf("echo 'this does not work': %s >&2; exit 1", json);
	BW_AUTOFREE char *behind = bw_asprintf("echo 'this does not work'; echo %s; exit 1", json);

	use_config(s, STORE);
	assert_said(s, out, "");
	assert_said(s, errors, "");
	assert_said(s, behind, "");
	assert_said(s, "echo sesame; exit 1", "");
}

/* What is shown, or "". */
static void test_only_sentences_of_plain_words_are_shown(void **state)
{
	static const char *const shown[] = {"the keyring is locked", "Cannot talk to gpg, it's not running.",
					    "error 403 from the vault!", "there is no such token",
					    "the vault wants a password."};
	static const char *const kept[] = {
		"",
		"locked",
		"bot sesame",
		"it is locked: sesame",
		"user=bot and secret=sesame",
		"{\"Secret\":\"sesame\"}",
		"{ the vault is",
		"the password sesame is wrong",
		"the Secret sesame is wrong",
		"your token: sesame",
		"the token, sesame",
		"log in with aGVsbG8gd29ybGQ",
		"log in with hunter2",
		"log in with 1234567",
		"log in with abcdefghijklmnopqrstuvwxyz",
		"log in with s$same",
		"log in with \"sesame\"",
		"the wörd is locked",
		"red \033[31m text here",
		"the vault is locked\nsecret {",
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(shown); i++) {
		BW_AUTOFREE char *line = bw_asprintf("\r\n %s \nmore of it\n", shown[i]);
		BW_AUTOFREE char *words = bw_complaint_words(line, strlen(line));

		assert_string_equal(words, shown[i]);
	}
	for (size_t i = 0; i < BW_COUNT(kept); i++) {
		BW_AUTOFREE char *words = bw_complaint_words(kept[i], strlen(kept[i]));

		if (*words)
			fail_msg("%s", kept[i]);
	}
	{
		BW_AUTOFREE char *words = bw_complaint_words("it is locked\0sesame", 19);

		assert_string_equal(words, "");
	}
}

static void test_a_program_that_is_not_installed_is_skipped_with_one_warning(void **state)
{
	static const char *const hosts[] = {"r.io", "other.io", "r.io"};
	struct scene *s = *state;
	BW_AUTOFREE char *said = NULL;
	BW_AUTOFREE char *expected =
		bw_asprintf("basewatch: warning: docker-credential-x is not installed, or not in the "
			    "PATH, and credsStore in %s/config.json names it; going on without it\n",
			    s->path);

	use_config(s, "{\"credsStore\":\"x\",\"auths\":{\"r.io\":{\"auth\":\"dTpw\"}}}");
	said = said_while(s, hosts, BW_COUNT(hosts));
	assert_string_equal(said, expected);
	assert_answer(s, "r.io", "u:p");
	assert_answer(s, "other.io", "-");
}

static void test_one_of_the_configuration_must_be_installed(void **state)
{
	struct scene *s = *state;
	const struct bw_credentials_given given = {.host = "r.io", .helper = "x"};
	const struct asker *a;

	bw_credentials_configure(s->c, &given, 1);
	a = answer(s, "r.io");
	assert_int_equal(a->step, BW_CREDENTIALS_FAILED);
	assert_string_equal(a->err.msg,
			    "docker-credential-x: it is not installed, or not in the PATH (install it, or "
			    "set `username` or `anonymous` under `registries:`)");
}

/* --- the environment -------------------------------------------------------------------------- */

static void test_it_gets_what_helpers_need_and_nothing_else(void **state)
{
	static const char *const passed[] = {"AWS_PROFILE",
					     "CLOUDSDK_CONFIG",
					     "GOOGLE_APPLICATION_CREDENTIALS",
					     "GPG_TTY",
					     "LC_TEST",
					     "PASSWORD_STORE_DIR",
					     "SSL_CERT_DIR",
					     "TZ",
					     "XDG_TEST",
					     "https_proxy",
					     "HTTPS_PROXY"};
	static const char *const kept[] = {"LD_LIBRARY_PATH",
					   "NOTIFY_SOCKET",
					   "WATCHDOG_USEC",
					   "BASEWATCH_PASSWORD",
					   "DOCKER_AUTH_CONFIG_TEST",
					   "REGISTRY_PASSWORD",
					   "HOMER",
					   "LCX",
					   "AWS",
					   "BASH_ENV"};
	struct scene *s = *state;
	BW_AUTOFREE char *env = NULL;

	for (size_t i = 0; i < BW_COUNT(passed); i++)
		setenv(passed[i], "passed", 1);
	for (size_t i = 0; i < BW_COUNT(kept); i++)
		setenv(kept[i], "kept-for-us", 1);
	make_helper(s, "x", "env >env; " BOT);
	use_config(s, STORE);
	assert_answer(s, "r.io", "bot:pw");
	env = content(s, "env");
	for (size_t i = 0; i < BW_COUNT(passed); i++) {
		BW_AUTOFREE char *line = bw_asprintf("%s=passed\n", passed[i]);

		if (!strstr(env, line))
			fail_msg("%s is not passed on", passed[i]);
		unsetenv(passed[i]);
	}
	for (size_t i = 0; i < BW_COUNT(kept); i++)
		unsetenv(kept[i]);
	assert_null(strstr(env, "kept-for-us"));
	assert_non_null(strstr(env, "DOCKER_CONFIG="));
	assert_non_null(strstr(env, "HOME="));
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* The askers 0 to count-1 ask now; the loop is to be run. */
static void ask_together(struct scene *s, unsigned count)
{
	s->pending = count;
	for (unsigned i = 0; i < count; i++) {
		ask(&s->askers[i]);
		assert_int_equal(s->askers[i].step, BW_CREDENTIALS_WAIT);
	}
}

static void test_one_run_is_for_all_who_wait(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	ask_together(s, MANY);
	bw_loop_run(s->loop);
	assert_int_equal(runs(s), 1);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(s->askers[i].told, 1);
		assert_string_equal(s->askers[i].who, "bot:pw");
	}
}

static void go_when_they_run(void *arg)
{
	struct scene *s = arg;

	if (runs(s) < s->wanted_starts)
		bw_timer_start(s->timer, 1);
	else
		write_text(s, "go", "", 0600);
}

static void go_with(struct scene *s, unsigned starts)
{
	s->wanted_starts = starts;
	s->timer = bw_timer_new(s->loop, go_when_they_run, s);
	bw_timer_start(s->timer, 1);
}

#define UNTIL_GO "until [ -e go ]; do sleep 0.01; done; "

static void count_those_that_run(struct asker *a)
{
	assert_in_range(a->scene->c->helpers->running, 0, 4);
}

static void test_only_four_run_at_a_time(void **state)
{
	static const char *const hosts[MANY] = {"a.io", "b.io", "c.io", "d.io", "e.io", "f.io"};
	struct scene *s = *state;

	make_helper(s, "x", UNTIL_GO BOT);
	use_config(s, STORE);
	for (unsigned i = 0; i < MANY; i++)
		s->askers[i].host = hosts[i];
	ask_together(s, MANY);
	assert_int_equal(s->c->helpers->running, 4);
	s->on_ready = count_those_that_run;
	go_with(s, 4);
	bw_loop_run(s->loop);
	assert_int_equal(runs(s), MANY);
	assert_int_equal(s->c->helpers->running, 0);
	for (unsigned i = 0; i < MANY; i++)
		assert_string_equal(s->askers[i].who, "bot:pw");
}

static void test_who_waits_in_the_queue_for_a_program_that_has_gone_is_told(void **state)
{
	static const char *const hosts[MANY] = {"a.io", "b.io", "c.io", "d.io", "e.io", "f.io"};
	struct scene *s = *state;

	make_helper(s, "x", UNTIL_GO "rm -f docker-credential-x; " BOT);
	use_config(s, STORE);
	bw_log_set_level(BW_LOG_ERROR);
	for (unsigned i = 0; i < MANY; i++)
		s->askers[i].host = hosts[i];
	ask_together(s, MANY);
	go_with(s, 4);
	bw_loop_run(s->loop);
	for (unsigned i = 4; i < MANY; i++) {
		assert_int_equal(s->askers[i].told, 1);
		assert_int_equal(s->askers[i].step, BW_CREDENTIALS_NOBODY);
	}
	bw_log_set_level(BW_LOG_WARN);
}

static void test_whoever_leaves_is_not_told(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	ask_together(s, 3);
	bw_credentials_leave(&s->askers[1].waiter);
	bw_credentials_leave(&s->askers[1].waiter); /* fine when it does not wait */
	s->pending = 2;
	bw_loop_run(s->loop);
	assert_int_equal(s->askers[0].told, 1);
	assert_int_equal(s->askers[1].told, 0);
	assert_int_equal(s->askers[2].told, 1);
}

static void test_nobody_is_asked_for_whom_all_have_left(void **state)
{
	static const char *const hosts[MANY] = {"a.io", "b.io", "c.io", "d.io", "e.io", "f.io"};
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	for (unsigned i = 0; i < MANY; i++)
		s->askers[i].host = hosts[i];
	ask_together(s, MANY);
	bw_credentials_leave(&s->askers[4].waiter); /* in the queue */
	s->pending = MANY - 1;
	bw_loop_run(s->loop);
	assert_int_equal(runs(s), MANY - 1);
	assert_int_equal(s->askers[4].told, 0);
}

static void make_the_next_leave(struct asker *a)
{
	if (a == &a->scene->askers[0])
		bw_credentials_leave(&a->scene->askers[1].waiter);
}

static void test_who_is_told_may_make_others_leave(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	ask_together(s, 3);
	s->on_ready = make_the_next_leave;
	s->pending = 2;
	bw_loop_run(s->loop);
	assert_int_equal(s->askers[0].told, 1); /* the first to ask, the first to be told */
	assert_int_equal(s->askers[1].told, 0);
	assert_int_equal(s->askers[2].told, 1);
}

static void free_all(struct asker *a)
{
	struct scene *s = a->scene;

	for (unsigned i = 0; i < MANY; i++)
		bw_credentials_leave(&s->askers[i].waiter);
	bw_credentials_free(BW_TAKE(s->c));
	bw_loop_stop(s->loop);
}

static void test_who_is_told_may_free_it_all(void **state)
{
	static const char *const hosts[MANY] = {"a.io", "a.io", "c.io", "d.io", "e.io", "f.io"};
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	for (unsigned i = 0; i < MANY; i++)
		s->askers[i].host = hosts[i];
	ask_together(s, MANY);
	s->on_ready = free_all;
	bw_loop_run(s->loop);
	assert_null(s->c);
}

static void test_it_is_freed_with_programs_in_flight(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "exec sleep 1000");
	use_config(s, STORE);
	ask_together(s, 2);
	bw_credentials_leave(&s->askers[0].waiter);
	bw_credentials_free(BW_TAKE(s->c));
	bw_credentials_leave(&s->askers[1].waiter); /* too late, and no harm */
	bw_loop_run(s->loop);
	assert_int_equal(s->askers[0].told + s->askers[1].told, 0);
}

/* --- keeping ---------------------------------------------------------------------------------- */

static void test_an_answer_is_kept_for_five_minutes(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	assert_answer(s, "r.io", "bot:pw");
	ahead_ms = BW_CREDENTIALS_KEEP_MS - 60000;
	assert_answer(s, "r.io", "bot:pw");
	assert_int_equal(s->askers[0].told, 0);
	assert_int_equal(runs(s), 1);
	ahead_ms = BW_CREDENTIALS_KEEP_MS + 1;
	assert_answer(s, "r.io", "bot:pw");
	assert_int_equal(runs(s), 2);
	assert_int_equal(s->c->helpers->count, 1);
}

/* Also when nobody asks it again. */
static void test_an_answer_is_wiped_when_its_time_is_over(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	assert_answer(s, "r.io", "bot:pw");
	assert_non_null(s->c->answer.secret);
	bw_credentials_refresh(s->c, 1);
	assert_null(s->c->answer.secret); /* it was a copy */
	assert_int_equal(s->c->helpers->count, 1);
	ahead_ms = BW_CREDENTIALS_KEEP_MS + 1;
	bw_credentials_refresh(s->c, 2 + BW_CREDENTIALS_LOOK_MS);
	assert_int_equal(s->c->helpers->count, 0);
}

static void test_a_failure_is_kept_for_half_a_minute(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", "exit 1");
	use_config(s, STORE);
	assert_failure(s, "it failed with status 1");
	ahead_ms = BW_CREDENTIALS_FAILED_MS - 20000;
	assert_failure(s, "it failed with status 1");
	assert_int_equal(runs(s), 1);
	make_helper(s, "x", BOT);
	ahead_ms = BW_CREDENTIALS_FAILED_MS + 1;
	assert_answer(s, "r.io", "bot:pw");
	assert_int_equal(runs(s), 2);
}

static void test_a_refused_answer_is_asked_for_anew(void **state)
{
	struct scene *s = *state;
	uint64_t number;

	make_helper(s, "x", BOT);
	use_config(s, STORE);
	assert_answer(s, "r.io", "bot:pw");
	number = find_credential(s->c, "r.io", "team/a")->number;
	bw_credentials_refused(s->c, number + 1); /* of somebody else */
	assert_answer(s, "r.io", "bot:pw");
	assert_int_equal(runs(s), 1);
	bw_credentials_refused(s->c, number);
	assert_answer(s, "r.io", "bot:pw");
	assert_int_equal(runs(s), 2);
	assert_int_equal(find_credential(s->c, "r.io", "team/a")->number, number);
	make_helper(s, "x", "echo '{\"Username\":\"bot\",\"Secret\":\"new\"}'");
	bw_credentials_refused(s->c, number);
	assert_answer(s, "r.io", "bot:new");
	assert_int_not_equal(find_credential(s->c, "r.io", "team/a")->number, number);
	bw_credentials_refused(NULL, number);
}

static void test_a_file_that_was_written_makes_all_helpers_be_asked_anew(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", NOTHING);
	use_config(s, STORE);
	assert_answer(s, "r.io", "-");
	make_helper(s, "x", BOT); /* as after a log-in, which marks the file */
	write_text(s, "config.json", "{\"credsStore\":\"x\",\"auths\":{\"r.io\":{}}}", 0600);
	bw_credentials_refresh(s->c, 1);
	assert_answer(s, "r.io", "bot:pw");
}

static void reload_once(void *arg)
{
	struct scene *s = arg;

	if (runs(s) == 0) {
		bw_timer_start(s->timer, 1);
		return;
	}
	make_helper(s, "x", "echo '{\"Username\":\"bot\",\"Secret\":\"new\"}'");
	bw_credentials_reload(s->c);
	write_text(s, "go", "", 0600);
}

static void test_what_ran_when_the_files_were_read_again_is_asked_anew(void **state)
{
	struct scene *s = *state;

	make_helper(s, "x", UNTIL_GO BOT);
	use_config(s, STORE);
	ask_together(s, 1);
	s->timer = bw_timer_new(s->loop, reload_once, s);
	bw_timer_start(s->timer, 1);
	bw_loop_run(s->loop);
	assert_int_equal(s->askers[0].told, 2);
	assert_string_equal(s->askers[0].who, "bot:new");
}

static void test_more_answers_than_fit_make_the_oldest_go(void **state)
{
	struct scene *s = *state;
	struct bw_helpers *h = s->c->helpers;
	const struct bw_credential *found = NULL;
	struct run *first = add(h, "x", "first.io");

	for (unsigned i = 1; i < MAX_KEPT; i++) { /* as if it were known to be missing */
		BW_AUTOFREE char *host = bw_asprintf("r%u.io", i);
		struct run *r = add(h, "x", host);

		r->step = BW_HELPER_MISSING;
		settle(r);
	}
	assert_int_equal(bw_helpers_known(h, "x", "r1.io"), BW_HELPER_MISSING);
	assert_int_equal(bw_helpers_ask(h, "x", "one-more.io", NULL, &found, NULL), BW_HELPER_MISSING);
	assert_int_equal(h->count, MAX_KEPT);
	assert_int_equal(bw_helpers_known(h, "x", "r1.io"), BW_HELPER_WAIT);
	assert_int_equal(bw_helpers_known(h, "x", "r2.io"), BW_HELPER_MISSING);
	assert_ptr_equal(h->runs, first); /* it is waited for */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_of_every_form),
		TEST(test_a_helper_that_knows_us_is_asked_by_the_name_of_the_registry),
		TEST(test_docker_hub_has_the_name_that_docker_gives_it),
		TEST(test_a_namespace_is_asked_for_by_its_host),
		TEST(test_the_user_token_means_an_identity_token),
		TEST(test_a_helper_that_has_nothing_leaves_it_to_the_next_source),
		TEST(test_a_helper_of_the_configuration_goes_before_those_of_files),
		TEST(test_a_helper_that_fails_is_an_error_and_says_what_to_do),
		TEST(test_a_helper_that_hangs_is_ended),
		TEST(test_a_helper_that_dies_is_told_with_its_signal),
		TEST(test_a_helper_that_floods_is_ended),
		TEST(test_garbage_is_an_error_that_does_not_show_it),
		TEST(test_a_file_that_is_no_program_is_an_error),
		TEST(test_what_it_says_is_logged_once_and_never_in_the_message),
		TEST(test_a_secret_that_it_prints_is_seen_nowhere),
		cmocka_unit_test(test_only_sentences_of_plain_words_are_shown),
		TEST(test_a_program_that_is_not_installed_is_skipped_with_one_warning),
		TEST(test_one_of_the_configuration_must_be_installed),
		TEST(test_it_gets_what_helpers_need_and_nothing_else),
		TEST(test_one_run_is_for_all_who_wait),
		TEST(test_only_four_run_at_a_time),
		TEST(test_who_waits_in_the_queue_for_a_program_that_has_gone_is_told),
		TEST(test_whoever_leaves_is_not_told),
		TEST(test_nobody_is_asked_for_whom_all_have_left),
		TEST(test_who_is_told_may_make_others_leave),
		TEST(test_who_is_told_may_free_it_all),
		TEST(test_it_is_freed_with_programs_in_flight),
		TEST(test_an_answer_is_kept_for_five_minutes),
		TEST(test_an_answer_is_wiped_when_its_time_is_over),
		TEST(test_a_failure_is_kept_for_half_a_minute),
		TEST(test_a_refused_answer_is_asked_for_anew),
		TEST(test_a_file_that_was_written_makes_all_helpers_be_asked_anew),
		TEST(test_what_ran_when_the_files_were_read_again_is_asked_anew),
		TEST(test_more_answers_than_fit_make_the_oldest_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
