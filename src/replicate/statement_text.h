// SPDX-License-Identifier: PostgreSQL
#ifndef REPLICATE_STATEMENT_TEXT_H
#define REPLICATE_STATEMENT_TEXT_H

#include "statements.h"

/* The text of s; fills its params, unless it has them, and empty. */
void statement_text(struct strbuf *sql, struct statement *s, int server_version);

/* COPY t (columns) FROM STDIN: the mirrored columns that may be written, then what the mirror itself writes. */
void statement_copy_text(struct strbuf *sql, const struct relation *r);
bool statement_inserts(const struct relation *r, size_t column);

/* TRUNCATE of several tables, NULL behind the last; and what empties one where TRUNCATE can't: a soft delete
 * of all rows, or DELETE. */
void statement_truncate_text(struct strbuf *sql, struct batch_table *const *tables, uint8_t options);
void statement_empty_text(struct strbuf *sql, const struct relation *r);

#endif
