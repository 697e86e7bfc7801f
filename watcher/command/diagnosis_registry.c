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
	if (!r->credentials && r->helper && !r->is_helper_missing)
		return bw_asprintf("anonymously: %s has no log-in for it", r->helper);
	if (!r->credentials)
		return bw_strdup("anonymously");
	if (r->is_open)
		return bw_asprintf("anonymously: it did not ask for the account in %s", r->credentials);
	return bw_asprintf(is_helper(r->credentials) ? "with the account of %s" : "with the account in %s",
			   r->credentials);
}

/* "or take it out of FILE (credsStore), or ...": how to do without the program that `source` names. */
static char *without_helper(const char *source)
{
	const char *from = strchr(source, '('), *in = from ? strstr(from, " in ") : NULL;
	int member_len = in ? (int)(in - from - 1) : 0, file_len = in ? (int)strcspn(in + 4, ")") : 0;

	if (!in)
		return bw_strdup(
			"or give `username` or `anonymous` in place of `helper` under `registries:`");
	return bw_asprintf(
		"or take it out of %.*s (%.*s), or set `username` or `anonymous` under `registries:`",
		file_len, in + 4, member_len, from + 1);
}

static char *advise_helper(const struct bw_diagnosed_registry *r, const char *source, bool is_missing)
{
	BW_AUTOFREE char *program = bw_diagnose_helper_name(source);
	BW_AUTOFREE char *otherwise = without_helper(source);
	BW_AUTOFREE char *login = r->logins == BW_LOGINS_OF_DOCKER
					  ? bw_asprintf(" (`docker login %s`)", r->name)
					  : bw_strdup("");

	if (is_missing)
		return bw_asprintf("install %s, %s", program, otherwise);
	if (source == r->helper)
		return bw_asprintf("let the tool that %s belongs to log in there%s, %s", program, login,
				   otherwise);
	return bw_asprintf("as the user that basewatch runs as, `%s list` has to answer within seconds: mend "
			   "it, %s",
			   program, otherwise);
}

/* We are nobody in particular there. */
static char *advise_first_login(const struct bw_diagnosed_registry *r)
{
	if (r->helper)
		return advise_helper(r, r->helper, r->is_helper_missing);
	switch (r->logins) {
	case BW_LOGINS_OF_CONF:
		return bw_strdup("give `username` and `password`, or a `helper`, in place of `anonymous` "
				 "under `registries:`");
	case BW_LOGINS_OF_FILE:
		return bw_strdup("log in with a tool that writes to $REGISTRY_AUTH_FILE (`podman login`), or "
				 "give `registries:` a username and a password, or a helper");
	case BW_LOGINS_OF_DOCKER: break;
	}
	return bw_asprintf("log in: `docker login %s`; or give `registries:` a username and a password, or a "
			   "helper",
			   r->name);
}

static char *advise_login(const struct bw_diagnosed_registry *r, enum bw_cause cause)
{
	BW_AUTOFREE char *program = bw_diagnose_helper_name(r->credentials ? r->credentials : "");

	if (!r->credentials || cause == BW_CAUSE_NO_LOGIN)
		return advise_first_login(r);
	if (program && (cause == BW_CAUSE_HELPER || cause == BW_CAUSE_HELPER_MISSING))
		return advise_helper(r, r->credentials, cause == BW_CAUSE_HELPER_MISSING);
	if (program)
		return bw_asprintf("renew the log-in with the tool that %s belongs to", program);
	return bw_asprintf("renew the user name and password in %s", r->credentials);
}

static char *advise_denied(const struct bw_diagnosed_registry *r)
{
	if (r->credentials && !r->is_open)
		return bw_asprintf("give the account %s %s the right to read there",
				   is_helper(r->credentials) ? "of" : "in", r->credentials);
	return advise_first_login(r);
}

static char *advise_waiting(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	char span[BW_FORECAST_SPAN_MAX];
	BW_AUTOFREE char *wait =
		a->retry_after_s ? bw_asprintf("leave it alone for %s, as it asks",
					       bw_forecast_span((int64_t)a->retry_after_s * 1000, span))
				 : bw_strdup("wait");

	if (a->cause == BW_CAUSE_BUSY)
		return bw_asprintf("%s: it is asked again at each sweep; if that lasts, whoever runs the "
				   "registry has to look",
				   wait);
	return bw_asprintf(
		"%s; then ask less often (`poll.every`, or `requests-per-second` in `registries:`), or%s: "
		"accounts get more requests than addresses; a mirror asks for many",
		wait, r->credentials && !r->is_open ? " with another account" : " log in");
}

static const char has_to_look[] = "whoever runs the registry has to look; it is asked again at each sweep";

/* What is wrong at the registry itself, or with what we may do there. */
static char *advise_answer(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	switch (a->trouble) {
	case BW_TROUBLE_TAG_GONE:
	case BW_TROUBLE_REPOSITORY_GONE:
		return bw_strdup("the registry answers; what is asked for is not there (any more): look at "
				 "`basewatch report`");
	case BW_TROUBLE_DENIED: return advise_denied(r);
	case BW_TROUBLE_AUTH: return advise_login(r, a->cause);
	case BW_TROUBLE_THROTTLED: return advise_waiting(r, a);
	case BW_TROUBLE_SERVER:
		if (a->cause == BW_CAUSE_BUSY)
			return advise_waiting(r, a);
		return bw_strdup(has_to_look);
	case BW_TROUBLE_MALFORMED:
	case BW_TROUBLE_UNSETTLED: return bw_strdup(has_to_look);
	case BW_TROUBLE_LIMIT: return bw_strdup("its answer is larger than any real one: is it a registry?");
	default: return NULL;
	}
}

/* A certificate that is bad is no reason to do without. */
static char *advise_tls(const struct bw_diagnosed_registry *r, enum bw_cause cause)
{
	switch (cause) {
	case BW_CAUSE_CERT_DATE:
		return bw_strdup(
			"whoever runs the registry has to renew its certificate; if it is in force by "
			"its dates, look at the clock of this machine");
	case BW_CAUSE_CERT_NAME:
		return bw_asprintf(
			"name the registry as its certificate does, or let whoever runs it have %s "
			"added to the certificate",
			r->name);
	case BW_CAUSE_CERT_AUTHORITY:
		return bw_strdup("name the authority that has signed its certificate: `ca-file` in "
				 "`registries:`, or --cacert");
	case BW_CAUSE_CERT_BAD: return bw_strdup("whoever runs the registry has to mend its certificate");
	case BW_CAUSE_CERT_WANTED:
		return bw_strdup(
			"it wants a certificate of ours that it accepts: `cert-file` and `key-file` in "
			"`registries:`, or a pair in its certs.d folder");
	case BW_CAUSE_CERT_FILES:
		return bw_strdup("mend or remove it: until then this registry is not asked");
	case BW_CAUSE_NOT_TLS:
		return bw_asprintf("if it is to be spoken to without TLS, allow that: `insecure: true` in "
				   "`registries:`, --insecure-registry %s",
				   r->name);
	default:
		return bw_strdup("the log of the registry says more; it may want a certificate of ours "
				 "(`cert-file` and `key-file` in `registries:`)");
	}
}

/* What is wrong on the way. */
static char *advise_way(const struct bw_diagnosed_registry *r, const struct bw_answer *a)
{
	if (a->cause == BW_CAUSE_PROXY_LOGIN)
		return bw_strdup("give user and password of the proxy in HTTPS_PROXY "
				 "(http://USER:PASSWORD@HOST:PORT), and no `proxy` for it in `registries:`");
	switch (a->trouble) {
	case BW_TROUBLE_DNS:
		return bw_strdup("look at the name, at /etc/resolv.conf, and whether a proxy is needed");
	case BW_TROUBLE_TLS: return advise_tls(r, a->cause);
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

	return advice ? advice : advise_way(r, a);
}

/* Does it matter who asked? With a program that gave no log-in nobody did. */
static bool is_about_rights(const struct bw_answer *a)
{
	enum bw_trouble trouble = a->trouble;

	if (a->cause == BW_CAUSE_HELPER || a->cause == BW_CAUSE_HELPER_MISSING)
		return false;
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
				     is_about_rights(a)
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
		is_about_rights(a) ? bw_asprintf("%s; asked for %s %s", words_of(a), m->asked.asked, who)
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

/* As long as nobody has measured what a question costs, only what holds in any case is said. */
struct bw_diagnosis bw_diagnose_budget(const struct bw_diagnosed_budget *b)
{
	static const char more[] = "log in, for accounts get more requests than addresses; or let a mirror "
				   "ask, raise `poll.every`, or lower `reserve`";
	const struct bw_budget_plan *p = b->plan;
	BW_AUTOFREE char *grant = grant_text(p);
	BW_AUTOFREE char *them =
		b->bases == 1 ? bw_strdup("its base is") : bw_asprintf("its %" PRIu64 " bases are", b->bases);
	char span[BW_FORECAST_SPAN_MAX], every[BW_FORECAST_SPAN_MAX];
	uint64_t most = (uint64_t)LONGEST_MS / (b->bases ? b->bases : 1);
	int64_t interval = p->distance_ms > most ? LONGEST_MS : (int64_t)(p->distance_ms * b->bases);

	(void)bw_forecast_span(b->every_ms, every);
	if (p->hold_ms > 0)
		return diagnose(BW_LEVEL_WARNING,
				bw_asprintf("%s: nothing is asked for %s", grant,
					    bw_forecast_span((int64_t)p->hold_ms, span)),
				more);
	if (p->is_free)
		return diagnose(BW_LEVEL_OK, bw_asprintf("%s; questions (HEAD) are not counted here", grant),
				NULL);
	/* What is a tenth longer is as scheduled. */
	if (interval / 11 * 10 <= b->every_ms)
		return diagnose(BW_LEVEL_OK,
				bw_asprintf("%s: %s asked every %s, as scheduled", grant, them, every), NULL);
	if (!b->is_measured)
		return diagnose(BW_LEVEL_NOTE,
				bw_asprintf("%s; whether questions (HEAD) are counted is not known yet: a "
					    "daemon finds out, and asks less often if they are",
					    grant),
				NULL);
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

struct bw_diagnosis bw_diagnose_pause(int64_t until_ms)
{
	char at[BW_TIME_MAX];

	return diagnose(BW_LEVEL_WARNING,
			bw_asprintf("not asked: it wants to be left alone until %s (429 or Retry-After)",
				    bw_time_short(until_ms, at)),
			pause_advice("throttled"));
}

struct bw_diagnosis bw_diagnose_next(const struct bw_diagnosed_next *n)
{
	char at[BW_TIME_MAX];
	const char *advice = n->pause ? pause_advice(n->pause) : NULL;
	/* The reason may be just that. */
	const char *text = n->text && !strstr(n->reason, n->text) ? n->text : NULL;

	return diagnose(advice ? BW_LEVEL_WARNING : BW_LEVEL_OK,
			bw_asprintf("the daemon asks next at %s, for %s: %s%s%s", bw_time_short(n->at_ms, at),
				    n->base, n->reason, text ? "; " : "", text ? text : ""),
			advice);
}

/* --- certificates and programs ------------------------------------------------------------------------ */

struct bw_diagnosis bw_diagnose_certs(const struct bw_certs *c)
{
	size_t count = 0;
	char *seen;

	if (c->unused)
		return (struct bw_diagnosis){
			BW_LEVEL_WARNING,
			bw_asprintf("certificates in %s: none, and %s is not used", c->folder, c->unused),
			bw_strdup(
				"only *.crt are taken as trusted, and X.cert with X.key as ours: rename it")};
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

struct bw_diagnosis bw_diagnose_helper(const char *source, bool was_asked)
{
	BW_AUTOFREE char *program = bw_diagnose_helper_name(source);
	BW_AUTOFREE char *otherwise = without_helper(source);

	return (struct bw_diagnosis){BW_LEVEL_WARNING,
				     bw_asprintf("%s is not installed, or not in PATH%s", source,
						 was_asked ? ", so it was asked without" : ""),
				     bw_asprintf("install %s, %s", program, otherwise)};
}

struct bw_diagnosis bw_diagnose_route(const char *proxy, bool is_loopback)
{
	BW_AUTOFREE char *shown = bw_diagnose_proxy(proxy);

	if (bw_text_is(proxy, "none"))
		return diagnose(BW_LEVEL_NOTE,
				bw_strdup("by the configuration it is reached without a proxy"), NULL);
	if (is_loopback)
		return diagnose(BW_LEVEL_NOTE,
				bw_asprintf("it is this machine, so the proxy %s of the configuration is not "
					    "used for it",
					    shown),
				NULL);
	return diagnose(BW_LEVEL_NOTE,
			bw_asprintf("by the configuration it is reached through the proxy %s", shown), NULL);
}
