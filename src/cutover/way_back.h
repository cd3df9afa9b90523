// SPDX-License-Identifier: PostgreSQL
/* The mirror that leads back: from the target of a mirror that is cut over to its source.
 *
 * It is a mirror like others (include/pgpier/config.h: reverse_of), but that nothing is loaded: both sides are equal
 * when its slot is made, inside of the freeze, before anybody writes to its source. It has a configuration of its
 * own in mirrors.conf, its place is kept in schema pgpier of its own target, which is the first mirror's source, and
 * status, pause, verify and cutover work on it. A rollback is its cutover, and arms the first mirror again in the
 * same way, so that nothing here knows which of the two is which. */
#ifndef CUTOVER_WAY_BACK_H
#define CUTOVER_WAY_BACK_H

#include <pgpier/config.h>

#include "../pg/conn.h"
#include "../store/store.h"

/* NAME-back, cut to fit; NAME-back2 and so on when a mirror of that name is there that is not the way back of this
 * one. all: NULL, nothing is there. */
void way_back_name(const struct config *all, const char *mirror, char out[NAME_SIZE]);
/* A mirror that goes the other way, with the same tables by their names there: map, columns, exclusions, tuning,
 * freeze, hooks and limits turned round; continuous; partitions that come later are made as there;
 * pgpier's own columns are left out.
 * store: what the mirror has by now, table by table: patterns are replaced by their names. Its name is the first that
 * way_back_name() has. */
void way_back_config(const struct mirror_config *m, const struct store_mirror *store, struct mirror_config *out);
/* Leaves out, too, what columns the tables have on the target alone. */
bool way_back_leave_out(struct pg *from, struct pg *to, const struct store_mirror *store, struct mirror_config *out,
	struct error *e) MUST_CHECK;

/* Both directions' ends: "from" is what will be followed (the target of the mirror that is cut over now), "to" what
 * will follow. */
struct way_back {
	const struct mirror_config *config; /* of the mirror that is armed; its source is from */
	const struct peer_config *from_peer, *to_peer;
	struct pg *from, *to;
	const struct stop *stop;
};

/* What can hinder it, a line each with what to do: wal_level, free slots and walsenders of from, our roles' rights,
 * tables without a replica identity there, a schema pgpier on to that is not ours, tables whose rows can't go back
 * (excluded columns without a default ...). Changes nothing. blocking: without these gone it can't be. */
bool way_back_check(const struct way_back *w, struct strings *blocking, struct strings *notes, struct error *e)
	MUST_CHECK;
/* Before the freeze: schema pgpier on to, the mirror's row and tables there (loaded, done, at no position yet),
 * names of slot and publication written down, the publication on from. Repeatable. store: of the mirror that is cut
 * over, whose tables they are. */
bool way_back_prepare(const struct way_back *w, const struct store_mirror *store, struct error *e) MUST_CHECK;
/* Inside of the freeze: the slot on from, and its position in the store on to. Repeatable: a slot of ours that is
 * there is made anew, because from must not have been written to since. */
bool way_back_begin(const struct way_back *w, struct error *e) MUST_CHECK;
/* Slot, publication, and for a mirror that this cutover made its place in the store; the schema goes with its last
 * mirror. Repeatable; of what was never made nothing. */
bool way_back_undo(const struct way_back *w, struct error *e) MUST_CHECK;

/* What a mirror had on its source, when nobody wants its stream any more: slot and publication. Its place in the
 * store stays, with no slot. */
bool way_back_disarm(const struct mirror_config *config, const struct peer_config *source, struct pg *target,
	const struct stop *stop, struct error *e) MUST_CHECK;

#endif
