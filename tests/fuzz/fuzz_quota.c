/* What registries say of their limits: the input is headers. What is accepted can be planned with, at once and later. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "registry/budget.h"
#include "registry/quota.h"

#define NOW 1767225600000LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan(const struct bw_quota *q)
{
	static const uint64_t times[] = {1000, 2000, 100000, 100000000, 100000000000};
	struct bw_budget b;
	struct bw_budget_plan p;

	bw_budget_init(&b, 20);
	for (size_t i = 0; i < BW_COUNT(times); i++) {
		uint64_t number = bw_budget_sent(&b, i != 3), wait = 0;

		bw_budget_note(&b, number, i != 3, q, true, times[i]);
		bw_budget_plan(&b, times[i], &p);
		assert(p.is_known && p.reserved < p.limit && p.remaining <= p.limit);
		assert(bw_budget_allows(&b, true, times[i], &wait) != BW_BUDGET_SOON);
		assert(wait <= 605000000);
	}
}

/* As struct bw_http_response has them: "name: value\n" each. */
static void add_header(struct bw_buf *headers, char *line)
{
	char *value = line;
	const char *name = strsep(&value, ":");

	if (value)
		(void)(bw_buf_adds(headers, name) && bw_buf_adds(headers, ": ") &&
		       bw_buf_adds(headers, value + strspn(value, " \t")) && bw_buf_adds(headers, "\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = bw_strndup((const char *)data, size);
	BW_AUTOBUF struct bw_buf headers;
	struct bw_quota q;

	bw_buf_init(&headers, 2 * size + 100);
	for (char *rest = text; rest;)
		add_header(&headers, strsep(&rest, "\n"));
	if (!bw_quota_read(bw_buf_str(&headers), NOW, &q))
		return 0;
	assert(q.limit > 0 && q.limit <= UINT32_MAX && q.remaining <= q.limit);
	assert(q.has_reset ? q.reset_s <= 604800 : q.reset_s == 0);
	plan(&q);
	return 0;
}
