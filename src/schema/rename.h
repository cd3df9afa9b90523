// SPDX-License-Identifier: PostgreSQL
/* Columns that the target calls otherwise. PostgreSQL's own functions print definitions with the source's
 * names, and nobody but PostgreSQL knows which word of an expression is a column. So:
 *
 *   a table is made with the source's names, whatever its defaults, checks, generated columns and partition
 *   key say of them, and its columns get their own names before it is joined to anything;
 *   a list of plain columns (keys, most indexes) has them in places that can be told, and is rewritten;
 *   what has expressions and comes after the rows is first made upon an empty copy of the table, whose columns
 *   are called as on the source; there they get their new names, and the definition is printed anew. */
#ifndef SCHEMA_RENAME_H
#define SCHEMA_RENAME_H

#include "defs.h"

bool table_is_renamed(const struct def_table *t); /* any column of it */
/* "; ALTER TABLE ONLY ... RENAME COLUMN" for each such column. */
void rename_after_create(struct strbuf *b, const struct def_table *t);
/* The definition of a key, or of an index without expressions as it stands behind USING. Caller frees. */
char *rename_list(const struct def_table *t, const char *definition);
/* An index with expressions: create is all up to USING and a space, definition what stands behind. */
void rename_index(struct strbuf *b, const struct def_table *t, const struct def_index *i,
	const char *create, const char *definition);
/* ALTER TABLE with clauses of "ADD CONSTRAINT name definition", joined by commas: checks, an exclusion. only:
 * "ONLY " or nothing. */
void rename_constraints(
	struct strbuf *b, const struct def_table *t, const char *only, const char *clauses);

#endif
