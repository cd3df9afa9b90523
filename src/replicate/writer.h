// SPDX-License-Identifier: PostgreSQL
/* Writes decoded changes to the target, through one connection that belongs to the calling thread.
 *
 * Changes are gathered in a batch whose end is the end of a source transaction, or, for a transaction that
 * is larger than memory should be, any place in it: flushes follow one another in one target transaction
 * then. A flush writes the batch's net effect by key and table, in sets; should any constraint object, it
 * goes back to before the batch and replays it change by change in source order, which is correct because
 * the source accepted that order. A few changes go that way at once: they take one round trip, COMMIT
 * included. Rows and the position they reached commit together. */
#ifndef REPLICATE_WRITER_H
#define REPLICATE_WRITER_H

#include "../pg/conn.h"
#include "../renames.h"
#include "pgoutput.h"

struct writer;

/* Where a source table's changes go. Owned by the caller, must outlive the relation's use. */
struct apply_table {
	size_t index;               /* in the mirror's list */
	char source[2 * NAME_SIZE]; /* schema.name, for messages */
	char target_schema[NAME_SIZE], target_name[NAME_SIZE];
	struct strings key;      /* columns that identify a row: the source's primary key or replica identity
	                          * index; none: REPLICA IDENTITY FULL without a key, the whole row does */
	struct strings excluded; /* columns that are not mirrored */
	const struct renames *renamed; /* columns that have other names on the target; NULL: none has */
	const char *deleted_column, *synced_column; /* soft delete and sync columns; NULL: not wanted */
	bool reconcile; /* rows may be there or not (load resumed under another snapshot): insert or replace,
	                 * update or insert, delete if there; see resume.c */
	lsn_t *reconcile_until; /* raised by the writer when it asked the source for a row, to where the source's log
	                         * was then; not NULL with reconcile */
};

struct writer_settings {
	int64_t mirror_id;  /* whose row in pgpier.replication gets the position */
	const struct peer_config *source; /* for rows that must be fetched by key (reconcile) */
	const char *mirror;
};

/* What the last commit brought to a table: changes as the source made them, whatever their net effect. */
struct writer_counts {
	size_t table; /* apply_table.index */
	int64_t inserts, updates, deletes, truncates;
	int64_t missing; /* updates and deletes that found no row */
};

struct writer *writer_new(struct pg *target, const struct writer_settings *settings);
void writer_free(struct writer *w);

/* The stream describes a relation, for the first time or anew; t NULL: not mirrored, its changes are
 * ignored. Reads the target's columns. False with ERROR_DATA when a column is not on the target. */
bool writer_relation(struct writer *w, const struct pgoutput_message *m, const struct apply_table *t,
	struct error *e) MUST_CHECK;
bool writer_knows(const struct writer *w, uint32_t relation);
/* The relation's table, NULL when it is unknown or not mirrored. */
const struct apply_table *writer_table(const struct writer *w, uint32_t relation);

/* What comes now is of a source transaction whose commit record is at `final`. */
void writer_begin(struct writer *w, lsn_t final);
/* The first change of each table is noted in the store, with the rows; so is, after this, the next one. Between two
 * batches. */
void writer_note_changes(struct writer *w);
/* INSERT, UPDATE, DELETE or TRUNCATE joins the batch; what is kept is copied. */
bool writer_add(struct writer *w, const struct pgoutput_message *m, struct error *e) MUST_CHECK;
size_t writer_changes(const struct writer *w); /* in the batch, not flushed */
size_t writer_bytes(const struct writer *w);   /* memory that the batch takes */

/* Writes the batch in the open transaction (which it opens), without committing: for a transaction that is
 * too large. */
bool writer_flush(struct writer *w, struct error *e) MUST_CHECK;
/* Writes the batch, the position and COMMIT, in as few round trips as it takes (one for a small batch).
 * durable: wait for the target's disk (synchronous_commit as the target has it). Then everything earlier is
 * durable, too. With nothing to write, only the position. */
bool writer_commit(struct writer *w, lsn_t position, bool durable, struct error *e) MUST_CHECK;
/* Tables that were held back catch up: the position is theirs, the mirror's own only follows it once it is
 * passed (store_tables_join()). */
void writer_set_behind(struct writer *w, bool behind);
/* After any failure: rolls back and forgets what was gathered. */
void writer_abort(struct writer *w);
/* The table whose rows the target refused, after a failure of class DATA, CONFLICT or PERMISSION; NULL when
 * no table is to blame. */
const struct apply_table *writer_culprit(const struct writer *w);

/* Of the last commit: one for each table that it touched; valid until the next one. */
const struct writer_counts *writer_counts(const struct writer *w, size_t *n);
/* Batches replayed change by change since the beginning, and why the last one was. */
int64_t writer_slow_batches(const struct writer *w, const char **why);
/* The last row that an update or delete did not find: "public.items (id) = (17)"; "" for none. */
const char *writer_missing(const struct writer *w);

#endif
