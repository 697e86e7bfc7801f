#include "daemon/fetched.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* One file may be in a thousand branches, which costs its server nothing. */
#define MAX_BYTES (128U << 20)

static struct bw_fetched_branch *last(const struct bw_fetched *f)
{
	return &f->branches[f->count - 1];
}

static void take_branch(const struct bw_git_branch *b, void *arg)
{
	struct bw_fetched *f = arg;

	BW_PUSH(f->branches, f->count, f->capacity) =
		(struct bw_fetched_branch){.source = bw_giturl_source(&f->origin->url, b->name),
					   .branch = bw_strdup(b->name),
					   .commit = bw_strdup(b->commit),
					   .is_unchanged = b->is_unchanged};
}

static void take_file(const struct bw_git_branch *b, const struct bw_git_file *x, void *arg)
{
	struct bw_fetched *f = arg;
	struct bw_fetched_branch *branch = last(f);
	struct bw_fetched_file *file = &BW_PUSH(branch->files, branch->count, branch->capacity);

	(void)b;
	*file = (struct bw_fetched_file){.path = bw_strdup(x->path), .problem = bw_strdup_null(x->problem)};
	bw_buf_init(&file->text, BW_MAX_BUILDFILE_BYTES);
	if (!x->text)
		return;
	if (x->text->len > MAX_BYTES - f->bytes) {
		file->problem = bw_asprintf("more than %u MiB of build files in all branches; not read",
					    MAX_BYTES >> 20);
		return;
	}
	f->bytes += x->text->len;
	(void)bw_buf_add(&file->text, bw_buf_str(x->text), x->text->len);
}

static void take_link(const struct bw_git_branch *b, const char *path, const char *problem, void *arg)
{
	struct bw_fetched *f = arg;

	(void)b;
	BW_PUSH(f->links, f->link_count, f->link_capacity) =
		bw_asprintf("%s:%s: %s", last(f)->source, path, problem);
}

static void take_tree(const struct bw_git_branch *b, void *arg)
{
	last(arg)->tree = bw_git_take_tree(b);
}

static void take_missing(const char *branch, void *arg)
{
	struct bw_fetched *f = arg;

	BW_PUSH(f->missing, f->missing_count, f->missing_capacity) = bw_strdup(branch ? branch : "HEAD");
}

static void take_end(int rc, const struct bw_err *err, void *arg)
{
	struct bw_fetched *f = arg;

	if (rc < 0)
		f->problem = bw_strdup(err->msg);
	f->end(f->arg);
}

struct bw_git_job *bw_fetched_start(struct bw_git *g, const struct bw_origin *o,
				    const struct bw_git_known *known, size_t known_count,
				    void (*end)(void *arg), void *arg, struct bw_fetched *f)
{
	struct bw_git_request req = bw_origin_request(o);
	const struct bw_git_hooks hooks = {.branch = take_branch,
					   .file = take_file,
					   .link = take_link,
					   .listed = take_tree,
					   .missing = take_missing,
					   .end = take_end,
					   .arg = f};

	*f = (struct bw_fetched){.origin = o, .end = end, .arg = arg};
	req.known = known;
	req.known_count = known_count;
	return bw_git_start(g, &req, &hooks);
}

static void free_branch(struct bw_fetched_branch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->files[i].path);
		free(b->files[i].problem);
		bw_buf_done(&b->files[i].text);
	}
	free(b->files);
	free(b->source);
	free(b->branch);
	free(b->commit);
	bw_git_free_tree(b->tree);
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void bw_fetched_done(struct bw_fetched *f)
{
	for (size_t i = 0; i < f->count; i++)
		free_branch(&f->branches[i]);
	free(f->branches);
	free_texts(f->missing, f->missing_count);
	free_texts(f->links, f->link_count);
	free(f->problem);
	*f = (struct bw_fetched){0};
}

const struct bw_fetched_branch *bw_fetched_find(const struct bw_fetched *f, const char *branch)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->branches[i].branch, branch) == 0)
			return &f->branches[i];
	return NULL;
}

bool bw_fetched_is_lack(const struct bw_fetched *f, size_t i)
{
	return f->count == 0 || !strpbrk(f->missing[i], "*?[");
}

size_t bw_fetched_lacks(const struct bw_fetched *f)
{
	size_t count = 0;

	for (size_t i = 0; i < f->missing_count; i++)
		count += bw_fetched_is_lack(f, i);
	return count;
}

char *bw_fetched_lack(const char *missing)
{
	return strcmp(missing, "HEAD") == 0 ? bw_strdup("it is empty, or its HEAD is no branch that it has")
					    : bw_asprintf("it has no branch '%s'", missing);
}
