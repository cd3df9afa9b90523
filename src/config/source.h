// SPDX-License-Identifier: PostgreSQL
/* The text of a configuration file with its includes in their places, ready for libconfig, and the
 * way back from a line of that text to the file and line a person wrote.
 *
 * libconfig could include by itself, but 1.5 ends the process when an include is a folder, takes no
 * absolute paths, cuts whole numbers to 32 bits without a word, and lets an unclosed comment
 * swallow the rest of a file. So files are put together here, numbers are marked as wide, and the
 * rest is an error. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <sys/types.h>

#include <pgpier/config.h>

struct source_file {
	char *path;
	mode_t mode;
};

struct source_line {
	size_t file;
	int line;
};

struct source {
	struct strbuf text;
	struct source_file *files;
	size_t file_count;
	struct source_line *lines; /* of text */
	size_t line_count;
};

enum source_result { SOURCE_READ, SOURCE_ABSENT, SOURCE_BROKEN };

/* Reads path and what it includes, relative to the including file's folder. ABSENT adds no problem
 * and is only said of path itself; BROKEN added at least one. */
enum source_result source_read(struct source *s, const char *path, struct config_problems *p);
void source_free(struct source *s);
/* Where line (from 1) of text was written. Borrowed. */
const struct source_file *source_where(const struct source *s, int line, int *file_line);

/* Adds "path:line: text", harmless for a terminal. Line 0 leaves the line out. */
void problem_add(struct config_problems *p, const char *path, int line, const char *fmt, ...)
	PG_PRINTF(4, 5);

#endif
