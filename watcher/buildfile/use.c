#include "buildfile/use.h"

#include <stdlib.h>
#include <string.h>

static const char *const role_names[BW_ROLE_COUNT] = {
	[BW_ROLE_FINAL] = "final", [BW_ROLE_STAGE] = "stage",	    [BW_ROLE_COPY] = "copy",
	[BW_ROLE_MOUNT] = "mount", [BW_ROLE_FRONTEND] = "frontend", [BW_ROLE_CONTEXT] = "context",
};

const char *bw_role_name(enum bw_role role)
{
	return role < BW_ROLE_COUNT ? role_names[role] : "";
}

bool bw_role_parse(const char *name, enum bw_role *ret)
{
	for (unsigned i = 0; i < BW_ROLE_COUNT; i++)
		if (strcmp(name, role_names[i]) == 0) {
			*ret = (enum bw_role)i;
			return true;
		}
	return false;
}

void bw_use_done(struct bw_use *u)
{
	free(u->stage);
	free(u->platform);
	free(u->written);
	free(u->expanded);
	free(u->reference);
	free(u->unresolved);
	free(u->ignored);
	free(u->patch);
	bw_reference_done(&u->parts);
	*u = (struct bw_use){0};
}
