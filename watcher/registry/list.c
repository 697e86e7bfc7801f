/* list.c - doubly linked, so that a question leaves from anywhere. */
#include "registry/list.h"

#include <stdlib.h>

#include "registry/credentials.h"
#include "registry/question.h"

void bw_list_add(struct bw_list *list, struct bw_question *q)
{
	q->list = list;
	q->next = NULL;
	q->prev = list->tail;
	*(list->tail ? &list->tail->next : &list->head) = q;
	list->tail = q;
	list->count++;
}

void bw_list_remove(struct bw_question *q)
{
	struct bw_list *list = q->list;

	if (!list)
		return;
	*(q->prev ? &q->prev->next : &list->head) = q->next;
	*(q->next ? &q->next->prev : &list->tail) = q->prev;
	list->count--;
	q->list = NULL;
}

struct bw_question *bw_list_take(struct bw_list *list)
{
	struct bw_question *q = list->head;

	if (q)
		bw_list_remove(q);
	return q;
}

void bw_list_free(struct bw_list *list)
{
	struct bw_question *next;

	for (struct bw_question *q = list->head; q; q = next) {
		next = q->next;
		bw_credentials_leave(&q->waiter);
		free(q);
	}
	*list = (struct bw_list){0};
}
