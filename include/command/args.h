/*
 * args.h - the command line as values. One table of options drives parsing and help.
 */
#ifndef BW_COMMAND_ARGS_H
#define BW_COMMAND_ARGS_H

#include <stdbool.h>
#include <stdio.h>

#include "buildfile/dockerfile.h"
#include "core/err.h"
#include "core/log.h"
#include "report/report.h"

struct bw_args_list {
	const char **items; /* NULL-terminated once parsing is done */
	size_t count, capacity;
};

struct bw_args_settings {
	struct bw_setting *items;
	size_t count, capacity;
};

struct bw_args {
	struct bw_args_list operands; /* PATH, IMAGE, BUILD ... */
	/* where the state is */
	const char *db;
	const char *config; /* NULL: the default file, if there is one */
	/* what a build would be given */
	const char *source;
	struct bw_args_list excludes;
	struct bw_args_settings build_args;
	struct bw_args_settings contexts;
	const char *target;
	struct bw_platform platform; /* os "" when not given */
	/* how registries are asked */
	const char *ca_file;
	struct bw_args_list insecure;
	unsigned connections;
	unsigned connect_timeout_s, answer_timeout_s, give_up_s;
	/* what comes out */
	enum bw_format format;
	unsigned fail_on; /* bit per verdict */
	bool count_frontends;
	bool offline;
	bool manifest; /* the bytes of the manifest instead of a listing */
	bool write;    /* edit the files in place */
	bool check;    /* only say whether something would change */
	struct bw_digest digest;
	const char *event; /* id of an event, or the beginning of one */
	/* which events */
	const char *sink;
	int64_t since_ms;
	bool dead;
	bool suppressed;
	/* how the daemon runs */
	enum bw_log_format log_format;
	bool once;
	bool allow_root;
	bool verbose, quiet, help;
};

/* A verb's bit in the table of options. */
enum bw_verb_bit {
	BW_VERB_SCAN = 1 << 0,
	BW_VERB_CHECK = 1 << 1,
	BW_VERB_REPORT = 1 << 2,
	BW_VERB_HISTORY = 1 << 3,
	BW_VERB_RESOLVE = 1 << 4,
	BW_VERB_DONE = 1 << 5,
	BW_VERB_FORGET = 1 << 6,
	BW_VERB_PIN = 1 << 7,
	BW_VERB_CONFIG = 1 << 8,
	BW_VERB_EVENTS = 1 << 9,
	BW_VERB_SINK = 1 << 10,
	BW_VERB_RUN = 1 << 11,
	BW_VERB_DOCTOR = 1 << 12,
};

/*
 * Parses what follows the verb. BW_E_INPUT names the option and says what was expected. The texts stay those
 * of `argv`. The caller frees with bw_args_done() in both cases.
 */
int bw_args_parse(unsigned verb, int argc, char **argv, struct bw_args *ret, struct bw_err *err) BW_NODISCARD;
void bw_args_done(struct bw_args *a);

/* The option part of a verb's help. */
void bw_args_help(unsigned verb, FILE *out);

#endif
