/* entry.h - the entry of an index, or of one nested in it, that an image was listed for. Pure. */
#ifndef BW_COMMAND_ENTRY_H
#define BW_COMMAND_ENTRY_H

#include "image/images.h"

struct bw_entry_search {
	const struct bw_bodies *bodies; /* only what is there is looked at */
	const struct bw_images *images; /* of the index */
	const struct bw_digest *wanted; /* of an image */
	/* Private. */
	size_t entered; /* of the images' indexes */
	size_t looked;	/* entries that were looked at */
};

/* The first one, in the order of the images. NULL: none. To be asked once. */
const struct bw_child *bw_entry_find(struct bw_entry_search *s);

#endif
