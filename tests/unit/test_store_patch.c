/* What a request says of the image, and the patches that it has for pins: of real texts, read by the real reader. */
#include "unit/store_fixture.h"

#include "buildfile/merge.h"
#include "buildfile/template.h"
#include "store/fact.h"
#include "unit/pin_case.h"

#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"

struct notes {
	struct fixture *f;
	enum bw_use_fate (*fate)(const struct bw_fact_use *u);
};

/* "image labels", then each use with its patch. */
static int tell(const struct bw_fact *fact, void *arg, struct bw_told *ret, struct bw_err *err)
{
	const struct notes *n = arg;
	const struct bw_fact_request *r = fact->request;
	struct bw_buf *to = &n->f->text;

	(void)ret, (void)err;
	if (!r)
		return 0;
	bw_buf_addf(to, "%s %s\n", r->image ? r->image : "-", r->labels ? r->labels : "-");
	for (size_t i = 0; i < r->base_count; i++)
		for (size_t k = 0; k < r->bases[i].use_count; k++) {
			const struct bw_fact_use *u = &r->bases[i].uses[k];

			bw_buf_addf(to, "%u%s%s: %s", u->line, u->platform ? " " : "",
				    u->platform ? u->platform : "", u->patch ? "" : "none\n");
			bw_buf_adds(to, u->patch ? strchr(u->patch, '@') : "");
		}
	return 0;
}

static enum bw_use_fate fate(const struct bw_fact_request *r, const struct bw_fact_outstanding *x,
			     const struct bw_fact_use *u, void *arg)
{
	const struct notes *n = arg;

	(void)r, (void)x;
	return n->fate ? n->fate(u) : BW_USE_ASKED;
}

/* A build file with digests by letter, as pin_case.h has them; for several platforms where they are given. */
static int64_t put_text(struct fixture *f, const char *text, const char *const *platforms)
{
	struct bw_build_scan scan = {.source = "", .root = "", .path = "/x/Dockerfile", .target = ""};
	struct bw_dockerfile files[4] = {0}, file;
	struct bw_buf in, out;
	size_t count = 0;
	int64_t id = 0;

	bw_buf_init(&in, 1U << 16);
	bw_buf_init(&out, 1U << 16);
	assert_true(bw_buf_adds(&in, text));
	pin_expand(&in, &out);
	do {
		struct bw_build_options o = {.builder = {.os = "linux", .arch = "amd64"}};

		if (platforms)
			assert_ok(f, bw_platform_parse(platforms[count], strlen(platforms[count]),
						       &o.platform, &f->err));
		bw_dockerfile_parse(bw_buf_str(&out), out.len, &o, &files[count]);
		bw_template_make("Dockerfile", bw_buf_str(&out), out.len, &o, &files[count++]);
	} while (platforms && platforms[count]);
	bw_dockerfile_merge(files, count, &file);
	bw_digest_of(out.data, out.len, &scan.fingerprint);
	scan.file = &file;
	scan.image = "ghcr.io/acme/web";
	scan.labels = "{\"team\":\"web\"}";
	assert_ok(f, bw_store_put_builds(f->store, &scan, 1, 10, &id, &f->err));
	bw_dockerfile_done(&file);
	bw_buf_done(&in);
	bw_buf_done(&out);
	return id;
}

static void answer(const char letter, const char *type, struct bw_answer *ret)
{
	*ret = (struct bw_answer){0};
	digest_from(letter, &ret->digest);
	(void)snprintf(ret->media_type, sizeof(ret->media_type), "%s", type);
}

/* Bases move, all in one record: "a:1=b" each; what is told. */
static const char *move(struct fixture *f, struct notes *n, const char *moves, const char *type)
{
	const struct bw_teller t = {.fn = tell, .fate = fate, .arg = n};
	BW_AUTOFREE char *words = bw_strdup(moves);
	char *rest = words, *word;
	struct bw_seen seen[4] = {0};
	struct bw_answer answers[4];
	size_t count = 0;

	n->f = f;
	bw_buf_clear(&f->text);
	while ((word = strsep(&rest, " ")) != NULL) {
		char *letter = strchr(word, '=') + 1;

		letter[-1] = '\0';
		answer(*letter, type, &answers[count]);
		seen[count] = (struct bw_seen){
			.base_id = base_id(f, word), .at_ms = 200000, .answer = &answers[count]};
		count++;
	}
	assert_ok(f, bw_store_record(f->store, seen, count, &t, &f->counts, &f->err));
	(void)bw_buf_addc(&f->text, '\0');
	pin_shorten(f->text.data);
	return f->text.data;
}

static void put_index(struct fixture *f, char letter, const char *amd64, const char *arm64)
{
	struct bw_child items[2] = {{.media_type = OCI_IMAGE}, {.media_type = OCI_IMAGE}};
	struct bw_manifest m = {
		.kind = BW_MANIFEST_INDEX, .media_type = OCI_INDEX, .children = items, .child_count = 2};
	struct bw_digest d;

	digest_from(*amd64, &items[0].digest);
	digest_from(*arm64, &items[1].digest);
	assert_ok(f, bw_platform_parse("linux/amd64", 11, &items[0].platform, &f->err));
	assert_ok(f, bw_platform_parse("linux/arm64", 11, &items[1].platform, &f->err));
	digest_from(letter, &d);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
}

static void put_image(struct fixture *f, char letter)
{
	struct bw_manifest m = {
		.kind = BW_MANIFEST_IMAGE, .media_type = OCI_IMAGE, .config_type = CONFIG_TYPE};
	struct bw_digest d;

	digest_from(letter, &d);
	digest_from('0', &m.config);
	assert_ok(f, bw_store_put_manifest(f->store, &d, &m, 100, 150, &f->err));
}

#define SAID "ghcr.io/acme/web {\"team\":\"web\"}\n"

/* --- tests ------------------------------------------------------------------------------------ */

static void image_and_labels_are_compared_and_the_uses_stay(void **state)
{
	struct fixture *f = *state;
	struct made_file m;
	int64_t id, use;

	make_file(&m, "/x", "a:1");
	id = put_made(f, &m, 10);
	use = ask(f, "SELECT id FROM use");
	m.scan.image = "web";
	m.scan.labels = "{\"a\":\"1\"}";
	assert_int_equal(put_made(f, &m, 20), id);
	assert_int_equal(ask(f, "SELECT image = 'web' AND labels = '{\"a\":\"1\"}' FROM build"), 1);
	assert_int_equal(ask(f, "SELECT id FROM use"), use);
	m.scan.labels = "{\"a\":\"2\"}";
	put_made(f, &m, 30);
	assert_int_equal(ask(f, "SELECT labels = '{\"a\":\"2\"}' FROM build"), 1);
	run_sql(f->path, "CREATE TRIGGER t BEFORE UPDATE ON build BEGIN SELECT raise(FAIL, 'written'); END");
	put_made(f, &m, 40);
	run_sql(f->path, "DROP TRIGGER t");
	m.scan.image = m.scan.labels = NULL;
	put_made(f, &m, 50);
	assert_int_equal(ask(f, "SELECT image IS NULL AND labels IS NULL FROM build"), 1);
	free_file(&m);
}

static void a_pin_gets_the_patch_to_what_the_tag_has(void **state)
{
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f, "FROM a:1@<a>\nRUN x\nRUN y\nCOPY --from=b:1 / /\n", NULL);
	see_type(f, "a:1", 'a', 100, OCI_IMAGE);
	see_type(f, "b:1", 'a', 100, OCI_IMAGE);
	assert_int_equal(ask(f, "SELECT count(patch) FROM use"), 1);
	assert_string_equal(move(f, &n, "a:1=c b:1=d", OCI_IMAGE),
			    SAID "1: @@ -1,4 +1,4 @@\n-FROM a:1@<a>\n+FROM a:1@<c>\n RUN x\n RUN y\n"
				 " COPY --from=b:1 / /\n4: none\n");
}

static void an_index_is_followed_by_an_index_and_a_child_by_a_child(void **state)
{
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f,
		 "FROM a:1@<a>\nRUN 1\nRUN 2\nRUN 3\nCOPY --from=a:1@<1> / /\nRUN 4\nRUN 5\nRUN 6\nCOPY "
		 "--from=a:1@<e> / /\n",
		 NULL);
	put_index(f, 'a', "2", "1");
	put_index(f, 'b', "4", "3");
	put_image(f, '1');
	see(f, "a:1", 'a', 100);
	assert_string_equal(move(f, &n, "a:1=b", OCI_INDEX),
			    SAID "1: @@ -1,4 +1,4 @@\n-FROM a:1@<a>\n+FROM a:1@<b>\n RUN 1\n RUN 2\n RUN 3\n"
				 "5: @@ -2,7 +2,7 @@\n RUN 1\n RUN 2\n RUN 3\n-COPY --from=a:1@<1> / /\n"
				 "+COPY --from=a:1@<3> / /\n RUN 4\n RUN 5\n RUN 6\n"
				 "9: none\n");
}

static void without_the_bodies_nobody_guesses(void **state)
{
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f, "FROM a:1@<a>\n", NULL);
	see(f, "a:1", 'a', 100);
	assert_string_equal(move(f, &n, "a:1=b", OCI_INDEX), SAID "1: none\n");
}

/* One text, and each platform wants its own image: whichever it moved to, the other one would break. */
static void a_pin_that_platforms_share_moves_for_all_of_them_or_stays(void **state)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64", NULL};
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f, "FROM a:1@<a>\nRUN 1\nRUN 2\nRUN 3\nCOPY --from=a:1@<2> / /\n", platforms);
	put_index(f, 'a', "2", "1");
	put_index(f, 'b', "4", "3");
	put_image(f, '2');
	see(f, "a:1", 'a', 100);
	assert_string_equal(
		move(f, &n, "a:1=b", OCI_INDEX),
		SAID "1 linux/amd64: @@ -1,4 +1,4 @@\n-FROM a:1@<a>\n+FROM a:1@<b>\n RUN 1\n RUN 2\n RUN 3\n"
		     "1 linux/arm64: none\n5 linux/amd64: none\n5 linux/arm64: none\n");
}

/* For one platform the tag still has what is pinned. */
static void a_pin_that_another_platform_still_has_stays(void **state)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64", NULL};
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f, "FROM a:1@<2>\n", platforms);
	put_index(f, 'a', "2", "1");
	put_index(f, 'b', "2", "3");
	put_image(f, '2');
	see(f, "a:1", 'a', 100);
	assert_string_equal(move(f, &n, "a:1=b", OCI_INDEX), SAID "1 linux/arm64: none\n");
}

static enum bw_use_fate not_the_copy(const struct bw_fact_use *u)
{
	return strcmp(u->role, "copy") == 0 ? BW_USE_SUPPRESSED : BW_USE_ASKED;
}

static void what_is_suppressed_is_not_patched_along(void **state)
{
	static const char text[] = "FROM a:1@<a>\nCOPY --from=b:1@<a> / /\n";
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f, text, NULL);
	see_type(f, "a:1", 'a', 100, OCI_IMAGE);
	see_type(f, "b:1", 'a', 100, OCI_IMAGE);
	n.fate = not_the_copy;
	assert_string_equal(
		move(f, &n, "a:1=c b:1=d", OCI_IMAGE),
		SAID "1: @@ -1,2 +1,2 @@\n-FROM a:1@<a>\n+FROM a:1@<c>\n COPY --from=b:1@<a> / /\n" SAID
		     "2: @@ -1,2 +1,2 @@\n FROM a:1@<a>\n-COPY --from=b:1@<a> / /\n"
		     "+COPY --from=b:1@<d> / /\n");
	n.fate = NULL;
	assert_string_equal(move(f, &n, "a:1=e b:1=f", OCI_IMAGE),
			    SAID "1: @@ -1,2 +1,2 @@\n-FROM a:1@<a>\n-COPY --from=b:1@<a> / /\n"
				 "+FROM a:1@<e>\n+COPY --from=b:1@<f> / /\n2: none\n");
}

static void what_is_damaged_in_the_database_is_no_patch(void **state)
{
	struct fixture *f = *state;
	struct notes n = {0};

	put_text(f, "FROM a:1@<a>\n", NULL);
	see_type(f, "a:1", 'a', 100, OCI_IMAGE);
	run_sql(f->path, "UPDATE use SET patch = 'rm -rf'");
	assert_string_equal(move(f, &n, "a:1=b", OCI_IMAGE), SAID "1: none\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(image_and_labels_are_compared_and_the_uses_stay),
		CASE(a_pin_gets_the_patch_to_what_the_tag_has),
		CASE(an_index_is_followed_by_an_index_and_a_child_by_a_child),
		CASE(without_the_bodies_nobody_guesses),
		CASE(a_pin_that_platforms_share_moves_for_all_of_them_or_stays),
		CASE(a_pin_that_another_platform_still_has_stays),
		CASE(what_is_suppressed_is_not_patched_along),
		CASE(what_is_damaged_in_the_database_is_no_patch),
	};

	return cmocka_run_group_tests_name("store_patch", tests, NULL, NULL);
}
