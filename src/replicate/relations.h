// SPDX-License-Identifier: PostgreSQL
/* What the stream calls a relation, bound to its table on the target: which columns go where, of which types
 * they are there, and which of them name a row. A relation that is described anew is replaced. */
#ifndef REPLICATE_RELATIONS_H
#define REPLICATE_RELATIONS_H

#include "batch.h"
#include "writer.h"

/* A mirrored column as the target has it. Texts are ready for SQL. */
struct relation_column {
	char *name;   /* quoted */
	char *source; /* the same on the source */
	char *type;
	char *array;  /* the type of arrays of it; NULL: its values travel as text and are cast one by one */
	char *equals; /* OPERATOR(...) that its index knows */
	bool generated; /* only compared, never written */
	bool always;    /* GENERATED ALWAYS AS IDENTITY: no UPDATE may set it */
	bool indexed;   /* in an index that can find equal values */
};

/* Which columns of a row: of those sent, or of those that are NULL. */
struct relation_mask {
	uint64_t *words;
};

struct statement;

struct relation {
	struct batch_table batch; /* first: the batch knows a relation by it */
	uint32_t id;
	const struct apply_table *table; /* NULL: not mirrored */
	char *source_schema, *source_name;
	char *target;     /* quoted, qualified */
	const char *only; /* "ONLY " unless the target is partitioned */
	bool partitioned, deferrable;
	bool moves; /* an identity column outside of the key that no UPDATE may set */
	struct relation_column *columns; /* batch.columns of them */
	struct strings others; /* quoted columns of the target that are not mirrored and can be written */
	char *fetch_sql;   /* a row of the source by its key; NULL until it is needed */
	char *description; /* of both sides, to tell whether anything is new */
	struct relation_mask *masks;
	uint32_t mask_count;
	struct statement *statements;
	int64_t missing; /* rows that the flush under way did not find */
};

/* Once a session, before the first relation_new(). */
bool relation_prepare(struct pg *target, struct error *e) MUST_CHECK;
/* The relation that m describes as the target has it now; with t NULL one that is ignored. NULL on error. */
struct relation *relation_new(struct pg *target, const struct pgoutput_message *m,
	const struct apply_table *t, struct error *e) MUST_CHECK;
void relation_free(struct relation *r);

/* fetch_sql. The source's operators may live in other schemas than the target's. NULL on error. */
const char *relation_fetch_sql(struct relation *r, struct pg *source, struct error *e) MUST_CHECK;

/* The number of a set of columns, the same for equal sets. */
uint32_t relation_sent_mask(struct relation *r, const struct pgoutput_value *row);
uint32_t relation_null_mask(struct relation *r, const struct pgoutput_value *row); /* of indexed columns */
bool relation_mask_has(const struct relation *r, uint32_t mask, size_t column);

/* ---- all of them, by id ---- */

struct relations;

struct relations *relations_new(void);
void relations_free(struct relations *l);
struct relation *relations_find(const struct relations *l, uint32_t id); /* or NULL */
/* Takes r; gives the one of the same id that it replaces, or NULL. */
struct relation *relations_put(struct relations *l, struct relation *r);

#endif
