/*
 * http.h - the door to libcurl: asynchronous HTTP/1.1 and HTTP/2 over the loop. Connections are reused,
 * HTTP/2 is multiplexed, TLS is always verified. A request ends exactly once in its callback, never inside
 * bw_http_start(). The program must ignore SIGPIPE: TLS writes to connections that may be gone.
 */
#ifndef BW_NET_HTTP_H
#define BW_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "net/loop.h"

struct bw_http;
struct bw_http_transfer;

struct bw_http_options {
	const char *const *ca_files; /* trusted besides the system store; NULL-terminated; NULL: none */
	/*
	 * PEM; NULL: none. Shown to the host and port of the URL `client_place` when that asks for one, and to nobody whom it
	 * redirects to, nor to a proxy. Connections where it was shown are used again by any request to that place: so all
	 * requests of such a client begin there, or nobody could tell whom that place answers. Files that are replaced are taken
	 * with the next connection.
	 */
	const char *client_cert;
	const char *client_key; /* PEM without a pass phrase; NULL: it is in the file of the certificate */
	const char *client_place;
	/*
	 * Of all requests but those with `is_direct`: http://, https:// or socks5h://HOST[:PORT], whatever the environment says
	 * (port 1080, or 443 with https://, if none is there); "": none; NULL: as the environment says.
	 */
	const char *proxy;
	unsigned connections_per_host; /* at most; 0: 3 */
	const char *user_agent;
};

/* Why there is no answer. An HTTP status of any number is an answer. */
enum bw_http_failure {
	BW_HTTP_OK = 0,
	BW_HTTP_DNS,
	BW_HTTP_CONNECT,  /* refused, unreachable, or no connection within connect_timeout_ms (then timed_out
			     is set) */
	BW_HTTP_TIMEOUT,  /* connected, but no whole answer within timeout_ms */
	BW_HTTP_TLS,	  /* bad certificate, no common version, alert: the peer speaks TLS and it failed */
	BW_HTTP_NOT_TLS,  /* the peer does not speak TLS at all */
	BW_HTTP_CUT,	  /* the connection broke in the middle */
	BW_HTTP_LIMIT,	  /* body or header larger than our limit */
	BW_HTTP_REDIRECT, /* too many redirects, or one that we refuse (https to http, other protocol) */
	BW_HTTP_PROTOCOL, /* not HTTP, or broken HTTP */
};

/* What exactly, where what is to be done depends on it. */
enum bw_http_cause {
	BW_HTTP_NO_CAUSE = 0,
	BW_HTTP_CERT_DATE,	/* with TLS: the certificate of the place is over, or not valid yet; ... */
	BW_HTTP_CERT_NAME,	/* ... is for other names; ... */
	BW_HTTP_CERT_AUTHORITY, /* ... is signed by nobody whom we trust; ... */
	BW_HTTP_CERT_BAD,	/* ... is wrong in some other way */
	BW_HTTP_CERT_OWN,	/* with TLS: ours cannot be used */
	BW_HTTP_CERT_WANTED, /* with TLS: it wants one of ours, and there is none, or not one that it takes */
	BW_HTTP_PROXY_LOGIN, /* with CONNECT: a proxy wants to know who we are */
};

enum bw_http_method { BW_HTTP_HEAD, BW_HTTP_GET, BW_HTTP_POST };

/* Did the user name host and port of this URL? */
typedef bool (*bw_http_named_fn)(const char *url, void *arg);

/*
 * Redirects are followed up to five times. From https only to https; from http to https, and to http on the
 * same host or on this machine. `Authorization` does not go along to another host, port or scheme. A POST is never
 * redirected.
 *
 * Whoever lets a stranger name the place sets `refuse`: kinds of addresses (net/address.h) that are not connected to,
 * whatever the name was. It holds for redirects too; `refuse_hops` holds only for them, when the user named the first
 * place, and not for kinds that the first place is of itself. What `is_named` says the user named is refused by neither.
 * A proxy is where the user says: it may be anywhere. What a name means behind it is not known
 * here; an address in a URL is looked at all the same.
 */
struct bw_http_request {
	enum bw_http_method method;
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated, at most 24; NULL: none */
	const char *body;	    /* of a POST; not copied: it lives until the callback or the cancel */
	size_t body_len;
	bool stays; /* redirects are not followed: they are answers like any other */
	unsigned refuse, refuse_hops;
	bw_http_named_fn is_named; /* may be called until the callback; NULL: he named nothing */
	void *named_arg;
	bool allow_plain;    /* http:// may be spoken: to this machine, or the user named the host */
	bool is_direct;	     /* no proxy: the host is this machine */
	bool has_secret;     /* its answer is one: nothing of it stays in memory */
	bool is_multiplexed; /* it speaks HTTP/2: wait for its connection, open no other */
	size_t max_body;     /* bytes; more is BW_HTTP_LIMIT */
	uint32_t connect_timeout_ms;
	uint32_t timeout_ms; /* from start to the last byte */
};

struct bw_http_response {
	enum bw_http_failure failure;
	enum bw_http_cause cause;
	bool timed_out;
	bool is_mute;	       /* with CONNECT: the peer was reached, and never answered the TLS handshake */
	bool is_refused;       /* with CONNECT: every address is of a kind that was refused */
	unsigned refused_kind; /* with is_refused: of which ... */
	const char *refused_address; /* ... and one of these addresses; "": the URL itself says so */
	unsigned status;	     /* 0 with a failure before the status line */
	unsigned http_version;	     /* 1 or 2 */
	bool redirected;	     /* the answer comes from another URL than the one asked for */
	const char *effective_url;   /* the last URL */
	const char *peer_address;    /* IP address of the last connection, or of the proxy; "" without */
	/* The address of the place that was asked first; "": not connected, or that was a proxy's. */
	const char *first_address;
	const char *error;   /* the failure in words; "" without one */
	const char *headers; /* of the last response, "name: value\n" each, names in lower case */
	const struct bw_buf *body;
};

/* Everything in the response is valid only during the call. New requests may be started in it. */
typedef void (*bw_http_done_fn)(const struct bw_http_response *r, void *arg);

int bw_http_new(struct bw_loop *l, const struct bw_http_options *o, struct bw_http **ret,
		struct bw_err *err) BW_NODISCARD;
bool bw_http_is_busy(const struct bw_http *h); /* something is in flight */
void bw_http_free(struct bw_http *h); /* cancels what is in flight, without callbacks; before the loop */

/*
 * Copies what it needs of `req`. Fails only for a URL or headers, or a proxy of the environment, that cannot be used
 * (BW_E_INPUT).
 */
int bw_http_start(struct bw_http *h, const struct bw_http_request *req, bw_http_done_fn done, void *arg,
		  struct bw_http_transfer **ret, struct bw_err *err) BW_NODISCARD;
void bw_http_cancel(struct bw_http_transfer *t); /* no callback; not after the callback */

/*
 * The nth (from 0) header of that name (lower case): copied without blanks around it into `out`, cut at its
 * size. False: there is none.
 */
bool bw_http_header(const struct bw_http_response *r, const char *name, unsigned nth, char *out, size_t size);

/* Where the system's certificates are looked for, as the environment has it; NULL: nowhere. */
void bw_http_trusted(const char **ret_file, const char **ret_folder);

/* "libcurl/7.88.1 OpenSSL/3.0 ..." for --version. */
const char *bw_http_version(void);

#endif
