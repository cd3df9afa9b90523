// SPDX-License-Identifier: PostgreSQL
/* The tables of a database and their columns, read from its catalogs: one query each, however many there
 * are. Run inside a snapshot's transaction they tell the truth as of the snapshot. Any version from 9.3. */
#ifndef PG_TABLES_H
#define PG_TABLES_H

#include <pgpier/catalog.h>

#include "conn.h"

struct table_info {
	int64_t oid;
	int64_t filenode; /* as of the snapshot: another one later means truncated or rewritten */
	char *schema, *name;
	char kind;      /* 'r', or 'p' for a partitioned parent, which holds no rows itself */
	int64_t parent; /* of a partition or inheritance child; 0 none */
	bool partition;
	int64_t pages;       /* when last analysed; 0 never */
	double tuples;       /* then; < 0 never */
	int64_t bytes;       /* heap and TOAST */
	enum table_key key;
	unsigned notes;
	/* The first column of the primary key, or of the shortest plain unique index: what NTILE can order
	 * by. NULL when there is none. */
	char *key_column, *key_type;
	bool key_nullable;
	size_t column_count;
};

/* Sorted by schema and name. System, temporary, foreign and extension-owned tables are left out, and those
 * of our own schema. Returns false on error. */
bool tables_read(struct pg *c, struct table_info **out, size_t *count, struct error *e) MUST_CHECK;
void tables_free(struct table_info *tables, size_t count);

struct column_info {
	int64_t table; /* oid */
	char *name;
	char *type; /* format_type(), qualified */
	bool not_null, generated, identity, key;
	bool binary; /* its binary form means the same on another server: no OID inside, built in or enum */
};

/* Of the given tables, by table in the order of `oids`' catalog and then by position; dropped ones are left
 * out. */
bool columns_read(struct pg *c, const int64_t *oids, size_t n, struct column_info **out, size_t *count,
	struct error *e) MUST_CHECK;
void columns_free(struct column_info *columns, size_t count);

/* The whole catalog for the picker, columns included. NULL on error. */
struct catalog *catalog_read(struct pg *c, struct error *e) MUST_CHECK;

#endif
