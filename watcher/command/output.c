#include "command/output.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "report/out.h"

#define DEFAULT_WIDTH 80

static unsigned terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	uint64_t n;

	if (columns && bw_text_number(columns, 20, 1000, &n))
		return (unsigned)n;
	if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20)
		return ws.ws_col;
	return DEFAULT_WIDTH;
}

/* https://no-color.org: present and not empty. */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

void bw_output_init(const struct bw_args *a, struct bw_report_options *ret)
{
	bool is_terminal = isatty(STDOUT_FILENO);

	*ret = (struct bw_report_options){
		.format = a->format,
		.out = stdout,
		.width = is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		.colour = is_terminal && wants_colour(),
		.cwd = getcwd(NULL, 0),
		.now_ms = bw_clock_ms(),
		.count_frontends = a->count_frontends,
	};
}

void bw_output_done(struct bw_report_options *o)
{
	free((void *)(uintptr_t)o->cwd);
}

int bw_output_flush(struct bw_err *err)
{
	return bw_out_finish(stdout, true) ? 0 : bw_fail_sys(err, errno, "write to standard output");
}

/* A manifest is one line, however long it is: it is escaped piece by piece. */
#define PIECE 4096

/* Bytes of the next piece: up to an end of line or tabulator, and no sequence of UTF-8 is cut. */
static size_t piece_of(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && n < PIECE && bytes[n] != '\n' && bytes[n] != '\t') {
		size_t step = bw_utf8_len(bytes + n, len - n);

		n += step > 0 ? step : 1;
	}
	return n;
}

static void print_escaped(const char *bytes, size_t len)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, 8 * (PIECE + 4)); /* a character becomes at most eight bytes: \u{NNNN} */
	while (len > 0) {
		size_t n = piece_of(bytes, len);

		bw_buf_clear(&text);
		if (n == 0)
			bw_buf_addc(&text, bytes[n++]);
		else
			bw_text_escape(&text, bytes, n);
		(void)fwrite(bw_buf_str(&text), 1, text.len, stdout);
		bytes += n;
		len -= n;
	}
}

void bw_output_bytes(const char *bytes, size_t len)
{
	if (isatty(STDOUT_FILENO))
		print_escaped(bytes, len);
	else
		(void)fwrite(bytes, 1, len, stdout);
}

enum bw_exit bw_output_exit(const struct bw_args *a, const struct bw_tally *t)
{
	unsigned found = 0;

	for (unsigned v = BW_STALE; v <= BW_UNKNOWN; v++)
		if (t->counted[v] > 0)
			found |= 1U << v;
	found &= a->fail_on;
	if (found & (1U << BW_STALE | 1U << BW_BEHIND))
		return BW_EXIT_STALE;
	return found ? BW_EXIT_UNKNOWN : BW_EXIT_OK;
}

/* --- progress --------------------------------------------------------------------------------- */

#define PROGRESS_AFTER_MS 700 /* a sweep that is over by then needs no bar */
#define PROGRESS_EVERY_MS 80
#define PROGRESS_BAR	  30

struct bw_progress {
	const char *what;
	int64_t started_ms, shown_ms;
	bool visible;
};

static void hide(struct bw_progress *p)
{
	if (p->visible)
		fputs("\r\033[K", stderr);
	p->visible = false;
}

static void step_aside(bool before, void *arg)
{
	if (before)
		hide(arg);
}

struct bw_progress *bw_progress_new(const struct bw_args *a, const char *what)
{
	struct bw_progress *p;

	if (a->quiet || !isatty(STDERR_FILENO))
		return NULL;
	p = BW_NEW(struct bw_progress);
	p->what = what;
	p->started_ms = bw_clock_ms();
	bw_log_set_hook(step_aside, p);
	return p;
}

void bw_progress_show(struct bw_progress *p, size_t done, size_t total)
{
	int64_t now;
	size_t filled = total ? done * PROGRESS_BAR / total : 0;

	if (!p)
		return;
	now = bw_clock_ms();
	if (now - p->started_ms < PROGRESS_AFTER_MS || now - p->shown_ms < PROGRESS_EVERY_MS)
		return;
	p->shown_ms = now;
	p->visible = true;
	fprintf(stderr, "\r%s [%.*s%*s] %zu/%zu\033[K", p->what, (int)filled,
		"##############################", (int)(PROGRESS_BAR - filled), "", done, total);
}

void bw_progress_free(struct bw_progress *p)
{
	if (!p)
		return;
	hide(p);
	bw_log_set_hook(NULL, NULL);
	free(p);
}
