// SPDX-License-Identifier: PostgreSQL
/* Rows that refer to nothing: why a foreign key can't be validated. */
#ifndef SCHEMA_ORPHANS_H
#define SCHEMA_ORPHANS_H

#include "../pg/conn.h"

/* On either server: how many rows of the table the constraint would refuse, and the keys of some of them:
 * "(12), (13, eu)". count < 0: there is no such foreign key. */
bool orphans_count(struct pg *c, const char *schema, const char *table, const char *constraint, int64_t *count,
	struct strbuf *sample, struct error *e) MUST_CHECK;

#endif
