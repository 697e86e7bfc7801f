#include "command/rehearse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "daemon/registries.h"
#include "daemon/sinks.h"
#include "registry/client.h"
#include "registry/mirror.h"
#include "source/giturl.h"

#define INDEX_TEXT 24

struct rehearsal {
	struct bw_loop *loop;
	bw_refusal_fn fn;
	void *arg;
};

static bool is_away(const char *file)
{
	return file && access(file, R_OK) != 0;
}

static bool is_secret_away(const struct bw_secret *s)
{
	BW_AUTOSECRET struct bw_buf value;

	bw_buf_init(&value, BW_SECRET_MAX_BYTES);
	return bw_secret_is_set(s) && bw_secret_read(s, &value, NULL) < 0;
}

/* --- sources -------------------------------------------------------------------------------------- */

static void try_source(const struct rehearsal *x, const struct bw_conf_source *s, size_t index)
{
	char number[INDEX_TEXT];
	const char *const steps[] = {"sources", number, "git", NULL};
	struct bw_err err = BW_ERR_INIT;
	const struct bw_refusal r = {.steps = steps, .text = err.msg};
	struct bw_giturl u;

	(void)snprintf(number, sizeof(number), "%zu", index);
	if (s->git && bw_giturl_parse(s->git, &u, &err) < 0)
		x->fn(&r, x->arg);
	else if (s->git)
		bw_giturl_done(&u);
}

/* --- registries ----------------------------------------------------------------------------------- */

/* "registries: HOST: KEY: words": the key, and `*text` becomes the words; NULL: it is about none of them. */
static const char *key_in(const char *host, const char **text)
{
	static const char *const keys[] = {"ca-file", "cert-file", "key-file", "proxy"};
	BW_AUTOFREE char *lead = bw_asprintf("registries: %s: ", host);

	if (!bw_text_starts(*text, lead))
		return NULL;
	*text += strlen(lead);
	for (size_t i = 0; i < BW_COUNT(keys); i++)
		if (bw_text_starts(*text, keys[i]) && bw_text_starts(*text + strlen(keys[i]), ": ")) {
			*text += strlen(keys[i]) + 2;
			return keys[i];
		}
	return NULL;
}

/* All that are wrong are told, each in its place. */
static void try_mirrors(const struct rehearsal *x, const struct bw_conf_registry *c)
{
	char number[INDEX_TEXT];
	const char *const steps[] = {"registries", c->host, "mirrors", number, NULL};
	struct bw_mirror *good = bw_alloc((c->mirrors.count + 1) * sizeof(*good));
	struct bw_err err = BW_ERR_INIT;
	const struct bw_refusal r = {.steps = steps, .text = err.msg};
	size_t count = 0;

	for (size_t i = 0; i < c->mirrors.count; i++) {
		(void)snprintf(number, sizeof(number), "%zu", i);
		if (bw_mirror_parse_next(c->mirrors.items[i], c->host, good, count, &good[count], &err) < 0)
			x->fn(&r, x->arg);
		else
			count++;
	}
	while (count > 0)
		bw_mirror_done(&good[--count]);
	free(good);
}

/* Two names of one registry. */
static void try_name(const struct rehearsal *x, const struct bw_conf *c, size_t index)
{
	const char *host = c->registries.items[index].host;
	const char *const steps[] = {"registries", host, NULL};

	for (size_t i = 0; i < index; i++) {
		const char *former = c->registries.items[i].host;
		BW_AUTOFREE char *text = bw_asprintf("this is %s, which has an entry already", former);
		const struct bw_refusal r = {.steps = steps, .text = text};

		if (bw_registry_is_same(former, host)) {
			x->fn(&r, x->arg);
			return;
		}
	}
}

static void try_client(const struct rehearsal *x, const struct bw_conf_registry *c)
{
	const char *steps[] = {"registries", c->host, NULL, NULL};
	struct bw_registry_host_options host;
	const char **mirrors = bw_registries_host(c, &host);
	const struct bw_registry_options o = {.hosts = &host, .host_count = 1};
	struct bw_registry *made = NULL;
	struct bw_err err = BW_ERR_INIT;
	struct bw_refusal r = {.steps = steps, .text = err.msg};

	host.mirrors = NULL; /* they are tried one by one */
	if (bw_registry_new(x->loop, &o, &made, &err) < 0) {
		steps[2] = key_in(c->host, &r.text);
		r.is_elsewhere = is_away(c->ca_file) || is_away(c->cert_file) || is_away(c->key_file);
		x->fn(&r, x->arg);
	}
	bw_registry_free(made);
	free(mirrors);
}

static void try_registry(const struct rehearsal *x, const struct bw_conf_registry *c)
{
	const char *const steps[] = {"registries", c->host, "password", NULL};
	BW_AUTOSECRET struct bw_buf value;
	struct bw_err err = BW_ERR_INIT;
	const struct bw_refusal r = {.steps = steps, .text = err.msg, .is_elsewhere = true};

	bw_buf_init(&value, BW_SECRET_MAX_BYTES);
	if (c->username && bw_secret_read(&c->password, &value, &err) < 0)
		x->fn(&r, x->arg);
	else
		try_client(x, c);
}

/* --- sinks ---------------------------------------------------------------------------------------- */

static bool is_sink_away(const struct bw_conf_sink *s)
{
	bool is = is_away(s->ca_file) || is_away(s->cert_file) || is_away(s->key_file) ||
		  is_secret_away(&s->password);

	for (size_t i = 0; i < s->secrets.count; i++)
		is = is || is_secret_away(&s->secrets.items[i]);
	for (size_t i = 0; i < s->headers.count; i++)
		is = is || is_secret_away(&s->headers.items[i].value.secret);
	return is;
}

/* The key that the words are about, as far as they say. */
static const char *key_of(const struct bw_conf_sink *s, const char *text)
{
	if (bw_text_starts(text, "secret "))
		return "secrets";
	if (bw_text_starts(text, "header "))
		return "headers";
	if (s->ca_file && bw_text_starts(text, s->ca_file))
		return "ca-file";
	if (s->cert_file && bw_text_starts(text, s->cert_file))
		return "cert-file";
	return s->key_file && bw_text_starts(text, s->key_file) ? "key-file" : NULL;
}

/* "sinks.NAME: words" without its beginning; "sinks.NAME.secrets[0]: words" as it is. */
static const char *words_of(const char *message, const char *name)
{
	BW_AUTOFREE char *lead = bw_asprintf("sinks.%s: ", name);

	return bw_text_starts(message, lead) ? message + strlen(lead) : message;
}

static void try_sink(const struct rehearsal *x, const struct bw_conf_sink *s)
{
	const struct bw_sinks_options o = {.instance = "rehearsal", .is_test = true};
	struct bw_sinks_made made = {0};
	struct bw_err err = BW_ERR_INIT;
	const char *steps[] = {"sinks", s->name, NULL, NULL};
	struct bw_refusal r = {.steps = steps, .is_elsewhere = is_sink_away(s)};

	if (bw_sinks_make(x->loop, s, &o, &made, &err) == 0) {
		made.sink.ops->free(made.sink.self);
		return;
	}
	r.text = words_of(err.msg, s->name);
	steps[2] = key_of(s, r.text);
	x->fn(&r, x->arg);
}

int bw_rehearse(const struct bw_conf *c, bw_refusal_fn fn, void *arg, struct bw_err *err)
{
	struct rehearsal x = {.fn = fn, .arg = arg};
	int rc = bw_loop_new(&x.loop, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c->sources.count; i++)
		try_source(&x, &c->sources.items[i], i);
	for (size_t i = 0; i < c->registries.count; i++) {
		try_name(&x, c, i);
		try_mirrors(&x, &c->registries.items[i]);
		try_registry(&x, &c->registries.items[i]);
	}
	for (size_t i = 0; i < c->sinks.count; i++)
		try_sink(&x, &c->sinks.items[i]);
	bw_loop_free(x.loop);
	return 0;
}
