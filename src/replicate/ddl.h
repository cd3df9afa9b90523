// SPDX-License-Identifier: PostgreSQL
/* What the stream says of a table's columns, and how that differs from what it said before. Pure.
 *
 * A description is kept as text in the store, because a walsender describes a table anew whenever it starts,
 * as the table was at that place of the log: only what is remembered tells a change from a repetition. So that
 * an older view, met again after a restart, is no change either, each column has the commit that brought it:
 * up to there a message may lack the column. */
#ifndef REPLICATE_DDL_H
#define REPLICATE_DDL_H

#include "pgoutput.h"

struct ddl_column {
	char *name;
	uint32_t type;
	int32_t typmod;
	bool key;    /* part of the replica identity */
	lsn_t since; /* commit of the transaction that added it; 0: it was there from the beginning */
};

/* Owned by whoever filled it. */
struct ddl_relation {
	uint32_t id; /* oid on the source; 0 unknown */
	char *schema, *name;
	char identity; /* as pg_class.relreplident */
	struct ddl_column *columns;
	size_t count;
};
void ddl_free(struct ddl_relation *r); /* the struct itself is the caller's */
void ddl_copy(struct ddl_relation *dst, const struct ddl_relation *src); /* dst is overwritten */
/* Of a relation message. */
void ddl_take(struct ddl_relation *out, const struct pgoutput_message *m);
void ddl_add(struct ddl_relation *r, const char *name, uint32_t type, int32_t typmod, bool key, lsn_t since);
const struct ddl_column *ddl_column(const struct ddl_relation *r, const char *name); /* or NULL */
bool ddl_has_key(const struct ddl_relation *r);

char *ddl_describe(const struct ddl_relation *r); /* caller frees */
bool ddl_parse(struct ddl_relation *out, const char *text) MUST_CHECK; /* nothing to free when false */

enum ddl_kind {
	DDL_ADDED,          /* now */
	DDL_DROPPED,        /* before */
	DDL_COLUMN_RENAMED, /* before became now: same type, same place */
	DDL_RETYPED,        /* both */
	DDL_RENAMED,        /* the table */
	DDL_REPLACED,       /* another table has its name */
	DDL_NO_IDENTITY,    /* updates and deletes don't say which row any more */
};

struct ddl_change {
	enum ddl_kind kind;
	const struct ddl_column *before, *now; /* borrowed from the relations */
};
/* What a message of the transaction that commits at `final` changes; 0: nothing. Caller frees *out. */
size_t ddl_changes(const struct ddl_relation *before, const struct ddl_relation *now, lsn_t final,
	struct ddl_change **out);
/* What is to be remembered when those changes are done: the columns that are there now and were added after
 * `final`, each with its commit. */
void ddl_merge(struct ddl_relation *out, const struct ddl_relation *before, const struct ddl_relation *now,
	lsn_t final);

#endif
