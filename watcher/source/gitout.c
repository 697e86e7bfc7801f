#include "source/gitout.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define MAX_REFS	 200000U
#define MAX_BRANCH_BYTES 1024U

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool bw_gitout_is_oid(const char *s, size_t len)
{
	if (len != 40 && len != 64)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_hex(s[i]))
			return false;
	return true;
}

/* One part of a name between slashes. */
static bool is_ref_part(const char *part, size_t len)
{
	return len > 0 && part[0] != '.' && !(len >= 5 && memcmp(part + len - 5, ".lock", 5) == 0);
}

bool bw_gitout_is_branch(const char *name)
{
	size_t len = strlen(name);
	const char *part = name;

	if (len == 0 || len > MAX_BRANCH_BYTES || name[len - 1] == '.' || strstr(name, "..") ||
	    strstr(name, "@{"))
		return false;
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s <= 0x20 || *s == 0x7f || strchr("~^:?*[\\", *s))
			return false;
	for (const char *end = strchrnul(part, '/');; part = end + 1, end = strchrnul(part, '/')) {
		if (!is_ref_part(part, (size_t)(end - part)))
			return false;
		if (!*end)
			return true;
	}
}

/* --- refs ------------------------------------------------------------------------------------------ */

#define HEADS "refs/heads/"

/* "ref: refs/heads/main\tHEAD" */
static void take_symref(struct bw_git_refs *r, const char *line)
{
	const char *tab = strchr(line, '\t');

	if (r->head || !tab || strcmp(tab + 1, "HEAD") != 0 || !bw_text_starts(line, HEADS))
		return;
	r->head = bw_strndup(line + strlen(HEADS), (size_t)(tab - line) - strlen(HEADS));
	if (!bw_gitout_is_branch(r->head))
		free(BW_TAKE(r->head));
}

static int take_ref(struct bw_git_refs *r, const char *line, const char *prefix, struct bw_err *err)
{
	size_t len = strcspn(line, "\t ");
	const char *name = line + len + 1;
	struct bw_git_ref *x;

	if (!line[len] || !bw_gitout_is_oid(line, len))
		return bw_fail(err, BW_E_PEER, "the list of branches is not one");
	if (strcmp(name, "HEAD") == 0) {
		memcpy(r->head_oid, line, len);
		r->head_oid[len] = '\0';
	}
	if (!bw_text_starts(name, prefix) || !bw_gitout_is_branch(name + strlen(prefix)))
		return 0;
	if (r->count == MAX_REFS)
		return bw_fail(err, BW_E_LIMIT, "more than %u branches", MAX_REFS);
	x = &BW_PUSH(r->items, r->count, r->capacity);
	x->name = bw_strdup(name + strlen(prefix));
	memcpy(x->oid, line, len);
	x->oid[len] = '\0';
	return 0;
}

int bw_gitout_refs(const char *text, size_t len, const char *prefix, struct bw_git_refs *ret,
		   struct bw_err *err)
{
	struct bw_git_refs r = {0};
	const char *end = text + len;
	int rc = 0;

	while (text < end && rc == 0) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		BW_AUTOFREE char *line = bw_strndup(text, n);

		if (!stop || strlen(line) != n)
			rc = bw_fail(err, BW_E_PEER, "the list of branches ends in the middle of a line");
		else if (bw_text_starts(line, "ref: "))
			take_symref(&r, line + strlen("ref: "));
		else
			rc = take_ref(&r, line, prefix, err);
		text += n + 1;
	}
	if (rc < 0)
		bw_git_refs_done(&r);
	else
		*ret = r;
	return rc;
}

const struct bw_git_ref *bw_git_refs_find(const struct bw_git_refs *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->items[i].name, name) == 0)
			return &r->items[i];
	return NULL;
}

void bw_git_refs_done(struct bw_git_refs *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i].name);
	free(r->items);
	free(r->head);
	*r = (struct bw_git_refs){0};
}

/* --- trees ----------------------------------------------------------------------------------------- */

/* No path with these could be checked out; to us they would be two names for one file. */
static bool is_path(const char *path)
{
	for (const char *part = path;;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (!part[n])
			return true;
		part += n + 1;
	}
}

static bool read_kind(const char *mode, enum bw_git_kind *ret)
{
	if (bw_text_starts(mode, "100"))
		*ret = BW_GIT_FILE_ENTRY;
	else if (bw_text_starts(mode, "120000 "))
		*ret = BW_GIT_LINK_ENTRY;
	else if (bw_text_starts(mode, "160000 "))
		*ret = BW_GIT_MODULE_ENTRY;
	else
		return false;
	return true;
}

static int not_a_tree(struct bw_err *err)
{
	return bw_fail(err, BW_E_PEER, "the list of files is not one");
}

/* "MODE TYPE OID\tPATH"; cuts the text into strings. */
static int take_entry(struct bw_git_tree *t, char *record, struct bw_err *err)
{
	char *tab = strchr(record, '\t');
	char *oid = tab ? memrchr(record, ' ', (size_t)(tab - record)) : NULL;
	struct bw_git_entry e;

	if (!oid || !bw_gitout_is_oid(oid + 1, (size_t)(tab - oid - 1)) || !read_kind(record, &e.kind))
		return not_a_tree(err);
	*tab = '\0';
	if (!is_path(tab + 1))
		return bw_fail(err, BW_E_PEER, "a path in the tree has an empty part, '.' or '..'");
	if (strlen(tab + 1) > BW_GIT_MAX_PATH_BYTES)
		return bw_fail(err, BW_E_LIMIT, "a path in the tree is longer than %u bytes",
			       BW_GIT_MAX_PATH_BYTES);
	e.oid = (uint32_t)(oid + 1 - t->text.data);
	e.path = (uint32_t)(tab + 1 - t->text.data);
	if (t->count > 0 && strcmp(bw_git_tree_path(t, &t->items[t->count - 1]), tab + 1) >= 0)
		return bw_fail(err, BW_E_PEER, "the tree is not in order");
	if (t->count == BW_GIT_MAX_ENTRIES)
		return bw_fail(err, BW_E_LIMIT, "more than %u files", BW_GIT_MAX_ENTRIES);
	BW_PUSH(t->items, t->count, t->capacity) = e;
	return 0;
}

int bw_gitout_tree(struct bw_buf *text, struct bw_git_tree *ret, struct bw_err *err)
{
	struct bw_git_tree t = {.text = *text};
	size_t at = 0;
	int rc = 0;

	bw_buf_init(text, 0);
	if (t.text.len > 0 && t.text.data[t.text.len - 1] != '\0')
		rc = not_a_tree(err);
	while (rc == 0 && at < t.text.len) {
		char *record = t.text.data + at;

		at += strlen(record) + 1;
		rc = take_entry(&t, record, err);
	}
	if (rc < 0)
		bw_git_tree_done(&t);
	else
		*ret = t;
	return rc;
}

void bw_git_tree_done(struct bw_git_tree *t)
{
	bw_buf_done(&t->text);
	free(t->items);
	*t = (struct bw_git_tree){0};
}

const char *bw_git_tree_path(const struct bw_git_tree *t, const struct bw_git_entry *e)
{
	return t->text.data + e->path;
}

const char *bw_git_tree_oid(const struct bw_git_tree *t, const struct bw_git_entry *e)
{
	return t->text.data + e->oid;
}

/* The first entry whose path is not before `path`. */
static size_t lower_bound(const struct bw_git_tree *t, const char *path)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(bw_git_tree_path(t, &t->items[mid]), path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct bw_git_entry *bw_git_tree_find(const struct bw_git_tree *t, const char *path)
{
	size_t at = lower_bound(t, path);

	return at < t->count && strcmp(bw_git_tree_path(t, &t->items[at]), path) == 0 ? &t->items[at] : NULL;
}

bool bw_git_tree_has_folder(const struct bw_git_tree *t, const char *path)
{
	size_t at = lower_bound(t, path);

	return at < t->count && bw_text_starts(bw_git_tree_path(t, &t->items[at]), path);
}

/* --- objects --------------------------------------------------------------------------------------- */

/* OID, type and size, or OID and "missing". */
#define MAX_LINE_BYTES 256U

void bw_gitout_objects_init(struct bw_git_objects *o)
{
	bw_buf_init(&o->line, MAX_LINE_BYTES);
	bw_buf_init(&o->content, o->max + 1); /* and the end of line behind it */
	o->n = 0;
	o->left = 0;
	o->in_content = false;
	o->is_kept = false;
	o->is_broken = false;
}

void bw_gitout_objects_done(struct bw_git_objects *o)
{
	bw_buf_done(&o->line);
	bw_buf_done(&o->content);
}

static void tell_problem(struct bw_git_objects *o, bool is_missing, const char *problem)
{
	o->object(o->n++, NULL, is_missing, problem, o->arg);
}

/* "OID blob 123"; what is behind is that long, and an end of line. */
static bool begin_object(struct bw_git_objects *o)
{
	char *line = o->line.data;
	char *type = strchr(line, ' ');
	char *size = type ? strchr(type + 1, ' ') : NULL;
	uint64_t n;

	if (!type || !bw_gitout_is_oid(line, (size_t)(type - line)))
		return false;
	if (strcmp(type, " missing") == 0) {
		tell_problem(o, true, "not in the repository");
		return true;
	}
	if (!size || !bw_text_number(size + 1, 0, SIZE_MAX / 4, &n))
		return false;
	o->is_blob = bw_text_starts(type, " blob ");
	o->is_kept = o->is_blob && n <= o->max;
	o->left = (size_t)n + 1;
	o->in_content = true;
	return true;
}

static void end_object(struct bw_git_objects *o)
{
	BW_AUTOFREE char *problem = NULL;

	o->in_content = false;
	if (o->is_kept) {
		o->content.data[--o->content.len] = '\0'; /* the end of line */
		o->object(o->n++, &o->content, false, NULL, o->arg);
	} else if (!o->is_blob) {
		tell_problem(o, false, "not a file");
	} else {
		problem = bw_asprintf("larger than %zu KiB; not taken", o->max >> 10);
		tell_problem(o, false, problem);
	}
	bw_buf_clear(&o->content);
}

static size_t feed_content(struct bw_git_objects *o, const char *bytes, size_t len)
{
	size_t n = len < o->left ? len : o->left;

	if (o->is_kept)
		(void)bw_buf_add(&o->content, bytes, n);
	o->left -= n;
	if (o->left == 0 && bytes[n - 1] != '\n')
		o->is_broken = true;
	else if (o->left == 0)
		end_object(o);
	return n;
}

static size_t feed_line(struct bw_git_objects *o, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) : len;

	if (!bw_buf_add(&o->line, bytes, n))
		o->is_broken = true;
	if (!end || o->is_broken)
		return n;
	if (o->line.len == 0 || strlen(o->line.data) != o->line.len || !begin_object(o))
		o->is_broken = true;
	bw_buf_clear(&o->line);
	return n + 1;
}

bool bw_gitout_objects_feed(struct bw_git_objects *o, const char *bytes, size_t len)
{
	while (len > 0 && !o->is_broken) {
		size_t n = o->in_content ? feed_content(o, bytes, len) : feed_line(o, bytes, len);

		bytes += n;
		len -= n;
	}
	return !o->is_broken;
}
