// SPDX-License-Identifier: PostgreSQL
/* Roles of the source's server against those of the target's: attributes, memberships, settings,
 * comments, and what the database itself has for them (settings, grants, connection limit). A dump
 * of one database holds none of it.
 *
 * Names go by the mirror's roles_map. Left out are predefined roles and those that a provider keeps
 * for itself. A role matters when it owns or is granted something in the source's database, belongs
 * to such a role, or is what one of these belongs to; of the others only notes are made. */
#ifndef SCHEMA_ROLES_H
#define SCHEMA_ROLES_H

#include <pgpier/compare.h>

#include "../../pg/conn.h"

/* Both ways; changes nothing. NULL on error. */
struct comparison *roles_compare(struct pg *source, struct pg *target,
	const struct mirror_config *m, struct error *e) MUST_CHECK;

/* A statement that was run on the target, without secrets; failed: what the server said, or NULL.
 */
typedef void roles_told(void *context, const char *statement, const struct error *failed);
/* Makes what is missing, each statement in a transaction of its own, and compares again: what has
 * failed is among the differences and the notes. What differs is not changed, and nothing is
 * dropped. NULL on error. */
struct comparison *roles_apply(struct pg *source, struct pg *target, const struct mirror_config *m,
	roles_told *told, void *context, struct error *e) MUST_CHECK;

/* For a preflight: the roles that own or are granted something in the source's database and that
 * the target lacks, by the names that they would have there, sorted. The caller frees *out. */
bool roles_missing(struct pg *source, struct pg *target, const struct mirror_config *m,
	struct strings *out, struct error *e) MUST_CHECK;

#endif
