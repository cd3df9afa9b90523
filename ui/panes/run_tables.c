// SPDX-License-Identifier: PostgreSQL
#include "panes/run_tables.h"

#define MANY 5000 /* tables */
#define PERIOD_US 1000000

bool run_tables_due(struct run_tables *r, struct ui *u, const char *mirror, size_t count)
{
	uint64_t run = model_load_run(u->model, mirror);
	if (run == r->run && count > MANY && u->now - r->fetched_at < PERIOD_US)
		return false;
	if (run != r->run || r->names.count == 0) {
		strings_free(&r->names);
		model_load_names(u->model, mirror, &r->names);
		r->run = run;
	}
	r->fetched_at = u->now;
	return true;
}

const char *run_tables_name(const struct run_tables *r, size_t index)
{
	return index < r->names.count ? r->names.items[index] : "";
}

void run_tables_free(struct run_tables *r)
{
	strings_free(&r->names);
}
