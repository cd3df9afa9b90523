// SPDX-License-Identifier: PostgreSQL
/* Commands of the person who runs a cutover: run by /bin/sh with these variables, and no password in any of them.
 *
 *     PGPIER_MIRROR   the mirror's name            PGPIER_STEP   freeze, unfreeze or open
 *     PGPIER_FROM     the peer that is left        PGPIER_TO     the peer that is gone to
 *     PGPIER_FROM_CONNINFO, PGPIER_TO_CONNINFO     libpq connection strings
 *     PGPIER_FROM_HOST, _PORT, _DBNAME, _USER      the same in parts, and PGPIER_TO_...
 *
 * A rollback runs the same commands with FROM and TO the other way round. The exit code decides; what was written to
 * stderr is told. A command ends when nobody has its stderr open any more. */
#ifndef CUTOVER_HOOK_H
#define CUTOVER_HOOK_H

#include <pgpier/config.h>
#include <pgpier/error.h>

#include "../pg/conn.h"

enum hook { HOOK_FREEZE, HOOK_UNFREEZE, HOOK_OPEN };

struct hook_peers {
	const struct peer_config *from, *to;
	struct pg *from_connection, *to_connection; /* know what a service or the environment added; NULL: none is open */
};

/* command NULL: nothing is to be done, which is fine. */
bool hook_run(enum hook hook, const char *command, const char *mirror, const struct hook_peers *p, int patience_ms,
	const struct stop *stop, struct error *e) MUST_CHECK;

#endif
