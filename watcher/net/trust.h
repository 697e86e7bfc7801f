/*
 * trust.h - whose certificates do we believe, and which one is ours? We believe the system's store and, besides it, files
 * of the user. It is read once for all connections: parsing the system's bundle costs 10 ms and more with OpenSSL 3.
 */
#ifndef BW_NET_TRUST_H
#define BW_NET_TRUST_H

#include <stdbool.h>

#include "core/err.h"
#include "net/http.h"

struct bw_trust;

/*
 * `system_file` and `system_dir` are the places of this system (either may be NULL); SSL_CERT_FILE and
 * SSL_CERT_DIR replace them. BW_E_INPUT when one of `ca_files` (NULL-terminated; may be NULL) has no certificate. The
 * system's store is read when the first certificate comes to be judged: a sweep over plain HTTP never pays for it.
 */
int bw_trust_new(const char *const *ca_files, const char *system_file, const char *system_dir,
		 struct bw_trust **ret, struct bw_err *err) BW_NODISCARD;
void bw_trust_free(struct bw_trust *t);

/* The value of SSL_CERT_FILE or SSL_CERT_DIR, else the place of this system. */
const char *bw_trust_place(const char *variable, const char *otherwise);

/*
 * Lets an SSL_CTX show this certificate (with its chain) to whoever asks for one. Both PEM, the key without a pass phrase.
 * The files are read now: those that are replaced later are taken with the next SSL_CTX.
 */
int bw_trust_show(void *ssl_ctx, const char *cert, const char *key, struct bw_err *err) BW_NODISCARD;
/* Could it be shown? */
int bw_trust_check_identity(const char *cert, const char *key, struct bw_err *err) BW_NODISCARD;

/* What is wrong with a certificate that was not accepted, by the result of its verification. */
enum bw_http_cause bw_trust_cause(long verify_result);

/*
 * Calls back when a peer asks for our certificate, whether there is one or not. A connection may ask at any time in its
 * life, and that long `w` lives.
 */
struct bw_trust_watch {
	void (*asked)(const void *ssl_ctx, void *arg);
	void *arg;
};
void bw_trust_watch(void *ssl_ctx, struct bw_trust_watch *w);

/*
 * The alert of the peer in words, when it is one that peers send about our certificate, or for want of it; NULL: it is none.
 * The text is that of libcurl, as below.
 */
const char *bw_trust_alert(const char *error_text);

/* Lets an SSL_CTX verify against this store, which must outlive it. */
void bw_trust_apply(struct bw_trust *t, void *ssl_ctx);

/*
 * Did the TLS handshake fail because the peer does not speak TLS? libcurl has one code
 * (CURLE_SSL_CONNECT_ERROR) for every broken handshake, and keeps OpenSSL's packed error number only in the
 * text of its error buffer
 * ("error:0A00010B:SSL routines::wrong version number"): so the number is read from there. Its words are not
 * looked at. Without a number no TLS record of the peer was ever seen: the connection was closed or reset, as
 * plain servers do.
 */
bool bw_trust_is_not_tls(const char *error_text);

#endif
