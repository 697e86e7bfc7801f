/* credential.h - who are we at a registry, where nobody has to be waited for? */
#ifndef TESTS_UNIT_CREDENTIAL_H
#define TESTS_UNIT_CREDENTIAL_H

#include "core/mem.h"
#include "registry/credentials.h"

/* NULL: nobody in particular, or it is not known at once. */
static inline const struct bw_credential *find_credential(struct bw_credentials *c, const char *registry,
							  const char *repository)
{
	const struct bw_credential *found = NULL;
	struct bw_err err = BW_ERR_INIT;

	(void)bw_credentials_ask(c, registry, repository, NULL, &found, &err);
	return found;
}

static inline bool has_credential(struct bw_credentials *c, const char *registry, const char *repository)
{
	return find_credential(c, registry, repository) != NULL;
}

/* "user:password", "identity USER:TOKEN", "bearer :TOKEN", "-" for nobody. The caller frees. */
static inline char *credential_text(const struct bw_credential *c)
{
	static const char *const kinds[] = {"", "identity ", "bearer "};

	return c ? bw_asprintf("%s%s:%s", kinds[c->kind], c->user, c->secret) : bw_strdup("-");
}

#endif
