/*
 * giturl.h - addresses of git repositories, as people write them. Pure. What identifies and shows a repository is its
 * URL without user info: a name and a password never reach the database, a log or a message.
 */
#ifndef BW_SOURCE_GITURL_H
#define BW_SOURCE_GITURL_H

#include <stdbool.h>

#include "core/err.h"

enum bw_git_scheme { BW_GIT_HTTPS, BW_GIT_HTTP, BW_GIT_SSH, BW_GIT_GIT, BW_GIT_FILE };

struct bw_giturl {
	enum bw_git_scheme scheme;
	char *shown; /* without user info, scheme and host in lower case: "https://github.com/acme/api.git" */
	char *fetch; /* what git is given: without user info; with the user where that is no secret (ssh) */
	char *user;  /* of http(s), decoded; NULL without */
	char *password; /* of http(s), decoded; NULL without */
	char *branch;	/* behind '#'; NULL without, and for "#" and "#:folder" */
	char *folder;	/* behind the ':' of that, without slashes around it; NULL without */
};

/*
 * Does it look like the address of a repository on a command line: SCHEME://..., USER@HOST:PATH, or HELPER::ADDRESS
 * (which is refused then)? Whether there is a path of that name is the caller's question.
 */
bool bw_giturl_is(const char *operand);

/*
 * https, http, ssh, git, file, and ssh as [USER@]HOST:PATH; also an absolute path, which means file://PATH. Then
 * [#BRANCH[:FOLDER]]. BW_E_INPUT with a message that repeats nothing that may be secret. The caller frees.
 */
int bw_giturl_parse(const char *text, struct bw_giturl *ret, struct bw_err *err) BW_NODISCARD;
void bw_giturl_done(struct bw_giturl *u);

/* "URL#branch": the name of the source that a branch is. A new string. */
char *bw_giturl_source(const struct bw_giturl *u, const char *branch);

/* Removes, in place, user info from every URL in a text, and the secrets of `u` (may be NULL) wherever they stand. */
void bw_giturl_redact(char *text, const struct bw_giturl *u);

#endif
