/* test_merge.c - one build file read for several platforms: which uses there are, and for which of them. */
#include "unit/unit.h"

#include <string.h>

#include "buildfile/merge.h"
#include "core/buf.h"
#include "core/mem.h"

static void read_for(const char *text, const char *platform, struct bw_dockerfile *ret)
{
	struct bw_build_options o = {0};

	assert_int_equal(bw_platform_parse("linux/riscv64", strlen("linux/riscv64"), &o.builder, NULL), 0);
	assert_int_equal(bw_platform_parse(platform, strlen(platform), &o.platform, NULL), 0);
	bw_dockerfile_parse(text, strlen(text), &o, ret);
}

/* "line role platform text", one line for each use; '-' in front of what is not reachable. */
static char *listed(const char *text)
{
	struct bw_dockerfile files[2], merged;
	struct bw_buf b;
	char *list;

	bw_buf_init(&b, 1U << 16);
	read_for(text, "linux/amd64", &files[0]);
	read_for(text, "linux/arm64", &files[1]);
	bw_dockerfile_merge(files, 2, &merged);
	assert_int_equal(files[0].use_count + files[1].use_count, 0);
	for (size_t i = 0; i < merged.use_count; i++) {
		const struct bw_use *u = &merged.uses[i];

		(void)bw_buf_addf(&b, "%s%u %s %s %s\n", u->reachable ? "" : "-", u->span.line,
				  bw_role_name(u->role), u->platform ? u->platform : "*",
				  u->unresolved ? u->unresolved : u->expanded);
	}
	if (merged.error)
		(void)bw_buf_addf(&b, "error %u: %s\n", merged.error_line, merged.error);
	for (size_t i = 0; i < merged.warning_count; i++)
		(void)bw_buf_addf(&b, "warning %u\n", merged.warnings[i].line);
	bw_dockerfile_done(&merged);
	list = bw_strdup(bw_buf_str(&b));
	bw_buf_done(&b);
	return list;
}

static void assert_listed(const char *text, const char *expected)
{
	BW_AUTOFREE char *list = listed(text);

	assert_string_equal(list, expected);
}

static void a_base_is_a_use_of_each_platform(void **state)
{
	(void)state;
	assert_listed("FROM debian:12 AS a\nCOPY --from=alpine:3 /x /x\n", "1 final linux/amd64 debian:12\n"
									   "1 final linux/arm64 debian:12\n"
									   "2 copy linux/amd64 alpine:3\n"
									   "2 copy linux/arm64 alpine:3\n");
	assert_listed("ARG TARGETARCH\nFROM base-$TARGETARCH:1\n", "2 final linux/amd64 base-amd64:1\n"
								   "2 final linux/arm64 base-arm64:1\n");
}

static void what_is_the_same_for_all_platforms_is_one_use(void **state)
{
	(void)state;
	assert_listed("# syntax=docker/dockerfile:1\nFROM --platform=$BUILDPLATFORM golang:1 AS b\n"
		      "FROM --platform=linux/s390x x:1\nCOPY --from=b /x /x\n",
		      "1 frontend * docker/dockerfile:1\n"
		      "2 stage linux/riscv64 golang:1\n"
		      "3 final linux/s390x x:1\n");
}

static void what_cannot_be_followed_is_one_use(void **state)
{
	(void)state;
	assert_listed("FROM $NONE AS a\nFROM scratch\nCOPY --from=a / /\n",
		      "1 stage * ARG NONE is not declared before the first FROM\n2 final * scratch\n");
}

static void a_stage_that_one_platform_alone_needs_is_a_use_of_that_one(void **state)
{
	(void)state;
	assert_listed("ARG TARGETARCH\nFROM a:1 AS on-amd64\nFROM b:1 AS on-arm64\nFROM c:1 AS on-none\n"
		      "FROM on-$TARGETARCH\n",
		      "2 final linux/amd64 a:1\n3 final linux/arm64 b:1\n-4 stage linux/amd64 c:1\n");
}

static void errors_and_warnings_are_said_once(void **state)
{
	(void)state;
	assert_listed("FROM a:1\nFROM\n", "-1 stage linux/amd64 a:1\n"
					  "error 2: FROM requires either one or three arguments\n");
}

static void one_platform_alone_changes_nothing(void **state)
{
	struct bw_dockerfile one, merged;

	(void)state;
	read_for("FROM scratch\nFROM a:1\n", "linux/amd64", &one);
	bw_dockerfile_merge(&one, 1, &merged);
	assert_int_equal(merged.use_count, 2);
	assert_string_equal(merged.uses[0].platform, "linux/amd64");
	assert_null(one.uses);
	bw_dockerfile_done(&merged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_base_is_a_use_of_each_platform),
		cmocka_unit_test(what_is_the_same_for_all_platforms_is_one_use),
		cmocka_unit_test(what_cannot_be_followed_is_one_use),
		cmocka_unit_test(a_stage_that_one_platform_alone_needs_is_a_use_of_that_one),
		cmocka_unit_test(errors_and_warnings_are_said_once),
		cmocka_unit_test(one_platform_alone_changes_nothing),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
