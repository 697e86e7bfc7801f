/* words.h - numbers and times in words, for people. */
#ifndef BW_REPORT_WORDS_H
#define BW_REPORT_WORDS_H

#include <stdint.h>

#define BW_WORDS_MAX 48

/* "1 base", "12 bases". Returns `out`. */
const char *bw_words_count(uint64_t n, const char *one, const char *many, char out[BW_WORDS_MAX]);

/* How long: "45 minutes", "3 days", "2 years"; a negative span (a clock was set back) counts as none. Returns
 * `out`. */
const char *bw_words_span(int64_t ms, char out[BW_WORDS_MAX]);

#endif
