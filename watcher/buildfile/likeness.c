#include "buildfile/likeness.h"

#include "core/text.h"

static bool is_same_file(const struct bw_dockerfile *a, const struct bw_dockerfile *b)
{
	if (a->use_count != b->use_count || a->warning_count != b->warning_count ||
	    a->error_line != b->error_line || !bw_text_is(a->error, b->error))
		return false;
	for (size_t i = 0; i < a->warning_count; i++)
		if (a->warnings[i].line != b->warnings[i].line ||
		    !bw_text_is(a->warnings[i].text, b->warnings[i].text))
			return false;
	return true;
}

static bool is_same_name(const struct bw_reference *a, const struct bw_reference *b)
{
	return bw_text_is(a->registry, b->registry) && bw_text_is(a->repository, b->repository) &&
	       bw_text_is(bw_reference_tag(a), bw_reference_tag(b));
}

/* All but the digest and the text. */
static bool is_same_use(const struct bw_use *a, const struct bw_use *b)
{
	return a->role == b->role && a->span.line == b->span.line && a->arg_span.line == b->arg_span.line &&
	       a->is_scratch == b->is_scratch && a->reachable == b->reachable &&
	       a->follows_target == b->follows_target && a->ignored_until_ms == b->ignored_until_ms &&
	       bw_text_is(a->ignored, b->ignored) && bw_text_is(a->stage, b->stage) &&
	       bw_text_is(a->platform, b->platform) && bw_text_is(a->unresolved, b->unresolved) &&
	       is_same_name(&a->parts, &b->parts);
}

/* The order of the places: the edits move them, but none across another. */
static bool is_same_order(const struct bw_dockerfile *a, const struct bw_dockerfile *b, size_t i)
{
	if (i == 0)
		return true;
	return (a->uses[i - 1].span.start < a->uses[i].span.start) ==
	       (b->uses[i - 1].span.start < b->uses[i].span.start);
}

enum bw_likeness bw_likeness_of(const struct bw_dockerfile *before, const struct bw_dockerfile *after,
				const struct bw_digest *const *wishes, const bool *must, size_t *ret_use)
{
	enum bw_likeness result = BW_ALIKE;

	if (!is_same_file(before, after))
		return BW_UNLIKE_FILE;
	for (size_t i = 0; i < before->use_count; i++) {
		const struct bw_digest *is = &after->uses[i].parts.digest;
		bool is_wanted = wishes[i] && bw_digest_equal(is, wishes[i]);

		if (!is_same_use(&before->uses[i], &after->uses[i]) || !is_same_order(before, after, i) ||
		    (!is_wanted && !bw_digest_equal(is, &before->uses[i].parts.digest))) {
			*ret_use = i;
			return BW_UNLIKE_USE;
		}
		if (must[i] && !is_wanted && result == BW_ALIKE) {
			*ret_use = i;
			result = BW_ALIKE_SHORT;
		}
	}
	return result;
}
