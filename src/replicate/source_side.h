// SPDX-License-Identifier: PostgreSQL
/* What a mirror has on its source as a whole, publication and slot together: for whoever makes them, and for all
 * who take them away (src/mirror, src/cutover). */
#ifndef REPLICATE_SOURCE_SIDE_H
#define REPLICATE_SOURCE_SIDE_H

#include "../store/store.h"

/* False with ERROR_CONFLICT: there is a slot or publication by these names, and the store says nothing of it. */
bool source_side_is_vacant(struct pg *source, const struct store_replication *p, struct error *e) MUST_CHECK;
/* Removes what was made for the mirror; of what is not there nothing. */
bool source_side_remove(const struct peer_config *source, const char *mirror, const struct store_replication *p,
	const struct stop *stop, struct error *e) MUST_CHECK;

#endif
