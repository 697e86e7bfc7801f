#include "command/args.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "store/verdict.h"

#define SCANS	(BW_VERB_SCAN | BW_VERB_CHECK)
#define GATHERS (SCANS | BW_VERB_PIN)
#define ASKS	(BW_VERB_CHECK | BW_VERB_RESOLVE | BW_VERB_PIN)
#define JUDGES	(BW_VERB_CHECK | BW_VERB_REPORT)
#define STORES                                                                                               \
	(BW_VERB_CHECK | BW_VERB_REPORT | BW_VERB_HISTORY | BW_VERB_EVENTS | BW_VERB_DONE | BW_VERB_FORGET | \
	 BW_VERB_RUN | BW_VERB_DOCTOR)
#define PRINTS                                                                              \
	(BW_VERB_SCAN | BW_VERB_CHECK | BW_VERB_REPORT | BW_VERB_HISTORY | BW_VERB_EVENTS | \
	 BW_VERB_RESOLVE | BW_VERB_DOCTOR)
#define TARGETS (GATHERS | BW_VERB_REPORT | BW_VERB_DONE | BW_VERB_FORGET)
#define ALL	(~0U)

/* Takes the value of an option into `a`. A message without the option's name: the caller puts it in front. */
typedef int (*take_fn)(struct bw_args *a, const char *value, struct bw_err *err);

struct option {
	const char *name;  /* "--db" */
	char letter;	   /* 0: no short form */
	const char *value; /* what it is called in the help; NULL: a flag */
	take_fn take;
	unsigned verbs;
	const char *help;
};

static void add_text(struct bw_args_list *l, const char *text)
{
	BW_PUSH(l->items, l->count, l->capacity) = text;
}

static void end_list(struct bw_args_list *l)
{
	add_text(l, NULL);
	l->count--;
}

static int need_text(const char *value, struct bw_err *err)
{
	return *value ? 0 : bw_fail(err, BW_E_INPUT, "must not be empty");
}

static int take_setting(struct bw_args_settings *s, const char *text, struct bw_err *err)
{
	const char *eq = strchr(text, '=');
	struct bw_setting x;

	if (!eq || eq == text)
		return bw_fail(err, BW_E_INPUT, "expected NAME=VALUE, got '%s'", text);
	x.name = bw_strndup(text, (size_t)(eq - text));
	x.value = bw_strdup(eq + 1);
	BW_PUSH(s->items, s->count, s->capacity) = x;
	return 0;
}

static int take_number(const char *text, uint64_t min, uint64_t max, unsigned *ret, struct bw_err *err)
{
	uint64_t n;

	if (!bw_text_number(text, min, max, &n))
		return bw_fail(err, BW_E_INPUT, "expected a whole number from %llu to %llu, got '%s'",
			       (unsigned long long)min, (unsigned long long)max, text);
	*ret = (unsigned)n;
	return 0;
}

/* --- one function per option ------------------------------------------------------------------ */

static int take_db(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->db = v;
	return need_text(v, err);
}

static int take_config(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->config = v;
	return need_text(v, err);
}

/* A colon would be ambiguous in SOURCE:PATH, a slash in PATH. */
static int take_source(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->source = v;
	if (strpbrk(v, ":/") || !*v || v[0] == '-' || v[0] == '.')
		return bw_fail(err, BW_E_INPUT,
			       "expected a name without ':' and '/', not beginning with '.' or '-', got '%s'",
			       v);
	return 0;
}

static int take_exclude(struct bw_args *a, const char *v, struct bw_err *err)
{
	add_text(&a->excludes, v);
	return need_text(v, err);
}

static int take_build_arg(struct bw_args *a, const char *v, struct bw_err *err)
{
	return take_setting(&a->build_args, v, err);
}

static int take_context(struct bw_args *a, const char *v, struct bw_err *err)
{
	return take_setting(&a->contexts, v, err);
}

static int take_target(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->target = v;
	return need_text(v, err);
}

static int take_platform(struct bw_args *a, const char *v, struct bw_err *err)
{
	if (strchr(v, ','))
		return bw_fail(err, BW_E_INPUT, "takes one platform, got '%s': give each in a run of its own",
			       v);
	return bw_platform_parse(v, strlen(v), &a->platform, err);
}

static int take_ca_file(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->ca_file = v;
	return need_text(v, err);
}

static int take_insecure(struct bw_args *a, const char *v, struct bw_err *err)
{
	add_text(&a->insecure, v);
	if (strchr(v, '/'))
		return bw_fail(err, BW_E_INPUT, "expected HOST or HOST:PORT without a scheme, got '%s'", v);
	return need_text(v, err);
}

static int take_connections(struct bw_args *a, const char *v, struct bw_err *err)
{
	return take_number(v, 1, 64, &a->connections, err);
}

static int take_connect_timeout(struct bw_args *a, const char *v, struct bw_err *err)
{
	return take_number(v, 1, 600, &a->connect_timeout_s, err);
}

static int take_answer_timeout(struct bw_args *a, const char *v, struct bw_err *err)
{
	return take_number(v, 1, 600, &a->answer_timeout_s, err);
}

static int take_give_up(struct bw_args *a, const char *v, struct bw_err *err)
{
	return take_number(v, 1, 3600, &a->give_up_s, err);
}

static int take_format(struct bw_args *a, const char *v, struct bw_err *err)
{
	if (bw_text_is(v, "table"))
		a->format = BW_FORMAT_TABLE;
	else if (bw_text_is(v, "json"))
		a->format = BW_FORMAT_JSON;
	else
		return bw_fail(err, BW_E_INPUT, "expected 'table' or 'json', got '%s'", v);
	return 0;
}

static int take_config_format(struct bw_args *a, const char *v, struct bw_err *err)
{
	if (!bw_text_is(v, "yaml") && !bw_text_is(v, "json"))
		return bw_fail(err, BW_E_INPUT, "expected 'yaml' or 'json', got '%s'", v);
	a->format = bw_text_is(v, "json") ? BW_FORMAT_JSON : BW_FORMAT_TABLE;
	return 0;
}

static int take_fail_on_word(struct bw_args *a, const char *word, struct bw_err *err)
{
	enum bw_verdict v;

	if (!bw_verdict_parse(word, &v) || v > BW_UNKNOWN)
		return bw_fail(err, BW_E_INPUT,
			       "expected 'none' or a list of 'stale', 'behind', 'unknown', got '%s'", word);
	a->fail_on |= 1U << v;
	return 0;
}

static int take_fail_on(struct bw_args *a, const char *v, struct bw_err *err)
{
	const char *comma;
	int rc = 0;

	a->fail_on = 0;
	if (bw_text_is(v, "none"))
		return 0;
	do {
		comma = strchrnul(v, ',');
		BW_AUTOFREE char *word = bw_strndup(v, (size_t)(comma - v));

		rc = take_fail_on_word(a, word, err);
		v = comma + 1;
	} while (rc == 0 && *comma);
	return rc;
}

static int take_count(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->count_frontends = true;
	if (!bw_text_is(v, "frontend"))
		return bw_fail(err, BW_E_INPUT, "expected 'frontend', got '%s'", v);
	return 0;
}

static int take_digest(struct bw_args *a, const char *v, struct bw_err *err)
{
	return bw_digest_parse(v, strlen(v), &a->digest, err);
}

static int take_event(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->event = v;
	return need_text(v, err);
}

static int take_sink(struct bw_args *a, const char *v, struct bw_err *err)
{
	a->sink = v;
	return need_text(v, err);
}

static int take_since(struct bw_args *a, const char *v, struct bw_err *err)
{
	if (bw_time_parse(v, &a->since_ms))
		return 0;
	return bw_fail(err, BW_E_INPUT,
		       "expected a day or a time such as 2026-11-21 or 2026-11-21T12:00:00Z, got '%s'", v);
}

static int take_dead(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->dead = true;
	return 0;
}

static int take_log_format(struct bw_args *a, const char *v, struct bw_err *err)
{
	if (bw_text_is(v, "auto"))
		a->log_format = BW_LOG_AUTO;
	else if (bw_text_is(v, "plain"))
		a->log_format = BW_LOG_PLAIN;
	else if (bw_text_is(v, "json"))
		a->log_format = BW_LOG_JSON;
	else
		return bw_fail(err, BW_E_INPUT, "expected 'auto', 'plain' or 'json', got '%s'", v);
	return 0;
}

static int take_once(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->once = true;
	return 0;
}

static int take_allow_root(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->allow_root = true;
	return 0;
}

static int take_suppressed(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->suppressed = true;
	return 0;
}

static int take_offline(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->offline = true;
	return 0;
}

static int take_manifest(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->manifest = true;
	return 0;
}

static int take_write(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->write = true;
	return 0;
}

static int take_check(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->check = true;
	return 0;
}

static int take_verbose(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->verbose = true;
	return 0;
}

static int take_quiet(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->quiet = true;
	return 0;
}

static int take_help(struct bw_args *a, const char *v, struct bw_err *err)
{
	(void)v, (void)err;
	a->help = true;
	return 0;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct option options[] = {
	{"--build-arg", 0, "NAME=VALUE", take_build_arg, GATHERS, "as given to the build; repeatable"},
	{"--target", 0, "STAGE", take_target, TARGETS, "the stage that is built; default: the last one"},
	{"--platform", 0, "OS/ARCH", take_platform, GATHERS,
	 "the platform that is built for; default: this machine's"},
	{"--platform", 0, "OS/ARCH", take_platform, BW_VERB_RESOLVE, "only the image for this platform"},
	{"--manifest", 0, NULL, take_manifest, BW_VERB_RESOLVE,
	 "write the manifest itself, byte for byte, of one IMAGE"},
	{"--build-context", 0, "NAME=VALUE", take_context, GATHERS,
	 "as given to the build; docker-image://REF is a base, everything else is local; repeatable"},
	{"--source", 0, "NAME", take_source, SCANS,
	 "name of the source: builds are then NAME and the path inside it, the same in every checkout"},
	{"--exclude", 0, "GLOB", take_exclude, GATHERS,
	 "leave out what matches inside the folder; repeatable"},
	{"--write", 0, NULL, take_write, BW_VERB_PIN, "edit the files in place instead of printing a patch"},
	{"--check", 0, NULL, take_check, BW_VERB_PIN, "exit 1 if anything would change"},
	{"--insecure-registry", 0, "HOST", take_insecure, ASKS | BW_VERB_DOCTOR,
	 "may be spoken to without TLS if it has none; repeatable. Loopback always may"},
	{"--cacert", 0, "FILE", take_ca_file, ASKS | BW_VERB_DOCTOR,
	 "PEM certificates to trust besides the system's"},
	{"--connections", 0, "N", take_connections, ASKS, "at most N connections per registry; default: 3"},
	{"--connect-timeout", 0, "SECONDS", take_connect_timeout, ASKS, "to reach a registry; default: 5"},
	{"--answer-timeout", 0, "SECONDS", take_answer_timeout, ASKS, "for one answer; default: 10"},
	{"--give-up", 0, "SECONDS", take_give_up, ASKS, "for one base, retries included; default: 30"},
	{"--offline", 0, NULL, take_offline, BW_VERB_RESOLVE, "only parse and show the normal form"},
	{"--offline", 0, NULL, take_offline, BW_VERB_DOCTOR, "look only at what is on this machine"},
	{"--digest", 0, "DIGEST", take_digest, BW_VERB_DONE,
	 "what it was rebuilt on; default: what the tag pointed to when it was last asked"},
	{"--event", 0, "ID", take_event, BW_VERB_DONE,
	 "what this event asked to rebuild, and nothing else; instead of a PATH"},
	{"--sink", 0, "NAME", take_sink, BW_VERB_EVENTS, "only what is owed to this sink"},
	{"--since", 0, "TIME", take_since, BW_VERB_EVENTS, "only events from then on: 2026-11-21, or a time"},
	{"--dead", 0, NULL, take_dead, BW_VERB_EVENTS, "only deliveries that were given up"},
	{"--suppressed", 0, NULL, take_suppressed, BW_VERB_EVENTS,
	 "only events that the rules gave to nobody"},
	{"--once", 0, NULL, take_once, BW_VERB_RUN,
	 "one full cycle with delivery, then exit; for cron and timers"},
	{"--allow-root", 0, NULL, take_allow_root, BW_VERB_RUN, "keep running even as root"},
	{"--log-format", 0, "auto|plain|json", take_log_format, BW_VERB_RUN,
	 "of what is said on stderr; default: auto, with priorities where it goes to the journal"},
	{"--fail-on", 0, "LIST", take_fail_on, JUDGES,
	 "verdicts that make the exit code 1 or 2: stale,behind,unknown (the default), or none"},
	{"--count", 0, "frontend", take_count, JUDGES, "let `# syntax=` images decide the exit code as well"},
	{"--format", 0, "table|json", take_format, PRINTS, "default: table"},
	{"--format", 0, "yaml|json", take_config_format, BW_VERB_CONFIG, "of what is shown; default: yaml"},
	{"--config", 0, "FILE", take_config, STORES | ASKS | BW_VERB_SCAN | BW_VERB_CONFIG | BW_VERB_SINK,
	 "the configuration; see basewatch.yaml(5) for the default"},
	{"--db", 0, "FILE", take_db, STORES, "the database; see Files in basewatch(1) for the default"},
	{"--quiet", 'q', NULL, take_quiet, ALL, "only results and errors"},
	{"--verbose", 'v', NULL, take_verbose, ALL, "say more on stderr"},
	{"--help", 'h', NULL, take_help, ALL, "this text"},
};

static bool option_is(const struct option *o, const char *word, size_t len)
{
	if (len == 2 && word[0] == '-' && o->letter)
		return word[1] == o->letter;
	return strlen(o->name) == len && strncmp(o->name, word, len) == 0;
}

static const struct option *find_option(unsigned verb, const char *word, size_t len)
{
	for (size_t i = 0; i < BW_COUNT(options); i++)
		if ((options[i].verbs & verb) && option_is(&options[i], word, len))
			return &options[i];
	return NULL;
}

static int fail_unknown(unsigned verb, const char *word, size_t len, struct bw_err *err)
{
	BW_AUTOFREE char *name = bw_strndup(word, len);
	const char *best = NULL;
	size_t best_distance = 4;

	if (find_option(ALL, word, len))
		return bw_fail(err, BW_E_INPUT, "option '%s' does not go with this command", name);
	for (size_t i = 0; i < BW_COUNT(options); i++) {
		size_t d = bw_text_distance(name, options[i].name, best_distance);

		if ((options[i].verbs & verb) && d < best_distance) {
			best = options[i].name;
			best_distance = d;
		}
	}
	if (best)
		return bw_fail(err, BW_E_INPUT, "unknown option '%s'; did you mean '%s'?", name, best);
	return bw_fail(err, BW_E_INPUT, "unknown option '%s'", name);
}

/* One option at argv[*i], with its value behind '=' or in the next word. */
static int parse_option(unsigned verb, char **argv, int argc, int *i, struct bw_args *a, struct bw_err *err)
{
	const char *word = argv[*i];
	const char *eq = word[1] == '-' ? strchr(word, '=') : NULL;
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	const struct option *o = find_option(verb, word, len);
	const char *value = NULL;
	int rc;

	if (!o)
		return fail_unknown(verb, word, len, err);
	if (!o->value && eq)
		return bw_fail(err, BW_E_INPUT, "option '%s' takes no value", o->name);
	if (o->value) {
		value = eq ? eq + 1 : (*i + 1 < argc ? argv[++*i] : NULL);
		if (!value)
			return bw_fail(err, BW_E_INPUT, "option '%s' needs a value: %s", o->name, o->value);
	}
	rc = o->take(a, value, err);
	return rc < 0 ? bw_err_ctx(err, "%s", o->name) : 0;
}

int bw_args_parse(unsigned verb, int argc, char **argv, struct bw_args *ret, struct bw_err *err)
{
	bool only_operands = false;
	int rc = 0;

	*ret = (struct bw_args){.fail_on = 1U << BW_STALE | 1U << BW_BEHIND | 1U << BW_UNKNOWN};
	for (int i = 0; i < argc && rc == 0; i++) {
		if (only_operands || argv[i][0] != '-' || !argv[i][1])
			add_text(&ret->operands, argv[i]);
		else if (bw_text_is(argv[i], "--"))
			only_operands = true;
		else
			rc = parse_option(verb, argv, argc, &i, ret, err);
	}
	end_list(&ret->operands);
	end_list(&ret->excludes);
	end_list(&ret->insecure);
	return rc;
}

static void free_settings(struct bw_args_settings *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i].name);
		free(s->items[i].value);
	}
	free(s->items);
}

void bw_args_done(struct bw_args *a)
{
	free(a->operands.items);
	free(a->excludes.items);
	free(a->insecure.items);
	free_settings(&a->build_args);
	free_settings(&a->contexts);
}

/* --- help ------------------------------------------------------------------------------------- */

#define HELP_COLUMN 30
#define HELP_WIDTH  80

/* Words of `text` from HELP_COLUMN on, broken before HELP_WIDTH. `at`: the column where the cursor is. */
static void print_wrapped(FILE *out, size_t at, const char *text)
{
	if (at + 1 > HELP_COLUMN) {
		fputc('\n', out);
		at = 0;
	}
	fprintf(out, "%*s", (int)(HELP_COLUMN - at), "");
	at = HELP_COLUMN;
	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > HELP_COLUMN && at + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		} else if (at > HELP_COLUMN) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", (int)len, text);
		at += len;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

void bw_args_help(unsigned verb, FILE *out)
{
	fputs("\nOptions:\n", out);
	for (size_t i = 0; i < BW_COUNT(options); i++) {
		const struct option *o = &options[i];
		int at;

		if (!(o->verbs & verb))
			continue;
		at = o->letter ? fprintf(out, "  -%c, %s", o->letter, o->name)
			       : fprintf(out, "  %s", o->name);
		if (o->value)
			at += fprintf(out, " %s", o->value);
		print_wrapped(out, at < 0 ? 0 : (size_t)at, o->help);
	}
}
