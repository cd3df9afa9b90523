// SPDX-License-Identifier: PostgreSQL
/* Definitions that change on the source while its changes are followed.
 *
 * What can be done without losing or inventing a value is done on the target: columns are added, their existing
 * rows included; types and labels that they need are made; partitions of the mirror's parents are created. Any
 * other difference is told exactly, with the statement that mends it, so that its table alone is paused.
 *
 * Existing rows of an added column. PostgreSQL sends no change for them, so their value is taken from the source
 * as it is now:
 *  - a default that was the same for all rows is kept by the source itself (attmissingval, from 11 on);
 *  - a table whose file is still the one that was loaded was not rewritten, so its rows got nothing;
 *  - all else was written row by row (a volatile default, an identity, any default before 11): the column is
 *    read again by key. That may be too new. It does no harm: a row that was changed since is in the stream
 *    with its whole new row, and comes; one that went will be deleted. Just a key that is changed at the same
 *    time, together with a value so large that the stream leaves it out, can be missed.
 *
 * All functions want both connections idle: what is done is committed when they return, whether or not the
 * stream comes to it again, and doing it twice does nothing. */
#ifndef MIRROR_EVOLVE_H
#define MIRROR_EVOLVE_H

#include "../replicate/ddl.h"
#include "../schema/schema.h"
#include "../store/store.h"

struct evolve {
	struct pg *source, *target;
	const struct mirror_config *config;
	int64_t id; /* the mirror's in the store; 0: nothing is noted there for later */
};

enum evolve_end {
	EVOLVE_NOTHING, /* nothing needs to be done: go on */
	EVOLVE_DONE,    /* the target was changed: go on, or read again what failed */
	EVOLVE_DIFFERS, /* a person must: pause the table with `difference` */
};

struct evolve_result {
	enum evolve_end end;
	struct strings done;     /* what was done, a line each, for events */
	struct error difference; /* its `next` is the statement that mends it */
	char *description;       /* of evolve_relation(): for store_table_columns(), unless it differs */
};
void evolve_result_free(struct evolve_result *r);

/* The stream describes a table, in the transaction that commits at `final`, other than it is known. before
 * NULL: nothing is known. False: a connection was lost, or the like. */
bool evolve_relation(const struct evolve *v, const struct store_table *t, const struct ddl_relation *before,
	const struct ddl_relation *now, lsn_t final, struct evolve_result *out, struct error *e) MUST_CHECK;

/* A batch was refused by the target for this table's rows: is it a label that its type lacks, or a NULL that the
 * source did accept? Then it is mended, and the batch can be read again. A column that allows NULL for that
 * reason is NOT NULL again after evolve_settle(). */
bool evolve_mend(const struct evolve *v, const struct store_table *t, const struct error *why,
	struct evolve_result *out, struct error *e) MUST_CHECK;

/* What had to wait: NOT NULL where rows without a value were still on their way, and generated columns that were
 * added, of which the stream does not tell. For any time when the stream is caught up; what is not ready for it
 * yet is left for the next time. store: as it was read last. */
bool evolve_settle(const struct evolve *v, const struct store_mirror *store, struct strings *done,
	struct error *e) MUST_CHECK;

/* Partitions (schema.name) that the source has below the mirror's parents and the mirror does not know, less
 * those that it excludes. Before 13 a publication takes none by itself, so the stream does not tell of them. */
bool evolve_new_partitions(const struct evolve *v, const struct store_mirror *store, struct strings *names,
	struct error *e) MUST_CHECK;

/* Descriptions of tables as their source has them now (or at its transaction's snapshot), by the order of oids;
 * texts are the caller's to free, NULL for a table that is gone. */
bool evolve_describe(struct pg *source, const int64_t *oids, size_t n, char **texts, struct error *e)
	MUST_CHECK;

/* ---- the parts ---- */

/* evolve_types.c: what the table's columns need of types and labels. *done is added to; when the target has
 * another type of a name, out->end is EVOLVE_DIFFERS. */
bool evolve_types(const struct evolve *v, uint32_t source_table, struct evolve_result *out, struct error *e)
	MUST_CHECK;

/* evolve_read.c: what both sides have of a column now. Texts point into rows that are kept. */
struct evolve_column {
	bool found; /* on the source: it may have gone since */
	const char *type; /* as the stream's message has it */
	const char *collation;    /* empty: the type's own */
	const char *default_text; /* NULL none; of the target, where it uses a sequence */
	const char *missing;      /* the value of rows that are older than the column; NULL none */
	const char *sequence;     /* that the default uses: quoted, of the target; NULL none */
	const char *sequence_options;
	char identity; /* 'a', 'd' or 0 */
	bool not_null;
	bool there;         /* on the target */
	const char *target_type;
	bool target_filled; /* the target knows a value for older rows itself */
};

struct evolve_sides {
	char *source, *target; /* quoted names */
	char *root;            /* of the target's tree of partitions: where columns are added; else the target */
	bool target_found;
	bool rewritten;        /* the source's table has another file than the one that was loaded */
	struct strings key;    /* what finds a row; none: nothing does */
	struct rows *columns;  /* of the target */
	struct rows **kept;
	size_t kept_count;
	struct strings texts;
};
bool evolve_sides_read(const struct evolve *v, const struct store_table *t, const struct ddl_relation *now,
	struct evolve_sides *s, struct error *e) MUST_CHECK;
bool evolve_column_read(const struct evolve *v, const struct store_table *t, const struct ddl_relation *now,
	const struct ddl_column *c, struct evolve_sides *s, struct evolve_column *out, struct error *e) MUST_CHECK;
bool evolve_target_has(const struct evolve_sides *s, const char *column);
void evolve_sides_free(struct evolve_sides *s);

/* evolve_fill.c: reads the columns of existing rows again from the source, by key, inside the target's open
 * transaction. */
struct evolve_fill {
	const char *source, *target; /* quoted */
	const struct strings *key; /* as the source calls them, like columns */
	const char *const *columns;
	size_t count;
	const struct renames *renamed;
};
bool evolve_fill(const struct evolve *v, const struct evolve_fill *f, int64_t *rows, struct error *e)
	MUST_CHECK;

#endif
