// SPDX-License-Identifier: PostgreSQL
/* A fence around a database: nobody but us writes there, until it is lifted and all is exactly as it was.
 *
 * What has to be undone is computed from the catalogs first, and is written down on the same server (pgpier.fences)
 * in the one transaction that closes: GRANT, REVOKE, ALTER DATABASE SET and ALTER ROLE IN DATABASE SET are
 * transactional (manual, "GRANT", "ALTER DATABASE", "ALTER ROLE"). So whoever comes after a crash finds either an
 * open database, or a closed one and how to open it, and needs no other server for that. */
#ifndef CUTOVER_FENCE_H
#define CUTOVER_FENCE_H

#include "../pg/conn.h"

struct fence_settings {
	const char *mirror;          /* whose cutover it is: the fence's name */
	/* Roles that may go on connecting, by a right of their own if need be. For them, too, the database's default is
	 * read only, unless they have a setting of their own, which is left as it is. NULL: none. */
	const struct strings *allow;
};

/* What closing would do and what would undo it, statement by statement; notes: what it can't keep out (superusers,
 * members of roles that stay, sessions of the application under our own role, subscriptions, jobs) and what won't be
 * as it was, a line each; remarks: what will be as it was, but not to the letter. No statements: the database is not
 * ours to close. Changes nothing. */
struct fence_plan {
	struct strings close, undo, notes, remarks;
	size_t roles; /* that lose the right to connect */
};
bool fence_plan(struct pg *c, const struct fence_settings *s, struct fence_plan *out, struct error *e) MUST_CHECK;
void fence_plan_free(struct fence_plan *p);

/* Sessions that are there stay: sessions_end(). One that stands already is fine, one of another mirror is not (each
 * would take the other's for what was there before). Schema pgpier must be there: store_prepare(). */
bool fence_close(struct pg *c, const struct fence_settings *s, struct error *e) MUST_CHECK;
/* Everything as it was before, but for roles that are gone since; none is fine. *was tells whether one stood. */
bool fence_lift(struct pg *c, const char *mirror, bool *was, struct error *e) MUST_CHECK;
/* Its undo statements; *stands false: there is none (also where there is no schema pgpier). */
bool fence_read(struct pg *c, const char *mirror, bool *stands, struct strings *undo, struct error *e) MUST_CHECK;
/* The fence stays as it stands, and nobody knows of it any more: keep its undo statements. None is fine. */
bool fence_forget(struct pg *c, const char *mirror, struct error *e) MUST_CHECK;

#endif
