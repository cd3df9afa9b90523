// SPDX-License-Identifier: PostgreSQL
/* What the choice has to know of both servers. */
#ifndef SCHEMA_FACTS_H
#define SCHEMA_FACTS_H

#include "choose.h"
#include "../schema.h"

/* Of the mirror's tables only the source's names are read. What *out owns is choose_facts_free()'s; on error it
 * is empty. */
bool choose_facts_read(struct pg *source, struct pg *target, const struct schema_table *tables, size_t count,
	struct choose_facts *out, struct error *e) MUST_CHECK;
void choose_facts_free(struct choose_facts *f); /* the struct itself is the caller's */

#endif
