// SPDX-License-Identifier: PostgreSQL
/* Can the rows of the source go into a table that exists on the target? Compared column by column
 * before anything is changed. */
#ifndef SCHEMA_CHECK_H
#define SCHEMA_CHECK_H

#include "schema.h"

struct schema_check {
	struct schema_findings findings;
	/* One for each table given: it exists and has rows we can see. What that means is up to
	 * on_existing_rows and to whose rows they are, so it is no finding by itself. */
	bool *has_rows;
};

/* Looks at the tables given with exists = true. Blockers: a column that is missing, has a type the
 * values do not fit, is generated on the target, or is NOT NULL there and gets no value. Notes:
 * what slows the load or runs during it (indexes, triggers). */
bool schema_check(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count, struct schema_check *out,
	struct error *e) MUST_CHECK;
void schema_check_free(struct schema_check *c);

#endif
