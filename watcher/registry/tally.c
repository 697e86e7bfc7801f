/* tally.c - see tally.h. */
#include "registry/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/mirror.h"

#define MAX_IN_ROW 3

void bw_tally_init(struct bw_tally *t, const struct bw_mirror *m)
{
	*t = (struct bw_tally){.name = bw_mirror_name(m), .host = bw_strdup(m->registry)};
}

void bw_tally_done(struct bw_tally *t)
{
	free(t->name);
	free(t->host);
}

static bool is_about_all(enum bw_trouble t)
{
	return t == BW_TROUBLE_CONNECTION || t == BW_TROUBLE_TIMEOUT || t == BW_TROUBLE_DNS ||
	       t == BW_TROUBLE_TLS || t == BW_TROUBLE_AUTH;
}

bool bw_tally_good(struct bw_tally *t)
{
	bool was_off = t->is_off;

	t->good++;
	t->bad_in_row = 0;
	t->is_off = false;
	return was_off;
}

bool bw_tally_bad(struct bw_tally *t, enum bw_trouble trouble, const char *why)
{
	bool was_off = t->is_off;

	t->bad++;
	t->bad_in_row++;
	if (why != t->why)
		(void)snprintf(t->why, sizeof(t->why), "%s", why);
	if (is_about_all(trouble) || t->bad_in_row >= MAX_IN_ROW)
		t->is_off = true;
	return t->is_off && !was_off;
}

const char *bw_tally_words(const struct bw_tally *t, const char *message)
{
	const char *rest = message + strlen(t->host);

	if (!bw_text_starts(message, t->host) || (*rest != ' ' && *rest != ':'))
		return message;
	return rest + strspn(rest, ": ");
}
