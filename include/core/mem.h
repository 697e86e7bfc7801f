/*
 * mem.h - memory of our own small objects. Never returns NULL: without memory the process ends (exit 70,
 * message on stderr); the state is in the database. Sizes that a peer chooses go through core/buf.h instead,
 * which has a cap.
 */
#ifndef BW_CORE_MEM_H
#define BW_CORE_MEM_H

#include <stdlib.h>

#include "core/def.h"

void *bw_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull)); /* zeroed */
void *bw_realloc(void *p, size_t n, size_t size)
	__attribute__((alloc_size(2, 3), returns_nonnull)); /* n * size, checked */
char *bw_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *bw_strndup(const char *s, size_t n)
	__attribute__((malloc, returns_nonnull)); /* exactly n bytes + NUL */
char *bw_strdup_null(const char *s);		  /* NULL stays NULL */
char *bw_asprintf(const char *fmt, ...) BW_PRINTF(1, 2);

/* One object of a type, zeroed. */
#define BW_NEW(type) ((type *)bw_alloc(sizeof(type)))

/* Makes room for one more element in a growing array: `BW_PUSH(a->items, a->count, a->capacity) = x;` */
#define BW_PUSH(items, count, capacity) (*(bw_grow_typed((items), (count), (capacity)), &(items)[(count)++]))
#define bw_grow_typed(items, count, capacity)                         \
	((count) < (capacity)                                         \
		 ? (void)0                                            \
		 : (void)((capacity) = (capacity) ? (capacity)*2 : 8, \
			  (items) = bw_realloc((items), (size_t)(capacity), sizeof(__typeof__(*(items))))))

/* Hands the value of a guarded variable over: returns it and leaves the empty value behind. */
#define BW_TAKE(p)                             \
	__extension__({                        \
		__typeof__(p) bw_taken_ = (p); \
		(p) = NULL;                    \
		bw_taken_;                     \
	})

void bw_auto_free(void *pointer_to_pointer);
void bw_auto_close(const int *fd);

#define BW_AUTOFREE  BW_CLEANUP(bw_auto_free)
#define BW_AUTOCLOSE BW_CLEANUP(bw_auto_close)

#endif
