/*
 * directive.h - the parser directives at the head of a Dockerfile (`# syntax=`, `# escape=`, `# check=`), and
 * which frontend a build would load. BuildKit reads the two with different rules (parser/directives.go): the
 * parser trims blanks before it looks at a line, the detector of the frontend does not, and knows more comment
 * forms.
 */
#ifndef BW_BUILDFILE_DIRECTIVE_H
#define BW_BUILDFILE_DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "buildfile/use.h"
#include "core/err.h"

enum bw_directive {
	BW_DIRECTIVE_NONE, /* an ordinary line: the block of directives ends here */
	BW_DIRECTIVE_SYNTAX,
	BW_DIRECTIVE_ESCAPE,
	BW_DIRECTIVE_CHECK,
};

/* The block; a zeroed value stands before the first line. */
struct bw_directives {
	bool is_over;
	unsigned seen; /* bit per enum bw_directive */
};

/*
 * Looks at one line with its comment prefix ("#" or "//"). `*ret_value`, `*ret_len`: the value, a part of
 * `line`. BW_E_INPUT for a directive that comes twice; the block goes on then.
 */
int bw_directive_read(struct bw_directives *d, const char *prefix, const char *line, size_t len,
		      enum bw_directive *ret, const char **ret_value, size_t *ret_len, struct bw_err *err);

/* What `# syntax=` names. */
struct bw_frontend {
	const char *text; /* the reference, up to the first blank; part of the file, or of `owned` */
	size_t len;
	char *owned;	     /* not NULL: the value of the JSON form */
	struct bw_span span; /* line 0 when the text does not stand in the file letter by letter */
	bool is_json;	     /* the file is a JSON object, no Dockerfile */
};

/* False: the file names no frontend, the builder's own is used. */
bool bw_frontend_find(const char *text, size_t len, struct bw_frontend *ret);
void bw_frontend_done(struct bw_frontend *f);

#endif
