/* test_diagnosis.c - what doctor makes of versions, sizes, debts and answers,
 * and what it tells to do. */
#include "unit.h"

#include <string.h>

#include "command/diagnosis.h"
#include "core/map.h"
#include "core/mem.h"

#define NOW    INT64_C(1795262400000) /* 2026-11-21 12:00 UTC */
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define KIB    UINT64_C(1024)
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)

/* Level, seen and a part of the advice (NULL: there is none). Frees it. */
static void expect(struct bw_diagnosis d, enum bw_level level, const char *seen, const char *advice)
{
	if (d.level != level || strcmp(d.seen, seen) != 0)
		fail_msg("wanted %s '%s', got %s '%s'", bw_level_name(level), seen, bw_level_name(d.level),
			 d.seen);
	if ((d.advice != NULL) != (advice != NULL) || (advice && !strstr(d.advice, advice)))
		fail_msg("wanted the advice '%s', got '%s'", advice ? advice : "(none)",
			 d.advice ? d.advice : "(none)");
	bw_diagnosis_done(&d);
	assert_null(d.seen);
}

/* --- environment
 * ----------------------------------------------------------------------------------
 */

static void git_has_to_be_new_enough_where_it_is_needed(void **state)
{
	(void)state;
	expect(bw_diagnose_git("git version 2.39.5", true), BW_LEVEL_OK, "git version 2.39.5", NULL);
	expect(bw_diagnose_git("git version 2.31.0", true), BW_LEVEL_OK, "git version 2.31.0", NULL);
	expect(bw_diagnose_git("git version 3.0", true), BW_LEVEL_OK, "git version 3.0", NULL);
	expect(bw_diagnose_git("git version 2.47.0.windows.1", true), BW_LEVEL_OK,
	       "git version 2.47.0.windows.1", NULL);
	expect(bw_diagnose_git("git version 2.30.9", true), BW_LEVEL_ERROR, "git version 2.30.9 is too old",
	       "2.31 or newer");
	expect(bw_diagnose_git("git version 1.99", true), BW_LEVEL_ERROR, "git version 1.99 is too old",
	       "2.31");
	expect(bw_diagnose_git("git version 2.30.9", false), BW_LEVEL_NOTE,
	       "git version 2.30.9 is too old; only git repositories need it, and "
	       "none is configured",
	       "2.31");
}

static void what_is_no_git_is_said_to_be_none(void **state)
{
	static const char *const words[] = {"",
					    "git version",
					    "git version x.y",
					    "git version 2",
					    "git version 2.",
					    "hg 2.31",
					    "git version 99999999999999999999.1"};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(words); i++) {
		BW_AUTOFREE char *seen = bw_asprintf("'%s' is no version of git", words[i]);

		expect(bw_diagnose_git(words[i], true), BW_LEVEL_ERROR, seen, "install git");
	}
	expect(bw_diagnose_git(NULL, true), BW_LEVEL_ERROR, "not found in PATH", "install git");
	expect(bw_diagnose_git(NULL, false), BW_LEVEL_NOTE,
	       "not found in PATH; only git repositories need it, and none is "
	       "configured",
	       "install git");
}

static void home_has_to_be_a_folder(void **state)
{
	(void)state;
	expect(bw_diagnose_home("/home/bw", true), BW_LEVEL_OK, "/home/bw", NULL);
	expect(bw_diagnose_home("/nowhere", false), BW_LEVEL_WARNING,
	       "/nowhere is no folder that can be entered", "set HOME");
	expect(bw_diagnose_home(NULL, false), BW_LEVEL_WARNING, "not set", "set HOME");
	expect(bw_diagnose_home("", false), BW_LEVEL_WARNING, "not set", "set HOME");
}

static void a_proxy_is_named_without_its_password(void **state)
{
	static const char *const rows[][2] = {
		{"http://proxy:3128", "http://proxy:3128"},
		{"http://me:secret@proxy:3128/", "http://[hidden]@proxy:3128/"},
		{"me:secret@proxy:3128", "[hidden]@proxy:3128"},
		{"http://me:se@cret@proxy", "http://[hidden]@proxy"},
		{"http://me:se/cret@proxy", "http://[hidden]@proxy"},
		{"socks5h://token@[::1]:1080", "socks5h://[hidden]@[::1]:1080"},
		{"localhost,.lan", "localhost,.lan"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		BW_AUTOFREE char *shown = bw_diagnose_proxy(rows[i][0]);

		assert_string_equal(shown, rows[i][1]);
	}
}

static void certificates_come_from_a_file_or_a_folder(void **state)
{
	(void)state;
	expect(bw_diagnose_certificates("/etc/f", true, "/etc/d", true), BW_LEVEL_OK, "/etc/f, /etc/d", NULL);
	expect(bw_diagnose_certificates("/etc/f", true, "/etc/d", false), BW_LEVEL_OK, "/etc/f", NULL);
	expect(bw_diagnose_certificates("/etc/f", false, "/etc/d", true), BW_LEVEL_OK, "/etc/d", NULL);
	expect(bw_diagnose_certificates("/etc/f", false, "/etc/d", false), BW_LEVEL_WARNING,
	       "the system has none: nothing in /etc/f and /etc/d", "install ca-certificates");
	expect(bw_diagnose_certificates(NULL, false, "/etc/d", false), BW_LEVEL_WARNING,
	       "the system has none: nothing in /etc/d", "install ca-certificates");
	expect(bw_diagnose_certificates("/etc/f", false, NULL, false), BW_LEVEL_WARNING,
	       "the system has none: nothing in /etc/f", "install ca-certificates");
	expect(bw_diagnose_certificates(NULL, false, NULL, false), BW_LEVEL_WARNING,
	       "the system has none: nothing in any known place", "install ca-certificates");
}

static void a_clock_may_be_five_minutes_off(void **state)
{
	(void)state;
	expect(bw_diagnose_clock(0, "ghcr.io"), BW_LEVEL_OK, "agrees with ghcr.io", NULL);
	expect(bw_diagnose_clock(5 * MINUTE, "ghcr.io"), BW_LEVEL_OK, "agrees with ghcr.io", NULL);
	expect(bw_diagnose_clock(-5 * MINUTE, "ghcr.io"), BW_LEVEL_OK, "agrees with ghcr.io", NULL);
	expect(bw_diagnose_clock(7 * MINUTE, "ghcr.io"), BW_LEVEL_WARNING,
	       "7 minutes ahead of that of ghcr.io", "keep its time");
	expect(bw_diagnose_clock(-90 * MINUTE, "ghcr.io"), BW_LEVEL_WARNING,
	       "90 minutes behind that of ghcr.io", "keep its time");
}

static void limits_are_compared_with_what_is_needed(void **state)
{
	(void)state;
	expect(bw_diagnose_watches(8192, 1), BW_LEVEL_OK, "1 folder to watch, 8192 watches for this user",
	       NULL);
	expect(bw_diagnose_watches(12, 12), BW_LEVEL_OK, "12 folders to watch, 12 watches for this user",
	       NULL);
	expect(bw_diagnose_watches(12, 13), BW_LEVEL_WARNING,
	       "13 folders to watch, and 12 watches for this user", "max_user_watches");
	expect(bw_diagnose_watches(0, 13), BW_LEVEL_NOTE,
	       "how many folders can be watched is not known: changes in them are "
	       "found when `poll.rescan` "
	       "comes round",
	       NULL);
	expect(bw_diagnose_descriptors(72, 2), BW_LEVEL_OK, "72 may be open at once", NULL);
	expect(bw_diagnose_descriptors(71, 2), BW_LEVEL_WARNING,
	       "71 may be open at once, up to 72 are needed", "LimitNOFILE=");
}

static void list(const char *key, void *value, void *arg)
{
	(void)value;
	assert_true(bw_buf_addf(arg, "%s ", key));
}

static const char *folders_of(const char *root, const char *first, const char *second, struct bw_buf *text)
{
	struct bw_map *m = bw_map_new();

	bw_buf_clear(text);
	bw_diagnose_add_folders(m, root, first);
	bw_diagnose_add_folders(m, root, second);
	bw_map_each(m, list, text);
	bw_map_free(m, NULL);
	return bw_buf_str(text);
}

static void the_folders_of_files_and_their_parents_are_counted_once(void **state)
{
	BW_AUTOBUF struct bw_buf text;

	(void)state;
	bw_buf_init(&text, 4096);
	assert_string_equal(folders_of("/src", "/src/a/b/Dockerfile", "/src/a/c/Dockerfile", &text),
			    "/src/a/b /src/a /src /src/a/c ");
	assert_string_equal(folders_of("/src/", "/src/Dockerfile", "/src/x/Dockerfile", &text),
			    "/src /src/x ");
	assert_string_equal(folders_of("/src", "/srcs/Dockerfile", "/other/Dockerfile", &text), "");
	assert_string_equal(folders_of("/src", "/src", "/sr", &text), "");
	assert_string_equal(folders_of("/", "/a/Dockerfile", "/Dockerfile", &text), "/a / ");
}

/* --- database
 * -------------------------------------------------------------------------------------
 */

static void sizes_are_told_and_a_large_log_is_doubtful(void **state)
{
	(void)state;
	expect(bw_diagnose_size(1, 0), BW_LEVEL_OK, "1 KiB", NULL);
	expect(bw_diagnose_size(3 * GIB / 2, 512 * KIB), BW_LEVEL_OK,
	       "1.5 GiB, and 512 KiB in the write-ahead log", NULL);
	expect(bw_diagnose_size(12 * MIB, 300 * MIB), BW_LEVEL_WARNING,
	       "12.0 MiB, and 300.0 MiB in the write-ahead log", "reading for very long");
}

static void a_disk_has_room_or_not(void **state)
{
	(void)state;
	expect(bw_diagnose_space(10 * GIB, GIB), BW_LEVEL_OK, "10.0 GiB free", NULL);
	expect(bw_diagnose_space(256 * MIB, MIB), BW_LEVEL_OK, "256.0 MiB free", NULL);
	expect(bw_diagnose_space(255 * MIB, MIB), BW_LEVEL_WARNING, "255.0 MiB free", "make room");
	expect(bw_diagnose_space(GIB, 2 * GIB), BW_LEVEL_WARNING, "1.0 GiB free", "make room");
	expect(bw_diagnose_space(15 * MIB, MIB), BW_LEVEL_ERROR, "15.0 MiB free", "make room");
	expect(bw_diagnose_space(0, 0), BW_LEVEL_ERROR, "0 KiB free", "make room");
}

static void what_is_owed_for_an_hour_or_given_up_is_a_warning(void **state)
{
	struct bw_debt d = {.sink = "ci"};

	(void)state;
	expect(bw_diagnose_debt(&d, true, NOW), BW_LEVEL_OK, "nothing is due", NULL);
	d.due = 2;
	d.due_since_ms = NOW - HOUR;
	expect(bw_diagnose_debt(&d, true, NOW), BW_LEVEL_OK, "2 due, the oldest since 2026-11-21 11:00",
	       NULL);
	expect(bw_diagnose_debt(&d, true, NOW + 1), BW_LEVEL_WARNING,
	       "2 due, the oldest since 2026-11-21 11:00", "does it run");
	d.error = "HTTP 410: gone";
	expect(bw_diagnose_debt(&d, true, NOW), BW_LEVEL_WARNING,
	       "2 due, the oldest since 2026-11-21 11:00 (HTTP 410: gone)", "wants no events any more (410)");
	d.error = "HTTP 401";
	expect(bw_diagnose_debt(&d, true, NOW), BW_LEVEL_WARNING,
	       "2 due, the oldest since 2026-11-21 11:00 (HTTP 401)", "`basewatch sink test ci`");
	d.error = "HTTP 503: busy";
	expect(bw_diagnose_debt(&d, false, NOW + 1), BW_LEVEL_NOTE,
	       "2 due, the oldest since 2026-11-21 11:00 (HTTP 503: busy)", "not configured here");
	d.is_removed = true;
	expect(bw_diagnose_debt(&d, true, NOW + 1), BW_LEVEL_NOTE,
	       "2 due, the oldest since 2026-11-21 11:00 (HTTP 503: busy)", "not configured here");
	d.is_removed = false;
	d.dead = 3;
	d.dead_since_ms = NOW - 24 * HOUR;
	expect(bw_diagnose_debt(&d, true, NOW), BW_LEVEL_WARNING,
	       "2 due, the oldest since 2026-11-21 11:00 (HTTP 503: busy); 3 given "
	       "up, the first 2026-11-20 "
	       "12:00",
	       "`basewatch events --dead --sink ci`");
	d.due = 0;
	expect(bw_diagnose_debt(&d, true, NOW), BW_LEVEL_WARNING,
	       "nothing is due; 3 given up, the first 2026-11-20 12:00", "events retry ID");
}

static void bases_that_could_not_be_had_are_told_by_the_oldest(void **state)
{
	struct bw_ailing a = {.registry = "ghcr.io", .bases = 1, .since_ms = NOW, .base = "a/b:1"};

	(void)state;
	expect(bw_diagnose_ailing(&a), BW_LEVEL_WARNING,
	       "a/b:1 could not be had when last asked for, since 2026-11-21 12:00", "basewatch report");
	a.bases = 4;
	a.message = "ghcr.io: no answer";
	expect(bw_diagnose_ailing(&a), BW_LEVEL_WARNING,
	       "a/b:1, and 3 more could not be had when last asked for, since "
	       "2026-11-21 12:00: ghcr.io: no "
	       "answer",
	       "basewatch report");
}

/* --- what is far away
 * -----------------------------------------------------------------------------
 */

static struct bw_answer trouble(enum bw_trouble t, const char *message)
{
	struct bw_answer a = {.trouble = t};

	(void)snprintf(a.message, sizeof(a.message), "%s", message);
	return a;
}

static void a_registry_is_told_with_how_it_was_asked(void **state)
{
	struct bw_diagnosed_registry r = {.name = "docker.io", .asked = "debian:12"};
	struct bw_answer a = {0};

	(void)state;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_OK,
	       "answers for debian:12, over TLS, asked anonymously", NULL);
	r.credentials = "/home/bw/.docker/config.json";
	r.is_plain = true;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_OK,
	       "answers for debian:12, over plain HTTP, asked with the account in "
	       "/home/bw/.docker/config.json",
	       NULL);
}

static void each_trouble_of_a_registry_has_its_advice(void **state)
{
	static const struct {
		enum bw_trouble trouble;
		enum bw_level level;
		const char *advice, *with_account;
		bool names_asker;
	} rows[] = {
		{BW_TROUBLE_TAG_GONE, BW_LEVEL_WARNING, "is not there", "is not there", true},
		{BW_TROUBLE_REPOSITORY_GONE, BW_LEVEL_WARNING, "is not there", "is not there", true},
		{BW_TROUBLE_DENIED, BW_LEVEL_ERROR, "docker login r.lan", "account in FILE the right", true},
		{BW_TROUBLE_AUTH, BW_LEVEL_ERROR, "docker login r.lan", "password in FILE", true},
		{BW_TROUBLE_THROTTLED, BW_LEVEL_ERROR, "poll.every", "poll.every", true},
		{BW_TROUBLE_TIMEOUT, BW_LEVEL_ERROR, "firewalls", "firewalls", false},
		{BW_TROUBLE_DNS, BW_LEVEL_ERROR, "resolv.conf", "resolv.conf", false},
		{BW_TROUBLE_TLS, BW_LEVEL_ERROR, "log of the registry", "cert-file", false},
		{BW_TROUBLE_CONNECTION, BW_LEVEL_ERROR, "firewalls", "proxy", false},
		{BW_TROUBLE_SERVER, BW_LEVEL_ERROR, "whoever runs", "whoever runs", false},
		{BW_TROUBLE_MALFORMED, BW_LEVEL_ERROR, "whoever runs", "whoever runs", false},
		{BW_TROUBLE_LIMIT, BW_LEVEL_ERROR, "is it a registry", "is it a registry", false},
		{BW_TROUBLE_UNSETTLED, BW_LEVEL_ERROR, "whoever runs", "whoever runs", false},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_diagnosed_registry r = {.name = "r.lan", .asked = "r.lan/x:1"};
		const struct bw_answer a = trouble(rows[i].trouble, "so it says");

		expect(bw_diagnose_registry(&r, &a), rows[i].level,
		       rows[i].names_asker ? "so it says; asked for r.lan/x:1 anonymously" : "so it says",
		       rows[i].advice);
		r.credentials = "FILE";
		expect(bw_diagnose_registry(&r, &a), rows[i].level,
		       rows[i].names_asker ? "so it says; asked for r.lan/x:1 with the account in FILE"
					   : "so it says",
		       rows[i].with_account);
	}
}

static void the_advice_fits_what_exactly_is_wrong(void **state)
{
	static const struct {
		enum bw_trouble trouble;
		enum bw_cause cause;
		const char *advice, *not_a_word_of;
	} rows[] = {
		{BW_TROUBLE_TLS, BW_CAUSE_CERT_DATE, "renew its certificate", "insecure"},
		{BW_TROUBLE_TLS, BW_CAUSE_CERT_NAME, "name the registry as its certificate does", "insecure"},
		{BW_TROUBLE_TLS, BW_CAUSE_CERT_AUTHORITY, "ca-file", "insecure"},
		{BW_TROUBLE_TLS, BW_CAUSE_CERT_BAD, "mend its certificate", "insecure"},
		{BW_TROUBLE_TLS, BW_CAUSE_CERT_WANTED, "`cert-file` and `key-file`", "insecure"},
		{BW_TROUBLE_TLS, BW_CAUSE_CERT_FILES, "mend or remove it", "insecure"},
		{BW_TROUBLE_TLS, BW_CAUSE_NOT_TLS, "--insecure-registry r.lan", "ca-file"},
		{BW_TROUBLE_CONNECTION, BW_CAUSE_PROXY_LOGIN, "in HTTPS_PROXY", "firewall"},
		{BW_TROUBLE_THROTTLED, BW_CAUSE_BUSY, "wait", "account"},
		{BW_TROUBLE_SERVER, BW_CAUSE_BUSY, "wait", "account"},
		{BW_TROUBLE_THROTTLED, BW_CAUSE_NONE, "accounts get more", "has to look"},
		{BW_TROUBLE_AUTH, BW_CAUSE_NO_LOGIN, "docker login r.lan", "renew"},
	};
	const struct bw_diagnosed_registry r = {.name = "r.lan", .asked = "r.lan/x:1"};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_answer a = trouble(rows[i].trouble, "so it says");
		struct bw_diagnosis d;

		a.cause = rows[i].cause;
		d = bw_diagnose_registry(&r, &a);
		assert_non_null(d.advice);
		if (!strstr(d.advice, rows[i].advice) || strstr(d.advice, rows[i].not_a_word_of))
			fail_msg("row %zu: %s", i, d.advice);
		bw_diagnosis_done(&d);
	}
}

static void a_program_that_knows_no_log_in_is_told_how_to_mend_or_to_do_without(void **state)
{
	struct bw_diagnosed_registry r = {.name = "r.lan", .asked = "r.lan/x:1"};
	struct bw_answer a = trouble(BW_TROUBLE_AUTH, "no");

	(void)state;
	a.cause = BW_CAUSE_HELPER;
	r.credentials = "docker-credential-x (credHelpers in FILE)";
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR, "no",
	       "`docker-credential-x list` has to answer within seconds: mend it, or take it out of FILE "
	       "(credHelpers), or set `username` or `anonymous`");
	a.cause = BW_CAUSE_HELPER_MISSING;
	r.credentials = "docker-credential-x (the configuration)";
	r.logins = BW_LOGINS_OF_CONF;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR, "no",
	       "install docker-credential-x, or give `username` or `anonymous` in place of `helper`");
	a.cause = BW_CAUSE_NO_LOGIN;
	r.credentials = NULL;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR, "no; asked for r.lan/x:1 anonymously",
	       "in place of `anonymous`");
	r.logins = BW_LOGINS_OF_FILE;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR, "no; asked for r.lan/x:1 anonymously",
	       "$REGISTRY_AUTH_FILE");
	r.logins = BW_LOGINS_OF_DOCKER;
	r.helper = "docker-credential-x (credsStore in FILE)";
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR,
	       "no; asked for r.lan/x:1 anonymously: docker-credential-x (credsStore in FILE) has no log-in "
	       "for it",
	       "log in there (`docker login r.lan`), or take it out of FILE (credsStore)");
	r.is_helper_missing = true;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR, "no; asked for r.lan/x:1 anonymously",
	       "install docker-credential-x, or take it out of FILE");
}

static void a_proxy_is_told_where_it_is_used(void **state)
{
	(void)state;
	expect(bw_diagnose_route("none", true), BW_LEVEL_NOTE,
	       "by the configuration it is reached without a proxy", NULL);
	expect(bw_diagnose_route("http://p:3128", false), BW_LEVEL_NOTE,
	       "by the configuration it is reached through the proxy http://p:3128", NULL);
	expect(bw_diagnose_route("http://p:3128", true), BW_LEVEL_NOTE,
	       "it is this machine, so the proxy http://p:3128 of the configuration is not used for it",
	       NULL);
}

static void a_registry_that_wants_to_be_left_alone_is_told_until_when(void **state)
{
	(void)state;
	expect(bw_diagnose_pause(NOW), BW_LEVEL_WARNING,
	       "not asked: it wants to be left alone until 2026-11-21 12:00 (429 or Retry-After)",
	       "requests-per-second");
}

static void a_trouble_without_words_gets_ours(void **state)
{
	const struct bw_diagnosed_registry r = {.name = "r.lan", .asked = "r.lan/x:1"};
	const struct bw_answer a = trouble(BW_TROUBLE_DNS, "");

	(void)state;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR, bw_trouble_text(BW_TROUBLE_DNS), "resolv.conf");
}

static void who_was_asked_as_is_told_by_file_program_or_nobody(void **state)
{
	struct bw_diagnosed_registry r = {.name = "docker.io", .asked = "debian:12", .credentials = "FILE"};
	const struct bw_answer ok = {0}, refused = trouble(BW_TROUBLE_AUTH, "refused");

	(void)state;
	r.is_open = true;
	expect(bw_diagnose_registry(&r, &ok), BW_LEVEL_OK,
	       "answers for debian:12, over TLS, asked anonymously: it did not ask for the account in FILE",
	       NULL);
	r.is_open = false;
	r.credentials = "docker-credential-pass (credsStore in FILE)";
	expect(bw_diagnose_registry(&r, &ok), BW_LEVEL_OK,
	       "answers for debian:12, over TLS, asked with the account of docker-credential-pass "
	       "(credsStore in FILE)",
	       NULL);
	expect(bw_diagnose_registry(&r, &refused), BW_LEVEL_ERROR,
	       "refused; asked for debian:12 with the account of docker-credential-pass (credsStore in FILE)",
	       "renew the log-in with the tool that docker-credential-pass belongs to");
	expect(bw_diagnose_helper("docker-credential-pass (credsStore in FILE)", true), BW_LEVEL_WARNING,
	       "docker-credential-pass (credsStore in FILE) is not installed, or not in PATH, so it was "
	       "asked without",
	       "install docker-credential-pass, or take it out of FILE (credsStore), or set `username`");
	expect(bw_diagnose_helper("docker-credential-x (credHelpers in FILE)", false), BW_LEVEL_WARNING,
	       "docker-credential-x (credHelpers in FILE) is not installed, or not in PATH", "install");
	assert_null(bw_diagnose_helper_name("/home/bw/.docker/config.json"));
	assert_null(bw_diagnose_helper_name(""));
}

static void a_pause_that_a_registry_asks_for_is_told_with_its_length(void **state)
{
	const struct bw_diagnosed_registry r = {.name = "docker.io", .asked = "debian:12"};
	struct bw_answer a = trouble(BW_TROUBLE_THROTTLED, "too many requests");

	(void)state;
	a.retry_after_s = 5400;
	expect(bw_diagnose_registry(&r, &a), BW_LEVEL_ERROR,
	       "too many requests; asked for debian:12 anonymously",
	       "leave it alone for 1 h 30 min, as it asks; then ask less often");
}

static struct bw_answer naming(char c)
{
	struct bw_answer a = {0};
	BW_AUTOFREE char *text = bw_asprintf("sha256:%064d", c);

	assert_int_equal(bw_digest_parse(text, strlen(text), &a.digest, NULL), 0);
	return a;
}

static void a_mirror_is_compared_with_the_registry_itself(void **state)
{
	struct bw_answer one = naming(1), other = naming(2);
	struct bw_diagnosed_mirror m = {
		.asked = {.name = "m.lan", .asked = "m.lan/debian:12", .is_plain = true}};

	(void)state;
	expect(bw_diagnose_mirror(&m, &one), BW_LEVEL_NOTE,
	       "answers for m.lan/debian:12, over plain HTTP; whether it is right cannot be told without the "
	       "registry "
	       "itself",
	       "believed");
	m.origin = &one.digest;
	expect(bw_diagnose_mirror(&m, &one), BW_LEVEL_OK,
	       "answers for m.lan/debian:12, over plain HTTP, and names what the registry itself names",
	       NULL);
	expect(bw_diagnose_mirror(&m, &other), BW_LEVEL_NOTE,
	       "answers for m.lan/debian:12, over plain HTTP, but names another image than the registry "
	       "itself",
	       "not believed");
	m.is_only = true;
	expect(bw_diagnose_mirror(&m, &other), BW_LEVEL_OK, "answers for m.lan/debian:12, over plain HTTP",
	       NULL);
}

static void a_mirror_that_fails_is_an_error_where_there_are_only_mirrors(void **state)
{
	struct bw_diagnosed_mirror m = {.asked = {.name = "m.lan", .asked = "m.lan/debian:12"}};
	const struct bw_answer gone = trouble(BW_TROUBLE_TAG_GONE, "not there"),
			       dead = trouble(BW_TROUBLE_TIMEOUT, "no answer");

	(void)state;
	expect(bw_diagnose_mirror(&m, &gone), BW_LEVEL_NOTE,
	       "not there; asked for m.lan/debian:12 anonymously", "pulled through");
	expect(bw_diagnose_mirror(&m, &dead), BW_LEVEL_WARNING, "no answer", "firewalls");
	m.is_only = true;
	expect(bw_diagnose_mirror(&m, &gone), BW_LEVEL_ERROR,
	       "not there; asked for m.lan/debian:12 anonymously", "not there");
	expect(bw_diagnose_mirror(&m, &dead), BW_LEVEL_ERROR, "no answer", "firewalls");
}

static void a_budget_is_told_with_what_it_does_to_the_schedule(void **state)
{
	struct bw_budget_plan p = {.is_known = true,
				   .limit = 100,
				   .remaining = 76,
				   .reserved = 20,
				   .window_s = 21600,
				   .distance_ms = 270000};
	struct bw_diagnosed_budget b = {.plan = &p, .bases = 10, .every_ms = HOUR};
	struct bw_diagnosis d;

	(void)state;
	expect(bw_diagnose_budget(&b), BW_LEVEL_OK,
	       "grants 100 requests in 6 h, 76 left, 20 kept for others: its 10 bases are asked every 1 h, "
	       "as scheduled",
	       NULL);
	b.bases = 1;
	expect(bw_diagnose_budget(&b), BW_LEVEL_OK,
	       "grants 100 requests in 6 h, 76 left, 20 kept for others: its base is asked every 1 h, as "
	       "scheduled",
	       NULL);
	b.bases = 1000;
	expect(bw_diagnose_budget(&b), BW_LEVEL_NOTE,
	       "grants 100 requests in 6 h, 76 left, 20 kept for others; whether questions (HEAD) are "
	       "counted is "
	       "not known yet: a daemon finds out, and asks less often if they are",
	       NULL);
	b.is_measured = true;
	expect(bw_diagnose_budget(&b), BW_LEVEL_NOTE,
	       "grants 100 requests in 6 h, 76 left, 20 kept for others: its 1000 bases are asked every 3 d "
	       "3 h, and not every 1 h",
	       "log in");
	p.is_free = true;
	p.reserved = 0;
	p.window_s = 0;
	expect(bw_diagnose_budget(&b), BW_LEVEL_OK,
	       "grants 100 requests, 76 left; questions (HEAD) are not counted here", NULL);
	p.hold_ms = 2 * 60 * 60 * 1000;
	expect(bw_diagnose_budget(&b), BW_LEVEL_WARNING,
	       "grants 100 requests, 76 left: nothing is asked for 2 h", "mirror");
	p.hold_ms = 0;
	p.is_free = false;
	p.distance_ms = UINT64_MAX;
	b.bases = UINT64_MAX - 1;
	d = bw_diagnose_budget(&b);
	assert_int_equal(d.level, BW_LEVEL_NOTE); /* no number wraps */
	bw_diagnosis_done(&d);
}

static void the_next_question_of_the_daemon_is_told_with_its_reason(void **state)
{
	struct bw_diagnosed_next n = {.base = "debian:12", .at_ms = NOW + HOUR, .reason = "as scheduled"};

	(void)state;
	expect(bw_diagnose_next(&n), BW_LEVEL_OK,
	       "the daemon asks next at 2026-11-21 13:00, for debian:12: as scheduled", NULL);
	n.pause = "budget";
	n.text = "docker.io grants 100";
	expect(bw_diagnose_next(&n), BW_LEVEL_OK,
	       "the daemon asks next at 2026-11-21 13:00, for debian:12: as scheduled; docker.io grants 100",
	       NULL);
	n.reason = "never asked: docker.io grants 100";
	expect(bw_diagnose_next(&n), BW_LEVEL_OK,
	       "the daemon asks next at 2026-11-21 13:00, for debian:12: never asked: docker.io grants 100",
	       NULL);
	n.reason = "as scheduled";
	n.pause = "throttled";
	expect(bw_diagnose_next(&n), BW_LEVEL_WARNING,
	       "the daemon asks next at 2026-11-21 13:00, for debian:12: as scheduled; docker.io grants 100",
	       "requests-per-second");
	n.pause = "unreachable";
	n.text = NULL;
	expect(bw_diagnose_next(&n), BW_LEVEL_WARNING,
	       "the daemon asks next at 2026-11-21 13:00, for debian:12: as scheduled", "whether it is back");
	n.pause = "guard";
	expect(bw_diagnose_next(&n), BW_LEVEL_WARNING,
	       "the daemon asks next at 2026-11-21 13:00, for debian:12: as scheduled", "the log");
}

static void a_folder_of_certificates_is_told_with_what_it_does(void **state)
{
	static char folder[] = "/etc/docker/certs.d/r.lan", ca[] = "/ca.crt", cert[] = "/c.cert",
		    key[] = "/c.key", other[] = "/d.cert";
	char *files[] = {ca, NULL}, *none[] = {NULL};
	struct bw_certs c = {.folder = folder, .ca_files = files};

	(void)state;
	expect(bw_diagnose_certs(&c), BW_LEVEL_NOTE, "certificates in /etc/docker/certs.d/r.lan: 1 trusted",
	       NULL);
	c.ca_files = none;
	c.cert_file = cert;
	c.key_file = key;
	expect(bw_diagnose_certs(&c), BW_LEVEL_NOTE,
	       "certificates in /etc/docker/certs.d/r.lan: 0 trusted, shown is /c.cert", NULL);
	c.left_out = other;
	expect(bw_diagnose_certs(&c), BW_LEVEL_WARNING,
	       "certificates in /etc/docker/certs.d/r.lan: 0 trusted, shown is /c.cert; left out is /d.cert",
	       "first pair");
	c.unused = other;
	expect(bw_diagnose_certs(&c), BW_LEVEL_WARNING,
	       "certificates in /etc/docker/certs.d/r.lan: none, and /d.cert is not used",
	       "only *.crt are taken");
}

static void any_status_of_a_webhook_is_an_answer(void **state)
{
	(void)state;
	expect(bw_diagnose_webhook("ci", 405, ""), BW_LEVEL_OK,
	       "answers (HTTP 405 to a HEAD request); `basewatch sink test ci` sends "
	       "it an event",
	       NULL);
	expect(bw_diagnose_webhook("ci", 0, "Connection refused"), BW_LEVEL_ERROR, "Connection refused",
	       "receiver runs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(git_has_to_be_new_enough_where_it_is_needed),
		cmocka_unit_test(what_is_no_git_is_said_to_be_none),
		cmocka_unit_test(home_has_to_be_a_folder),
		cmocka_unit_test(a_proxy_is_named_without_its_password),
		cmocka_unit_test(certificates_come_from_a_file_or_a_folder),
		cmocka_unit_test(a_clock_may_be_five_minutes_off),
		cmocka_unit_test(limits_are_compared_with_what_is_needed),
		cmocka_unit_test(the_folders_of_files_and_their_parents_are_counted_once),
		cmocka_unit_test(sizes_are_told_and_a_large_log_is_doubtful),
		cmocka_unit_test(a_disk_has_room_or_not),
		cmocka_unit_test(what_is_owed_for_an_hour_or_given_up_is_a_warning),
		cmocka_unit_test(bases_that_could_not_be_had_are_told_by_the_oldest),
		cmocka_unit_test(a_registry_is_told_with_how_it_was_asked),
		cmocka_unit_test(each_trouble_of_a_registry_has_its_advice),
		cmocka_unit_test(the_advice_fits_what_exactly_is_wrong),
		cmocka_unit_test(a_program_that_knows_no_log_in_is_told_how_to_mend_or_to_do_without),
		cmocka_unit_test(a_proxy_is_told_where_it_is_used),
		cmocka_unit_test(a_registry_that_wants_to_be_left_alone_is_told_until_when),
		cmocka_unit_test(a_trouble_without_words_gets_ours),
		cmocka_unit_test(who_was_asked_as_is_told_by_file_program_or_nobody),
		cmocka_unit_test(a_pause_that_a_registry_asks_for_is_told_with_its_length),
		cmocka_unit_test(a_mirror_is_compared_with_the_registry_itself),
		cmocka_unit_test(a_mirror_that_fails_is_an_error_where_there_are_only_mirrors),
		cmocka_unit_test(a_budget_is_told_with_what_it_does_to_the_schedule),
		cmocka_unit_test(the_next_question_of_the_daemon_is_told_with_its_reason),
		cmocka_unit_test(a_folder_of_certificates_is_told_with_what_it_does),
		cmocka_unit_test(any_status_of_a_webhook_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
