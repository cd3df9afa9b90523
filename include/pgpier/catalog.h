// SPDX-License-Identifier: PostgreSQL
/* The tables of a source database as the picker shows them. A catalog is made once by a worker and never
 * changes, so that any number of threads may read it; it lives as long as anyone holds it. */
#ifndef PGPIER_CATALOG_H
#define PGPIER_CATALOG_H

#include <pgpier/base.h>

/* How a row of the table can be named: what replication and NTILE over a key need. */
enum table_key { KEY_NONE, KEY_PRIMARY, KEY_UNIQUE, KEY_FULL };

/* What a person should know about a table before choosing it. */
enum table_note {
	NOTE_GENERATED = 1 << 0,   /* has generated columns: recomputed on the target */
	NOTE_PARTITIONED = 1 << 1, /* a partitioned parent: its leaves come with it */
	NOTE_PARTITION = 1 << 2,
	NOTE_UNLOGGED = 1 << 3,
	NOTE_ROW_SECURITY = 1 << 4, /* policies hide rows from our role */
	NOTE_TRIGGERS = 1 << 5,
	NOTE_INHERITS = 1 << 6,
	NOTE_NO_SELECT = 1 << 7, /* our role may not read it */
	NOTE_NO_STATISTICS = 1 << 8,
	NOTE_NO_COLUMNS = 1 << 9,
	NOTE_IDENTITY = 1 << 10,
	NOTE_COUNT = 11,
};
/* The word for one note: "generated", "partitioned", ... */
const char *table_note_name(enum table_note note);
const char *table_key_name(enum table_key key); /* "none!", "PK", "unique", "full" */

struct catalog_column {
	char *name;
	char *type; /* as format_type() prints it */
	bool not_null;
	bool generated;
	bool key; /* part of the primary key or replica identity: can't be excluded */
};

struct catalog_table {
	char *schema;
	char *name;
	int64_t rows;  /* estimate; -1 unknown */
	int64_t bytes; /* heap and TOAST; a parent's includes its leaves */
	enum table_key key;
	unsigned notes;      /* of enum table_note */
	char *refusal;       /* why it can't be chosen; NULL when it can */
	struct catalog_column *columns;
	size_t column_count;
};

/* Sorted by schema, then name; partitions and inheritance children stand behind their parents' names like
 * any other table. System, extension-owned, foreign and temporary tables are not in it. */
struct catalog {
	char *peer;
	int64_t taken_at; /* wall clock, us */
	struct catalog_table *tables;
	size_t table_count;
};

struct catalog *catalog_hold(const struct catalog *c); /* one more holder */
void catalog_release(const struct catalog *c);         /* the last one frees; NULL is fine */

#endif
