/* manual.c - basewatch.yaml(5) from the key table, in the man(7) macros. See docs.h. */
#include <string.h>

#include "config/docs.h"
#include "config/key.h"

/* A '-' that is to be typed, a backslash, and a dot or quote that would begin a request. */
static void put(struct bw_buf *ret, const char *text)
{
	bool is_line_start = ret->len == 0 || ret->data[ret->len - 1] == '\n';

	if (is_line_start && (*text == '.' || *text == '\''))
		(void)bw_buf_adds(ret, "\\&");
	for (; *text; text++) {
		if (*text == '-')
			(void)bw_buf_adds(ret, "\\-");
		else if (*text == '\\')
			(void)bw_buf_adds(ret, "\\e");
		else if (*text == '"')
			(void)bw_buf_adds(ret, "\\(dq");
		else if (*text == '~' || *text == '^')
			(void)bw_buf_adds(ret, *text == '~' ? "\\(ti" : "\\(ha");
		else
			(void)bw_buf_addc(ret, *text);
	}
}

/* One sentence per line, as man pages are written. */
static void put_sentences(struct bw_buf *ret, const char *text)
{
	for (const char *end; (end = strstr(text, ". ")); text = end + 2) {
		BW_AUTOBUF struct bw_buf sentence;

		bw_buf_init(&sentence, BW_DOCS_MAX);
		(void)bw_buf_add(&sentence, text, (size_t)(end - text) + 1);
		put(ret, bw_buf_str(&sentence));
		(void)bw_buf_addc(ret, '\n');
	}
	put(ret, text);
	(void)bw_buf_addc(ret, '\n');
}

static void put_default(struct bw_buf *ret, const struct bw_key *k)
{
	if (k->without) {
		(void)bw_buf_adds(ret, "Without it: ");
		put(ret, k->without);
	} else if (k->fallback) {
		(void)bw_buf_adds(ret, "Default: ");
		if (k->type == BW_KEY_CHOICES && strcmp(k->fallback, "*") == 0)
			(void)bw_buf_adds(ret, "all");
		else
			put(ret, k->fallback);
	} else {
		return;
	}
	(void)bw_buf_adds(ret, ".\n");
}

static void put_expected(struct bw_buf *ret, const struct bw_key *k)
{
	BW_AUTOBUF struct bw_buf expected;

	bw_buf_init(&expected, BW_DOCS_MAX);
	if (k->type == BW_KEY_MAP) {
		(void)bw_buf_adds(&expected, "a map; each name is ");
		(void)bw_buf_addf(&expected, "%s, each value ", k->format->expected);
		bw_key_describe(k->item, &expected);
	} else if (k->type == BW_KEY_LIST) {
		(void)bw_buf_adds(&expected, "a list; each item is ");
		bw_key_describe(k->item, &expected);
	} else {
		bw_key_describe(k, &expected);
	}
	(void)bw_buf_adds(ret, "Takes ");
	put(ret, bw_buf_str(&expected));
	(void)bw_buf_adds(ret, ".\n");
}

static bool is_section(const struct bw_key *k)
{
	return k->type == BW_KEY_RECORD ||
	       ((k->type == BW_KEY_LIST || k->type == BW_KEY_MAP) && k->item->type == BW_KEY_RECORD);
}

static void put_key(struct bw_buf *ret, const struct bw_key_set *set, const struct bw_key *k,
		    const char *prefix)
{
	(void)bw_buf_adds(ret, ".TP\n.B ");
	put(ret, prefix);
	put(ret, k->name);
	(void)bw_buf_addc(ret, '\n');
	if (k->variant > 0) {
		(void)bw_buf_adds(ret, "For ");
		put(ret, set->variants[k->variant - 1]);
		(void)bw_buf_adds(ret, ".\n");
	}
	put_sentences(ret, k->help);
	if (!is_section(k))
		put_expected(ret, k);
	put_default(ret, k);
	if (k->flags & BW_KEY_REQUIRED)
		(void)bw_buf_adds(ret, "It must be there.\n");
	if (k->flags & BW_KEY_RESTART)
		(void)bw_buf_adds(ret, "Read at the start only, not at a reload.\n");
}

static void put_keys(struct bw_buf *ret, const struct bw_key_set *set, const char *prefix)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct bw_key *k = &set->keys[i];

		put_key(ret, set, k, prefix);
		if (k->type == BW_KEY_RECORD) {
			BW_AUTOBUF struct bw_buf inner;

			bw_buf_init(&inner, BW_DOCS_MAX);
			(void)bw_buf_addf(&inner, "%s%s.", prefix, k->name);
			put_keys(ret, k->keys, bw_buf_str(&inner));
		}
	}
}

/* A section of the file has a section of the page. */
static void put_section(struct bw_buf *ret, const struct bw_key *k)
{
	const struct bw_key_set *set = k->type == BW_KEY_RECORD ? k->keys : k->item->keys;

	(void)bw_buf_adds(ret, ".SS ");
	put(ret, k->name);
	(void)bw_buf_addc(ret, '\n');
	put_sentences(ret, k->help);
	if (k->type == BW_KEY_LIST)
		(void)bw_buf_adds(ret, "A list; each item is a map with these keys:\n");
	else if (k->type == BW_KEY_MAP)
		(void)bw_buf_addf(ret, "A map; each key is a %s, each value a map with these keys:\n",
				  set->name_key);
	else
		(void)bw_buf_adds(ret, "A map with these keys:\n");
	put_keys(ret, set, "");
}

static const char head[] =
	".\\\" basewatch.yaml(5), made from the table of keys by `make docs`: not to be edited.\n"
	".TH BASEWATCH.YAML 5 \"\" \"basewatch\" \"File Formats\"\n"
	".SH NAME\n"
	"basewatch.yaml \\- the configuration of basewatch\n"
	".SH DESCRIPTION\n"
	"One YAML document; JSON is YAML too.\n"
	"All of it is optional: nothing is configured without a file, or with an empty one.\n"
	".PP\n"
	".B basewatch config check\n"
	"says everything that is wrong with a file, each with its place;\n"
	".B basewatch config show\n"
	"shows what is in force, defaults included.\n"
	"A key that does not exist is an error, and so is one that is there twice.\n"
	"Aliases\n"
	".RB ( *x )\n"
	"stand for what their anchor\n"
	".RB ( &x )\n"
	"marks; merge keys and tags are not supported.\n"
	"A file may have 1 MiB, 32 levels and 100000 values, aliases expanded.\n"
	".SH VALUES\n"
	".TP\n"
	".B duration\n"
	"A whole number and one unit: ms, s, m, h or d.\n"
	"A number alone is an error.\n"
	".TP\n"
	".B text\n"
	"What looks like a number, true, false, yes, no, on, off or null has to be in quotes; values of "
	"args, contexts, labels\n"
	"and headers are taken as they are written.\n"
	".TP\n"
	".B path\n"
	"A relative one counts from the folder that the file is in.\n"
	".TP\n"
	".B secret\n"
	"Never the secret itself, but\n"
	".BI {env: \" NAME\" }\n"
	"or\n"
	".BI {file: \" PATH\" }\\fR.\n"
	"One newline at the end of the file is dropped, and a file that everyone may read is refused.\n"
	"It is read when it is needed, and never logged, stored or shown.\n"
	".SH KEYS\n";

static const char tail[] = ".SH FILES\n"
			   "The option\n"
			   ".BR \\-\\-config ,\n"
			   "else the first of these that exists:\n"
			   ".TP\n"
			   ".I $XDG_CONFIG_HOME/basewatch/basewatch.yaml\n"
			   ".I ~/.config/basewatch/basewatch.yaml\n"
			   "where that variable is not set.\n"
			   ".TP\n"
			   ".I /etc/basewatch/basewatch.yaml\n"
			   ".PP\n"
			   "With the program come\n"
			   ".IR basewatch.yaml ,\n"
			   "a sample with every key, and\n"
			   ".IR basewatch.schema.json ,\n"
			   "a JSON Schema for editors.\n"
			   ".SH EXAMPLES\n"
			   ".EX\n"
			   "sources:\n"
			   "  \\- path: /srv/src/shop\n"
			   "    name: shop\n"
			   "poll: {every: 30m}\n"
			   "sinks:\n"
			   "  broker:\n"
			   "    type: mqtt\n"
			   "    url: \\(dqmqtts://broker.lan\\(dq\n"
			   "    username: basewatch\n"
			   "    password: {file: /run/secrets/mqtt}\n"
			   "rules:\n"
			   "  \\- match: {bases: [\\(dqdocker.io/library/*\\(dq]}\n"
			   "    sinks: [broker]\n"
			   ".EE\n"
			   ".SH SEE ALSO\n"
			   ".BR basewatch (1)\n";

void bw_docs_manual(struct bw_buf *ret)
{
	(void)bw_buf_adds(ret, head);
	for (size_t i = 0; i < bw_keys_root.count; i++)
		if (!is_section(&bw_keys_root.keys[i]))
			put_key(ret, &bw_keys_root, &bw_keys_root.keys[i], "");
	for (size_t i = 0; i < bw_keys_root.count; i++)
		if (is_section(&bw_keys_root.keys[i]))
			put_section(ret, &bw_keys_root.keys[i]);
	(void)bw_buf_adds(ret, tail);
}
