// SPDX-License-Identifier: PostgreSQL
/* The roles of a server, and what the session's own may do with them. */
#ifndef PG_KNOWN_ROLES_H
#define PG_KNOWN_ROLES_H

#include "conn.h"

struct known_roles {
	struct strings all, held; /* sorted; held: those that objects can be given to */
	bool superuser;
};

/* On error *out is empty. */
bool known_roles_read(struct pg *c, struct known_roles *out, struct error *e) MUST_CHECK;
void known_roles_free(struct known_roles *r); /* what it owns */

#endif
