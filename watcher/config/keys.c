/*
 * keys.c - the table of keys. A new key is one entry here and one member in config/conf.h; then `make docs` writes the
 * sample, the schema and the manual anew.
 */
#include <stddef.h>

#include "config/conf.h"
#include "config/key.h"
#include "core/def.h"
#include "core/text.h"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define AT(type, member) .offset = offsetof(struct type, member)
#define SET(table)	 .keys = (table), .count = BW_COUNT(table)

const char *const bw_conf_events[] = {"base.changed", "rebuild.requested", "base.unreachable",
				      "base.recovered", NULL};
const char *const bw_conf_roles[] = {"final", "stage", "copy", "mount", "frontend", "context", NULL};
const char *const bw_conf_classes[] = {"content", "unclassified", "rollback", "config", "index", NULL};

static const char *const web[] = {"https", "http", NULL};
static const char *const broker[] = {"mqtts", "mqtt", NULL};
static const char *const sink_types[] = {"mqtt", "webhook", NULL};
static const char *const never[] = {"never", NULL};
static const char *const proxies[] = {"http", "https", "socks5h", NULL};

/* --- what lists and maps are made of ------------------------------------------------------------ */

static const struct bw_key any_name = {.type = BW_KEY_TEXT, .format = &bw_format_line};
static const struct bw_key any_branch = {.type = BW_KEY_TEXT, .format = &bw_format_branch};
static const struct bw_key any_glob = {.type = BW_KEY_GLOB};
static const struct bw_key any_platform = {.type = BW_KEY_TEXT, .format = &bw_format_platform};
static const struct bw_key any_secret = {.type = BW_KEY_SECRET};
static const struct bw_key any_value = {.type = BW_KEY_SCALAR, AT(bw_conf_pair, value)};
static const struct bw_key any_mirror = {.type = BW_KEY_URL,
					 .choices = web,
					 .flags = BW_KEY_PATH,
					 .user_info =
						 "its host may have an entry of its own here, and a log-in"};
static const struct bw_key any_header = {.type = BW_KEY_HEADER, AT(bw_conf_header, value)};

#define LIST(of) .type = BW_KEY_LIST, .item = &(of), .item_size = sizeof(char *)
#define PAIRS	 .type = BW_KEY_MAP, .item = &any_value, .item_size = sizeof(struct bw_conf_pair)
#define SECRETS	 .type = BW_KEY_LIST, .item = &any_secret, .item_size = sizeof(struct bw_secret)
#define HEADERS	 .type = BW_KEY_MAP, .item = &any_header, .item_size = sizeof(struct bw_conf_header)

/* --- sources ------------------------------------------------------------------------------------ */

static const struct bw_key source_keys[] = {
	{.name = "path",
	 .type = BW_KEY_FOLDER,
	 AT(bw_conf_source, path),
	 .flags = BW_KEY_REQUIRED,
	 .variant = 1,
	 .help = "A folder: every build file in it and below it is read.",
	 .sample = {"/srv/src/shop"}},
	{.name = "git",
	 .type = BW_KEY_GIT,
	 AT(bw_conf_source, git),
	 .flags = BW_KEY_REQUIRED,
	 .variant = 2,
	 .help = "A git repository: anything that git can fetch from. User names and passwords in it are "
		 "used, but never "
		 "stored or shown. A local path or file:// is allowed here and nowhere else.",
	 .sample = {NULL, "https://github.com/acme/api.git"}},
	{.name = "name",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_source, name),
	 .format = &bw_format_name,
	 .help = "What it is called in builds and rules. The builds of a folder are known by this name and "
		 "the "
		 "path inside "
		 "it, the same in every checkout; those of a repository by its URL and branch, whatever its "
		 "name.",
	 .without = "it is called by its path or URL",
	 .sample = {"shop", "api"}},
	{.name = "branches",
	 LIST(any_branch),
	 AT(bw_conf_source, branches),
	 .variant = 2,
	 .fallback = "HEAD",
	 .flags = BW_KEY_NOT_EMPTY,
	 .help = "Branches, or patterns of branches, each watched on its own. HEAD is what the repository "
		 "calls its default.",
	 .sample = {NULL, "[main, \"release/*\"]"}},
	{.name = "include",
	 LIST(any_glob),
	 AT(bw_conf_source, include),
	 .fallback = "**",
	 .flags = BW_KEY_NOT_EMPTY,
	 .help = "Only build files whose path inside the source matches one of these patterns. * and ? stop "
		 "at a slash, ** "
		 "does not.",
	 .sample = {NULL, "[\"services/**\"]"}},
	{.name = "exclude",
	 LIST(any_glob),
	 AT(bw_conf_source, exclude),
	 .help = "Leaves out what matches one of these patterns. One without a slash is compared with the "
		 "name of a file or "
		 "folder at any depth.",
	 .without = "nothing is left out",
	 .sample = {"[vendor]", "[\"**/testdata/**\"]"}},
};

static unsigned source_variant_of_node(const struct bw_node *map, const char *name)
{
	bool has_path = bw_node_get(map, "path") != NULL, has_git = bw_node_get(map, "git") != NULL;

	(void)name;
	if (!has_path && !has_git)
		return 0;
	return has_path ? 1 : 2; /* both: git does not go with a folder, and that is said */
}

static unsigned source_variant_of(const void *record)
{
	const struct bw_conf_source *s = record;

	return s->git ? 2 : 1;
}

static const struct bw_key_set source_set = {.title = "a source",
					     SET(source_keys),
					     .variants = {"a folder (path)", "a repository (git)"},
					     .variant_of_node = source_variant_of_node,
					     .variant_of = source_variant_of};
static const struct bw_key source_item = {.type = BW_KEY_RECORD, .keys = &source_set};

/* --- builds ------------------------------------------------------------------------------------- */

static const struct bw_key build_keys[] = {
	{.name = "source",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_build, source),
	 .flags = BW_KEY_REQUIRED,
	 .format = &bw_format_line,
	 .help = "The name of the source that its build file is in.",
	 .sample = {"shop"}},
	{.name = "file",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_build, file),
	 .flags = BW_KEY_REQUIRED,
	 .format = &bw_format_inside,
	 .help = "The path of the build file inside the source.",
	 .sample = {"web/Dockerfile"}},
	{.name = "target",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_build, target),
	 .format = &bw_format_line,
	 .help = "The stage that is built.",
	 .without = "the last stage",
	 .sample = {"runtime"}},
	{.name = "args",
	 PAIRS,
	 AT(bw_conf_build, args),
	 .format = &bw_format_variable,
	 .help = "Build arguments, as they are given to the build.",
	 .without = "the defaults in the build file",
	 .sample = {"{NODE_VERSION: \"22\"}"}},
	{.name = "contexts",
	 PAIRS,
	 AT(bw_conf_build, contexts),
	 .format = &bw_format_variable,
	 .help = "Named build contexts; docker-image://REF is a base, everything else is local and none.",
	 .without = "there are none",
	 .sample = {"{assets: \"docker-image://ghcr.io/acme/assets:1\"}"}},
	{.name = "platforms",
	 LIST(any_platform),
	 AT(bw_conf_build, platforms),
	 .help = "The platforms that are built for.",
	 .without = "that of the machine that basewatch runs on",
	 .sample = {"[linux/amd64, linux/arm64]"}},
	{.name = "image",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_build, image),
	 .format = &bw_format_line,
	 .help = "The image that the build produces; it is told in events.",
	 .without = "events name no image",
	 .sample = {"\"ghcr.io/acme/web:latest\""}},
	{.name = "labels",
	 PAIRS,
	 AT(bw_conf_build, labels),
	 .format = &bw_format_variable,
	 .help = "Words of your own about the build; they are told in events.",
	 .without = "there are none",
	 .sample = {"{team: web}"}},
};

static const struct bw_key_set build_set = {.title = "a build", SET(build_keys)};
static const struct bw_key build_item = {.type = BW_KEY_RECORD, .keys = &build_set};

/* --- poll and reminders ------------------------------------------------------------------------- */

static const struct bw_key poll_keys[] = {
	{.name = "every",
	 .type = BW_KEY_DURATION,
	 AT(bw_conf_poll, every_ms),
	 .min = SECOND,
	 .max = 365 * DAY,
	 .fallback = "1h",
	 .help = "How often each base is asked for, with one HEAD request, and each repository for its "
		 "branches."},
	{.name = "jitter",
	 .type = BW_KEY_PERCENT,
	 AT(bw_conf_poll, jitter_percent),
	 .min = 0,
	 .max = 50,
	 .fallback = "10%",
	 .help = "How far a question may move from its time, so that many watchers do not ask together."},
	{.name = "rescan",
	 .type = BW_KEY_DURATION,
	 AT(bw_conf_poll, rescan_ms),
	 .min = SECOND,
	 .max = 365 * DAY,
	 .fallback = "15m",
	 .help = "How often folders are searched again, whether or not a change was noticed."},
	{.name = "unreachable-after",
	 .type = BW_KEY_INTEGER,
	 AT(bw_conf_poll, unreachable_after),
	 .min = 1,
	 .max = 1000,
	 .fallback = "3",
	 .help = "After so many failures in a row a base is unreachable, which is an event."},
	{.name = "settle",
	 .type = BW_KEY_DURATION,
	 AT(bw_conf_poll, settle_ms),
	 .min = 0,
	 .max = HOUR,
	 .fallback = "30s",
	 .help = "How long to wait before asking again a registry whose answers to one question differ."},
	{.name = "minimum-distance",
	 .type = BW_KEY_DURATION,
	 AT(bw_conf_poll, minimum_distance_ms),
	 .min = 0,
	 .max = HOUR,
	 .fallback = "10ms",
	 .help = "The least time between two questions to one registry."},
};

static const struct bw_key_set poll_set = {.title = "poll", SET(poll_keys)};

static const struct bw_key reminder_keys[] = {
	{.name = "every",
	 .type = BW_KEY_DURATION,
	 .offset = 0,
	 .min = DAY,
	 .max = 365 * DAY,
	 .fallback = "never",
	 .choices = never,
	 .help = "How often a rebuild is requested again while a build stays stale, such as 7d. Not for what "
		 "rules suppress."},
};

static const struct bw_key_set reminder_set = {.title = "reminders", SET(reminder_keys)};

/* --- registries --------------------------------------------------------------------------------- */

static const struct bw_key registry_keys[] = {
	{.name = "connections",
	 .type = BW_KEY_INTEGER,
	 AT(bw_conf_registry, connections),
	 .min = 1,
	 .max = 64,
	 .help = "At most so many connections at a time.",
	 .without = "that of \"*\", else 3",
	 .sample = {"3", "2"}},
	{.name = "in-flight",
	 .type = BW_KEY_INTEGER,
	 AT(bw_conf_registry, in_flight),
	 .min = 1,
	 .max = 64,
	 .help = "At most so many requests that wait for their answers. With HTTP/2 one connection carries "
		 "many; with HTTP/1.1 each carries one.",
	 .without = "that of \"*\", else as many as its connections carry",
	 .sample = {NULL, "4"}},
	{.name = "requests-per-second",
	 .type = BW_KEY_DECIMAL,
	 AT(bw_conf_registry, requests_per_second),
	 .min = 10,
	 .max = 1000000,
	 .help = "At most so many requests in a second on the average, whatever the schedule wants; requests "
		 "for "
		 "tokens are not counted.",
	 .without = "that of \"*\", else there is no such limit",
	 .sample = {NULL, "0.5"}},
	{.name = "reserve",
	 .type = BW_KEY_PERCENT,
	 AT(bw_conf_registry, reserve_percent),
	 .min = 0,
	 .max = 90,
	 .help = "How much of the requests that a registry grants is left to others behind the same address "
		 "or "
		 "account. Where a registry tells how many it grants, questions are spread so that the rest "
		 "lasts; where it tells nothing, this does nothing.",
	 .without = "that of \"*\", else 20%",
	 .sample = {NULL, "30%"}},
	{.name = "mirrors",
	 LIST(any_mirror),
	 AT(bw_conf_registry, mirrors),
	 .variant = 2,
	 .help = "Who is asked before it, in this order. What a mirror says is believed when it is what the "
		 "registry itself said last; for everything else the registry itself is asked. With a path "
		 "the "
		 "names of repositories are below it; http:// allows it to have no TLS; ?ns tells it for "
		 "which "
		 "registry it is asked. Its log-in, certificates and limits are those of its own name.",
	 .without = "it is asked itself",
	 .sample = {NULL, "[\"https://mirror.lan\"]"}},
	{.name = "mirrors-only",
	 .type = BW_KEY_BOOL,
	 AT(bw_conf_registry, mirrors_only),
	 .variant = 2,
	 .fallback = "false",
	 .help = "The mirrors are all there is: the first that answers is believed, and the registry itself "
		 "is "
		 "never asked. Needs mirrors."},
	{.name = "proxy",
	 .type = BW_KEY_URL,
	 AT(bw_conf_registry, proxy),
	 .choices = proxies,
	 .word = "none",
	 .user_info = "a proxy that wants a log-in is named in HTTPS_PROXY, in the environment",
	 .help = "The proxy that leads to it; none: no proxy, whatever the environment says.",
	 .without = "that of \"*\", else HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment",
	 .sample = {NULL, "\"http://proxy.lan:3128\""}},
	{.name = "ca-file",
	 .type = BW_KEY_FILE,
	 AT(bw_conf_registry, ca_file),
	 .help = "PEM certificates to trust besides the system's.",
	 .without = "that of \"*\", else the system's, and those in the certs.d folders of docker and podman",
	 .sample = {NULL, "/etc/ssl/lan.pem"}},
	{.name = "cert-file",
	 .type = BW_KEY_FILE,
	 AT(bw_conf_registry, cert_file),
	 .variant = 2,
	 .help = "A client certificate, PEM, for this registry alone. Goes with key-file.",
	 .without = "that of its certs.d folder, where there is one",
	 .sample = {NULL, "/etc/basewatch/client.pem"}},
	{.name = "key-file",
	 .type = BW_KEY_FILE,
	 AT(bw_conf_registry, key_file),
	 .variant = 2,
	 .help = "The key of the client certificate, PEM.",
	 .without = "that of its certs.d folder, where there is one",
	 .sample = {NULL, "/etc/basewatch/client.key"}},
	{.name = "insecure",
	 .type = BW_KEY_BOOL,
	 AT(bw_conf_registry, insecure),
	 .variant = 2,
	 .fallback = "false",
	 .help = "It may be spoken to without TLS, if it has none. A bad certificate stays an error. "
		 "Loopback always may."},
	{.name = "username",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_registry, username),
	 .variant = 2,
	 .format = &bw_format_line,
	 .help = "Who logs in. Goes with password, and not with helper and anonymous.",
	 .without = "the credentials files and helper programs of docker and podman say who",
	 .sample = {NULL, "bot"}},
	{.name = "password",
	 .type = BW_KEY_SECRET,
	 AT(bw_conf_registry, password),
	 .variant = 2,
	 .help = "The password or token that goes with the user name.",
	 .without = "there is none",
	 .sample = {NULL, "{file: /run/secrets/registry}"}},
	{.name = "helper",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_registry, helper),
	 .variant = 2,
	 .format = &bw_format_helper,
	 .help = "The helper program docker-credential-NAME in PATH is asked who logs in.",
	 .without = "the credentials files of docker and podman may name one",
	 .sample = {"pass"}},
	{.name = "anonymous",
	 .type = BW_KEY_BOOL,
	 AT(bw_conf_registry, anonymous),
	 .variant = 2,
	 .fallback = "false",
	 .help = "Nobody logs in, whatever the credentials files have for it."},
};

static unsigned registry_variant_of_node(const struct bw_node *map, const char *name)
{
	(void)map;
	return name && name[0] == '*' ? 1 : 2;
}

static unsigned registry_variant_of(const void *record)
{
	const struct bw_conf_registry *r = record;

	return registry_variant_of_node(NULL, r->host);
}

static const struct bw_key_set registry_set = {.title = "a registry",
					       .name_key = "HOST",
					       SET(registry_keys),
					       .variants = {"all registries (\"*\")", "one registry"},
					       .sample_name = {"\"*\"", "\"registry.lan:5000\""},
					       .variant_of_node = registry_variant_of_node,
					       .variant_of = registry_variant_of};
static const struct bw_key registry_item = {.type = BW_KEY_RECORD, .keys = &registry_set};

/* --- sinks -------------------------------------------------------------------------------------- */

static const struct bw_key sink_keys[] = {
	{.name = "type",
	 .type = BW_KEY_CHOICE,
	 AT(bw_conf_sink, type),
	 .flags = BW_KEY_REQUIRED,
	 .choices = sink_types,
	 .help = "What kind of receiver it is.",
	 .sample = {"mqtt", "webhook"}},
	{.name = "url",
	 .type = BW_KEY_URL,
	 AT(bw_conf_sink, url),
	 .flags = BW_KEY_REQUIRED,
	 .variant = 1,
	 .choices = broker,
	 .user_info = "they have keys of their own",
	 .help = "The broker: mqtts://HOST or mqtt://HOST, and a port where it is not 8883 or 1883.",
	 .sample = {"\"mqtts://broker.lan:8883\""}},
	{.name = "url",
	 .type = BW_KEY_URL,
	 AT(bw_conf_sink, url),
	 .flags = BW_KEY_REQUIRED | BW_KEY_QUERY,
	 .variant = 2,
	 .choices = web,
	 .user_info = "\"Authorization: Basic ...\" among the headers says the same",
	 .help = "Where each event is sent with POST. Loopback is allowed because it is named here; "
		 "link-local addresses need "
		 "allow-link-local. Redirects are not followed.",
	 .sample = {NULL, "\"https://ci.lan/hooks/base\""}},
	{.name = "events",
	 .type = BW_KEY_CHOICES,
	 AT(bw_conf_sink, events),
	 .choices = bw_conf_events,
	 .flags = BW_KEY_NOT_EMPTY,
	 .fallback = "*",
	 .help = "The events that it wants.",
	 .sample = {NULL, "[rebuild.requested]"}},
	{.name = "expire",
	 .type = BW_KEY_DURATION,
	 AT(bw_conf_sink, expire_ms),
	 .min = MINUTE,
	 .max = 365 * DAY,
	 .fallback = "7d",
	 .help = "How long an event that cannot be delivered is tried again."},
	{.name = "username",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_sink, username),
	 .variant = 1,
	 .format = &bw_format_line,
	 .help = "Who logs in at the broker.",
	 .without = "nobody does",
	 .sample = {"basewatch"}},
	{.name = "password",
	 .type = BW_KEY_SECRET,
	 AT(bw_conf_sink, password),
	 .variant = 1,
	 .help = "The password that goes with the user name.",
	 .without = "there is none",
	 .sample = {"{env: MQTT_PASSWORD}"}},
	{.name = "client-id",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_sink, client_id),
	 .variant = 1,
	 .format = &bw_format_line,
	 .help = "The client id at the broker; no two clients of one broker may have the same.",
	 .without = "basewatch and the instance",
	 .sample = {"basewatch-1"}},
	{.name = "qos",
	 .type = BW_KEY_INTEGER,
	 AT(bw_conf_sink, qos),
	 .variant = 1,
	 .min = 0,
	 .max = 2,
	 .fallback = "1",
	 .help = "Quality of service. With 0 an event counts as delivered when it was written to the "
		 "connection, so it may be "
		 "lost. With 2 the broker keeps nothing of what is said on PREFIX/done while the daemon is "
		 "not "
		 "connected; with 0 and 1 it does, for 7 days."},
	{.name = "prefix",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf_sink, prefix),
	 .variant = 1,
	 .fallback = "basewatch",
	 .format = &bw_format_topic,
	 .help = "What all topics begin with."},
	{.name = "secrets",
	 SECRETS,
	 AT(bw_conf_sink, secrets),
	 .variant = 2,
	 .help = "Each request is signed with each of these (Standard Webhooks); two during a rotation. A "
		 "secret is base64, "
		 "with or without whsec_ before it.",
	 .without = "requests are not signed",
	 .sample = {NULL, "[{file: /run/secrets/hook}]"}},
	{.name = "headers",
	 HEADERS,
	 AT(bw_conf_sink, headers),
	 .variant = 2,
	 .format = &bw_format_header,
	 .help = "More headers for each request: a text, or a secret for what must not be read here.",
	 .without = "there are none",
	 .sample = {NULL, "{X-Team: web, Authorization: {env: CI_AUTHORIZATION}}"}},
	{.name = "timeout",
	 .type = BW_KEY_DURATION,
	 AT(bw_conf_sink, timeout_ms),
	 .variant = 2,
	 .min = SECOND,
	 .max = 10 * MINUTE,
	 .fallback = "30s",
	 .help = "How long one request may take."},
	{.name = "allow-link-local",
	 .type = BW_KEY_BOOL,
	 AT(bw_conf_sink, allow_link_local),
	 .variant = 2,
	 .fallback = "false",
	 .help = "Link-local addresses, where clouds have their metadata, may be spoken to."},
	{.name = "confirms",
	 .type = BW_KEY_BOOL,
	 AT(bw_conf_sink, confirms),
	 .variant = 2,
	 .fallback = "false",
	 .help = "A rebuild that it was asked for counts as done. Without this a build stays stale until "
		 "there is evidence."},
	{.name = "ca-file",
	 .type = BW_KEY_FILE,
	 AT(bw_conf_sink, ca_file),
	 .help = "PEM certificates to trust besides the system's.",
	 .without = "only the system's are trusted",
	 .sample = {"/etc/ssl/lan.pem"}},
	{.name = "cert-file",
	 .type = BW_KEY_FILE,
	 AT(bw_conf_sink, cert_file),
	 .help = "A client certificate, PEM. Goes with key-file.",
	 .without = "there is none",
	 .sample = {"/etc/basewatch/client.pem"}},
	{.name = "key-file",
	 .type = BW_KEY_FILE,
	 AT(bw_conf_sink, key_file),
	 .help = "The key of the client certificate, PEM.",
	 .without = "there is none",
	 .sample = {"/etc/basewatch/client.key"}},
};

static unsigned sink_variant_of_node(const struct bw_node *map, const char *name)
{
	const struct bw_node *type = bw_node_get(map, "type");

	(void)name;
	for (unsigned i = 0; sink_types[i]; i++)
		if (type && type->text && bw_text_is(type->text, sink_types[i]))
			return i + 1;
	return 0;
}

static unsigned sink_variant_of(const void *record)
{
	const struct bw_conf_sink *s = record;

	return s->type + 1;
}

static const struct bw_key_set sink_set = {.title = "a sink",
					   .name_key = "NAME",
					   SET(sink_keys),
					   .variants = {"type mqtt", "type webhook"},
					   .sample_name = {"broker", "ci"},
					   .variant_of_node = sink_variant_of_node,
					   .variant_of = sink_variant_of};
static const struct bw_key sink_item = {.type = BW_KEY_RECORD, .keys = &sink_set};

/* --- rules -------------------------------------------------------------------------------------- */

static const struct bw_key any_role = {.type = BW_KEY_CHOICE, .choices = bw_conf_roles};
static const struct bw_key any_class = {.type = BW_KEY_CHOICE, .choices = bw_conf_classes};

static const struct bw_key match_keys[] = {
	{.name = "sources",
	 LIST(any_name),
	 AT(bw_conf_match, sources),
	 .fallback = "*",
	 .flags = BW_KEY_NOT_EMPTY,
	 .help = "Names of sources; \"*\" for all. That of a repository means the branches that are watched.",
	 .sample = {"[shop]"}},
	{.name = "bases",
	 LIST(any_glob),
	 AT(bw_conf_match, bases),
	 .fallback = "**",
	 .flags = BW_KEY_NOT_EMPTY,
	 .help = "Patterns of bases in their normal form, such as \"docker.io/library/debian:*\"."},
	{.name = "roles",
	 .type = BW_KEY_CHOICES,
	 AT(bw_conf_match, roles),
	 .choices = bw_conf_roles,
	 .item = &any_role,
	 .flags = BW_KEY_NOT_EMPTY,
	 .fallback = "final stage copy mount context",
	 .help = "What the base is used for: final is what the image stands on, stage another stage, copy "
		 "and mount what is "
		 "taken from an image, context a named context, frontend the image of a syntax line, for "
		 "which a rebuild is requested only where this list has it."},
	{.name = "classes",
	 .type = BW_KEY_CHOICES,
	 AT(bw_conf_match, classes),
	 .choices = bw_conf_classes,
	 .item = &any_class,
	 .flags = BW_KEY_NOT_EMPTY,
	 .fallback = "content unclassified rollback config",
	 .help = "What kind of change it is; see CHANGES in basewatch(1). A change of the class index leaves "
		 "the images for "
		 "your platforms as they were: with index in this list a rebuild is requested for it too, "
		 "though the build stays fresh."},
};

static const struct bw_key_set match_set = {.title = "match", SET(match_keys)};

static const struct bw_key rule_keys[] = {
	{.name = "match",
	 .type = BW_KEY_RECORD,
	 AT(bw_conf_rule, match),
	 .keys = &match_set,
	 .help = "What it is for. All of these must hold; a list holds when one of its items does."},
	{.name = "sinks",
	 LIST(any_name),
	 AT(bw_conf_rule, sinks),
	 .fallback = "*",
	 .flags = BW_KEY_SHOWN,
	 .help = "Names of sinks; \"*\" for all, [] for none: then what would be requested is kept as a "
		 "suppressed event, with the rule, and nobody is told; basewatch events --suppressed lists "
		 "it. A request goes to the sinks of all of its bases.",
	 .sample = {"[ci, broker]"}},
};

static const struct bw_key_set rule_set = {.title = "a rule", SET(rule_keys)};
static const struct bw_key rule_item = {.type = BW_KEY_RECORD, .keys = &rule_set};

/* --- the whole ---------------------------------------------------------------------------------- */

static const struct bw_key root_keys[] = {
	{.name = "instance",
	 .type = BW_KEY_TEXT,
	 AT(bw_conf, instance),
	 .format = &bw_format_instance,
	 .flags = BW_KEY_RESTART,
	 .help = "Names this watcher in events: their source is /basewatch/INSTANCE.",
	 .without = "the name of the host",
	 .sample = {"build-farm"}},
	{.name = "state",
	 .type = BW_KEY_FOLDER,
	 AT(bw_conf, state),
	 .flags = BW_KEY_RESTART | BW_KEY_OUTSIDE,
	 .help = "The folder for the database, basewatch.db, and the git repositories. The option --db goes "
		 "before it, the "
		 "environment behind it.",
	 .without = "see FILES in basewatch(1)",
	 .sample = {"/var/lib/basewatch"}},
	{.name = "sources",
	 .type = BW_KEY_LIST,
	 .item = &source_item,
	 .item_size = sizeof(struct bw_conf_source),
	 AT(bw_conf, sources),
	 .flags = BW_KEY_SHOWN,
	 .help = "Where build files come from: folders, and branches of git repositories."},
	{.name = "builds",
	 .type = BW_KEY_LIST,
	 .item = &build_item,
	 .item_size = sizeof(struct bw_conf_build),
	 AT(bw_conf, builds),
	 .flags = BW_KEY_SHOWN,
	 .help = "What a build file alone cannot say. Every build file that is found is a build without "
		 "this; a file may stand "
		 "here several times, once for each target."},
	{.name = "poll",
	 .type = BW_KEY_RECORD,
	 AT(bw_conf, poll),
	 .keys = &poll_set,
	 .help = "How often registries and sources are asked."},
	{.name = "reminders",
	 .type = BW_KEY_RECORD,
	 AT(bw_conf, reminders),
	 .keys = &reminder_set,
	 .help = "Whether a rebuild that was requested and did not come is requested again."},
	{.name = "registries",
	 .type = BW_KEY_MAP,
	 .item = &registry_item,
	 .item_size = sizeof(struct bw_conf_registry),
	 AT(bw_conf, registries),
	 .format = &bw_format_host,
	 .flags = BW_KEY_SHOWN,
	 .help = "How registries are spoken to, by HOST or HOST:PORT as in image references; \"*\" is for "
		 "all that are not "
		 "named. Build files of git repositories may lead to a loopback or link-local address only "
		 "when "
		 "its host is named here."},
	{.name = "sinks",
	 .type = BW_KEY_MAP,
	 .item = &sink_item,
	 .item_size = sizeof(struct bw_conf_sink),
	 AT(bw_conf, sinks),
	 .format = &bw_format_name,
	 .flags = BW_KEY_SHOWN,
	 .help = "Where events go, each under a name of your own."},
	{.name = "rules",
	 .type = BW_KEY_LIST,
	 .item = &rule_item,
	 .item_size = sizeof(struct bw_conf_rule),
	 AT(bw_conf, rules),
	 .flags = BW_KEY_SHOWN,
	 .help = "For which changes rebuilds are requested, and from which sinks. The first rule that "
		 "matches "
		 "decides; what none matches goes by a rule "
		 "with nothing but defaults. Events of bases go to all sinks that want them, unless the "
		 "first rule that is for the base as such (no sources, and no fewer roles and classes than "
		 "by default) has no sinks. Rules hold for what is seen from then on: what was suppressed "
		 "stays so until something changes for that build."},
};

const struct bw_key_set bw_keys_root = {.title = "the configuration", SET(root_keys)};
