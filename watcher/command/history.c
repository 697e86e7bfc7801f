#include <string.h>

#include "command/command.h"
#include "command/output.h"
#include "command/state.h"
#include "core/log.h"
#include "core/mem.h"
#include "report/listing.h"

/* With a tag one base; without, all tags of that repository: `history debian` is about debian, not
 * debian:latest. */
static int base_of(const char *image, char **ret, struct bw_err *err)
{
	BW_AUTOREFERENCE struct bw_reference r = {0};
	int rc = bw_reference_parse(image, strlen(image), &r, NULL, err);

	if (rc < 0)
		return bw_err_ctx(err, "'%s'", image);
	*ret = r.tag ? bw_asprintf("%s/%s:%s", r.registry, r.repository, r.tag)
		     : bw_asprintf("%s/%s", r.registry, r.repository);
	return 0;
}

static int history(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	BW_AUTOFREE char *base = NULL;
	struct bw_report_options o;
	size_t count = 0;
	int rc = a->operands.count ? base_of(a->operands.items[0], &base, err) : 0;

	(void)ret;
	if (rc < 0)
		return rc;
	bw_output_init(a, &o);
	rc = bw_history_write(s, base, &o, &count, err);
	bw_output_done(&o);
	if (rc == 0)
		rc = bw_output_flush(err);
	if (rc == 0 && base && count == 0)
		return bw_fail(err, BW_E_GONE, "no sighting of %s: it was never asked for, or never answered",
			       base);
	return rc;
}

enum bw_exit bw_command_history(const struct bw_args *a)
{
	if (a->operands.count <= 1)
		return bw_state_run(a, history);
	bw_error("history takes one IMAGE, got %zu", a->operands.count);
	return BW_EXIT_USAGE;
}
