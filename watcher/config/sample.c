/* sample.c - the sample file: every key with its help, with an example or, as a comment, with its default. See docs.h. */
#include <string.h>

#include "config/docs.h"
#include "config/key.h"

#define WIDTH 100

static void pad(struct bw_buf *ret, unsigned depth)
{
	(void)bw_buf_addf(ret, "%*s", (int)(depth * 2), "");
}

/* Words as comment lines. */
static void write_comment(const char *text, unsigned depth, struct bw_buf *ret)
{
	size_t at = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (at == 0 || at + 1 + len > WIDTH) {
			if (at > 0)
				(void)bw_buf_addc(ret, '\n');
			pad(ret, depth);
			(void)bw_buf_addc(ret, '#');
			at = depth * 2 + 1;
		}
		(void)bw_buf_addf(ret, " %.*s", (int)len, text);
		at += 1 + len;
		text += len + strspn(text + len, " ");
	}
	(void)bw_buf_addc(ret, '\n');
}

/* The default as YAML: a list of one, the words of a set, or the word itself. */
static void write_default(const struct bw_key *k, struct bw_buf *ret)
{
	bool is_all = k->type == BW_KEY_CHOICES && strcmp(k->fallback, "*") == 0;

	if (k->type == BW_KEY_LIST) {
		(void)bw_buf_addc(ret, '[');
		bw_tree_write_text(k->fallback, ret);
		(void)bw_buf_addc(ret, ']');
	} else if (k->type == BW_KEY_CHOICES) {
		(void)bw_buf_addc(ret, '[');
		for (size_t i = 0; is_all && k->choices[i]; i++)
			(void)bw_buf_addf(ret, "%s%s", i > 0 ? ", " : "", k->choices[i]);
		for (const char *p = k->fallback; !is_all && *p; p++)
			(void)(*p == ' ' ? bw_buf_adds(ret, ", ") : bw_buf_addc(ret, *p));
		(void)bw_buf_addc(ret, ']');
	} else {
		(void)bw_buf_adds(ret, k->fallback);
	}
}

static void write_help(const struct bw_key *k, unsigned depth, struct bw_buf *ret)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_DOCS_MAX);
	(void)bw_buf_adds(&text, k->help);
	if (k->type == BW_KEY_CHOICE || k->type == BW_KEY_INTEGER || k->type == BW_KEY_PERCENT ||
	    k->type == BW_KEY_DECIMAL || k->type == BW_KEY_DURATION) {
		(void)bw_buf_adds(&text, " Takes ");
		bw_key_describe(k, &text);
		(void)bw_buf_addc(&text, '.');
	}
	if (k->without)
		(void)bw_buf_addf(&text, " Without it: %s.", k->without);
	write_comment(bw_buf_str(&text), depth, ret);
}

static void write_record(const struct bw_key_set *set, unsigned variant, unsigned depth, struct bw_buf *ret);

/* One element for each variant. */
static void write_elements(const struct bw_key *k, unsigned depth, struct bw_buf *ret)
{
	const struct bw_key_set *set = k->item->keys;

	for (unsigned variant = 1; variant <= (set->variants[0] ? 2U : 1U); variant++) {
		pad(ret, depth);
		if (k->type == BW_KEY_MAP)
			(void)bw_buf_addf(ret, "%s:", set->sample_name[variant - 1]);
		else
			(void)bw_buf_addc(ret, '-');
		if (set->variants[0])
			(void)bw_buf_addf(ret, " # %s", set->variants[variant - 1]);
		(void)bw_buf_addc(ret, '\n');
		write_record(set, variant, depth + 1, ret);
	}
}

static void write_key(const struct bw_key *k, unsigned variant, unsigned depth, struct bw_buf *ret)
{
	const char *sample = k->sample[variant ? variant - 1 : 0];
	const char *other =
		k->sample[variant == 1 ? 1 : 0]; /* an example of the other variant, as a comment */
	bool is_section = k->type == BW_KEY_RECORD || ((k->type == BW_KEY_LIST || k->type == BW_KEY_MAP) &&
						       k->item->type == BW_KEY_RECORD);

	write_help(k, depth, ret);
	pad(ret, depth);
	if (!is_section && !sample)
		(void)bw_buf_adds(ret, "# ");
	(void)bw_buf_addf(ret, "%s:", k->name);
	if (!is_section) {
		(void)bw_buf_addc(ret, ' ');
		if (sample)
			(void)bw_buf_adds(ret, sample);
		else if (k->fallback)
			write_default(k, ret);
		else
			(void)bw_buf_adds(ret, other ? other : "");
	}
	(void)bw_buf_addc(ret, '\n');
	if (k->type == BW_KEY_RECORD)
		write_record(k->keys, 0, depth + 1, ret);
	else if (is_section)
		write_elements(k, depth + 1, ret);
}

static void write_record(const struct bw_key_set *set, unsigned variant, unsigned depth, struct bw_buf *ret)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!bw_key_fits(&set->keys[i], variant))
			continue;
		if (depth == 0)
			(void)bw_buf_addc(ret, '\n');
		write_key(&set->keys[i], variant, depth, ret);
	}
}

void bw_docs_sample(struct bw_buf *ret)
{
	(void)bw_buf_adds(ret,
			  "# yaml-language-server: $schema=basewatch.schema.json\n"
			  "#\n"
			  "# basewatch.yaml - a sample of the configuration with every key that there is; "
			  "see basewatch.yaml(5).\n"
			  "# All of it is optional. A key behind a # has its default, or is one more "
			  "example. `basewatch "
			  "config check --config FILE`\n"
			  "# says what is wrong with a file, `basewatch config show` what is in force.\n");
	write_record(&bw_keys_root, 0, 0, ret);
}
