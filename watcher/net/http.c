/*
 * http.c - libcurl's multi interface on libuv (style: "libcurl rules"). libcurl tells us which sockets to
 * watch and when to wake it; everything that is ready is handed to it by act(), and drain() then ends what is
 * finished. User callbacks run from there only, so they may start and cancel requests as they like.
 */
#include "net/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "core/mem.h"
#include "net/address.h"
#include "net/fault.h"
#include "net/headers.h"
#include "net/hop.h"
#include "net/proxy.h"
#include "net/request.h"
#include "net/sockets.h"
#include "net/trust.h"

#define MAX_SPARE	64    /* transfers that wait for the next request */
#define MAX_SPARE_BYTES 65536 /* of a body buffer that waits with them */
#define MAX_REDIRECTS	5L
/*
 * Of one client, far above 200 registries with three each: a registry that hangs takes nothing from the others. A process
 * may have several clients, and the limit of its descriptors is for all of them.
 */
#define MAX_CONNECTIONS 900L
#define MIN_STALL_S	30

struct bw_http_transfer {
	struct bw_http *http;
	struct bw_http_transfer *prev, *next; /* among http->active, ->broken; `next` alone in ->spare */
	CURL *easy;
	bw_http_done_fn done;
	void *arg;
	struct bw_buf body;
	struct bw_headers headers;
	char *sent; /* copies: the URL, then the request headers, a NUL behind each; may hold secrets */
	size_t sent_size;
	struct curl_slist sent_nodes[BW_REQUEST_HEADERS];
	enum bw_http_failure verdict;		  /* why one of our own callbacks broke it off */
	bool is_resolving;			  /* a look-up of the name began */
	bool is_at_proxy;			  /* a new connection, of which only a proxy knows yet */
	bool is_shaking_hands;			  /* connected to the place itself, and TLS began */
	const void *tls;			  /* SSL_CTX of the handshake with it; NULL: none was begun */
	bool is_cert_wanted, is_cert_shown;	  /* in that handshake: it asked for ours; it would get it */
	bool is_connected;			  /* the request went out */
	bool was_tls;				  /* the last hop was */
	bool is_plain, is_direct, is_multiplexed; /* as set in the easy handle now */
	bool has_secret;			  /* in the body of its answer */
	bool stays;				  /* the same: redirects are not followed */
	struct bw_hops hops;			  /* which places are refused */
	unsigned handshakes;   /* on the new connection; the first may be that of a proxy */
	struct bw_err trouble; /* of ours, that ended it with verdict BW_HTTP_TLS */
	char error[CURL_ERROR_SIZE];
	char words[CURL_ERROR_SIZE + BW_PROXY_NAME_MAX];
};

struct bw_http {
	uv_loop_t *uv;
	uv_timer_t timer; /* libcurl's own; its close callback frees us */
	CURLM *multi;
	struct bw_sockets *sockets; /* of the multi, and of what it replaced */
	struct bw_trust *trust;
	struct bw_trust_watch watch;
	char *user_agent;
	char *client_cert, *client_key, *client_place;
	char *proxy; /* "": none; NULL: of the environment */
	long connections_per_host;
	struct bw_http_transfer active; /* sentinel of a ring */
	struct bw_http_transfer broken; /* the same: those of a multi that failed */
	struct bw_http_transfer *spare;
	unsigned spare_count;
	bool is_closed;
};

/* --- rings of transfers ----------------------------------------------------------------------- */

static void ring_init(struct bw_http_transfer *ring)
{
	ring->prev = ring;
	ring->next = ring;
}

static void ring_add(struct bw_http_transfer *ring, struct bw_http_transfer *t)
{
	t->prev = ring->prev;
	t->next = ring;
	ring->prev->next = t;
	ring->prev = t;
}

static void ring_remove(struct bw_http_transfer *t)
{
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->prev = NULL;
	t->next = NULL;
}

static struct bw_http_transfer *ring_first(struct bw_http_transfer *ring)
{
	/* The analyzer does not see that a transfer leaves its ring before it is freed. */
	return ring->next == ring ? NULL : ring->next; /* NOLINT(clang-analyzer-unix.Malloc) */
}

/* --- callbacks of one transfer ---------------------------------------------------------------- */

/* A negative answer makes libcurl fail the transfer; `verdict` tells finish() what it was about. */
static size_t break_off(struct bw_http_transfer *t, enum bw_http_failure why)
{
	t->verdict = why;
	return 0;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct bw_http_transfer *t = arg;

	return bw_buf_add(&t->body, data, size * n) ? size * n : break_off(t, BW_HTTP_LIMIT);
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
	struct bw_http_transfer *t = arg;

	t->is_cert_wanted = false; /* an answer: it did without */
	return bw_headers_add(&t->headers, data, size * n) ? size * n : break_off(t, BW_HTTP_LIMIT);
}

static int note_resolving(void *state, void *reserved, void *arg)
{
	struct bw_http_transfer *t = arg;

	(void)state;
	(void)reserved;
	t->is_resolving = true;
	return 0;
}

/* Where in its chain of redirects is the transfer now? */
static void locate(const struct bw_http_transfer *t, struct bw_hop *ret)
{
	long redirects = 0;
	char *url = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
	ret->url = url;
	ret->is_redirect = redirects > 0;
}

/*
 * In place of socket(): the last moment at which an address is known and nothing was sent to it. With a refusal libcurl
 * goes on to the next address of the name.
 */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct bw_http_transfer *t = arg;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&a->addr;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&a->addr;
	bool is_six = a->family == AF_INET6;
	char text[INET6_ADDRSTRLEN] = "";
	struct bw_hop hop = {.address = text, .port = ntohs(is_six ? six->sin6_port : four->sin_port)};

	(void)purpose;
	if (!inet_ntop(a->family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr, text,
		       sizeof(text)))
		return CURL_SOCKET_BAD;
	locate(t, &hop);
	if (!bw_hops_may_open(&t->hops, &hop))
		return CURL_SOCKET_BAD;
	t->handshakes = 0;
	t->is_shaking_hands = false;
	t->is_at_proxy = bw_hops_proxy(&t->hops, hop.url) != NULL;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int close_socket(void *arg, curl_socket_t fd)
{
	struct bw_http *h = arg;

	return bw_sockets_close(h->sockets, fd);
}

/*
 * Runs when there is a connection, before a byte of the request goes out; one that another request made is used without
 * a new socket. libcurl takes the protocols that redirects may lead to for the whole chain at once; the rule of http.h
 * needs the hop before as well.
 */
static int check_hop(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct bw_http_transfer *t = arg;
	bool is_first = !t->is_connected, was_tls = t->was_tls;
	struct bw_hop hop = {.address = peer, .port = (unsigned)peer_port};
	const char *url;

	(void)local;
	(void)local_port;
	t->is_connected = true;
	t->is_at_proxy = false;
	locate(t, &hop);
	url = hop.url;
	if (!bw_hops_may_send(&t->hops, &hop)) {
		break_off(t, BW_HTTP_CONNECT);
		return CURL_PREREQFUNC_ABORT;
	}
	if (!t->is_plain)
		return CURL_PREREQFUNC_OK; /* it began with https, and libcurl was told to stay there */
	t->was_tls = url && strncasecmp(url, "https:", 6) == 0;
	if (is_first || t->was_tls)
		return CURL_PREREQFUNC_OK;
	if (!was_tls && url &&
	    (bw_hop_is_same_host(url, t->sent) || bw_address_kind_of_url(peer) & BW_ADDRESS_LOOPBACK))
		return CURL_PREREQFUNC_OK;
	break_off(t, BW_HTTP_REDIRECT);
	return CURL_PREREQFUNC_ABORT;
}

/* libcurl calls for the handshake with a proxy as well: it comes first on its connection. */
static bool is_handshake_of_proxy(struct bw_http_transfer *t, const char *url)
{
	const char *proxy = bw_hops_proxy(&t->hops, url);

	return t->handshakes++ == 0 && t->is_at_proxy && proxy && strncasecmp(proxy, "https:", 6) == 0;
}

/* Also of a connection whose transfer has ended: so it is looked for, and not pointed to. */
static void note_wish(const void *ssl_ctx, void *arg)
{
	struct bw_http *h = arg;

	for (struct bw_http_transfer *t = h->active.next; t != &h->active; t = t->next)
		t->is_cert_wanted = t->is_cert_wanted || t->tls == ssl_ctx;
}

/*
 * The certificate of the user is not given to libcurl, which would show it to every place of a chain of redirects, and use
 * connections where it was shown for all of them.
 */
static CURLcode begin_handshake(CURL *easy, void *ssl_ctx, void *arg)
{
	struct bw_http_transfer *t = arg;
	struct bw_http *h = t->http;
	struct bw_hop hop = {0};

	(void)easy;
	locate(t, &hop);
	bw_trust_apply(h->trust, ssl_ctx);
	if (is_handshake_of_proxy(t, hop.url))
		return CURLE_OK;
	t->is_at_proxy = false;
	t->is_shaking_hands = true;
	t->tls = ssl_ctx;
	t->is_cert_wanted = false;
	t->is_cert_shown = false;
	bw_trust_watch(ssl_ctx, &h->watch);
	if (!h->client_cert || !hop.url || !bw_hop_is_same_tls_place(hop.url, h->client_place))
		return CURLE_OK;
	t->is_cert_shown = true;
	if (bw_trust_show(ssl_ctx, h->client_cert, h->client_key, &t->trouble) == 0)
		return CURLE_OK;
	break_off(t, BW_HTTP_TLS);
	return CURLE_SSL_CERTPROBLEM;
}

/* --- life of a transfer ----------------------------------------------------------------------- */

/* What is the same for every request. */
static void set_constants(struct bw_http_transfer *t)
{
	struct bw_http *h = t->http;
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* libcurl walks through all names it remembers at the end of each transfer; connections are kept, so few ask again. */
	curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(e, CURLOPT_USERAGENT, h->user_agent);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_RESOLVER_START_FUNCTION, note_resolving);
	curl_easy_setopt(e, CURLOPT_RESOLVER_START_DATA, t);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, h); /* a connection outlives its transfer */
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, check_hop);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	/* Or ending a transfer whose name is still being looked up would wait for that thread, on the loop. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	/*
	 * libcurl would parse the system's bundle for each connection, and cannot take our file besides it.
	 */
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, begin_handshake);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t);
	curl_easy_setopt(e, CURLOPT_PROXY, h->proxy);
	curl_easy_setopt(e, CURLOPT_NOPROXY, h->proxy ? "" : NULL); /* one that was said is for all */
}

static struct bw_http_transfer *take_transfer(struct bw_http *h)
{
	struct bw_http_transfer *t = h->spare;

	if (t) {
		h->spare = t->next;
		h->spare_count--;
		t->next = NULL;
		return t;
	}
	t = BW_NEW(struct bw_http_transfer);
	t->http = h;
	bw_buf_init(&t->body, 0);
	bw_headers_init(&t->headers);
	t->easy = curl_easy_init();
	if (!t->easy) {
		free(t);
		return NULL;
	}
	set_constants(t);
	return t;
}

static void destroy_transfer(struct bw_http_transfer *t)
{
	curl_easy_cleanup(t->easy);
	bw_buf_done(&t->body);
	bw_headers_done(&t->headers);
	free(t->sent);
	free(t);
}

/* Keeps it for the next request: a new easy handle costs more than the request itself. */
static void put_away(struct bw_http_transfer *t)
{
	struct bw_http *h = t->http;

	explicit_bzero(t->sent, t->sent_size);
	if (t->has_secret && t->body.capacity > 0)
		explicit_bzero(t->body.data, t->body.capacity);
	if (h->is_closed || h->spare_count >= MAX_SPARE) {
		destroy_transfer(t);
		return;
	}
	if (t->body.capacity > MAX_SPARE_BYTES)
		bw_buf_done(&t->body);
	t->next = h->spare;
	h->spare = t;
	h->spare_count++;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* How far did it come before its time was over? libcurl has one code for all of it. */
static enum bw_http_failure phase(const struct bw_http_transfer *t)
{
	curl_off_t looked_up = 0;

	if (t->is_connected && !t->is_at_proxy)
		return BW_HTTP_TIMEOUT;
	curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
	return t->is_resolving && looked_up == 0 ? BW_HTTP_DNS : BW_HTTP_CONNECT;
}

/*
 * Was it broken off for want of our certificate? With TLS 1.3 that is said when the handshake is over for us, and who sends
 * meanwhile may get to see nothing but a connection that is gone (RFC 8446 4.4.2.4).
 */
static bool is_about_our_cert(const struct bw_http_transfer *t, CURLcode result)
{
	enum bw_http_failure failure = bw_fault_kind(result);

	if (t->verdict || !t->is_cert_wanted)
		return false;
	if (failure != BW_HTTP_TLS && failure != BW_HTTP_CUT)
		return false;
	return result != CURLE_PEER_FAILED_VERIFICATION &&
	       (!t->is_cert_shown || bw_trust_alert(t->error) != NULL);
}

static enum bw_http_failure classify(const struct bw_http_transfer *t, CURLcode result, unsigned status)
{
	enum bw_http_failure failure = bw_fault_kind(result);

	if (t->verdict)
		return t->verdict;
	if (is_about_our_cert(t, result))
		return BW_HTTP_TLS;
	if (result == CURLE_OPERATION_TIMEDOUT)
		return phase(t);
	if (result == CURLE_SSL_CONNECT_ERROR && bw_trust_is_not_tls(t->error))
		return BW_HTTP_NOT_TLS;
	if (result == CURLE_OK && !t->headers.is_complete)
		return BW_HTTP_CUT; /* closed inside of the header; libcurl takes that for an empty body */
	if (failure == BW_HTTP_CUT && (!t->is_connected || t->is_at_proxy))
		return BW_HTTP_CONNECT; /* a proxy that does not let us through */
	/*
	 * A place that we may not follow to: another protocol, user and password in the URL, no URL at all.
	 */
	if (status / 100 == 3 && (failure == BW_HTTP_PROTOCOL || result == CURLE_URL_MALFORMAT))
		return BW_HTTP_REDIRECT;
	return failure;
}

/* It did not come further than to this proxy; NULL: it did. */
static const char *obstacle(const struct bw_http_transfer *t, CURLcode result)
{
	struct bw_hop hop = {0};

	if (!t->is_at_proxy && result != CURLE_COULDNT_RESOLVE_PROXY)
		return NULL;
	locate(t, &hop);
	return bw_hops_proxy(&t->hops, hop.url);
}

static const char *cert_text(struct bw_http_transfer *t)
{
	const char *alert = bw_trust_alert(t->error);

	if (!t->is_cert_shown)
		return "it wants a client certificate, and there is none for it";
	(void)snprintf(t->words, sizeof(t->words), "it %s our client certificate (%s)%s%s",
		       alert ? "does not take" : "broke off, and may not take", t->http->client_cert,
		       alert ? ": " : "", alert ? alert : "");
	return t->words;
}

static const char *error_text(struct bw_http_transfer *t, enum bw_http_failure failure, CURLcode result)
{
	const char *proxy = obstacle(t, result);
	char name[BW_PROXY_NAME_MAX];

	if (failure == BW_HTTP_OK)
		return "";
	if (t->hops.is_refused)
		return t->hops.refusal;
	if (t->verdict == BW_HTTP_REDIRECT)
		return "redirected from https to http, or to http on another host";
	if (t->verdict == BW_HTTP_TLS)
		return t->trouble.msg;
	if (failure == BW_HTTP_LIMIT)
		return "the answer is larger than we take";
	if (result == CURLE_OK)
		return "the connection was closed inside of the header";
	if (is_about_our_cert(t, result) || (t->is_cert_wanted && bw_fault_kind(result) == BW_HTTP_CUT))
		return cert_text(t);
	if (!proxy)
		return bw_fault_words(t->error, result);
	(void)snprintf(t->words, sizeof(t->words), "no way through the proxy %s: %s",
		       bw_proxy_name(proxy, name), bw_fault_words(t->error, result));
	return t->words;
}

static enum bw_http_cause cause_of(const struct bw_http_transfer *t, enum bw_http_failure failure,
				   CURLcode result)
{
	long answered = 0, verified = 0;

	if (failure == BW_HTTP_TLS && t->verdict)
		return BW_HTTP_CERT_OWN;
	if (failure == BW_HTTP_TLS && is_about_our_cert(t, result))
		return BW_HTTP_CERT_WANTED;
	if (failure == BW_HTTP_TLS && result == CURLE_PEER_FAILED_VERIFICATION && !t->is_at_proxy) {
		curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
		return bw_trust_cause(verified);
	}
	if (failure == BW_HTTP_CONNECT && t->is_at_proxy)
		curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &answered);
	return answered == 407 || answered == 401 ? BW_HTTP_PROXY_LOGIN : BW_HTTP_NO_CAUSE;
}

static void describe(struct bw_http_transfer *t, CURLcode result, struct bw_http_response *ret)
{
	long status = 0, version = 0, redirects = 0;
	char *url = NULL, *address = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address);
	*ret = (struct bw_http_response){
		.timed_out = result == CURLE_OPERATION_TIMEDOUT,
		.status = (unsigned)status,
		.http_version = version == CURL_HTTP_VERSION_2_0 ? 2 : 1,
		.redirected = redirects > 0,
		.effective_url = url ? url : "",
		.peer_address = address ? address : "",
		.headers = bw_buf_str(&t->headers.text),
		.body = &t->body,
	};
	ret->failure = classify(t, result, ret->status);
	ret->cause = cause_of(t, ret->failure, result);
	ret->is_mute = ret->timed_out && ret->failure == BW_HTTP_CONNECT && t->is_shaking_hands;
	ret->is_refused = ret->failure == BW_HTTP_CONNECT && t->hops.is_refused;
	ret->refused_kind = ret->is_refused ? t->hops.kind : 0;
	ret->refused_address = ret->is_refused ? t->hops.address : "";
	ret->first_address = bw_hops_first_address(&t->hops);
	ret->error = error_text(t, ret->failure, result);
}

/* `t` is in no ring and in no multi. The callback may free the whole bw_http: its memory goes in a later
 * turn. */
static void finish(struct bw_http_transfer *t, CURLcode result)
{
	struct bw_http_response r;

	describe(t, result, &r);
	t->done(&r, t->arg);
	put_away(t);
}

/* --- libcurl and the loop --------------------------------------------------------------------- */

static bool make_multi(struct bw_http *h);

/* Ends what is finished. Everything that a message says is copied before the handle goes: it points into
 * libcurl. */
static void drain(struct bw_http *h)
{
	CURLMsg *msg;
	int left;

	while (!h->is_closed && (msg = curl_multi_info_read(h->multi, &left))) {
		struct bw_http_transfer *t = NULL;
		CURLcode result = msg->data.result;
		CURL *easy = msg->easy_handle;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
		curl_multi_remove_handle(h->multi, easy);
		ring_remove(t);
		finish(t, result);
	}
}

/* The multi cannot be trusted any more: everything in flight fails, and what comes next gets a new one. */
static void replace_multi(struct bw_http *h)
{
	struct bw_http_transfer *t;

	while ((t = ring_first(&h->active))) {
		curl_multi_remove_handle(h->multi, t->easy);
		ring_remove(t);
		ring_add(&h->broken, t);
	}
	curl_multi_cleanup(h->multi);
	h->multi = NULL;
	(void)make_multi(h); /* without one, bw_http_start() tries again */
	while ((t = ring_first(&h->broken))) {
		ring_remove(t);
		finish(t, CURLE_RECV_ERROR);
	}
}

static void act(struct bw_http *h, curl_socket_t fd, int events)
{
	int running;

	if (!h->multi)
		return;
	if (curl_multi_socket_action(h->multi, fd, events, &running) == CURLM_OK)
		drain(h);
	else
		replace_multi(h);
}

static void fire_timer(uv_timer_t *uv)
{
	act(uv->data, CURL_SOCKET_TIMEOUT, 0);
}

/* May be called from inside curl_multi_add_handle(): only arms. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct bw_http *h = arg;

	(void)multi;
	if (h->is_closed)
		return 0;
	if (timeout_ms < 0)
		uv_timer_stop(&h->timer);
	else
		uv_timer_start(&h->timer, fire_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static void socket_ready(int fd, int status, int events, void *arg)
{
	int what = 0;

	/* With the error alone libcurl does not look further, and its message would not say what happened. */
	if (status < 0)
		what |= CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	act(arg, fd, what);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct bw_http *h = arg;
	int events = 0;

	(void)easy;
	(void)socket_arg;
	if (what == CURL_POLL_REMOVE) {
		bw_sockets_leave(h->sockets, fd);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return bw_sockets_watch(h->sockets, fd, events) ? 0 : -1;
}

static bool make_multi(struct bw_http *h)
{
	CURLM *m = curl_multi_init();

	if (!m)
		return false;
	curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(m, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(m, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, h->connections_per_host);
	curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, MAX_CONNECTIONS);
	h->multi = m;
	return true;
}

/* --- public ----------------------------------------------------------------------------------- */

static void release_http(struct bw_http *h)
{
	bw_sockets_free(h->sockets);
	bw_trust_free(h->trust);
	free(h->user_agent);
	free(h->client_cert);
	free(h->client_key);
	free(h->client_place);
	free(h->proxy);
	free(h);
	curl_global_cleanup();
}

static void timer_closed(uv_handle_t *uv)
{
	release_http(uv->data);
}

static struct bw_http *make_http(struct bw_loop *l, const struct bw_http_options *o)
{
	struct bw_http *h = BW_NEW(struct bw_http);

	h->uv = bw_loop_uv(l);
	h->sockets = bw_sockets_new(h->uv, socket_ready, h);
	h->connections_per_host = o->connections_per_host ? (long)o->connections_per_host : 3;
	h->user_agent = bw_strdup_null(o->user_agent);
	h->client_cert = bw_strdup_null(o->client_cert);
	h->client_key = bw_strdup_null(o->client_key ? o->client_key : o->client_cert);
	h->client_place = bw_strdup(o->client_place ? o->client_place : "");
	h->proxy = bw_strdup_null(o->proxy);
	h->watch = (struct bw_trust_watch){note_wish, h};
	ring_init(&h->active);
	ring_init(&h->broken);
	return h;
}

int bw_http_new(struct bw_loop *l, const struct bw_http_options *o, struct bw_http **ret, struct bw_err *err)
{
	const curl_version_info_data *v;
	struct bw_http *h;
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return bw_fail(err, BW_E_SYS, "libcurl does not start");
	v = curl_version_info(CURLVERSION_NOW);
	h = make_http(l, o);
	rc = bw_fault_of_library(err);
	if (rc == 0)
		rc = bw_trust_new(o->ca_files, v->cainfo, v->capath, &h->trust, err);
	if (rc == 0 && h->client_cert)
		rc = bw_trust_check_identity(h->client_cert, h->client_key, err);
	if (rc == 0 && h->proxy && *h->proxy)
		rc = bw_proxy_check(h->proxy, err);
	if (rc == 0 && !make_multi(h))
		rc = bw_fail(err, BW_E_SYS, "libcurl does not start");
	if (rc < 0) {
		release_http(h);
		return rc;
	}
	uv_timer_init(h->uv, &h->timer);
	h->timer.data = h;
	*ret = h;
	return 0;
}

static void drop_ring(struct bw_http_transfer *ring)
{
	struct bw_http_transfer *next;

	for (struct bw_http_transfer *t = ring->next; t != ring; t = next) {
		next = t->next;
		bw_http_cancel(t);
	}
}

bool bw_http_is_busy(const struct bw_http *h)
{
	return h->active.next != &h->active || h->broken.next != &h->broken;
}

void bw_http_free(struct bw_http *h)
{
	if (!h)
		return;
	h->is_closed = true; /* transfers are destroyed now instead of put away */
	drop_ring(&h->active);
	drop_ring(&h->broken);
	while (h->spare) {
		struct bw_http_transfer *t = h->spare;

		h->spare = t->next;
		destroy_transfer(t);
	}
	if (h->multi)
		curl_multi_cleanup(h->multi); /* calls watch_socket() and close_socket() still */
	h->multi = NULL;
	bw_sockets_free(BW_TAKE(h->sockets));
	uv_close((uv_handle_t *)&h->timer, timer_closed);
}

static char *append(char *at, const char *s)
{
	size_t size = strlen(s) + 1;

	memcpy(at, s, size);
	return at + size;
}

/* The list of libcurl is built from nodes of ours: it asks for nothing but that they live as long as the
 * transfer. */
static struct curl_slist *copy_request(struct bw_http_transfer *t, const struct bw_http_request *req)
{
	size_t need = strlen(req->url) + 1, count = 0;
	char *at;

	for (; req->headers && req->headers[count]; count++)
		need += strlen(req->headers[count]) + 1;
	if (need > t->sent_size) {
		free(t->sent); /* wiped when it was put away */
		t->sent = bw_alloc(need);
		t->sent_size = need;
	}
	at = append(t->sent, req->url);
	for (size_t i = 0; i < count; i++) {
		t->sent_nodes[i].data = at;
		t->sent_nodes[i].next = i + 1 < count ? &t->sent_nodes[i + 1] : NULL;
		at = append(at, req->headers[i]);
	}
	return count ? t->sent_nodes : NULL;
}

static void set_method(CURL *e, const struct bw_http_request *req)
{
	switch (req->method) {
	case BW_HTTP_HEAD: curl_easy_setopt(e, CURLOPT_NOBODY, 1L); break;
	case BW_HTTP_GET: curl_easy_setopt(e, CURLOPT_HTTPGET, 1L); break;
	case BW_HTTP_POST:
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->body ? req->body : ""); /* not copied */
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		break;
	}
}

/*
 * The handle is not reset between requests: everything that differs is set each time, here, and resetting
 * would set the two dozen constants anew.
 */
static void set_request(struct bw_http_transfer *t, const struct bw_http_request *req)
{
	bool is_plain = strncmp(req->url, "http:", 5) == 0;
	bool is_head = req->method == BW_HTTP_HEAD, stays = req->stays || req->method == BW_HTTP_POST;
	long timeout_s = (long)(req->timeout_ms / 1000);
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_HTTPHEADER, copy_request(t, req));
	curl_easy_setopt(e, CURLOPT_URL, t->sent);
	set_method(e, req);
	/* Only of a GET: the length in the answer to a HEAD is that of a body which does not come. */
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, is_head ? (curl_off_t)0 : (curl_off_t)req->max_body);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)req->connect_timeout_ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, timeout_s > MIN_STALL_S ? timeout_s : MIN_STALL_S);
	if (is_plain != t->is_plain) {
		const char *protocols = is_plain ? "http,https" : "https";

		curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, protocols);
		curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
		t->is_plain = is_plain;
	}
	/*
	 * Not for all: with HTTP/1.1 libcurl knows only behind the first answer that there is nothing to wait
	 * for, and until then one silent connection would hold up everybody else of that host.
	 */
	if (req->is_multiplexed != t->is_multiplexed) {
		curl_easy_setopt(e, CURLOPT_PIPEWAIT, req->is_multiplexed ? 1L : 0L);
		t->is_multiplexed = req->is_multiplexed;
	}
	if (stays != t->stays) {
		curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, stays ? 0L : 1L);
		t->stays = stays;
	}
	if (req->is_direct != t->is_direct) {
		curl_easy_setopt(e, CURLOPT_PROXY, req->is_direct ? "" : t->http->proxy);
		t->is_direct = req->is_direct;
	}
}

int bw_http_start(struct bw_http *h, const struct bw_http_request *req, bw_http_done_fn done, void *arg,
		  struct bw_http_transfer **ret, struct bw_err *err)
{
	struct bw_http_transfer *t;
	int rc = bw_request_check(req, err);

	if (rc == 0 && !h->proxy && !req->is_direct)
		rc = bw_proxy_check_variable(req->url, err);
	if (rc < 0)
		return rc;
	t = h->multi || make_multi(h) ? take_transfer(h) : NULL;
	if (!t)
		return bw_fail(err, BW_E_SYS, "libcurl has no memory");
	t->done = done;
	t->arg = arg;
	t->verdict = BW_HTTP_OK;
	t->is_resolving = false;
	t->is_at_proxy = false;
	t->is_shaking_hands = false;
	t->tls = NULL;
	t->is_cert_wanted = false;
	t->is_connected = false;
	t->was_tls = false;
	t->error[0] = '\0';
	bw_buf_clear(&t->body);
	t->body.max = req->max_body;
	t->has_secret = req->has_secret;
	if (t->has_secret) /* one that grows leaves copies behind */
		(void)bw_buf_reserve(&t->body, req->max_body);
	bw_headers_clear(&t->headers);
	set_request(t, req);
	bw_hops_begin(&t->hops, req, t->sent, h->proxy);
	if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
		put_away(t);
		return bw_fail(err, BW_E_SYS, "libcurl does not take %s", req->url);
	}
	ring_add(&h->active, t);
	*ret = t;
	return 0;
}

void bw_http_cancel(struct bw_http_transfer *t)
{
	/* One of a multi that failed is in none: libcurl says so and does nothing. */
	if (t->http->multi)
		curl_multi_remove_handle(t->http->multi, t->easy);
	ring_remove(t);
	put_away(t);
}

bool bw_http_header(const struct bw_http_response *r, const char *name, unsigned nth, char *out, size_t size)
{
	return bw_headers_get(r->headers, name, nth, out, size);
}
