/*
 * replay.c - main() for a fuzz target where there is no libFuzzer: runs it on each file of the folders named,
 * and on each text that begins like one of them, because being cut short is the most common way for input to
 * be wrong. Prints TAP, one test per file. A crash ends the program before the plan is complete, which the
 * runner counts.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/mem.h"

#define MAX_SEED_BYTES (8U << 20)
#define MAX_CUTS       512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly this size, so that AddressSanitizer sees a read one byte behind it. */
static void run_once(const char *data, size_t size)
{
	BW_AUTOFREE char *copy = bw_strndup(data, size);
	BW_AUTOFREE uint8_t *exact = bw_realloc(NULL, size, 1);

	memcpy(exact, copy, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
}

static void run_with_cuts(const char *data, size_t size)
{
	size_t step = size / MAX_CUTS + 1;

	for (size_t len = 0; len < size; len += step)
		run_once(data, len);
	run_once(data, size);
}

static bool replay(const char *path)
{
	BW_AUTOBUF struct bw_buf seed;
	struct bw_err err;

	bw_buf_init(&seed, MAX_SEED_BYTES);
	if (bw_read_file(path, &seed, &err) < 0) {
		printf("# %s\n", err.msg);
		return false;
	}
	run_with_cuts(seed.data, seed.len);
	return true;
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool replay_folder(const char *folder, int *number)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_seed, alphasort);
	bool ok = count > 0;

	if (count <= 0)
		printf("not ok %d - %s has no seeds\n", ++*number, folder);
	for (int i = 0; i < count; i++) {
		BW_AUTOFREE char *path = bw_asprintf("%s/%s", folder, entries[i]->d_name);
		bool good = replay(path);

		printf("%s %d - %s\n", good ? "ok" : "not ok", ++*number, path);
		(void)fflush(stdout); /* a crash in the next seed must not take this line along */
		ok = ok && good;
		free(entries[i]);
	}
	free(entries);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = true;
	int number = 0;

	for (int i = 1; i < argc; i++)
		ok = replay_folder(argv[i], &number) && ok;
	printf("1..%d\n", number);
	return ok ? 0 : 1;
}
