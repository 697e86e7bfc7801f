/* history.c - how bases moved; see store/base.h. */
#include <string.h>

#include "core/mem.h"
#include "store/base.h"
#include "store/sql.h"

enum { SEEN_BASE, SEEN_NUMBER, SEEN_AT, SEEN_DIGEST, SEEN_PREVIOUS, SEEN_CLASS, SEEN_MOVED };

/* "registry/repository[:tag]" in its parts, cut in place. The registry may have a colon, the repository has none. */
struct name {
	char *registry;
	const char *repository;
	const char *tag; /* NULL: all */
};

static void split(char *text, struct name *ret)
{
	char *slash = strchr(text, '/');
	char *rest = slash ? slash + 1 : text + strlen(text);
	char *colon = strrchr(rest, ':');

	*ret = (struct name){.registry = text, .repository = rest, .tag = colon ? colon + 1 : NULL};
	if (slash)
		*slash = '\0';
	if (colon)
		*colon = '\0';
}

static int each(struct bw_store *s, sqlite3_stmt *q, bw_sighting_fn fn, void *arg, struct bw_err *err)
{
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const struct bw_sighting x = {
			.base = bw_sql_column(q, SEEN_BASE),
			.number = bw_sql_column_u32(q, SEEN_NUMBER),
			.at_ms = bw_sql_column_int(q, SEEN_AT),
			.digest = bw_sql_column(q, SEEN_DIGEST),
			.previous = bw_sql_column(q, SEEN_PREVIOUS),
			.change_class = bw_sql_column(q, SEEN_CLASS),
			.moved = bw_sql_column(q, SEEN_MOVED),
		};

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(&x, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_sighting(struct bw_store *s, const char *base, bw_sighting_fn fn, void *arg,
			   struct bw_err *err)
{
	BW_AUTOFREE char *text = bw_strdup_null(base);
	BW_AUTOSQL sqlite3_stmt *q = NULL; /* let go before the text that is bound to it */
	int rc = bw_sql_use(s, base ? BW_SQL_HISTORY : BW_SQL_HISTORY_ALL, &q, err);

	if (rc < 0)
		return rc;
	if (text) {
		struct name n;

		split(text, &n);
		bw_sql_bind_text(q, 1, n.registry);
		bw_sql_bind_text(q, 2, n.repository);
		bw_sql_bind_text(q, 3, n.tag);
	}
	return each(s, q, fn, arg, err);
}
