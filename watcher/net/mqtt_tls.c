/* mqtt_tls.c - an SSL_CTX that verifies chain and name, whatever the library thinks the host is. */
#include "net/mqtt_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/mem.h"
#include "net/trust.h"

struct bw_mqtt_tls {
	struct bw_trust *trust;
	SSL_CTX *ctx;
	char *host;
	bool is_address;
	long complaint; /* X509_V_ERR_... */
	bool is_asked;	/* for a certificate of ours, and there is none */
};

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/*
 * Called by OpenSSL before the first byte of a handshake is made. An address is not sent as a name (RFC 6066 3). If one
 * of the calls fails the handshake has to fail, too: with a name that no certificate has.
 */
static void begin_handshake(const SSL *ssl, int where, int ret)
{
	const struct bw_mqtt_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL *s = (SSL *)(uintptr_t)ssl; /* OpenSSL hands out what it is working on */
	X509_VERIFY_PARAM *param = SSL_get0_param(s);
	bool ok;

	(void)ret;
	if (where != SSL_CB_HANDSHAKE_START)
		return;
	SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	ok = SSL_set_tlsext_host_name(s, t->is_address ? NULL : t->host) == 1;
	ok = ok && (t->is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, t->host) == 1
				  : SSL_set1_host(s, t->host) == 1);
	if (!ok)
		SSL_set1_host(s, "invalid.");
}

static int note_complaint(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct bw_mqtt_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!ok)
		t->complaint = X509_STORE_CTX_get_error(store);
	return ok;
}

/* Called by OpenSSL when the broker asks and no certificate is set: goes on without. */
static int note_question(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct bw_mqtt_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)cert;
	(void)key;
	t->is_asked = true;
	return 0;
}

/* A key with a pass phrase: OpenSSL would ask on the terminal. */
static int know_no_phrase(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static int load_identity(struct bw_mqtt_tls *t, const char *cert_file, const char *key_file,
			 struct bw_err *err)
{
	const char *bad = NULL;

	SSL_CTX_set_default_passwd_cb(t->ctx, know_no_phrase);
	if (SSL_CTX_use_certificate_chain_file(t->ctx, cert_file) != 1)
		bad = cert_file;
	else if (SSL_CTX_use_PrivateKey_file(t->ctx, key_file, SSL_FILETYPE_PEM) != 1)
		bad = key_file;
	ERR_clear_error();
	if (bad)
		return bw_fail(err, BW_E_INPUT, "%s: cannot be read as a %s in PEM, without a pass phrase",
			       bad,
			       bad == cert_file ? "certificate" : "private key that fits the certificate");
	return 0;
}

int bw_mqtt_tls_new(const char *host, const char *ca_file, const char *cert_file, const char *key_file,
		    struct bw_mqtt_tls **ret, struct bw_err *err)
{
	struct bw_mqtt_tls *t = BW_NEW(struct bw_mqtt_tls);
	const char *const ca_files[] = {ca_file, NULL};
	int rc = bw_trust_new(ca_files, X509_get_default_cert_file(), X509_get_default_cert_dir(), &t->trust,
			      err);

	t->host = bw_strdup(host);
	t->is_address = is_address(host);
	if (rc == 0) {
		t->ctx = SSL_CTX_new(TLS_client_method());
		if (!t->ctx)
			rc = bw_fail(err, BW_E_SYS, "no TLS context");
	}
	if (rc == 0 && cert_file)
		rc = load_identity(t, cert_file, key_file, err);
	if (rc < 0) {
		bw_mqtt_tls_free(t);
		return rc;
	}
	SSL_CTX_set_app_data(t->ctx, t);
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, note_complaint);
	SSL_CTX_set_info_callback(t->ctx, begin_handshake);
	SSL_CTX_set_client_cert_cb(t->ctx, note_question);
	bw_trust_apply(t->trust, t->ctx);
	*ret = t;
	return 0;
}

void bw_mqtt_tls_free(struct bw_mqtt_tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	bw_trust_free(t->trust);
	free(t->host);
	free(t);
}

void *bw_mqtt_tls_context(struct bw_mqtt_tls *t)
{
	t->complaint = X509_V_OK;
	t->is_asked = false;
	return t->ctx;
}

const char *bw_mqtt_tls_complaint(const struct bw_mqtt_tls *t)
{
	return t->complaint == X509_V_OK ? NULL : X509_verify_cert_error_string(t->complaint);
}

bool bw_mqtt_tls_lacks_identity(const struct bw_mqtt_tls *t)
{
	return t->is_asked;
}

bool bw_mqtt_tls_has_more(const void *ssl)
{
	return ssl && SSL_pending(ssl) > 0;
}
