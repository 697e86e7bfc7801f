/*
 * verdict.h - the judgement of a use: a pure function of its row and now.
 */
#ifndef BW_STORE_VERDICT_H
#define BW_STORE_VERDICT_H

#include "store/row.h"

/* Best last: the verdict of a build or a base is the smallest of its uses. */
enum bw_verdict {
	BW_STALE,   /* stands on an older digest than the tag has */
	BW_BEHIND,  /* pinned to another digest than the tag has */
	BW_UNKNOWN, /* could not be asked, or not be resolved; never shown as fresh */
	BW_FRESH,
	BW_UNFOLLOWABLE, /* scratch, or a digest without a tag: nothing can move */
	BW_IGNORED,	 /* by annotation, or never reached by the target; causes no request */
	BW_VERDICT_COUNT,
};

struct bw_judgement {
	enum bw_verdict verdict;
	int64_t since_ms; /* stale: since the tag moved; behind: since its digest was seen; unknown: since when; else 0 */
	/*
	 * One line for people and JSON; "" when there is nothing to add. It holds words of registries and files: no
	 * line breaks and tabs, but hostile until escaped. Fresh has a reason in three cases only: the base moved and
	 * nothing that counts changed for this build ("moved ... (index: attestations only): same content"), it moved
	 * back to what this build stands on, or the pinned image is for another platform than the use.
	 */
	char reason[512];
};

void bw_judge(const struct bw_row *r, int64_t now_ms, struct bw_judgement *ret);

const char *bw_verdict_name(enum bw_verdict v);
bool bw_verdict_parse(const char *name, enum bw_verdict *ret);

#endif
