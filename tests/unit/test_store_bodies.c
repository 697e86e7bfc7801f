/* Bodies: what is kept of manifests and configurations, what is missing, and what pins are worth by that. */
#include "unit/store_fixture.h"

#include "image/images.h"
#include "store/sql.h"

#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"
#define AMD64	    "linux/amd64"
#define ARM64	    "linux/arm64"

/* --- bodies ----------------------------------------------------------------------------------- */

/* "b" becomes an index of these children: "e=linux/arm64 f=attestation g=" (no platform) "h=index" (nested). */
static void put_index_of(struct fixture *f, char letter, const char *children)
{
	BW_AUTOFREE char *words = bw_strdup(children);
	char *rest = words, *word;
	struct bw_child items[8] = {0};
	struct bw_manifest m = {.kind = BW_MANIFEST_INDEX, .media_type = OCI_INDEX, .children = items};
	struct bw_digest d;

	while ((word = strsep(&rest, " ")) != NULL) {
		struct bw_child *c = &items[m.child_count++];
		const char *what = word + 2;

		assert_true(m.child_count <= BW_COUNT(items));
		digest_from(word[0], &c->digest);
		(void)snprintf(c->media_type, sizeof(c->media_type), "%s",
			       strcmp(what, "index") == 0 ? OCI_INDEX : OCI_IMAGE);
		c->is_attestation = strcmp(what, "attestation") == 0;
		if (strchr(what, '/'))
			assert_ok(f, bw_platform_parse(what, strlen(what), &c->platform, &f->err));
	}
	digest_from(letter, &d);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
}

static void put_image(struct fixture *f, char letter, char config)
{
	struct bw_manifest m = {
		.kind = BW_MANIFEST_IMAGE, .media_type = OCI_IMAGE, .config_type = CONFIG_TYPE};
	struct bw_digest d;

	digest_from(letter, &d);
	digest_from(config, &m.config);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
}

static void put_config(struct fixture *f, char letter, const char *arch)
{
	BW_AUTOFREE char *body = bw_asprintf("{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":"
					     "{\"type\":\"layers\",\"diff_ids\":[]}}",
					     arch);
	struct bw_digest d;

	digest_from(letter, &d);
	assert_ok(f, bw_store_put_config(f->store, &d, body, strlen(body), 150, &f->err));
}

static void put_missing(struct fixture *f, const char *name, char letter, enum bw_trouble t)
{
	struct bw_answer why = {.trouble = t, .message = "not here"};
	struct bw_digest d;

	digest_from(letter, &d);
	assert_ok(f, bw_store_put_missing(f->store, name ? base_id(f, name) : 0, &d, &why, 160, &f->err));
}

/* Asks for manifest 'm' and configuration 'c', and meets what can be met. */
static size_t meet(struct fixture *f, int64_t base, struct bw_bodies *b)
{
	struct bw_digest d;
	size_t met = 99;

	digest_from('m', &d);
	(void)bw_bodies_manifest(b, &d);
	digest_from('c', &d);
	(void)bw_bodies_config(b, &d);
	assert_ok(f, bw_store_meet_needs(f->store, base, b, &met, &f->err));
	return met;
}

static size_t open_needs(const struct bw_bodies *b)
{
	size_t count = 99;

	(void)bw_bodies_needs(b, &count);
	return count;
}

static void an_index_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct bw_bodies *b = bw_bodies_new();
	struct bw_child children[2] = {
		{.size = 77, .media_type = OCI_IMAGE, .annotations = bw_strdup("{\"a\":\"1\"}")},
		{.size = 5, .media_type = OCI_INDEX, .is_attestation = true},
	};
	const struct bw_manifest m = {
		.kind = BW_MANIFEST_INDEX, .media_type = OCI_INDEX, .children = children, .child_count = 2};
	const struct bw_manifest *back;
	struct bw_digest d;

	digest_from('d', &children[0].digest);
	digest_from('e', &children[1].digest);
	assert_ok(f, bw_platform_parse("windows(10.0.1)/amd64", 21, &children[0].platform, &f->err));
	digest_from('m', &d);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 999, &f->err)); /* nothing is put twice */
	assert_int_equal(ask(f, "SELECT fetched_at FROM manifest"), 150);
	assert_int_equal(meet(f, 0, b), 1);
	assert_int_equal(open_needs(b), 1);
	back = bw_bodies_peek_manifest(b, &d);
	assert_int_equal(back->kind, BW_MANIFEST_INDEX);
	assert_string_equal(back->media_type, OCI_INDEX);
	assert_int_equal(back->child_count, 2);
	assert_int_equal(back->layer_count, 0);
	assert_false(bw_digest_is_set(&back->config));
	assert_true(bw_digest_equal(&back->children[0].digest, &children[0].digest));
	assert_memory_equal(&back->children[0].platform, &children[0].platform, sizeof(struct bw_platform));
	assert_string_equal(back->children[0].annotations, "{\"a\":\"1\"}");
	assert_string_equal(back->children[0].media_type, OCI_IMAGE);
	assert_int_equal(back->children[0].size, 77);
	assert_false(back->children[0].is_attestation);
	assert_true(back->children[1].is_attestation);
	assert_null(back->children[1].annotations);
	assert_string_equal(back->children[1].platform.os, "");
	free(children[0].annotations);
	bw_bodies_free(b);
}

static void an_image_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct bw_bodies *b = bw_bodies_new();
	struct bw_layer layers[3] = {{.size = 3}, {.size = 1LL << 40}, {.size = 0}};
	struct bw_manifest m = {.kind = BW_MANIFEST_IMAGE,
				.media_type = OCI_IMAGE,
				.layers = layers,
				.layer_count = 3,
				.config_type = CONFIG_TYPE};
	const struct bw_manifest *back;
	struct bw_digest d;

	for (int i = 0; i < 3; i++)
		digest_from((char)('f' - i), &layers[i].digest);
	digest_from('c', &m.config);
	digest_from('m', &d);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
	put_config(f, 'c', "arm64");
	assert_int_equal(meet(f, 0, b), 2);
	assert_int_equal(open_needs(b), 0);
	back = bw_bodies_peek_manifest(b, &d);
	assert_int_equal(back->kind, BW_MANIFEST_IMAGE);
	assert_int_equal(back->layer_count, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(bw_digest_equal(&back->layers[i].digest, &layers[i].digest));
		assert_int_equal(back->layers[i].size, layers[i].size);
	}
	assert_true(bw_digest_equal(&back->config, &m.config));
	assert_string_equal(back->config_type, CONFIG_TYPE);
	assert_string_equal(bw_bodies_peek_config(b, &m.config)->platform.arch, "arm64");
	bw_bodies_free(b);
}

static void a_configuration_is_kept_as_it_came(void **state)
{
	struct fixture *f = *state;
	static const char body[] = "{\"a\":\0\"\xff\"}";
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest d;

	digest_from('c', &d);
	assert_ok(f, bw_store_put_config(f->store, &d, body, sizeof(body) - 1, 150, &f->err));
	assert_ok(f, bw_store_put_config(f->store, &d, "{}", 2, 999, &f->err));
	assert_int_equal(ask(f, "SELECT count(*) FROM config WHERE fetched_at = 150 AND size = 10 AND"
				" body = x'7b2261223a0022ff227d'"),
			 1);
	/* This program cannot read it, though another could: no registry helps. */
	assert_int_equal(meet(f, 0, b), 1);
	assert_int_equal(bw_bodies_missing(b, &d)->trouble, BW_TROUBLE_MALFORMED);
	assert_true(bw_bodies_missing(b, &d)->message[0] != '\0');
	bw_bodies_free(b);
	run_sql(f->path, "UPDATE config SET body = x''");
	b = bw_bodies_new();
	assert_int_equal(meet(f, 0, b), 1);
	assert_non_null(bw_bodies_missing(b, &d));
	bw_bodies_free(b);
}

static void a_damaged_body_is_told(void **state)
{
	struct fixture *f = *state;
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest d;
	size_t met;

	put_index_of(f, 'm', "e=" ARM64);
	digest_from('m', &d);
	(void)bw_bodies_manifest(b, &d);
	run_sql(f->path, "UPDATE manifest_child SET digest = 'sha256:x'");
	assert_fault(f, bw_store_meet_needs(f->store, 0, b, &met, &f->err), BW_E_STORE,
		     "the database is damaged (database disk image is malformed)");
	run_sql(f->path, "DELETE FROM manifest_child; UPDATE manifest SET config = ''");
	assert_fault(f, bw_store_meet_needs(f->store, 0, b, &met, &f->err), BW_E_STORE, "is damaged");
	run_sql(f->path,
		"UPDATE manifest SET config = NULL; INSERT INTO manifest_layer(manifest, ordinal, digest,"
		" size) SELECT digest, 0, 'no', 5 FROM manifest");
	assert_fault(f, bw_store_meet_needs(f->store, 0, b, &met, &f->err), BW_E_STORE, "is damaged");
	run_sql(f->path, "DELETE FROM manifest_layer");
	assert_ok(f, bw_store_meet_needs(f->store, 0, b, &met, &f->err));
	assert_int_equal(met, 1);
	bw_bodies_free(b);
}

/* --- what is missing -------------------------------------------------------------------------- */

static const struct bw_answer *missing(struct fixture *f, const char *name, struct bw_bodies **ret)
{
	struct bw_digest d;

	bw_bodies_free(*ret);
	*ret = bw_bodies_new();
	(void)meet(f, name ? base_id(f, name) : 0, *ret);
	digest_from('m', &d);
	return bw_bodies_missing(*ret, &d);
}

static void what_a_registry_no_longer_has_is_known_for_its_base(void **state)
{
	struct fixture *f = *state;
	struct bw_bodies *b = NULL;
	const struct bw_answer *why;

	put(f, "/x", "a b");
	put_missing(f, "a", 'm', BW_TROUBLE_TAG_GONE);
	why = missing(f, "a", &b);
	assert_int_equal(why->trouble, BW_TROUBLE_TAG_GONE);
	assert_string_equal(why->message, "not here");
	assert_int_equal(open_needs(b), 1); /* the configuration */
	assert_null(missing(f, "b", &b));
	assert_null(missing(f, NULL, &b));
	put_missing(f, "a", 'm', BW_TROUBLE_DENIED); /* the last word counts */
	assert_int_equal(missing(f, "a", &b)->trouble, BW_TROUBLE_DENIED);
	put_image(f, 'm', 'c'); /* it is here, wherever it came from */
	assert_null(missing(f, "a", &b));
	assert_int_equal(open_needs(b), 1);
	bw_bodies_free(b);
}

static void what_may_pass_is_not_remembered(void **state)
{
	struct fixture *f = *state;
	struct bw_answer why = {.trouble = BW_TROUBLE_TAG_GONE};
	struct bw_digest d;

	put(f, "/x", "a");
	put_missing(f, "a", 'm', BW_TROUBLE_TIMEOUT);
	put_missing(f, "a", 'm', BW_TROUBLE_NONE);
	put_missing(f, NULL, 'm', BW_TROUBLE_TAG_GONE);
	assert_int_equal(ask(f, "SELECT count(*) FROM missing"), 0);
	digest_from('m', &d);
	assert_fault(f, bw_store_put_missing(f->store, 77, &d, &why, 5, &f->err), BW_E_INPUT,
		     "there is no base with number 77");
}

static void a_sighting_ends_what_was_missing(void **state)
{
	struct fixture *f = *state;
	struct bw_bodies *b = NULL;

	put(f, "/x", "a b");
	put_missing(f, "a", 'm', BW_TROUBLE_TAG_GONE);
	put_missing(f, "b", 'm', BW_TROUBLE_TAG_GONE);
	see(f, "b", 'a', 100);
	see(f, "a", 'm', 100);
	assert_null(missing(f, "a", &b));
	assert_non_null(missing(f, "b", &b));
	see(f, "b", 'c', 200);
	assert_non_null(missing(f, "b", &b));
	see(f, "b", 'm', 300);
	assert_null(missing(f, "b", &b));
	run_sql(f->path,
		"INSERT INTO missing(base_id, digest, trouble, message, at) SELECT 1, digest, 'sunspots',"
		" '', 1 FROM sighting WHERE base_id = 1");
	assert_null(missing(f, "a", &b)); /* a word that nobody knows: ask again */
	bw_bodies_free(b);
}

/* --- pins ------------------------------------------------------------------------------------- */

#define PIN_A	  "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PIN_E	  "@sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define PINNED_AB "pinned to sha256:aaaaaaaaaaaa, the tag has sha256:bbbbbbbbbbbb"

static void a_pin_needs_no_history(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a:1" PIN_A);
	see(f, "a:1", 'a', 100);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:1 fresh\n");
	see_type(f, "a:1", 'b', 200, OCI_IMAGE);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:1 behind since 200 (" PINNED_AB ")\n");
	assert_string_equal(doubts(f), ""); /* an image has no children */
}

static void put_index(struct fixture *f, char letter, const char *platform, bool is_attestation)
{
	struct bw_child child = {.is_attestation = is_attestation, .media_type = OCI_IMAGE};
	const struct bw_manifest m = {
		.kind = BW_MANIFEST_INDEX, .media_type = OCI_INDEX, .children = &child, .child_count = 1};
	struct bw_digest d;

	(void)digest_of(letter, d.text);
	(void)digest_of('e', child.digest.text);
	assert_ok(f, bw_platform_parse(platform, strlen(platform), &child.platform, &f->err));
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
	assert_ok(f,
		  bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err)); /* once more changes nothing */
}

static void a_pin_to_a_child_is_fresh_once_the_index_is_known(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a:1" PIN_E " b:2" PIN_E);
	see(f, "a:1", 'b', 100);
	see_type(f, "b:2", 'b', 100, "");
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to e (index)\n"
				       "docker.io/library/b:2 b, pinned to e\n");
	assert_non_null(strstr(
		rows(f), "/x/Dockerfile:1 a:1 unknown since 100 (pinned to sha256:eeeeeeeeeeee, the tag has "
			 "sha256:bbbbbbbbbbbb; whether the one is part of the other could not be found "
			 "out)\n"));
	put_index(f, 'b', "linux/arm64", false);
	assert_string_equal(doubts(f), "");
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:1 fresh\n/x/Dockerfile:2 b:2 fresh\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM manifest_child WHERE arch = 'arm64' AND os = 'linux'"),
			 1);
	see_trouble(f, "a:1", BW_TROUBLE_TIMEOUT, "", 200);
	assert_string_equal(rows(f),
			    "/x/Dockerfile:1 a:1 unknown since 200 (the registry did not answer in time)\n"
			    "/x/Dockerfile:2 b:2 fresh\n");
}

static void a_child_of_another_platform_is_behind(void **state)
{
	struct fixture *f = *state;
	struct made_file m;

	make_file(&m, "/x/Dockerfile", "a:1" PIN_E " a:1" PIN_E);
	m.uses[0].platform = bw_strdup("linux/amd64");
	m.uses[1].platform = bw_strdup("linux/arm64");
	(void)put_made(f, &m, 10);
	free_file(&m);
	see(f, "a:1", 'b', 100);
	put_index(f, 'b', "linux/arm64/v8", false);
	assert_string_equal(
		rows(f),
		"/x/Dockerfile:1 a:1 behind since 100 (pinned to sha256:eeeeeeeeeeee, the tag has "
		"sha256:bbbbbbbbbbbb; the pinned image is for linux/arm64, this use wants linux/amd64)\n"
		"/x/Dockerfile:2 a:1 fresh\n");
}

static void an_attestation_is_no_image_to_be_pinned_to(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a:1" PIN_E);
	see(f, "a:1", 'b', 100);
	put_index(f, 'b', "unknown/unknown", true);
	assert_non_null(strstr(rows(f), "a:1 behind since 100"));
}

static void a_manifest_that_is_no_index_settles_the_doubt(void **state)
{
	struct fixture *f = *state;
	const struct bw_manifest m = {.kind = BW_MANIFEST_IMAGE, .media_type = OCI_IMAGE};
	struct bw_digest d;

	put(f, "/x/Dockerfile", "a:1" PIN_E);
	see_type(f, "a:1", 'b', 100, "");
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to e\n");
	(void)digest_of('b', d.text);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
	assert_string_equal(doubts(f), "");
	assert_non_null(strstr(rows(f), "a:1 behind since 100"));
}

static void a_registry_may_say_later_what_it_has(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a:1" PIN_E);
	see_type(f, "a:1", 'b', 100, "");
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to e\n");
	see_type(f, "a:1", 'b', 200, OCI_IMAGE);
	assert_string_equal(doubts(f), "");
	see_type(f, "a:1", 'b', 300, ""); /* and is not forgotten */
	assert_string_equal(doubts(f), "");
	assert_int_equal(ask(f, "SELECT count(*) FROM sighting"), 1);
	assert_non_null(strstr(rows(f), "a:1 behind since 100"));
}

static void what_is_ignored_or_not_needed_raises_no_doubt_and_no_question(void **state)
{
	struct fixture *f = *state;
	struct made_file m;

	make_file(&m, "/x/Dockerfile", "a:1" PIN_E " b:1" PIN_E " c:1 d:1");
	m.uses[0].reachable = false;
	m.uses[1].ignored = bw_strdup("");
	m.uses[2].ignored = bw_strdup("soon");
	m.uses[2].ignored_until_ms = 2000000;
	(void)put_made(f, &m, 10);
	free_file(&m);
	assert_string_equal(wanted(f), "docker.io/library/d:1 -\n");
	see(f, "a:1", 'a', 100);
	see(f, "b:1", 'b', 100);
	assert_string_equal(doubts(f), "");
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:1 ignored (the target does not need stage s1)\n"
				     "/x/Dockerfile:2 b:1 ignored (ignored)\n"
				     "/x/Dockerfile:3 c:1 ignored (ignored until 1970-01-01: soon)\n"
				     "/x/Dockerfile:4 d:1 unknown (never asked)\n");
	f->now_ms = 2000000; /* the annotation has run out */
	assert_string_equal(wanted(f), "docker.io/library/c:1 -\ndocker.io/library/d:1 -\n");
	assert_non_null(strstr(rows(f), "c:1 unknown (never asked)"));
}

/* --- pins that take more than the index ------------------------------------------------------- */

#define PIN_F "@sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void a_pin_for_a_platform_takes_the_pinned_image_too(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_F "|" ARM64);
	see(f, "a:1", 'b', 100);
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to f for " ARM64 " (index)\n");
	put_index_of(f, 'b', "e=" ARM64 " d=" AMD64);
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to f for " ARM64 " (index)\n");
	assert_non_null(strstr(rows(f), "a:1 behind since 100"));
	put_image(f, 'f', 'c');
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to f for " ARM64 " (index)\n");
	put_config(f, 'c', "amd64");
	assert_string_equal(doubts(f), "");
	assert_string_equal(rows(f), "/x:1 a:1 behind since 100 (pinned to sha256:ffffffffffff, the tag has "
				     "sha256:bbbbbbbbbbbb; the pinned image is for " AMD64
				     ", this use wants " ARM64 ")\n");
}

static void a_pinned_image_that_has_gone_is_no_doubt(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_F "|" ARM64);
	see(f, "a:1", 'b', 100);
	put_index_of(f, 'b', "e=" ARM64);
	put_missing(f, "a:1", 'f', BW_TROUBLE_TAG_GONE);
	assert_string_equal(doubts(f), "");
	assert_string_equal(rows(f), "/x:1 a:1 behind since 100 (pinned to sha256:ffffffffffff, the tag has "
				     "sha256:bbbbbbbbbbbb)\n");
}

static void a_tag_whose_index_has_gone_leaves_the_pin_undecided(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_F);
	see(f, "a:1", 'b', 100);
	put_missing(f, "a:1", 'b', BW_TROUBLE_TAG_GONE);
	assert_string_equal(doubts(f), "");
	assert_non_null(strstr(rows(f), "a:1 unknown since 100"));
}

static void what_one_use_lacks_is_no_doubt_of_another(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_F "|" ARM64 " a:1" PIN_E "|" ARM64 " a:1" PIN_A " b:1" PIN_F "|" ARM64);
	put(f, "/y", "a:1" PIN_E "|" ARM64 " a:1" PIN_E "|" AMD64); /* the same question is asked once */
	see(f, "a:1", 'b', 100);
	see(f, "b:1", 'b', 100);
	put_index_of(f, 'b', "f=" ARM64 " d=" AMD64);
	assert_string_equal(doubts(f), "docker.io/library/a:1 b, pinned to e for " AMD64 " (index)\n"
				       "docker.io/library/a:1 b, pinned to e for " ARM64 " (index)\n");
}

static void nested_indexes_and_images_without_a_platform_are_followed(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_E "|" ARM64 " a:1" PIN_F "|" AMD64);
	see(f, "a:1", 'b', 100);
	put_index_of(f, 'b', "1=attestation 2=index");
	put_index_of(f, '2', "3=index f=");
	put_index_of(f, '3', "e=" ARM64 " d=linux/s390x");
	put_image(f, 'f', 'c');
	put_config(f, 'c', "amd64");
	assert_string_equal(doubts(f), "");
	assert_string_equal(rows(f), "/x:1 a:1 fresh\n/x:2 a:1 fresh\n");
}

#define PINNED 300

/* However many uses of a base are pinned, and however often the list is made, the index is read once for each list. */
static void the_index_of_a_base_is_read_once_for_all_its_pins(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c;

	for (int i = 0; i < PINNED; i++) {
		BW_AUTOFREE char *path = bw_asprintf("/%d", i);

		put(f, path, i % 2 ? "a:1" PIN_E " b:1" : "a:1" PIN_F);
	}
	see(f, "a:1", 'b', 100);
	put_index_of(f, 'b', "e=" ARM64 " d=" AMD64);
	(void)rows(f);
	assert_int_equal(sqlite3_stmt_status(f->store->statements[BW_SQL_CHILDREN], SQLITE_STMTSTATUS_RUN, 1),
			 1);
	assert_ok(f, bw_store_done(f->store, NULL, 200, &c, &f->err));
	assert_int_equal(c.pinned, PINNED / 2);
	assert_int_equal(sqlite3_stmt_status(f->store->statements[BW_SQL_CHILDREN], SQLITE_STMTSTATUS_RUN, 1),
			 1);
	assert_string_equal(doubts(f), "");
	assert_int_equal(sqlite3_stmt_status(f->store->statements[BW_SQL_CHILDREN], SQLITE_STMTSTATUS_RUN, 1),
			 1);
}

static void what_is_not_readable_as_a_pin_is_undecided(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_E "|" ARM64);
	see(f, "a:1", 'b', 100);
	put_index_of(f, 'b', "e=" AMD64);
	run_sql(f->path, "UPDATE use SET platform = 'no platform at all'");
	assert_string_equal(rows(f), "/x:1 a:1 fresh\n"); /* any image of the index will do */
	run_sql(f->path, "UPDATE use SET pinned = 'sha256:x'");
	assert_non_null(strstr(rows(f), "/x:1 a:1 unknown since 100"));
	assert_string_equal(doubts(f), "");
}

static int refuse(const struct bw_doubt *d, void *arg, struct bw_err *err)
{
	(void)d;
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "enough");
}

static void a_callback_can_end_the_doubts(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1" PIN_E);
	see(f, "a:1", 'b', 100);
	assert_int_equal(bw_store_each_doubt(f->store, 1, refuse, NULL, &f->err), BW_E_LIMIT);
	see(f, "a:1", 'c', 200); /* and nothing is left open */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_index_comes_back_as_it_was_put),
		CASE(an_image_comes_back_as_it_was_put),
		CASE(a_configuration_is_kept_as_it_came),
		CASE(a_damaged_body_is_told),
		CASE(what_a_registry_no_longer_has_is_known_for_its_base),
		CASE(what_may_pass_is_not_remembered),
		CASE(a_sighting_ends_what_was_missing),
		CASE(a_pin_needs_no_history),
		CASE(a_pin_to_a_child_is_fresh_once_the_index_is_known),
		CASE(a_child_of_another_platform_is_behind),
		CASE(an_attestation_is_no_image_to_be_pinned_to),
		CASE(a_manifest_that_is_no_index_settles_the_doubt),
		CASE(a_registry_may_say_later_what_it_has),
		CASE(what_is_ignored_or_not_needed_raises_no_doubt_and_no_question),
		CASE(a_pin_for_a_platform_takes_the_pinned_image_too),
		CASE(a_pinned_image_that_has_gone_is_no_doubt),
		CASE(a_tag_whose_index_has_gone_leaves_the_pin_undecided),
		CASE(what_one_use_lacks_is_no_doubt_of_another),
		CASE(nested_indexes_and_images_without_a_platform_are_followed),
		CASE(the_index_of_a_base_is_read_once_for_all_its_pins),
		CASE(what_is_not_readable_as_a_pin_is_undecided),
		CASE(a_callback_can_end_the_doubts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
