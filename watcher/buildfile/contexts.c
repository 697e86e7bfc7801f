#include "buildfile/contexts.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* "alpine" of docker.io/library/alpine:latest. The caller frees. */
static char *context_name(const struct bw_reference *ref)
{
	BW_AUTOFREE char *normal = bw_reference_format(ref);
	char *name = bw_strdup(bw_reference_familiar(normal));

	if (bw_text_ends(name, ":latest"))
		name[strlen(name) - strlen(":latest")] = '\0';
	return name;
}

/*
 * Does the NAME of --build-context, without a platform, mean `name`? The command line writes it in any
 * form.
 */
static bool names(const char *given, size_t len, const char *name)
{
	struct bw_reference ref;
	char *normal;
	bool equal;

	if (strlen(name) == len && memcmp(given, name, len) == 0)
		return true;
	if (bw_reference_parse(given, len, &ref, NULL, NULL) < 0)
		return false;
	normal = context_name(&ref);
	equal = strcmp(normal, name) == 0;
	free(normal);
	bw_reference_done(&ref);
	return equal;
}

static bool is_platform(const char *given, const struct bw_platform *want)
{
	struct bw_platform have;
	char a[BW_PLATFORM_MAX];
	char b[BW_PLATFORM_MAX];

	if (bw_platform_parse(given, strlen(given), &have, NULL) < 0)
		return false;
	return strcmp(bw_platform_format(&have, a), bw_platform_format(want, b)) == 0;
}

static const char *find(const struct bw_build_options *opts, const char *name, const struct bw_platform *want)
{
	const char *plain = NULL;

	for (size_t i = 0; i < opts->context_count; i++) {
		const char *given = opts->contexts[i].name;
		const char *colons = strstr(given, "::");

		if (!colons && names(given, strlen(given), name))
			plain = opts->contexts[i].value;
		else if (colons && names(given, (size_t)(colons - given), name) &&
			 is_platform(colons + 2, want))
			return opts->contexts[i].value;
	}
	return plain;
}

static const struct bw_platform *platform_of(const struct bw_build_options *opts,
					     const struct bw_platform *own)
{
	if (own)
		return own;
	return opts->platform.os[0] ? &opts->platform : &opts->builder;
}

const char *bw_context_of_reference(const struct bw_build_options *opts, const struct bw_reference *ref,
				    const struct bw_platform *platform)
{
	const char *value;
	char *name;

	if (opts->context_count == 0)
		return NULL;
	name = context_name(ref);
	value = find(opts, name, platform_of(opts, platform));
	free(name);
	return value;
}

const char *bw_context_of_stage(const struct bw_build_options *opts, const char *name,
				const struct bw_platform *platform)
{
	if (opts->context_count == 0 || strcmp(name, "scratch") == 0 || strcmp(name, "context") == 0)
		return NULL;
	return find(opts, name, platform_of(opts, platform));
}

const char *bw_context_image(const char *value)
{
	static const char scheme[] = "docker-image:";

	if (!bw_text_starts(value, scheme))
		return NULL;
	value += sizeof(scheme) - 1;
	return bw_text_starts(value, "//") ? value + 2 : value;
}
