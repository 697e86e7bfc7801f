#include "command/offer.h"

#include "core/buf.h"

/* Of a sentence; Windows images have one platform per build of the system. */
#define MAX_NAMED      24
#define MAX_LACK_BYTES (16U << 10)

const struct bw_image *bw_offer_pick(const struct bw_images *x, const struct bw_platform *want)
{
	const struct bw_image *found = bw_images_for(x, want);

	if (found && found->platform.os[0] && !bw_platform_matches(want, &found->platform))
		return NULL;
	return found;
}

static bool is_offered(const struct bw_images *x, size_t i)
{
	return x->items[i].platform.os[0] && bw_images_is_first(x, &x->items[i]);
}

char *bw_offer_lack(const struct bw_images *x, const struct bw_platform *want, const char *name)
{
	char platform[BW_PLATFORM_MAX];
	BW_AUTOBUF struct bw_buf text;
	size_t count = 0;

	bw_buf_init(&text, MAX_LACK_BYTES);
	bw_buf_addf(&text, "no %s in %s", bw_platform_format(want, platform), name);
	for (size_t i = 0; i < x->count; i++) {
		if (!is_offered(x, i))
			continue;
		if (count++ < MAX_NAMED)
			bw_buf_addf(&text, "%s%s", count == 1 ? "; it has " : ", ",
				    bw_platform_format(&x->items[i].platform, platform));
	}
	if (count > MAX_NAMED)
		bw_buf_addf(&text, " and %zu more", count - MAX_NAMED);
	if (count == 0)
		bw_buf_adds(&text, "; it names no platform");
	return bw_buf_take(&text, NULL);
}
