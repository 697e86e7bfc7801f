/*
 * floor.c - the least work that asking registries can be: a bare libcurl multi loop that sends HEAD to each URL of a
 * list with the headers that basewatch sends, and reads the digest header; of a line "GET URL" it reads the body, too,
 * and throws it away. No queue per host, no tokens, no store, no report. `make bench` measures basewatch against it in
 * the same run.
 *
 * usage: floor CA_FILE|- PARALLEL CONNECTIONS < URLS     prints the number of digests read
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/version.h"
#include "image/manifest.h"

#define MAX_PARALLEL 256

struct floor {
	CURLM *multi;
	struct curl_slist *headers;
	const char *ca_file;
	size_t digests;
};

static size_t read_header(char *data, size_t size, size_t n, void *arg)
{
	static const char name[] = "docker-content-digest:";
	struct floor *f = arg;

	if (size * n > sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0)
		f->digests++;
	return size * n;
}

static size_t drop_body(char *data, size_t size, size_t n, void *arg)
{
	(void)data, (void)arg;
	return size * n;
}

/* Starts the next URL of standard input on `easy`. False: there is none. */
static int start_next(struct floor *f, CURL *easy)
{
	char line[4096];
	int is_get;

	if (!fgets(line, sizeof(line), stdin))
		return 0;
	line[strcspn(line, "\n")] = '\0';
	is_get = strncmp(line, "GET ", 4) == 0;
	curl_easy_setopt(easy, CURLOPT_URL, line + (is_get ? 4 : 0));
	if (is_get)
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "basewatch/" BW_VERSION);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, f);
	if (f->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, f->ca_file);
	curl_multi_add_handle(f->multi, easy);
	return 1;
}

static void run(struct floor *f, int parallel)
{
	int running = 0, left;
	CURLMsg *msg;

	for (int i = 0; i < parallel; i++) {
		CURL *easy = curl_easy_init();

		if (!start_next(f, easy))
			curl_easy_cleanup(easy);
	}
	do {
		curl_multi_perform(f->multi, &running);
		while ((msg = curl_multi_info_read(f->multi, &left))) {
			CURL *easy = msg->easy_handle;

			curl_multi_remove_handle(f->multi, easy);
			if (start_next(f, easy))
				running++;
			else
				curl_easy_cleanup(easy);
		}
		if (running)
			curl_multi_poll(f->multi, NULL, 0, 1000, NULL);
	} while (running);
}

int main(int argc, char **argv)
{
	struct floor f = {0};
	int parallel;

	if (argc != 4) {
		fprintf(stderr, "usage: floor CA_FILE|- PARALLEL CONNECTIONS < URLS\n");
		return 64;
	}
	parallel = (int)strtoul(argv[2], NULL, 10);
	if (parallel < 1 || parallel > MAX_PARALLEL)
		return 64;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	f.ca_file = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
	f.headers = curl_slist_append(NULL, "Accept: " BW_MANIFEST_ACCEPT);
	f.multi = curl_multi_init();
	curl_multi_setopt(f.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)strtoul(argv[3], NULL, 10));
	run(&f, parallel);
	curl_multi_cleanup(f.multi);
	curl_slist_free_all(f.headers);
	curl_global_cleanup();
	printf("%zu\n", f.digests);
	return 0;
}
