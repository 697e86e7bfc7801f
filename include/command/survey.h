/*
 * survey.h - asks what a list of references points to, each once, as fast as the registries take it. Registries do not
 * wait for each other.
 */
#ifndef BW_COMMAND_SURVEY_H
#define BW_COMMAND_SURVEY_H

#include "registry/client.h"

struct bw_survey;

struct bw_survey *bw_survey_new(struct bw_registry *r);
/* Drops what is open, without callbacks; after the registry client, whose answers would come here. NULL is fine. */
void bw_survey_free(struct bw_survey *s);

/*
 * `what` is a tag or a digest. The strings stay the caller's, until the survey is freed. What was added before is not
 * asked again: both are told the one answer. Not after bw_survey_start().
 */
void bw_survey_add(struct bw_survey *s, const char *registry, const char *repository, const char *what,
		   bw_answer_fn fn, void *arg);
/* The answers come from the loop, each exactly once. */
void bw_survey_start(struct bw_survey *s);

#endif
