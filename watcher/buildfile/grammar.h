/*
 * grammar.h - would BuildKit's parser take this instruction? (instructions/parse.go) Only what it refuses
 * for every build whatever the target; values that it looks at while building are not judged.
 */
#ifndef BW_BUILDFILE_GRAMMAR_H
#define BW_BUILDFILE_GRAMMAR_H

#include "buildfile/instruction.h"
#include "core/err.h"

/* BW_E_INPUT with BuildKit's words. */
int bw_grammar_check(const struct bw_instruction *ins, char escape, struct bw_err *err) BW_NODISCARD;

/* `^[a-z][a-z0-9-_.]*$`, with upper case allowed as it is lowered first. */
bool bw_grammar_is_stage_name(struct bw_text name);

#endif
