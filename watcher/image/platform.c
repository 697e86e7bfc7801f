/*
 * platform.c - platform specifiers and their normal form, as containerd/platforms reads them, with two
 * differences that make equal platforms equal text: arm always carries its variant (arm/v7), arm64/v8 never
 * does.
 */
#include "image/platform.h"

#include <stdio.h>
#include <string.h>

#include "image/chars.h"
#include "image/quote.h"

/* Go's list of operating systems and architectures: a single word is looked up here. */
static const char *const known_os[] = {
	"aix",	 "android", "darwin", "dragonfly", "freebsd", "hurd",	 "illumos", "ios", "js",
	"linux", "nacl",    "netbsd", "openbsd",   "plan9",   "solaris", "windows", "zos",
};
static const char *const known_arch[] = {
	"386",	   "amd64",   "amd64p32", "arm",    "armbe",  "arm64",	  "arm64be",   "ppc64",
	"ppc64le", "loong64", "mips",	  "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le",
	"ppc",	   "riscv",   "riscv64",  "s390",   "s390x",  "sparc",	  "sparc64",   "wasm",
};

/* What this program was built for, as Go's GOARCH is; the kernel would tell wrongly in a 32-bit container. */
#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__i386__)
#define HOST_ARCH "386"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#elif defined(__arm__)
#define HOST_ARCH "arm"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define HOST_ARCH "ppc64le"
#elif defined(__s390x__)
#define HOST_ARCH "s390x"
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ARCH "riscv64"
#elif defined(__loongarch64)
#define HOST_ARCH "loong64"
#elif defined(__mips64) && defined(__MIPSEL__)
#define HOST_ARCH "mips64le"
#else
#define HOST_ARCH "unknown"
#endif

#if defined(__arm__) && __ARM_ARCH < 7
#define HOST_VARIANT (__ARM_ARCH == 6 ? "v6" : "v5")
#else
#define HOST_VARIANT ""
#endif

static bool is_known(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

/* One set for all parts, so that what is stored can be written and read back. */
static bool is_part_char(char c)
{
	return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* Copies one part; false when it does not fit or has characters that the written form cannot carry. */
static bool set_part(char part[BW_PLATFORM_PART], const char *s, size_t len, bool lower)
{
	if (len >= BW_PLATFORM_PART)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_part_char(s[i]))
			return false;
		part[i] = lower ? to_lower(s[i]) : s[i];
	}
	part[len] = '\0';
	return true;
}

/* Only for our own short words and for values that are parts already. */
static void put(char part[BW_PLATFORM_PART], const char *value)
{
	snprintf(part, BW_PLATFORM_PART, "%s", value);
}

/* "8" becomes "v8". False when there is no room. */
static bool prefix_variant(char variant[BW_PLATFORM_PART])
{
	size_t len = strlen(variant);

	if (!is_digit(variant[0]))
		return true;
	if (len + 1 >= BW_PLATFORM_PART)
		return false;
	memmove(variant + 1, variant, len + 1);
	variant[0] = 'v';
	return true;
}

/* Other names of an architecture; `variant` NULL keeps what is written. */
static const struct alias {
	const char *name;
	const char *arch;
	const char *variant;
} aliases[] = {
	{"x86_64", "amd64", NULL}, {"x86-64", "amd64", NULL}, {"aarch64", "arm64", NULL},
	{"i386", "386", NULL},	   {"i486", "386", NULL},     {"i586", "386", NULL},
	{"i686", "386", NULL},	   {"armhf", "arm", "v7"},    {"armel", "arm", "v6"},
};

/* Variants that have a shorter or longer form; `from` NULL is any. */
static const struct variant {
	const char *arch;
	const char *from;
	const char *to;
} variants[] = {
	{"amd64", "v1", ""}, {"386", NULL, ""},	 {"arm64", "v8", ""}, {"arm64", "8", ""}, {"arm", "", "v7"},
	{"arm", "7", "v7"},  {"arm", "5", "v5"}, {"arm", "6", "v6"},  {"arm", "8", "v8"},
};

static void rename_arch(struct bw_platform *p)
{
	for (size_t i = 0; i < BW_COUNT(aliases); i++) {
		if (strcmp(p->arch, aliases[i].name) != 0)
			continue;
		put(p->arch, aliases[i].arch);
		if (aliases[i].variant)
			put(p->variant, aliases[i].variant);
		return;
	}
}

/* Architecture and variant, both in lower case already. False when the normal form does not fit. */
static bool normalise_arch(struct bw_platform *p)
{
	rename_arch(p);
	for (size_t i = 0; i < BW_COUNT(variants); i++) {
		const struct variant *v = &variants[i];

		if (strcmp(p->arch, v->arch) == 0 && (!v->from || strcmp(p->variant, v->from) == 0)) {
			put(p->variant, v->to);
			return true;
		}
	}
	return strcmp(p->arch, "arm64") != 0 || prefix_variant(p->variant);
}

/* All parts but the os version are in lower case already. */
static bool normalise(struct bw_platform *p)
{
	if (strcmp(p->os, "macos") == 0)
		put(p->os, "darwin");
	return normalise_arch(p);
}

static size_t length(const char *s)
{
	return s ? strnlen(s, BW_PLATFORM_PART) : 0;
}

bool bw_platform_set(struct bw_platform *p, const char *os, const char *os_version, const char *arch,
		     const char *variant)
{
	struct bw_platform made = {0};

	if (!set_part(made.os, os, length(os), true) ||
	    !set_part(made.os_version, os_version, length(os_version), false) ||
	    !set_part(made.arch, arch, length(arch), true) ||
	    !set_part(made.variant, variant, length(variant), true) || !normalise(&made))
		return false;
	*p = made;
	return true;
}

/* A stretch of the text being parsed. */
struct piece {
	const char *s;
	size_t len;
};

/* Takes what is before the next `c` off the front of `rest`; everything when there is none. */
static struct piece cut(struct piece *rest, char c)
{
	const char *end = rest->len ? memchr(rest->s, c, rest->len) : NULL;
	struct piece first = {rest->s, end ? (size_t)(end - rest->s) : rest->len};
	size_t skip = first.len + (end ? 1 : 0);

	rest->s += skip;
	rest->len -= skip;
	return first;
}

/* The whole text is in each message: platforms come from variables, and a part alone would not tell which. */
static int fail_piece(struct piece whole, struct bw_err *err, const char *what)
{
	char quoted[BW_QUOTE_MAX];

	return bw_fail(err, BW_E_INPUT, "platform '%s': %s",
		       bw_quote(whole.s, whole.len, quoted, sizeof(quoted)), what);
}

/* Copies one part of the text, with words for what is wrong in it. */
static int read_part(struct piece whole, struct piece part, const char *name, char out[BW_PLATFORM_PART],
		     struct bw_err *err)
{
	char what[BW_QUOTE_MAX + 64];
	char quoted[BW_QUOTE_MAX];

	if (part.len >= BW_PLATFORM_PART) {
		snprintf(what, sizeof(what), "the %s is longer than %d characters", name,
			 BW_PLATFORM_PART - 1);
		return fail_piece(whole, err, what);
	}
	for (size_t i = 0; i < part.len; i++) {
		if (is_part_char(part.s[i]))
			continue;
		snprintf(what, sizeof(what), "the %s cannot have %s", name, bw_quote_char(part.s[i], quoted));
		return fail_piece(whole, err, what);
	}
	(void)set_part(out, part.s, part.len, strcmp(name, "os version") != 0);
	return 0;
}

/* "os" or "os(version)". */
static int read_os(struct piece whole, struct piece part, struct bw_platform *p, struct bw_err *err)
{
	struct piece version = part;
	struct piece os = cut(&version, '(');
	int rc;

	if (os.len == 0)
		return fail_piece(whole, err, "the os is missing");
	/* Unlike the other parts an os has no dot. */
	if (memchr(os.s, '.', os.len))
		return fail_piece(whole, err, "the os cannot have '.'");
	rc = read_part(whole, os, "os", p->os, err);
	if (rc < 0 || os.len == part.len)
		return rc;
	if (version.len == 0 || version.s[version.len - 1] != ')')
		return fail_piece(whole, err, "the os version does not end with ')'");
	version.len--;
	return read_part(whole, version, "os version", p->os_version, err);
}

/* One word: an operating system (of this machine's architecture) or an architecture (of Linux). */
static int complete_word(struct piece whole, struct bw_platform *p, struct bw_err *err)
{
	if (strcmp(p->os, "macos") == 0)
		put(p->os, "darwin");
	if (is_known(p->os, known_os, BW_COUNT(known_os))) {
		put(p->arch, HOST_ARCH);
		put(p->variant, HOST_VARIANT);
		return 0;
	}
	put(p->arch, p->os);
	put(p->os, "linux");
	(void)normalise_arch(p); /* without a variant it always fits */
	if (p->os_version[0] == '\0' && is_known(p->arch, known_arch, BW_COUNT(known_arch)))
		return 0;
	return fail_piece(whole, err,
			  "neither an operating system nor an architecture of that name is known");
}

/* "arch" or "arch/variant": any words, known ones or not, as long as they are well formed. */
static int read_arch(struct piece whole, struct piece rest, struct bw_platform *p, struct bw_err *err)
{
	struct piece arch = cut(&rest, '/');
	bool has_variant = arch.s + arch.len < whole.s + whole.len;
	int rc;

	if (arch.len == 0)
		return fail_piece(whole, err, "the architecture is missing");
	rc = read_part(whole, arch, "architecture", p->arch, err);
	if (rc < 0 || !has_variant)
		return rc;
	if (rest.len == 0)
		return fail_piece(whole, err, "the variant is missing");
	if (memchr(rest.s, '/', rest.len))
		return fail_piece(whole, err, "it has more than os/architecture/variant");
	return read_part(whole, rest, "variant", p->variant, err);
}

int bw_platform_parse(const char *s, size_t len, struct bw_platform *ret, struct bw_err *err)
{
	struct piece whole = {s, len};
	struct piece rest = whole;
	struct bw_platform p = {0};
	struct piece os;
	int rc;

	if (len == 0)
		return bw_fail(err, BW_E_INPUT, "platform is empty");
	os = cut(&rest, '/');
	rc = read_os(whole, os, &p, err);
	if (rc == 0)
		rc = os.len < len ? read_arch(whole, rest, &p, err) : complete_word(whole, &p, err);
	if (rc == 0 && !normalise(&p))
		rc = fail_piece(whole, err, "the variant is too long");
	if (rc < 0)
		return rc;
	*ret = p;
	return 0;
}

const char *bw_platform_format(const struct bw_platform *p, char out[BW_PLATFORM_MAX])
{
	bool has_version = p->os_version[0] != '\0';

	out[0] = '\0';
	if (p->os[0] != '\0')
		snprintf(out, BW_PLATFORM_MAX, "%s%s%s%s/%s%s%s", p->os, has_version ? "(" : "",
			 p->os_version, has_version ? ")" : "", p->arch, p->variant[0] ? "/" : "",
			 p->variant);
	return out;
}

void bw_platform_host(struct bw_platform *ret)
{
	struct bw_platform p = {.os = "linux", .arch = HOST_ARCH};

	put(p.variant, HOST_VARIANT);
	(void)normalise_arch(&p);
	*ret = p;
}

/* Bytes up to the third dot: "10.0.20348" of "10.0.20348.1970". */
static size_t build_len(const char *version)
{
	size_t dots = 0;
	size_t i = 0;

	for (; version[i] != '\0'; i++)
		if (version[i] == '.' && ++dots == 3)
			break;
	return i;
}

/* Below Windows build 20348 a container needs exactly its build number; the fourth part is only the patch
 * level. */
static bool is_same_build(const char *a, const char *b)
{
	size_t len = build_len(a);

	return len == build_len(b) && memcmp(a, b, len) == 0;
}

bool bw_platform_matches(const struct bw_platform *want, const struct bw_platform *have)
{
	return strcmp(want->os, have->os) == 0 && strcmp(want->arch, have->arch) == 0 &&
	       strcmp(want->variant, have->variant) == 0 &&
	       (want->os_version[0] == '\0' || is_same_build(want->os_version, have->os_version));
}

/* --- what a builder takes instead -------------------------------------------------------------- */

#define OTHER_ARCH 1000 /* farther than any variant of the own architecture */

/* "v8.2" is 8 and 2; a variant that is none of these is no number. */
struct level {
	unsigned major, minor;
};

static bool read_level(const char *variant, unsigned otherwise, struct level *ret)
{
	const char *p = variant + 1;

	*ret = (struct level){.major = otherwise};
	if (variant[0] == '\0')
		return true;
	if (variant[0] != 'v' || *p < '1' || *p > '9')
		return false;
	ret->major = (unsigned)(*p++ - '0');
	if (p[0] == '.' && p[1] >= '0' && p[1] <= '9') {
		ret->minor = (unsigned)(p[1] - '0');
		p += 2;
	}
	return *p == '\0';
}

/* Lower levels of one architecture run too, down to `lowest`. */
static int distance_of_levels(const struct level *want, const struct level *have, unsigned lowest)
{
	if (have->major < lowest || have->major > want->major || have->minor + want->minor > 0)
		return -1;
	return (int)(want->major - have->major);
}

/* ARMv9.n has all of ARMv8.(n + 5). */
static int distance_of_arm64(const struct level *want, const struct level *have)
{
	unsigned w = want->minor + (want->major == 9 ? 5 : 0), h = have->minor + (have->major == 9 ? 5 : 0);

	if (want->major > 9 || have->major < 8 || have->major > want->major || h > w)
		return -1;
	return (int)((want->major - have->major) * 10 + (w - h));
}

static bool is_arch(const struct bw_platform *want, const char *ours, const struct bw_platform *have,
		    const char *theirs)
{
	return strcmp(want->arch, ours) == 0 && strcmp(have->arch, theirs) == 0;
}

static int distance_of_variants(const struct bw_platform *want, const struct bw_platform *have)
{
	bool is_amd64 = is_arch(want, "amd64", have, "amd64"),
	     is_arm64 = is_arch(want, "arm64", have, "arm64");
	unsigned otherwise = is_amd64 ? 1 : is_arm64 ? 8 : 7;
	struct level w, h;

	if (strcmp(want->arch, have->arch) != 0 || !read_level(want->variant, otherwise, &w) ||
	    !read_level(have->variant, otherwise, &h))
		return -1;
	if (is_amd64)
		return distance_of_levels(&w, &h, 1);
	if (is_arm64)
		return distance_of_arm64(&w, &h);
	return strcmp(want->arch, "arm") == 0 ? distance_of_levels(&w, &h, 5) : -1;
}

/* 32-bit programs on 64-bit processors, the best of them first. */
static int distance_of_archs(const struct bw_platform *want, const struct bw_platform *have)
{
	struct level h;

	if (is_arch(want, "amd64", have, "386"))
		return OTHER_ARCH;
	if (is_arch(want, "arm64", have, "arm") && read_level(have->variant, 7, &h) && h.major >= 5 &&
	    h.major <= 8)
		return OTHER_ARCH + (int)(8 - h.major);
	return -1;
}

int bw_platform_distance(const struct bw_platform *want, const struct bw_platform *have)
{
	int distance;

	if (bw_platform_matches(want, have))
		return 0;
	if (strcmp(want->os, have->os) != 0 ||
	    (want->os_version[0] != '\0' && !is_same_build(want->os_version, have->os_version)))
		return -1;
	distance = distance_of_variants(want, have);
	return distance >= 0 ? distance : distance_of_archs(want, have);
}

bool bw_platform_is_unknown(const struct bw_platform *p)
{
	return strcmp(p->os, "unknown") == 0 && strcmp(p->arch, "unknown") == 0;
}
