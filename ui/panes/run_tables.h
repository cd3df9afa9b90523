// SPDX-License-Identifier: PostgreSQL
/* The tables of a mirror's run, as lists of them follow the model: names once a run, values in every frame; of very
 * many tables once a second. */
#ifndef PGPIER_PANES_RUN_TABLES_H
#define PGPIER_PANES_RUN_TABLES_H

#include "ui.h"

struct run_tables {
	uint64_t run;
	struct strings names; /* by index */
	int64_t fetched_at;   /* of the values; 0 asks for them at once */
};

/* Whether a list that shows `count` of them now shall be fetched again. Learns the names. */
bool run_tables_due(struct run_tables *r, struct ui *u, const char *mirror, size_t count);
const char *run_tables_name(const struct run_tables *r, size_t index);
void run_tables_free(struct run_tables *r);

#endif
