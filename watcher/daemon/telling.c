/* telling.c - see daemon/telling.h. */
#include "daemon/telling.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "source/giturl.h"

#define HOST_BYTES 256

char *bw_telling_instance(const struct bw_conf *c)
{
	char host[HOST_BYTES];

	if (c && c->instance)
		return bw_strdup(c->instance);
	if (gethostname(host, sizeof(host)) < 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	return bw_strdup(host[0] ? host : "localhost");
}

/* --- lists ------------------------------------------------------------------------------------ */

static char *keep_text(struct bw_telling *t, char *text)
{
	BW_PUSH(t->texts, t->text_count, t->text_capacity) = text;
	return text;
}

/* Zeroed, so that a list of one item more than it is given ends. */
static void *keep_list(struct bw_telling *t, size_t count, size_t size)
{
	void *list = bw_alloc((count + 1) * size);

	BW_PUSH(t->lists, t->list_count, t->list_capacity) = list;
	return list;
}

/* NULL for all. */
static const char *const *texts_of(struct bw_telling *t, const struct bw_conf_texts *from, const char *all)
{
	const char **list;

	for (size_t i = 0; i < from->count; i++)
		if (bw_text_is(from->items[i], all))
			return NULL;
	list = keep_list(t, from->count, sizeof(*list));
	for (size_t i = 0; i < from->count; i++)
		list[i] = from->items[i];
	return list;
}

/* --- sources ---------------------------------------------------------------------------------- */

struct source_list {
	struct bw_rule_source *items;
	size_t count, capacity;
};

/* What HEAD is, the server alone knows. */
static const char *branch_glob(const char *branch)
{
	return bw_text_is(branch, "HEAD") ? "**" : branch;
}

/* Builds of a repository are filed under its URL and the branch, whatever name it has. */
static int add_repository(struct bw_telling *t, const struct bw_conf_source *x, struct source_list *to,
			  struct bw_err *err)
{
	struct bw_giturl url = {0};
	const char *shown;
	int rc = bw_giturl_parse(x->git, &url, err);

	if (rc < 0)
		return bw_fail(err, BW_E_CONFIG, "source %s: %s", x->name, err->msg);
	shown = keep_text(t, bw_strdup(url.shown));
	for (size_t i = 0; i < x->branches.count; i++)
		BW_PUSH(to->items, to->count, to->capacity) =
			(struct bw_rule_source){shown, branch_glob(x->branches.items[i])};
	bw_giturl_done(&url);
	return 0;
}

static int add_source(struct bw_telling *t, const struct bw_conf *c, const char *name, struct source_list *to,
		      struct bw_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->sources.count; i++) {
		const struct bw_conf_source *x = &c->sources.items[i];

		if (!bw_text_is(x->name, name))
			continue;
		if (x->git)
			rc = add_repository(t, x, to, err);
		else
			BW_PUSH(to->items, to->count, to->capacity) = (struct bw_rule_source){x->name, NULL};
	}
	return rc;
}

static int sources_of(struct bw_telling *t, const struct bw_conf *c, const struct bw_conf_texts *names,
		      const struct bw_rule_source **ret, struct bw_err *err)
{
	struct source_list list = {0};
	int rc = 0;

	*ret = NULL;
	for (size_t i = 0; i < names->count; i++)
		if (bw_text_is(names->items[i], "*"))
			return 0;
	for (size_t i = 0; rc == 0 && i < names->count; i++)
		rc = add_source(t, c, names->items[i], &list, err);
	BW_PUSH(list.items, list.count, list.capacity) = (struct bw_rule_source){0};
	BW_PUSH(t->lists, t->list_count, t->list_capacity) = list.items;
	*ret = list.items;
	return rc;
}

/* --- rules and sinks -------------------------------------------------------------------------- */

static int add_rules(struct bw_telling *t, const struct bw_conf *c, struct bw_err *err)
{
	int rc = 0;

	t->rule_items = keep_list(t, c->rules.count, sizeof(*t->rule_items));
	for (size_t i = 0; rc == 0 && i < c->rules.count; i++) {
		const struct bw_conf_rule *from = &c->rules.items[i];
		struct bw_rule *to = &t->rule_items[i];

		to->bases = texts_of(t, &from->match.bases, "**");
		to->roles = from->match.roles;
		to->classes = from->match.classes;
		to->sinks = texts_of(t, &from->sinks, "*");
		rc = sources_of(t, c, &from->match.sources, &to->sources, err);
	}
	t->rules = (struct bw_rules){t->rule_items, c->rules.count};
	return rc;
}

/* Those whose bits are set; NULL for all. */
static const char *const *types_of(struct bw_telling *t, unsigned bits)
{
	const char **list;
	size_t all = 0, count = 0;

	while (bw_conf_events[all])
		all++;
	list = keep_list(t, all, sizeof(*list));
	for (size_t i = 0; i < all; i++)
		if (bits >> i & 1U)
			list[count++] = bw_conf_events[i];
	return count == all ? NULL : list;
}

static void add_sinks(struct bw_telling *t, const struct bw_conf *c)
{
	t->sinks = keep_list(t, c->sinks.count, sizeof(*t->sinks));
	t->sink_count = c->sinks.count;
	for (size_t i = 0; i < c->sinks.count; i++) {
		const struct bw_conf_sink *x = &c->sinks.items[i];

		t->sinks[i] = (struct bw_sink_row){.name = x->name,
						   .types = types_of(t, x->events),
						   .confirms = x->confirms,
						   .expire_ms = x->expire_ms};
	}
}

int bw_telling_init(struct bw_telling *t, const struct bw_conf *c, struct bw_err *err)
{
	int rc = 0;

	*t = (struct bw_telling){.instance = bw_telling_instance(c)};
	t->events.instance = t->instance;
	if (c) {
		t->events.unreachable_after = (uint32_t)c->poll.unreachable_after;
		add_sinks(t, c);
		rc = add_rules(t, c, err);
	}
	t->events.rules = &t->rules;
	if (rc < 0)
		bw_telling_done(t);
	return rc;
}

void bw_telling_done(struct bw_telling *t)
{
	for (size_t i = 0; i < t->text_count; i++)
		free(t->texts[i]);
	for (size_t i = 0; i < t->list_count; i++)
		free(t->lists[i]);
	free(t->texts);
	free(t->lists);
	free(t->instance);
	*t = (struct bw_telling){0};
}
