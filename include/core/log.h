/*
 * log.h - talk to people on stderr. Program code (command/, watch/) logs; library rooms return errors
 * instead. Each line is "basewatch: <level>: <text>" with the text escaped (core/text.h), so callers may pass
 * peer text.
 */
#ifndef BW_CORE_LOG_H
#define BW_CORE_LOG_H

#include <stdbool.h>

#include "core/def.h"

enum bw_log_level { BW_LOG_ERROR, BW_LOG_WARN, BW_LOG_INFO, BW_LOG_DEBUG };

void bw_log_set_level(enum bw_log_level level); /* default BW_LOG_WARN */
/* Called before and after each line, so that a progress bar can get out of the way; may be NULL. */
void bw_log_set_hook(void (*hook)(bool before, void *arg), void *arg);

void bw_error(const char *fmt, ...) BW_PRINTF(1, 2);
void bw_warn(const char *fmt, ...) BW_PRINTF(1, 2);
void bw_info(const char *fmt, ...) BW_PRINTF(1, 2);
void bw_debug(const char *fmt, ...) BW_PRINTF(1, 2);

#endif
