// SPDX-License-Identifier: PostgreSQL
/* The preflight's look at what a mirror would make from a dump. */
#ifndef MIRROR_OBJECTS_CHECK_H
#define MIRROR_OBJECTS_CHECK_H

#include <pgpier/config.h>
#include <pgpier/preflight.h>

#include "../pg/conn.h"
#include "../schema/schema.h"

struct objects_findings {
	struct finding *items;
	size_t count;
	size_t before, after; /* objects that would be made before and after the rows */
};

/* Dumps the source as it is now; changes nothing. */
bool objects_check(struct pg *source, struct pg *target, const struct peer_config *peer, const struct mirror_config *m,
	const struct schema_table *tables, size_t n, const struct stop *stop, struct objects_findings *out, struct error *e)
	MUST_CHECK;
void objects_findings_free(struct objects_findings *f);

#endif
