// SPDX-License-Identifier: PostgreSQL
/* The definition of chosen tables: what they need before the load, what follows their rows, and the values
 * of their sequences. Read from the source's catalogs in a handful of queries however many tables there are;
 * definitions come from PostgreSQL's own functions (format_type, pg_get_expr, pg_get_constraintdef,
 * pg_get_indexdef), so that they are right for every major version from 9.3 to 18.
 * Reading uses one connection; the result is immutable and may be executed from any number of threads. */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include <pgpier/config.h>

#include "../pg/conn.h"

/* One chosen table. */
struct schema_table {
	int64_t oid; /* on the source */
	char source_schema[NAME_SIZE], source_name[NAME_SIZE];
	char target_schema[NAME_SIZE], target_name[NAME_SIZE];
	bool exists; /* on the target, already: it is used as it is and gets no statement of ours at all
	              * (no columns, no keys; its owned sequences still get their values) */
};

enum schema_kind {
	SCHEMA_SCHEMA, SCHEMA_TYPE, SCHEMA_SEQUENCE, SCHEMA_TABLE, /* before the rows */
	SCHEMA_PRIMARY_KEY, SCHEMA_UNIQUE, SCHEMA_EXCLUSION, SCHEMA_INDEX, SCHEMA_CHECK, /* after them */
	SCHEMA_ATTACH, /* after the builds of a partitioned tree: ATTACH of an index to its parent's */
	SCHEMA_VALUE, /* last: sequence values */
};
const char *schema_kind_name(enum schema_kind k);

#define SCHEMA_NO_TABLE ((size_t)-1)

/* One step: an object and the statements that make it (joined by ';', to run in one transaction). */
struct schema_step {
	enum schema_kind kind;
	size_t table;  /* index into the tables given, or SCHEMA_NO_TABLE */
	int stage;     /* steps of one stage need nothing of each other; stages run in order */
	char *name;    /* qualified, unquoted, for people */
	char *sql;
	int64_t bytes; /* size on the source, for the order of builds; 0 unknown */
};

struct schema_plan {
	struct schema_step *before; /* by stage; many tables of one stage can be spread over sessions */
	size_t before_count;
	struct schema_step *after; /* by table, then stage: 0 = keys (an index may need none), 1 = indexes and
	                            * constraints, 2 = attach */
	size_t after_count;
	struct schema_step *values;
	size_t value_count;
	/* What can't be made and why, one line each: a type of a missing extension, a default that calls a
	 * function the target lacks. The table concerned is in blocked[i].table. */
	struct schema_block {
		size_t table;
		struct error error;
	} *blocked;
	size_t blocked_count;
};

/* Objects that the target has already (schemas, types, sequences) get no step; a type that exists with
 * another definition is a block. columns_exclude of the mirror is honoured, a mapped table's keys and owned
 * sequences follow it to its target schema. target may be NULL (nothing exists there: for a dry run).
 * NULL on error. */
struct schema_plan *schema_plan_new(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count, struct error *e) MUST_CHECK;
void schema_plan_free(struct schema_plan *p);

/* The values steps again, read afresh from the source (at the end of a load). */
bool schema_values(struct pg *source, struct pg *target, const struct mirror_config *m, const struct schema_table *tables,
	size_t count, struct schema_step **steps, size_t *step_count, struct error *e) MUST_CHECK;
void schema_steps_free(struct schema_step *steps, size_t count);

#endif
