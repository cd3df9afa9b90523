// SPDX-License-Identifier: PostgreSQL
/* The replication slots of a server and the WAL they keep. */
#ifndef PG_SLOTS_H
#define PG_SLOTS_H

#include <pgpier/model.h>

#include "conn.h"

/* All slots of the server, those of other databases as well: they keep the same WAL. What its version does
 * not tell stays unknown; servers before 9.4 have none. `mirror` is left empty. */
bool slots_read(struct pg *c, struct slot_view **out, size_t *count, struct error *e) MUST_CHECK;

#endif
