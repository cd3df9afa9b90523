// SPDX-License-Identifier: PostgreSQL
/* Whose a large object is on the target, and who may read and write it there. */
#ifndef LOAD_LARGE_RIGHTS_H
#define LOAD_LARGE_RIGHTS_H

#include <pgpier/config.h>

#include "../pg/known_roles.h"

struct large_rights {
	const struct mirror_config *mirror;
	struct known_roles known; /* of the target */
};

/* The statement that gives it to its owner, or a line about why not. */
void large_rights_owner(const struct large_rights *r, struct strbuf *sql, const char *oid, const char *owner,
	struct strings *left);
/* Those of n objects, read from the source. */
bool large_rights_grants(const struct large_rights *r, struct strbuf *sql, struct pg *source, size_t n,
	const char *const *oids, struct strings *left, struct error *e) MUST_CHECK;

#endif
