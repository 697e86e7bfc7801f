/* cross.h - what no key can know alone: names that lead nowhere, things that are there twice, halves of pairs. */
#ifndef BW_CONFIG_CROSS_H
#define BW_CONFIG_CROSS_H

#include "config/conf.h"
#include "config/fill.h"

/*
 * `c` was filled from `root`, and an element that could not be filled still has its place there, so that both can be
 * walked side by side.
 */
void bw_cross_check(struct bw_fill *f, const struct bw_node *root, const struct bw_conf *c);

#endif
