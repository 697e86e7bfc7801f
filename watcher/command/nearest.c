/* nearest.c - see nearest.h. A version is the first run of numbers with dots between them; the rest is the variant. */
#include "command/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define NEIGHBOURS	2 /* major numbers on either side */
#define LONGEST_NUMBER	9 /* digits: longer ones are dates with times, or hashes */
#define MOST_DIFFERENCE 3 /* letters */

enum nearness {
	SAME_BUT_CASE,
	SAME_MAJOR,	   /* variant and length of the version are the same */
	SAME_VERSION,	   /* another variant of it */
	SAME_MAJOR_LONGER, /* or shorter */
	NEXT_MAJOR,
	SIMILAR,
	/* Named where nothing is near, so that people see what there is: */
	FAR_VARIANT, /* the same variant */
	FAR_VERSION, /* a version at all */
	FAR,
	NEVER, /* signatures and the like, which stand for no image */
};

/* Where the version is in a tag. */
struct version {
	const char *tag, *start, *end; /* `start` == `end`: it has none */
	unsigned numbers;
	unsigned long major;
};

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

static unsigned long to_number(const char *s)
{
	unsigned long n = 0;

	for (size_t i = 0, len = digits(s); i < len && i < LONGEST_NUMBER; i++)
		n = n * 10 + (unsigned long)(s[i] - '0');
	return n;
}

static struct version read_version(const char *tag)
{
	struct version v = {.tag = tag, .start = tag + strcspn(tag, "0123456789")};
	const char *s = v.start;

	v.end = s;
	if (digits(s) == 0 || digits(s) > LONGEST_NUMBER)
		return v;
	v.major = to_number(s);
	for (v.numbers = 1, s += digits(s); *s == '.' && digits(s + 1) > 0; v.numbers++)
		s += 1 + digits(s + 1);
	v.end = s;
	return v;
}

static size_t length(const struct version *v)
{
	return (size_t)(v->end - v->start);
}

static bool is_same_variant(const struct version *a, const struct version *b)
{
	size_t before = (size_t)(a->start - a->tag);

	return before == (size_t)(b->start - b->tag) && strncmp(a->tag, b->tag, before) == 0 &&
	       strcmp(a->end, b->end) == 0;
}

static bool is_similar(const char *a, const char *b)
{
	size_t max = strlen(a) / 3;

	if (max > MOST_DIFFERENCE)
		max = MOST_DIFFERENCE;
	return max > 0 && bw_text_distance(a, b, max) <= max;
}

static bool are_neighbours(unsigned long a, unsigned long b)
{
	return (a > b ? a - b : b - a) <= NEIGHBOURS;
}

/* cosign puts what belongs to an image under a tag that is made of its digest. */
static bool is_attachment(const char *tag)
{
	return bw_text_starts(tag, "sha256-");
}

static enum nearness distance(const struct version *wanted, const struct version *v)
{
	if (is_attachment(v->tag))
		return NEVER;
	if (v->numbers > 0 && wanted->numbers == v->numbers && is_same_variant(wanted, v))
		return FAR_VARIANT;
	return v->numbers > 0 && v->start <= v->tag + 1 ? FAR_VERSION : FAR;
}

static enum nearness nearness(const struct version *wanted, const struct version *v)
{
	bool have_both = wanted->numbers > 0 && v->numbers > 0;

	if (bw_text_is_nocase(wanted->tag, v->tag))
		return SAME_BUT_CASE;
	if (have_both && is_same_variant(wanted, v)) {
		if (wanted->major == v->major)
			return wanted->numbers == v->numbers ? SAME_MAJOR : SAME_MAJOR_LONGER;
		if (wanted->numbers == v->numbers && are_neighbours(wanted->major, v->major))
			return NEXT_MAJOR;
		return distance(wanted, v); /* 12 and 92 are spelled alike, and far from each other */
	}
	if (have_both && length(wanted) == length(v) && strncmp(wanted->start, v->start, length(v)) == 0)
		return SAME_VERSION;
	return is_similar(wanted->tag, v->tag) ? SIMILAR : distance(wanted, v);
}

/* As people sort versions: runs of digits are numbers. > 0: `a` looks newer. */
static int compare_age(const char *a, const char *b)
{
	while (*a && *b) {
		size_t la, lb;

		if (!isdigit((unsigned char)*a) || !isdigit((unsigned char)*b)) {
			if (*a != *b)
				return (unsigned char)*a > (unsigned char)*b ? 1 : -1;
			a++, b++;
			continue;
		}
		a += strspn(a, "0"), b += strspn(b, "0");
		la = digits(a), lb = digits(b);
		if (la != lb)
			return la > lb ? 1 : -1;
		if (strncmp(a, b, la) != 0)
			return strncmp(a, b, la);
		a += la, b += lb;
	}
	return *a ? 1 : *b ? -1 : 0;
}

struct candidate {
	const char *tag;
	enum nearness nearness;
};

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
	return a->nearness != b->nearness ? a->nearness < b->nearness : compare_age(a->tag, b->tag) > 0;
}

/* Into the few that are the best so far, in their order. */
static void insert(struct candidate best[BW_NEAREST_MAX], size_t *count, struct candidate c)
{
	size_t i = *count;

	if (*count < BW_NEAREST_MAX)
		(*count)++;
	else if (goes_before(&c, &best[--i]))
		best[i] = c;
	else
		return;
	for (best[i] = c; i > 0 && goes_before(&best[i], &best[i - 1]); i--) {
		best[i] = best[i - 1];
		best[i - 1] = c;
	}
}

size_t bw_nearest_tags(const char *wanted, const char *const *tags, size_t count,
		       const char *ret[BW_NEAREST_MAX])
{
	const struct version w = read_version(wanted);
	struct candidate best[BW_NEAREST_MAX] = {0};
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const struct version v = read_version(tags[i]);
		const struct candidate c = {tags[i], nearness(&w, &v)};

		if (c.nearness != NEVER && strcmp(tags[i], wanted) != 0)
			insert(best, &found, c);
	}
	/* Beside what is near, what is far is of no interest. */
	while (found > 0 && best[0].nearness < FAR_VARIANT && best[found - 1].nearness >= FAR_VARIANT)
		found--;
	for (size_t i = 0; i < found; i++)
		ret[i] = best[i].tag;
	return found;
}
