// SPDX-License-Identifier: PostgreSQL
/* From a dump and its choice to the objects that the store keeps, with what a dump does not have: materialized
 * views to fill, checks that must wait for other tables' rows, sizes of indexes, and indexes that are not made
 * because the source's are not valid. */
#ifndef SCHEMA_OBJECTS_H
#define SCHEMA_OBJECTS_H

#include "../pg/conn.h"
#include "../store/objects.h"
#include "choose/choose.h"

/* chosen: one for each entry. The source's connection sees what the dump saw. By id. */
bool objects_new(struct pg *source, const struct dump *d, const struct chosen *chosen, struct store_object **out,
	size_t *n, struct error *e) MUST_CHECK;

/* Kinds of our own making, beside pg_dump's. */
#define OBJECT_REFRESH "MATERIALIZED VIEW DATA" /* as pg_dump calls it in dumps with data */

#endif
