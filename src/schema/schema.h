// SPDX-License-Identifier: PostgreSQL
/* The definition of chosen tables: what they need before the load, what follows their rows, and the
 * values of their sequences. Read from the source's catalogs in a handful of queries however many
 * tables there are; definitions come from PostgreSQL's own functions (format_type, pg_get_expr,
 * pg_get_constraintdef, pg_get_indexdef), so that they are right for every major version from 9.3
 * to 18. Reading uses one connection; the result is immutable and may be executed from any number
 * of threads. */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include <pgpier/config.h>
#include <pgpier/preflight.h>

#include "../pg/conn.h"
#include "../renames.h"

/* One chosen table. */
struct schema_table {
	int64_t oid; /* on the source */
	char source_schema[NAME_SIZE], source_name[NAME_SIZE];
	char target_schema[NAME_SIZE], target_name[NAME_SIZE];
	const struct renames *renamed; /* its columns that have other names on the target; NULL: none has */
	bool exists; /* on the target, already: it is used as it is and gets no statement of ours at all
	              * (no columns, no keys; its sequences still get their values) */
};

enum schema_kind {
	SCHEMA_SCHEMA,
	SCHEMA_TYPE,
	SCHEMA_SEQUENCE,
	SCHEMA_TABLE,
	SCHEMA_COLUMN, /* sync columns and the mark of soft deletes */
	SCHEMA_PRIMARY_KEY,
	SCHEMA_UNIQUE,
	SCHEMA_EXCLUSION,
	SCHEMA_INDEX,
	SCHEMA_CHECK,
	SCHEMA_ATTACH, /* a child to a parent: tables or indexes */
	SCHEMA_VALUE,  /* sequence values */
	SCHEMA_KIND_COUNT,
};
const char *schema_kind_name(enum schema_kind k);

#define SCHEMA_NO_TABLE ((size_t)-1)

/* One step: an object and the statements that make it (joined by ";", in one transaction). */
struct schema_step {
	enum schema_kind kind;
	size_t table;  /* index into the tables given, or SCHEMA_NO_TABLE */
	int stage;     /* steps of one stage need nothing of each other; stages run in order */
	bool alone;    /* no other step of its table can run meanwhile */
	char *name;    /* qualified, unquoted, for people */
	char *sql;
	int64_t bytes; /* size on the source, for the order of builds; 0 unknown */
	int object;    /* of a dump, by its number in the store: that one is marked; 0 none */
};

struct schema_steps {
	struct schema_step *items;
	size_t count;
	struct strings unread; /* of values: sequences of the source that the role may not read */
};
void schema_steps_free(struct schema_steps *steps);

/* What a person should know of one table. A blocker can't be made or used: a type of a missing
 * extension, a default that calls a function the target lacks, a column of another type. */
struct schema_finding {
	size_t table; /* or SCHEMA_NO_TABLE */
	enum severity severity;
	char *text;
	char *next; /* may be NULL */
	bool of_load; /* matters while rows are loaded, not to a stream */
};

struct schema_findings {
	struct schema_finding *items;
	size_t count;
	size_t blockers;
};
/* The finding that was added, for whoever wants to say what to do next. */
struct schema_finding *schema_findings_add(struct schema_findings *f, size_t table,
	enum severity severity, const char *fmt, ...) PG_PRINTF(4, 5);
void schema_findings_free(struct schema_findings *f);

struct schema_plan {
	/* By stage over all tables: schemas, types, sequences, tables parents first, and last the keys
	 * and indexes of partitioned parents, which are empty shells that the leaves' own are attached
	 * to. */
	struct schema_steps before;
	/* By table, then stage; a table's steps may run as soon as its own rows are in, whatever the
	 * other tables do. Stage 0 takes locks that let builds on one table run side by side (but for a
	 * small table's primary key); stage 1 locks the table: constraints on built indexes, checks. */
	struct schema_steps after;
	/* When every table is finished, by stage: what touches a whole tree of tables. */
	struct schema_steps final;
	struct schema_findings findings;
};

/* Objects that the target has already (schemas, types, sequences, indexes of the same table) get no
 * step; a type that exists with another definition is a blocker. columns_exclude of the mirror is
 * honoured, a mapped table's keys and owned sequences follow it to its target schema. target may be
 * NULL (nothing exists there: for a dry run). With blockers the steps are not complete. NULL on
 * error. */
struct schema_plan *schema_plan_new(struct pg *source, struct pg *target,
	const struct mirror_config *m, const struct schema_table *tables, size_t count,
	struct error *e) MUST_CHECK;
void schema_plan_free(struct schema_plan *p);

/* The values of the tables' sequences, in schema = "database" also of those that belong to none, read from the source now (at the end of a load), as steps
 * for the target, where the sequences must exist: those that do not are left out. */
bool schema_values(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count, struct schema_steps *steps,
	struct error *e) MUST_CHECK;

#endif
