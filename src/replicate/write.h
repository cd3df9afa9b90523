// SPDX-License-Identifier: PostgreSQL
/* The writer's insides, shared by its own files. */
#ifndef REPLICATE_WRITE_H
#define REPLICATE_WRITE_H

#include "../pg/pipeline.h"
#include "statements.h"

/* What an answer is to. Smaller tags are of changes (their number in the batch) whose row must be there. */
#define TAG_CHANGE (UINT64_C(1) << 61) /* + number of the change, whatever it finds */
#define TAG_SET (UINT64_C(1) << 62)    /* + number in writer.sets */
#define TAG_SILENT (UINT64_MAX - 3)    /* of no change, whatever it finds */
#define TAG_POSITION (UINT64_MAX - 2)
#define TAG_COUNTED (UINT64_MAX - 1) /* its rows go to writer.found */

/* A set that was sent, and how many rows it must find; -1: any number. */
struct sent_set {
	struct relation *relation;
	int64_t rows;
};

#define POSITIONS 2 /* statements that store one */

/* How a flush ends. */
struct write_end {
	bool commit;
	lsn_t position;
	bool durable;
};

struct writer {
	struct pg *target;
	struct pipeline *pipeline;
	struct batch *batch;
	struct relations *relations;
	struct statements *statements;

	int64_t mirror_id;
	struct peer_config source;
	char *mirror;
	struct pg *fetch; /* to the source; opened when it is first needed */

	bool session_ready;
	bool behind, lost; /* tables catch up; the mirror's own row is gone */
	bool position_ready[POSITIONS]; /* prepared */
	char *durable_sql;
	bool open; /* a transaction that has earlier flushes */

	/* the attempt under way */
	struct sent_set *sets;
	size_t set_count;
	struct error mismatch; /* a set found another number of rows; class is ERROR_NONE when all did not */
	const struct relation *mismatch_of;
	int64_t found;

	/* parameters on their way */
	struct strbuf *arrays;
	const char **values;
	size_t value_size;
	struct strbuf copy;

	lsn_t final; /* of the source transaction at hand */
	bool *noted; /* tables, by index, whose first change is in the store */
	size_t noted_size;

	const struct apply_table *culprit;
	struct writer_counts *pending, *last; /* of the open transaction; of the last commit */
	size_t pending_count, last_count, *count_slots, count_slot_size;
	int64_t slow_batches;
	char slow_why[256];
	char missing[256];
};

/* Room for the parameters of a statement. */
void write_reserve(struct writer *w, size_t values);
/* BEGIN or SAVEPOINT, and what the batch's transaction needs. */
void write_begin(struct writer *w, const struct write_end *end);
/* Position and COMMIT, or the savepoint's end. */
void write_finish(struct writer *w, const struct write_end *end);
/* pipeline_end(), and whether all sets found their rows. */
bool write_wait(struct writer *w, struct error *e) MUST_CHECK;

pipeline_answer write_answered;
/* Whether an error is one that other rows, or another way to write them, would not have. */
bool write_is_about_rows(const struct error *e);
/* Whether the same may succeed a moment later. */
bool write_is_transient(const struct error *e);

/* The net effect, in sets; with end. Nothing of it stays when it fails, once the caller went back. */
bool write_set(struct writer *w, const struct write_end *end, struct error *e) MUST_CHECK;
/* All changes in source order. */
bool write_rows(struct writer *w, const struct write_end *end, struct error *e) MUST_CHECK;
/* One table's changes since its last TRUNCATE, in source order. */
bool write_table_rows(struct writer *w, struct relation *r, struct error *e) MUST_CHECK;
/* One change of one row, sent. Only where a source row has to be fetched it waits. */
bool write_change(struct writer *w, uint32_t number, struct error *e) MUST_CHECK;
void write_statement(struct writer *w, struct statement *s, const struct pgoutput_value *old,
	const struct pgoutput_value *row, uint64_t tag);

/* The same where rows may be there or not. */
bool write_reconciled(struct writer *w, const struct change *c, uint64_t tag, struct error *e) MUST_CHECK;

#endif
