// SPDX-License-Identifier: PostgreSQL
/* Where a mirror stands, kept on the target in schema pgpier: whoever comes next finds the truth there.
 *
 * What is marked done is marked in the transaction that did it, so that rows and their mark can't part.
 * Everything here is written by one process at a time: store_lock() holds an advisory lock for the mirror. Only what
 * verifications leave (holds.h, verifications.h) is written by others as well.
 * Schema pgpier is made by the first mirror and dropped with the last one. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <pgpier/model.h>

#include "../pg/conn.h"
#include "../renames.h"

struct store_table {
	int number; /* from 1, in the order of the mirror's list */
	char source_schema[NAME_SIZE], source_name[NAME_SIZE];
	char target_schema[NAME_SIZE], target_name[NAME_SIZE];
	int64_t filenode;  /* of the source table when its chunks were planned */
	bool ours;         /* pgpier may empty it: created by us, found empty, or truncated on an explicit yes */
	bool parent;       /* a partitioned parent: has no rows of its own */
	bool loaded;       /* all rows are in */
	bool done;         /* and its keys and indexes */
	int snapshot;      /* its rows are as of; 0 none yet */
	int last_snapshot; /* under which its last chunks were copied, when that is a later one; else 0 */
	int64_t rows, bytes; /* when loaded */
	int64_t rows_estimate, bytes_estimate; /* when the mirror began; -1 unknown */
	int64_t took_us;
	char how[160];
	struct error *error; /* of the last attempt; NULL none */
	/* Of a mirror that replicates. Changes that were committed up to held_at are in; 0: up to where the whole
	 * mirror is. A table that is paused, or is being loaded while the others go on, falls behind there; when
	 * it is let go, the stream begins again at that place and passes the others by. */
	lsn_t held_at;
	bool paused;
	lsn_t fetched_at; /* where the source's log was when a row was last fetched for it (resume.c); 0 never */
	bool stale; /* what the target has of it must go before it is copied anew */
	/* Where the first change lies that was applied since somebody last held the stream to look (holds.h), or where
	 * its copy is from when that is later; 0 never. What was seen at V has changed since if this is V or behind. */
	lsn_t changed_at;
	char *columns; /* as the stream described them last; NULL never */
	struct renames renamed; /* columns that the target's table calls otherwise */
};

struct store_chunk {
	int table, number; /* from 1 */
	char *condition, *range;
	bool done;
	int64_t rows, bytes, took_us;
};

struct store_snapshot {
	int number;
	int64_t taken_at; /* us */
	char *visible;    /* txid_current_snapshot() */
	lsn_t lsn;        /* where the source's log was just after it was taken */
};

/* What a mirror has on the source, and how far the target is. */
struct store_replication {
	char slot[NAME_SIZE], publication[NAME_SIZE]; /* empty: none was made */
	lsn_t consistent; /* where the slot begins; 0: it is not known to exist yet */
	lsn_t applied;    /* end of the last source transaction that the target has */
};

struct store_mirror {
	int64_t id;
	enum mirror_state state;
	char source[256]; /* system identifier and database it was started from */
	int64_t started_at, ended_at;
	struct store_table *tables;
	size_t table_count;
	struct store_chunk *chunks; /* by table, number */
	size_t chunk_count;
	struct store_snapshot *snapshots;
	size_t snapshot_count;
	struct strings steps; /* "kind name" of the schema steps that are done */
	struct strings dumped; /* schema.name of the source's tables that its dump makes (objects.h), sorted */
	char *selection; /* the tables' patterns when it was last set up */
	struct store_replication replication;
};

/* Is there a schema of ours? false on error too: look at e->class. */
bool store_exists(struct pg *target, struct error *e);
/* Creates the schema if need be; refuses a schema pgpier that is not ours or of another version. */
bool store_prepare(struct pg *target, struct error *e) MUST_CHECK;
/* One process a mirror. Waits up to 3 s for a killed predecessor's session to end, then says who holds it.
 * The lock goes with the connection. Sessions that a dead predecessor left on this server are ended. */
bool store_lock(struct pg *target, const char *mirror, struct error *e) MUST_CHECK;
/* Does a process run the mirror? */
bool store_is_locked(struct pg *target, const char *mirror, bool *locked, struct error *e) MUST_CHECK;
/* Ends what a dead predecessor still runs under the mirror's application name; call with the lock held. */
bool store_end_orphans(struct pg *c, const char *mirror, const char *role, struct error *e) MUST_CHECK;

/* *found = false when the target knows no such mirror. */
bool store_read(struct pg *target, const char *mirror, struct store_mirror *out, bool *found, struct error *e)
	MUST_CHECK;
void store_mirror_free(struct store_mirror *m);
/* Of its tables, as a text[] for a parameter: there or on the source, schemas or names. Caller frees. */
char *store_names(const struct store_mirror *m, bool targets, bool schemas) MUST_CHECK;
/* Its number and how far it is, which is cheap; *id = 0 when the target knows no such mirror. */
bool store_find(struct pg *target, const char *mirror, int64_t *id, lsn_t *applied, struct error *e) MUST_CHECK;

bool store_create(struct pg *target, const char *mirror, const char *source, int64_t *id, struct error *e)
	MUST_CHECK;
bool store_state(struct pg *target, int64_t id, enum mirror_state state, const struct error *why,
	struct error *e) MUST_CHECK;
/* A mirror that is cut over stays that, whatever is written otherwise, until it leads the other way again. None of
 * that name is fine. */
bool store_reopen(struct pg *target, const char *mirror, struct error *e) MUST_CHECK;
/* after: how many it has already. */
bool store_add_tables(struct pg *target, int64_t id, const struct store_table *tables, size_t n, size_t after,
	struct error *e) MUST_CHECK;
bool store_add_snapshot(struct pg *target, int64_t id, int number, int64_t taken_at, const char *visible,
	const char *lsn, struct error *e) MUST_CHECK;
/* Replaces the table's chunks (none: conditions NULL, the table is one transaction) and forgets its rows.
 * Inside the caller's transaction, with whatever empties the target's table. */
bool store_plan(struct pg *target, int64_t id, int table, int snapshot, int64_t filenode, const char *how,
	size_t n, const char *const *conditions, const char *const *ranges, struct error *e) MUST_CHECK;
bool store_table_failed(struct pg *target, int64_t id, int table, const struct error *why, struct error *e)
	MUST_CHECK;

/* Statements to append to the transaction that does the work; each ends with ';'. A mark fails its transaction
 * (STORE_MARK_FAILED) when it is made already, by a COMMIT whose answer got lost; or when a crash of the target
 * took the plan with it. store_is_marked() tells which. */
#define STORE_MARK_FAILED "22012"
bool store_is_marked(struct pg *target, int64_t id, int table, int chunk, bool *marked, struct error *e) MUST_CHECK;
void store_sql_chunk_done(struct strbuf *sql, int64_t id, int table, int chunk, int64_t rows, int64_t bytes,
	int64_t took_us);
/* done: its keys and indexes are there as well, or it has none. */
void store_sql_table_loaded(struct strbuf *sql, int64_t id, int table, int snapshot, int64_t filenode,
	int64_t rows, int64_t bytes, int64_t took_us, const char *how, bool done);
void store_sql_table_done(struct strbuf *sql, int64_t id, int table);
/* Rows of the tables were changed, by what the source committed at `at`. No mark that fails. */
void store_sql_tables_changed(struct strbuf *sql, int64_t id, size_t n, const int *tables, lsn_t at);
/* One statement however many, none for none. */
void store_sql_tables_ours(struct strbuf *sql, int64_t id, size_t n, const int *tables);
void store_sql_steps_done(struct strbuf *sql, int64_t id, size_t n, const char *const *kinds,
	const char *const *names);

/* ---- replication ---- */

/* Written before slot and publication are made on the source, so that whatever exists there by these names
 * afterwards is known to be ours. */
bool store_replication_begin(struct pg *target, int64_t id, const char *slot, const char *publication,
	struct error *e) MUST_CHECK;
bool store_replication_slot(struct pg *target, int64_t id, lsn_t consistent, struct error *e) MUST_CHECK;
/* The mirror's patterns, to notice when somebody changes them. */
bool store_selection(struct pg *target, int64_t id, const char *selection, struct error *e) MUST_CHECK;
/* The table stays where the mirror is now (or where it was held before). why NULL: it is being loaded. */
bool store_table_hold(struct pg *target, int64_t id, int table, const struct error *why, struct error *e)
	MUST_CHECK;
/* Tables of which nothing is loaded are held where the mirror is now: the snapshot that they will be loaded from
 * is a later one, so the slot need not keep what came before. */
bool store_tables_hold_unloaded(struct pg *target, int64_t id, struct error *e) MUST_CHECK;
/* Tables that were held and are loaded are let go; those that were paused for an error only when all are. */
bool store_tables_release(struct pg *target, int64_t id, bool all, struct error *e) MUST_CHECK;
/* Tables that reached the others are held no more; *behind: some have not. */
bool store_tables_join(struct pg *target, int64_t id, bool *behind, struct error *e) MUST_CHECK;
bool store_table_columns(struct pg *target, int64_t id, int table, const char *columns, struct error *e)
	MUST_CHECK;
/* The same of many. */
bool store_tables_columns(struct pg *target, int64_t id, size_t n, const int *tables, const char *const *columns,
	struct error *e) MUST_CHECK;
/* Forgets that the table was loaded: what is on the target is to be emptied and copied anew. */
bool store_table_forget(struct pg *target, int64_t id, int table, struct error *e) MUST_CHECK;
/* Its remaining chunks come from a later snapshot than those that are done. */
bool store_table_resumed(struct pg *target, int64_t id, int table, int last_snapshot, struct error *e) MUST_CHECK;
/* The table leaves the mirror; those behind it move up by one. */
bool store_table_remove(struct pg *target, int64_t id, int table, struct error *e) MUST_CHECK;

/* A statement for the target that can't be run yet, noted in the transaction that found out; and all of them. */
void store_sql_later(struct strbuf *sql, int64_t id, const char *statement);
bool store_later_read(struct pg *target, int64_t id, struct strings *statements, struct error *e) MUST_CHECK;
/* Runs one and forgets it, in one transaction. */
bool store_later_run(struct pg *target, int64_t id, const char *statement, struct error *e) MUST_CHECK;

/* Removes the mirror, and with the last one the schema. */
bool store_drop(struct pg *target, const char *mirror, struct error *e) MUST_CHECK;
/* Drops a schema of ours that has neither mirrors nor fences any more. */
bool store_leave(struct pg *c, struct error *e) MUST_CHECK;

#endif
