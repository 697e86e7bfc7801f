/*
 * recipe.h - what is made of a build file: target, arguments, contexts and platforms, and what a person says of the
 * result. A build file of which nothing is configured has the plain one: no more than `docker build .`.
 */
#ifndef BW_DAEMON_RECIPE_H
#define BW_DAEMON_RECIPE_H

#include "buildfile/dockerfile.h"
#include "config/conf.h"
#include "core/buf.h"
#include "image/digest.h"

struct bw_recipe {
	char *file;   /* inside the source, without "./"; NULL: any that has none of its own */
	char *target; /* as the store has it: lower case; "" = the last stage */
	struct bw_build_options options; /* its platform is the first; the builder is this machine */
	struct bw_platform *platforms;	 /* when there are several, all of them */
	size_t platform_count;		 /* else 0 */
	char *image, *labels;		 /* NULL: nothing was said; labels are a JSON object */
};

/* The plain one, with what a build would be given; it refers to `o`, but for the target. */
void bw_recipe_init(struct bw_recipe *r, const struct bw_build_options *o);
/* That of the configuration, copied. BW_E_CONFIG names a platform that is none; to be freed in every case. */
int bw_recipe_init_configured(struct bw_recipe *r, const struct bw_conf_build *b,
			      struct bw_err *err) BW_NODISCARD;
void bw_recipe_done(struct bw_recipe *r);

/* A build file, read by a recipe, with what identifies it (store/build.h). Valid only as long as its giver says. */
struct bw_found_build {
	const char *source; /* "" for a folder without a name; "URL#branch" of a git repository */
	const char *root;   /* of a named source; else "" */
	const char *path;   /* absolute, or inside the root of a named source; "-" for standard input */
	const char *target; /* as in the recipe */
	const char *image, *labels;
	bool is_configured; /* the recipe is of this very file */
	bool is_template;
	const struct bw_buf *text; /* as it was read; NULL: could not be read */
	/* NULL: could not be read. Whoever is shown it may take its contents and zero it. */
	struct bw_dockerfile *file;
	const char *problem; /* without a text: why */
	struct bw_digest fingerprint;
};

/*
 * Reads the text of a build file: fills file, fingerprint, target, image and labels. Contents go to `ret_file`, which
 * `x` points to then; without a text nothing but the names is filled. May run on any thread.
 */
void bw_recipe_read(const struct bw_recipe *r, struct bw_found_build *x, struct bw_dockerfile *ret_file);

/* Everything of the recipe that decides which uses come out, and how the build is told of; for comparisons. */
void bw_recipe_print(const struct bw_recipe *r, struct bw_buf *ret);

#endif
