#include "source/choice.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/*
 * Folders that belong to a tool which fills them by itself and can do so again. Not here: "target", "vendor",
 * "build", "dist", "third_party" and the like. Those names are plain words, and people keep build files of
 * their own in such folders; to miss a base is worse than to list one too many, and --exclude is there.
 */
const char *const bw_folder_skipped[] = {
	".git",	 ".hg",	 ".svn", ".bzr", ".jj",		"node_modules", "bower_components",
	".venv", "venv", ".tox", ".nox", "__pycache__", ".terraform",	".gradle",
	NULL,
};

bool bw_choice_is_skipped(const char *name)
{
	for (const char *const *s = bw_folder_skipped; *s; s++)
		if (strcmp(*s, name) == 0)
			return true;
	return false;
}

const char *bw_choice_base(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/' && path[1])
			base = path + 1;
	return base;
}

static bool matches(const char *const *patterns, size_t count, const char *inner)
{
	const char *base = bw_choice_base(inner);

	for (size_t i = 0; i < count; i++) {
		const char *pattern = patterns[i];
		const char *slash = strchr(pattern, '/');
		bool has_path = slash && slash[1];

		if (bw_text_starts(pattern, "./"))
			pattern++;
		if (has_path && pattern[0] == '/')
			pattern++;
		if (bw_text_glob(pattern, has_path ? inner : base))
			return true;
	}
	return false;
}

bool bw_choice_names(const char *const *patterns, size_t count, char *inner, size_t len)
{
	bool found;

	if (count == 0)
		return false;
	found = matches(patterns, count, inner);
	if (!found && inner[len - 1] == '/') {
		inner[len - 1] = '\0';
		found = matches(patterns, count, inner);
		inner[len - 1] = '/';
	}
	return found;
}

/* --- the way to a file ----------------------------------------------------------------------------- */

static bool names(const char *const *patterns, size_t count, char *path, size_t len)
{
	char kept = path[len];
	bool found;

	path[len] = '\0';
	found = bw_choice_names(patterns, count, path, len);
	path[len] = kept;
	return found;
}

static void look_at(const struct bw_folder_options *o, char *path, size_t from, size_t len,
		    struct bw_choice_way *w)
{
	bool is_folder = path[len - 1] == '/';

	w->is_excluded = w->is_excluded || names(o->excludes, o->exclude_count, path, len);
	w->is_included = w->is_included || names(o->includes, o->include_count, path, len);
	if (is_folder) {
		path[len - 1] = '\0';
		w->is_skipped = w->is_skipped || bw_choice_is_skipped(path + from);
		path[len - 1] = '/';
	}
}

struct bw_choice_way bw_choice_walk(const struct bw_folder_options *o, const char *path, size_t from)
{
	BW_AUTOFREE char *copy = bw_strdup(path);
	size_t len = strlen(copy);
	struct bw_choice_way w = {.is_included = o->include_count == 0};

	for (char *slash = strchr(copy + from, '/'); slash; slash = strchr(copy + from, '/')) {
		look_at(o, copy, from, (size_t)(slash + 1 - copy), &w);
		from = (size_t)(slash + 1 - copy);
	}
	if (len > from)
		look_at(o, copy, from, len, &w);
	return w;
}

bool bw_folder_counts(const struct bw_folder_options *o, const char *inner)
{
	struct bw_choice_way w = bw_choice_walk(o, inner, 0);

	return w.is_included && !w.is_excluded && !w.is_skipped;
}
