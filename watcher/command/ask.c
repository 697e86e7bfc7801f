#include "command/ask.h"

#include <signal.h>

#include "command/setup.h"
#include "command/state.h"
#include "command/warned.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "watch/recall.h"

static void stop_loop(int signum, void *arg)
{
	struct bw_asker *k = arg;

	(void)signum;
	k->interrupted = true;
	bw_loop_stop(k->loop);
}

void bw_asker_given(const struct bw_args *a, struct bw_registries_given *ret)
{
	*ret = (struct bw_registries_given){
		.ca_file = a->ca_file,
		.insecure = a->insecure.items,
		.connections = a->connections,
		.connect_timeout_ms = a->connect_timeout_s * 1000,
		.answer_timeout_ms = a->answer_timeout_s * 1000,
		.give_up_ms = a->give_up_s * 1000,
	};
}

static int open_registries(struct bw_asker *k, const struct bw_args *a, const struct bw_conf *c,
			   struct bw_err *err)
{
	struct bw_registries_given given;
	struct bw_conf *own = NULL;
	int rc = c ? 0 : bw_setup_load(a, &own, err);

	bw_asker_given(a, &given);
	bw_warned_attach(k->warned, &given);
	if (rc == 0)
		rc = bw_registries_open(k->loop, c ? c : own, &given, &k->registries, err);
	bw_conf_free(own);
	return rc;
}

int bw_asker_init(struct bw_asker *k, const struct bw_args *a, const struct bw_conf *c, struct bw_err *err)
{
	int rc;

	*k = (struct bw_asker){.warned = bw_warned_new()};
	rc = bw_loop_new(&k->loop, err);
	if (rc < 0)
		return rc;
	rc = open_registries(k, a, c, err);
	if (rc == 0)
		rc = bw_signal_new(k->loop, SIGINT, stop_loop, k, &k->on_int, err);
	if (rc == 0)
		rc = bw_signal_new(k->loop, SIGTERM, stop_loop, k, &k->on_term, err);
	return rc;
}

void bw_asker_recall(struct bw_asker *k, const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_store *s = NULL;
	struct bw_conf *c = NULL;
	BW_AUTOFREE char *path = NULL;
	int rc = bw_setup_load_again(a, &c, &err);

	if (rc == 0)
		rc = bw_state_place(a->db, c->state, &path, &err);
	if (rc == 0)
		rc = bw_store_open_existing(path, &s, &err);
	if (rc == 0)
		rc = bw_recall_load(s, &k->registries.clients, bw_clock_ms(), &err);
	if (rc < 0 && rc != BW_E_GONE)
		bw_debug("what is known of pauses cannot be read: %s", err.msg);
	bw_store_close(s);
	bw_conf_free(c);
}

void bw_asker_done(struct bw_asker *k)
{
	bw_signal_free(k->on_int);
	bw_signal_free(k->on_term);
	bw_registries_close(&k->registries);
	bw_warned_free(k->warned);
	bw_loop_free(k->loop);
}
