/*
 * dockerfile_case.h - Dockerfiles with the uses they are expected to have, in
 * tests/unit/dockerfile/<topic>.txt:
 *
 *     === a sentence that says what the case shows
 *     args: NAME=VALUE          (also several; `target:`, `platform:`, `context: NAME=VALUE`)
 *     text: escaped             (\n \r \t \\ \xNN in the text below, and its line ends do not count)
 *     ---
 *     FROM debian:${V}
 *     --- uses
 *     final 1:6 [0] debian:${V} -> debian:12 = docker.io/library/debian:12
 *
 * One line per use: role, place, stage, text as written, `-> expanded` where it differs (`-> !`: expansion
 * fails), then
 * `= reference`, `= scratch` or `? reason`, and remarks in brackets: unreachable, platform, place and text of
 * the ARG default, ignored. Then `error LINE: text` and `warning LINE: text`.
 */
#ifndef BW_TESTS_DOCKERFILE_CASE_H
#define BW_TESTS_DOCKERFILE_CASE_H

#include <stdio.h>

#include "buildfile/dockerfile.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "unit/table.h"

#define CASE_MAX_SETTINGS 16

struct dockerfile_case {
	char name[256];
	size_t line; /* in the case file */
	struct bw_buf text;
	struct bw_buf expected;
	struct bw_setting args[CASE_MAX_SETTINGS];
	struct bw_setting contexts[CASE_MAX_SETTINGS];
	struct bw_build_options opts;
	char *target;
	char wants[256]; /* of pin_case.h */
	bool is_escaped;
};

typedef void (*dockerfile_case_fn)(struct dockerfile_case *c);

static inline void case_init(struct dockerfile_case *c)
{
	*c = (struct dockerfile_case){0};
	bw_buf_init(&c->text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&c->expected, BW_MAX_BUILDFILE_BYTES);
	c->opts.args = c->args;
	c->opts.contexts = c->contexts;
	assert_int_equal(0, bw_platform_parse("linux/amd64", 11, &c->opts.builder, NULL));
}

static inline void case_done(struct dockerfile_case *c)
{
	for (size_t i = 0; i < c->opts.arg_count; i++)
		free(c->args[i].name);
	for (size_t i = 0; i < c->opts.context_count; i++)
		free(c->contexts[i].name);
	free(c->target);
	bw_buf_done(&c->text);
	bw_buf_done(&c->expected);
}

/* "NAME=VALUE": both in one piece of memory. */
static inline struct bw_setting case_setting(const char *text)
{
	char *name = bw_strdup(text);
	char *equals = strchr(name, '=');

	assert_non_null(equals);
	*equals = '\0';
	return (struct bw_setting){.name = name, .value = equals + 1};
}

static inline void case_header(struct dockerfile_case *c, char *line)
{
	if (strncmp(line, "args: ", 6) == 0) {
		assert_true(c->opts.arg_count < CASE_MAX_SETTINGS);
		c->args[c->opts.arg_count++] = case_setting(line + 6);
	} else if (strncmp(line, "context: ", 9) == 0) {
		assert_true(c->opts.context_count < CASE_MAX_SETTINGS);
		c->contexts[c->opts.context_count++] = case_setting(line + 9);
	} else if (strncmp(line, "target: ", 8) == 0) {
		c->target = bw_strdup(line + 8);
		c->opts.target = c->target;
	} else if (strncmp(line, "platform: ", 10) == 0) {
		assert_int_equal(0, bw_platform_parse(line + 10, strlen(line + 10), &c->opts.platform, NULL));
	} else if (strncmp(line, "want: ", 6) == 0) {
		(void)snprintf(c->wants, sizeof(c->wants), "%s", line + 6);
	} else if (strcmp(line, "text: escaped") == 0) {
		c->is_escaped = true;
	} else {
		fail_msg("line %zu: not a header: %s", c->line, line);
	}
}

static inline void case_text(struct dockerfile_case *c, char *line)
{
	if (c->is_escaped) {
		long len = table_unescape(line);

		assert_true(len >= 0);
		assert_true(bw_buf_add(&c->text, line, (size_t)len));
		return;
	}
	assert_true(bw_buf_adds(&c->text, line) && bw_buf_addc(&c->text, '\n'));
}

/* Calls `fn` for each case of the file; returns how many there are. */
static inline size_t case_each(const char *path, dockerfile_case_fn fn)
{
	enum { BEFORE, HEADER, TEXT, USES } state = BEFORE;
	struct dockerfile_case c;
	char *line = NULL;
	size_t capacity = 0;
	size_t number = 0;
	size_t count = 0;
	FILE *in = fopen(path, "re");
	ssize_t len;

	assert_non_null(in);
	while ((len = getline(&line, &capacity, in)) > 0) {
		number++;
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (strncmp(line, "=== ", 4) == 0) {
			if (state == USES) {
				fn(&c);
				case_done(&c);
			}
			case_init(&c);
			(void)snprintf(c.name, sizeof(c.name), "%s", line + 4);
			c.line = number;
			state = HEADER;
			count++;
		} else if (state == HEADER && strcmp(line, "---") == 0) {
			state = TEXT;
		} else if (state == TEXT &&
			   (strcmp(line, "--- uses") == 0 || strcmp(line, "--- pins") == 0)) {
			state = USES;
		} else if (state == HEADER) {
			case_header(&c, line);
		} else if (state == TEXT) {
			case_text(&c, line);
		} else if (state == USES && *line) {
			assert_true(bw_buf_adds(&c.expected, line) && bw_buf_addc(&c.expected, '\n'));
		}
	}
	assert_int_equal(state, USES);
	fn(&c);
	case_done(&c);
	free(line);
	(void)fclose(in);
	return count;
}

/* --- what came out, in the same form ---------------------------------------------------------- */

static inline void show_text(struct bw_buf *out, const char *s)
{
	bw_text_escape(out, s, strlen(s));
}

static inline void show_use(struct bw_buf *out, const struct bw_use *u, const char *file)
{
	char time[BW_TIME_MAX];

	(void)bw_buf_addf(out, "%s %u:%u [%s] ", bw_role_name(u->role), u->span.line, u->span.column,
			  u->stage ? u->stage : "-");
	show_text(out, u->written);
	if (!bw_text_is(u->written, u->expanded)) {
		(void)bw_buf_adds(out, " -> ");
		show_text(out, u->expanded ? u->expanded : "!");
	}
	if (u->is_scratch)
		(void)bw_buf_adds(out, " = scratch");
	else
		(void)bw_buf_addf(out, " %c ", u->reference ? '=' : '?');
	if (!u->is_scratch)
		show_text(out, u->reference ? u->reference : u->unresolved);
	if (!u->reachable)
		(void)bw_buf_adds(out, " (unreachable)");
	if (u->platform)
		(void)bw_buf_addf(out, " (platform %s)", u->platform);
	if (u->arg_span.line > 0)
		(void)bw_buf_addf(out, " (arg %u:%u %.*s)", u->arg_span.line, u->arg_span.column,
				  (int)(u->arg_span.end - u->arg_span.start), file + u->arg_span.start);
	if (u->ignored)
		(void)bw_buf_addf(out, " (ignored: %s)", u->ignored);
	if (u->ignored_until_ms)
		(void)bw_buf_addf(out, " (until %s)", bw_time_format(u->ignored_until_ms, time));
	(void)bw_buf_addc(out, '\n');
}

static inline void show_dockerfile(struct bw_buf *out, const struct bw_dockerfile *d, const char *file)
{
	for (size_t i = 0; i < d->use_count; i++)
		show_use(out, &d->uses[i], file);
	if (d->error) {
		(void)bw_buf_addf(out, "error %u: ", d->error_line);
		show_text(out, d->error);
		(void)bw_buf_addc(out, '\n');
	}
	for (size_t i = 0; i < d->warning_count; i++)
		(void)bw_buf_addf(out, "warning %u: %s\n", d->warnings[i].line, d->warnings[i].text);
}

#endif
