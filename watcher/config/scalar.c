#include "config/scalar.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define NAME_MAX_BYTES \
	255 /* YAML has no keys in one line beyond 1,024 characters, and people have none beyond this */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Only letters, digits and `more`. */
static bool holds_only(const char *text, const char *more)
{
	for (; *text; text++)
		if (!is_letter(*text) && !is_digit(*text) && !strchr(more, *text))
			return false;
	return true;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (is_control(*text))
			return true;
	return false;
}

static bool is_short(const char *text)
{
	return *text && strlen(text) <= NAME_MAX_BYTES;
}

/* --- formats ---------------------------------------------------------------------------------- */

static bool name_ok(const char *t)
{
	return is_short(t) && !strchr(".-", *t) && !strpbrk(t, ":/") && !has_control(t);
}

static bool instance_ok(const char *t)
{
	return is_short(t) && holds_only(t, "._~-");
}

static bool host_ok(const char *t)
{
	if (strcmp(t, "*") == 0)
		return true;
	return is_short(t) && (is_letter(*t) || is_digit(*t) || *t == '[') && holds_only(t, "._-:[]");
}

static bool inside_ok(const char *t)
{
	if (!*t || *t == '/' || has_control(t))
		return false;
	for (const char *p = t; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
			return false;
	}
	return true;
}

static bool platform_ok(const char *t)
{
	size_t parts = 1;

	if (!is_short(t) || !holds_only(t, "._-/"))
		return false;
	for (const char *p = t; *p; p++) {
		parts += *p == '/';
		if (*p == '/' && (p == t || p[1] == '/' || p[1] == '\0'))
			return false;
	}
	return parts == 2 || parts == 3;
}

static bool topic_ok(const char *t)
{
	return is_short(t) && !strchr("/$", *t) && !bw_text_ends(t, "/") && !strpbrk(t, "+#") &&
	       !has_control(t);
}

static bool header_ok(const char *t)
{
	return is_short(t) && holds_only(t, "!#$%&'*+.^_`|~-");
}

static bool variable_ok(const char *t)
{
	return is_short(t) && !strchr(t, '=') && !has_control(t);
}

static bool line_ok(const char *t)
{
	return *t && !has_control(t);
}

/* git refuses more than this; what matters here is that it cannot be taken for an option. */
static bool branch_ok(const char *t)
{
	return is_short(t) && *t != '-' && !strpbrk(t, " ~^:\\") && !has_control(t);
}

static bool helper_ok(const char *t)
{
	return is_short(t) && *t != '.' && *t != '-' && holds_only(t, "._-") &&
	       !bw_text_starts(t, "docker-credential-");
}

#define NO_CONTROLS "\\u0000-\\u001f\\u007f"

const struct bw_format bw_format_name = {"a name without ':' and '/', not beginning with '.' or '-'",
					 "^[^:/.\\-" NO_CONTROLS "][^:/" NO_CONTROLS "]*$", name_ok};
const struct bw_format bw_format_instance = {"letters, digits, '.', '_', '~' and '-'", "^[A-Za-z0-9._~\\-]+$",
					     instance_ok};
const struct bw_format bw_format_host = {"HOST or HOST:PORT without a scheme, or '*'",
					 "^(\\*|[A-Za-z0-9\\[][A-Za-z0-9._:\\[\\]\\-]*)$", host_ok};
const struct bw_format bw_format_inside = {"a path inside the source, without '..'",
					   "^(?!/)(?!(.*/)?\\.\\.(/|$))[^" NO_CONTROLS "]+$", inside_ok};
const struct bw_format bw_format_platform = {"OS/ARCH or OS/ARCH/VARIANT",
					     "^[A-Za-z0-9._\\-]+(/[A-Za-z0-9._\\-]+){1,2}$", platform_ok};
const struct bw_format bw_format_topic = {
	"a topic without '+' and '#', with no '/' at its ends and no '$' at its beginning",
	"^(?![/$])(?!.*/$)[^+#" NO_CONTROLS "]+$", topic_ok};
const struct bw_format bw_format_header = {"the name of an HTTP header", "^[A-Za-z0-9!#$%&'*+.^_`|~\\-]+$",
					   header_ok};
const struct bw_format bw_format_variable = {"a name without '='", "^[^=" NO_CONTROLS "]+$", variable_ok};
const struct bw_format bw_format_line = {"a text without control characters", "^[^" NO_CONTROLS "]+$",
					 line_ok};
const struct bw_format bw_format_branch = {"a branch, or a pattern of branches",
					   "^[^\\- ~^:\\\\" NO_CONTROLS "][^ ~^:\\\\" NO_CONTROLS "]*$",
					   branch_ok};
const struct bw_format bw_format_helper = {
	"the NAME of a program docker-credential-NAME, such as pass, without what is before it",
	"^(?!docker-credential-)[A-Za-z0-9_][A-Za-z0-9._\\-]*$", helper_ok};

/* --- what YAML takes for something else -------------------------------------------------------- */

/* In YAML 1.1 or 1.2: whoever reads the file with another reader shall see the same. */
bool bw_scalar_is_word(const char *text)
{
	static const char *const words[] = {"true", "false", "yes",  "no", "on", "off",
					    "y",    "n",     "null", "~",  ""};

	for (size_t i = 0; i < BW_COUNT(words); i++)
		if (bw_text_is_nocase(text, words[i]))
			return true;
	return false;
}

bool bw_scalar_is_number(const char *text)
{
	const char *p = text + (*text == '-' || *text == '+');
	size_t before, after = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'o'))
		return p[2] && strspn(p + 2, "0123456789abcdefABCDEF") == strlen(p + 2);
	before = strspn(p, "0123456789_");
	p += before;
	if (*p == '.') {
		after = strspn(p + 1, "0123456789_");
		p += 1 + after;
	}
	if (before + after == 0 || *text == '_')
		return false;
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		return is_digit(*p) && p[strspn(p, "0123456789")] == '\0';
	}
	return *p == '\0';
}

/* --- durations and shares ----------------------------------------------------------------------- */

struct unit {
	const char *name;
	int64_t ms;
};

static const struct unit units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

/* The number in front; at most 15 digits, which no unit makes overflow. */
static bool leading_number(const char *text, const char **ret_rest, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 10)
		return false;
	*ret = 0;
	for (size_t i = 0; i < digits; i++)
		*ret = *ret * 10 + (text[i] - '0');
	*ret_rest = text + digits;
	return true;
}

bool bw_scalar_duration(const char *text, int64_t *ret_ms)
{
	const char *unit;
	int64_t n;

	if (!leading_number(text, &unit, &n))
		return false;
	for (size_t i = 0; i < BW_COUNT(units); i++)
		if (strcmp(unit, units[i].name) == 0) {
			*ret_ms = n * units[i].ms;
			return true;
		}
	return false;
}

const char *bw_scalar_duration_text(int64_t ms, char out[BW_DURATION_TEXT])
{
	size_t i = 0;

	while (i + 1 < BW_COUNT(units) && (ms == 0 || ms % units[i].ms != 0))
		i++;
	if (ms == 0)
		i = 3; /* "0s" */
	(void)snprintf(out, BW_DURATION_TEXT, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
	return out;
}

/* Digits behind the point count as if there were three: "5" is 500 thousandths. */
static bool thousandths(const char *digits, int64_t *ret)
{
	size_t len = strlen(digits);
	int64_t n = 0;

	if (len == 0 || len > 3 || strspn(digits, "0123456789") != len)
		return false;
	for (size_t i = 0; i < 3; i++)
		n = n * 10 + (i < len ? digits[i] - '0' : 0);
	*ret = n;
	return true;
}

bool bw_scalar_decimal(const char *text, int64_t *ret)
{
	const char *rest;
	int64_t whole, part = 0;

	if (!leading_number(text, &rest, &whole) || (*rest && *rest != '.') ||
	    (*rest && !thousandths(rest + 1, &part)))
		return false;
	*ret = whole * 1000 + part;
	return true;
}

const char *bw_scalar_decimal_text(int64_t n, char out[BW_DECIMAL_TEXT])
{
	int len = snprintf(out, BW_DECIMAL_TEXT, "%lld.%03d", (long long)(n / 1000), (int)(n % 1000));

	while (out[len - 1] == '0')
		out[--len] = '\0';
	if (out[len - 1] == '.')
		out[len - 1] = '\0';
	return out;
}

bool bw_scalar_percent(const char *text, int64_t *ret)
{
	const char *rest;
	int64_t n;

	if (!leading_number(text, &rest, &n) || strcmp(rest, "%") != 0)
		return false;
	*ret = n;
	return true;
}

/* --- URLs --------------------------------------------------------------------------------------- */

/* Behind "SCHEME://", or NULL. */
static const char *behind_scheme(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(url, scheme, len) == 0 && strncmp(url + len, "://", 3) == 0 ? url + len + 3 : NULL;
}

/* No blanks, controls or bytes beyond ASCII: what a URL has of those is percent-encoded. */
static bool is_url_text(const char *url)
{
	for (; *url; url++)
		if ((unsigned char)*url <= ' ' || (unsigned char)*url >= 0x7f)
			return false;
	return true;
}

static bool port_ok(const char *port, size_t len)
{
	BW_AUTOFREE char *text = bw_strndup(port, len);
	uint64_t n;

	return len <= 5 && bw_text_number(text, 1, 65535, &n);
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT, exactly `len` bytes. */
static bool authority_ok(const char *s, size_t len)
{
	const char *host_end = *s == '[' ? memchr(s, ']', len) : NULL;
	size_t host = *s == '[' ? (host_end ? (size_t)(host_end - s) + 1 : 0) : strcspn(s, ":/?#");
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]";

	if (host > len)
		host = len;
	if (host == 0 || strspn(s, allowed) < host)
		return false;
	return host == len || (s[host] == ':' && port_ok(s + host + 1, len - host - 1));
}

const char *bw_scalar_url_problem(const char *url, const char *const *schemes, bool may_have_path)
{
	const char *rest = NULL;
	size_t authority;

	for (; *schemes && !rest; schemes++)
		rest = behind_scheme(url, *schemes);
	if (!rest)
		return "has another scheme, or none";
	if (!is_url_text(url))
		return "holds blanks, control or other characters that a URL does not have";
	authority = strcspn(rest, "/?#");
	if (memchr(rest, '@', authority))
		return BW_URL_HAS_USER;
	if (!authority_ok(rest, authority))
		return "has no valid host, or no valid port";
	if (!may_have_path && rest[authority] && strcmp(rest + authority, "/") != 0)
		return "has a path; only host and port count here";
	return NULL;
}

bool bw_scalar_url_is_loopback(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	host = host ? host + 3 : url;
	len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
	return (len == 9 && strncmp(host, "localhost", 9) == 0) || strncmp(host, "127.", 4) == 0 ||
	       (len == 5 && strncmp(host, "[::1]", 5) == 0);
}

/* "ext::sh -c ..." and the like run programs; an option is no repository. */
enum bw_git_kind bw_scalar_git(const char *text)
{
	static const char *const schemes[] = {"https", "http", "ssh", "git", "file"};
	const char *colon = strchr(text, ':');
	const char *slash = strchr(text, '/');

	if (!*text || *text == '-' || has_control(text) || strstr(text, "::"))
		return BW_GIT_REFUSED;
	for (size_t i = 0; i < BW_COUNT(schemes); i++) {
		const char *rest = behind_scheme(text, schemes[i]);

		if (rest)
			return is_url_text(text) && *rest && *rest != '-' ? BW_GIT_URL : BW_GIT_REFUSED;
	}
	if (strstr(text, "://"))
		return BW_GIT_REFUSED;
	if (colon && (!slash || colon < slash))
		return is_url_text(text) && colon > text && colon[1] ? BW_GIT_URL : BW_GIT_REFUSED;
	return BW_GIT_PATH;
}

bool bw_scalar_header_is_secret(const char *name)
{
	static const char *const words[] = {"authorization", "cookie",	"token", "secret",
					    "password",	     "api-key", "apikey"};
	BW_AUTOFREE char *low = bw_strdup(name);

	bw_text_lower(low);
	for (size_t i = 0; i < BW_COUNT(words); i++)
		if (strstr(low, words[i]))
			return true;
	return false;
}
