#include "command/ask.h"

#include <signal.h>

#include "core/log.h"

static void stop_loop(int signum, void *arg)
{
	struct bw_asker *k = arg;

	(void)signum;
	k->interrupted = true;
	bw_loop_stop(k->loop);
}

static void load_credentials(struct bw_asker *k)
{
	struct bw_err err = BW_ERR_INIT;

	k->credentials = bw_credentials_new();
	if (bw_credentials_load(k->credentials, &err) < 0)
		bw_warn("%s; going on without it", err.msg);
}

int bw_asker_init(struct bw_asker *k, const struct bw_args *a, struct bw_err *err)
{
	struct bw_registry_options o = {
		.ca_file = a->ca_file,
		.insecure = a->insecure.items,
		.connections = a->connections,
		.connect_timeout_ms = a->connect_timeout_s * 1000,
		.answer_timeout_ms = a->answer_timeout_s * 1000,
		.give_up_ms = a->give_up_s * 1000,
	};
	int rc;

	*k = (struct bw_asker){0};
	rc = bw_loop_new(&k->loop, err);
	if (rc < 0)
		return rc;
	load_credentials(k);
	o.credentials = k->credentials;
	rc = bw_registry_new(k->loop, &o, &k->registry, err);
	if (rc == 0)
		rc = bw_signal_new(k->loop, SIGINT, stop_loop, k, &k->on_int, err);
	if (rc == 0)
		rc = bw_signal_new(k->loop, SIGTERM, stop_loop, k, &k->on_term, err);
	return rc;
}

void bw_asker_done(struct bw_asker *k)
{
	bw_signal_free(k->on_int);
	bw_signal_free(k->on_term);
	bw_registry_free(k->registry);
	bw_credentials_free(k->credentials);
	bw_loop_free(k->loop);
}
