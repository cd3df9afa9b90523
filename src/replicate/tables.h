// SPDX-License-Identifier: PostgreSQL
/* The tables of a mirror as its stream needs them: where each one's changes go, and from which change on.
 *
 * A table does not want the changes
 *  - that its own snapshot saw, when it was copied at a later one than the slot's;
 *  - that were committed before the position at which it is held, or after it while it is paused;
 *  - that the mirror has applied already, unless the table is one that was held back. */
#ifndef REPLICATE_TABLES_H
#define REPLICATE_TABLES_H

#include "../store/store.h"
#include "ddl.h"
#include "visible.h"
#include "writer.h"

struct stream_table {
	struct apply_table apply;
	const struct store_table *store; /* borrowed */
	struct visible *seen; /* by the table's snapshot; NULL: it is the slot's own, or long ago */
	lsn_t seen_until;     /* later commits need not be asked for */
	lsn_t reconcile_until; /* rows may be there or not up to here; 0 never */
	bool paused;
	struct ddl_relation known; /* as it was described last; name NULL: never */
};

struct stream_tables;

/* Reads the tables' keys from the source. store and config must outlive it. NULL on error. */
struct stream_tables *stream_tables_new(struct pg *source, const struct store_mirror *store,
	const struct mirror_config *config, struct error *e) MUST_CHECK;
void stream_tables_free(struct stream_tables *t);
/* Of the source's name; NULL: not one of the mirror. */
struct stream_table *stream_tables_find(struct stream_tables *t, const char *schema, const char *name);
/* By its oid on the source, whatever its name is now. */
struct stream_table *stream_tables_find_id(struct stream_tables *t, uint32_t id);
struct stream_table *stream_tables_of(struct stream_tables *t, const struct apply_table *a);

/* Where the stream has to begin: the least position of any table that is not paused. */
lsn_t stream_tables_from(const struct stream_tables *t);
/* What the slot may not forget: the least position at which a table is held; 0 none is. */
lsn_t stream_tables_held(const struct stream_tables *t);
lsn_t stream_tables_paused_at(const struct stream_tables *t); /* of those that are paused alone */
/* Some tables have to catch up with the others first. */
bool stream_tables_behind(const struct stream_tables *t);

/* Does the table want a change of a transaction, whose commit record is at `final`? */
bool stream_table_wants(const struct stream_table *t, uint32_t xid, lsn_t final, lsn_t applied);
/* Some table's rows must be reconciled up to the commit at `final`; moves those that are past. True when one
 * moved, and before it does: what was gathered must be written first. */
bool stream_tables_settle(struct stream_tables *t, lsn_t final, bool move);

#endif
