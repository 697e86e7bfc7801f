/* list.h - lists of questions. */
#ifndef BW_REGISTRY_LIST_H
#define BW_REGISTRY_LIST_H

#include "registry/internal.h"

void bw_list_add(struct bw_list *list, struct bw_question *q); /* at the end */
void bw_list_remove(struct bw_question *q);		       /* from the one it is in; fine when in none */
struct bw_question *bw_list_take(struct bw_list *list);	       /* the first; NULL: empty */
void bw_list_free(struct bw_list *list);		       /* with the questions */

#endif
