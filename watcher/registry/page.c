/* page.c - see page.h. Registries have own ways to page: Quay's links have `next_page`, Artifactory's leave out a part of the path. */
#include "registry/page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/link.h"

#define TAG_MAX	  128 /* distribution-spec "Pulling manifests" */
#define VALUE_MAX 448

void bw_page_done(struct bw_page *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->tags[i]);
	free(p->tags);
	*p = (struct bw_page){0};
}

void bw_page_begin(struct bw_page *p)
{
	p->query[0] = '\0';
	if (p->n > 0)
		(void)snprintf(p->query, sizeof(p->query), "?n=%u", p->n);
}

static bool is_tag(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > TAG_MAX || *s == '.' || *s == '-')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return true;
}

static void add(struct bw_page *p, const char *tag)
{
	if (!tag || !is_tag(tag))
		return;
	if (p->count >= p->max_tags)
		p->is_full = true;
	else
		BW_PUSH(p->tags, p->count, p->capacity) = bw_strdup(tag);
}

/* One page may hold fewer than we asked for, and never more than the registry says itself. */
static void add_number(struct bw_page *p, const char *url)
{
	char text[16];
	uint64_t n;

	if (!bw_link_parameter(url, "n", text, sizeof(text)) || !bw_text_number(text, 1, p->n, &n))
		n = p->n;
	if (n > 0)
		(void)snprintf(p->next, sizeof(p->next), "?n=%u", (unsigned)n);
}

static bool add_place(struct bw_page *p, const char *url, const char *name)
{
	char value[VALUE_MAX];
	size_t len = strlen(p->next);

	if (!bw_link_parameter(url, name, value, sizeof(value)))
		return false;
	(void)snprintf(p->next + len, sizeof(p->next) - len, "%c%s=%s", len ? '&' : '?', name, value);
	return true;
}

static void find_next(struct bw_page *p, const char *link)
{
	char url[4 * BW_PAGE_QUERY_MAX];
	bool has_last, has_own;

	p->next[0] = '\0';
	if (!link || !bw_link_next(link, url, sizeof(url)))
		return;
	add_number(p, url);
	has_last = add_place(p, url, "last");
	has_own = add_place(p, url, "next_page");
	if (!has_last && !has_own)
		p->next[0] = '\0';
}

int bw_page_read(struct bw_page *p, const char *body, size_t len, const char *link, struct bw_err *err)
{
	json_error_t je;
	json_auto_t *root = json_loadb(body, len, 0, &je);
	const json_t *tags = json_object_get(root, "tags");

	if (!root)
		return bw_fail(err, BW_E_PEER, "list of tags: %.80s at byte %d", je.text, je.position);
	/* Go programs write null for an empty list. */
	if (!json_is_object(root) || (tags && !json_is_null(tags) && !json_is_array(tags)))
		return bw_fail(err, BW_E_PEER, "that is no list of tags");
	for (size_t i = 0; i < json_array_size(tags); i++)
		add(p, json_string_value(json_array_get(tags, i)));
	find_next(p, link);
	return 0;
}
