/*
 * quirks.h - the registries that we know by name, and what we say because of it. Pure. How a registry behaves is learnt from
 * its answers, whoever it is; a name only gives the words that help a person who was turned away. contrib/registries.md has
 * all that is known of each, and tests/it/shapes.bats plays it.
 */
#ifndef BW_REGISTRY_QUIRKS_H
#define BW_REGISTRY_QUIRKS_H

#include <stdbool.h>

#include "image/answer.h"

struct bw_quirks {
	const char *name;
	const char *const *hosts; /* globs, NULL-terminated; NULL: it may be anybody's host */
	const char *realm;   /* glob of its token endpoint without the scheme; NULL: that tells nothing */
	const char *service; /* that it names beside that; NULL: any */
	bool hides_missing;  /* a repository that is missing and one that is not open to all look the same */
	const char *login;   /* how to be let in; NULL: in no special way */
};

/*
 * By the name of the registry in references; where that does not tell, by what its challenge named, if there was one. NULL:
 * none that we know.
 */
const struct bw_quirks *bw_quirks_find(const char *registry, const char *realm, const char *service);

/*
 * Adds what helps to the message of trouble with a log-in (AUTH, DENIED); what does not fit with it is cut from the message
 * itself. `q` NULL, or other trouble: nothing.
 */
void bw_quirks_advise(const struct bw_quirks *q, enum bw_trouble trouble,
		      char message[BW_ANSWER_MESSAGE_MAX]);

#endif
