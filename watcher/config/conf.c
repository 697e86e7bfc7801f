#include "config/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "config/cross.h"
#include "config/effective.h"
#include "config/fill.h"
#include "config/key.h"
#include "core/io.h"
#include "core/mem.h"
#include "core/text.h"

#define FILE_NAME     "basewatch.yaml"
#define PATH_TEXT_MAX (64U << 10) /* of a key: levels are few, names in maps are short */

struct bw_conf *bw_conf_new(void)
{
	struct bw_conf *c = BW_NEW(struct bw_conf);

	bw_record_init(&bw_keys_root, c);
	return c;
}

void bw_conf_free(struct bw_conf *c)
{
	if (!c)
		return;
	bw_record_done(&bw_keys_root, c);
	free(c);
}

static void auto_conf(struct bw_conf **c)
{
	bw_conf_free(*c);
}

const char *bw_conf_source_name(const struct bw_conf_source *s)
{
	if (s->name)
		return s->name;
	return s->git ? s->git : s->path;
}

static const struct bw_key_set *rule_set(void)
{
	for (size_t i = 0; i < bw_keys_root.count; i++)
		if (strcmp(bw_keys_root.keys[i].name, "rules") == 0)
			return bw_keys_root.keys[i].item->keys;
	return &bw_keys_root;
}

void bw_conf_rule_default(struct bw_conf_rule *ret)
{
	*ret = (struct bw_conf_rule){0};
	bw_record_init(rule_set(), ret);
}

void bw_conf_rule_done(struct bw_conf_rule *r)
{
	bw_record_done(rule_set(), r);
}

/* --- reading ------------------------------------------------------------------------------------- */

static void add_whole(struct bw_conf_problems *p, unsigned line, unsigned column, const char *text)
{
	BW_AUTOFREE char *copy = bw_strdup(text);
	const struct bw_conf_problem x = {.line = line, .column = column, .text = copy};

	bw_conf_problems_add(p, &x);
}

static void fill(const struct bw_node *root, const char *folder, unsigned flags, struct bw_conf *c,
		 struct bw_conf_problems *problems)
{
	struct bw_fill f = {.problems = problems, .folder = folder, .look = flags & BW_CONF_LOOK};

	bw_buf_init(&f.path, PATH_TEXT_MAX);
	bw_fill_root(&f, root, c);
	bw_cross_check(&f, root, c);
	bw_buf_done(&f.path);
}

static int count_errors(const struct bw_conf_problems *p, struct bw_err *err)
{
	if (p->errors == 0)
		return 0;
	return bw_fail(err, BW_E_CONFIG, "the configuration has %zu error%s", p->errors,
		       p->errors == 1 ? "" : "s");
}

int bw_conf_parse(const char *text, size_t len, const char *folder, unsigned flags, struct bw_conf **ret,
		  struct bw_conf_problems *problems, struct bw_err *err)
{
	BW_CLEANUP(auto_conf) struct bw_conf *c = bw_conf_new();
	BW_AUTONODE struct bw_node *root = NULL;
	struct bw_tree_place place = {0};
	struct bw_err broken = BW_ERR_INIT;
	int rc;

	if (len > BW_CONF_MAX_BYTES)
		add_whole(problems, 0, 0, "too large: more than 1 MiB");
	else if (bw_tree_read(text, len, &root, &place, &broken) < 0)
		add_whole(problems, place.line, place.column, broken.msg);
	else
		fill(root, folder, flags, c, problems);
	bw_conf_problems_sort(problems);
	rc = count_errors(problems, err);
	if (rc == 0)
		*ret = BW_TAKE(c);
	return rc;
}

/* Relative paths count from where the file is, wherever the program was started. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	BW_AUTOFREE char *folder =
		slash ? bw_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : bw_strdup(".");
	char *real = realpath(folder, NULL);

	return real ? real : BW_TAKE(folder);
}

static int read_conf(const char *path, struct bw_buf *ret, struct bw_err *err)
{
	BW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return bw_fail(err, BW_E_GONE, "there is no file %s", path);
	if (fd < 0)
		return bw_fail_sys(err, errno, "cannot be read");
	return bw_read_all(fd, ret, err);
}

int bw_conf_load(const char *path, unsigned flags, struct bw_conf **ret, struct bw_conf_problems *problems,
		 struct bw_err *err)
{
	BW_AUTOFREE char *folder = folder_of(path);
	struct bw_err broken = BW_ERR_INIT;
	BW_AUTOBUF struct bw_buf text;
	int rc;

	bw_buf_init(&text, BW_CONF_MAX_BYTES);
	rc = read_conf(path, &text, &broken);
	if (rc == BW_E_GONE)
		return bw_fail(err, BW_E_GONE, "%s", broken.msg);
	if (rc == 0)
		rc = bw_conf_parse(bw_buf_str(&text), text.len, folder, flags, ret, problems, err);
	else
		add_whole(problems, 0, 0, rc == BW_E_LIMIT ? "too large: more than 1 MiB" : broken.msg);
	if (rc < 0)
		rc = count_errors(problems, err);
	return rc < 0 ? bw_err_ctx(err, "%s", path) : 0;
}

/* What stands at one step below `n`; NULL: nothing. */
static const struct bw_node *step_into(const struct bw_node *n, const char *step)
{
	uint64_t index;

	if (!n || n->kind != BW_NODE_LIST)
		return bw_node_get(n, step);
	return n->count > 0 && bw_text_number(step, 0, n->count - 1, &index) ? n->items[index] : NULL;
}

static void place_problem(const struct bw_node *root, const char *const *steps, const char *text,
			  struct bw_conf_problems *problems)
{
	const struct bw_node *at = root, *around = root;
	struct bw_fill f = {.problems = problems};

	bw_buf_init(&f.path, PATH_TEXT_MAX);
	for (; *steps; steps++) {
		if (at && at->kind == BW_NODE_LIST)
			(void)bw_buf_addf(&f.path, "[%s]", *steps);
		else
			(void)bw_fill_enter(&f, *steps);
		at = step_into(at, *steps);
		around = at ? at : around;
	}
	bw_fill_complain(&f, false, around, "%s", text);
	bw_buf_done(&f.path);
}

void bw_conf_complain(const char *path, const char *const *steps, const char *text,
		      struct bw_conf_problems *problems)
{
	BW_AUTONODE struct bw_node *root = NULL;
	BW_AUTOBUF struct bw_buf file;
	struct bw_tree_place place;

	bw_buf_init(&file, BW_CONF_MAX_BYTES);
	if (read_conf(path, &file, NULL) == 0 &&
	    bw_tree_read(bw_buf_str(&file), file.len, &root, &place, NULL) == 0 && root)
		place_problem(root, steps, text, problems);
	else /* it has changed meanwhile */
		add_whole(problems, 0, 0, text);
	bw_conf_problems_sort(problems);
}

/* --- finding --------------------------------------------------------------------------------------- */

/* As it is, also when it cannot be read: that is then said, and nothing else taken in its place. */
static char *take_if_there(char *path)
{
	if (access(path, F_OK) == 0 || errno == EACCES)
		return path;
	free(path);
	return NULL;
}

static bool has_text(const char *s)
{
	return s && *s;
}

char *bw_conf_find(const struct bw_conf_places *p)
{
	char *path = NULL;

	if (has_text(p->xdg_config_home))
		path = take_if_there(bw_asprintf("%s/basewatch/" FILE_NAME, p->xdg_config_home));
	else if (has_text(p->home))
		path = take_if_there(bw_asprintf("%s/.config/basewatch/" FILE_NAME, p->home));
	if (!path && has_text(p->etc))
		path = take_if_there(bw_asprintf("%s/basewatch/" FILE_NAME, p->etc));
	return path;
}

char *bw_conf_find_default(void)
{
	const struct bw_conf_places p = {
		.xdg_config_home = getenv("XDG_CONFIG_HOME"), .home = getenv("HOME"), .etc = "/etc"};

	return bw_conf_find(&p);
}

/* --- showing --------------------------------------------------------------------------------------- */

void bw_conf_show(const struct bw_conf *c, enum bw_conf_format format, struct bw_buf *ret)
{
	BW_AUTONODE struct bw_node *n = bw_effective(&bw_keys_root, c, true);

	if (format == BW_CONF_JSON) {
		bw_tree_write_json(n, ret);
		(void)bw_buf_addc(ret, '\n');
	} else {
		bw_tree_write_yaml(n, ret);
	}
}

const char *bw_conf_version(void)
{
	return bw_tree_library();
}
