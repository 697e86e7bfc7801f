/*
 * gitout.h - what git prints, as values. Pure. The other side chose most of it: names of branches, paths, contents.
 * Private to source/.
 */
#ifndef BW_SOURCE_GITOUT_H
#define BW_SOURCE_GITOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

#define BW_GIT_OID_MAX 65 /* SHA-256 in hex, and the NUL */

/* 40 or 64 hex digits in lower case, exactly `len` bytes. */
bool bw_gitout_is_oid(const char *s, size_t len);
/* May a branch be called so? As git-check-ref-format(1) has it for what stands behind refs/heads/. */
bool bw_gitout_is_branch(const char *name);

/* --- git ls-remote --symref, and git for-each-ref --format='%(objectname) %(refname)' --------------- */

struct bw_git_ref {
	char *name; /* behind the prefix that was asked for */
	char oid[BW_GIT_OID_MAX];
};

struct bw_git_refs {
	struct bw_git_ref *items;
	size_t count, capacity;
	char *head; /* the branch that HEAD is; NULL: it is none, or the server does not say */
	char head_oid[BW_GIT_OID_MAX]; /* "" without */
};

/*
 * Takes the refs below `prefix`, "refs/heads/", each on a line of its own: OID, a tabulator or a blank, name. Names that
 * no branch may have are left out. BW_E_PEER for what is no such output, BW_E_LIMIT.
 */
int bw_gitout_refs(const char *text, size_t len, const char *prefix, struct bw_git_refs *ret,
		   struct bw_err *err) BW_NODISCARD;
/* NULL: it is not among them. */
const struct bw_git_ref *bw_git_refs_find(const struct bw_git_refs *r, const char *name);
void bw_git_refs_done(struct bw_git_refs *r);

/* --- git ls-tree -r -z ------------------------------------------------------------------------------ */

enum bw_git_kind { BW_GIT_FILE_ENTRY, BW_GIT_LINK_ENTRY, BW_GIT_MODULE_ENTRY };

struct bw_git_entry {
	uint32_t path; /* where it begins in the text of the tree */
	uint32_t oid;
	enum bw_git_kind kind;
};

struct bw_git_tree {
	struct bw_buf text;
	struct bw_git_entry *items; /* in the bytewise order of the paths */
	size_t count, capacity;
};

#define BW_GIT_MAX_ENTRIES    500000U
#define BW_GIT_MAX_TREE_BYTES (96U << 20)
#define BW_GIT_MAX_PATH_BYTES 4096U

/* Takes the output over. BW_E_PEER for what is no such output, or a tree that git would not make; BW_E_LIMIT. */
int bw_gitout_tree(struct bw_buf *text, struct bw_git_tree *ret, struct bw_err *err) BW_NODISCARD;
void bw_git_tree_done(struct bw_git_tree *t);

const char *bw_git_tree_path(const struct bw_git_tree *t, const struct bw_git_entry *e);
/* As a string of its own: 40 or 64 digits and a NUL. */
const char *bw_git_tree_oid(const struct bw_git_tree *t, const struct bw_git_entry *e);
/* The entry of exactly that path; NULL: none. */
const struct bw_git_entry *bw_git_tree_find(const struct bw_git_tree *t, const char *path);
/* Is there anything below that path, with a '/' at its end? */
bool bw_git_tree_has_folder(const struct bw_git_tree *t, const char *path);

/* --- git cat-file --batch --------------------------------------------------------------------------- */

struct bw_git_objects {
	size_t max; /* bytes of one object that are kept */
	/* The nth object that was asked for, from 0. `content` NULL: `problem` says why. */
	void (*object)(size_t n, const struct bw_buf *content, bool is_missing, const char *problem,
		       void *arg);
	void *arg;
	/* private */
	size_t n, left;
	struct bw_buf line, content;
	bool in_content, is_blob, is_kept, is_broken;
};

void bw_gitout_objects_init(struct bw_git_objects *o);
void bw_gitout_objects_done(struct bw_git_objects *o);
/* As it comes. False: this is no such output. */
bool bw_gitout_objects_feed(struct bw_git_objects *o, const char *bytes, size_t len);

#endif
