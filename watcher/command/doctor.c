/* doctor.c - `doctor`: runs the checks at the same time, with a bound, and shows what they found. */
#include "command/doctor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "command/command.h"
#include "command/output.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#define WHOLE_MS BW_DOCTOR_MS

/* Something found, or still to come. */
struct bw_doctor_entry {
	struct bw_finding finding;
	size_t of;     /* the first entry about the same thing: they stay together */
	size_t number; /* in the order of their coming */
	bool is_open;
};

/* --- findings ------------------------------------------------------------------------------------- */

static struct bw_doctor_entry *add(struct bw_doctor *d, enum bw_area area, const char *subject)
{
	struct bw_doctor_entry e = {
		.finding = {.area = area, .subject = bw_strdup(subject)}, .of = d->count, .number = d->count};

	BW_PUSH(d->entries, d->count, d->capacity) = e;
	return &d->entries[d->count - 1];
}

static void fill(struct bw_doctor_entry *e, struct bw_diagnosis x)
{
	e->finding.level = x.level;
	e->finding.seen = x.seen;
	e->finding.advice = x.advice;
	e->is_open = false;
}

struct bw_diagnosis bw_doctor_diagnosis(enum bw_level level, const char *seen, const char *advice)
{
	return (struct bw_diagnosis){
		.level = level, .seen = bw_strdup(seen), .advice = bw_strdup_null(advice)};
}

void bw_doctor_find(struct bw_doctor *d, enum bw_area area, const char *subject, struct bw_diagnosis x)
{
	fill(add(d, area, subject), x);
}

void bw_doctor_say(struct bw_doctor *d, enum bw_area area, enum bw_level level, const char *subject,
		   const char *seen, const char *advice)
{
	bw_doctor_find(d, area, subject, bw_doctor_diagnosis(level, seen, advice));
}

size_t bw_doctor_expect(struct bw_doctor *d, enum bw_area area, const char *subject)
{
	struct bw_doctor_entry *e = add(d, area, subject);

	e->is_open = true;
	d->open++;
	return e->number;
}

void bw_doctor_answer(struct bw_doctor *d, size_t expected, struct bw_diagnosis x)
{
	fill(&d->entries[expected], x);
	if (--d->open == 0 && d->is_running)
		bw_loop_stop(d->loop);
}

void bw_doctor_append(struct bw_doctor *d, size_t expected, struct bw_diagnosis x)
{
	struct bw_doctor_entry *e =
		add(d, d->entries[expected].finding.area, d->entries[expected].finding.subject);

	e->of = expected;
	fill(e, x);
}

/* --- running -------------------------------------------------------------------------------------- */

static void stop_on_signal(int signum, void *arg)
{
	struct bw_doctor *d = arg;

	(void)signum;
	d->interrupted = true;
	bw_loop_stop(d->loop);
}

static void stop_at_deadline(void *arg)
{
	struct bw_doctor *d = arg;

	bw_loop_stop(d->loop);
}

/* The configuration says where the database is, and the database which registries there are. */
static const struct {
	void (*begin)(struct bw_doctor *d);
	void (*end)(struct bw_doctor *d);
} areas[] = {
	{bw_doctor_configuration_begin, bw_doctor_configuration_end},
	{bw_doctor_database_begin, bw_doctor_database_end},
	{bw_doctor_environment_begin, bw_doctor_environment_end},
	{bw_doctor_registries_begin, bw_doctor_registries_end},
	{bw_doctor_sources_begin, bw_doctor_sources_end},
	{bw_doctor_sinks_begin, bw_doctor_sinks_end},
};

static void examine(struct bw_doctor *d)
{
	size_t begun = 0;
	int64_t spent_ms;

	d->started_ms = bw_clock_ms();
	for (; begun < BW_COUNT(areas) && !d->interrupted; begun++)
		areas[begun].begin(d);
	d->deadline = bw_timer_new(d->loop, stop_at_deadline, d);
	spent_ms = bw_clock_ms() - d->started_ms;
	bw_timer_start(d->deadline,
		       spent_ms >= 0 && spent_ms < WHOLE_MS ? (uint64_t)(WHOLE_MS - spent_ms) : 0);
	d->is_running = d->open > 0 && !d->interrupted;
	if (d->is_running)
		bw_loop_run(d->loop);
	while (begun > 0)
		areas[--begun].end(d);
}

static void close_open(struct bw_doctor *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->entries[i].is_open)
			fill(&d->entries[i],
			     d->interrupted
				     ? bw_doctor_diagnosis(BW_LEVEL_NOTE, "not finished: interrupted", NULL)
				     : bw_doctor_diagnosis(
					       BW_LEVEL_ERROR, "no answer within 20 s",
					       "look whether it runs, and at firewalls in between "
					       "that drop what they do not like"));
}

static int by_subject(const void *left, const void *right)
{
	const struct bw_doctor_entry *a = left, *b = right;

	if (a->of != b->of)
		return a->of < b->of ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Hands the findings over; the entries are gone behind it. */
static void take_findings(struct bw_doctor *d, struct bw_findings *ret)
{
	*ret = (struct bw_findings){0};
	if (d->count > 0)
		qsort(d->entries, d->count, sizeof(*d->entries), by_subject);
	for (size_t i = 0; i < d->count; i++)
		BW_PUSH(ret->items, ret->count, ret->capacity) = d->entries[i].finding;
	free(d->entries);
	d->entries = NULL;
	d->count = d->capacity = 0;
}

static int open_doctor(struct bw_doctor *d, struct bw_err *err)
{
	int rc = bw_loop_new(&d->loop, err);

	if (rc == 0)
		rc = bw_signal_new(d->loop, SIGINT, stop_on_signal, d, &d->on_int, err);
	if (rc == 0)
		rc = bw_signal_new(d->loop, SIGTERM, stop_on_signal, d, &d->on_term, err);
	return rc;
}

static void close_doctor(struct bw_doctor *d)
{
	bw_timer_free(d->deadline);
	bw_signal_free(d->on_int);
	bw_signal_free(d->on_term);
	bw_loop_free(d->loop);
	bw_conf_free(d->conf);
}

static enum bw_exit exit_of(const struct bw_doctor *d, const struct bw_findings *f)
{
	if (d->interrupted)
		return BW_EXIT_INTERRUPTED;
	if (d->is_conf_bad)
		return BW_EXIT_CONFIG;
	return bw_findings_count(f, BW_LEVEL_ERROR) > 0 ? BW_EXIT_UNKNOWN : BW_EXIT_OK;
}

static int show(struct bw_doctor *d, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_report_options o;
	struct bw_findings findings;
	bool ok;

	close_open(d);
	take_findings(d, &findings);
	*ret = exit_of(d, &findings);
	bw_output_init(d->args, &o);
	ok = bw_findings_write(&findings, &o);
	bw_output_done(&o);
	bw_findings_done(&findings);
	return ok ? 0 : bw_fail_sys(err, errno ? errno : EIO, "write the findings");
}

enum bw_exit bw_command_doctor(const struct bw_args *a)
{
	struct bw_doctor d = {.args = a};
	struct bw_err err = BW_ERR_INIT;
	enum bw_exit code = BW_EXIT_OK;
	int rc;

	if (a->operands.count > 0) {
		bw_error("`doctor` takes no operands; see `basewatch doctor --help`");
		return BW_EXIT_USAGE;
	}
	if (!a->verbose)
		bw_log_set_level(
			BW_LOG_ERROR); /* what others would warn about is found, and shown at its place */
	rc = open_doctor(&d, &err);
	if (rc == 0) {
		examine(&d);
		rc = show(&d, &code, &err);
	}
	close_doctor(&d);
	return rc < 0 ? bw_exit_with(&err) : code;
}
