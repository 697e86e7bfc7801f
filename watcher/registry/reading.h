/* reading.h - what does this answer mean for its question? */
#ifndef BW_REGISTRY_READING_H
#define BW_REGISTRY_READING_H

#include "net/http.h"

struct bw_question;

/* Ends the question, makes its next request, or lets it wait. */
void bw_reading_take(struct bw_question *q, const struct bw_http_response *r);

#endif
