/*
 * document.h - what is known of a base or a build, as the JSON that brokers keep
 * (config/basewatch-state.schema.json); private to daemon/. It holds no time that an unchanged answer moves.
 */
#ifndef BW_DAEMON_DOCUMENT_H
#define BW_DAEMON_DOCUMENT_H

#include "store/store.h"

#define BW_DOCUMENT_MAX_BASES 100 /* of a build: keeps the document at a size that every broker takes */

struct bw_document {
	char *key;  /* what the topic is made of; NULL: there is no such row any more */
	char *json; /* NULL: no chosen build stands on it; it has ended or is not chosen */
	size_t len;
	uint64_t hash;	/* of all that is news */
	uint64_t rows;	/* of a base: the hash of all that its builds show of it */
	int64_t *peers; /* of a base, its builds; of a build, its bases; each once */
	size_t peer_count, peer_capacity;
	size_t row_count; /* that were read */
};

/* Zeroed on failure. */
int bw_document_of_base(struct bw_store *s, int64_t base_id, struct bw_document *ret,
			struct bw_err *err) BW_NODISCARD;
int bw_document_of_build(struct bw_store *s, int64_t build_id, struct bw_document *ret,
			 struct bw_err *err) BW_NODISCARD;
void bw_document_done(struct bw_document *d);

#endif
