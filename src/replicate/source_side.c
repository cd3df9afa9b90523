// SPDX-License-Identifier: PostgreSQL
#include "source_side.h"

#include "publication.h"
#include "slot.h"

bool source_side_is_vacant(struct pg *source, const struct store_replication *p, struct error *e)
{
	struct slot_status slot;
	bool publication;
	if (!slot_status(source, p->slot, &slot, e) || !publication_exists(source, p->publication, &publication, e))
		return false;
	if (slot.exists)
		error_set(e, ERROR_CONFLICT, "peer %s: there is a replication slot %s that this mirror did not make",
			pg_peer_name(source), p->slot);
	else if (publication)
		error_set(e, ERROR_CONFLICT, "peer %s: there is a publication %s that this mirror did not make",
			pg_peer_name(source), p->publication);
	else
		return true;
	return error_next(e, "set another name by slot and publication of the mirror, or drop it on the source");
}

bool source_side_remove(const struct peer_config *source, const char *mirror, const struct store_replication *p,
	const struct stop *stop, struct error *e)
{
	if (!p->slot[0])
		return true;
	struct pg *c = pg_connect(source, mirror, "drop", stop, e);
	bool ok = c && slot_drop(c, mirror, p->slot, e) && publication_drop(c, p->publication, e);
	pg_free(c);
	if (!ok)
		error_next(e, "slot %s and publication %s are still on peer %s, where the slot keeps WAL: drop it again "
					  "when the peer answers", p->slot, p->publication, source->name);
	return ok;
}
