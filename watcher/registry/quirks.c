/* quirks.c - the table. Sources of each row: contrib/registries.md. */
#include "registry/quirks.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "registry/address.h"

#define IS_PUBLIC  "all of it is public: is the name right?"
#define LEAST_SAID 96 /* bytes of a message that no advice replaces */

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct bw_quirks all[] = {
	{.name = "Docker Hub",
	 .hosts = HOSTS("docker.io", "*.docker.io"),
	 .hides_missing = true,
	 .login = "log in with `docker login`, an access token as password"},
	{.name = "GHCR",
	 .hosts = HOSTS("ghcr.io"),
	 .hides_missing = true,
	 .login = "log in with a personal access token that has read:packages"},
	{.name = "Quay",
	 .hosts = HOSTS("quay.io"),
	 .realm = "*/v2/auth",
	 .hides_missing = true,
	 .login = "log in as a robot account (NAMESPACE+ROBOT)"},
	{.name = "ECR",
	 .hosts = HOSTS("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn",
			"*.dkr.ecr-fips.*.amazonaws.com", "*.dkr-ecr.*.on.aws", "*.dkr-ecr-fips.*.on.aws"),
	 .login = "log-ins (user AWS) end after 12 h: use docker-credential-ecr-login"},
	{.name = "ECR Public",
	 .hosts = HOSTS("public.ecr.aws"),
	 .login = "log-ins (user AWS) end after 12 h: log out, or use docker-credential-ecr-login"},
	{.name = "Google Artifact Registry",
	 .hosts = HOSTS("*.pkg.dev", "gcr.io", "*.gcr.io"),
	 .hides_missing = true,
	 .login = "use docker-credential-gcloud, or user _json_key with the key of a service account"},
	{.name = "ACR",
	 .hosts = HOSTS("*.azurecr.io", "*.azurecr.cn", "*.azurecr.us"),
	 .hides_missing = true,
	 .login = "`az acr login` lasts 3 h; a token of the registry or a service principal lasts longer"},
	{.name = "MCR", .hosts = HOSTS("mcr.microsoft.com"), .login = IS_PUBLIC},
	{.name = "registry.k8s.io", .hosts = HOSTS("registry.k8s.io"), .login = IS_PUBLIC},
	{.name = "GitLab",
	 .hosts = HOSTS("registry.gitlab.com"),
	 .realm = "**/jwt/auth",
	 .service = "container_registry",
	 .hides_missing = true,
	 .login = "log in with a deploy token, or an access token, that has read_registry"},
	{.name = "Harbor",
	 .realm = "**/service/token",
	 .service = "harbor-registry",
	 .hides_missing = true,
	 .login = "log in as a robot account (robot$NAME)"},
	{.name = "Artifactory",
	 .hosts = HOSTS("*.jfrog.io"),
	 .realm = "**/api/docker/**/v2/token",
	 .hides_missing = true,
	 .login = "log in with an identity token as password"},
	{.name = "Gitea and Forgejo",
	 .hosts = HOSTS("codeberg.org"),
	 .realm = "**/v2/token",
	 .service = "container_registry",
	 .hides_missing = true,
	 .login = "log in with an access token that may read packages"},
	/* Of these nothing tells the name, and nothing special is to be said. */
	{.name = "Nexus"},
	{.name = "zot"},
	{.name = "docker-registry"},
};

static bool is_at(const struct bw_quirks *q, const char *host)
{
	for (size_t i = 0; q->hosts && q->hosts[i]; i++)
		if (bw_text_glob(q->hosts[i], host))
			return true;
	return false;
}

static bool logs_in_as(const struct bw_quirks *q, const char *realm, const char *service)
{
	const char *rest = realm && q->realm ? strstr(realm, "://") : NULL;

	return rest && bw_text_glob(q->realm, rest + 3) && (!q->service || bw_text_is(q->service, service));
}

const struct bw_quirks *bw_quirks_find(const char *registry, const char *realm, const char *service)
{
	struct bw_origin o;

	/* On another port it is something else, such as a proxy. */
	if (bw_origin_of_registry(registry, true, &o) && o.port == 443)
		for (size_t i = 0; i < BW_COUNT(all); i++)
			if (is_at(&all[i], o.host))
				return &all[i];
	for (size_t i = 0; i < BW_COUNT(all); i++)
		if (logs_in_as(&all[i], realm, service))
			return &all[i];
	return NULL;
}

/* Cuts at a whole character, and shows that it was cut. */
static void shorten(char *message, size_t len)
{
	while (len > 0 && ((unsigned char)message[len] & 0xC0) == 0x80)
		len--;
	memcpy(message + len, "...", 4);
}

void bw_quirks_advise(const struct bw_quirks *q, enum bw_trouble trouble, char message[BW_ANSWER_MESSAGE_MAX])
{
	bool hides = q && q->hides_missing && trouble == BW_TROUBLE_DENIED;
	char advice[BW_ANSWER_MESSAGE_MAX];
	size_t len = strlen(message), extra;

	if (!q || !q->login || (trouble != BW_TROUBLE_AUTH && trouble != BW_TROUBLE_DENIED))
		return;
	(void)snprintf(advice, sizeof(advice), "; %s%s%s%s", hides ? "at " : "", hides ? q->name : "",
		       hides ? " missing and private look the same; " : "", q->login);
	extra = strlen(advice);
	if (len + extra >= BW_ANSWER_MESSAGE_MAX) {
		len = BW_ANSWER_MESSAGE_MAX - 1 - extra - 3;
		if (len < LEAST_SAID)
			return;
		shorten(message, len);
		len = strlen(message);
	}
	(void)snprintf(message + len, BW_ANSWER_MESSAGE_MAX - len, "%s", advice);
}
