/* conf_folder.h - for the tests of the configuration: a folder of their own with small files, removed at the end. */
#ifndef BW_TESTS_CONF_FOLDER_H
#define BW_TESTS_CONF_FOLDER_H

#include "unit/unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"

/* The caller removes it with folder_free(). */
static inline char *folder_new(void)
{
	char *path = bw_strdup("/tmp/basewatch-conf-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline void folder_free(const char *path)
{
	assert_int_equal(nftw(path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes a file below the folder, with the folders around it. Returns its path, which the caller frees. */
static inline char *folder_file(const char *folder, const char *inner, const void *bytes, size_t len,
				mode_t mode)
{
	char *path = bw_asprintf("%s/%s", folder, inner);
	FILE *f;

	for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

#endif
