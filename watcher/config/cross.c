#include "config/cross.h"

#include <string.h>

#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"

struct cross {
	struct bw_fill *fill;
	const struct bw_conf *conf;
};

/* --- walking ------------------------------------------------------------------------------------- */

typedef void (*item_fn)(struct cross *x, const struct bw_node *item, void *arg);

static void each_item(struct cross *x, const struct bw_node *map, const char *key, item_fn fn, void *arg)
{
	const struct bw_node *list = bw_node_get(map, key);
	size_t mark;

	if (!list || list->kind != BW_NODE_LIST)
		return;
	mark = bw_fill_enter(x->fill, key);
	for (size_t i = 0; i < list->count; i++) {
		size_t inner = bw_fill_enter_item(x->fill, i);

		fn(x, list->items[i], arg);
		bw_fill_leave(x->fill, inner);
	}
	bw_fill_leave(x->fill, mark);
}

/* The names of a map go into the path as well. */
static void each_entry(struct cross *x, const struct bw_node *root, const char *key, item_fn fn, void *arg)
{
	const struct bw_node *map = bw_node_get(root, key);
	size_t mark;

	if (!map || map->kind != BW_NODE_MAP)
		return;
	mark = bw_fill_enter(x->fill, key);
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		size_t inner;

		if (map->items[i]->kind != BW_NODE_TEXT)
			continue;
		inner = bw_fill_enter(x->fill, map->items[i]->text);
		fn(x, map->items[i + 1], arg);
		bw_fill_leave(x->fill, inner);
	}
	bw_fill_leave(x->fill, mark);
}

static const char *text_of(const struct bw_node *map, const char *key)
{
	const struct bw_node *n = bw_node_get(map, key);

	return n && n->kind == BW_NODE_TEXT ? n->text : NULL;
}

/* --- names that lead nowhere ------------------------------------------------------------------------ */

static bool has_sink(const struct bw_conf *c, const char *name, const char **best, size_t *distance)
{
	for (size_t i = 0; i < c->sinks.count; i++) {
		if (bw_text_is(c->sinks.items[i].name, name))
			return true;
		bw_fill_closest(name, c->sinks.items[i].name, best, distance);
	}
	return strcmp(name, "*") == 0;
}

static bool has_source(const struct bw_conf *c, const char *name, const char **best, size_t *distance)
{
	for (size_t i = 0; i < c->sources.count; i++) {
		if (!c->sources.items[i].name)
			continue;
		if (bw_text_is(c->sources.items[i].name, name))
			return true;
		bw_fill_closest(name, c->sources.items[i].name, best, distance);
	}
	return false;
}

static void complain_nowhere(struct cross *x, const struct bw_node *n, const char *what, const char *best)
{
	if (best)
		bw_fill_complain(x->fill, false, n, "there is no %s '%.80s'; did you mean '%.80s'?", what,
				 n->text, best);
	else
		bw_fill_complain(x->fill, false, n, "there is no %s '%.80s'", what, n->text);
}

static void check_sink_name(struct cross *x, const struct bw_node *n, void *arg)
{
	const char *best = NULL;
	size_t distance = n->kind == BW_NODE_TEXT ? bw_fill_far(n->text) : 0;

	(void)arg;
	if (n->kind == BW_NODE_TEXT && !has_sink(x->conf, n->text, &best, &distance))
		complain_nowhere(x, n, "sink", best);
}

static void check_source_name(struct cross *x, const struct bw_node *n, void *arg)
{
	const char *best = NULL;
	size_t distance;

	(void)arg;
	if (!n || n->kind != BW_NODE_TEXT || bw_node_is_nothing(n))
		return;
	distance = bw_fill_far(n->text);
	if (!has_source(x->conf, n->text, &best, &distance))
		complain_nowhere(x, n, "source with the name", best);
}

static void check_matched_source(struct cross *x, const struct bw_node *n, void *arg)
{
	if (n->kind != BW_NODE_TEXT || strcmp(n->text, "*") != 0)
		check_source_name(x, n, arg);
}

/* --- rules -------------------------------------------------------------------------------------------- */

static bool is_default_rule(const struct bw_conf_rule *r)
{
	const struct bw_conf_match *m = &r->match;

	return m->sources.count == 1 && bw_text_is(m->sources.items[0], "*") && m->bases.count == 1 &&
	       bw_text_is(m->bases.items[0], "**") && m->roles == bw_choices_all(bw_conf_roles) &&
	       m->classes == bw_choices_all(bw_conf_classes);
}

struct rules {
	size_t index;
	const struct bw_node *all; /* the rule that leaves nothing to those behind it */
};

static void check_rule(struct cross *x, const struct bw_node *n, void *arg)
{
	struct rules *rules = arg;
	const struct bw_node *match = bw_node_get(n, "match");
	size_t mark;

	each_item(x, n, "sinks", check_sink_name, NULL);
	mark = bw_fill_enter(x->fill, "match");
	each_item(x, match, "sources", check_matched_source, NULL);
	bw_fill_leave(x->fill, mark);
	if (rules->all)
		bw_fill_complain(x->fill, true, n, "is never reached: the rule in line %u matches everything",
				 rules->all->line);
	else if (rules->index < x->conf->rules.count && is_default_rule(&x->conf->rules.items[rules->index]))
		rules->all = n;
	rules->index++;
}

/* --- things that are there twice ------------------------------------------------------------------------ */

/* Remembers `key`; complains when it is there already. */
static bool is_first(struct cross *x, struct bw_map *seen, const char *key, const struct bw_node *n,
		     bool is_warning, const char *what)
{
	struct bw_node *first = bw_map_get(seen, key);

	if (!first)
		(void)bw_map_put(seen, key, (void *)(uintptr_t)n);
	else
		bw_fill_complain(x->fill, is_warning, n, "%s; the first is in line %u", what, first->line);
	return !first;
}

struct twice {
	struct bw_map *names, *places;
	size_t index;
};

static void check_source(struct cross *x, const struct bw_node *n, void *arg)
{
	struct twice *t = arg;
	const struct bw_conf_source *s = &x->conf->sources.items[t->index++];

	if (s->name)
		(void)is_first(x, t->names, s->name, bw_node_get(n, "name"), false,
			       "two sources cannot have one name");
	else if (s->git || s->path)
		(void)is_first(x, t->places, s->git ? s->git : s->path, n, false,
			       "this source is there twice without a name; give each a name of its own");
}

static void check_build(struct cross *x, const struct bw_node *n, void *arg)
{
	struct twice *t = arg;
	const struct bw_conf_build *b = &x->conf->builds.items[t->index++];
	const struct bw_node *source = bw_node_get(n, "source");
	size_t mark = bw_fill_enter(x->fill, "source");
	BW_AUTOFREE char *key = NULL;

	check_source_name(x, source, NULL);
	bw_fill_leave(x->fill, mark);
	if (!b->source || !b->file)
		return;
	key = bw_asprintf("%s\n%s\n%s", b->source, b->file, b->target ? b->target : "");
	(void)is_first(x, t->names, key, n, false, "this build (source, file and target) is there twice");
}

/* --- halves of pairs -------------------------------------------------------------------------------------- */

static void check_pair(struct cross *x, const struct bw_node *n, const char *one, const char *other,
		       bool is_both)
{
	const struct bw_node *a = bw_node_get(n, one), *b = bw_node_get(n, other);

	if (a && !b && is_both)
		bw_fill_complain(x->fill, false, a, "%s needs %s beside it", one, other);
	if (b && !a)
		bw_fill_complain(x->fill, false, b, "%s needs %s beside it", other, one);
}

static bool is_true(const struct bw_node *map, const char *key)
{
	const char *text = text_of(map, key);

	return text && strcmp(text, "true") == 0;
}

/* Who logs in is said once. */
static void check_who(struct cross *x, const struct bw_node *n)
{
	const struct bw_node *helper = bw_node_get(n, "helper");
	const struct bw_node *anonymous = is_true(n, "anonymous") ? bw_node_get(n, "anonymous") : NULL;
	bool has_user = bw_node_get(n, "username") || bw_node_get(n, "password");

	if (helper && has_user)
		bw_fill_complain(x->fill, false, helper,
				 "helper does not go with username and password: only one of them can say "
				 "who logs in");
	if (anonymous && (helper || has_user))
		bw_fill_complain(x->fill, false, anonymous,
				 "anonymous does not go with %s: either nobody logs in, or somebody",
				 has_user ? "username and password" : "helper");
}

static void check_mirrors(struct cross *x, const struct bw_node *n)
{
	const struct bw_node *mirrors = bw_node_get(n, "mirrors");

	if (is_true(n, "mirrors-only") && (!mirrors || mirrors->kind != BW_NODE_LIST || mirrors->count == 0))
		bw_fill_complain(x->fill, false, bw_node_get(n, "mirrors-only"),
				 "mirrors-only needs mirrors beside it: there would be nobody to ask");
}

static void check_registry(struct cross *x, const struct bw_node *n, void *arg)
{
	(void)arg;
	check_pair(x, n, "username", "password", true);
	check_pair(x, n, "cert-file", "key-file", true);
	check_who(x, n);
	check_mirrors(x, n);
}

static void check_sink(struct cross *x, const struct bw_node *n, void *arg)
{
	struct twice *t = arg;
	const char *url = text_of(n, "url"), *id = text_of(n, "client-id");
	BW_AUTOFREE char *key = url ? bw_asprintf("%s\n%s", url, id ? id : "") : NULL;

	check_pair(x, n, "username", "password", false);
	check_pair(x, n, "cert-file", "key-file", true);
	if (url && id)
		(void)is_first(x, t->names, key, bw_node_get(n, "client-id"), false,
			       "two clients of one broker cannot have one client id");
	else if (url)
		(void)is_first(x, t->places, url, n, true,
			       "another sink has the same url, so it gets events twice");
	if (url && strncmp(url, "mqtt://", 7) == 0 && bw_node_get(n, "password") &&
	    !bw_scalar_url_is_loopback(url))
		bw_fill_complain(
			x->fill, true, bw_node_get(n, "url"),
			"the password goes over the network for everyone to read; mqtts:// would not");
}

/* Each kind with maps of its own: equal names of different kinds are fine. */
static void check_twice(struct cross *x, const struct bw_node *root, const char *key, bool is_map, item_fn fn)
{
	struct twice t = {.names = bw_map_new(), .places = bw_map_new()};

	if (is_map)
		each_entry(x, root, key, fn, &t);
	else
		each_item(x, root, key, fn, &t);
	bw_map_free(t.names, NULL);
	bw_map_free(t.places, NULL);
}

void bw_cross_check(struct bw_fill *f, const struct bw_node *root, const struct bw_conf *c)
{
	struct cross x = {.fill = f, .conf = c};
	struct rules rules = {0};

	check_twice(&x, root, "sources", false, check_source);
	check_twice(&x, root, "builds", false, check_build);
	check_twice(&x, root, "sinks", true, check_sink);
	each_entry(&x, root, "registries", check_registry, NULL);
	each_item(&x, root, "rules", check_rule, &rules);
}
