/*
 * class.h - what a change of a base means for those who build on it. The watch room decides, the store counts by it,
 * reports show it.
 */
#ifndef BW_IMAGE_CLASS_H
#define BW_IMAGE_CLASS_H

#include <stdbool.h>

/* In the order of weight: of several classes the smallest stands for all. */
enum bw_class {
	BW_CLASS_CONTENT,      /* layers differ, or a platform that a build names has gone */
	BW_CLASS_UNCLASSIFIED, /* could not be compared: the registry no longer has what it takes */
	BW_CLASS_ROLLBACK,     /* the base had the new digest before */
	BW_CLASS_CONFIG,       /* same layers; environment, labels, entrypoint, history or so differ */
	BW_CLASS_INDEX,	       /* the same images under another index, or other annotations on them */
	BW_CLASS_COUNT,
};

/* "content", "unclassified", "rollback", "config", "index": the word in the database, in JSON and in messages. */
const char *bw_class_name(enum bw_class c);
/* False: no such class; then `ret` is untouched. */
bool bw_class_parse(const char *name, enum bw_class *ret);

/* Does a change of this class make a build stale? All but `index` do. */
bool bw_class_counts(enum bw_class c);

#endif
