/* trust.c - one X509 store for all connections, and what OpenSSL says about a broken handshake. */
#include "net/trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

struct bw_trust {
	X509_STORE *store;
	char *system_file;
	char *system_dir;
	bool has_folder, has_file; /* of the system: taken into the store */
};

const char *bw_trust_place(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value && *value ? value : otherwise;
}

/* Adds them to the store; the first that is of no use is an error. */
static int take_files(X509_STORE *store, const char *const *files, struct bw_err *err)
{
	for (; files && *files; files++) {
		if (X509_STORE_load_locations(store, *files, NULL) == 1)
			continue;
		ERR_clear_error();
		return bw_fail(err, BW_E_INPUT, "%s: cannot be read as a file of PEM certificates", *files);
	}
	return 0;
}

int bw_trust_new(const char *const *ca_files, const char *system_file, const char *system_dir,
		 struct bw_trust **ret, struct bw_err *err)
{
	struct bw_trust *t = BW_NEW(struct bw_trust);

	t->store = X509_STORE_new();
	if (!t->store) {
		bw_trust_free(t);
		return bw_fail(err, BW_E_SYS, "no certificate store");
	}
	/* A certificate of the user is trusted as it is, also one that is not self-signed. */
	X509_STORE_set_flags(t->store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	if (take_files(t->store, ca_files, err) < 0) {
		bw_trust_free(t);
		return BW_E_INPUT;
	}
	t->system_file = bw_strdup_null(bw_trust_place("SSL_CERT_FILE", system_file));
	t->system_dir = bw_strdup_null(bw_trust_place("SSL_CERT_DIR", system_dir));
	*ret = t;
	return 0;
}

void bw_trust_free(struct bw_trust *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
	free(t->system_file);
	free(t->system_dir);
	free(t);
}

/* Asked for a pass phrase: there is none, and nobody is asked for one. */
static int no_phrase(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return 0;
}

int bw_trust_show(void *ssl_ctx, const char *cert, const char *key, struct bw_err *err)
{
	int rc = 0;

	SSL_CTX_set_default_passwd_cb(ssl_ctx, no_phrase);
	if (SSL_CTX_use_certificate_chain_file(ssl_ctx, cert) != 1)
		rc = bw_fail(err, BW_E_INPUT, "%s: cannot be read as a certificate in PEM", cert);
	else if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key, SSL_FILETYPE_PEM) != 1)
		rc = bw_fail(err, BW_E_INPUT,
			     "%s: cannot be read as the key of %s, in PEM and without a pass phrase", key,
			     cert);
	ERR_clear_error();
	return rc;
}

int bw_trust_check_identity(const char *cert, const char *key, struct bw_err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int rc;

	if (!ctx)
		return bw_fail(err, BW_E_SYS, "TLS does not start");
	rc = bw_trust_show(ctx, cert, key, err);
	SSL_CTX_free(ctx);
	return rc;
}

/*
 * Would the certificate be accepted with what the store holds so far? A verification cannot be repeated with the same
 * context, so this is one beside it.
 */
static bool is_accepted(const struct bw_trust *t, X509_STORE_CTX *of)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = ctx &&
		  X509_STORE_CTX_init(ctx, t->store, X509_STORE_CTX_get0_cert(of),
				      X509_STORE_CTX_get0_untrusted(of)) &&
		  X509_STORE_CTX_set_default(ctx, "ssl_server") && X509_verify_cert(ctx) == 1;

	X509_STORE_CTX_free(ctx);
	return ok;
}

/*
 * Runs when a certificate has come that needs to be judged, with a context that looks into our store. The system's
 * certificates are taken in only then, and as few as will do: the folder is looked up by the hash of a name, while the
 * file is parsed as a whole, which costs more than a hundred requests. What cannot be read is left out: then nothing
 * is trusted by it, and the handshake says so.
 */
static int verify(X509_STORE_CTX *ctx, void *arg)
{
	struct bw_trust *t = arg;

	if (!t->has_folder && t->system_dir)
		X509_STORE_load_locations(t->store, NULL, t->system_dir);
	t->has_folder = true;
	if (!t->has_file && !is_accepted(t, ctx)) {
		if (t->system_file)
			X509_STORE_load_locations(t->store, t->system_file, NULL);
		t->has_file = true;
	}
	ERR_clear_error(); /* or libcurl would report what is left of ours as an error of the handshake */
	return X509_verify_cert(ctx);
}

/* The name is looked at by libcurl, when the certificate as such is accepted; then it leaves the result unspecified. */
enum bw_http_cause bw_trust_cause(long verify_result)
{
	switch (verify_result) {
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return BW_HTTP_CERT_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: return BW_HTTP_CERT_DATE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return BW_HTTP_CERT_AUTHORITY;
	default: return BW_HTTP_CERT_BAD;
	}
}

static int note_wish(SSL *ssl, void *arg)
{
	const struct bw_trust_watch *w = arg;

	w->asked(SSL_get_SSL_CTX(ssl), w->arg);
	return 1; /* with what there is */
}

void bw_trust_watch(void *ssl_ctx, struct bw_trust_watch *w)
{
	SSL_CTX_set_cert_cb(ssl_ctx, note_wish, w);
}

void bw_trust_apply(struct bw_trust *t, void *ssl_ctx)
{
	SSL_CTX_set1_cert_store(ssl_ctx, t->store);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, t);
}

static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

/* The eight hexadecimal digits between "error:" and the next colon; 0 when there are none. */
static unsigned long packed_number(const char *text)
{
	static const char mark[] = "error:";
	const char *at = strstr(text, mark);
	unsigned long number = 0;

	if (!at)
		return 0;
	at += sizeof(mark) - 1;
	for (int i = 0; i < 8; i++) {
		unsigned value = hex_value(at[i]);

		if (value > 15)
			return 0;
		number = number << 4 | value;
	}
	return at[8] == ':' ? number : 0;
}

const char *bw_trust_alert(const char *error_text)
{
	unsigned long number = packed_number(error_text);
	int alert = ERR_GET_REASON(number) - SSL_AD_REASON_OFFSET;

	if (number == 0 || ERR_GET_LIB(number) != ERR_LIB_SSL)
		return NULL;
	switch (alert) {
	case SSL_AD_HANDSHAKE_FAILURE:
	case SSL_AD_NO_CERTIFICATE:
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_CERTIFICATE_REQUIRED: return SSL_alert_desc_string_long(alert);
	default: return NULL;
	}
}

bool bw_trust_is_not_tls(const char *error_text)
{
	unsigned long number = packed_number(error_text);

	if (number == 0)
		return true;
	if (ERR_GET_LIB(number) != ERR_LIB_SSL)
		return false;
	switch (ERR_GET_REASON(number)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST: return true;
	default: return false;
	}
}
