/*
 * classify.h - what does a change of a base mean for a build? Pure: bodies in, class out.
 *
 * Judged by the images that a build for its platforms would take. Of an index both are compared by platform: with a
 * named one, that; without, all that both have. In this order: these images are unchanged, or differ in annotations
 * only: `index`; the base had the new digest before: `rollback`; layers or diff_ids differ, a named platform has gone
 * or come, or no platform is in both: `content`; the configuration differs: `config`. What cannot be compared because
 * a body is missing is `rollback` or, without an earlier sighting, `unclassified`, unless one of the platforms is known
 * to be worse. Where a tag is an artifact, and no image, its layers and configuration are compared in the same way.
 */
#ifndef BW_WATCH_CLASSIFY_H
#define BW_WATCH_CLASSIFY_H

#include "image/bodies.h"
#include "image/class.h"

struct bw_class_question {
	const struct bw_digest *from, *to;
	uint32_t seen_number; /* the newest earlier sighting with the new digest; 0: there is none */
};

struct bw_classed {
	enum bw_class class;
	/*
	 * What moved, for people, at most 240 bytes: "linux/arm64 added", "attestations only", "linux/amd64: 3 of 5
	 * layers differ, 48.1 -> 49.3 MiB; 7 more platforms differ". Holds text of registries: hostile until escaped.
	 * "" while it waits for bodies (the class is `unclassified` then), never otherwise.
	 */
	char *moved;
	/*
	 * The answer for a body that could not be had and might have given another class: its trouble may pass, or is
	 * MALFORMED; for the new top manifest it is any. NULL: nothing may change the class. The bodies' memory.
	 */
	const struct bw_answer *held_by;
};

/*
 * Fills `ret[i]` with what the change means for builds for `wants[i]`; os "": they name no platform. Notes needs, and
 * decides on what is there; to be called again when the needs are met. Asks for as little as it takes: for no more than
 * one image of each side where that one decides, and for none of platforms that cannot change a class. The two indexes
 * are read once in each call, however many platforms are wanted. The caller frees each `moved`.
 */
void bw_classify(struct bw_bodies *b, const struct bw_class_question *q, const struct bw_platform *wants,
		 size_t count, struct bw_classed *ret);

#endif
