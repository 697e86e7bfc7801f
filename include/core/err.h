/*
 * err.h - the error record.
 *
 * A failure has a class (what shall the program do) and a message (what shall the person read). Policy looks
 * at the class only. The record lives on the caller's stack: reporting cannot fail and nothing leaks. On
 * success it is untouched; on failure every out parameter of the failing function is untouched.
 *
 * Every failing function returns the (negative) class, so `return bw_fail(err, ...)` does both. `err` may be
 * NULL where the caller does not care.
 */
#ifndef BW_CORE_ERR_H
#define BW_CORE_ERR_H

#include "core/def.h"

enum bw_code {
	BW_OK = 0,
	BW_E_RETRY = -1,     /* timeout, 5xx, reset: later may work */
	BW_E_THROTTLED = -2, /* 429: again, not before retry_after_s */
	BW_E_AUTH = -3,	     /* a person has to act */
	BW_E_GONE = -4,	     /* the thing asked for does not exist */
	BW_E_PEER = -5,	     /* the other side broke the protocol */
	BW_E_LIMIT = -6,     /* one of our limits was hit */
	BW_E_INPUT = -7,     /* Dockerfile, configuration or command line is wrong */
	BW_E_STORE = -8,     /* database damaged: I/O error, corrupt */
	BW_E_SYS = -9,	     /* a system call failed; .sys has errno */
	BW_E_LOCKED = -10,   /* the database is held by another process beyond the busy timeout */
	BW_E_FULL = -11,     /* disk full */
	BW_E_FOREIGN = -12,  /* not our database, or one of a newer basewatch */
	BW_E_DENIED = -13,   /* cannot write there */
	BW_E_CONFIG = -14,   /* the configuration file is wrong, or cannot be read */
};

#define BW_ERR_MAX 512

struct bw_err {
	enum bw_code code;
	int sys;		/* errno, or 0 */
	unsigned retry_after_s; /* with BW_E_THROTTLED */
	char msg[BW_ERR_MAX];	/* one line, cut with "..." when it does not fit */
};

#define BW_ERR_INIT ((struct bw_err){0})

/* Sets class and message; returns `code`. */
int bw_fail(struct bw_err *err, enum bw_code code, const char *fmt, ...) BW_PRINTF(3, 4);

/* As bw_fail() with class BW_E_SYS; appends ": " and the text of `sys`. Returns BW_E_SYS. */
int bw_fail_sys(struct bw_err *err, int sys, const char *fmt, ...) BW_PRINTF(3, 4);

/*
 * Puts one prefix ("fmt: ") before the message; at most one per layer. Returns err->code (BW_E_SYS without a
 * record: the class is lost then, so a caller that needs it keeps the failing call's own return value).
 */
int bw_err_ctx(struct bw_err *err, const char *fmt, ...) BW_PRINTF(2, 3);

/*
 * The same calls with their results in sight: a static analyzer sees one file at a time and would follow a
 * path on which bw_fail() returned 0. `code` is evaluated once.
 */
#define bw_fail(err, code, ...)                                \
	__extension__({                                        \
		const enum bw_code bw_code_ = (code);          \
		(void)(bw_fail)((err), bw_code_, __VA_ARGS__); \
		(int)bw_code_;                                 \
	})
#define bw_fail_sys(err, sys, ...)                              \
	__extension__({                                         \
		(void)(bw_fail_sys)((err), (sys), __VA_ARGS__); \
		(int)BW_E_SYS;                                  \
	})

#endif
