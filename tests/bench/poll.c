/*
 * poll.c - the poller of the daemon, for many sweeps: are memory and descriptors flat, and how long is the longest turn
 * of the loop? Between two sweeps the wall clock is set forward, as after a suspend, so that nobody has to wait.
 *
 * usage: poll HOST[:PORT] CA_FILE BASES SWEEPS DATABASE
 *
 * A line of JSON after 10, 100, 1,000 ... sweeps, and after the last.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/loop.h"
#include "registry/client.h"
#include "store/build.h"
#include "watch/poller.h"

#define EVERY_MS  1000
#define GLANCE_MS 1

struct bench {
	struct bw_loop *loop;
	struct bw_poller *poller;
	struct bw_timer *glance;
	struct bw_schedule_options schedule;
	uint64_t bases, sweeps, done, show_at;
	uint64_t since_ms;
	size_t troubles;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "poll: %s\n", what);
	exit(1);
}

/* --- what is looked at ------------------------------------------------------------------------ */

static long resident_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		fail("/proc/self/statm cannot be read");
	(void)fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		fail("/proc/self/fd cannot be read");
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 3; /* ".", "..", and that of the folder itself */
}

static void show(const struct bench *b)
{
	printf("{\"name\": \"%llu bases polled\", \"sweeps\": %llu, \"rss_kib\": %ld, \"descriptors\": %d, "
	       "\"longest_turn_ms\": %llu, \"troubles\": %zu, \"seconds\": %.1f}\n",
	       (unsigned long long)b->bases, (unsigned long long)b->done, resident_kib(), count_descriptors(),
	       (unsigned long long)bw_loop_longest(b->loop), b->troubles,
	       (double)(bw_loop_clock(b->loop) - b->since_ms) / 1000);
	(void)fflush(stdout);
}

/* --- the poller and its clock ------------------------------------------------------------------- */

static void noticed(const struct bw_poller_notice *n, void *arg)
{
	((struct bench *)arg)->troubles += n->news == BW_NEWS_TROUBLE;
}

static void recorded(const int64_t *ids, size_t count, void *arg)
{
	(void)ids;
	(void)count;
	(void)arg;
}

static void store_failed(const struct bw_err *err, void *arg)
{
	(void)arg;
	fail(err ? err->msg : "the store works again");
}

static void stopped(const char *registry, const char *reason, void *arg)
{
	(void)registry;
	(void)arg;
	fail(reason);
}

/* All were asked: it is later at once. */
static void glance(void *arg)
{
	struct bench *b = arg;
	struct bw_poller_counts c;

	bw_poller_count(b->poller, &c);
	if (c.asked >= (b->done + 1) * b->bases) {
		b->done++;
		if (b->done == b->show_at || b->done == b->sweeps)
			show(b);
		b->show_at *= b->done == b->show_at ? 10 : 1;
		bw_clock_set(bw_clock_ms() + 2 * EVERY_MS);
		bw_poller_set_schedule(b->poller, &b->schedule);
	}
	if (b->done < b->sweeps)
		bw_timer_start(b->glance, GLANCE_MS);
	else
		bw_loop_stop(b->loop);
}

static void track(struct bw_store *s, const char *host, uint64_t bases)
{
	BW_AUTOBUF struct bw_buf text;
	struct bw_build_options o = {0};
	struct bw_dockerfile file = {0};
	struct bw_build_scan scan = {
		.source = "", .root = "", .path = "/bench/Dockerfile", .target = "", .file = &file};
	struct bw_err err = BW_ERR_INIT;
	int64_t id;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_adds(&text, "FROM scratch\n");
	for (uint64_t i = 0; i < bases; i++)
		bw_buf_addf(&text, "COPY --from=%s/team-%llu/image:v%llu /x /x\n", host,
			    (unsigned long long)i % 100, (unsigned long long)i);
	bw_platform_host(&o.builder);
	bw_dockerfile_parse(bw_buf_str(&text), text.len, &o, &file);
	bw_digest_of(text.data, text.len, &scan.fingerprint);
	if (bw_store_put_builds(s, &scan, 1, bw_clock_ms(), &id, &err) < 0)
		fail(err.msg);
	bw_dockerfile_done(&file);
}

static void poll_all(struct bench *b, struct bw_store *s, const struct bw_clients *clients)
{
	const struct bw_event_options events = {0};
	const struct bw_poller_options o = {.schedule = b->schedule, .events = &events};
	const struct bw_poller_hooks hooks = {.noticed = noticed,
					      .recorded = recorded,
					      .store_failed = store_failed,
					      .stopped = stopped,
					      .arg = b};
	struct bw_err err = BW_ERR_INIT;

	b->poller = bw_poller_new(b->loop, s, clients, &o, &hooks);
	b->glance = bw_timer_new(b->loop, glance, b);
	b->since_ms = bw_loop_clock(b->loop);
	if (bw_poller_reload(b->poller, &err) < 0)
		fail(err.msg);
	bw_timer_start(b->glance, GLANCE_MS);
	bw_loop_on_slow(b->loop, 0, NULL, NULL);
	bw_loop_run(b->loop);
	bw_poller_free(b->poller);
	bw_timer_free(b->glance);
}

int main(int argc, char **argv)
{
	struct bench b = {.show_at = 10, .schedule = BW_SCHEDULE_DEFAULTS};
	struct bw_registry_options o = {0};
	struct bw_clients clients = {0};
	struct bw_store *s = NULL;
	struct bw_err err = BW_ERR_INIT;

	if (argc != 6) {
		fprintf(stderr, "usage: poll HOST[:PORT] CA_FILE BASES SWEEPS DATABASE\n");
		return 64;
	}
	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	b.bases = strtoull(argv[3], NULL, 10);
	b.sweeps = strtoull(argv[4], NULL, 10);
	b.schedule.every_ms = EVERY_MS;
	b.schedule.distance_ms = 0;
	o.ca_file = argv[2];
	if (bw_store_open(argv[5], &s, &err) < 0 || bw_loop_new(&b.loop, &err) < 0 ||
	    bw_registry_new(b.loop, &o, &clients.own, &err) < 0)
		fail(err.msg);
	track(s, argv[1], b.bases);
	poll_all(&b, s, &clients);
	bw_registry_free(clients.own);
	bw_loop_free(b.loop);
	bw_store_close(s);
	return 0;
}
