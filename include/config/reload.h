/* reload.h - what a reload (SIGHUP) would change. Pure. */
#ifndef BW_CONFIG_RELOAD_H
#define BW_CONFIG_RELOAD_H

#include <stdbool.h>

#include "config/conf.h"

/* Names, in the order of the files; those that were removed in the order of the old one. */
struct bw_conf_difference {
	struct bw_conf_texts added, removed, changed;
};

struct bw_conf_change {
	bool poll, builds, rules, reminders;
	struct bw_conf_difference sources, registries, sinks;
	struct bw_conf_texts restart; /* keys that changed, but are read only at the start */
};

/* False: they are the same. The caller frees with bw_conf_change_done() in both cases. */
bool bw_conf_compare(const struct bw_conf *old, const struct bw_conf *new, struct bw_conf_change *ret);
void bw_conf_change_done(struct bw_conf_change *c);

#endif
