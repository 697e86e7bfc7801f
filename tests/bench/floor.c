/*
 * floor.c - the least work that asking registries can be: a bare libcurl multi loop that sends HEAD to each URL of a
 * list with the headers that basewatch sends, and reads the digest header; of a line "GET URL" it reads the body, too,
 * and throws it away; of a line "POST URL TEXT" it posts the text. No queue per host, no tokens, no store, no report.
 * `make bench` measures basewatch against it in the same run.
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

/* With each text: what a receiver of webhooks gets. */
static const char *const posted[] = {
	"Content-Type: application/cloudevents+json; charset=utf-8",
	"Expect:",
	"webhook-id: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	"webhook-timestamp: 1700000000",
};

struct floor {
	CURLM *multi;
	struct curl_slist *headers, *post_headers;
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

/* What the line asks for; it is copied. */
static void set_request(struct floor *f, CURL *easy, char *line)
{
	char *url = line + strcspn(line, " "), *text;

	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
	if (*url == '\0') {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		curl_easy_setopt(easy, CURLOPT_URL, line);
		return;
	}
	url++;
	text = url + strcspn(url, " ");
	if (*text != '\0') {
		*text++ = '\0';
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, text);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->post_headers);
	} else {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_URL, url);
}

/* Starts the next URL of standard input on `easy`. False: there is none. */
static int start_next(struct floor *f, CURL *easy)
{
	char line[8192];

	if (!fgets(line, sizeof(line), stdin))
		return 0;
	line[strcspn(line, "\n")] = '\0';
	set_request(f, easy, line);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
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
	for (size_t i = 0; i < sizeof(posted) / sizeof(posted[0]); i++)
		f.post_headers = curl_slist_append(f.post_headers, posted[i]);
	f.multi = curl_multi_init();
	curl_multi_setopt(f.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)strtoul(argv[3], NULL, 10));
	run(&f, parallel);
	curl_multi_cleanup(f.multi);
	curl_slist_free_all(f.headers);
	curl_slist_free_all(f.post_headers);
	curl_global_cleanup();
	printf("%zu\n", f.digests);
	return 0;
}
