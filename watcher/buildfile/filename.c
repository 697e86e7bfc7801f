#include "buildfile/filename.h"

#include <stddef.h>
#include <string.h>

#include "core/def.h"
#include "core/text.h"

/* Never a build file, whatever stands before it. */
static const char *const foreign_ends[] = {
	".dockerignore",
	".containerignore",
	"~",
	".orig",
	".rej",
	".bak",
	".swp",
	".swo",
	".swx",
	".swn",
	".tmp",
	".save",
	".old",
	".md",
	".rst",
	".adoc",
	".html",
	".pdf",
};

static const char *const template_ends[] = {
	".j2",	".jinja", ".jinja2",   ".tmpl",	  ".tpl", ".template", ".in",	      ".erb",
	".ejs", ".hbs",	  ".mustache", ".gotmpl", ".m4",  ".mako",     ".handlebars", ".njk",
};

static bool ends_in(const char *name, const char *const *ends, size_t count)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(ends[i]);

		if (len >= n && bw_text_is_nocase(name + len - n, ends[i]))
			return true;
	}
	return false;
}

/* Editors' own files stand in front: `.#Dockerfile`, `#Dockerfile#`, `.Dockerfile.swp`. */
static bool is_leftover(const char *name)
{
	return name[0] == '#' || strncmp(name, ".#", 2) == 0 ||
	       ends_in(name, foreign_ends, BW_COUNT(foreign_ends));
}

/* The word alone, or at the front with a dot behind it. */
static bool is_word_first(const char *name, const char *word)
{
	size_t n = strlen(word);

	return strncmp(name, word, n) == 0 && (name[n] == '\0' || (name[n] == '.' && name[n + 1] != '\0'));
}

/* At the end, with something and a dot before it. */
static bool is_word_last(const char *name, const char *word)
{
	size_t n = strlen(word);
	size_t len = strlen(name);

	return len > n + 1 && name[len - n - 1] == '.' && strcmp(name + len - n, word) == 0;
}

bool bw_filename_is_buildfile(const char *name)
{
	if (is_leftover(name))
		return false;
	/* Not `dockerfile.*`: that is how sources about Dockerfiles are called (`dockerfile.go`). */
	return strcmp(name, "dockerfile") == 0 || strcmp(name, "containerfile") == 0 ||
	       is_word_first(name, "Dockerfile") || is_word_first(name, "Containerfile") ||
	       is_word_last(name, "Dockerfile") || is_word_last(name, "dockerfile") ||
	       is_word_last(name, "Containerfile") || is_word_last(name, "containerfile");
}

bool bw_filename_is_template(const char *path)
{
	return ends_in(path, template_ends, BW_COUNT(template_ends));
}
