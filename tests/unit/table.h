/*
 * table.h - tests written as tables: tests/unit/<name>.tsv, one row per line, fields separated by tabs. Empty
 * lines and lines that begin with '#' are comments. Fields know the escapes \n \t \r \\ \xNN (and \# at the
 * start of a line for a '#').
 *
 * A row that fails is named by file and line, after cmocka's own message.
 */
#ifndef BW_TESTS_TABLE_H
#define BW_TESTS_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#define TABLE_MAX_FIELDS 32

/* `fields` are unescaped and NUL-terminated; `lens` are their lengths, for fields that hold a NUL. */
typedef void (*table_row_fn)(char **fields, size_t *lens, size_t count, void *arg);

static inline int table_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; returns the new length, or -1 for an escape that does not exist. */
static inline long table_unescape(char *field)
{
	char *to = field;

	for (const char *from = field; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		switch (*++from) {
		case 'n': *to++ = '\n'; break;
		case 't': *to++ = '\t'; break;
		case 'r': *to++ = '\r'; break;
		case '\\': *to++ = '\\'; break;
		case '#': *to++ = '#'; break;
		case 'x':
			if (table_hex(from[1]) < 0 || table_hex(from[2]) < 0)
				return -1;
			*to++ = (char)(table_hex(from[1]) * 16 + table_hex(from[2]));
			from += 2;
			break;
		default: return -1;
		}
	}
	*to = '\0';
	return to - field;
}

/*
 * Splits and unescapes one line (changed in place); returns the number of fields, 0 when something is
 * wrong.
 */
static inline size_t table_split(char *line, char **fields, size_t *lens)
{
	size_t count = 0;

	for (char *rest = line; rest;) {
		long len;

		if (count == TABLE_MAX_FIELDS)
			return 0;
		fields[count] = strsep(&rest, "\t");
		len = table_unescape(fields[count]);
		if (len < 0)
			return 0;
		lens[count++] = (size_t)len;
	}
	return count;
}

/*
 * The row that is running. A failing assertion leaves through longjmp(), past every line of ours, so the
 * place is told afterwards: when the next table starts, or when the program ends.
 */
struct table_place {
	char path[256];
	size_t line; /* 0: none */
};

static struct table_place table_now;

__attribute__((destructor)) static void table_tell_place(void)
{
	if (table_now.line > 0)
		(void)fprintf(stderr, "# the row that failed: %s:%zu\n", table_now.path, table_now.line);
	table_now.line = 0;
}

static inline size_t table_rows(FILE *in, size_t min_fields, table_row_fn fn, void *arg)
{
	char *fields[TABLE_MAX_FIELDS], *line = NULL;
	size_t lens[TABLE_MAX_FIELDS], capacity = 0, rows = 0;
	ssize_t len;

	for (size_t number = 1; (len = getline(&line, &capacity, in)) > 0; number++) {
		size_t count;

		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		table_now.line = number;
		count = table_split(line, fields, lens);
		if (count == 0 || count < min_fields)
			fail_msg("%zu fields, or an escape that does not exist; expected %zu", count,
				 min_fields);
		fn(fields, lens, count, arg);
		rows++;
	}
	free(line);
	return rows;
}

/* Calls `fn` for each row of tests/unit/<file>; a row with fewer than `min_fields` fields, or no row, is a
 * failure. */
static inline void table_each(const char *file, size_t min_fields, table_row_fn fn, void *arg)
{
	FILE *in;

	table_tell_place();
	(void)snprintf(table_now.path, sizeof(table_now.path), "tests/unit/%s", file);
	in = fopen(table_now.path, "re");
	assert_non_null(in);
	assert_true(table_rows(in, min_fields, fn, arg) > 0);
	(void)fclose(in);
	table_now.line = 0;
}

#endif
