// SPDX-License-Identifier: PostgreSQL
/* Sequences as statements, and reads of many sequences at once. */
#ifndef SCHEMA_SEQUENCES_H
#define SCHEMA_SEQUENCES_H

#include "defs.h"

/* " INCREMENT BY 1 MINVALUE ... CACHE 1", for CREATE SEQUENCE and for an identity's parentheses. */
void sequence_options(struct strbuf *b, const struct def_sequence *s);
void sequence_create(struct strbuf *b, const struct def_sequence *s, const struct defs *d);
/* ALTER SEQUENCE ... OWNED BY its column. */
void sequence_owned(struct strbuf *b, const struct def_sequence *s, const struct defs *d);

/* SELECT columns FROM each sequence of d, a bounded number at a time, in their order; `each` is
 * called with the sequence's index and a row whose columns begin at 1. */
typedef void sequence_row(void *context, size_t sequence, const struct rows *r, int row);
bool sequences_select(struct defs *d, const char *columns, sequence_row *each, void *context,
	struct error *e) MUST_CHECK;

#endif
