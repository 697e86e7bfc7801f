#include "source/worktree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

static bool has_git(const char *folder)
{
	BW_AUTOFREE char *dot_git = bw_asprintf("%s/.git", folder);

	return access(dot_git, F_OK) == 0;
}

char *bw_worktree_top(const char *real)
{
	char *up = bw_strdup(real);
	char *slash;

	while (!has_git(up)) {
		slash = strrchr(up, '/');
		if (!slash || slash == up) {
			free(up);
			return NULL;
		}
		*slash = '\0';
	}
	return up;
}

char *bw_worktree_patch_path(const char *source, const char *path)
{
	BW_AUTOFREE char *top = NULL;

	if (strcmp(path, "-") == 0)
		return NULL;
	if (*source || *path != '/')
		return bw_strdup(path + strspn(path, "/"));
	top = bw_worktree_top(path);
	return bw_strdup(top ? path + strlen(top) + 1 : strrchr(path, '/') + 1);
}
