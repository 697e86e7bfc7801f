/*
 * quota.h - what a registry says of how many requests it still grants. Pure. The forms:
 *
 *   Docker Hub    ratelimit-limit: 100;w=21600      ratelimit-remaining: 76;w=21600    (docs.docker.com, Docker Hub "pulls")
 *   drafts -00..  RateLimit-Limit: 100, 100;w=60    RateLimit-Remaining: 50   RateLimit-Reset: 30
 *   draft -07     RateLimit: limit=100, remaining=50, reset=5           RateLimit-Policy: 100;w=60
 *   drafts -08..  RateLimit: "default";r=50;t=30    RateLimit-Policy: "default";q=100;w=60   (draft-ietf-httpapi-ratelimit-headers)
 *   others        X-RateLimit-Limit/-Remaining/-Reset; a reset that is a date in seconds since 1970 is taken as such (GitLab)
 */
#ifndef BW_REGISTRY_QUOTA_H
#define BW_REGISTRY_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* Of several the one that has least left, measured by its limit. */
struct bw_quota {
	uint64_t limit, remaining; /* requests; `remaining` <= `limit`, and 1 <= `limit` <= UINT32_MAX */
	uint32_t window_s;	   /* 0: not said */
	bool has_reset;
	uint32_t reset_s; /* all of it is granted anew so many seconds from now; at most a week */
};

/*
 * `headers` as in struct bw_http_response: "name: value\n" each, names in lower case. `now_ms`: wall clock, for
 * dates where the registry does not say what time it is there. False: they say nothing that makes sense.
 */
bool bw_quota_read(const char *headers, int64_t now_ms, struct bw_quota *ret);

#endif
