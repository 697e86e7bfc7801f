/* fill_value.c - one value that is no container: is it what the table wants, and if not, what would be? See fill.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config/conf.h"
#include "config/fill.h"
#include "core/io.h"
#include "core/mem.h"
#include "core/text.h"

#define MESSAGE_MAX 1024
#define QUOTED_MAX  60 /* columns of a value in a message */

/* --- complaints --------------------------------------------------------------------------------- */

static void describe_node(const struct bw_node *n, struct bw_buf *ret)
{
	size_t len;

	if (bw_node_is_nothing(n))
		(void)bw_buf_adds(ret, "nothing");
	else if (n->kind != BW_NODE_TEXT)
		(void)bw_buf_adds(ret, n->kind == BW_NODE_LIST ? "a list" : "a map");
	else if ((len = bw_text_fit(n->text, strlen(n->text), QUOTED_MAX)) < strlen(n->text))
		(void)bw_buf_addf(ret, "'%.*s...'", (int)len, n->text);
	else
		(void)bw_buf_addf(ret, "'%s'", n->text);
}

void bw_fill_expected(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *advice)
{
	BW_AUTOBUF struct bw_buf expected, got;

	bw_buf_init(&expected, MESSAGE_MAX);
	bw_buf_init(&got, MESSAGE_MAX);
	bw_key_describe(k, &expected);
	describe_node(n, &got);
	bw_fill_complain(f, false, n, "expected %s, got %s%s%s", bw_buf_str(&expected), bw_buf_str(&got),
			 advice ? "; " : "", advice ? advice : "");
}

/* The same where the value may be, or hold, a secret. */
static void expected_unquoted(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n,
			      const char *problem)
{
	BW_AUTOBUF struct bw_buf expected;

	bw_buf_init(&expected, MESSAGE_MAX);
	bw_key_describe(k, &expected);
	bw_fill_complain(f, false, n, "%s; expected %s", problem, bw_buf_str(&expected));
}

static bool is_scalar(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n)
{
	if (n->kind == BW_NODE_TEXT && !bw_node_is_nothing(n))
		return true;
	bw_fill_expected(f, k, n, NULL);
	return false;
}

/* What another YAML reader would take for a number or a boolean has to be in quotes to be a text. */
static bool is_text(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n)
{
	if (!is_scalar(f, k, n))
		return false;
	if (!n->is_plain || (!bw_scalar_is_number(n->text) && !bw_scalar_is_word(n->text)))
		return true;
	bw_fill_expected(f, k, n, "put it in quotes if it is a text");
	return false;
}

static void replace(char **value, char *with)
{
	free(*value);
	*value = with;
}

/* --- one function per type ----------------------------------------------------------------------- */

static void look_for_helper(struct bw_fill *f, const struct bw_node *n)
{
	BW_AUTOFREE char *program = bw_asprintf("docker-credential-%s", n->text);

	if (f->look && !bw_io_is_in_path(program))
		bw_fill_complain(f, true, n, "there is no program %s in PATH", program);
}

typedef void (*fill_fn)(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			void *value);

static void fill_text(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		      void *value)
{
	(void)name;
	if (!is_text(f, k, n))
		return;
	if (!k->format->is_ok(n->text)) {
		bw_fill_expected(f, k, n, NULL);
		return;
	}
	replace(value, bw_strdup(n->text));
	if (k->format == &bw_format_helper)
		look_for_helper(f, n);
}

static void fill_scalar(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			void *value)
{
	(void)name;
	if (is_scalar(f, k, n))
		replace(value, bw_strdup(n->text));
	else if (!*(char **)value)
		*(char **)value = bw_strdup("");
}

static void fill_bool(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		      void *value)
{
	bool is_true = n->kind == BW_NODE_TEXT && n->is_plain && strcmp(n->text, "true") == 0;
	bool is_false = n->kind == BW_NODE_TEXT && n->is_plain && strcmp(n->text, "false") == 0;

	(void)name;
	if (is_true || is_false)
		*(bool *)value = is_true;
	else
		bw_fill_expected(f, k, n, NULL);
}

static void fill_integer(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			 void *value)
{
	uint64_t number;

	(void)name;
	if (!is_scalar(f, k, n))
		return;
	if (n->is_plain && bw_text_number(n->text, (uint64_t)k->min, (uint64_t)k->max, &number))
		*(int64_t *)value = (int64_t)number;
	else
		bw_fill_expected(f, k, n, n->is_plain ? NULL : "without quotes");
}

static void fill_decimal(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			 void *value)
{
	int64_t number;

	(void)name;
	if (!is_scalar(f, k, n))
		return;
	if (n->is_plain && bw_scalar_decimal(n->text, &number) && number >= k->min && number <= k->max)
		*(int64_t *)value = number;
	else
		bw_fill_expected(f, k, n, n->is_plain ? NULL : "without quotes");
}

static void fill_percent(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			 void *value)
{
	int64_t number;

	(void)name;
	if (!is_scalar(f, k, n))
		return;
	if (bw_scalar_percent(n->text, &number) && number >= k->min && number <= k->max)
		*(int64_t *)value = number;
	else
		bw_fill_expected(f, k, n, bw_scalar_is_number(n->text) ? "a number needs its '%'" : NULL);
}

static void fill_duration(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n,
			  const char *name, void *value)
{
	int64_t ms;

	(void)name;
	if (!is_scalar(f, k, n))
		return;
	if (k->choices && bw_text_is(n->text, k->choices[0]))
		*(int64_t *)value = 0;
	else if (bw_scalar_duration(n->text, &ms) && ms >= k->min && ms <= k->max)
		*(int64_t *)value = ms;
	else
		bw_fill_expected(f, k, n,
				 bw_scalar_is_number(n->text) ? "a number needs a unit: ms, s, m, h or d"
							      : NULL);
}

static bool find_choice(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, unsigned *ret)
{
	const char *best = NULL;
	size_t distance;

	if (n->kind != BW_NODE_TEXT || bw_node_is_nothing(n)) {
		bw_fill_expected(f, k, n, NULL);
		return false;
	}
	distance = bw_fill_far(n->text);
	for (unsigned i = 0; k->choices[i]; i++) {
		if (strcmp(n->text, k->choices[i]) == 0) {
			*ret = i;
			return true;
		}
		bw_fill_closest(n->text, k->choices[i], &best, &distance);
	}
	{
		BW_AUTOFREE char *advice = best ? bw_asprintf("did you mean '%s'?", best) : NULL;

		bw_fill_expected(f, k, n, advice);
	}
	return false;
}

static void fill_choice(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			void *value)
{
	(void)name;
	(void)find_choice(f, k, n, value);
}

static void fill_choices(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			 void *value)
{
	const struct bw_key one = {.type = BW_KEY_CHOICE, .choices = k->choices};
	unsigned bits = 0, bit = 0;

	(void)name;
	if (n->kind != BW_NODE_LIST) {
		bw_fill_expected(f, k, n, NULL);
		return;
	}
	if (n->count == 0 && (k->flags & BW_KEY_NOT_EMPTY))
		bw_fill_complain(f, false, n, "is empty; leave it out for the default");
	for (size_t i = 0; i < n->count; i++) {
		size_t mark = bw_fill_enter_item(f, i);

		if (find_choice(f, &one, n->items[i], &bit))
			bits |= 1U << bit;
		bw_fill_leave(f, mark);
	}
	*(unsigned *)value = bits;
}

static void refuse_url(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n,
		       const char *problem)
{
	bool has_user = strcmp(problem, BW_URL_HAS_USER) == 0 && k->user_info;
	BW_AUTOFREE char *where = has_user ? bw_asprintf("%s; %s", problem, k->user_info) : NULL;

	expected_unquoted(f, k, n, where ? where : problem);
}

static void fill_url(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		     void *value)
{
	bool may_have_path = (k->flags & (BW_KEY_QUERY | BW_KEY_PATH)) != 0;
	const char *problem;

	(void)name;
	if (n->kind != BW_NODE_TEXT || bw_node_is_nothing(n)) {
		bw_fill_expected(f, k, n, NULL);
		return;
	}
	problem = k->word && bw_text_is(n->text, k->word)
			  ? NULL
			  : bw_scalar_url_problem(n->text, k->choices, may_have_path);
	if (problem)
		refuse_url(f, k, n, problem);
	else
		replace(value, bw_strdup(n->text));
}

/* --- paths ----------------------------------------------------------------------------------------- */

static char *absolute(const struct bw_fill *f, const char *path)
{
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (*path == '/')
		return bw_strdup(path);
	if (strcmp(path, ".") == 0 || *path == '\0')
		return bw_strdup(f->folder);
	return bw_asprintf("%s%s%s", f->folder, bw_text_ends(f->folder, "/") ? "" : "/", path);
}

static void look_for(struct bw_fill *f, const struct bw_node *n, const char *path)
{
	if (f->look && access(path, R_OK) < 0)
		bw_fill_complain(f, true, n, "%s cannot be read: %s", path, strerrordesc_np(errno));
}

static void fill_path(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		      void *value)
{
	(void)name;
	if (!is_text(f, k, n))
		return;
	if (n->text[0] == '~' || !bw_format_line.is_ok(n->text)) {
		bw_fill_expected(f, k, n, n->text[0] == '~' ? "'~' is not expanded" : NULL);
		return;
	}
	replace(value, absolute(f, n->text));
	if (!(k->flags & BW_KEY_OUTSIDE))
		look_for(f, n, *(char **)value);
}

static void fill_git(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		     void *value)
{
	enum bw_git_kind kind;

	(void)name;
	if (n->kind != BW_NODE_TEXT) {
		bw_fill_expected(f, k, n, NULL);
		return;
	}
	kind = bw_scalar_git(n->text);
	if (kind == BW_GIT_REFUSED)
		expected_unquoted(f, k, n, "nothing that git may fetch from");
	else
		replace(value, kind == BW_GIT_URL ? bw_strdup(n->text) : absolute(f, n->text));
	if (kind == BW_GIT_PATH)
		look_for(f, n, *(char **)value);
}

static void fill_glob(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		      void *value)
{
	(void)name;
	if (!is_text(f, k, n))
		return;
	if (bw_format_line.is_ok(n->text))
		replace(value, bw_strdup(n->text));
	else
		bw_fill_expected(f, k, n, NULL);
}

/* --- secrets --------------------------------------------------------------------------------------- */

/* Whether it can be had; the value is wiped at once. One that everyone may read is refused where it is used as well. */
static void look_at_secret(struct bw_fill *f, const struct bw_node *n, const struct bw_secret *s)
{
	BW_AUTOSECRET struct bw_buf value;
	struct bw_err err = BW_ERR_INIT;

	bw_buf_init(&value, BW_SECRET_MAX_BYTES);
	if (f->look && bw_secret_read(s, &value, &err) < 0)
		bw_fill_complain(f, err.code != BW_E_DENIED, n, "%s", err.msg);
}

static void fill_secret(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			void *value)
{
	struct bw_secret *s = value;
	const struct bw_node *env = bw_node_get(n, "env"), *file = bw_node_get(n, "file");
	const struct bw_node *from = env ? env : file;

	(void)name;
	if (n->kind == BW_NODE_TEXT && !bw_node_is_nothing(n)) {
		expected_unquoted(f, k, n, "a secret may not stand in this file");
		return;
	}
	if (n->kind != BW_NODE_MAP || n->count != 2 || !from || from->kind != BW_NODE_TEXT ||
	    !(env ? bw_format_variable.is_ok(from->text) : bw_format_line.is_ok(from->text))) {
		expected_unquoted(f, k, n, "cannot be used");
		return;
	}
	if (env)
		replace(&s->env, bw_strdup(env->text));
	else
		replace(&s->file, absolute(f, file->text));
	look_at_secret(f, n, s);
}

/* Those that basewatch sets itself. */
static bool is_own_header(const char *name)
{
	static const char *const own[] = {"content-type", "content-length", "host", "connection",
					  "transfer-encoding"};

	for (size_t i = 0; i < BW_COUNT(own); i++)
		if (bw_text_is_nocase(name, own[i]))
			return true;
	return strncasecmp(name, "webhook-", strlen("webhook-")) == 0;
}

static void fill_header(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
			void *value)
{
	struct bw_conf_header_value *h = value;

	if (is_own_header(name))
		bw_fill_complain(f, false, n, "basewatch sets this header itself");
	else if (n->kind == BW_NODE_MAP)
		fill_secret(f, k, n, name, &h->secret);
	else if (n->kind != BW_NODE_TEXT || bw_node_is_nothing(n))
		bw_fill_expected(f, k, n, NULL);
	else if (bw_scalar_header_is_secret(name))
		bw_fill_complain(f, false, n,
				 "a secret may not stand in this file; expected {env: NAME} or {file: PATH}");
	else if (!bw_format_line.is_ok(n->text))
		expected_unquoted(f, k, n, "holds control characters, or nothing");
	else
		replace(&h->text, bw_strdup(n->text));
}

void bw_fill_value(struct bw_fill *f, const struct bw_key *k, const struct bw_node *n, const char *name,
		   void *value)
{
	static const fill_fn by_type[] = {
		[BW_KEY_TEXT] = fill_text,	   [BW_KEY_SCALAR] = fill_scalar,
		[BW_KEY_BOOL] = fill_bool,	   [BW_KEY_INTEGER] = fill_integer,
		[BW_KEY_DECIMAL] = fill_decimal,   [BW_KEY_PERCENT] = fill_percent,
		[BW_KEY_DURATION] = fill_duration, [BW_KEY_CHOICE] = fill_choice,
		[BW_KEY_CHOICES] = fill_choices,   [BW_KEY_URL] = fill_url,
		[BW_KEY_GIT] = fill_git,	   [BW_KEY_GLOB] = fill_glob,
		[BW_KEY_FILE] = fill_path,	   [BW_KEY_FOLDER] = fill_path,
		[BW_KEY_SECRET] = fill_secret,	   [BW_KEY_HEADER] = fill_header,
	};

	by_type[k->type](f, k, n, name, value);
}
