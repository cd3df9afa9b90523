// SPDX-License-Identifier: PostgreSQL
/* The beginning of the statements of a runbook: a WITH that is called `chosen` and has the mirror's
 * tables, by their names or, where the source can't be asked, by the mirror's patterns. The caller
 * frees. Pure. */
#ifndef SCRIPT_TABLES_H
#define SCRIPT_TABLES_H

#include "../renames.h"

struct script_table {
	const char *schema, *name; /* borrowed */
	const char *target_schema, *target_name;
	const struct renames *renamed; /* columns */
};

char *tables_by_name(
	const struct mirror_config *m, const struct script_table *tables, size_t count);
char *tables_by_pattern(const struct mirror_config *m);

/* The regular expression of PostgreSQL that matches what a pattern of a mirror matches. */
char *tables_regex(const char *pattern);

#endif
