// SPDX-License-Identifier: PostgreSQL
/* One error: what failed, on what, what the server said, what to do next.
 *
 * Functions that can fail return bool (or a pointer) and take `struct error *` last. The level that
 * knows most fills it, each level above may put its subject in front once, and only the top logs it. */
#ifndef PGPIER_ERROR_H
#define PGPIER_ERROR_H

#include <pgpier/base.h>

enum error_class {
	ERROR_NONE,
	ERROR_USAGE,      /* the person asked for something that makes no sense */
	ERROR_CONFIG,     /* a file or a form says something wrong */
	ERROR_CONNECTION, /* retried with back-off */
	ERROR_PERMISSION,
	ERROR_DATA,     /* a row or an object the target refuses; never retried by itself */
	ERROR_CONFLICT, /* the other side is not in the state we need: rows in a target, a lock, a second pgpier */
	ERROR_LOST,     /* snapshot or slot gone */
	ERROR_CANCELLED,
	ERROR_BUG,
};

struct error {
	enum error_class class;
	char sqlstate[6];    /* empty when no server was involved */
	char text[768];      /* the one line, without `next` */
	char next[256];      /* what to do next; may be empty */
	char detail[512];    /* the server's DETAIL, HINT and CONTEXT */
	char statement[256]; /* the statement that failed, cut */
};

/* Overwrites *e. Always returns false, so that failing is one line. */
bool error_set(struct error *e, enum error_class class, const char *fmt, ...) PG_PRINTF(3, 4);
/* Puts "prefix: " in front of the text. Always returns false. */
bool error_prefix(struct error *e, const char *fmt, ...) PG_PRINTF(2, 3);
/* Says what to do next, unless a lower level already did. Always returns false. */
bool error_next(struct error *e, const char *fmt, ...) PG_PRINTF(2, 3);
/* "text; next" in one line into buf. */
const char *error_line(const struct error *e, char *buf, size_t size);
const char *error_class_name(enum error_class class);

#endif
