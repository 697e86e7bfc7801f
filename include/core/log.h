/*
 * log.h - talk to people on stderr. Program code (command/, daemon/) logs; library rooms return errors
 * instead. Texts are escaped (core/text.h), so callers may pass peer text; a line is one line.
 */
#ifndef BW_CORE_LOG_H
#define BW_CORE_LOG_H

#include <stdbool.h>

#include "core/def.h"

enum bw_log_level { BW_LOG_ERROR, BW_LOG_WARN, BW_LOG_INFO, BW_LOG_DEBUG };

enum bw_log_format {
	BW_LOG_AUTO,	/* BW_LOG_JOURNAL where stderr leads to the journal, else BW_LOG_PLAIN */
	BW_LOG_PLAIN,	/* "basewatch: warning: sink ci: text"; the default */
	BW_LOG_JOURNAL, /* "<4>sink ci: text", with the priorities of sd-daemon(3) */
	BW_LOG_JSON,	/* {"time":"...","level":"warning","message":"text","sink":"ci"} */
};

/* What a line is about; NULL where it does not matter. Shown in front of the text, or under its own JSON key. */
struct bw_log_context {
	const char *source, *build, *base, *sink, *event;
};

void bw_log_set_level(enum bw_log_level level); /* default BW_LOG_WARN */
void bw_log_set_format(enum bw_log_format format);
/* Called before and after each line, so that a progress bar can get out of the way; may be NULL. */
void bw_log_set_hook(void (*hook)(bool before, void *arg), void *arg);

void bw_error(const char *fmt, ...) BW_PRINTF(1, 2);
void bw_warn(const char *fmt, ...) BW_PRINTF(1, 2);
void bw_info(const char *fmt, ...) BW_PRINTF(1, 2);
void bw_debug(const char *fmt, ...) BW_PRINTF(1, 2);

/* `c` may be NULL. */
void bw_log_at(enum bw_log_level level, const struct bw_log_context *c, const char *fmt, ...) BW_PRINTF(3, 4);

#endif
