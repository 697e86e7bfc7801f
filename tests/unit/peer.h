/*
 * peer.h - a small HTTP/1.1 server for the tests of net/ and registry/: threads of this process on 127.0.0.1. Rules say
 * what is answered to which request; requests are written down, with their bodies. With a certificate it speaks TLS.
 */
#ifndef BW_TESTS_PEER_H
#define BW_TESTS_PEER_H

#include "unit/unit.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/def.h"
#include "core/mem.h"

#define PEER_MAX_RULES	     64
#define PEER_MAX_CONNECTIONS 256
#define PEER_MAX_REQUESTS    2048
#define PEER_MAX_HEAD	     16384

enum peer_act {
	PEER_KEEP,  /* the connection stays */
	PEER_CLOSE, /* it is closed behind the answer (an answer of "" is none) */
	PEER_RESET, /* the same with a reset */
	PEER_HANG,  /* no answer until the client goes */
	PEER_HOLD,  /* the answer waits for peer_release() */
};

struct peer_rule {
	char match[256]; /* the request begins with this: "HEAD /v2/a/" */
	char with[96];	 /* and this is somewhere in its header; "": whatever */
	unsigned times;	 /* so many times, then the next rule that fits; 0: for ever */
	enum peer_act act;
	char *answer;
};

struct peer {
	int fd;
	unsigned port;
	SSL_CTX *tls;
	bool closes_tls; /* a plain peer that closes the connection when it sees a handshake, and says nothing */
	pthread_t listener;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct peer_rule rules[PEER_MAX_RULES];
	unsigned rule_count;
	char *requests[PEER_MAX_REQUESTS];
	unsigned request_count;
	pthread_t threads[PEER_MAX_CONNECTIONS];
	int fds[PEER_MAX_CONNECTIONS]; /* -1: closed */
	unsigned connection_count;     /* ever */
	unsigned held;		       /* answers that wait now */
	bool is_released, is_stopping;
};

struct peer_link {
	struct peer *peer;
	unsigned number;
	int fd;
	SSL *ssl;
};

/* --- bytes ------------------------------------------------------------------------------------ */

static inline int link_read(struct peer_link *l, char *buf, size_t size)
{
	return l->ssl ? SSL_read(l->ssl, buf, (int)size) : (int)recv(l->fd, buf, size, 0);
}

static inline void link_write(struct peer_link *l, const char *s, size_t len)
{
	while (len > 0) {
		int n = l->ssl ? SSL_write(l->ssl, s, (int)len) : (int)send(l->fd, s, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		s += n;
		len -= (size_t)n;
	}
}

/* --- rules and requests ----------------------------------------------------------------------- */

static inline struct peer_rule *peer_find_rule(struct peer *p, const char *request)
{
	for (unsigned i = 0; i < p->rule_count; i++) {
		struct peer_rule *r = &p->rules[i];

		if (strncmp(request, r->match, strlen(r->match)) == 0 && strstr(request, r->with) &&
		    r->times != UINT32_MAX)
			return r;
	}
	return NULL;
}

/* Writes the request down and copies the rule that answers it. */
static inline bool peer_take(struct peer *p, const char *request, struct peer_rule *ret)
{
	struct peer_rule *r;

	pthread_mutex_lock(&p->lock);
	if (p->request_count < PEER_MAX_REQUESTS)
		p->requests[p->request_count++] = bw_strdup(request);
	r = peer_find_rule(p, request);
	if (r) {
		*ret = *r;
		ret->answer = bw_strdup(r->answer);
		if (r->times > 0 && --r->times == 0)
			r->times = UINT32_MAX; /* used up */
	}
	pthread_mutex_unlock(&p->lock);
	return r != NULL;
}

static inline void peer_hold(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	p->held++;
	while (!p->is_released && !p->is_stopping)
		pthread_cond_wait(&p->changed, &p->lock);
	p->held--;
	pthread_mutex_unlock(&p->lock);
}

/* False: the connection is over. */
static inline bool link_answer(struct peer_link *l, const char *request)
{
	struct linger now = {.l_onoff = 1};
	struct peer_rule rule;
	char dropped[64];

	if (!peer_take(l->peer, request, &rule)) {
		static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

		link_write(l, none, sizeof(none) - 1);
		return true;
	}
	if (rule.act == PEER_HANG) {
		while (link_read(l, dropped, sizeof(dropped)) > 0)
			;
	} else {
		if (rule.act == PEER_HOLD)
			peer_hold(l->peer);
		link_write(l, rule.answer, strlen(rule.answer));
	}
	if (rule.act == PEER_RESET)
		setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	free(rule.answer);
	return rule.act == PEER_KEEP || rule.act == PEER_HOLD;
}

/* --- connections ------------------------------------------------------------------------------ */

static inline bool link_shake_hands(struct peer_link *l)
{
	static const char refusal[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	char first = 0, dropped[4096];

	if (l->peer->tls) {
		l->ssl = SSL_new(l->peer->tls);
		SSL_set_fd(l->ssl, l->fd);
		return SSL_accept(l->ssl) == 1;
	}
	if (recv(l->fd, &first, 1, MSG_PEEK) != 1 || first != 0x16)
		return first != 0;
	(void)!recv(l->fd, dropped, sizeof(dropped),
		    0); /* the start of a TLS handshake, and we speak plain */
	if (!l->peer->closes_tls)
		link_write(l, refusal, sizeof(refusal) - 1);
	return false;
}

static inline size_t body_length(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length:");

	return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

static inline void link_serve(struct peer_link *l)
{
	char head[PEER_MAX_HEAD];
	size_t len = 0;
	char *end;

	for (;;) {
		int n = link_read(l, head + len, sizeof(head) - 1 - len);

		if (n <= 0)
			return;
		len += (size_t)n;
		head[len] = '\0';
		while ((end = strstr(head, "\r\n\r\n"))) {
			size_t used = (size_t)(end - head) + 4 + body_length(head);
			char next;

			if (used > len)
				break;
			next = head[used];
			head[used] = '\0';
			if (!link_answer(l, head))
				return;
			head[used] = next;
			memmove(head, head + used, len - used + 1);
			len -= used;
		}
	}
}

static inline void *link_run(void *arg)
{
	struct peer_link *l = arg;
	struct peer *p = l->peer;

	if (link_shake_hands(l))
		link_serve(l);
	if (l->ssl) {
		SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
	}
	pthread_mutex_lock(&p->lock);
	close(l->fd);
	p->fds[l->number] = -1;
	pthread_mutex_unlock(&p->lock);
	free(l);
	return NULL;
}

static inline void *peer_listen(void *arg)
{
	struct peer *p = arg;
	int fd;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		struct peer_link *l = BW_NEW(struct peer_link);

		pthread_mutex_lock(&p->lock);
		assert_true(p->connection_count < PEER_MAX_CONNECTIONS);
		*l = (struct peer_link){.peer = p, .number = p->connection_count, .fd = fd};
		p->fds[p->connection_count] = fd;
		pthread_create(&p->threads[p->connection_count++], NULL, link_run, l);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* --- for tests -------------------------------------------------------------------------------- */

/* Listens on a port of the kernel's choice. `tls` may be NULL; it stays the caller's. */
static inline struct peer *peer_new(SSL_CTX *tls)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct peer *p = BW_NEW(struct peer);
	socklen_t size = sizeof(a);

	(void)sigaction(SIGPIPE, &ignore, NULL);
	p->tls = tls;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->fd, 64), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &size), 0);
	p->port = ntohs(a.sin_port);
	pthread_create(&p->listener, NULL, peer_listen, p);
	return p;
}

/* The first rule that fits answers. Returns it, for `times` and `act`. */
static inline struct peer_rule *peer_on(struct peer *p, const char *match, const char *with,
					const char *answer)
{
	struct peer_rule *r;

	pthread_mutex_lock(&p->lock);
	assert_true(p->rule_count < PEER_MAX_RULES);
	r = &p->rules[p->rule_count++];
	(void)snprintf(r->match, sizeof(r->match), "%s", match);
	(void)snprintf(r->with, sizeof(r->with), "%s", with);
	r->answer = bw_strdup(answer);
	pthread_mutex_unlock(&p->lock);
	return r;
}

static inline void peer_release(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_released = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static inline unsigned peer_held(struct peer *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->held;
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* Requests so far that begin with `match` and have `with` in their header. */
static inline unsigned peer_count(struct peer *p, const char *match, const char *with)
{
	unsigned n = 0;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < p->request_count; i++)
		if (strncmp(p->requests[i], match, strlen(match)) == 0 && strstr(p->requests[i], with))
			n++;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static inline unsigned peer_connections(struct peer *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->connection_count;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static inline void peer_free(struct peer *p)
{
	unsigned n;

	if (!p)
		return;
	shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->listener, NULL);
	close(p->fd);
	pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	pthread_cond_broadcast(&p->changed);
	n = p->connection_count;
	for (unsigned i = 0; i < n; i++)
		if (p->fds[i] >= 0)
			shutdown(p->fds[i], SHUT_RDWR);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < n; i++)
		pthread_join(p->threads[i], NULL);
	for (unsigned i = 0; i < p->rule_count; i++)
		free(p->rules[i].answer);
	for (unsigned i = 0; i < p->request_count; i++)
		free(p->requests[i]);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	free(p);
}

/* --- certificates ----------------------------------------------------------------------------- */

/* A self-signed certificate for `san` ("IP:127.0.0.1") that is good from yesterday to `days` from now. */
static inline SSL_CTX *peer_tls(const char *san, int days, const char *pem_path)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	unsigned char name[] = "test peer";
	FILE *out;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), (long)days + 100000 + (long)getpid());
	X509_gmtime_adj(X509_getm_notBefore(x), -10L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(x), days * 86400L);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "OU", MBSTRING_ASC,
				   (const unsigned char *)(pem_path ? pem_path : "none"), -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_add_ext(x, e, -1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	if (pem_path) {
		out = fopen(pem_path, "we");
		assert_non_null(out);
		PEM_write_X509(out, x);
		(void)fclose(out);
	}
	X509_EXTENSION_free(e);
	X509_free(x);
	EVP_PKEY_free(key);
	return ctx;
}

#endif
