/*
 * doctor.h - what the checks of `doctor` share; private to command/. A check begins in its area's begin(), and may find
 * something at once, or say that it will and answer from the loop. Nothing is written to the database, no event is sent.
 */
#ifndef BW_COMMAND_DOCTOR_H
#define BW_COMMAND_DOCTOR_H

#include "command/args.h"
#include "command/diagnosis.h"
#include "config/conf.h"
#include "image/reference.h"
#include "net/loop.h"

struct bw_doctor_entry;

#define BW_DOCTOR_MS 20000 /* all of it */

struct bw_doctor {
	const struct bw_args *args;
	struct bw_loop *loop;
	struct bw_signal *on_int, *on_term;
	struct bw_timer *deadline;
	int64_t started_ms;
	bool interrupted, is_running;
	/* what begin() of the first areas sets */
	struct bw_conf *conf;	/* defaults where there is none, or a bad one */
	bool is_conf_bad;	/* an error was found in it ... */
	bool is_conf_used;	/* ... and yet it can be read */
	struct bw_store *store; /* NULL: there is none that can be opened */
	/* what was found, and what is still to come */
	struct bw_doctor_entry *entries;
	size_t count, capacity, open;
	/* of each area */
	struct bw_doctor_git_version *git_version;
	struct bw_doctor_registries *registries;
	struct bw_doctor_repositories *repositories;
	struct bw_doctor_sinks *sinks;
};

/* Finds something. Takes the texts of `x` over. */
void bw_doctor_find(struct bw_doctor *d, enum bw_area area, const char *subject, struct bw_diagnosis x);
/* The same with plain texts; `advice` may be NULL. */
void bw_doctor_say(struct bw_doctor *d, enum bw_area area, enum bw_level level, const char *subject,
		   const char *seen, const char *advice);

/* Will find something about this. */
size_t bw_doctor_expect(struct bw_doctor *d, enum bw_area area, const char *subject);
/* What was expected; once. */
void bw_doctor_answer(struct bw_doctor *d, size_t expected, struct bw_diagnosis x);
/* One thing more about it, before or behind its answer. */
void bw_doctor_append(struct bw_doctor *d, size_t expected, struct bw_diagnosis x);

/*
 * Each base that the build files of the configured folders name, once; git repositories are not fetched for it. Ends after a
 * few seconds with what was found until then.
 */
typedef void (*bw_doctor_base_fn)(const struct bw_reference *base, void *arg);
void bw_doctor_read_files(struct bw_doctor *d, bw_doctor_base_fn fn, void *arg);

struct bw_diagnosis bw_doctor_diagnosis(enum bw_level level, const char *seen, const char *advice);

/* The areas. end() cancels what is under way, and is called after every begin(). */
void bw_doctor_configuration_begin(struct bw_doctor *d);
void bw_doctor_configuration_end(struct bw_doctor *d);
void bw_doctor_database_begin(struct bw_doctor *d);
void bw_doctor_database_end(struct bw_doctor *d);
void bw_doctor_environment_begin(struct bw_doctor *d);
void bw_doctor_environment_end(struct bw_doctor *d);
void bw_doctor_registries_begin(struct bw_doctor *d);
void bw_doctor_registries_end(struct bw_doctor *d);
void bw_doctor_sources_begin(struct bw_doctor *d);
void bw_doctor_sources_end(struct bw_doctor *d);
void bw_doctor_sinks_begin(struct bw_doctor *d);
void bw_doctor_sinks_end(struct bw_doctor *d);

#endif
