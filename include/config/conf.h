/*
 * conf.h - the configuration as values (basewatch.yaml). No other room reads it: command/ hands each room what it needs.
 *
 * What every key means, its default and its limits stand in one table, watcher/config/keys.c, which parsing, showing,
 * comparing, the sample file, the JSON Schema and the manual all come from. Lists hold no NULL; texts are NULL only
 * where that is said. A list of names or globs that means "all" holds the one item "*" or "**".
 */
#ifndef BW_CONFIG_CONF_H
#define BW_CONFIG_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/problem.h"
#include "config/secret.h"
#include "core/err.h"

#define BW_CONF_MAX_BYTES (1U << 20) /* a thousand builds take some 300 KiB */

#define BW_CONF_LIST(type)              \
	struct {                        \
		type *items;            \
		size_t count, capacity; \
	}

struct bw_conf_texts {
	char **items;
	size_t count, capacity;
};

struct bw_conf_pair {
	char *name;
	char *value;
};

struct bw_conf_pairs {
	struct bw_conf_pair *items;
	size_t count, capacity;
};

struct bw_conf_secrets {
	struct bw_secret *items;
	size_t count, capacity;
};

/* A folder, or branches of a git repository. */
struct bw_conf_source {
	char *path; /* absolute; NULL: git */
	char *git;  /* URL, or an absolute path; NULL: a folder */
	char *name; /* NULL: none */
	struct bw_conf_texts branches;
	struct bw_conf_texts include, exclude;
};

/* What a build file alone cannot say. */
struct bw_conf_build {
	char *source; /* name of a source */
	char *file;   /* inside it */
	char *target; /* NULL: the last stage */
	char *image;  /* NULL: not known */
	struct bw_conf_pairs args, contexts, labels;
	struct bw_conf_texts platforms;
};

struct bw_conf_poll {
	int64_t every_ms, rescan_ms, settle_ms, minimum_distance_ms;
	int64_t jitter_percent;
	int64_t unreachable_after;
};

struct bw_conf_registry {
	char *host; /* HOST[:PORT], or "*": what holds for all others */
	int64_t connections, in_flight, requests_per_second; /* the last in thousandths; 0: not said */
	int64_t reserve_percent;			     /* -1: not said */
	bool insecure, mirrors_only, anonymous;
	char *ca_file, *cert_file, *key_file; /* NULL: none of our own */
	char *proxy;			      /* a URL, or "none"; NULL: not said */
	struct bw_conf_texts mirrors;
	char *username, *helper; /* who logs in, or NAME of docker-credential-NAME; NULL: not said */
	struct bw_secret password;
};

enum bw_conf_sink_type { BW_CONF_MQTT, BW_CONF_WEBHOOK };

/* One of both is set. */
struct bw_conf_header_value {
	char *text;
	struct bw_secret secret;
};

struct bw_conf_header {
	char *name;
	struct bw_conf_header_value value;
};

struct bw_conf_sink {
	char *name;
	unsigned type;	 /* enum bw_conf_sink_type */
	char *url;	 /* scheme and host have been looked at; holds no user info */
	unsigned events; /* bit per entry of bw_conf_events */
	int64_t expire_ms;
	char *ca_file, *cert_file, *key_file; /* NULL: none */
	/* MQTT */
	char *username;	 /* NULL: none */
	char *client_id; /* NULL: made from the instance */
	char *prefix;
	struct bw_secret password;
	int64_t qos;
	/* webhook */
	struct bw_conf_secrets secrets; /* each signs: two during a rotation */
	BW_CONF_LIST(struct bw_conf_header) headers;
	int64_t timeout_ms;
	bool allow_link_local, confirms;
};

struct bw_conf_match {
	struct bw_conf_texts sources; /* names, or "*" */
	struct bw_conf_texts bases;   /* globs */
	unsigned roles;		      /* bit per entry of bw_conf_roles */
	unsigned classes;	      /* bit per entry of bw_conf_classes */
};

/* The first rule that matches decides. What none matches goes by a rule with nothing but defaults. */
struct bw_conf_rule {
	struct bw_conf_match match;
	struct bw_conf_texts sinks; /* names, or "*"; none: it is suppressed */
};

struct bw_conf {
	char *instance; /* NULL: the name of the host */
	char *state;	/* folder; NULL: not said */
	struct bw_conf_poll poll;
	struct {
		int64_t every_ms; /* 0: never */
	} reminders;
	BW_CONF_LIST(struct bw_conf_source) sources;
	BW_CONF_LIST(struct bw_conf_build) builds;
	BW_CONF_LIST(struct bw_conf_registry) registries;
	BW_CONF_LIST(struct bw_conf_sink) sinks;
	BW_CONF_LIST(struct bw_conf_rule) rules;
};

/* The words of the sets, NULL-terminated; the first is bit 0. Roles and classes in the order of their enums. */
extern const char *const bw_conf_events[];
extern const char *const bw_conf_roles[];
extern const char *const bw_conf_classes[];

/* The rule for what no rule matches. The caller frees with bw_conf_rule_done(). */
void bw_conf_rule_default(struct bw_conf_rule *ret);
void bw_conf_rule_done(struct bw_conf_rule *r);

enum bw_conf_flags {
	/* Also look whether what it names is there; warnings, except for secrets that everyone may read. */
	BW_CONF_LOOK = 1 << 0,
};

struct bw_conf *bw_conf_new(void); /* nothing configured: every default */
void bw_conf_free(struct bw_conf *c);

/*
 * `folder` is what relative paths count from. Everything that is wrong, and what is doubtful, goes to `problems`.
 * BW_E_CONFIG when there was an error, with a message that counts them.
 */
int bw_conf_parse(const char *text, size_t len, const char *folder, unsigned flags, struct bw_conf **ret,
		  struct bw_conf_problems *problems, struct bw_err *err) BW_NODISCARD;

/* The same for a file. BW_E_GONE: there is none; BW_E_CONFIG also when it cannot be read. */
int bw_conf_load(const char *path, unsigned flags, struct bw_conf **ret, struct bw_conf_problems *problems,
		 struct bw_err *err) BW_NODISCARD;

/* What others find wrong with a key, as an error at its place. `steps`: names, and numbers in lists; then NULL. */
void bw_conf_complain(const char *path, const char *const *steps, const char *text,
		      struct bw_conf_problems *problems);

/* Where a configuration would be looked for, as values of the environment (NULL: not set). */
struct bw_conf_places {
	const char *xdg_config_home, *home;
	const char *etc; /* "/etc" */
};
/*
 * The first of $XDG_CONFIG_HOME/basewatch (else ~/.config/basewatch) and /etc/basewatch that holds a basewatch.yaml;
 * NULL: none does. The caller frees.
 */
char *bw_conf_find(const struct bw_conf_places *p);
char *bw_conf_find_default(void); /* the same with this process's environment */

enum bw_conf_format { BW_CONF_YAML, BW_CONF_JSON };
/*
 * Everything that is in force, defaults included, in a form that bw_conf_parse() takes. Secrets are named and not
 * shown; user info of git URLs and queries of webhook URLs are masked.
 */
void bw_conf_show(const struct bw_conf *c, enum bw_conf_format format, struct bw_buf *ret);

/* What a source is called: its name, else its URL or path. */
const char *bw_conf_source_name(const struct bw_conf_source *s);

/* Of libyaml: "0.2.5". */
const char *bw_conf_version(void);

#endif
