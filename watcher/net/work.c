/* work.c - libuv's thread pool behind one door. */
#include "net/work.h"

#include <uv.h>

#include "core/mem.h"

struct bw_work {
	uv_work_t uv;
	uv_sem_t ended; /* posted when `work` has returned */
	bw_work_fn work;
	bw_work_fn done; /* NULL: cancelled */
	void *arg;
};

static void work_there(uv_work_t *uv)
{
	struct bw_work *w = uv->data;

	w->work(w->arg);
	uv_sem_post(&w->ended);
}

/* The thread has let go of `w`; so has its owner, who either cancelled it or is
 * told here. */
static void come_back(uv_work_t *uv, int status)
{
	struct bw_work *w = uv->data;
	bw_work_fn done = w->done;
	void *arg = w->arg;

	(void)status; /* negative only for what was cancelled */
	uv_sem_destroy(&w->ended);
	free(w);
	if (done)
		done(arg);
}

struct bw_work *bw_work_start(struct bw_loop *l, bw_work_fn work, bw_work_fn done, void *arg)
{
	struct bw_work *w = BW_NEW(struct bw_work);

	w->work = work;
	w->done = done;
	w->arg = arg;
	w->uv.data = w;
	(void)uv_sem_init(&w->ended, 0); /* fails for impossible values only */
	(void)uv_queue_work(bw_loop_uv(l), &w->uv, work_there, come_back); /* and this without `work` only */
	return w;
}

/* What no thread has taken up yet never begins. The memory goes in a later
 * turn, or with the loop. */
void bw_work_cancel(struct bw_work *w)
{
	if (!w)
		return;
	w->done = NULL;
	if (uv_cancel((uv_req_t *)&w->uv) < 0)
		uv_sem_wait(&w->ended);
}
