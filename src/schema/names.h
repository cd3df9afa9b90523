// SPDX-License-Identifier: PostgreSQL
/* The names that the plan is about to use on the target: are they free, is none used twice? */
#ifndef SCHEMA_NAMES_H
#define SCHEMA_NAMES_H

#include "defs.h"

/* Marks sequences and indexes that exist on the target (NULL: none do); a name that is taken by
 * something else, or that two objects want because tables of several schemas go to one, is a
 * blocker. */
bool names_check(
	struct defs *d, struct pg *target, struct schema_findings *f, struct error *e) MUST_CHECK;

#endif
