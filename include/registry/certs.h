/*
 * certs.h - certificates of single registries, as docker and containers have them in folders (docs.docker.com "Verify
 * repository client with certificates"; containers-certs.d(5)). The first of these folders that is there counts:
 *
 *   $HOME/.config/containers/certs.d/HOST[:PORT]/
 *   /etc/containers/certs.d/HOST[:PORT]/
 *   /etc/docker/certs.d/HOST[:PORT]/
 *
 *   *.crt             is trusted besides the system's store
 *   X.cert, X.key     is shown to that registry when it asks who we are; of several pairs the first one
 *
 * HOST[:PORT] as in references, in small letters. Docker Hub is docker.io, index.docker.io or registry-1.docker.io.
 */
#ifndef BW_REGISTRY_CERTS_H
#define BW_REGISTRY_CERTS_H

#include "core/err.h"

#define BW_CERTS_MAX	   64	   /* files in one folder that count */
#define BW_CERTS_MAX_BYTES 1048576 /* of one file */

struct bw_certs {
	char *folder;		    /* NULL: there is none, and nothing else is set */
	char **ca_files;	    /* sorted, NULL-terminated */
	char *cert_file, *key_file; /* NULL: none */
	char *left_out;		    /* a certificate of another pair; NULL: there is only one */
	char *unused; /* the name of a file there, when none of them is of the three above; NULL: otherwise */
};

/*
 * `roots` instead of the three above, NULL-terminated; NULL: these. A name that is none of a registry has no folder. BW_E_INPUT
 * names the file or the folder that cannot be used; whether there are certificates in the files is not looked at. A folder that
 * we may not even know of (search permission) is as if it were not there. The caller frees with bw_certs_done() in any case.
 */
int bw_certs_find(const char *registry, const char *const *roots, struct bw_certs *ret,
		  struct bw_err *err) BW_NODISCARD;
void bw_certs_done(struct bw_certs *x);

#endif
