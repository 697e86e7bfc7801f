/* diagnosis_registry.c - what registries and their mirrors said, and what is known of them; see diagnosis.h. */
#include "command/diagnosis.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "watch/forecast.h"

#define HELPER "docker-credential-"
#define LONGEST_MS \
	(3650 * INT64_C(86400000)) /* between two questions for a base, for people: ten years are never */

static struct bw_diagnosis diagnose(enum bw_level level, char *seen, const char *advice)
{
	return (struct bw_diagnosis){.level = level, .seen = seen, .advice = bw_strdup_null(advice)};
}

/* --- one answer ------------------------------------------------------------------------------------ */

static bool is_helper(const char *source)
{
	return source && bw_text_starts(source, HELPER);
}

static char *who_asked(const struct bw_diagnosed_registry *r)
{
	if (!r->credentials)
		return bw_strdup("anonymously");
	if (r->is_open)
		return bw_asprintf("anonymously: it did not ask for the account in %s", r->credentials);
	return bw_asprintf(is_helper(r->credentials) ? "with the account of %s" : "with the account in %s",
			   r->credentials);
}

static char *advise_login(const struct bw_diagnosed_registry *r)
{
	BW_AUTOFREE char *program = bw_diagnose_helper_name(r->credentials ? r->credentials : "");

	if (program)
		return bw_asprintf(
			"as the user that basewatch runs as, `%s list` has to answer within seconds; "
			"renew the log-in with the tool that this program belongs to",
			program);
	if (r->credentials)
		return bw_asprintf("renew the user name and password in %s", r->credentials);
	return bw_asprintf("log in: `docker login %s`", r->name);
}

static char *advise_denied(const struct bw_diagnosed_registry *r)
{
	if (r->credentials && !r->is_open)
		return bw_asprintf("give the account %s %s the right to read there",
				   is_helper(r->credentials) ? "of" : "in", r->credentials);
	return bw_asprintf(
		"log in (`docker login %s`), or give `registries:` a username and a password, or a "
		"helper",
		r->name);
}

static char *advise_waiting(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	char span[BW_FORECAST_SPAN_MAX];
	BW_AUTOFREE char *wait =
		a->retry_after_s ? bw_asprintf("leave it alone for %s, as it asks; then ",
					       bw_forecast_span((int64_t)a->retry_after_s * 1000, span))
				 : bw_strdup("");

	return bw_asprintf(
		"%sask less often (`poll.every`, or `requests-per-second` in `registries:`), or%s: "
		"accounts get more requests than addresses; a mirror asks for many",
		wait, r->credentials && !r->is_open ? " with another account" : " log in");
}

/* What is wrong at the registry itself, or with what we may do there. */
static char *advise_answer(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	switch (a->trouble) {
	case BW_TROUBLE_TAG_GONE:
	case BW_TROUBLE_REPOSITORY_GONE:
		return bw_strdup("the registry answers; what is asked for is not there (any more): look at "
				 "`basewatch report`");
	case BW_TROUBLE_DENIED: return advise_denied(r);
	case BW_TROUBLE_AUTH: return advise_login(r);
	case BW_TROUBLE_THROTTLED: return advise_waiting(r, a);
	case BW_TROUBLE_SERVER:
	case BW_TROUBLE_MALFORMED:
	case BW_TROUBLE_UNSETTLED:
		return bw_strdup("whoever runs the registry has to look; it is asked again at each sweep");
	case BW_TROUBLE_LIMIT: return bw_strdup("its answer is larger than any real one: is it a registry?");
	default: return NULL;
	}
}

/* What is wrong on the way. */
static char *advise_way(const struct bw_diagnosed_registry *r, enum bw_trouble trouble)
{
	switch (trouble) {
	case BW_TROUBLE_DNS:
		return bw_strdup("look at the name, at /etc/resolv.conf, and whether a proxy is needed");
	case BW_TROUBLE_TLS:
		return bw_asprintf("name the authority of its certificate (`ca-file` in `registries:`, "
				   "--cacert), or, when it has no TLS at all, allow that: `insecure: true`, "
				   "--insecure-registry %s",
				   r->name);
	case BW_TROUBLE_TIMEOUT:
	case BW_TROUBLE_CONNECTION:
		return bw_strdup("look whether it runs, at firewalls in between, and whether a proxy is "
				 "needed (`proxy` in `registries:`)");
	case BW_TROUBLE_REFUSED:
		return bw_asprintf("a build file from a git repository may not lead to this machine or its "
				   "link; if it shall, name %s under `registries:`",
				   r->name);
	default: return NULL;
	}
}

static char *advise(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	char *advice = advise_answer(r, a);

	return advice ? advice : advise_way(r, a->trouble);
}

/* Does it matter who asked? */
static bool is_about_rights(enum bw_trouble trouble)
{
	return trouble == BW_TROUBLE_DENIED || trouble == BW_TROUBLE_AUTH ||
	       trouble == BW_TROUBLE_THROTTLED || bw_trouble_is_absence(trouble);
}

static const char *words_of(const struct bw_answer *a)
{
	return a->message[0] ? a->message : bw_trouble_text(a->trouble);
}

struct bw_diagnosis bw_diagnose_registry(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	enum bw_level level = bw_trouble_is_absence(a->trouble) ? BW_LEVEL_WARNING : BW_LEVEL_ERROR;
	BW_AUTOFREE char *who = who_asked(r);

	if (!a->trouble)
		return diagnose(BW_LEVEL_OK,
				bw_asprintf("answers for %s, over %s, asked %s", r->asked,
					    r->is_plain ? "plain HTTP" : "TLS", who),
				NULL);
	return (struct bw_diagnosis){level,
				     is_about_rights(a->trouble)
					     ? bw_asprintf("%s; asked for %s %s", words_of(a), r->asked, who)
					     : bw_strdup(words_of(a)),
				     advise(r, a)};
}

/* --- mirrors --------------------------------------------------------------------------------------- */

static struct bw_diagnosis diagnose_answering_mirror(const struct bw_diagnosed_mirror *m,
						     const struct bw_answer *a)
{
	const char *how = m->asked.is_plain ? "plain HTTP" : "TLS";
	BW_AUTOFREE char *seen = bw_asprintf("answers for %s, over %s", m->asked.asked, how);

	if (m->is_only)
		return diagnose(BW_LEVEL_OK, bw_strdup(seen), NULL);
	if (!m->origin)
		return diagnose(
			BW_LEVEL_NOTE,
			bw_asprintf("%s; whether it is right cannot be told without the registry "
				    "itself",
				    seen),
			"while the registry itself does not answer, a mirror is believed where it names "
			"what is known already");
	if (bw_digest_equal(m->origin, &a->digest))
		return diagnose(BW_LEVEL_OK,
				bw_asprintf("%s, and names what the registry itself names", seen), NULL);
	return diagnose(BW_LEVEL_NOTE,
			bw_asprintf("%s, but names another image than the registry itself", seen),
			"it may be behind; it is not believed, and the registry itself is asked, until both "
			"say the same");
}

/* The registry itself is asked where a mirror fails: that costs time and requests, and nothing else. */
struct bw_diagnosis bw_diagnose_mirror(const struct bw_diagnosed_mirror *m, const struct bw_answer *a)
{
	BW_AUTOFREE char *who = who_asked(&m->asked);

	if (!a->trouble)
		return diagnose_answering_mirror(m, a);
	if (bw_trouble_is_absence(a->trouble) && !m->is_only)
		return diagnose(BW_LEVEL_NOTE,
				bw_asprintf("%s; asked for %s %s", words_of(a), m->asked.asked, who),
				"many mirrors have only what was pulled through them; the registry itself is "
				"asked for the rest");
	return (struct bw_diagnosis){
		m->is_only ? BW_LEVEL_ERROR : BW_LEVEL_WARNING,
		is_about_rights(a->trouble)
			? bw_asprintf("%s; asked for %s %s", words_of(a), m->asked.asked, who)
			: bw_strdup(words_of(a)),
		advise(&m->asked, a)};
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* "grants 100 requests in 6 h, 76 left, 20 of all kept for others" */
static char *grant_text(const struct bw_budget_plan *p)
{
	char span[BW_FORECAST_SPAN_MAX];
	BW_AUTOFREE char *window =
		p->window_s ? bw_asprintf(" in %s", bw_forecast_span((int64_t)p->window_s * 1000, span))
			    : bw_strdup("");
	BW_AUTOFREE char *kept =
		p->reserved ? bw_asprintf(", %" PRIu64 " kept for others", p->reserved) : bw_strdup("");

	return bw_asprintf("grants %" PRIu64 " requests%s, %" PRIu64 " left%s", p->limit, window,
			   p->remaining, kept);
}

struct bw_diagnosis bw_diagnose_budget(const struct bw_budget_plan *p, uint64_t bases, int64_t every_ms)
{
	static const char more[] = "log in, for accounts get more requests than addresses; or let a mirror "
				   "ask, raise `poll.every`, or lower `reserve`";
	BW_AUTOFREE char *grant = grant_text(p);
	BW_AUTOFREE char *them =
		bases == 1 ? bw_strdup("its base is") : bw_asprintf("its %" PRIu64 " bases are", bases);
	char span[BW_FORECAST_SPAN_MAX], every[BW_FORECAST_SPAN_MAX];
	uint64_t most = (uint64_t)LONGEST_MS / (bases ? bases : 1);
	int64_t interval = p->distance_ms > most ? LONGEST_MS : (int64_t)(p->distance_ms * bases);

	(void)bw_forecast_span(every_ms, every);
	if (p->hold_ms > 0)
		return diagnose(BW_LEVEL_WARNING,
				bw_asprintf("%s: nothing is asked for %s", grant,
					    bw_forecast_span((int64_t)p->hold_ms, span)),
				more);
	if (p->is_free)
		return diagnose(BW_LEVEL_OK, bw_asprintf("%s; questions cost nothing there", grant), NULL);
	/* What is a tenth longer is as scheduled. */
	if (interval / 11 * 10 <= every_ms)
		return diagnose(BW_LEVEL_OK,
				bw_asprintf("%s: %s asked every %s, as scheduled", grant, them, every), NULL);
	return diagnose(BW_LEVEL_NOTE,
			bw_asprintf("%s: %s asked every %s, and not every %s", grant, them,
				    bw_forecast_span(interval, span), every),
			more);
}

/* Of a pause: what is to be done. */
static const char *pause_advice(const char *pause)
{
	if (bw_text_is(pause, "throttled"))
		return "it is left alone until then, as it has asked; if that comes again and again, lower "
		       "`requests-per-second` or `connections` for it in `registries:`, or raise "
		       "`poll.every`";
	if (bw_text_is(pause, "guard"))
		return "the log of the daemon says what asked for so much";
	if (bw_text_is(pause, "unreachable"))
		return "one question at a time finds out whether it is back; see above for what is wrong";
	return NULL;
}

struct bw_diagnosis bw_diagnose_next(const struct bw_diagnosed_next *n)
{
	char at[BW_TIME_MAX];
	const char *advice = n->pause ? pause_advice(n->pause) : NULL;

	return diagnose(advice ? BW_LEVEL_WARNING : BW_LEVEL_OK,
			bw_asprintf("the daemon asks next at %s, for %s: %s%s%s", bw_time_short(n->at_ms, at),
				    n->base, n->reason, n->text ? "; " : "", n->text ? n->text : ""),
			advice);
}

/* --- certificates and programs ------------------------------------------------------------------------ */

struct bw_diagnosis bw_diagnose_certs(const struct bw_certs *c, const char *why)
{
	size_t count = 0;
	char *seen;

	if (why)
		return diagnose(BW_LEVEL_ERROR, bw_strdup(why),
				"mend or remove it: until then this registry is not asked");
	while (c->ca_files && c->ca_files[count])
		count++;
	seen = bw_asprintf("certificates in %s: %zu trusted%s%s", c->folder, count,
			   c->cert_file ? ", shown is " : "", c->cert_file ? c->cert_file : "");
	if (c->left_out) {
		BW_AUTOFREE char *first = seen;

		return (struct bw_diagnosis){
			BW_LEVEL_WARNING, bw_asprintf("%s; left out is %s", first, c->left_out),
			bw_strdup("only the first pair counts: `cert-file` and `key-file` in "
				  "`registries:` name another")};
	}
	return diagnose(BW_LEVEL_NOTE, seen, NULL);
}

char *bw_diagnose_helper_name(const char *source)
{
	return is_helper(source) ? bw_strndup(source, strcspn(source, " ")) : NULL;
}

struct bw_diagnosis bw_diagnose_helper(const char *source)
{
	return diagnose(BW_LEVEL_WARNING,
			bw_asprintf("%s is not installed, or not in PATH, so it was asked without", source),
			"install that program, or take its name out of that file");
}
