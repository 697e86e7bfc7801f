/*
 * health.h - looking at a database without changing it: is it sound, what is owed to whom, what cannot be reached.
 */
#ifndef BW_STORE_HEALTH_H
#define BW_STORE_HEALTH_H

#include "store/store.h"

/*
 * As bw_store_open_existing(), but nothing is written, not even by closing it again: an empty file and an older schema
 * are BW_E_FOREIGN, with a message that says what brings them up to date.
 */
int bw_store_open_to_look(const char *path, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;

/* The schema that this database has. */
int bw_store_schema(struct bw_store *s, int64_t *ret, struct bw_err *err) BW_NODISCARD;

/*
 * SQLite's quick_check. 0: it is sound; 1: it was not finished, because `go_on` (asked now and then, may be NULL) said
 * false. BW_E_STORE when it is damaged, with SQLite's first words for it.
 */
int bw_store_check(struct bw_store *s, bool (*go_on)(void *arg), void *arg, struct bw_err *err) BW_NODISCARD;

/* What is owed to one sink. Times are those of the oldest, 0 without one. */
struct bw_debt {
	const char *sink;
	bool is_removed; /* it was configured once, and is no more */
	uint64_t due, dead;
	int64_t due_since_ms;
	int64_t dead_since_ms;
	const char *error; /* what was said at the last attempt of the oldest that is due; NULL */
};
typedef int (*bw_debt_fn)(const struct bw_debt *d, void *arg, struct bw_err *err);
/* Every sink that there was, by name. */
int bw_store_each_debt(struct bw_store *s, bw_debt_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

/* Bases of one registry that live builds need and that could not be had when they were last asked for. */
struct bw_ailing {
	const char *registry;
	uint64_t bases;
	int64_t since_ms; /* of the oldest, like all that follows */
	const char *base; /* "repository:tag" */
	const char *message;
};
typedef int (*bw_ailing_fn)(const struct bw_ailing *a, void *arg, struct bw_err *err);
/* By registry. */
int bw_store_each_ailing(struct bw_store *s, int64_t now_ms, bw_ailing_fn fn, void *arg,
			 struct bw_err *err) BW_NODISCARD;

/* The absolute path of each live build file that lies in a folder, in no order. */
typedef int (*bw_file_fn)(const char *path, void *arg, struct bw_err *err);
int bw_store_each_folder_file(struct bw_store *s, bw_file_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

#endif
