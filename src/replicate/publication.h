// SPDX-License-Identifier: PostgreSQL
/* The publication on the source: which tables' changes the slot's stream carries.
 *
 * Partitioned parents are in it from PostgreSQL 13 on, so that partitions made later are as well; before,
 * leaves are all there is to publish. Changes come under the leaves' own names in either case. Connections
 * are plain ones to the source's database. What we did not make is never touched: the store on the target
 * remembers what we made, `ours` is what it says. */
#ifndef REPLICATE_PUBLICATION_H
#define REPLICATE_PUBLICATION_H

#include "../pg/conn.h"

struct publication_table {
	const char *schema, *name; /* borrowed */
	bool parent;               /* partitioned: left out on servers that can't publish it */
};

bool publication_exists(struct pg *source, const char *name, bool *exists, struct error *e) MUST_CHECK;
/* One that is there and ours gets the tables that it lacks; one that is not ours is refused. On failure a
 * publication that this call made is gone again. */
bool publication_create(struct pg *source, const char *name, bool ours, const struct publication_table *tables,
	size_t n, struct error *e) MUST_CHECK;
/* Tables that are in already, or no more, are fine; those that the source has no more are left out. */
bool publication_add(struct pg *source, const char *name, const struct publication_table *tables, size_t n,
	struct error *e) MUST_CHECK;
bool publication_remove(struct pg *source, const char *name, const struct publication_table *tables, size_t n,
	struct error *e) MUST_CHECK;
/* Only what is ours; one that is gone is fine. */
bool publication_drop(struct pg *source, const char *name, struct error *e) MUST_CHECK;

#endif
