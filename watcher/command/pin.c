#include <stdlib.h>
#include <string.h>

#include "buildfile/pin.h"
#include "command/command.h"
#include "command/edit.h"
#include "command/follow.h"
#include "command/output.h"
#include "command/wording.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "report/report.h"

/* A line of a patch is a line of either text and a sign; with three lines of context around each. */
#define MAX_PATCH_BYTES (8U * BW_MAX_BUILDFILE_BYTES)

struct pin {
	const struct bw_args *args;
	struct bw_build_options options;
	struct bw_follows follows;
	struct bw_gather_counts gathered;
	char *folder;	   /* that paths in the patch count from; NULL: the current one */
	size_t references; /* that were edited, or would be */
	size_t files;
	enum bw_exit failed; /* of what could not be written; BW_EXIT_OK: nothing */
};

/* --- one file ----------------------------------------------------------------------------------------- */

static void list_left(struct pin *p, const struct bw_follow_file *file, const struct bw_follow *x,
		      const char *reason, bool is_unknown)
{
	BW_AUTOFREE char *place = bw_follow_place(file, file->parsed.uses[x->use].span.line);

	p->follows.left++;
	if (is_unknown) {
		p->follows.unknown++;
		bw_error("%s: %s: %s", place, bw_follow_name(x), reason);
	} else {
		bw_warn("%s: %s: %s", place, bw_follow_name(x), reason);
	}
}

static void say_note(const struct bw_follow_file *file, const struct bw_follow *x)
{
	BW_AUTOFREE char *place = bw_follow_place(file, file->parsed.uses[x->use].span.line);

	if (x->repin.note)
		bw_warn("%s: %s: %s", place, bw_follow_name(x), x->repin.note);
}

/* The edits that are wanted in a file; the uses that shall not or cannot have one are listed. */
static size_t want_edits(struct pin *p, const struct bw_follow_file *file, struct bw_pin_edit *edits)
{
	size_t count = 0;

	for (size_t i = 0; i < file->count; i++) {
		const struct bw_follow *x = &file->uses[i];

		switch (x->repin.outcome) {
		case BW_REPIN_KEEP: say_note(file, x); break;
		case BW_REPIN_UNKNOWN: list_left(p, file, x, x->repin.reason, true); break;
		case BW_REPIN_REFUSE: list_left(p, file, x, x->repin.reason, false); break;
		case BW_REPIN_MOVE:
			edits[count++] = (struct bw_pin_edit){.use = x->use, .digest = x->repin.digest};
			break;
		}
	}
	return count;
}

/* Lists what was refused of them; returns how many were not. They are in the order of the uses that move. */
static size_t count_edits(struct pin *p, const struct bw_follow_file *file, const struct bw_pin_edit *edits)
{
	size_t done = 0;

	for (size_t i = 0; i < file->count; i++) {
		const struct bw_follow *x = &file->uses[i];

		if (x->repin.outcome != BW_REPIN_MOVE)
			continue;
		if (edits->refused) {
			list_left(p, file, x, edits->refused, false);
		} else {
			say_note(file, x);
			done++;
		}
		edits++;
	}
	return done;
}

static void print_patch(struct pin *p, const struct bw_follow_file *file, const struct bw_buf *after)
{
	BW_AUTOFREE char *inner = NULL;
	BW_AUTOBUF struct bw_buf patch;

	if (strcmp(file->path, "-") == 0)
		inner = bw_strdup("Dockerfile");
	else
		inner = bw_report_path("", file->path, p->folder ? p->folder : p->follows.cwd);
	bw_buf_init(&patch, MAX_PATCH_BYTES);
	bw_patch_format(inner, file->text, file->len, after->data, after->len, &patch);
	bw_output_bytes(bw_buf_str(&patch), patch.len);
}

static void note_failure(struct pin *p, const struct bw_err *err)
{
	if (bw_exit_of(err) > p->failed)
		p->failed = bw_exit_of(err);
}

/* False: it was not written, and that was said. */
static bool write_file(struct pin *p, const struct bw_follow_file *file, const struct bw_buf *after)
{
	BW_AUTOFREE char *shown = bw_text_escaped(file->shown);
	struct bw_err err = BW_ERR_INIT;

	if (bw_edit_replace(file->path, file->text, file->len, after->data, after->len, &err) == 0) {
		printf("%s\n", shown);
		if (bw_edit_sync(file->path, &err) < 0) {
			bw_error("%s: edited, but a crash of the system may undo that: %s", file->shown,
				 err.msg);
			note_failure(p, &err);
		}
		return true;
	}
	bw_error("%s: %s", file->shown, err.msg);
	note_failure(p, &err);
	return false;
}

/* The patch or the new file; false: nothing came of it. */
static bool put_out(struct pin *p, const struct bw_follow_file *file, const struct bw_buf *after)
{
	if (p->args->write)
		return write_file(p, file, after);
	if (!(p->args->check && p->args->quiet))
		print_patch(p, file, after);
	return true;
}

static void pin_file(struct pin *p, const struct bw_follow_file *file)
{
	struct bw_pin_edit *edits = bw_alloc(file->count * sizeof(*edits));
	BW_AUTOBUF struct bw_buf after;
	size_t count = want_edits(p, file, edits), done;
	bool is_edited;

	bw_buf_init(&after, 2 * BW_MAX_BUILDFILE_BYTES);
	is_edited = count > 0 &&
		    bw_pin_apply(file->text, file->len, &p->options, &file->parsed, edits, count, &after);
	done = count_edits(p, file, edits);
	if (is_edited && put_out(p, file, &after)) {
		p->references += done;
		p->files++;
	} else if (is_edited) {
		p->follows.left += done;
	}
	bw_pin_edits_done(edits, count);
	free(edits);
}

/* --- the verb ----------------------------------------------------------------------------------------- */

static void say_summary(const struct pin *p)
{
	const size_t left = p->follows.left;

	if (p->args->quiet)
		return;
	if (p->references > 0)
		fprintf(stderr, "%zu reference%s in %zu file%s", p->references,
			bw_wording_plural(p->references), p->files, bw_wording_plural(p->files));
	else
		fputs("nothing to change", stderr);
	if (left > 0)
		fprintf(stderr, "; %zu left as %s", left, left == 1 ? "it is" : "they are");
	fputc('\n', stderr);
}

/* What was done counts; only where nothing could be done, what is not known does. */
static enum bw_exit exit_of(const struct pin *p)
{
	if (p->failed != BW_EXIT_OK)
		return p->failed;
	if (p->references > 0)
		return p->args->check ? BW_EXIT_STALE : BW_EXIT_OK;
	return p->follows.unknown + p->gathered.unreadable > 0 ? BW_EXIT_UNKNOWN : BW_EXIT_OK;
}

static int finish(struct pin *p, enum bw_exit *ret, struct bw_err *err)
{
	int rc;

	p->folder = bw_follows_folder(&p->follows);
	for (size_t i = 0; i < p->follows.count; i++)
		pin_file(p, p->follows.files[i]);
	rc = bw_output_flush(err);
	if (rc < 0)
		return rc;
	if (p->folder && p->files > 0 && !p->args->write)
		bw_warn("paths in the patch count from %s: apply it with `git -C %s apply`", p->folder,
			p->folder);
	say_summary(p);
	*ret = exit_of(p);
	return 0;
}

static int pin(struct pin *p, enum bw_exit *ret, struct bw_err *err)
{
	const struct bw_gather_hooks hooks = {.file = bw_follows_take, .arg = &p->follows};
	bool interrupted = false;
	int rc;

	bw_gather_options(p->args, &p->options);
	rc = bw_gather(p->args, &hooks, &p->gathered, err);
	if (rc == 0 && p->gathered.files == 0)
		bw_warn("no build files found");
	if (rc == 0)
		rc = bw_follows_ask(&p->follows, p->args, &interrupted, err);
	if (rc < 0)
		return rc;
	if (!interrupted)
		return finish(p, ret, err);
	bw_warn("interrupted: nothing was edited");
	*ret = BW_EXIT_INTERRUPTED;
	return 0;
}

/* NULL: nothing is wrong with the options. */
static const char *find_misuse(const struct bw_args *a)
{
	if (a->write && a->check)
		return "--write and --check exclude each other";
	for (size_t i = 0; i < a->operands.count; i++)
		if (a->write && bw_text_is(a->operands.items[i], "-"))
			return "--write cannot edit standard input";
	return NULL;
}

enum bw_exit bw_command_pin(const struct bw_args *a)
{
	struct pin p = {.args = a};
	struct bw_err err = BW_ERR_INIT;
	enum bw_exit code = BW_EXIT_OK;
	const char *misuse = find_misuse(a);
	int rc;

	if (misuse) {
		bw_error("%s; see `basewatch pin --help`", misuse);
		return BW_EXIT_USAGE;
	}
	bw_follows_init(&p.follows);
	rc = pin(&p, &code, &err);
	free(p.folder);
	bw_follows_done(&p.follows);
	return rc < 0 ? bw_exit_with(&err) : code;
}
