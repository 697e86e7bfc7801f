/*
 * answer.h - what came of asking a registry what a base points to: a digest, or the kind of trouble. The
 * registry room makes answers, the store remembers them, the verdict judges by them.
 */
#ifndef BW_IMAGE_ANSWER_H
#define BW_IMAGE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "image/digest.h"
#include "image/manifest.h"

enum bw_trouble {
	BW_TROUBLE_NONE = 0,
	BW_TROUBLE_TAG_GONE,	    /* the repository is there, the tag is not */
	BW_TROUBLE_REPOSITORY_GONE, /* no such repository */
	BW_TROUBLE_DENIED, /* refused with what we are; some registries say so for missing repositories too */
	BW_TROUBLE_AUTH,   /* credentials refused, or the log-in itself failed */
	BW_TROUBLE_THROTTLED, /* 429; retry_after_s */
	BW_TROUBLE_TIMEOUT,
	BW_TROUBLE_DNS,
	BW_TROUBLE_TLS,
	BW_TROUBLE_CONNECTION, /* refused, reset, cut off */
	BW_TROUBLE_SERVER,     /* 5xx */
	BW_TROUBLE_MALFORMED,  /* the registry broke the protocol */
	BW_TROUBLE_LIMIT,      /* one of our limits was hit */
	BW_TROUBLE_UNSETTLED,  /* asked again, the registry gave another answer: its replicas disagree */
	BW_TROUBLE_REFUSED,    /* it leads into this machine or its link, where a stranger must not send us */
	BW_TROUBLE_COUNT,
};

/* What exactly, where what is to be done depends on it. Only for that: it is not remembered. */
enum bw_cause {
	BW_CAUSE_NONE = 0,	 /* nothing more is known */
	BW_CAUSE_CERT_DATE,	 /* its certificate is over, or not valid yet */
	BW_CAUSE_CERT_NAME,	 /* its certificate is for other names */
	BW_CAUSE_CERT_AUTHORITY, /* nobody whom we trust has signed its certificate */
	BW_CAUSE_CERT_BAD,	 /* something else is wrong with its certificate */
	BW_CAUSE_CERT_WANTED,	 /* it wants one of ours, another one than we have */
	BW_CAUSE_CERT_FILES,	 /* ours for it: a file of certificates cannot be used */
	BW_CAUSE_NOT_TLS,
	BW_CAUSE_PROXY_LOGIN,	 /* a proxy wants to know who we are */
	BW_CAUSE_HELPER,	 /* the program that knows the log-in failed, or did not answer in time */
	BW_CAUSE_HELPER_MISSING, /* it is not there */
	BW_CAUSE_NO_LOGIN,	 /* it wants to know who we are, and we are nobody in particular */
	BW_CAUSE_BUSY,		 /* 503 */
};

#define BW_ANSWER_MESSAGE_MAX 256

struct bw_answer {
	enum bw_trouble trouble;
	enum bw_cause cause;
	struct bw_digest digest;	    /* set when there is no trouble */
	char media_type[BW_MEDIA_TYPE_MAX]; /* of the manifest, "" when the registry did not say */
	uint32_t retry_after_s;		    /* with THROTTLED; 0: not said */
	/*
	 * With THROTTLED: we ourselves held the question back, so the registry has said nothing of it: the rest of what it
	 * grants is left to others, or it asked another process for a pause.
	 */
	bool is_held_back;
	char message[BW_ANSWER_MESSAGE_MAX]; /* the trouble in words, for people; not yet escaped */
};

/* The word used in the database, in JSON and in messages: "tag-gone", "dns", ... ; "" for NONE. */
const char *bw_trouble_name(enum bw_trouble t);
/* The reverse; NONE for an unknown word. */
enum bw_trouble bw_trouble_from_name(const char *name);
/* One sentence for people: "the tag is gone", "the name of the registry cannot be resolved". */
const char *bw_trouble_text(enum bw_trouble t);
/*
 * May the same question get another answer soon: time-outs, throttling, a broken connection, 5xx, unsettled, and DNS,
 * TLS and refused, because then the host was not asked at all?
 */
bool bw_trouble_is_passing(enum bw_trouble t);
/* Does the registry say that it does not have what was asked for? */
bool bw_trouble_is_absence(enum bw_trouble t);

#endif
