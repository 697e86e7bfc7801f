#include "command/wording.h"

#include "core/mem.h"

const char *bw_wording_plural(size_t n)
{
	return n == 1 ? "" : "s";
}

char *bw_wording_of_tag(const struct bw_answer *a)
{
	return bw_asprintf("%s: %s", bw_trouble_text(a->trouble), a->message);
}

char *bw_wording_of_digest(const struct bw_answer *a)
{
	return bw_trouble_is_absence(a->trouble) ? bw_strdup(a->message) : bw_wording_of_tag(a);
}
