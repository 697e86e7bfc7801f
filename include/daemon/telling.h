/*
 * telling.h - what the configuration says of events: how they are made, to whom they are owed, and which sinks there are.
 * For the daemon and one-shot verbs alike, so that both make the same events of the same facts.
 */
#ifndef BW_DAEMON_TELLING_H
#define BW_DAEMON_TELLING_H

#include "config/conf.h"
#include "store/outbox.h"
#include "watch/event.h"

struct bw_telling {
	struct bw_event_options events; /* for bw_event_teller() and bw_sweep() */
	struct bw_sink_row *sinks;	/* for bw_store_put_sinks() */
	size_t sink_count;
	/* Private. */
	char *instance;
	struct bw_rules rules;
	struct bw_rule *rule_items;
	char **texts; /* what is not the configuration's */
	size_t text_count, text_capacity;
	void **lists;
	size_t list_count, list_capacity;
};

/*
 * Both must outlive whatever uses the options, and stay where they are: `t`, which refers to itself, and the
 * configuration, whose texts it refers to. NULL: nothing is
 * configured. BW_E_CONFIG for a source that a rule names and that is no repository after all.
 */
int bw_telling_init(struct bw_telling *t, const struct bw_conf *c, struct bw_err *err) BW_NODISCARD;
void bw_telling_done(struct bw_telling *t); /* a zeroed one is fine */

/* What names this watcher in events: `instance` of the configuration (NULL: without one), else the host. The caller frees. */
char *bw_telling_instance(const struct bw_conf *c);

#endif
