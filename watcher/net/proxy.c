/* proxy.c - see proxy.h. */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/def.h"
#include "core/text.h"
#include "net/address.h"
#include "net/authority.h"
#include "net/fault.h"

#define PORT_PLAIN 1080 /* what libcurl takes when none is said, whatever kind of proxy it is ... */
#define PORT_TLS   443	/* ... except for one that is itself spoken to over TLS */

/* --- the environment -------------------------------------------------------------------------- */

/* NULL also for an empty one: libcurl makes no difference. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Is the host `name`, or one below that domain? */
static bool is_within(const char *host, size_t host_len, const char *name, size_t len)
{
	if (len == 0 || host_len < len || strncasecmp(host + host_len - len, name, len) != 0)
		return false;
	return host_len == len || host[host_len - len - 1] == '.';
}

/*
 * Whom a list names in the way that every version of libcurl understands: a host, or a domain with or without a dot in
 * front. Newer ones know more, such as networks: who is only named by these passes for one with a proxy.
 */
static bool is_named(const char *list, const char *url)
{
	size_t len, host_len;
	const char *host = bw_authority_of(url, &len);

	host_len = bw_authority_host_length(host, len);
	for (list += strspn(list, ", "); *list; list += strspn(list, ", ")) {
		size_t name_len = strcspn(list, ", "), dot = *list == '.';

		if (is_within(host, host_len, list + dot, name_len - dot))
			return true;
		list += name_len;
	}
	return false;
}

/* Who is gone to without one; NULL: nobody. */
static const char *exceptions(void)
{
	const char *off = variable("no_proxy");

	return off ? off : variable("NO_PROXY");
}

/* Its variable; NULL: none. http_proxy in capitals is left out, because a CGI program would get it from its client. */
static const char *name_for(const char *url)
{
	static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
	const char *const *name = strncasecmp(url, "https:", 6) == 0 ? tls : plain;
	const char *off = exceptions();

	if (off && (strcmp(off, "*") == 0 || is_named(off, url)))
		return NULL;
	while (*name && !variable(*name))
		name++;
	return *name;
}

const char *bw_proxy_of(const char *url)
{
	const char *name = name_for(url);

	return name ? variable(name) : NULL;
}

/* Is there an '@' behind what names user and host? Then that is not where whoever wrote it thinks it is. */
static bool has_late_user(const char *proxy)
{
	size_t len;
	const char *from = bw_authority_of(proxy, &len);

	return strchr(from + len, '@') != NULL;
}

const char *bw_proxy_trouble(const char *value)
{
	if (has_late_user(value))
		return "'/', '?' and '#' in a password are written %2F, %3F and %23";
	return bw_fault_of_proxy(value);
}

int bw_proxy_check_variable(const char *url, struct bw_err *err)
{
	const char *name = name_for(url), *off = exceptions();
	const char *why = name && !(off && strchr(off, '/')) ? bw_proxy_trouble(variable(name)) : NULL;

	return why ? bw_fail(err, BW_E_INPUT, "%s is no URL of a proxy: %s", name, why) : 0;
}

/* --- one proxy -------------------------------------------------------------------------------- */

/* 0: it makes no sense. */
static unsigned port_of(const char *proxy)
{
	size_t len, host_len;
	const char *from = bw_authority_of(proxy, &len);
	char digits[8];
	uint64_t port;

	host_len = bw_authority_host_length(from, len);
	if (host_len == len)
		return strncasecmp(proxy, "https:", 6) == 0 ? PORT_TLS : PORT_PLAIN;
	len -= host_len + 1;
	if (len >= sizeof(digits))
		return 0;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, from + host_len + 1);
	return bw_text_number(digits, 1, 65535, &port) ? (unsigned)port : 0;
}

/* The host as a numeric address, in the form that libraries write it; false: it is a name. */
static bool read_address(const char *proxy, char out[INET6_ADDRSTRLEN])
{
	size_t len;
	const char *from = bw_authority_of(proxy, &len);
	char host[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	len = bw_authority_host_length(from, len);
	if (len > 1 && *from == '[') {
		from++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	(void)snprintf(host, sizeof(host), "%.*s", (int)len, from);
	if (inet_pton(AF_INET6, host, &six) == 1)
		return inet_ntop(AF_INET6, &six, out, INET6_ADDRSTRLEN) != NULL;
	return inet_aton(host, &four) && inet_ntop(AF_INET, &four, out, INET6_ADDRSTRLEN);
}

bool bw_proxy_is_at(const char *proxy, const char *address, unsigned port)
{
	char own[INET6_ADDRSTRLEN];
	unsigned kind = bw_address_kind_of_url(proxy);

	if (port == 0 || port_of(proxy) != port)
		return false;
	if (read_address(proxy, own))
		return strcmp(own, address) == 0;
	return !kind || (kind & bw_address_kind_of_url(address)); /* "localhost" says where it is */
}

int bw_proxy_check(const char *proxy, struct bw_err *err)
{
	static const char *const schemes[] = {"http://", "https://", "socks5h://"};
	static const char host_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:";
	const char *at = NULL;
	size_t len;

	for (size_t i = 0; i < BW_COUNT(schemes); i++)
		if (strncasecmp(proxy, schemes[i], strlen(schemes[i])) == 0)
			at = proxy + strlen(schemes[i]);
	if (!at)
		return bw_fail(err, BW_E_INPUT, "proxy: begins with none of http://, https://, socks5h://");
	if (strchr(at, '@'))
		return bw_fail(err, BW_E_INPUT, "proxy: there is a user in it; that is not supported");
	len = strspn(at, host_chars);
	if (strcmp(at + len, "") != 0 && strcmp(at + len, "/") != 0)
		return bw_fail(err, BW_E_INPUT, "proxy: not HOST[:PORT] behind the scheme");
	if (bw_authority_host_length(at, len) == 0 || port_of(proxy) == 0)
		return bw_fail(err, BW_E_INPUT, "proxy: its host or its port makes no sense");
	return 0;
}

const char *bw_proxy_name(const char *proxy, char out[BW_PROXY_NAME_MAX])
{
	size_t len;
	const char *from = bw_authority_of(proxy, &len);

	if (has_late_user(proxy))
		(void)snprintf(out, BW_PROXY_NAME_MAX, "of the environment");
	else
		(void)snprintf(out, BW_PROXY_NAME_MAX, "%.*s", (int)(len < BW_PROXY_NAME_MAX ? len : 0),
			       from);
	return out;
}
