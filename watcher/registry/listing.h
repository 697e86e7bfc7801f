/* listing.h - what the client knows of the lists of tags that are being read (registry/tags.h). */
#ifndef BW_REGISTRY_LISTING_H
#define BW_REGISTRY_LISTING_H

struct bw_listing;

/* Drops those that are open, without callbacks: the client is being freed. */
void bw_listing_free_all(struct bw_listing *first);

#endif
