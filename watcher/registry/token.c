/* token.c - the token endpoint's answer and the URL of a question to it. */
#include "registry/token.h"

#include <jansson.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"

#define MIN_LIFETIME_S 60    /* what the specification lets us count on, also when less is said */
#define MAX_LIFETIME_S 86400 /* nobody is believed for longer than a day */
#define MAX_URL_BYTES  16384

/* A token goes into a header line as it is, so it must be one word of printable ASCII. */
static bool is_word(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return len > 0;
}

static const char *find_token(const json_t *root, size_t *ret_len)
{
	static const char *const names[] = {"token", "access_token"};

	for (size_t i = 0; i < BW_COUNT(names); i++) {
		const json_t *v = json_object_get(root, names[i]);

		*ret_len = json_string_length(v);
		if (*ret_len > 0)
			return json_string_value(v);
	}
	return NULL;
}

static uint32_t find_lifetime(const json_t *root)
{
	double seconds = json_number_value(json_object_get(root, "expires_in"));

	if (seconds > MAX_LIFETIME_S)
		return MAX_LIFETIME_S;
	return seconds > MIN_LIFETIME_S ? (uint32_t)seconds : MIN_LIFETIME_S;
}

/* The words of the JSON library are not passed on: they quote what they read, which may be a token. */
int bw_token_parse(const char *body, size_t len, struct bw_token *ret, struct bw_err *err)
{
	json_error_t why;
	json_auto_t *root = json_loadb(body, len, 0, &why);
	const char *text;
	size_t text_len;

	if (!root)
		return bw_fail(err, BW_E_PEER, "token answer: not JSON at byte %d", why.position);
	text = find_token(root, &text_len);
	if (!text)
		return bw_fail(err, BW_E_PEER, "token answer: no token in it");
	if (!is_word(text, text_len))
		return bw_fail(err, BW_E_PEER, "token answer: the token has characters that no token has");
	ret->text = bw_strndup(text, text_len);
	ret->lifetime_s = find_lifetime(root);
	explicit_bzero((char *)(uintptr_t)text, text_len); /* jansson does not wipe what it frees */
	return 0;
}

void bw_token_done(struct bw_token *t)
{
	if (t->text)
		explicit_bzero(t->text, strlen(t->text));
	free(t->text);
	*t = (struct bw_token){0};
}

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

/* One byte as it stands in a query or a form; `out` has room for three. */
static size_t encode(unsigned char c, char *out)
{
	static const char hex[] = "0123456789ABCDEF";

	if (is_plain(c)) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '%';
	out[1] = hex[c >> 4];
	out[2] = hex[c & 15];
	return 3;
}

static void add_encoded(struct bw_buf *url, const char *s, size_t len)
{
	char code[3];

	for (size_t i = 0; i < len; i++)
		(void)bw_buf_add(url, code, encode((unsigned char)s[i], code));
}

static void add_query(struct bw_buf *url, const char *name, const char *value, size_t len)
{
	char last = url->len ? url->data[url->len - 1] : '\0';

	if (!memchr(bw_buf_str(url), '?', url->len))
		(void)bw_buf_addc(url, '?');
	else if (last != '?' && last != '&')
		(void)bw_buf_addc(url, '&');
	(void)bw_buf_adds(url, name);
	(void)bw_buf_addc(url, '=');
	add_encoded(url, value, len);
}

/* A challenge may name several scopes with blanks between them: each is a parameter of its own. */
char *bw_token_url(const char *realm, const char *service, const char *scope, const char *account)
{
	struct bw_buf url;

	bw_buf_init(&url, MAX_URL_BYTES);
	(void)bw_buf_add(&url, realm, strcspn(realm, "#"));
	if (service)
		add_query(&url, "service", service, strlen(service));
	while (scope && *scope) {
		size_t n = strcspn(scope, " ");

		if (n > 0)
			add_query(&url, "scope", scope, n);
		scope += n + strspn(scope + n, " ");
	}
	if (account)
		add_query(&url, "account", account, strlen(account));
	return bw_buf_take(&url, NULL);
}

size_t bw_token_scope_bytes(const char *scope)
{
	size_t n = strlen("&scope=");
	char code[3];

	for (const char *s = scope; *s; s++)
		n += encode((unsigned char)*s, code);
	return n;
}

/* "&name=value" behind what is there. In place, because a buffer that grows leaves copies behind. */
static char *put(char *at, const char *name, const char *value)
{
	while (*name)
		*at++ = *name++;
	for (const char *s = value; *s; s++)
		at += encode((unsigned char)*s, at);
	return at;
}

char *bw_token_form(const char *service, const char *scopes, const char *refresh_token)
{
	static const char head[] = "grant_type=refresh_token&client_id=basewatch";
	size_t len = (service ? strlen(service) : 0) + strlen(scopes) + strlen(refresh_token);
	char *form, *at;

	if (len > BW_MAX_TOKEN_BYTES)
		return NULL;
	form = bw_alloc(sizeof(head) + len * 3 + 64);
	at = put(form, head, "");
	if (service)
		at = put(at, "&service=", service);
	at = put(at, "&scope=", scopes);
	at = put(at, "&refresh_token=", refresh_token);
	*at = '\0';
	return form;
}

/* RFC 6749 5.2: what was shown is "invalid, expired, revoked". */
bool bw_token_is_bad_grant(const char *body, size_t len)
{
	json_auto_t *root = json_loadb(body, len, 0, NULL);
	const char *error = json_string_value(json_object_get(root, "error"));

	return error && (strcmp(error, "invalid_grant") == 0 || strcmp(error, "invalid_client") == 0);
}
