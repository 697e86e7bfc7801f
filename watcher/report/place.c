/* place.c - see place.h; also bw_report_path() of report/report.h. */
#include "place.h"

#include <string.h>

#include "core/mem.h"
#include "report/report.h"

/* Whole path parts only: /a is not above /ab. The root folder is above everything. */
static const char *below(const char *path, const char *cwd)
{
	size_t len = cwd ? strlen(cwd) : 0;

	while (len > 0 && cwd[len - 1] == '/')
		len--;
	if (!cwd || cwd[0] != '/' || strncmp(path, cwd, len) != 0 || path[len] != '/' || !path[len + 1])
		return path;
	return path + len + 1;
}

const char *bw_place_inside(const char *source, const char *path, const char *cwd)
{
	return source && *source ? path : below(path, cwd);
}

char *bw_report_path(const char *source, const char *path, const char *cwd)
{
	if (source && *source)
		return bw_asprintf("%s:%s", source, path);
	return bw_strdup(below(path, cwd));
}
