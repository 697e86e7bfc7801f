/*
 * docs.h - what is derived from the key table for people and editors: `make docs` writes the files, and a unit test
 * proves that they are what the table says. The program itself links none of it.
 */
#ifndef BW_CONFIG_DOCS_H
#define BW_CONFIG_DOCS_H

#include "core/buf.h"

#define BW_DOCS_MAX (1U << 20)

void bw_docs_sample(struct bw_buf *ret); /* config/basewatch.yaml */
void bw_docs_schema(struct bw_buf *ret); /* config/basewatch.schema.json */
void bw_docs_manual(struct bw_buf *ret); /* contrib/man/basewatch.yaml.5 */

#endif
