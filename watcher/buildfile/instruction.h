/*
 * instruction.h - a logical line taken apart: keyword, flags, arguments (BuildKit
 * parser/split_command.go). Nothing is expanded here and nothing judged: see grammar.h.
 */
#ifndef BW_BUILDFILE_INSTRUCTION_H
#define BW_BUILDFILE_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>

#include "buildfile/pattern.h"
#include "buildfile/trace.h"

enum bw_keyword {
	BW_KEYWORD_UNKNOWN,
	BW_KEYWORD_ADD,
	BW_KEYWORD_ARG,
	BW_KEYWORD_CMD,
	BW_KEYWORD_COPY,
	BW_KEYWORD_ENTRYPOINT,
	BW_KEYWORD_ENV,
	BW_KEYWORD_EXPOSE,
	BW_KEYWORD_FROM,
	BW_KEYWORD_HEALTHCHECK,
	BW_KEYWORD_LABEL,
	BW_KEYWORD_MAINTAINER,
	BW_KEYWORD_ONBUILD,
	BW_KEYWORD_RUN,
	BW_KEYWORD_SHELL,
	BW_KEYWORD_STOPSIGNAL,
	BW_KEYWORD_USER,
	BW_KEYWORD_VOLUME,
	BW_KEYWORD_WORKDIR,
	BW_KEYWORD_COUNT,
};

/* A leading `--name[=value]`, as a part of `flag_text` where quotes and escapes are gone. */
struct bw_flag {
	size_t name; /* behind the dashes */
	size_t name_len;
	size_t value;
	size_t value_len;
	bool has_value; /* there is an `=` */
};

struct bw_instruction {
	const char *line;    /* not owned */
	struct bw_text name; /* the keyword as written */
	enum bw_keyword keyword;
	struct bw_trace flag_text; /* its `at` are offsets in `line` */
	struct bw_flag *flags;
	size_t flag_count;
	size_t flag_capacity;
	struct bw_text rest; /* the arguments, a part of `line` */
};

/* "COPY"; "" for unknown. */
const char *bw_keyword_name(enum bw_keyword keyword);

/*
 * Reads the instruction that stands in line[from..len). A zeroed `ins` is ready; one that was read before is
 * read anew and keeps its memory. The caller frees with bw_instruction_done().
 */
void bw_instruction_read(struct bw_instruction *ins, const char *line, size_t from, size_t len, char escape);
void bw_instruction_done(struct bw_instruction *ins);

bool bw_flag_is(const struct bw_instruction *ins, const struct bw_flag *f, const char *name);

/* The next argument between separators; `*pos` (0 at first) is where it goes on. False: no more. */
bool bw_next_argument(struct bw_text rest, size_t *pos, struct bw_text *ret);
/* The next word of ARG, ENV or LABEL: quotes and escapes hold it together and stay. */
bool bw_next_word(struct bw_text rest, char escape, size_t *pos, struct bw_text *ret);

enum bw_form {
	BW_FORM_SHELL, /* plain text */
	BW_FORM_JSON,  /* an array of strings */
	BW_FORM_MIXED, /* a JSON array with something else in it: an error everywhere */
};

/* Of the arguments of RUN, COPY and their like. */
struct bw_list {
	enum bw_form form;
	size_t count; /* of the arguments, in either form */
	bool has_empty;
	bool last_is_heredoc;
};

struct bw_list bw_list_read(struct bw_text rest);

#define BW_AUTOINSTRUCTION BW_CLEANUP(bw_instruction_done)

#endif
