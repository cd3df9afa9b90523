// SPDX-License-Identifier: PostgreSQL
/* Is the source ready to be replicated from? Everything that would fail later, or would make the source's own
 * application fail, is found before anything is made. Reads only. */
#ifndef REPLICATE_READY_H
#define REPLICATE_READY_H

#include <pgpier/preflight.h>

#include "../pg/conn.h"

struct ready_table {
	int64_t oid;
	bool parent; /* partitioned: from 13 on its publication takes all partitions, chosen or not */
};

struct ready_plan {
	const char *slot, *publication;
	bool ours; /* the store says that both were made by this mirror: what exists by these names is right, and
	            * a table's trouble is no reason not to go on with the others */
	const struct ready_table *tables;
	size_t table_count;
};

#define READY_NO_TABLE ((size_t)-1)
struct ready_finding {
	size_t table; /* in the plan, or READY_NO_TABLE */
	struct finding finding; /* owned */
};

struct ready {
	struct ready_finding *items;
	size_t count;
};
void ready_free(struct ready *r);
void ready_add(struct ready *r, size_t table, enum severity severity, const char *subject, const char *text,
	const char *next);

/* The source connection may be inside a snapshot's transaction. */
bool ready_check(struct pg *source, const struct ready_plan *plan, struct ready *out, struct error *e)
	MUST_CHECK;
/* Opens connections of its own: does one for replication come through, and is there a pooler in between? What
 * can't be connected to at all is not found here. */
void ready_connect(const struct peer_config *source, const char *mirror, const struct stop *stop,
	struct ready *out);
/* May the target's session play the replica, so that triggers and foreign keys leave applied rows alone?
 * continuous: they will for as long as the mirror lives. Outside of a transaction. */
bool ready_target(struct pg *target, bool continuous, struct ready *out, struct error *e) MUST_CHECK;

/* Of ready_check(): replica identities and ownership. */
bool ready_tables(struct pg *source, const struct ready_plan *plan, struct ready *out, struct error *e)
	MUST_CHECK;

#endif
