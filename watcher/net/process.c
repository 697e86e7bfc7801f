/*
 * process.c - libuv's child processes behind one door. A child ends when it was waited for and both its outputs are at
 * their end, because what it said last is read after its exit as a rule. Whatever holds the outputs open longer (what it
 * started, and left behind) is given a moment, and killed.
 */
#include "net/process.h"

#include <assert.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "core/mem.h"

/* How long the outputs of a child that has ended may stay open. */
#define LEFT_BEHIND_MS 500

#define BLOCK_BYTES (64U << 10)

struct bw_process {
	struct bw_loop *loop;
	uv_process_t child;
	uv_pipe_t in, out, err;
	uv_timer_t timer;
	uv_write_t write;
	char *input;
	char *block; /* what is being read */
	struct bw_buf output, errors;
	size_t max_errors;
	bool (*take)(const char *bytes, size_t len, void *arg);
	bw_process_done_fn done; /* NULL: cancelled */
	void *arg;
	int pid;	  /* and its process group */
	unsigned handles; /* not closed yet */
	bool has_input;
	bool exited, out_ended, err_ended;
	bool is_over; /* told, or not to be told any more */
	enum bw_process_end end;
	int status;
};

/* --- the end --------------------------------------------------------------------------------------- */

static void release(uv_handle_t *h)
{
	struct bw_process *p = h->data;

	if (--p->handles > 0)
		return;
	bw_buf_done(&p->output);
	bw_buf_done(&p->errors);
	free(p->input);
	explicit_bzero(p->block, BLOCK_BYTES); /* secrets of credential helpers pass through it */
	free(p->block);
	free(p);
}

static void shut(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, release);
}

static void shut_all(struct bw_process *p)
{
	shut((uv_handle_t *)&p->child);
	shut((uv_handle_t *)&p->out);
	shut((uv_handle_t *)&p->err);
	shut((uv_handle_t *)&p->timer);
	if (p->has_input)
		shut((uv_handle_t *)&p->in);
}

/* A group lives as long as anything in it; when nothing does there is nothing to kill. */
static void kill_group(const struct bw_process *p, int signum)
{
	(void)kill(-p->pid, signum);
}

static void finish(struct bw_process *p)
{
	const struct bw_process_result r = {
		.end = p->end, .status = p->status, .output = &p->output, .errors = &p->errors};

	if (p->is_over || !p->exited || !p->out_ended || !p->err_ended)
		return;
	p->is_over = true;
	shut_all(p);
	if (p->done)
		p->done(&r, p->arg);
}

static void stop_reading(struct bw_process *p)
{
	(void)uv_read_stop((uv_stream_t *)&p->out);
	(void)uv_read_stop((uv_stream_t *)&p->err);
	p->out_ended = true;
	p->err_ended = true;
}

static void arm(struct bw_process *p, uint64_t delay_ms, uv_timer_cb fn)
{
	(void)bw_loop_now(p->loop); /* moves libuv's clock on where nothing else did */
	uv_timer_start(&p->timer, fn, delay_ms, 0);
}

static void lose_patience(uv_timer_t *t)
{
	struct bw_process *p = t->data;

	kill_group(p, SIGKILL);
	if (!p->exited)
		return; /* its exit comes */
	stop_reading(p);
	finish(p);
}

/* We want it to end. What it says meanwhile on its standard error may still tell why it is in trouble. */
static void end_early(struct bw_process *p, enum bw_process_end end)
{
	if (p->end != BW_PROCESS_EXITED || p->exited)
		return;
	p->end = end;
	kill_group(p, SIGTERM);
	arm(p, BW_PROCESS_GRACE_MS, lose_patience);
}

static void be_late(uv_timer_t *t)
{
	end_early(t->data, BW_PROCESS_TIMEOUT);
}

static void see_exit(uv_process_t *child, int64_t status, int signum)
{
	struct bw_process *p = child->data;

	bw_loop_begin_turn(p->loop);
	p->exited = true;
	if (p->end == BW_PROCESS_EXITED && signum != 0)
		p->end = BW_PROCESS_KILLED;
	p->status = signum != 0 ? signum : (int)status;
	if (!p->done) {
		p->is_over = true;
		shut_all(p);
		return;
	}
	if (!p->out_ended || !p->err_ended)
		arm(p, LEFT_BEHIND_MS, lose_patience);
	finish(p);
}

/* --- output ---------------------------------------------------------------------------------------- */

static void lend_block(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct bw_process *p = h->data;

	(void)suggested;
	*ret = uv_buf_init(p->block, BLOCK_BYTES);
}

static void end_output(struct bw_process *p)
{
	(void)uv_read_stop((uv_stream_t *)&p->out);
	p->out_ended = true;
}

static void read_output(uv_stream_t *s, ssize_t got, const uv_buf_t *block)
{
	struct bw_process *p = s->data;

	if (got == 0)
		return; /* nothing there after all */
	if (got < 0) {
		end_output(p);
		finish(p);
	} else if (p->take ? !p->take(block->base, (size_t)got, p->arg)
			   : !bw_buf_add(&p->output, block->base, (size_t)got)) {
		end_output(p);
		end_early(p, p->take ? BW_PROCESS_REFUSED : BW_PROCESS_LIMIT);
		if (p->exited && p->end == BW_PROCESS_EXITED)
			p->end = p->take ? BW_PROCESS_REFUSED : BW_PROCESS_LIMIT; /* it had ended already */
		finish(p);
	}
}

/* Keeps the end: what went wrong is said last. */
static void keep_errors(struct bw_process *p, const char *bytes, size_t len)
{
	struct bw_buf *b = &p->errors;
	size_t keep;

	if (len > p->max_errors) {
		bytes += len - p->max_errors;
		len = p->max_errors;
	}
	keep = p->max_errors - len < b->len ? p->max_errors - len : b->len;
	if (keep < b->len) {
		memmove(b->data, b->data + b->len - keep, keep);
		b->len = keep;
	}
	(void)bw_buf_add(b, bytes, len);
}

static void read_errors(uv_stream_t *s, ssize_t got, const uv_buf_t *block)
{
	struct bw_process *p = s->data;

	if (got > 0)
		keep_errors(p, block->base, (size_t)got);
	if (got >= 0)
		return;
	(void)uv_read_stop(s);
	p->err_ended = true;
	finish(p);
}

/* --- the start ------------------------------------------------------------------------------------- */

/* Written, or the child wants no more of it: that is its business. */
static void end_input(uv_write_t *w, int status)
{
	struct bw_process *p = w->data;

	(void)status;
	shut((uv_handle_t *)&p->in);
}

static void send_input(struct bw_process *p, const struct bw_process_request *req)
{
	uv_buf_t b;

	p->input = bw_alloc(req->input_len);
	memcpy(p->input, req->input, req->input_len);
	b = uv_buf_init(p->input, (unsigned)req->input_len);
	p->write.data = p;
	if (uv_write(&p->write, (uv_stream_t *)&p->in, &b, 1, end_input) < 0)
		shut((uv_handle_t *)&p->in);
}

static void limit(int pid, __rlimit_resource_t what, uint64_t most)
{
	const struct rlimit r = {.rlim_cur = most, .rlim_max = most};

	/* Fails only for a process that has gone already, or a limit of ours that is lower: then that one holds. */
	if (most > 0)
		(void)prlimit(pid, what, &r, NULL);
}

static void init_handles(struct bw_process *p, uv_loop_t *uv)
{
	uv_pipe_init(uv, &p->out, 0);
	uv_pipe_init(uv, &p->err, 0);
	uv_timer_init(uv, &p->timer);
	p->handles = 4; /* these and the child, which uv_spawn() makes a handle in any case */
	if (p->has_input) {
		uv_pipe_init(uv, &p->in, 0);
		p->handles++;
	}
	p->child.data = p;
	p->in.data = p;
	p->out.data = p;
	p->err.data = p;
	p->timer.data = p;
}

static int spawn(struct bw_process *p, const struct bw_process_request *req, uv_loop_t *uv)
{
	uv_stdio_container_t io[3] = {
		{.flags = UV_IGNORE}, /* /dev/null */
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->out},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->err},
	};
	const uv_process_options_t o = {
		.exit_cb = see_exit,
		.file = req->argv[0],
		.args = (char **)(uintptr_t)req->argv, /* libuv changes neither of them */
		.env = (char **)(uintptr_t)req->env,
		.cwd = req->cwd,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = io,
	};

	if (p->has_input)
		io[0] = (uv_stdio_container_t){.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
					       .data.stream = (uv_stream_t *)&p->in};
	return uv_spawn(uv, &p->child, &o);
}

static void run(struct bw_process *p, const struct bw_process_request *req)
{
	p->pid = uv_process_get_pid(&p->child);
	limit(p->pid, RLIMIT_AS, req->max_memory_bytes);
	limit(p->pid, RLIMIT_FSIZE, req->max_file_bytes);
	limit(p->pid, RLIMIT_CPU, req->max_cpu_s);
	if (uv_read_start((uv_stream_t *)&p->out, lend_block, read_output) < 0 ||
	    uv_read_start((uv_stream_t *)&p->err, lend_block, read_errors) < 0)
		end_early(p, BW_PROCESS_REFUSED); /* cannot happen with pipes that were just made */
	if (p->has_input)
		send_input(p, req);
	if (p->end == BW_PROCESS_EXITED && req->timeout_ms > 0)
		arm(p, req->timeout_ms, be_late);
}

/*
 * Our own descriptors are closed at an exec in any case; those that we were started with are not ours to hand on. Where
 * the kernel does not know the call (before 5.11), they stay.
 */
static void close_ours(void)
{
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

int bw_process_start(struct bw_loop *l, const struct bw_process_request *req, bw_process_done_fn done,
		     void *arg, struct bw_process **ret, struct bw_err *err)
{
	struct bw_process *p = BW_NEW(struct bw_process);
	int rc;

	assert(req->argv[0] && req->max_errors > 0 && req->input_len <= UINT32_MAX);
	p->loop = l;
	p->block = bw_alloc(BLOCK_BYTES);
	p->take = req->output;
	p->max_errors = req->max_errors;
	p->has_input = req->input_len > 0;
	bw_buf_init(&p->output, req->max_output);
	bw_buf_init(&p->errors, req->max_errors);
	init_handles(p, bw_loop_uv(l));
	close_ours();
	rc = spawn(p, req, bw_loop_uv(l));
	if (rc < 0) {
		p->is_over = true;
		shut_all(p);
		return bw_fail_sys(err, -rc, "run %s", req->argv[0]);
	}
	p->done = done;
	p->arg = arg;
	run(p, req);
	*ret = p;
	return 0;
}

/* It has to be waited for, or it stays a zombie: the memory goes behind its exit, which is near now. */
void bw_process_cancel(struct bw_process *p)
{
	if (!p || p->is_over)
		return;
	p->done = NULL;
	p->take = NULL;
	stop_reading(p);
	kill_group(p, SIGKILL);
	if (p->exited)
		finish(p);
}
