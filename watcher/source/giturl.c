#include "source/giturl.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* Longer ones are no addresses. */
#define MAX_BYTES 4096

static const struct {
	const char *prefix;
	enum bw_git_scheme scheme;
} schemes[] = {
	{"https://", BW_GIT_HTTPS}, {"http://", BW_GIT_HTTP}, {"ssh://", BW_GIT_SSH},
	{"git://", BW_GIT_GIT},	    {"file://", BW_GIT_FILE},
};

/* --- what it looks like ---------------------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of a scheme or the name of a transport helper; 0: none. */
static size_t scheme_len(const char *s)
{
	size_t n = 0;

	if (!is_letter(*s))
		return 0;
	while (is_letter(s[n]) || (s[n] >= '0' && s[n] <= '9') || (s[n] && strchr("+-.", s[n])))
		n++;
	return n;
}

/* HOST:PATH as scp and ssh have it: a colon before the first slash. NULL: not that. */
static const char *scp_colon(const char *s)
{
	const char *colon = strchr(s, ':'), *slash = strchr(s, '/');

	return colon && colon > s && colon[1] && (!slash || colon < slash) ? colon : NULL;
}

bool bw_giturl_is(const char *operand)
{
	size_t n = scheme_len(operand);
	const char *colon = scp_colon(operand);
	const char *at = strchr(operand, '@');

	if (n > 0 && (bw_text_starts(operand + n, "://") || bw_text_starts(operand + n, "::")))
		return true;
	return colon && at && at > operand && at < colon;
}

/* --- parsing --------------------------------------------------------------------------------------- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX decoded; NULL for a control character, which no name and no password line may hold. */
static char *decode(const char *s, size_t len)
{
	char *out = bw_strndup(s, len), *to = out;

	for (const char *from = out; *from; from++) {
		if (*from == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
			*to++ = (char)(hex(from[1]) * 16 + hex(from[2]));
			from += 2;
		} else {
			*to++ = *from;
		}
		if ((unsigned char)to[-1] < 0x20 || to[-1] == 0x7f) {
			free(out);
			return NULL;
		}
	}
	*to = '\0';
	return out;
}

static int check_text(const char *text, struct bw_err *err)
{
	size_t len = strlen(text);

	if (len > MAX_BYTES)
		return bw_fail(err, BW_E_LIMIT, "address of a git repository: longer than %d bytes",
			       MAX_BYTES);
	for (const char *s = text; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return bw_fail(err, BW_E_INPUT,
				       "address of a git repository: control characters in it");
	return 0;
}

static int check_host(const char *host, size_t len, struct bw_err *err)
{
	const char *colon = memchr(host, ':', len);
	const char *bracket = len > 0 && host[0] == '[' ? memchr(host, ']', len) : NULL;
	uint64_t port;

	if (bracket)
		colon = bracket[1] == ':' && bracket + 1 < host + len ? bracket + 1 : NULL;
	if (len == 0 || host == colon)
		return bw_fail(err, BW_E_INPUT, "address of a git repository: no host in it");
	if (host[0] == '-')
		return bw_fail(err, BW_E_INPUT, "address of a git repository: a host cannot begin with '-'");
	if (colon) {
		BW_AUTOFREE char *digits = bw_strndup(colon + 1, (size_t)(host + len - colon - 1));

		if (!bw_text_number(digits, 1, 65535, &port))
			return bw_fail(err, BW_E_INPUT,
				       "address of a git repository: the port is no number from 1 to "
				       "65535");
	}
	return 0;
}

/* The address without its fragment, and without slashes at its end. */
static char *trim(const char *text, const char *hash)
{
	size_t len = hash ? (size_t)(hash - text) : strlen(text);

	while (len > 1 && text[len - 1] == '/' && text[len - 2] != '/')
		len--;
	return bw_strndup(text, len);
}

static int take_user(struct bw_giturl *u, const char *info, size_t len, struct bw_err *err)
{
	const char *colon = memchr(info, ':', len);
	size_t user_len = colon ? (size_t)(colon - info) : len;

	u->user = decode(info, user_len);
	if (colon)
		u->password = decode(colon + 1, len - user_len - 1);
	if (!u->user || (colon && !u->password))
		return bw_fail(err, BW_E_INPUT,
			       "address of a git repository: control characters in its user info");
	return 0;
}

/* SCHEME://[USER[:PASSWORD]@]HOST[:PORT]/PATH */
static int take_url(struct bw_giturl *u, const char *prefix, const char *rest, struct bw_err *err)
{
	size_t len = strcspn(rest, "/");
	const char *at = memrchr(rest, '@', len);
	const char *host = at ? at + 1 : rest;
	size_t host_len = (size_t)(rest + len - host);
	BW_AUTOFREE char *name = bw_strndup(host, host_len);
	bool is_http = u->scheme == BW_GIT_HTTPS || u->scheme == BW_GIT_HTTP;
	int rc = check_host(host, host_len, err);

	if (rc < 0)
		return rc;
	if (rest[len] == '\0' || rest[len + 1] == '\0')
		return bw_fail(err, BW_E_INPUT, "address of a git repository: no path in it");
	if (is_http && strchr(rest, '?'))
		return bw_fail(err, BW_E_INPUT,
			       "address of a git repository: a query in it, which git does not know");
	bw_text_lower(name);
	u->shown = bw_asprintf("%s%s%s", prefix, name, rest + len);
	if (at && u->scheme == BW_GIT_SSH)
		u->fetch =
			bw_asprintf("%s%.*s@%s%s", prefix, (int)strcspn(rest, ":@"), rest, name, rest + len);
	else
		u->fetch = bw_strdup(u->shown);
	return at && is_http ? take_user(u, rest, (size_t)(at - rest), err) : 0;
}

static int take_scp(struct bw_giturl *u, const char *text, const char *colon, struct bw_err *err)
{
	const char *at = memrchr(text, '@', (size_t)(colon - text));
	const char *host = at ? at + 1 : text;

	/* A user that begins with '-' would be an option of ssh, as a host would. */
	if (host == colon || host[0] == '-' || text[0] == '-')
		return bw_fail(err, BW_E_INPUT, "address of a git repository: no host in it");
	/* USER:PASSWORD@HOST would make the password a path, and be shown. */
	if (memchr(colon, '@', strcspn(colon, "/")))
		return bw_fail(err, BW_E_INPUT, "address of a git repository: a '@' behind the ':'");
	u->scheme = BW_GIT_SSH;
	u->shown = bw_strdup(host);
	u->fetch = bw_strdup(text);
	return 0;
}

static int take_file(struct bw_giturl *u, const char *path, struct bw_err *err)
{
	if (bw_text_starts(path, "localhost/"))
		path += strlen("localhost");
	if (path[0] != '/')
		return bw_fail(err, BW_E_INPUT, "address of a git repository: expected file:///PATH");
	u->scheme = BW_GIT_FILE;
	u->shown = bw_asprintf("file://%s", path);
	u->fetch = bw_strdup(u->shown);
	return 0;
}

static int take_address(struct bw_giturl *u, const char *text, struct bw_err *err)
{
	size_t n = scheme_len(text);
	BW_AUTOFREE char *scheme = bw_strndup(text, n);
	const char *colon = scp_colon(text);

	if (text[0] == '/')
		return take_file(u, text, err);
	bw_text_lower(scheme);
	if (n > 0 && bw_text_starts(text + n, "::"))
		return bw_fail(err, BW_E_INPUT,
			       "'%s::' is a transport helper, and those are not taken: expected https://, "
			       "ssh://, git://, http:// or file://",
			       scheme);
	if (n == 0 || !bw_text_starts(text + n, "://")) {
		if (colon)
			return take_scp(u, text, colon, err);
		return bw_fail(err, BW_E_INPUT,
			       "not the address of a git repository: expected https://, ssh://, git://, "
			       "http:// or file://");
	}
	for (size_t i = 0; i < BW_COUNT(schemes); i++) {
		if (strlen(schemes[i].prefix) != n + 3 || strncmp(schemes[i].prefix, scheme, n) != 0)
			continue;
		u->scheme = schemes[i].scheme;
		if (u->scheme == BW_GIT_FILE)
			return take_file(u, text + n + 3, err);
		return take_url(u, schemes[i].prefix, text + n + 3, err);
	}
	return bw_fail(err, BW_E_INPUT,
		       "address of a git repository: '%s://' is not known: expected https://, ssh://, "
		       "git://, http:// or file://",
		       scheme);
}

static int take_fragment(struct bw_giturl *u, const char *fragment, struct bw_err *err)
{
	const char *colon = strchrnul(fragment, ':');
	const char *folder = *colon ? colon + 1 : colon;
	size_t len;

	if (colon > fragment)
		u->branch = bw_strndup(fragment, (size_t)(colon - fragment));
	folder += strspn(folder, "/");
	len = strlen(folder);
	while (len > 0 && folder[len - 1] == '/')
		len--;
	if (len > 0)
		u->folder = bw_strndup(folder, len);
	if (u->branch && strpbrk(u->branch, " ~^\\"))
		return bw_fail(err, BW_E_INPUT, "address of a git repository: no branch has such a name");
	return 0;
}

int bw_giturl_parse(const char *text, struct bw_giturl *ret, struct bw_err *err)
{
	const char *hash = strchr(text, '#');
	BW_AUTOFREE char *address = trim(text, hash);
	struct bw_giturl u = {0};
	int rc = check_text(text, err);

	if (rc == 0)
		rc = take_address(&u, address, err);
	if (rc == 0 && hash)
		rc = take_fragment(&u, hash + 1, err);
	if (rc < 0)
		bw_giturl_done(&u);
	else
		*ret = u;
	return rc;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void bw_giturl_done(struct bw_giturl *u)
{
	free(u->shown);
	free(u->fetch);
	wipe(u->user);
	wipe(u->password);
	free(u->branch);
	free(u->folder);
	*u = (struct bw_giturl){0};
}

char *bw_giturl_source(const struct bw_giturl *u, const char *branch)
{
	return bw_asprintf("%s#%s", u->shown, branch);
}

/* --- redaction ------------------------------------------------------------------------------------- */

static void cut_out(char *from, const char *to)
{
	memmove(from, to, strlen(to) + 1);
}

static void hide(char *text, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;

	if (len == 0)
		return;
	for (char *at = text; (at = strstr(at, secret));)
		cut_out(at, at + len);
}

void bw_giturl_redact(char *text, const struct bw_giturl *u)
{
	for (char *at = text; (at = strstr(at, "://"));) {
		size_t len;
		const char *sign;

		at += 3;
		len = strcspn(at, "/ \t\r\n'\"<>");
		sign = memrchr(at, '@', len);
		if (sign)
			cut_out(at, sign + 1);
	}
	if (u)
		hide(text, u->password);
}
