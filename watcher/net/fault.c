/* fault.c - see fault.h. */
#include "net/fault.h"

#include <curl/curl.h>
#include <string.h>

#include "core/def.h"
#include "net/trust.h"

/* --- with a transfer --------------------------------------------------------------------------- */

static const struct {
	CURLcode code;
	enum bw_http_failure failure;
} failures[] = {
	{CURLE_OK, BW_HTTP_OK},
	{CURLE_COULDNT_RESOLVE_HOST, BW_HTTP_DNS},
	{CURLE_COULDNT_RESOLVE_PROXY, BW_HTTP_DNS},
	{CURLE_COULDNT_CONNECT, BW_HTTP_CONNECT},
	{CURLE_PROXY, BW_HTTP_CONNECT},
	{CURLE_URL_MALFORMAT, BW_HTTP_CONNECT}, /* "host:99999": the name of a place that cannot be */
	{CURLE_SSL_CONNECT_ERROR, BW_HTTP_TLS},
	{CURLE_PEER_FAILED_VERIFICATION, BW_HTTP_TLS},
	{CURLE_SSL_ISSUER_ERROR, BW_HTTP_TLS},
	{CURLE_SSL_CACERT_BADFILE, BW_HTTP_TLS},
	{CURLE_SSL_CERTPROBLEM, BW_HTTP_TLS},
	{CURLE_SSL_CIPHER, BW_HTTP_TLS},
	{CURLE_SSL_CLIENTCERT, BW_HTTP_TLS},
	{CURLE_SSL_INVALIDCERTSTATUS, BW_HTTP_TLS},
	{CURLE_SSL_ENGINE_INITFAILED, BW_HTTP_TLS},
	{CURLE_USE_SSL_FAILED, BW_HTTP_TLS},
	{CURLE_PARTIAL_FILE, BW_HTTP_CUT},
	{CURLE_GOT_NOTHING, BW_HTTP_CUT},
	{CURLE_RECV_ERROR, BW_HTTP_CUT},
	{CURLE_SEND_ERROR, BW_HTTP_CUT},
	{CURLE_HTTP2, BW_HTTP_CUT},
	{CURLE_HTTP2_STREAM, BW_HTTP_CUT},
	{CURLE_FILESIZE_EXCEEDED, BW_HTTP_LIMIT},
	{CURLE_OUT_OF_MEMORY, BW_HTTP_LIMIT}, /* what libcurl says of a header line beyond its own limit */
	{CURLE_TOO_MANY_REDIRECTS, BW_HTTP_REDIRECT},
};

enum bw_http_failure bw_fault_kind(unsigned code)
{
	for (size_t i = 0; i < BW_COUNT(failures); i++)
		if (failures[i].code == code)
			return failures[i].failure;
	return BW_HTTP_PROTOCOL;
}

/*
 * A password may hold every character, also those that would end it in a URL, so it is not cut out: where there may be one,
 * nothing is told. No text of libcurl that is worth having has an '@' in it, and those that repeat a proxy that cannot be
 * used begin so (url.c, parse_proxy).
 */
static bool may_hold_user(const char *text)
{
	return strchr(text, '@') || strcasestr(text, "unsupported proxy");
}

const char *bw_fault_words(char *error_buffer, unsigned code)
{
	size_t len = strlen(error_buffer);

	while (len > 0 && (error_buffer[len - 1] == ' ' || error_buffer[len - 1] == '\n'))
		error_buffer[--len] = '\0';
	if (len && !may_hold_user(error_buffer))
		return error_buffer;
	return strcasestr(error_buffer, "unsupported proxy") ? "a proxy of the environment is no URL of one"
							     : curl_easy_strerror((CURLcode)code);
}

/* --- with a proxy ------------------------------------------------------------------------------ */

static bool is_scheme(const char *scheme)
{
	static const char *const known[] = {"http",    "https",	 "socks",  "socks4",
					    "socks4a", "socks5", "socks5h"};

	for (size_t i = 0; i < BW_COUNT(known); i++)
		if (strcasecmp(scheme, known[i]) == 0)
			return true;
	return false;
}

static const char *reason(CURLUcode code)
{
	switch (code) {
	case CURLUE_BAD_PORT_NUMBER: return "its port makes no sense";
	case CURLUE_NO_HOST:
	case CURLUE_BAD_HOSTNAME:
	case CURLUE_BAD_IPV6: return "its host makes no sense";
	default: return "it cannot be read";
	}
}

/* By libcurl's own parser, set as libcurl does it for a proxy (url.c, parse_proxy). */
const char *bw_fault_of_proxy(const char *value)
{
	CURLU *url = curl_url();
	CURLUcode code =
		url ? curl_url_set(url, CURLUPART_URL, value, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME)
		    : CURLUE_OUT_OF_MEMORY;
	char *scheme = NULL;
	const char *trouble = NULL;

	if (code == CURLUE_OK)
		code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	if (code != CURLUE_OK)
		trouble = reason(code);
	else if (!is_scheme(scheme))
		trouble = "unknown scheme";
	curl_free(scheme);
	curl_url_cleanup(url);
	return trouble;
}

/* --- with itself ------------------------------------------------------------------------------- */

int bw_fault_of_library(struct bw_err *err)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	if (v->version_num < 0x075700)
		return bw_fail(err, BW_E_SYS, "libcurl %s is too old: 7.87 or newer is needed", v->version);
	if (!(v->features & CURL_VERSION_ASYNCHDNS))
		return bw_fail(err, BW_E_SYS, "libcurl %s resolves names in the calling thread", v->version);
	if (!v->ssl_version || strncmp(v->ssl_version, "OpenSSL/", 8) != 0)
		return bw_fail(err, BW_E_SYS, "libcurl %s does not use OpenSSL", v->version);
	return 0;
}

void bw_http_trusted(const char **ret_file, const char **ret_folder)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	*ret_file = bw_trust_place("SSL_CERT_FILE", v->cainfo);
	*ret_folder = bw_trust_place("SSL_CERT_DIR", v->capath);
}

const char *bw_http_version(void)
{
	return curl_version();
}
