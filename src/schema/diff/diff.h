// SPDX-License-Identifier: PostgreSQL
/* The objects of both sides of a mirror, compared by their definitions as one and the same pg_dump prints them:
 * what is missing on the target, what only it has, what is another, who owns it and who may use it. Pure. */
#ifndef SCHEMA_DIFF_H
#define SCHEMA_DIFF_H

#include "../../shared.h"
#include "../dump/dump.h"

/* A side, with what its server says of itself. */
struct diff_side {
	const struct dump *dump;
	const char *profile; /* of its provider, as choose.h wants it; NULL self-hosted */
};

/* Adds what differs to *out, and notes. What the mirror leaves out (choose.h) is not looked for on the target;
 * what its configuration makes another there (names, roles, columns left out) is no difference. */
void diff_objects(const struct diff_side *source, const struct diff_side *target, const struct mirror_config *m,
	struct comparison *out);

#endif
