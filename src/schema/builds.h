// SPDX-License-Identifier: PostgreSQL
/* Keys, indexes and checks as steps: what follows a table's rows. */
#ifndef SCHEMA_BUILDS_H
#define SCHEMA_BUILDS_H

#include "defs.h"

/* Empty keys and indexes of a partitioned parent, into plan->before at this stage. */
void builds_of_parent(
	struct schema_plan *plan, const struct defs *d, const struct def_table *t, int stage);
/* Those of a table with rows, into plan->after, and what waits for its whole tree, into
 * plan->final. */
void builds_of_table(struct schema_plan *plan, const struct defs *d, const struct def_table *t);

#endif
