// SPDX-License-Identifier: PostgreSQL
/* The thread that applies: takes parcels from the queue, decodes, and hands changes to the writer, transaction
 * by transaction.
 *
 * When it commits is decided by the backlog, never by a timer alone: as soon as the queue is empty at the end
 * of a source transaction; in a backlog when the batch is large enough. So an idle mirror is as quick as the
 * network, and a busy one as cheap as large batches are. */
#ifndef REPLICATE_APPLY_H
#define REPLICATE_APPLY_H

#include "../stop.h"
#include "halt.h"
#include "lag.h"
#include "position.h"
#include "queue.h"
#include "tables.h"

struct apply;

struct apply_settings {
	const char *mirror;
	const struct peer_config *source, *target;
	const struct mirror_config *config;
	const struct store_mirror *store;
	const struct strings *ignored; /* schema.table that are none of ours, however they got into the stream */
	struct stream_tables *tables;
	struct queue *queue;
	struct halt *halt;
	struct position *position;
	struct lag *lag;
	struct model *model;
	const struct stop *stop;
	struct stop *failed; /* raised when it ends by itself */
};

enum apply_end {
	APPLY_STOPPED,
	APPLY_FAILED, /* apply_error() */
	APPLY_TABLE,  /* a table's rows were refused: it alone should be paused */
	APPLY_NEW,    /* the stream has a table that the mirror does not know */
	APPLY_DDL,    /* a table's definition has changed */
};

struct apply_result {
	enum apply_end end;
	struct error error;
	size_t table;                /* APPLY_TABLE, APPLY_DDL */
	struct ddl_relation relation; /* APPLY_DDL: as it is described now; ddl_free() is for whoever asked */
	lsn_t final;                 /* where the transaction commits that describes it so */
	char name[2 * NAME_SIZE];    /* APPLY_NEW: schema.table */
};

/* Connects and starts. NULL on error. */
struct apply *apply_new(const struct apply_settings *s, struct error *e) MUST_CHECK;
/* Waits for the thread, whose stop was raised; what it said last can still be asked for. */
void apply_join(struct apply *a);
void apply_free(struct apply *a);
/* After `failed` was raised. */
void apply_result(struct apply *a, struct apply_result *out);
/* Batches that were replayed change by change, and why the last one was; rows that were not found. */
void apply_trouble(struct apply *a, int64_t *slow, char why[256], int64_t *missing, char last[256]);

#endif
