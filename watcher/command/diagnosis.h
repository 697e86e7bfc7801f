/* diagnosis.h - what numbers and words of the system mean, and what to do about them. Pure. */
#ifndef BW_COMMAND_DIAGNOSIS_H
#define BW_COMMAND_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "image/answer.h"
#include "registry/certs.h"
#include "registry/client.h"
#include "report/findings.h"
#include "store/health.h"

/* Both texts are new strings; `advice` may be NULL. */
struct bw_diagnosis {
	enum bw_level level;
	char *seen;
	char *advice;
};

/* --- environment ---------------------------------------------------------------------------------- */

/* `words`: the first line of `git --version`; NULL: it could not be run. `is_needed`: a git source is configured. */
struct bw_diagnosis bw_diagnose_git(const char *words, bool is_needed);
/* Of $HOME; NULL: not set. */
struct bw_diagnosis bw_diagnose_home(const char *home, bool is_folder);
/* What a proxy variable holds, without user name and password. A new string. */
char *bw_diagnose_proxy(const char *value);
/* The places of the system's certificates, NULL where there is none; what is in them. */
struct bw_diagnosis bw_diagnose_certificates(const char *file, bool has_file, const char *folder,
					     bool has_folder);
/* Our clock is ahead of that of `whom` by so much. */
struct bw_diagnosis bw_diagnose_clock(int64_t ahead_ms, const char *whom);
/* `limit`: inotify watches of a user; 0: not known. */
struct bw_diagnosis bw_diagnose_watches(uint64_t limit, uint64_t folders);
/* Descriptors that this process may open; the registries, repositories and sinks it may talk to. */
struct bw_diagnosis bw_diagnose_descriptors(uint64_t limit, uint64_t peers);

/*
 * How many folders have to be watched for these files: each that lies between the root and one of them, the root itself
 * included. Files outside of it do not count.
 */
struct bw_map;
void bw_diagnose_add_folders(struct bw_map *folders, const char *root, const char *file);

/* --- database ------------------------------------------------------------------------------------- */

struct bw_diagnosis bw_diagnose_size(uint64_t database_bytes, uint64_t log_bytes);
struct bw_diagnosis bw_diagnose_space(uint64_t free_bytes, uint64_t database_bytes);
/* `is_configured`: there is such a sink in the configuration. */
struct bw_diagnosis bw_diagnose_debt(const struct bw_debt *d, bool is_configured, int64_t now_ms);
struct bw_diagnosis bw_diagnose_ailing(const struct bw_ailing *a);

/* --- what is far away ----------------------------------------------------------------------------- */

/* Which log-ins would be found for a registry. */
enum bw_diagnosed_logins {
	BW_LOGINS_OF_DOCKER, /* also those that `docker login` writes */
	BW_LOGINS_OF_FILE,   /* those of $REGISTRY_AUTH_FILE, and no docker's */
	BW_LOGINS_OF_CONF,   /* the configuration says who we are there */
};

/* How a registry was asked. */
struct bw_diagnosed_registry {
	const char *name;
	const char *asked; /* "debian:12" */
	const char *
		credentials; /* where a log-in comes from: the name of a file or a program; NULL: anonymous */
	/* The program that was to know the log-in, and has none, or is not there; as `credentials`; NULL: no such one */
	const char *helper;
	bool is_helper_missing;
	enum bw_diagnosed_logins logins;
	bool is_open; /* it did not want to know who we are */
	bool is_plain;
};
struct bw_diagnosis bw_diagnose_registry(const struct bw_diagnosed_registry *r, const struct bw_answer *a);

/* A mirror of a registry, asked for the same base. */
struct bw_diagnosed_mirror {
	struct bw_diagnosed_registry asked;
	const struct bw_digest *origin; /* what the registry itself says; NULL: it has not said */
	bool is_only;			/* the registry itself is never asked */
};
struct bw_diagnosis bw_diagnose_mirror(const struct bw_diagnosed_mirror *m, const struct bw_answer *a);

/*
 * What a registry grants, and what that does to `bases` that are to be asked every `every_ms`. The plan is known. `is_measured`:
 * its is_free and distance_ms are what a daemon has found; one question alone finds nothing of it.
 */
struct bw_diagnosed_budget {
	const struct bw_budget_plan *plan;
	bool is_measured;
	uint64_t bases;
	int64_t every_ms;
};
struct bw_diagnosis bw_diagnose_budget(const struct bw_diagnosed_budget *b);

/* It has asked to be left alone until then, and is. */
struct bw_diagnosis bw_diagnose_pause(int64_t until_ms);

/* When the daemon asks for the first of its bases, and why then. */
struct bw_diagnosed_next {
	const char *base;
	int64_t at_ms;
	const char *reason;
	const char *pause; /* a word of store/standing.h; NULL: none */
	const char *text;  /* on the registry as a whole; NULL: all is as scheduled */
};
struct bw_diagnosis bw_diagnose_next(const struct bw_diagnosed_next *n);

/* A folder of certificates for one registry. */
struct bw_diagnosis bw_diagnose_certs(const struct bw_certs *c);

/* The program "docker-credential-NAME", if `source` (registry/credentials.h) is one; NULL: it is not. The caller frees. */
char *bw_diagnose_helper_name(const char *source);
/* That program is not installed. `was_asked`: the registry was, without it; else no build needs it. */
struct bw_diagnosis bw_diagnose_helper(const char *source, bool was_asked);
/* The configuration names a proxy for this registry. "none": that it is reached without. `is_loopback`: it is this machine. */
struct bw_diagnosis bw_diagnose_route(const char *proxy, bool is_loopback);

/* What a HEAD request to a webhook came to: a status, or 0 and why there is none. */
struct bw_diagnosis bw_diagnose_webhook(const char *name, unsigned status, const char *why);

void bw_diagnosis_done(struct bw_diagnosis *d);

#endif
