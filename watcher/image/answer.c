/* answer.c - the kinds of trouble by name and in words. */
#include "image/answer.h"

#include <stddef.h>

#include "core/text.h"

struct trouble {
	const char *name; /* stored in databases: never change one */
	const char *text;
};

/* In the order of the enum; a kind that is forgotten here would have NULL words, so the unit test counts
 * them. */
static const struct trouble troubles[BW_TROUBLE_COUNT] = {
	[BW_TROUBLE_NONE] = {"", ""},
	[BW_TROUBLE_TAG_GONE] = {"tag-gone", "the tag is gone"},
	[BW_TROUBLE_REPOSITORY_GONE] = {"repository-gone", "the registry has no such repository"},
	[BW_TROUBLE_DENIED] = {"denied", "the registry denies access, or there is no such repository"},
	[BW_TROUBLE_AUTH] = {"auth", "the registry does not accept the log-in"},
	[BW_TROUBLE_THROTTLED] = {"throttled", "the registry asks for fewer requests"},
	[BW_TROUBLE_TIMEOUT] = {"timeout", "the registry did not answer in time"},
	[BW_TROUBLE_DNS] = {"dns", "the name of the registry cannot be resolved"},
	[BW_TROUBLE_TLS] = {"tls", "no trusted TLS connection to the registry"},
	[BW_TROUBLE_CONNECTION] = {"connection", "the connection to the registry failed"},
	[BW_TROUBLE_SERVER] = {"server", "the registry reports an internal error"},
	[BW_TROUBLE_MALFORMED] = {"malformed", "the answer of the registry makes no sense"},
	[BW_TROUBLE_LIMIT] = {"limit", "a limit of basewatch was reached"},
	[BW_TROUBLE_UNSETTLED] = {"unsettled", "the registry gives different answers to one question"},
	[BW_TROUBLE_REFUSED] = {"refused", "the registry leads to an address that is not talked to"},
};

/* The value may come from a database row, so one outside the table is no bug of ours. */
static const struct trouble *find_trouble(enum bw_trouble t)
{
	size_t i = (size_t)t;

	return &troubles[i < BW_COUNT(troubles) ? i : BW_TROUBLE_NONE];
}

const char *bw_trouble_name(enum bw_trouble t)
{
	return find_trouble(t)->name;
}

enum bw_trouble bw_trouble_from_name(const char *name)
{
	for (size_t i = 0; i < BW_COUNT(troubles); i++)
		if (bw_text_is(troubles[i].name, name))
			return (enum bw_trouble)i;
	return BW_TROUBLE_NONE;
}

const char *bw_trouble_text(enum bw_trouble t)
{
	return find_trouble(t)->text;
}

/*
 * A host that cannot be asked at all (DNS, TLS, refused) says nothing of what it has: like one that does not answer in time,
 * it may do so at the next sweep. What a registry refuses, lacks or gets wrong, it will the next time too.
 */
bool bw_trouble_is_passing(enum bw_trouble t)
{
	switch (t) {
	case BW_TROUBLE_THROTTLED:
	case BW_TROUBLE_TIMEOUT:
	case BW_TROUBLE_DNS:
	case BW_TROUBLE_TLS:
	case BW_TROUBLE_CONNECTION:
	case BW_TROUBLE_SERVER:
	case BW_TROUBLE_UNSETTLED:
	case BW_TROUBLE_REFUSED: return true;
	case BW_TROUBLE_NONE:
	case BW_TROUBLE_TAG_GONE:
	case BW_TROUBLE_REPOSITORY_GONE:
	case BW_TROUBLE_DENIED:
	case BW_TROUBLE_AUTH:
	case BW_TROUBLE_MALFORMED:
	case BW_TROUBLE_LIMIT:
	case BW_TROUBLE_COUNT: break;
	}
	return false;
}

bool bw_trouble_is_absence(enum bw_trouble t)
{
	return t == BW_TROUBLE_TAG_GONE || t == BW_TROUBLE_REPOSITORY_GONE;
}
