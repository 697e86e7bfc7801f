/*
 * pin_case.h - Dockerfiles before and after bw_pin_apply(), in tests/unit/pin/<topic>.txt; the form is that of
 * dockerfile_case.h, and besides:
 *
 *     === a sentence that says what the case shows
 *     want: 0=1 2=none          (use = digest; otherwise use N with a tag wants digest N)
 *     ---
 *     FROM debian:12@<a>
 *     --- pins
 *     0 on 1                    (use 0 was edited on line 1; `0 as it is`; `0: why it was refused`)
 *     1| FROM debian:12@<0>     (every line that changed, escaped)
 *
 * In both texts `<x>` with a letter or digit x is a sha256 digest whose hex is 64 times x, `<x*>` its hex alone, and
 * `<512>` a sha512 digest.
 */
#ifndef BW_TESTS_PIN_CASE_H
#define BW_TESTS_PIN_CASE_H

#include <dirent.h>

#include "buildfile/pin.h"
#include "unit/dockerfile_case.h"

#define PIN_MAX_EDITS 64

static const char pin_letters[] = "0123456789abcdef";

/* '!' is the long one. */
static inline void pin_digest(char letter, struct bw_digest *ret)
{
	bool is_long = letter == '!';

	*ret = (struct bw_digest){0};
	(void)snprintf(ret->text, sizeof(ret->text), "%s", is_long ? "sha512:" : "sha256:");
	memset(ret->text + 7, is_long ? '5' : letter, is_long ? 128 : 64);
}

/* A digest by the name of a case: one letter, or "512". */
static inline void pin_named(const char *name, struct bw_digest *ret)
{
	*ret = (struct bw_digest){0};
	if (strcmp(name, "none") == 0)
		return;
	pin_digest(strcmp(name, "512") == 0 ? '!' : *name, ret);
}

/* Puts the digests in for their names. */
static inline void pin_expand(const struct bw_buf *in, struct bw_buf *out)
{
	struct bw_digest d;

	for (size_t i = 0; i < in->len; i++) {
		const char *s = in->data + i;

		if (strncmp(s, "<512>", 5) == 0) {
			pin_named("512", &d);
			assert_true(bw_buf_adds(out, d.text));
			i += 4;
		} else if (*s == '<' && s[1] && strchr(pin_letters, s[1]) &&
			   (s[2] == '>' || (s[2] == '*' && s[3] == '>'))) {
			pin_digest(s[1], &d);
			assert_true(bw_buf_adds(out, d.text + (s[2] == '*' ? 7 : 0)));
			i += s[2] == '*' ? 3 : 2;
		} else {
			assert_true(bw_buf_addc(out, *s));
		}
	}
}

/* The other way round; in place. */
static inline void pin_shorten(char *text)
{
	char *to = text;

	for (const char *s = text; *s;) {
		bool is_long = strncmp(s, "sha512:", 7) == 0 && strspn(s + 7, "5") == 128;
		bool is_whole = strncmp(s, "sha256:", 7) == 0;
		const char *hex = s + (is_whole ? 7 : 0);
		char letter[2] = {*hex, '\0'};

		if (is_long) {
			memcpy(to, "<512>", 5);
			to += 5;
			s += 135;
		} else if (*letter && strchr(pin_letters, *letter) && strspn(hex, letter) == 64) {
			*to++ = '<';
			*to++ = *letter;
			if (!is_whole)
				*to++ = '*';
			*to++ = '>';
			s = hex + 64;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* The wishes of a case; by default each use with a tag wants the digest of its number. */
static inline size_t pin_wishes(const char *wants, const struct bw_dockerfile *d, struct bw_pin_edit *edits)
{
	size_t count = 0;

	for (size_t i = 0; !*wants && i < d->use_count; i++) {
		assert_true(count < PIN_MAX_EDITS);
		if (!d->uses[i].reference || !bw_reference_tag(&d->uses[i].parts))
			continue;
		edits[count] = (struct bw_pin_edit){.use = i};
		pin_digest(pin_letters[i % 10], &edits[count++].digest);
	}
	for (const char *s = wants; *s; s += strspn(s, " ")) {
		char name[8] = "";
		unsigned use;
		int used = 0;

		assert_int_equal(2, sscanf(s, "%u=%7[^ ]%n", &use, name, &used));
		assert_true(use < d->use_count && count < PIN_MAX_EDITS);
		edits[count] = (struct bw_pin_edit){.use = use};
		pin_named(name, &edits[count++].digest);
		s += used;
	}
	return count;
}

static inline void pin_show_edits(struct bw_buf *out, const struct bw_pin_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct bw_pin_edit *e = &edits[i];

		if (e->is_edited)
			(void)bw_buf_addf(out, "%zu on %u\n", e->use, e->line);
		else if (e->refused)
			(void)bw_buf_addf(out, "%zu: %s\n", e->use, e->refused);
		else
			(void)bw_buf_addf(out, "%zu as it is\n", e->use);
	}
}

/* The lines that differ; both texts have as many. */
static inline void pin_show_lines(struct bw_buf *out, const char *a, size_t a_len, const char *b,
				  size_t b_len)
{
	const char *a_end = a + a_len, *b_end = b + b_len;

	for (size_t line = 1; a < a_end; line++) {
		const char *a_next = memchr(a, '\n', (size_t)(a_end - a));
		const char *b_next = memchr(b, '\n', (size_t)(b_end - b));

		assert_int_equal(!a_next, !b_next);
		a_next = a_next ? a_next + 1 : a_end;
		b_next = b_next ? b_next + 1 : b_end;
		if (a_next - a != b_next - b || memcmp(a, b, (size_t)(a_next - a)) != 0) {
			size_t len = (size_t)(b_next - b) - (b_next[-1] == '\n');

			(void)bw_buf_addf(out, "%zu| ", line);
			bw_text_escape(out, b, len);
			(void)bw_buf_addc(out, '\n');
		}
		a = a_next;
		b = b_next;
	}
	assert_true(b == b_end);
}

/* Each file of cases in a folder, which has some. */
static inline void case_each_in(const char *folder, dockerfile_case_fn fn)
{
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (bw_text_ends(e->d_name, ".txt"))
			assert_true(case_each(path, fn) > 0);
	}
	(void)closedir(dir);
}

#endif
