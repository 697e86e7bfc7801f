#include "daemon/journal.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"

#define MAX_KNOWN 100000 /* troubles that are remembered; beyond, they are told once more */

struct bw_journal {
	struct bw_map *registries; /* that were said to be in trouble */
	struct bw_map *bases;	   /* the same, of those in trouble of their own */
};

/* Is it the registry that cannot be asked, whatever for? */
static bool is_of_registry(enum bw_trouble t)
{
	switch (t) {
	case BW_TROUBLE_AUTH:
	case BW_TROUBLE_THROTTLED:
	case BW_TROUBLE_TIMEOUT:
	case BW_TROUBLE_DNS:
	case BW_TROUBLE_TLS:
	case BW_TROUBLE_CONNECTION:
	case BW_TROUBLE_SERVER: return true;
	default: return false;
	}
}

static void say_moved(const struct bw_poller_notice *n, const struct bw_log_context *c)
{
	const char *class = bw_class_name(n->change ? n->change->class : BW_CLASS_UNCLASSIFIED);
	const char *moved = n->change && n->change->moved ? n->change->moved : "";

	bw_log_at(BW_LOG_INFO, c, "moved to %s (%s%s%s)", n->answer->digest.text, class, *moved ? ": " : "",
		  moved);
}

/* Messages often begin with the registry. */
static const char *without_name(const char *message, const char *registry)
{
	size_t len = strlen(registry);

	return bw_text_starts(message, registry) && bw_text_starts(message + len, ": ") ? message + len + 2
											: message;
}

/* Names come from build files, and what is gone from them never answers again. */
static bool note(struct bw_map **to, const char *name, void *value)
{
	if (bw_map_count(*to) >= MAX_KNOWN) {
		bw_map_free(*to, NULL);
		*to = bw_map_new();
	}
	return bw_map_put(*to, name, value) == NULL;
}

static void say_trouble(struct bw_journal *j, const struct bw_poller_notice *n,
			const struct bw_log_context *c)
{
	bool is_registry = is_of_registry(n->answer->trouble);
	bool is_news = is_registry ? note(&j->registries, n->registry, j) : note(&j->bases, c->base, j);

	if (is_registry && is_news)
		bw_warn("%s cannot be asked: %s", n->registry, without_name(n->answer->message, n->registry));
	bw_log_at(is_registry ? BW_LOG_DEBUG : BW_LOG_WARN, c, "cannot be asked: %s", n->answer->message);
}

/* Of a trouble that nobody was told of there is no end to tell. */
static void end_trouble(struct bw_journal *j, const struct bw_poller_notice *n,
			const struct bw_log_context *c)
{
	if (bw_map_remove(j->registries, n->registry))
		bw_info("%s answers again", n->registry);
	if (bw_map_remove(j->bases, c->base))
		bw_log_at(BW_LOG_INFO, c, "answers again");
}

void bw_journal_notice(struct bw_journal *j, const struct bw_poller_notice *n)
{
	BW_AUTOFREE char *name = bw_asprintf("%s/%s:%s", n->registry, n->repository, n->tag);
	const struct bw_log_context c = {.base = name};

	if (n->news == BW_NEWS_TROUBLE)
		say_trouble(j, n, &c);
	else
		end_trouble(j, n, &c);
	if (n->news == BW_NEWS_FIRST)
		bw_log_at(BW_LOG_DEBUG, &c, "first seen, at %s", n->answer->digest.text);
	else if (n->news == BW_NEWS_MOVED)
		say_moved(n, &c);
}

struct bw_journal *bw_journal_new(void)
{
	struct bw_journal *j = BW_NEW(struct bw_journal);

	j->registries = bw_map_new();
	j->bases = bw_map_new();
	return j;
}

void bw_journal_free(struct bw_journal *j)
{
	if (!j)
		return;
	bw_map_free(j->registries, NULL);
	bw_map_free(j->bases, NULL);
	free(j);
}
