// SPDX-License-Identifier: PostgreSQL
/* Statements of a dump that have to do with tables whose columns are called otherwise on the target. What a name in
 * a definition means, the server knows best: each such table has the source's names for the length of the statement,
 * and the target's again behind it, in the same transaction. So views, expressions, keys and whatever else comes
 * to follow the new names by itself; only what is mere text to the server does not, as the body of a function. */
#ifndef SCHEMA_COLUMNS_H
#define SCHEMA_COLUMNS_H

#include "../renames.h"

struct renamed_table {
	char schema[NAME_SIZE], name[NAME_SIZE]; /* the target's */
	struct renames columns;
};

struct renamed_tables {
	struct renamed_table *items;
	size_t count;
};

/* Copies the columns; a table without any is not added. */
void renamed_tables_add(struct renamed_tables *r, const char *schema, const char *name, const struct renames *columns);
void renamed_tables_free(struct renamed_tables *r); /* then it is empty */

/* Borrowed; NULL: it is none of them. */
const struct renames *renamed_tables_find(const struct renamed_tables *r, const char *schema, const char *name);
/* Does the statement name any of them? */
bool renamed_tables_in(const struct renamed_tables *r, const char *sql);
/* The statement with what comes before and behind it, to be run in a transaction. */
void renamed_tables_around(struct strbuf *b, const struct renamed_tables *r, const char *sql);

#endif
