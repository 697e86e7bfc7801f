/* event.c - see watch/event.h. */
#include "watch/event.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "owed.h"
#include "store/identity.h"

#define MAX_EVENT_BYTES (32U << 20) /* BW_FACT_MAX_USES keeps it far below */

static const char *const types[] = {
	[BW_FACT_CHANGED] = "io.basewatch.base.changed",
	[BW_FACT_UNREACHABLE] = "io.basewatch.base.unreachable",
	[BW_FACT_RECOVERED] = "io.basewatch.base.recovered",
	[BW_FACT_REQUESTED] = "io.basewatch.rebuild.requested",
};

/* --- identities ------------------------------------------------------------------------------- */

/* Parts are told apart by the NUL behind each. */
static void add_part(struct bw_buf *b, const char *text)
{
	(void)bw_buf_add(b, text ? text : "", strlen(text ? text : "") + 1);
}

static void add_number(struct bw_buf *b, int64_t n)
{
	(void)bw_buf_addf(b, "%lld", (long long)n);
	(void)bw_buf_addc(b, '\0');
}

/* The first digits of the hash, as many as `size` has room for. */
static void hash(const struct bw_buf *b, char *ret, size_t size)
{
	struct bw_digest d;
	const char *hex;

	bw_digest_of(bw_buf_str(b), b->len, &d);
	hex = strchr(d.text, ':');
	hex = hex ? hex + 1 : "";
	(void)snprintf(ret, size, "%s", hex);
}

static void add_request_id(struct bw_buf *b, const struct bw_fact_request *r)
{
	for (size_t i = 0; i < r->base_count; i++) {
		const struct bw_fact_outstanding *x = &r->bases[i];

		add_part(b, x->base.registry);
		add_part(b, x->base.repository);
		add_part(b, x->base.tag);
		add_number(b, x->base.number);
		add_part(b, x->from);
		add_part(b, x->base.digest);
	}
	if (r->reminder)
		add_number(b, r->reminder);
}

/* A base may get out of reach and come back more than once between two sightings: then the time tells them apart. */
static void add_base_id(struct bw_buf *b, const struct bw_fact *f)
{
	add_number(b, f->base->number);
	add_part(b, f->from ? f->from->text : "");
	add_part(b, f->base->digest);
	if (f->kind == BW_FACT_UNREACHABLE)
		add_number(b, f->trouble->since_ms);
	else if (f->kind == BW_FACT_RECOVERED)
		add_number(b, f->at_ms);
}

static void make_id(const struct bw_fact *f, const struct bw_told *told, char ret[BW_EVENT_ID_MAX])
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, MAX_EVENT_BYTES);
	add_part(&b, f->uuid);
	add_part(&b, types[f->kind]);
	add_part(&b, told->subject);
	if (f->kind == BW_FACT_REQUESTED)
		add_request_id(&b, f->request);
	else
		add_base_id(&b, f);
	if (f->kind == BW_FACT_REQUESTED && told->suppressed)
		add_part(&b, "suppressed");
	hash(&b, ret, BW_EVENT_ID_MAX);
}

/* "shop:web/Dockerfile@runtime" */
static char *build_name(const struct bw_fact_request *r)
{
	return bw_asprintf("%s%s%s%s%s", r->source, r->source[0] ? ":" : "", r->path, r->target[0] ? "@" : "",
			   r->target);
}

/* --- data ------------------------------------------------------------------------------------- */

/* Texts that are not there are null. */
static void put_text(struct bw_json *w, const char *key, const char *text)
{
	bw_json_key_str(w, key, text && text[0] ? text : NULL);
}

static void put_number(struct bw_json *w, const struct bw_fact_base *b)
{
	bw_json_key(w, "number");
	if (b->number > 0)
		bw_json_int(w, b->number);
	else
		bw_json_null(w);
}

static void put_base(struct bw_json *w, const struct bw_fact_base *b)
{
	BW_AUTOFREE char *name = bw_owed_base_name(b);

	bw_json_key_str(w, "base", name);
	bw_json_key_str(w, "registry", b->registry);
	bw_json_key_str(w, "repository", b->repository);
	bw_json_key_str(w, "tag", b->tag);
	put_number(w, b);
}

static void put_class(struct bw_json *w, enum bw_class class, const char *moved)
{
	bw_json_key_str(w, "class", bw_class_name(class));
	put_text(w, "moved", moved);
}

static void put_platforms(struct bw_json *w, const struct bw_change *change)
{
	bw_json_key(w, "platforms");
	bw_json_open(w, '[');
	for (size_t i = 0; change && i < change->comparison_count; i++) {
		const struct bw_comparison *u = &change->comparisons[i];

		/* What it is to builds on older digests is in their requests. */
		if (!bw_digest_equal(&u->from, &change->from))
			continue;
		bw_json_open(w, '{');
		put_text(w, "platform", u->platform);
		put_class(w, u->class, u->moved);
		bw_json_close(w, '}');
	}
	bw_json_close(w, ']');
}

static void put_changed(struct bw_json *w, const struct bw_fact *f)
{
	put_base(w, f->base);
	bw_json_key_str(w, "from", f->from->text);
	bw_json_key_str(w, "to", f->base->digest);
	put_class(w, f->change ? f->change->class : BW_CLASS_UNCLASSIFIED,
		  f->change ? f->change->moved : NULL);
	put_platforms(w, f->change);
}

static void put_unreachable(struct bw_json *w, const struct bw_fact *f)
{
	put_base(w, f->base);
	bw_json_key_str(w, "digest", f->base->digest);
	bw_json_key_str(w, "trouble", bw_trouble_name(f->trouble->trouble));
	put_text(w, "message", f->trouble->message);
	bw_json_key_int(w, "failures", f->trouble->failures);
	bw_json_key_time(w, "since", f->trouble->since_ms);
}

static void put_recovered(struct bw_json *w, const struct bw_fact *f)
{
	put_base(w, f->base);
	bw_json_key_str(w, "digest", f->base->digest);
}

static void put_use(struct bw_json *w, const struct bw_fact_use *u)
{
	bw_json_open(w, '{');
	bw_json_key_int(w, "line", u->line);
	bw_json_key_str(w, "role", u->role);
	put_text(w, "stage", u->stage);
	put_text(w, "platform", u->platform);
	put_text(w, "pinned", u->pinned);
	put_text(w, "patch", u->patch);
	bw_json_close(w, '}');
}

static void put_outstanding(struct bw_json *w, const struct bw_fact_outstanding *x)
{
	bw_json_open(w, '{');
	put_base(w, &x->base);
	bw_json_key_str(w, "from", x->from);
	bw_json_key_str(w, "to", x->base.digest);
	put_class(w, x->class, x->moved);
	bw_json_key_time(w, "since", x->since_ms);
	bw_json_key(w, "uses");
	bw_json_open(w, '[');
	for (size_t i = 0; i < x->use_count; i++)
		put_use(w, &x->uses[i]);
	bw_json_close(w, ']');
	bw_json_close(w, '}');
}

/* Each platform once; there are few. */
static bool is_new(const char *const *seen, size_t count, const char *platform)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(seen[i], platform) == 0)
			return false;
	return true;
}

static void put_build_platforms(struct bw_json *w, const struct bw_fact_request *r)
{
	const char **seen = NULL;
	size_t count = 0, capacity = 0;

	bw_json_key(w, "platforms");
	bw_json_open(w, '[');
	for (size_t i = 0; i < r->base_count; i++)
		for (size_t k = 0; k < r->bases[i].use_count; k++) {
			const char *platform = r->bases[i].uses[k].platform;

			if (!platform || !is_new(seen, count, platform))
				continue;
			BW_PUSH(seen, count, capacity) = platform;
			bw_json_str(w, platform);
		}
	bw_json_close(w, ']');
	free(seen);
}

/* Written anew: only a text that is an object of strings is one in the event. */
void bw_event_put_labels(struct bw_json *w, const char *labels)
{
	json_t *object = json_loads(labels ? labels : "{}", JSON_REJECT_DUPLICATES, NULL);
	const char *name;
	json_t *value;

	bw_json_key(w, "labels");
	bw_json_open(w, '{');
	json_object_foreach(object, name, value)
	{
		if (!json_is_string(value))
			continue;
		bw_json_key(w, name);
		bw_json_strn(w, json_string_value(value), json_string_length(value));
	}
	bw_json_close(w, '}');
	json_decref(object);
}

static void put_request(struct bw_json *w, const struct bw_fact *f)
{
	const struct bw_fact_request *r = f->request;
	char id[BW_BUILD_ID_MAX];

	bw_identity_of_build(f->uuid, r->source, r->path, r->target, id);
	bw_json_key_str(w, "build", id);
	put_text(w, "source", r->source);
	put_text(w, "repository", r->url);
	put_text(w, "branch", r->branch);
	put_text(w, "commit", r->commit);
	bw_json_key_str(w, "file", r->path);
	put_text(w, "target", r->target);
	put_text(w, "image", r->image);
	bw_event_put_labels(w, r->labels);
	put_build_platforms(w, r);
	bw_json_key(w, "bases");
	bw_json_open(w, '[');
	for (size_t i = 0; i < r->base_count; i++)
		put_outstanding(w, &r->bases[i]);
	bw_json_close(w, ']');
	bw_json_key_int(w, "omitted", (int64_t)r->omitted);
	bw_json_key_int(w, "reminder", r->reminder);
}

/* --- the envelope ----------------------------------------------------------------------------- */

/* One segment of a path (RFC 3986 3.3): what else the name has is percent-encoded. */
static char *source_of(const char *instance)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, MAX_EVENT_BYTES);
	bw_buf_adds(&b, "/basewatch/");
	for (const char *c = instance; *c; c++) {
		if (strchr(plain, *c))
			bw_buf_addc(&b, *c);
		else
			bw_buf_addf(&b, "%%%02X", (unsigned)(unsigned char)*c);
	}
	return bw_strdup(bw_buf_str(&b));
}

static void put_envelope(struct bw_json *w, int64_t at_ms, const struct bw_event_options *o,
			 const struct bw_told *told)
{
	BW_AUTOFREE char *source = source_of(o->instance ? o->instance : "localhost");

	bw_json_key_str(w, "specversion", "1.0");
	bw_json_key_str(w, "id", told->id);
	bw_json_key_str(w, "source", source);
	bw_json_key_str(w, "type", told->type);
	bw_json_key_str(w, "subject", told->subject);
	bw_json_key_time(w, "time", at_ms);
	bw_json_key_str(w, "datacontenttype", "application/json");
	bw_json_key_str(w, "dataschema", "urn:basewatch:schema:event:1");
}

static void put_data(struct bw_json *w, const struct bw_fact *f)
{
	bw_json_key(w, "data");
	bw_json_open(w, '{');
	switch (f->kind) {
	case BW_FACT_CHANGED: put_changed(w, f); break;
	case BW_FACT_UNREACHABLE: put_unreachable(w, f); break;
	case BW_FACT_RECOVERED: put_recovered(w, f); break;
	case BW_FACT_REQUESTED: put_request(w, f); break;
	}
	bw_json_close(w, '}');
}

static void begin(struct bw_json *w, int64_t at_ms, const struct bw_event_options *o,
		  const struct bw_told *told)
{
	bw_json_init(w, NULL, MAX_EVENT_BYTES);
	bw_json_open(w, '{');
	put_envelope(w, at_ms, o, told);
}

/* Takes over what was told already. */
static int finish(struct bw_json *w, struct bw_told *told, struct bw_told *ret, struct bw_err *err)
{
	int rc = 0;

	bw_json_close(w, '}');
	if (w->failed || w->buf.overflow)
		rc = bw_fail(err, BW_E_LIMIT, "the event of %s gets too long", told->subject);
	else
		told->json = bw_strdup(bw_buf_str(&w->buf));
	bw_json_done(w);
	if (rc < 0) {
		free(told->subject);
		free(told->sinks);
		free(told->suppressed);
	} else {
		*ret = *told;
	}
	return rc;
}

int bw_event_make(const struct bw_fact *f, void *arg, struct bw_told *ret, struct bw_err *err)
{
	const struct bw_event_options *o = arg;
	struct bw_told told = {
		.type = types[f->kind],
		.subject = f->kind == BW_FACT_REQUESTED ? build_name(f->request) : bw_owed_base_name(f->base),
	};
	struct bw_json w;

	bw_owed_decide(o->rules, f, &told);
	make_id(f, &told, told.id);
	begin(&w, f->at_ms, o, &told);
	put_data(&w, f);
	return finish(&w, &told, ret, err);
}

/* --- a test ----------------------------------------------------------------------------------- */

static void make_test_id(const struct bw_event_trial *t, const struct bw_told *told, const char *instance,
			 char ret[BW_EVENT_ID_MAX])
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, MAX_EVENT_BYTES);
	add_part(&b, instance);
	add_part(&b, told->type);
	add_part(&b, told->subject);
	add_number(&b, t->at_ms);
	add_number(&b, (int64_t)t->random);
	hash(&b, ret, BW_EVENT_ID_MAX);
}

int bw_event_make_test(const struct bw_event_trial *t, const struct bw_event_options *o, struct bw_told *ret,
		       struct bw_err *err)
{
	struct bw_told told = {.type = "io.basewatch.sink.test", .subject = bw_asprintf("sink:%s", t->sink)};
	struct bw_json w;

	make_test_id(t, &told, o->instance, told.id);
	begin(&w, t->at_ms, o, &told);
	bw_json_key(&w, "data");
	bw_json_open(&w, '{');
	bw_json_key_bool(&w, "test", true);
	bw_json_key_str(&w, "sink", t->sink);
	bw_json_close(&w, '}');
	return finish(&w, &told, ret, err);
}

static enum bw_use_fate fate(const struct bw_fact_request *r, const struct bw_fact_outstanding *x,
			     const struct bw_fact_use *u, void *arg)
{
	const struct bw_event_options *o = arg;

	return bw_owed_fate(o->rules, r, x, u);
}

void bw_event_teller(const struct bw_event_options *o, struct bw_teller *ret)
{
	*ret = (struct bw_teller){
		.fn = bw_event_make,
		.fate = fate,
		.arg = (void *)(uintptr_t)o,
		.unreachable_after = o->unreachable_after,
		.counts_index = bw_rules_count_index(o->rules),
		.counts_frontends = bw_rules_count_frontends(o->rules),
	};
}
