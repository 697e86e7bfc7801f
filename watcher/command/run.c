#include <stdlib.h>
#include <unistd.h>

#include "command/ask.h"
#include "command/command.h"
#include "command/gaps.h"
#include "command/held.h"
#include "command/output.h"
#include "command/setup.h"
#include "command/state.h"
#include "command/warned.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/daemon.h"
#include "daemon/lock.h"
#include "report/report.h"

#define BUSY_MS 1000 /* a locked database is tried again later: the loop must turn */

static int reload(struct bw_conf **ret, void *arg, struct bw_err *err)
{
	const struct bw_args *a = arg;
	struct bw_conf *c = NULL;
	int rc = bw_setup_load(a, &c, err);

	if (rc == 0 && c->sources.count == 0) {
		BW_AUTOFREE char *path = bw_setup_path(a);

		bw_conf_free(c);
		return bw_fail(err, BW_E_CONFIG, "%s: no `sources` are configured: there is nothing to watch",
			       path ? path : "without a file");
	}
	if (rc == 0)
		*ret = c;
	return rc;
}

/* The first time, where to put one may be the question. */
static int load(const struct bw_args *a, struct bw_conf **ret, struct bw_err *err)
{
	BW_AUTOFREE char *path = bw_setup_path(a);

	if (!path)
		return bw_fail(err, BW_E_CONFIG,
			       "there is no configuration: give --config FILE, or write "
			       "/etc/basewatch/basewatch.yaml (basewatch.yaml(5))");
	return reload(ret, (void *)(uintptr_t)a, err);
}

static int report(const struct bw_args *a, struct bw_store *s, const struct bw_sweep_result *r,
		  enum bw_exit *ret, struct bw_err *err)
{
	struct bw_tally tally = {0};
	struct bw_gaps gaps = {0};
	struct bw_report_options o;
	struct bw_held *held = NULL;
	int rc = bw_gaps_known(a, s, &gaps, err);

	if (rc == 0)
		rc = bw_held_new(s, r, &held, err);
	bw_output_init(a, &o);
	o.outlook = bw_held_outlook(held);
	o.checked_at_ms = r->ended_ms;
	o.gaps = &gaps;
	if (rc == 0)
		rc = bw_report_write(s, &o, &tally, err);
	bw_output_done(&o);
	bw_held_free(held);
	bw_gaps_done(&gaps);
	if (rc == 0)
		rc = bw_output_flush(err);
	if (rc == 0)
		*ret = bw_output_exit(a, &tally);
	return rc;
}

static int run_once(const struct bw_args *a, struct bw_store *s, struct bw_daemon *d, enum bw_exit *ret,
		    struct bw_err *err)
{
	struct bw_sweep_result result = {0};
	int rc = bw_daemon_run_once(d, &result, err);

	if (rc == 0 && result.interrupted) {
		bw_warn("interrupted: what was answered so far is recorded");
		*ret = BW_EXIT_INTERRUPTED;
	} else if (rc == 0) {
		rc = report(a, s, &result, ret, err);
	}
	bw_sweep_result_done(&result);
	return rc;
}

static void say_begin(const struct bw_args *a, const struct bw_store *s)
{
	BW_AUTOFREE char *path = bw_setup_path(a);

	bw_info("configuration %s, database %s", path ? path : "none", bw_store_path(s));
}

static int run(const struct bw_args *a, struct bw_store *s, struct bw_conf *c, enum bw_exit *ret,
	       struct bw_err *err)
{
	struct bw_warned *warned = bw_warned_new();
	struct bw_registries_given given;
	struct bw_daemon_options o = {.conf = c,
				      .reload = reload,
				      .arg = (void *)(uintptr_t)a,
				      .given = &given,
				      .is_once = a->once};
	struct bw_daemon *d = NULL;
	int rc;

	bw_asker_given(a, &given);
	bw_warned_attach(warned, &given);
	given.logs_mirrors = true;
	rc = bw_daemon_new(s, &o, &d, err);
	if (rc < 0) {
		bw_conf_free(c);
		bw_warned_free(warned);
		return rc;
	}
	if (a->once) {
		rc = run_once(a, s, d, ret, err);
	} else {
		bw_store_set_busy_ms(s, BUSY_MS);
		say_begin(a, s);
		bw_daemon_run(d);
	}
	bw_daemon_free(d);
	bw_warned_free(warned);
	return rc;
}

/* One daemon for a database. */
static int run_locked(const struct bw_args *a, struct bw_conf *c, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_store *s = NULL;
	int lock = -1;
	int rc = bw_state_open(a, &s, err);

	if (rc == 0)
		rc = bw_lock_take(bw_store_path(s), &lock, err);
	if (rc == 0)
		rc = run(a, s, c, ret, err);
	else
		bw_conf_free(c);
	bw_store_close(s);
	if (lock >= 0)
		(void)close(lock);
	return rc;
}

static void set_up_log(const struct bw_args *a)
{
	enum bw_log_level level = a->once ? BW_LOG_WARN : BW_LOG_INFO;

	bw_log_set_format(a->log_format);
	bw_log_set_level(a->quiet ? BW_LOG_ERROR : a->verbose ? BW_LOG_DEBUG : level);
}

enum bw_exit bw_command_run(const struct bw_args *a)
{
	enum bw_exit code = BW_EXIT_OK;
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;
	int rc;

	set_up_log(a);
	if (a->operands.count > 0) {
		bw_error("`run` takes no operands: `sources` of the configuration say what it watches; see "
			 "`basewatch run --help`");
		return BW_EXIT_USAGE;
	}
	if (geteuid() == 0 && !a->once && !a->allow_root) {
		bw_error("this does not need root, and whatever it fetches should not have it: run it as "
			 "another "
			 "user, or give --allow-root");
		return BW_EXIT_USAGE;
	}
	rc = load(a, &c, &err);
	if (rc == 0)
		rc = run_locked(a, c, &code, &err);
	return rc < 0 ? bw_exit_with(&err) : code;
}
