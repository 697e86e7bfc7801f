/*
 * rules.h - which changes are told to which sinks. Pure: rules and one question in, a decision out.
 *
 * The first rule that matches decides. What none matches goes by the default rule, which is what design §5 counts: all
 * roles but frontends and all classes but `index`, to every sink. What not even that matches does not count.
 */
#ifndef BW_WATCH_RULES_H
#define BW_WATCH_RULES_H

#include "buildfile/use.h"
#include "image/class.h"
#include "store/fact.h"

/* Bit per enum bw_role, and per enum bw_class: what the default rule matches. */
#define BW_RULES_ROLES	 (((1U << BW_ROLE_COUNT) - 1) & ~(1U << BW_ROLE_FRONTEND))
#define BW_RULES_CLASSES (((1U << BW_CLASS_COUNT) - 1) & ~(1U << BW_CLASS_INDEX))

/* What builds are filed under (store/build.h). */
struct bw_rule_source {
	const char
		*name; /* of a folder, or the URL of a repository without its "#branch"; NULL ends a list */
	const char *branch; /* glob, of a repository; NULL: a folder */
};

/* Lists of texts end with NULL. */
struct bw_rule {
	const struct bw_rule_source *sources; /* NULL: all */
	const char *const *bases;	      /* globs for registry/repository:tag; NULL: all */
	unsigned roles;			      /* bit per enum bw_role */
	unsigned classes;		      /* bit per enum bw_class */
	const char *const *sinks;	      /* names; NULL: all; an empty list: nobody is told */
};

struct bw_rules {
	const struct bw_rule *items;
	size_t count;
};

/* A use of a build that stands on an older digest. */
struct bw_rules_use {
	const char *source; /* "shop"; "https://x.example/a.git#main"; "": without a name */
	const char *base;   /* registry/repository:tag */
	enum bw_role role;
	enum bw_class class;
};

struct bw_ruling {
	enum bw_use_fate fate;
	size_t rule; /* that decided, from 1 as in the configuration; 0: the default rule, or none */
	const char *const *sinks; /* ASKED: who is asked; NULL: all */
};

/* Is somebody to be asked to rebuild? `r` may be NULL: there are none. */
void bw_rules_decide(const struct bw_rules *r, const struct bw_rules_use *u, struct bw_ruling *ret);

/*
 * What happens to a base is told to every sink that wants to know, ASKED with all sinks; or to nobody, SUPPRESSED, where
 * the first rule that is for this base as such has no sinks. As such: it leaves out no source, and none of the roles and
 * classes of the default rule.
 */
void bw_rules_decide_base(const struct bw_rules *r, const char *base, struct bw_ruling *ret);

/* Does some rule name what the default rule leaves out, and tell somebody of it? */
bool bw_rules_count_index(const struct bw_rules *r);
bool bw_rules_count_frontends(const struct bw_rules *r);

#endif
