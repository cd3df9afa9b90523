// SPDX-License-Identifier: PostgreSQL
/* The moment that all rows of a load come from.
 *
 * One connection exports it; a second one imports it and exports it again, so that one lost socket does not
 * lose the load. Each of the two names stays valid as long as its own connection lives in its transaction
 * (pg_export_snapshot()), and the import needs nothing but the same database. Belongs to one thread; the
 * name may be read by any through snapshot_name(). */
#ifndef LOAD_SNAPSHOT_H
#define LOAD_SNAPSHOT_H

#include "../pg/conn.h"

struct snapshot;

/* exported: the name of one that somebody else keeps until this returns (a new replication slot's); NULL: a
 * snapshot of now. */
struct snapshot *snapshot_new(const struct peer_config *source, const char *mirror, const char *exported,
	const struct stop *stop, struct error *e) MUST_CHECK;
void snapshot_free(struct snapshot *s);

/* The connection whose transaction sees the snapshot, for the owner's own queries. */
struct pg *snapshot_connection(struct snapshot *s);
/* For SET TRANSACTION SNAPSHOT. */
void snapshot_name(struct snapshot *s, char out[NAME_SIZE]);
/* txid_current_snapshot() / pg_current_snapshot() as text: "100:104:100,102". */
const char *snapshot_visible(const struct snapshot *s);
const char *snapshot_lsn(const struct snapshot *s); /* where the source's WAL was; empty on a standby before 10 */
int64_t snapshot_taken_at(const struct snapshot *s); /* the source's clock, us */

/* Are both connections alive? A lost one is replaced from the other. False, ERROR_LOST: both are gone. */
bool snapshot_keep(struct snapshot *s, struct error *e) MUST_CHECK;

#endif
