// SPDX-License-Identifier: PostgreSQL
/* What every file may use: attributes, allocation that cannot fail, growing strings and lists.
 *
 * Out of memory ends the process with one line on stderr; nothing else here ends it. Row data from
 * servers never goes through an unbounded buffer, so this happens only when the machine is broken.
 * No function here keeps state: all are safe from any thread on distinct objects. */
#ifndef PGPIER_BASE_H
#define PGPIER_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* PostgreSQL's NAMEDATALEN: names are at most 63 bytes. Peer and mirror names keep to it as well. */
#define NAME_SIZE 64
/* schema.table, both quoted and every quote doubled. */
#define QUALIFIED_SIZE (4 * NAME_SIZE + 8)

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xasprintf(const char *fmt, ...) PG_PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list args) PG_PRINTF(1, 0);

/* Copies src, cut at a character boundary of UTF-8 if it does not fit. Always terminates. */
void copy_text(char *dst, size_t size, const char *src);

/* A string that grows. Start from STRBUF_INIT; text is never NULL-terminated garbage: text[len] is 0. */
struct strbuf {
	char *text;
	size_t len;
	size_t size;
};
#define STRBUF_INIT { NULL, 0, 0 }
void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const void *bytes, size_t n);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PG_PRINTF(2, 3);
void strbuf_clear(struct strbuf *b);
char *strbuf_take(struct strbuf *b); /* never NULL; the caller frees */
void strbuf_free(struct strbuf *b);

/* A list of strings that it owns. */
struct strings {
	char **items;
	size_t count;
};
void strings_add(struct strings *l, const char *s);
void strings_copy(struct strings *dst, const struct strings *src); /* dst is overwritten, not freed */
void strings_free(struct strings *l);
void strings_sort(struct strings *l); /* into strcmp's order */
bool strings_sorted_have(const struct strings *l, const char *s); /* l is in strcmp's order */

/* Grows an array for one more element: GROW(run->tables, run->table_count). */
#define GROW(array, count) ((array) = grow_array((array), (count), sizeof(*(array))))
void *grow_array(void *array, size_t count, size_t element_size);

/* Microseconds: of a clock that never jumps (for durations) and of the wall clock (for display). */
int64_t clock_us(void);
int64_t wall_us(void);

#endif
