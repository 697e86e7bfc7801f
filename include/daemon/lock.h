/*
 * lock.h - one daemon per database: a lock on the file "<database>.lock", which the kernel lets go when the process
 * ends, however it ends. The file itself stays, and holds the process id of its last owner.
 */
#ifndef BW_DAEMON_LOCK_H
#define BW_DAEMON_LOCK_H

#include "core/err.h"

/*
 * `db` may be reached by several names if it exists already: the lock is beside the file itself. Locked until
 * `*ret_fd` is closed. BW_E_LOCKED when another process has it, BW_E_DENIED, BW_E_FULL and BW_E_SYS when the file cannot
 * be made.
 */
int bw_lock_take(const char *db, int *ret_fd, struct bw_err *err) BW_NODISCARD;

/*
 * Does a process hold it? 1, and its process id (0: not known) in `*ret_pid`; 0: none does. Makes no file. For an
 * instant the lock is shared, so that a daemon that starts in this very instant finds it taken.
 */
int bw_lock_look(const char *db, unsigned *ret_pid, struct bw_err *err) BW_NODISCARD;

#endif
