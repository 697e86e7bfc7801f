#include "command/state.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "command/setup.h"
#include "core/mem.h"

#define DATABASE "basewatch.db"

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

/* `state:` of the configuration; NULL where it says nothing. It is read even where nobody asks, when it was named. */
static int configured_state(const struct bw_args *a, char **ret, struct bw_err *err)
{
	struct bw_conf *c = NULL;
	int rc = a->db && !a->config ? 0 : bw_setup_load(a, &c, err);

	if (rc == 0)
		*ret = bw_strdup_null(c ? c->state : NULL);
	bw_conf_free(c);
	return rc;
}

int bw_state_path(const struct bw_args *a, char **ret, struct bw_err *err)
{
	BW_AUTOFREE char *state = NULL;
	int rc = configured_state(a, &state, err);

	return rc < 0 ? rc : bw_state_place(a->db, state, ret, err);
}

int bw_state_place(const char *db, const char *state, char **ret, struct bw_err *err)
{
	const char *dir;

	if (db)
		*ret = bw_strdup(db);
	else if (state)
		*ret = bw_asprintf("%s/" DATABASE, state);
	else if ((dir = env("STATE_DIRECTORY"))) /* systemd: several are separated by colons, ours is the
						    first */
		*ret = bw_asprintf("%.*s/" DATABASE, (int)strcspn(dir, ":"), dir);
	else if ((dir = env("XDG_STATE_HOME")))
		*ret = bw_asprintf("%s/basewatch/" DATABASE, dir);
	else if ((dir = env("HOME")))
		*ret = bw_asprintf("%s/.local/state/basewatch/" DATABASE, dir);
	else
		return bw_fail(err, BW_E_INPUT,
			       "no place for the database: $HOME is not set; give --db FILE");
	return 0;
}

/* Creates the folders of `path`, each 0700; those that exist are left as they are. */
static int make_folders(char *path, struct bw_err *err)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0700) < 0 && errno != EEXIST ? errno : 0;
		if (failed)
			bw_fail_sys(err, failed, "create folder %s for the database", path);
		*slash = '/';
		if (failed) {
			err->code = failed == ENOSPC || failed == EDQUOT ? BW_E_FULL : BW_E_DENIED;
			return err->code;
		}
	}
	return 0;
}

int bw_state_open(const struct bw_args *a, struct bw_store **ret, struct bw_err *err)
{
	BW_AUTOFREE char *path = NULL;
	int rc = bw_state_path(a, &path, err);

	if (rc == 0)
		rc = make_folders(path, err);
	return rc < 0 ? rc : bw_store_open(path, ret, err);
}

int bw_state_open_existing(const struct bw_args *a, struct bw_store **ret, struct bw_err *err)
{
	BW_AUTOFREE char *path = NULL;
	int rc = bw_state_path(a, &path, err);

	if (rc < 0)
		return rc;
	rc = bw_store_open_existing(path, ret, err);
	if (rc == BW_E_GONE)
		return bw_fail(err, BW_E_GONE, "no database at %s yet: `basewatch check` makes one", path);
	return rc;
}

enum bw_exit bw_state_run(const struct bw_args *a, bw_state_fn verb)
{
	struct bw_err err = BW_ERR_INIT;
	enum bw_exit code = BW_EXIT_OK;
	struct bw_store *s = NULL;
	int rc = bw_state_open_existing(a, &s, &err);

	if (rc == 0)
		rc = verb(a, s, &code, &err);
	bw_store_close(s);
	return rc < 0 ? bw_exit_with(&err) : code;
}
