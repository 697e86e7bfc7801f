/*
 * seed.c - a database that owes a sink one event for each of many changes, all told as the daemon tells them: bases
 * that no build names any more, which move again and again. The events are printed, too, one per line.
 *
 * usage: seed DATABASE SINK BASES MOVES > EVENTS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/mem.h"
#include "store/base.h"
#include "store/build.h"
#include "store/outbox.h"
#include "watch/event.h"

#define MINUTE_MS  60000
#define MAX_BASES  100000
#define MEDIA_TYPE "application/vnd.oci.image.index.v1+json"

struct seed {
	struct bw_store *store;
	int64_t *ids;
	size_t count;
	struct bw_seen *seen;
	struct bw_answer *answers;
	struct bw_change *changes;
	struct bw_err err;
};

static void must(const struct seed *x, int rc)
{
	if (rc < 0) {
		(void)fprintf(stderr, "seed: %s\n", x->err.msg);
		exit(1);
	}
}

static int take_id(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct seed *x = arg;

	(void)err;
	x->ids[x->count++] = b->id;
	return 0;
}

/* A build names them once, and is forgotten: history stays, and nobody is asked when the outbox is emptied. */
static void name_bases(struct seed *x, size_t count)
{
	BW_AUTOBUF struct bw_buf text;
	struct bw_build_options o = {0};
	struct bw_dockerfile file = {0};
	struct bw_build_scan scan = {
		.source = "", .root = "", .path = "/bench/Dockerfile", .target = "", .file = &file};
	int64_t id;
	size_t forgotten;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, "FROM scratch\n");
	for (size_t i = 0; i < count; i++)
		(void)bw_buf_addf(&text, "COPY --from=registry.example.net/team-%zu/image-%zu:v1.%zu /x /x\n",
				  i % 100, i, i % 10);
	bw_platform_host(&o.builder);
	bw_dockerfile_parse(bw_buf_str(&text), text.len, &o, &file);
	bw_digest_of(text.data, text.len, &scan.fingerprint);
	must(x, bw_store_put_builds(x->store, &scan, 1, bw_clock_ms(), &id, &x->err));
	must(x, bw_store_each_wanted(x->store, bw_clock_ms(), take_id, x, &x->err));
	must(x, bw_store_forget(x->store, &forgotten, &x->err));
	bw_dockerfile_done(&file);
}

static void digest_of(size_t base, unsigned move, struct bw_digest *ret)
{
	BW_AUTOFREE char *text = bw_asprintf("%zu at %u", base, move);

	bw_digest_of(text, strlen(text), ret);
}

static void move_all(struct seed *x, unsigned move, int64_t at_ms, const struct bw_teller *t)
{
	struct bw_record_counts counts = {0};

	for (size_t i = 0; i < x->count; i++) {
		struct bw_answer *a = &x->answers[i];
		struct bw_change *c = &x->changes[i];

		*a = (struct bw_answer){.trouble = BW_TROUBLE_NONE, .media_type = MEDIA_TYPE};
		digest_of(i, move, &a->digest);
		*c = (struct bw_change){.class = BW_CLASS_CONTENT, .moved = "linux/amd64, linux/arm64"};
		digest_of(i, move > 0 ? move - 1 : 0, &c->from);
		x->seen[i] = (struct bw_seen){
			.base_id = x->ids[i], .at_ms = at_ms, .answer = a, .change = move > 0 ? c : NULL};
	}
	must(x, bw_store_record(x->store, x->seen, x->count, t, &counts, &x->err));
}

static int print_event(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	(void)arg;
	(void)err;
	(void)puts(d->json);
	return 0;
}

static void seed(struct seed *x, const char *sink, unsigned moves)
{
	static const char *const types[] = {"base.changed", NULL};
	const struct bw_sink_row row = {.name = sink, .types = types};
	const struct bw_event_options events = {.instance = "bench"};
	const struct bw_event_filter all = {0};
	int64_t begin_ms = bw_clock_ms() - (int64_t)(moves + 1) * 2 * MINUTE_MS;
	struct bw_teller teller;

	bw_event_teller(&events, &teller);
	must(x, bw_store_put_sinks(x->store, &row, 1, begin_ms, &x->err));
	for (unsigned move = 0; move <= moves; move++)
		move_all(x, move, begin_ms + (int64_t)move * 2 * MINUTE_MS, &teller);
	must(x, bw_store_each_event(x->store, &all, print_event, NULL, &x->err));
}

int main(int argc, char **argv)
{
	struct seed x = {.err = BW_ERR_INIT};
	size_t bases = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

	if (bases < 1 || bases > MAX_BASES) {
		(void)fprintf(stderr, "usage: seed DATABASE SINK BASES MOVES > EVENTS\n");
		return 64;
	}
	x.ids = bw_realloc(NULL, bases, sizeof(*x.ids));
	x.seen = bw_realloc(NULL, bases, sizeof(*x.seen));
	x.answers = bw_realloc(NULL, bases, sizeof(*x.answers));
	x.changes = bw_realloc(NULL, bases, sizeof(*x.changes));
	must(&x, bw_store_open(argv[1], &x.store, &x.err));
	name_bases(&x, bases);
	seed(&x, argv[2], (unsigned)strtoul(argv[4], NULL, 10));
	bw_store_close(x.store);
	free(x.ids);
	free(x.seen);
	free(x.answers);
	free(x.changes);
	return 0;
}
