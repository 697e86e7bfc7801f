/*
 * yaml.c - the door to libyaml: its events become a tree (tree.h). An alias becomes a copy of what it stands for; the
 * copies count against the cap, and an anchor is known only once its node is complete, so nothing is its own child.
 */
#include <yaml.h>

#include <string.h>

#include "config/tree.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"

struct reading {
	yaml_parser_t parser;
	struct bw_map *anchors; /* name to complete node, which the tree owns */
	size_t nodes;
	struct bw_tree_place place; /* of the failure */
};

static void set_place(struct bw_tree_place *p, const yaml_mark_t *mark)
{
	p->line = (unsigned)mark->line + 1;
	p->column = (unsigned)mark->column + 1;
}

static int fail_at(struct reading *r, const yaml_mark_t *mark, struct bw_err *err, const char *message)
{
	set_place(&r->place, mark);
	return bw_fail(err, BW_E_INPUT, "%s", message);
}

/* Invalid bytes are named by their offset alone: the place is where the reader was. */
static int fail_parser(struct reading *r, struct bw_err *err)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "cannot be parsed";

	if (p->error == YAML_READER_ERROR) {
		set_place(&r->place, &p->mark);
		return bw_fail(err, BW_E_INPUT, "not YAML: %s (byte %zu)", problem, p->problem_offset);
	}
	set_place(&r->place, &p->problem_mark);
	if (p->context)
		return bw_fail(err, BW_E_INPUT, "not YAML: %s, %s that begins in line %zu", problem,
			       p->context, p->context_mark.line + 1);
	return bw_fail(err, BW_E_INPUT, "not YAML: %s", problem);
}

static struct bw_node *node_at(enum bw_node_kind kind, const yaml_mark_t *mark)
{
	struct bw_node *n = bw_node_new(kind);

	n->line = (unsigned)mark->line + 1;
	n->column = (unsigned)mark->column + 1;
	return n;
}

static int count_node(struct reading *r, const yaml_mark_t *mark, struct bw_err *err)
{
	if (++r->nodes > BW_TREE_MAX_NODES)
		return fail_at(r, mark, err, "too much: more than 100000 values, aliases expanded");
	return 0;
}

/* Its places are those of the original: what is wrong is to be mended there. */
static int copy_node(struct reading *r, const struct bw_node *from, unsigned depth, const yaml_mark_t *mark,
		     struct bw_node **ret, struct bw_err *err)
{
	BW_AUTONODE struct bw_node *n = NULL;
	int rc = count_node(r, mark, err);

	if (rc < 0)
		return rc;
	if (depth > BW_TREE_MAX_DEPTH)
		return fail_at(r, mark, err, "nested too deep: at most 32 levels, aliases expanded");
	n = bw_node_new(from->kind);
	n->is_plain = from->is_plain;
	n->line = from->line;
	n->column = from->column;
	n->text = bw_strdup_null(from->text);
	for (size_t i = 0; i < from->count; i++) {
		struct bw_node *child = NULL;

		rc = copy_node(r, from->items[i], depth + 1, mark, &child, err);
		if (rc < 0)
			return rc;
		bw_node_add(n, child);
	}
	*ret = BW_TAKE(n);
	return 0;
}

static int read_alias(struct reading *r, const yaml_event_t *e, unsigned depth, struct bw_node **ret,
		      struct bw_err *err)
{
	const struct bw_node *from = bw_map_get(r->anchors, (const char *)e->data.alias.anchor);

	if (!from)
		return fail_at(r, &e->start_mark, err,
			       "this alias has no anchor before it, or stands inside its own anchor");
	return copy_node(r, from, depth, &e->start_mark, ret, err);
}

static int read_scalar(struct reading *r, const yaml_event_t *e, struct bw_node **ret, struct bw_err *err)
{
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;

	if (memchr(value, '\0', len))
		return fail_at(r, &e->start_mark, err, "a NUL character is not allowed");
	*ret = node_at(BW_NODE_TEXT, &e->start_mark);
	(*ret)->text = bw_strndup(value, len);
	(*ret)->is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int next_event(struct reading *r, yaml_event_t *e, struct bw_err *err)
{
	return yaml_parser_parse(&r->parser, e) ? 0 : fail_parser(r, err);
}

static int read_node(struct reading *r, const yaml_event_t *e, unsigned depth, struct bw_node **ret,
		     struct bw_err *err);

/* Everything up to the event that ends it. */
static int read_items(struct reading *r, struct bw_node *parent, yaml_event_type_t end, unsigned depth,
		      struct bw_err *err)
{
	for (;;) {
		struct bw_node *child = NULL;
		yaml_event_t e;
		int rc = next_event(r, &e, err);
		bool is_end = rc == 0 && e.type == end;

		if (rc < 0)
			return rc;
		if (!is_end)
			rc = read_node(r, &e, depth + 1, &child, err);
		if (child)
			bw_node_add(parent, child);
		yaml_event_delete(&e);
		if (rc < 0 || is_end)
			return rc;
	}
}

static const yaml_char_t *tag_of(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return e->data.scalar.tag;
	return e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.tag : e->data.mapping_start.tag;
}

static const yaml_char_t *anchor_of(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return e->data.scalar.anchor;
	return e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.anchor
						    : e->data.mapping_start.anchor;
}

static int read_body(struct reading *r, const yaml_event_t *e, unsigned depth, struct bw_node **ret,
		     struct bw_err *err)
{
	bool is_list = e->type == YAML_SEQUENCE_START_EVENT;

	if (e->type == YAML_SCALAR_EVENT)
		return read_scalar(r, e, ret, err);
	*ret = node_at(is_list ? BW_NODE_LIST : BW_NODE_MAP, &e->start_mark);
	return read_items(r, *ret, is_list ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT, depth, err);
}

/* What was made so far is in `*ret` also after a failure. */
static int read_node(struct reading *r, const yaml_event_t *e, unsigned depth, struct bw_node **ret,
		     struct bw_err *err)
{
	const yaml_char_t *anchor;
	int rc;

	if (depth > BW_TREE_MAX_DEPTH)
		return fail_at(r, &e->start_mark, err, "nested too deep: at most 32 levels");
	if (e->type == YAML_ALIAS_EVENT)
		return read_alias(r, e, depth, ret, err);
	rc = count_node(r, &e->start_mark, err);
	if (rc == 0 && tag_of(e))
		rc = fail_at(r, &e->start_mark, err, "tags are not supported; write the value without it");
	if (rc == 0)
		rc = read_body(r, e, depth, ret, err);
	anchor = anchor_of(e);
	if (rc == 0 && anchor)
		(void)bw_map_put(r->anchors, (const char *)anchor, *ret);
	return rc;
}

static int read_document(struct reading *r, struct bw_node **ret, struct bw_err *err)
{
	bool has_document = false;

	for (;;) {
		yaml_event_t e;
		yaml_event_type_t type;
		int rc = next_event(r, &e, err);

		if (rc < 0)
			return rc;
		type = e.type;
		if (type == YAML_DOCUMENT_START_EVENT && has_document)
			rc = fail_at(r, &e.start_mark, err, "a second document: one file holds one");
		else if (type == YAML_DOCUMENT_START_EVENT)
			has_document = true;
		else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
			 type != YAML_DOCUMENT_END_EVENT)
			rc = read_node(r, &e, 1, ret, err);
		yaml_event_delete(&e);
		if (rc < 0 || type == YAML_STREAM_END_EVENT)
			return rc;
	}
}

int bw_tree_read(const char *text, size_t len, struct bw_node **ret, struct bw_tree_place *ret_place,
		 struct bw_err *err)
{
	BW_AUTONODE struct bw_node *root = NULL;
	struct reading r = {0};
	int rc;

	if (!yaml_parser_initialize(&r.parser))
		return bw_fail(err, BW_E_INPUT, "no memory to read it");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	r.anchors = bw_map_new();
	rc = read_document(&r, &root, err);
	bw_map_free(r.anchors, NULL);
	yaml_parser_delete(&r.parser);
	if (rc < 0)
		*ret_place = r.place;
	else
		*ret = BW_TAKE(root);
	return rc;
}

const char *bw_tree_library(void)
{
	return yaml_get_version_string();
}
