// SPDX-License-Identifier: PostgreSQL
/* The changes that go to the target together: kept in source order, and their net effect by key and table.
 * Pure: no connection, nothing but memory.
 *
 * A row is an array of its mirrored columns, those of the key first, so that a whole row and the few columns
 * that identify one are read alike. Its values lie in the batch's arena and are followed by a zero byte. */
#ifndef REPLICATE_BATCH_H
#define REPLICATE_BATCH_H

#include "pgoutput.h"

#define BATCH_NONE UINT32_MAX

/* What a batch knows of a table. The upper part is the owner's, the lower one the current batch's. */
struct batch_table {
	uint16_t columns;     /* mirrored ones */
	uint16_t key;         /* the first so many of them identify a row; 0: the whole row does */
	uint16_t sent;        /* columns that a row has on the wire */
	const int32_t *place; /* by wire position: place in our rows, -1 not mirrored */
	bool never_net;       /* its changes are always replayed one by one */

	struct batch_table *next; /* touched by the batch */
	bool touched;
	bool one_by_one;       /* batch_net(): it has no net effect that can be told */
	uint32_t first, last;  /* its changes behind its last TRUNCATE; BATCH_NONE */
	size_t net_begin, net_end;
	int64_t inserts, updates, deletes, truncates; /* as the source made them */
};

enum change_kind { CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_TRUNCATE };

struct change {
	enum change_kind kind;
	uint32_t next; /* of the same table; BATCH_NONE */
	union {
		struct batch_table *table;
		struct batch_table **truncated; /* NULL behind the last */
	};
	/* What identifies the row before the change: its key's columns, or all of a table without a key. NULL:
	 * the new row's key does. */
	const struct pgoutput_value *old;
	struct pgoutput_value *row; /* INSERT, UPDATE */
	uint8_t options;            /* TRUNCATE */
};

/* What becomes of a row, named by its key: first erased, then made or changed. */
enum net_kind { NET_NEW, NET_NOTHING, NET_INSERT, NET_UPDATE };
struct net {
	const struct pgoutput_value *key;
	struct pgoutput_value *row; /* INSERT, UPDATE */
	uint64_t hash;
	enum net_kind kind;
	bool erase;    /* the row that was there before the batch */
	bool moved;    /* it is erased because it got another key, not because it was deleted */
	uint32_t mask; /* for the writer */
};

struct batch;

struct batch *batch_new(void);
void batch_free(struct batch *b);
void batch_clear(struct batch *b);

/* False, with an error, when the row does not fit its table or can't be identified. */
bool batch_add(struct batch *b, struct batch_table *t, const struct pgoutput_message *m, struct error *e)
	MUST_CHECK;
/* Of the tables that are mirrored; count may be 0. */
void batch_truncate(struct batch *b, struct batch_table *const *tables, size_t count, uint8_t options);

size_t batch_count(const struct batch *b);
size_t batch_bytes(const struct batch *b); /* with what batch_net() will take */
const struct change *batch_change(const struct batch *b, uint32_t i);
struct batch_table *batch_tables(const struct batch *b); /* the touched ones, linked by next */

/* Works out the net effects: of each touched table the range net_begin to net_end of batch_nets(), or that its
 * changes must go one by one: a key changes while a column's value is not known, or the changes of a key do
 * not follow from one another. May fill unchanged columns of rows with their values where the batch has them. */
void batch_net(struct batch *b);
struct net *batch_nets(const struct batch *b);

bool batch_key_equal(const struct pgoutput_value *a, const struct pgoutput_value *b, size_t columns);

#endif
