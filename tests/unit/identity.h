/* identity.h - certificates with keys in files, for peers that want to see one of the client and for the client itself. */
#ifndef BW_TESTS_IDENTITY_H
#define BW_TESTS_IDENTITY_H

#include "unit/peer.h"

/* Writes a self-signed certificate and its key into one file of its own, which can serve as CA file, too. */
static inline void identity_write(const char *path, const char *san)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	const unsigned char *name = (const unsigned char *)path;
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), (long)getpid());
	X509_gmtime_adj(X509_getm_notBefore(x), -86400L);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400L);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_add_ext(x, e, -1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	PEM_write_X509(out, x);
	PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(out);
	X509_EXTENSION_free(e);
	X509_free(x);
	EVP_PKEY_free(key);
}

#endif
