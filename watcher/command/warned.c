#include "command/warned.h"

#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"

#define MAX_TOLD 1000 /* a client tells 8 of a registry, and forgets registries: more than this is noise */

struct bw_warned {
	struct bw_map *told; /* "registry text" */
};

struct bw_warned *bw_warned_new(void)
{
	struct bw_warned *w = BW_NEW(struct bw_warned);

	w->told = bw_map_new();
	return w;
}

void bw_warned_free(struct bw_warned *w)
{
	if (!w)
		return;
	bw_map_free(w->told, NULL);
	free(w);
}

static void tell(const char *registry, const char *about, const char *text, void *arg)
{
	struct bw_warned *w = arg;
	BW_AUTOFREE char *key = bw_asprintf("%s %s", registry, text);

	if (bw_map_get(w->told, key) || bw_map_count(w->told) >= MAX_TOLD)
		return;
	(void)bw_map_put(w->told, key, w);
	bw_warn("%s says of %s: %s", registry, about, text);
}

void bw_warned_attach(struct bw_warned *w, struct bw_registries_given *given)
{
	given->warned = tell;
	given->warned_arg = w;
}
