/*
 * fuzz_index.c - an index with all that is in it: images, a choice among them, and pins. The first line says what is
 * asked: digit of the tag, digit of the pin, and the wanted platform. Each further line is a body; the digest of the
 * n-th one is the hex digit n, 64 times, so that bodies can name each other in any way, even in circles.
 *
 * Bodies are handed out when they are needed, as in the program. This must end, and what is decided must hold.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "image/pin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BODIES 16

/* Not assert(): it must also hold in a build without assertions. */
#define MUST(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static const char digits[] = "0123456789abcdef";

struct line {
	const char *s;
	size_t len;
};

struct registry {
	struct line bodies[MAX_BODIES];
	size_t count;
};

static struct line next_line(struct line *rest)
{
	const char *end = rest->len ? memchr(rest->s, '\n', rest->len) : NULL;
	struct line one = {rest->s, end ? (size_t)(end - rest->s) : rest->len};
	size_t skip = one.len + (end ? 1 : 0);

	rest->s += skip;
	rest->len -= skip;
	return one;
}

static struct bw_digest digest_of_char(char c)
{
	struct bw_digest d = {0};

	memcpy(d.text, "sha256:", 7);
	memset(d.text + 7, strchr(digits, c) && c ? c : '0', 64);
	return d;
}

/* The body with this digest, or an empty line. */
static struct line find_body(const struct registry *r, const struct bw_digest *d)
{
	for (size_t i = 0; i < r->count; i++) {
		struct bw_digest one = digest_of_char(digits[i]);

		if (bw_digest_equal(&one, d))
			return r->bodies[i];
	}
	return (struct line){"", 0};
}

/* A body that is there and makes sense is put, another is missing. Either way the need must have ended. */
static void meet(const struct registry *r, struct bw_bodies *b, struct bw_need need)
{
	const struct bw_answer gone = {.trouble = BW_TROUBLE_TAG_GONE};
	struct line body = find_body(r, &need.digest);
	struct bw_manifest m = {0};
	struct bw_config c = {0};

	if (need.kind == BW_BODY_MANIFEST && bw_manifest_parse(body.s, body.len, NULL, &m, NULL) == 0) {
		bw_bodies_put_manifest(b, &need.digest, &m);
		MUST(bw_bodies_peek_manifest(b, &need.digest));
	} else if (need.kind == BW_BODY_CONFIG && bw_config_parse(body.s, body.len, &c, NULL) == 0) {
		bw_bodies_put_config(b, &need.digest, &c);
		MUST(bw_bodies_peek_config(b, &need.digest));
	} else {
		bw_bodies_put_missing(b, &need.digest, &gone);
		MUST(bw_bodies_missing(b, &need.digest));
	}
}

/* Each need is there once, and for something that is not known. */
static void check_needs(const struct bw_bodies *b)
{
	size_t count;
	const struct bw_need *needs = bw_bodies_needs(b, &count);

	for (size_t i = 0; i < count; i++) {
		const struct bw_need *n = &needs[i];

		MUST(bw_digest_is_set(&n->digest));
		MUST(!bw_bodies_missing(b, &n->digest));
		if (n->kind == BW_BODY_MANIFEST)
			MUST(!bw_bodies_peek_manifest(b, &n->digest));
		else
			MUST(!bw_bodies_peek_config(b, &n->digest));
		for (size_t j = 0; j < i; j++)
			MUST(needs[j].kind != n->kind || !bw_digest_equal(&needs[j].digest, &n->digest));
	}
}

/* Meets all that is needed; false: nothing was. */
static bool meet_all(const struct registry *r, struct bw_bodies *b)
{
	size_t count;
	bool had_any = false;

	check_needs(b);
	for (;;) {
		const struct bw_need *needs = bw_bodies_needs(b, &count);

		if (count == 0)
			return had_any;
		meet(r, b, needs[0]);
		had_any = true;
	}
}

/* --- what must hold --------------------------------------------------------------------------- */

static bool is_in(const struct bw_images *x, const struct bw_image *image)
{
	return image >= x->items && image < x->items + x->count;
}

static void check_choice(const struct bw_images *x, const struct bw_platform *want)
{
	const struct bw_image *chosen = bw_images_for(x, want);
	bool is_named = want->os[0] != '\0';

	MUST(!chosen || (is_in(x, chosen) && !chosen->is_attestation));
	for (size_t i = 0; i < x->count; i++) {
		const struct bw_image *image = &x->items[i];
		int distance = is_named && !image->is_attestation
				       ? bw_platform_distance(want, &image->platform)
				       : -1;

		MUST(!image->is_attestation ||
		     (image->platform.os[0] == '\0' && !bw_images_is_first(x, image)));
		if (distance < 0)
			continue;
		/* None is nearer than the chosen one, and none of equals stands before it. */
		MUST(chosen && distance >= bw_platform_distance(want, &chosen->platform));
		MUST(distance > bw_platform_distance(want, &chosen->platform) || chosen <= image);
	}
}

static void check_images(struct bw_bodies *b, const struct bw_digest *top, const struct bw_platform *want)
{
	BW_AUTOIMAGES struct bw_images x;
	size_t needs;

	bw_images_list(b, top, &x);
	(void)bw_bodies_needs(b, &needs);
	MUST(x.count <= BW_IMAGES_MAX_COUNT && x.index_count <= BW_IMAGES_MAX_COUNT + 1);
	MUST(x.is_index || x.count <= 1);
	MUST(x.is_index == (x.index_count > 0));
	MUST(!x.is_complete || !x.missing);
	MUST(x.is_complete || x.missing || needs > 0);
	check_choice(&x, want);
	check_choice(&x, &(struct bw_platform){0});
}

/* Everything that can be had is there. */
static void check_pin(struct bw_bodies *b, const struct bw_pin_question *q, const struct bw_pinned *p)
{
	BW_AUTOIMAGES struct bw_images tag;

	bw_images_list(b, q->tag, &tag);
	MUST(p->pin != BW_PIN_NONE);
	MUST((p->pin == BW_PIN_EQUAL) == bw_digest_equal(q->pinned, q->tag));
	MUST(p->pin != BW_PIN_UNDECIDED || !tag.is_complete || tag.problem);
	MUST(p->pin != BW_PIN_CHILD || tag.is_index);
	MUST(!p->is_child || tag.is_index);
	MUST(!p->is_misfit || q->want->os[0] != '\0');
	if (p->pin == BW_PIN_CHILD)
		MUST(!p->is_misfit || tag.count > 0);
}

/* --- the question ----------------------------------------------------------------------------- */

static void ask(const struct registry *r, const struct bw_pin_question *q)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_pinned first, again;
	unsigned rounds = 0;

	do {
		bw_pin_decide(b, q, &first);
		check_images(b, q->tag, q->want);
		MUST(++rounds < 100);
	} while (meet_all(r, b));
	bw_pin_decide(b, q, &again);
	MUST(first.pin == again.pin && first.is_child == again.is_child &&
	     first.is_misfit == again.is_misfit);
	check_pin(b, q, &again);
	bw_bodies_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line rest = {(const char *)data, size};
	struct line head = next_line(&rest);
	struct bw_digest tag, pinned;
	struct bw_platform want = {0};
	struct registry r = {.count = 0};
	struct bw_pin_question q = {.pinned = &pinned, .tag = &tag, .want = &want};

	if (head.len < 2)
		return 0;
	tag = digest_of_char(head.s[0]);
	pinned = digest_of_char(head.s[1]);
	if (head.len > 3 && bw_platform_parse(head.s + 3, head.len - 3, &want, NULL) < 0)
		return 0;
	while (rest.len > 0 && r.count < MAX_BODIES)
		r.bodies[r.count++] = next_line(&rest);
	ask(&r, &q);
	return 0;
}
