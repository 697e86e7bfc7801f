/* The whole Dockerfile reader. Whatever the bytes: it ends, places lie inside the file, and each use says one
 * thing. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "buildfile/dockerfile.h"
#include "core/buf.h"
#include "core/def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(const struct bw_span *s, size_t size)
{
	if (s->line == 0) {
		assert(s->start == 0 && s->end == 0);
		return;
	}
	assert(s->column > 0);
	assert(s->start <= s->end && s->end <= size);
}

static void check_use(const struct bw_use *u, const char *text, size_t size)
{
	size_t len = u->span.end - u->span.start;

	check_span(&u->span, size);
	check_span(&u->arg_span, size);
	assert(u->written);
	/* As many bytes as were written, in one piece: then the very same ones. */
	if (u->span.line > 0 && len == strlen(u->written) && !memchr(text + u->span.start, '\n', len))
		assert(memcmp(text + u->span.start, u->written, len) == 0);
	assert((u->reference != NULL) + u->is_scratch + (u->unresolved != NULL) == 1);
	assert((u->reference != NULL) == (u->parts.repository != NULL));
	assert((u->stage == NULL) == (u->role == BW_ROLE_FRONTEND));
	assert(u->role < BW_ROLE_COUNT);
}

static void run(const char *text, size_t size, const struct bw_build_options *opts)
{
	struct bw_dockerfile d;
	size_t final = 0;

	bw_dockerfile_parse(text, size, opts, &d);
	for (size_t i = 0; i < d.use_count; i++) {
		check_use(&d.uses[i], text, size);
		final += d.uses[i].role == BW_ROLE_FINAL;
	}
	assert(final <= 1);
	assert(d.error || d.error_line == 0);
	for (size_t i = 0; i < d.warning_count; i++)
		assert(d.warnings[i].text && d.warnings[i].line > 0);
	bw_dockerfile_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name_v[] = "V", value_v[] = "12", name_target[] = "TARGETARCH", value_target[] = "x";
	static char name_base[] = "base", image[] = "docker-image://debian:12", name_local[] = "a",
		    local[] = "./a";
	static const struct bw_setting args[] = {{name_v, value_v}, {name_target, value_target}};
	static const struct bw_setting contexts[] = {{name_base, image}, {name_local, local}};
	static const struct bw_build_options none;
	static const struct bw_build_options given = {
		.args = args,
		.arg_count = BW_COUNT(args),
		.contexts = contexts,
		.context_count = BW_COUNT(contexts),
		.target = "b",
		.builder = {.os = "linux", .arch = "amd64"},
		.platform = {.os = "linux", .arch = "arm", .variant = "v7"},
	};

	if (size > BW_MAX_BUILDFILE_BYTES)
		return 0;
	run((const char *)data, size, &none);
	run((const char *)data, size, &given);
	return 0;
}
