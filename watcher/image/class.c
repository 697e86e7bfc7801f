/* class.c - the classes of a change by name. */
#include "image/class.h"

#include "core/text.h"

/* Stored in databases and read by other programs: never change one. */
static const char *const names[BW_CLASS_COUNT] = {
	[BW_CLASS_CONTENT] = "content",	  [BW_CLASS_UNCLASSIFIED] = "unclassified",
	[BW_CLASS_ROLLBACK] = "rollback", [BW_CLASS_CONFIG] = "config",
	[BW_CLASS_INDEX] = "index",
};

/* What is outside the table is no class that we could name: then we know nothing of the change. */
const char *bw_class_name(enum bw_class c)
{
	size_t i = (size_t)c;

	return names[i < BW_COUNT(names) ? i : BW_CLASS_UNCLASSIFIED];
}

bool bw_class_parse(const char *name, enum bw_class *ret)
{
	for (size_t i = 0; i < BW_COUNT(names); i++) {
		if (!bw_text_is(names[i], name))
			continue;
		*ret = (enum bw_class)i;
		return true;
	}
	return false;
}

bool bw_class_counts(enum bw_class c)
{
	return c != BW_CLASS_INDEX;
}
