/*
 * What comes from git and from people about git: the first byte chooses, the rest is an address, a list of refs, a tree,
 * contents, or what git said when it failed.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "source/gitfault.h"
#include "source/gitout.h"
#include "source/gitpick.h"
#include "source/giturl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_url(const char *text)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_giturl u;
	BW_AUTOFREE char *copy = bw_strdup(text);

	bw_giturl_redact(copy, NULL);
	assert(strlen(copy) <= strlen(text));
	if (bw_giturl_parse(text, &u, &err) < 0) {
		assert(*err.msg);
		return;
	}
	assert(*u.shown && *u.fetch && u.fetch[0] != '-');
	/* What is shown means the same repository, and has no user any more. */
	if (u.scheme != BW_GIT_SSH && u.scheme != BW_GIT_FILE) {
		struct bw_giturl again;

		assert(bw_giturl_parse(u.shown, &again, &err) == 0);
		assert(strcmp(again.shown, u.shown) == 0 && !again.user && !again.password);
		bw_giturl_done(&again);
	}
	bw_giturl_done(&u);
}

static void try_refs(const char *text, size_t len)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_git_refs r;

	if (bw_gitout_refs(text, len, "refs/heads/", &r, &err) < 0)
		return;
	for (size_t i = 0; i < r.count; i++) {
		assert(bw_gitout_is_branch(r.items[i].name) && !strchr(r.items[i].name, '\n'));
		assert(bw_gitout_is_oid(r.items[i].oid, strlen(r.items[i].oid)));
		assert(bw_git_refs_find(&r, r.items[i].name));
	}
	bw_git_refs_done(&r);
}

static const char *link_target(const struct bw_git_entry *link, void *arg)
{
	static const char *const targets[] = {"../x/../a", "b/c", "/etc", "..", ".", "a//b/", NULL};
	const struct bw_git_tree *t = arg;

	return targets[(size_t)(link - t->items) % BW_COUNT(targets)];
}

static void try_tree(const char *text, size_t len)
{
	static const char *const excludes[] = {"**/old/**", "x/", "[a-c]*"};
	const struct bw_git_rules rules = {.excludes = excludes, .exclude_count = BW_COUNT(excludes)};
	struct bw_err err = BW_ERR_INIT;
	struct bw_git_tree t;
	struct bw_buf b;

	bw_buf_init(&b, len + 1);
	(void)bw_buf_add(&b, text, len);
	if (bw_gitout_tree(&b, &t, &err) < 0)
		return;
	for (size_t i = 0; i < t.count; i++) {
		const struct bw_git_entry *to = NULL;

		assert(bw_git_tree_find(&t, bw_git_tree_path(&t, &t.items[i])) == &t.items[i]);
		(void)bw_gitpick_takes(&rules, bw_git_tree_path(&t, &t.items[i]));
		if (t.items[i].kind == BW_GIT_LINK_ENTRY &&
		    bw_gitpick_follow(&rules, &t, &t.items[i], link_target, &t, &to) == BW_GITPICK_FILE)
			assert(to && to->kind == BW_GIT_FILE_ENTRY);
	}
	bw_git_tree_done(&t);
}

static void take_object(size_t n, const struct bw_buf *content, bool is_missing, const char *problem,
			void *arg)
{
	size_t *next = arg;

	assert(n == (*next)++);
	assert(!content == (problem != NULL) && (!content || (content->len <= 64 && !is_missing)));
}

/* Whole and byte by byte: the same. */
static void try_objects(const char *bytes, size_t len)
{
	size_t first = 0, second = 0;
	struct bw_git_objects o = {.max = 64, .object = take_object, .arg = &first};
	bool ok, same = true;

	bw_gitout_objects_init(&o);
	ok = bw_gitout_objects_feed(&o, bytes, len);
	bw_gitout_objects_done(&o);
	o.arg = &second;
	bw_gitout_objects_init(&o);
	for (size_t i = 0; i < len && same; i++)
		same = bw_gitout_objects_feed(&o, bytes + i, 1);
	bw_gitout_objects_done(&o);
	assert(ok == same && first == second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = size > 0 ? bw_strndup((const char *)data + 1, size - 1) : bw_strdup("");
	struct bw_err err = BW_ERR_INIT;

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'u': try_url(text); break;
	case 'r': try_refs(text, size - 1); break;
	case 't': try_tree(text, size - 1); break;
	case 'o': try_objects(text, size - 1); break;
	default: assert(bw_gitfault(text, NULL, &err) < 0 && *err.msg); break;
	}
	return 0;
}
