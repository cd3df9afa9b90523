// SPDX-License-Identifier: PostgreSQL
/* The definition of a whole database, as pg_dump tells it: objects, what each needs, and the statements
 * that make it. pg_dump knows every kind of object of every version; running the statements ourselves, one
 * object after the other, is what lets an object that fails be named with its statement, tried again, and
 * hold up nothing but what depends on it.
 *
 * pg_dump writes its custom format into memory of ours, pg_restore turns that into text with the objects'
 * numbers and dependencies (-v), once for each section. Nothing is written to a disk. A password reaches
 * them by the environment, never by an argument. */
#ifndef SCHEMA_DUMP_H
#define SCHEMA_DUMP_H

#include <pgpier/config.h>
#include <pgpier/error.h>

#include "../../stop.h"

/* The programs. They must be as new as the server that is dumped. */
struct tools {
	char dump[512], restore[512]; /* paths */
	int version;                  /* 170002 */
};
/* bindir NULL: the newest in PATH and the usual places. An error names the package that has it. */
bool tools_find(const char *bindir, int server_version, struct tools *out, struct error *e) MUST_CHECK;

struct dump_entry {
	int id;             /* 1, 2, 3 ... in the order in which pg_restore would run them (not pg_dump's number) */
	bool post;          /* of the post-data section: after the rows */
	int64_t class_oid, oid; /* in the source's catalogs; 0 when it is no object of them */
	const char *kind;   /* as pg_dump calls it: "TABLE", "FK CONSTRAINT", "COMMENT", "ACL" ... */
	const char *schema; /* "" none; all names as they are, unquoted */
	const char *name;   /* pg_dump's tag: "t", "t t_pkey" (table and constraint), "f(integer)", "TABLE t" */
	const char *owner;  /* "" none */
	const char *sql;      /* makes it; without comments, without what gives it to its owner */
	const char *give_sql; /* gives it to its owner; NULL none */
	const char *settings; /* default_tablespace, default_table_access_method as they must be; "" none */
	int *needs;           /* ids of entries that exist, rising */
	size_t need_count;
};

struct dump {
	struct dump_entry *entries; /* by id within a section, pre-data first */
	size_t count;
	int server_version;    /* of the server that was dumped */
	struct strings header; /* SETs that all of it relies on (check_function_bodies off ...) */
	struct strings kept;   /* the strings that entries point to */
};

/* Of the database of this peer, at an exported snapshot (NULL: now). It locks each table against ALTER
 * for as long as pg_dump runs. A table that the role may not lock is an error that names it. */
struct dump *dump_new(const struct peer_config *peer, const char *mirror, const char *bindir,
	int server_version, const char *snapshot, const struct stop *stop, struct error *e) MUST_CHECK;
void dump_free(struct dump *d); /* NULL is fine */

/* The two texts of pg_restore -v: pure. Takes them over; NULL when they are none. */
struct dump *dump_parse_take(char *pre_data, char *post_data, struct error *e) MUST_CHECK;

/* By id, NULL when there is none. */
const struct dump_entry *dump_entry(const struct dump *d, int id);
/* The part of a name after the table it belongs to: "t_pkey" of "t t_pkey" when the table is t. For kinds
 * whose tag begins with the table (constraints, triggers, rules, policies, defaults). false: not such a kind. */
bool dump_entry_table(const struct dump *d, const struct dump_entry *e, char schema[NAME_SIZE], char table[NAME_SIZE]);

#endif
