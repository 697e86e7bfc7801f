/* doctor_files.c - which bases do the build files of the configured folders name? For as long as none is tracked. */
#include "command/doctor.h"

#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "daemon/origin.h"
#include "daemon/reader.h"

#define LOOK_MS 3000 /* a large tree: the registries still have to be asked */

struct files {
	bw_doctor_base_fn fn;
	void *arg;
	struct bw_map *seen;
	int64_t until_ms;
};

static int take_build(struct bw_found_build *x, void *arg, struct bw_err *err)
{
	struct files *f = arg;

	(void)err;
	for (size_t i = 0; x->file && i < x->file->use_count; i++) {
		const struct bw_use *u = &x->file->uses[i];

		if (!u->reference || !u->parts.tag || !u->reachable || u->ignored ||
		    bw_map_get(f->seen, u->reference))
			continue;
		(void)bw_map_put(f->seen, u->reference, f);
		f->fn(&u->parts, f->arg);
	}
	return 0;
}

static int take_folder(const char *path, int64_t changed_s, void *arg, struct bw_err *err)
{
	const struct files *f = arg;

	(void)path, (void)changed_s;
	return bw_clock_ms() < f->until_ms ? 0 : bw_fail(err, BW_E_LIMIT, "too large");
}

/* The area of the sources tells what cannot be read. */
static void leave_warning(const char *text, void *arg)
{
	(void)text, (void)arg;
}

static void leave_trouble(const char *path, const char *problem, void *arg)
{
	(void)path, (void)problem, (void)arg;
}

static void read_origin(const struct bw_origin *o, struct files *f)
{
	const struct bw_reader_hooks h = {.build = take_build,
					  .warn = leave_warning,
					  .trouble = leave_trouble,
					  .folder = take_folder,
					  .arg = f};
	BW_AUTOFREE char *root = NULL;
	struct bw_reader r;
	struct bw_err err = BW_ERR_INIT;

	bw_reader_init(&r, o, &h);
	(void)!bw_reader_walk(&r, &root, &err);
	bw_reader_done(&r);
}

void bw_doctor_read_files(struct bw_doctor *d, bw_doctor_base_fn fn, void *arg)
{
	struct files f = {.fn = fn, .arg = arg, .seen = bw_map_new(), .until_ms = bw_clock_ms() + LOOK_MS};
	struct bw_origins o = {0};
	struct bw_err err = BW_ERR_INIT;

	if (bw_origins_init(&o, d->conf, &err) == 0)
		for (size_t i = 0; i < o.count; i++)
			if (o.items[i].path)
				read_origin(&o.items[i], &f);
	bw_origins_done(&o);
	bw_map_free(f.seen, NULL);
}
