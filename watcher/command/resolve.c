#include <string.h>

#include "command/ask.h"
#include "command/command.h"
#include "command/output.h"
#include "core/log.h"
#include "core/mem.h"
#include "report/listing.h"

/* One IMAGE: its parts and normal form, then what the registry said. `error` set: it ended there. */
struct image {
	const char *written;
	struct bw_reference parts;
	char *reference;
	struct bw_answer answer;
	char *error;
	bool is_bad; /* not a reference at all */
	struct batch *batch;
};

struct batch {
	struct image *images;
	size_t count;
	size_t waiting;
	struct bw_loop *loop;
	struct bw_registry *registry;
	size_t next; /* images[next..] are not asked yet */
};

static void parse_image(struct image *x, const char *text)
{
	struct bw_err err = BW_ERR_INIT;
	size_t offset = 0;

	x->written = text;
	if (bw_reference_parse(text, strlen(text), &x->parts, &offset, &err) < 0) {
		x->error = bw_asprintf("%s (at character %zu)", err.msg, offset + 1);
		x->is_bad = true;
		return;
	}
	x->reference = bw_reference_format(&x->parts);
}

static void feed(struct batch *b);

static void answered(const struct bw_answer *a, void *arg)
{
	struct image *x = arg;

	x->answer = *a;
	if (a->trouble)
		x->error = bw_asprintf("%s: %s", bw_trouble_text(a->trouble), a->message);
	if (--x->batch->waiting == 0)
		bw_loop_stop(x->batch->loop);
	else
		feed(x->batch);
}

/* A digest wins over a tag, as it does in a pull. */
static void ask(struct image *x)
{
	const char *what =
		bw_digest_is_set(&x->parts.digest) ? x->parts.digest.text : bw_reference_tag(&x->parts);

	bw_registry_ask(x->batch->registry, x->parts.registry, x->parts.repository, what, answered, x);
}

/* In order; a full queue of one registry makes the rest wait, which a command line of images can bear. */
static void feed(struct batch *b)
{
	while (b->next < b->count) {
		struct image *x = &b->images[b->next];

		if (!x->is_bad && bw_registry_room(b->registry, x->parts.registry) == 0)
			return;
		b->next++;
		if (!x->is_bad)
			ask(x);
	}
}

static void mark_unanswered(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct image *x = &b->images[i];

		if (!x->error && !bw_digest_is_set(&x->answer.digest))
			x->error = bw_strdup("interrupted");
	}
}

static int ask_all(struct batch *b, const struct bw_args *a, bool *ret_interrupted, struct bw_err *err)
{
	struct bw_asker k;
	int rc = bw_asker_init(&k, a, err);

	for (size_t i = 0; i < b->count; i++)
		b->waiting += !b->images[i].is_bad;
	b->loop = k.loop;
	b->registry = k.registry;
	if (rc == 0 && b->waiting > 0) {
		feed(b);
		bw_loop_run(b->loop);
		*ret_interrupted = k.interrupted;
		mark_unanswered(b);
	}
	bw_asker_done(&k);
	return rc;
}

static int show(const struct batch *b, const struct bw_args *a, struct bw_err *err)
{
	struct bw_resolved *rows = bw_alloc((b->count + 1) * sizeof(*rows));
	struct bw_report_options o;
	bool written;

	for (size_t i = 0; i < b->count; i++) {
		const struct image *x = &b->images[i];

		rows[i] = (struct bw_resolved){
			.written = x->written,
			.reference = x->reference,
			.digest = x->answer.digest.text[0] ? x->answer.digest.text : NULL,
			.media_type = x->answer.media_type[0] ? x->answer.media_type : NULL,
			.error = x->error,
		};
	}
	bw_output_init(a, &o);
	written = bw_resolve_write(rows, b->count, &o);
	bw_output_done(&o);
	free(rows);
	return written ? bw_output_flush(err) : bw_fail_sys(err, 0, "write to standard output");
}

/* A bad reference is the user's (64); one that could not be resolved is unknown (2). */
static enum bw_exit worst(const struct batch *b)
{
	enum bw_exit code = BW_EXIT_OK;

	for (size_t i = 0; i < b->count; i++) {
		if (b->images[i].is_bad)
			return BW_EXIT_USAGE;
		if (b->images[i].error)
			code = BW_EXIT_UNKNOWN;
	}
	return code;
}

static void free_images(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		bw_reference_done(&b->images[i].parts);
		free(b->images[i].reference);
		free(b->images[i].error);
	}
	free(b->images);
}

enum bw_exit bw_command_resolve(const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	struct batch b = {.count = a->operands.count};
	enum bw_exit code;
	bool interrupted = false;
	int rc = 0;

	if (b.count == 0) {
		bw_error("resolve needs at least one IMAGE, such as debian:12");
		return BW_EXIT_USAGE;
	}
	b.images = bw_alloc(b.count * sizeof(*b.images));
	for (size_t i = 0; i < b.count; i++) {
		b.images[i].batch = &b;
		parse_image(&b.images[i], a->operands.items[i]);
	}
	if (!a->offline)
		rc = ask_all(&b, a, &interrupted, &err);
	if (rc == 0)
		rc = show(&b, a, &err);
	code = rc < 0 ? bw_exit_with(&err) : interrupted ? BW_EXIT_INTERRUPTED : worst(&b);
	free_images(&b);
	return code;
}
