/* schema.c - the JSON Schema (2020-12) from the key table, for editors and for files that no program has seen yet. See docs.h. */
#include <string.h>

#include "config/docs.h"
#include "config/key.h"

static struct bw_node *text(const char *s)
{
	return bw_node_text(s);
}

static struct bw_node *number(int64_t n)
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, 64);
	(void)bw_buf_addf(&b, "%lld", (long long)n);
	return bw_node_plain(bw_buf_str(&b));
}

static struct bw_node *map(void)
{
	return bw_node_new(BW_NODE_MAP);
}

static struct bw_node *list_of(const char *const *words)
{
	struct bw_node *n = bw_node_new(BW_NODE_LIST);

	for (size_t i = 0; words[i]; i++)
		bw_node_add(n, text(words[i]));
	return n;
}

static void put_type(struct bw_node *n, const char *type)
{
	bw_node_put(n, "type", text(type));
}

static void put_pattern(struct bw_node *n, const char *pattern)
{
	put_type(n, "string");
	bw_node_put(n, "pattern", text(pattern));
}

static struct bw_node *describe_set(const struct bw_key_set *set, unsigned variant);
static void put_value(struct bw_node *n, const struct bw_key *k);

/* --- values -------------------------------------------------------------------------------------- */

static void put_secret(struct bw_node *n)
{
	static const char *const names[] = {"env", "file", NULL};
	struct bw_node *members = map();

	put_type(n, "object");
	for (size_t i = 0; names[i]; i++) {
		struct bw_node *member = map();

		bw_node_put(member, "description",
			    text(i == 0 ? "Name of an environment variable."
					: "Path of a file that not everyone may read."));
		put_pattern(member, i == 0 ? bw_format_variable.pattern : bw_format_line.pattern);
		bw_node_put(members, names[i], member);
	}
	bw_node_put(n, "properties", members);
	bw_node_put(n, "additionalProperties", bw_node_plain("false"));
	bw_node_put(n, "minProperties", number(1));
	bw_node_put(n, "maxProperties", number(1));
}

static void put_header(struct bw_node *n)
{
	struct bw_node *any = bw_node_new(BW_NODE_LIST), *secret = map(), *scalar = map();
	static const char *const scalars[] = {"string", "number", "boolean", NULL};

	bw_node_put(scalar, "type", list_of(scalars));
	put_secret(secret);
	bw_node_add(any, scalar);
	bw_node_add(any, secret);
	bw_node_put(n, "anyOf", any);
}

/* `word` NULL: there is none that may stand in its place. */
static void put_pattern_or(struct bw_node *n, const char *pattern, const char *word)
{
	struct bw_node *any, *one;

	if (!word) {
		put_pattern(n, pattern);
		return;
	}
	any = bw_node_new(BW_NODE_LIST);
	one = map();
	put_pattern(one, pattern);
	bw_node_add(any, one);
	one = map();
	bw_node_put(one, "const", text(word));
	bw_node_add(any, one);
	bw_node_put(n, "anyOf", any);
}

static void put_url(struct bw_node *n, const struct bw_key *k)
{
	BW_AUTOBUF struct bw_buf pattern;

	bw_buf_init(&pattern, 256);
	(void)bw_buf_adds(&pattern, "^(");
	for (size_t i = 0; k->choices[i]; i++)
		(void)bw_buf_addf(&pattern, "%s%s", i > 0 ? "|" : "", k->choices[i]);
	(void)bw_buf_adds(&pattern, k->flags & (BW_KEY_QUERY | BW_KEY_PATH) ? ")://[^/?#@\\s]+([/?#]\\S*)?$"
									    : ")://[^/?#@\\s]+/?$");
	put_pattern_or(n, bw_buf_str(&pattern), k->word);
}

static void put_decimal(struct bw_node *n, const struct bw_key *k)
{
	char limit[BW_DECIMAL_TEXT];

	put_type(n, "number");
	bw_node_put(n, "minimum", bw_node_plain(bw_scalar_decimal_text(k->min, limit)));
	bw_node_put(n, "maximum", bw_node_plain(bw_scalar_decimal_text(k->max, limit)));
}

static void put_integer(struct bw_node *n, const struct bw_key *k)
{
	put_type(n, "integer");
	bw_node_put(n, "minimum", number(k->min));
	bw_node_put(n, "maximum", number(k->max));
}

static void put_choices(struct bw_node *n, const struct bw_key *k)
{
	struct bw_node *item = map();

	bw_node_put(item, "enum", list_of(k->choices));
	put_type(n, "array");
	bw_node_put(n, "items", item);
	if (k->flags & BW_KEY_NOT_EMPTY)
		bw_node_put(n, "minItems", number(1));
}

/* --- containers ------------------------------------------------------------------------------------ */

/* "sources:" with nothing behind it is an empty one, where that is no different from leaving it out. */
static void put_container_type(struct bw_node *n, const struct bw_key *k, const char *type)
{
	const char *const types[] = {type, "null", NULL};

	if (k->name && !k->fallback)
		bw_node_put(n, "type", list_of(types));
	else
		put_type(n, type);
}

static void put_list(struct bw_node *n, const struct bw_key *k)
{
	struct bw_node *item;

	put_container_type(n, k, "array");
	if (k->item->type == BW_KEY_RECORD) {
		item = describe_set(k->item->keys, 0);
	} else {
		item = map();
		put_value(item, k->item);
	}
	bw_node_put(n, "items", item);
	if (k->flags & BW_KEY_NOT_EMPTY)
		bw_node_put(n, "minItems", number(1));
}

static void put_map(struct bw_node *n, const struct bw_key *k)
{
	const struct bw_key_set *set = k->item->type == BW_KEY_RECORD ? k->item->keys : NULL;
	struct bw_node *names = map(), *item;

	put_container_type(n, k, "object");
	put_pattern(names, k->format->pattern);
	bw_node_put(n, "propertyNames", names);
	if (set &&
	    set->variant_of_node(NULL, "*") == 1) { /* the name tells the variant, and "*" is the first */
		struct bw_node *members = map();

		bw_node_put(members, "*", describe_set(set, 1));
		bw_node_put(n, "properties", members);
		item = describe_set(set, 2);
	} else if (set) {
		item = describe_set(set, 0);
	} else {
		item = map();
		put_value(item, k->item);
	}
	bw_node_put(n, "additionalProperties", item);
}

static void put_text(struct bw_node *n, const struct bw_key *k)
{
	if (k->format)
		put_pattern(n, k->format->pattern);
	else
		put_pattern(n, bw_format_line.pattern);
}

static void put_value(struct bw_node *n, const struct bw_key *k)
{
	static const char *const scalars[] = {"string", "number", "boolean", NULL};

	switch (k->type) {
	case BW_KEY_SCALAR: bw_node_put(n, "type", list_of(scalars)); break;
	case BW_KEY_BOOL: put_type(n, "boolean"); break;
	case BW_KEY_INTEGER: put_integer(n, k); break;
	case BW_KEY_PERCENT: put_pattern(n, BW_PERCENT_PATTERN); break;
	case BW_KEY_DURATION:
		put_pattern_or(n, BW_DURATION_PATTERN, k->choices ? k->choices[0] : NULL);
		break;
	case BW_KEY_DECIMAL: put_decimal(n, k); break;
	case BW_KEY_CHOICE: bw_node_put(n, "enum", list_of(k->choices)); break;
	case BW_KEY_CHOICES: put_choices(n, k); break;
	case BW_KEY_URL: put_url(n, k); break;
	case BW_KEY_SECRET: put_secret(n); break;
	case BW_KEY_HEADER: put_header(n); break;
	case BW_KEY_LIST: put_list(n, k); break;
	case BW_KEY_MAP: put_map(n, k); break;
	default: put_text(n, k); break;
	}
}

/* --- records ----------------------------------------------------------------------------------------- */

static void put_default(struct bw_node *n, const struct bw_key *k)
{
	bool is_plain = k->type == BW_KEY_BOOL || k->type == BW_KEY_INTEGER;

	if (k->fallback && k->type != BW_KEY_LIST && k->type != BW_KEY_CHOICES)
		bw_node_put(n, "default", is_plain ? bw_node_plain(k->fallback) : text(k->fallback));
}

static struct bw_node *describe_key(const struct bw_key *k)
{
	struct bw_node *n;

	if (k->type == BW_KEY_RECORD) {
		n = describe_set(k->keys, 0);
		bw_node_free(
			n->items[1]); /* its type: nothing is fine too, for everything in it has a default */
		n->items[1] = bw_node_new(BW_NODE_LIST);
		bw_node_add(n->items[1], text("object"));
		bw_node_add(n->items[1], text("null"));
	} else {
		n = map();
		put_value(n, k);
	}
	bw_node_put(n, "description", text(k->help));
	put_default(n, k);
	return n;
}

static struct bw_node *describe_closed(const struct bw_key_set *set, unsigned variant)
{
	struct bw_node *n = map(), *members = map(), *required = bw_node_new(BW_NODE_LIST);

	put_type(n, "object");
	for (size_t i = 0; i < set->count; i++) {
		const struct bw_key *k = &set->keys[i];

		if (!bw_key_fits(k, variant))
			continue;
		bw_node_put(members, k->name, describe_key(k));
		if (k->flags & BW_KEY_REQUIRED)
			bw_node_add(required, text(k->name));
	}
	bw_node_put(n, "properties", members);
	bw_node_put(n, "required", required);
	bw_node_put(n, "additionalProperties", bw_node_plain("false"));
	return n;
}

/* Does the key `type` tell the variants apart? Its first choice is then the first of them. */
static const struct bw_key *type_key(const struct bw_key_set *set)
{
	const struct bw_key *k = &set->keys[0];

	return k->type == BW_KEY_CHOICE ? k : NULL;
}

/* What a record of the first variant has. */
static struct bw_node *describe_condition(const struct bw_key_set *set)
{
	const struct bw_key *type = type_key(set);
	struct bw_node *n = map(), *required = bw_node_new(BW_NODE_LIST);

	bw_node_add(required, text(set->keys[0].name));
	bw_node_put(n, "required", required);
	if (type) {
		struct bw_node *members = map(), *first = map();

		bw_node_put(first, "const", text(type->choices[0]));
		bw_node_put(members, type->name, first);
		bw_node_put(n, "properties", members);
	}
	return n;
}

/* Variant 0 of a set with two: whichever it is. */
static struct bw_node *describe_set(const struct bw_key_set *set, unsigned variant)
{
	struct bw_node *n;

	if (!set->variants[0] || variant > 0)
		return describe_closed(set, variant);
	n = map();
	bw_node_put(n, "if", describe_condition(set));
	bw_node_put(n, "then", describe_closed(set, 1));
	bw_node_put(n, "else", describe_closed(set, 2));
	return n;
}

void bw_docs_schema(struct bw_buf *ret)
{
	BW_AUTONODE struct bw_node *n = describe_set(&bw_keys_root, 0);
	struct bw_node *head = map();

	bw_node_put(head, "$schema", text("https://json-schema.org/draft/2020-12/schema"));
	bw_node_put(head, "title", text("basewatch.yaml"));
	bw_node_put(head, "description",
		    text("The configuration of basewatch. `basewatch config check` knows more: limits of "
			 "durations, names that lead "
			 "nowhere, things that are there twice."));
	for (size_t i = 0; i < n->count; i++)
		bw_node_add(head, n->items[i]);
	n->count = 0;
	bw_tree_write_json_lines(head, 0, ret);
	(void)bw_buf_addc(ret, '\n');
	bw_node_free(head);
}
