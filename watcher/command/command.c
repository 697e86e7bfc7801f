#include "command/command.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "core/log.h"
#include "core/text.h"
#include "core/version.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/mqtt.h"
#include "source/folder.h"
#include "store/store.h"

struct verb {
	const char *name;
	unsigned bit;
	enum bw_exit (*run)(const struct bw_args *a);
	const char *operands;
	const char *summary; /* one line, for the list of verbs */
	const char *help;    /* paragraphs behind the summary */
	const char *example;
};

#define EXIT_HELP                                                                               \
	"Exit code: 1 if a counted use is stale or behind, else 2 if one is unknown, else 0.\n" \
	"64 usage, 65 foreign or newer database, 66 no such path, 73 cannot write, 74 disk\n"   \
	"full or I/O error, 75 database locked, 78 configuration, 130 interrupted.\n"

static const struct verb verbs[] = {
	{"scan", BW_VERB_SCAN, bw_command_scan, "[PATH|URL...]",
	 "list every base that the build files name (offline)",
	 "Reads Dockerfiles and Containerfiles as BuildKit does and lists what each stage stands\n"
	 "on. Asks no registry and remembers nothing. No PATH means the sources of the configuration\n"
	 "where it has some, else the current folder; `-` reads a Dockerfile from standard input, and\n"
	 "a file named directly is read whatever its name. URL[#BRANCH[:FOLDER]] is a git repository;\n"
	 "the program git fetches what is needed of it.\n",
	 "basewatch scan --format json services/"},
	{"check", BW_VERB_CHECK, bw_command_check, "[PATH|URL...]",
	 "scan, ask the registries, remember, print verdicts",
	 "One sweep: one HEAD request per base, however many build files use it. The first sight\n"
	 "of a base is remembered; from then on a build whose base has moved is stale until it is\n"
	 "rebuilt (see `basewatch done`). A PATH or URL as for `basewatch scan`.\n\n" EXIT_HELP,
	 "basewatch check --build-arg REGISTRY=registry.example.org ."},
	{"run", BW_VERB_RUN, bw_command_run, "", "keep watching: the daemon",
	 "Watches the sources of the configuration (basewatch.yaml(5)): looks into folders and git\n"
	 "repositories, asks the registries for their bases, and sends what happens to the sinks.\n"
	 "SIGHUP reads the configuration again; SIGTERM lets what is in flight end, a second one\n"
	 "does not. With --once it is one full cycle with delivery and a report, for cron.\n\n"
	 "Exit code of --once: 1 if a counted use is stale or behind, else 2 if one is unknown, else 0.\n"
	 "75 when another one works with the same database, 78 when the configuration cannot be used.\n",
	 "basewatch run --config /etc/basewatch/basewatch.yaml"},
	{"report", BW_VERB_REPORT, bw_command_report, "[PATH|SOURCE|SOURCE:PATH...]",
	 "what is stale now, since when, and why",
	 "From the database alone: asks no registry. No PATH means what is known of the sources of\n"
	 "the configuration where it has some, else the current folder.\n\n" EXIT_HELP,
	 "basewatch report --fail-on none --format json"},
	{"history", BW_VERB_HISTORY, bw_command_history, "[IMAGE]", "how a base moved",
	 "Every digest that a base was seen with, oldest first. An IMAGE without a tag means all\n"
	 "tags of its repository; none means every base.\n",
	 "basewatch history debian:12"},
	{"events", BW_VERB_EVENTS, bw_command_events, "[list | show ID | retry ID | replay ID...]",
	 "what was published, what is owed, what is dead",
	 "Every change, and every request to rebuild something, is published once as an event, and\n"
	 "owed to each sink until that has it. `list` shows all of them, oldest first; `show` prints\n"
	 "one as it is sent; `retry` makes what was given up due again; `replay` makes an event due\n"
	 "once more for the sinks that there are now. The first 6 digits of an ID or more are enough.\n",
	 "basewatch events --since 2026-11-21 --dead"},
	{"pin", BW_VERB_PIN, bw_command_pin, "[PATH...]", "patch that adds or moves @sha256 pins",
	 "Asks the registries what the tags have now, and prints a patch for `git apply` that pins\n"
	 "every reference with a tag to that. A pin to one platform's image stays one. What cannot\n"
	 "be edited safely is listed with the reason. Needs no earlier check, remembers nothing.\n\n"
	 "Exit code: 0 when the patch was printed or written. With --check 1 if anything would\n"
	 "change. Else 2 if a base could not be asked or a file not be read.\n",
	 "basewatch pin services/ | git apply"},
	{"resolve", BW_VERB_RESOLVE, bw_command_resolve, "IMAGE...", "the digest of a reference now",
	 "Asks the registries, and shows what is behind each reference: of an index all its images,\n"
	 "of a single image its platform. Remembers nothing. Exit code: 64 for a bad reference, 2\n"
	 "if one could not be resolved, or has nothing for the platform.\n",
	 "basewatch resolve --platform linux/arm64 debian:12 ghcr.io/acme/base"},
	{"done", BW_VERB_DONE, bw_command_done, "PATH|SOURCE|SOURCE:PATH...", "these builds were rebuilt",
	 "Acknowledges the digest that was shown last, so that a tag that has moved on since leaves\n"
	 "the build stale. A folder means every build below it. With --event it is what that event\n"
	 "asked for: its build, its bases, its digests.\n",
	 "basewatch done services/api/Dockerfile"},
	{"forget", BW_VERB_FORGET, bw_command_forget, "PATH|SOURCE|SOURCE:PATH...", "stop tracking builds",
	 "The builds and what was outstanding for them go; the history of their bases stays.\n",
	 "basewatch forget old-project/"},
	{"config", BW_VERB_CONFIG, bw_command_config, "check|show", "validate or show the configuration",
	 "`check` prints everything that is wrong with the file, as FILE:LINE:COLUMN: KEY: what and why,\n"
	 "and what is doubtful, such as a secret that is not there. `show` prints what is in force with\n"
	 "all defaults, in a form that `check` takes; secrets are named, never shown.\n\n"
	 "Exit code: 0 when the configuration can be used, 78 when not, 66 when there is no such file.\n",
	 "basewatch config check --config basewatch.yaml"},
	{"sink", BW_VERB_SINK, bw_command_sink, "test NAME",
	 "send a test event to a sink of the configuration",
	 "Sends one event of the type io.basewatch.sink.test, with \"test\": true in its data, to the\n"
	 "sink NAME and says what happened, in the receiver's own words. It is sent once and not\n"
	 "remembered; the `events` that a sink wants do not matter for it.\n\n"
	 "Exit code: 0 when the receiver has accepted it, 2 when not (unreachable, refused, no answer\n"
	 "in time), 66 when there is no such sink, 78 when the configuration cannot be used.\n",
	 "basewatch sink test ci --config basewatch.yaml"},
	{"doctor", BW_VERB_DOCTOR, bw_command_doctor, "",
	 "environment, database, registries, sinks: what is wrong and what to do",
	 "Looks at the programs and limits of this system, the configuration and the secrets that it\n"
	 "names, and the database; asks each registry once, each repository for its branches, logs in\n"
	 "to each broker and tries to reach each webhook. All at the same time, in 20 seconds at most.\n"
	 "Nothing is published and nothing is changed. As long as nothing is tracked, the build files of\n"
	 "the configured folders say which registries to ask. One that wants to be left alone is not\n"
	 "asked.\n\n"
	 "Exit code: 0 when no error was found, 2 when something is wrong or cannot be reached, 78 when\n"
	 "the configuration cannot be used.\n",
	 "basewatch doctor --config basewatch.yaml"},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < BW_COUNT(verbs); i++)
		if (bw_text_is(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static void print_help(void)
{
	puts("basewatch - which of your images sit on a base that has moved\n\n"
	     "Usage: basewatch COMMAND [OPTIONS] [OPERANDS]\n\n"
	     "Commands:");
	for (size_t i = 0; i < BW_COUNT(verbs); i++)
		printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
	puts("\n  --help     this text; `basewatch COMMAND --help` says more\n"
	     "  --version  the version, and those of the libraries\n\n"
	     "Verdicts: stale (the tag moved since the build), behind (the pin is not what the tag\n"
	     "points to), unknown (could not be asked or resolved), fresh, unfollowable, ignored.\n\n"
	     "Example:\n  basewatch check .");
}

static void print_skipped(void)
{
	size_t at = 0;

	printf("\nFolders that are never entered:");
	for (const char *const *p = bw_folder_skipped; *p; p++) {
		if (at == 0 || at + strlen(*p) > 76)
			at = (size_t)printf("\n ") - 1;
		at += (size_t)printf(" %s", *p);
	}
	puts("");
}

static void print_verb_help(const struct verb *v)
{
	printf("Usage: basewatch %s [OPTIONS]%s%s\n\n%c%s.\n\n%s", v->name, *v->operands ? " " : "",
	       v->operands,
	       v->summary[0] >= 'a' && v->summary[0] <= 'z' ? v->summary[0] - 'a' + 'A' : v->summary[0],
	       v->summary + 1, v->help);
	bw_args_help(v->bit, stdout);
	if (v->bit & (BW_VERB_SCAN | BW_VERB_CHECK | BW_VERB_PIN))
		print_skipped();
	printf("\nExample:\n  %s\n", v->example);
}

static void print_version(void)
{
	char mqtt[BW_MQTT_VERSION_MAX];

	printf("basewatch %s\n%s\n%s\njansson %s\nlibuv %s\nlibyaml %s\n%s\n", BW_VERSION, bw_http_version(),
	       bw_store_version(), jansson_version_str(), bw_loop_version(), bw_conf_version(),
	       bw_mqtt_version(mqtt));
}

static enum bw_exit fail_verb(const char *name)
{
	for (size_t i = 0; i < BW_COUNT(verbs); i++)
		if (bw_text_distance(name, verbs[i].name, 2) <= 2) {
			bw_error("unknown command '%s'; did you mean '%s'?", name, verbs[i].name);
			return BW_EXIT_USAGE;
		}
	bw_error("unknown command '%s'; see `basewatch --help`", name);
	return BW_EXIT_USAGE;
}

static enum bw_exit run_verb(const struct verb *v, int argc, char **argv)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_args a;
	enum bw_exit code = BW_EXIT_OK;
	int rc = bw_args_parse(v->bit, argc, argv, &a, &err);

	if (rc < 0) {
		bw_error("%s; see `basewatch %s --help`", err.msg, v->name);
		code = BW_EXIT_USAGE;
	} else if (a.help) {
		print_verb_help(v);
	} else {
		bw_log_set_level(a.quiet ? BW_LOG_ERROR : a.verbose ? BW_LOG_INFO : BW_LOG_WARN);
		code = v->run(&a);
	}
	bw_args_done(&a);
	return code;
}

/*
 * A write to a socket or pipe whose other end has gone is an error to look at, not a reason to die. So is one beyond the
 * limit for the size of files, which is like a full disk.
 */
static void ignore_signals_of_writes(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigaction(SIGXFSZ, &sa, NULL);
}

enum bw_exit bw_command_main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : NULL;
	const struct verb *v = first ? find_verb(first) : NULL;

	ignore_signals_of_writes();
	if (v)
		return run_verb(v, argc - 2, argv + 2);
	if (bw_text_is(first, "--version") || bw_text_is(first, "-V")) {
		print_version();
		return BW_EXIT_OK;
	}
	if (bw_text_is(first, "--help") || bw_text_is(first, "-h") || bw_text_is(first, "help")) {
		v = argc > 2 ? find_verb(argv[2]) : NULL;
		if (v)
			print_verb_help(v);
		else
			print_help();
		return BW_EXIT_OK;
	}
	if (!first) {
		bw_error("no command given; see `basewatch --help`");
		return BW_EXIT_USAGE;
	}
	return fail_verb(first);
}
