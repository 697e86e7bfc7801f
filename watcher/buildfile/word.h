/*
 * word.h - shell-like expansion of Dockerfile words: quotes, escapes, `$name` and `${name...}` with every
 * modifier (BuildKit shell/lex.go). Pure: variables come through a callback that tells unset from empty.
 *
 * Bounded against hostile text: the result has at most BW_MAX_WORD_BYTES, `${}` nests at most BW_WORD_DEPTH
 * deep, and the steps of pattern matching and the bytes written are taken off a budget that the caller shares
 * over a file.
 */
#ifndef BW_BUILDFILE_WORD_H
#define BW_BUILDFILE_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "buildfile/pattern.h"
#include "core/buf.h"
#include "core/err.h"

#define BW_WORD_DEPTH	64
#define BW_WORD_MISSING 4	    /* so many unset variables of a word are named */
#define BW_WORD_WORK	(16U << 20) /* steps and bytes for one build file: far beyond any real one */

struct bw_word_value {
	const char *text;
	size_t len;
	const void *origin;  /* the caller's own: who gave the value; NULL: nobody of interest */
	const char *missing; /* name of an unset variable that left a gap in this value; NULL: none */
	bool is_of_target;   /* the value is another one for another target platform of the build */
};

/* False: `name` is unset. */
typedef bool (*bw_word_get_fn)(const char *name, size_t len, struct bw_word_value *ret, void *arg);

struct bw_word_rules {
	char escape;	    /* of the file */
	bool raw_quotes;    /* quotes stay in the result */
	bool raw_escapes;   /* escape characters stay in the result */
	bool keeps_unset;   /* `$name` of an unset variable stays as it is */
	bw_word_get_fn get; /* NULL: everything is unset */
	void *arg;
	size_t *work; /* the budget; NULL: one of BW_WORD_WORK for this call */
};

/* How the result came about. */
struct bw_word_facts {
	/* The last variable whose value stands in the result unchanged and not empty; NULL: none, or it was
	 * edited. */
	const void *origin;
	/* Unset variables that left a gap: parts of the word, or of the names in struct bw_word_value. */
	struct bw_text missing[BW_WORD_MISSING];
	size_t missing_count;
	bool is_of_target; /* a value of that kind had a say in the result */
};

/*
 * Appends the expanded word to `out` (empty, with maximum BW_MAX_WORD_BYTES). `facts` may be NULL.
 * BW_E_INPUT: the word is wrong (the message says how); BW_E_LIMIT: one of the bounds.
 */
int bw_word_expand(const char *s, size_t len, const struct bw_word_rules *rules, struct bw_buf *out,
		   struct bw_word_facts *facts, struct bw_err *err) BW_NODISCARD;

/* Would bw_word_expand() leave this text as it is, whatever the variables are? True for most words. */
bool bw_word_is_plain(const char *s, size_t len, char escape);

/* One word of a split line; valid during the call only. */
typedef void (*bw_word_fn)(const char *word, size_t len, void *arg);

/* Expands and splits at white space that is not quoted. On failure `fn` may have been called for words before
 * it. */
int bw_word_split(const char *s, size_t len, const struct bw_word_rules *rules, bw_word_fn fn, void *arg,
		  struct bw_err *err) BW_NODISCARD;

#endif
