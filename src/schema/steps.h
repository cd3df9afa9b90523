// SPDX-License-Identifier: PostgreSQL
/* Adding to the lists of a plan. */
#ifndef SCHEMA_STEPS_H
#define SCHEMA_STEPS_H

#include "schema.h"

/* Takes the text of sql and leaves it empty. */
void steps_add(struct schema_steps *steps, enum schema_kind kind, size_t table, int stage,
	char *take_name, struct strbuf *sql);

#endif
