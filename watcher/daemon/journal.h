/*
 * journal.h - what the poller notices, as lines of the log. A registry that cannot be asked is one line, and not one for
 * each of its bases. Private to daemon/.
 */
#ifndef BW_DAEMON_JOURNAL_H
#define BW_DAEMON_JOURNAL_H

#include "watch/poller.h"

struct bw_journal;

struct bw_journal *bw_journal_new(void);
void bw_journal_free(struct bw_journal *j); /* NULL is fine */

void bw_journal_notice(struct bw_journal *j, const struct bw_poller_notice *n);

#endif
