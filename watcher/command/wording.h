/* wording.h - words that several verbs say. Pure. */
#ifndef BW_COMMAND_WORDING_H
#define BW_COMMAND_WORDING_H

#include <stddef.h>

#include "image/answer.h"

/* "" for one, else "s". */
const char *bw_wording_plural(size_t n);

/* What went wrong when a tag was asked for. A new string. */
char *bw_wording_of_tag(const struct bw_answer *a);
/* The same of a digest: what lacks then is no tag, so only the answer's own words say what it is. */
char *bw_wording_of_digest(const struct bw_answer *a);

#endif
