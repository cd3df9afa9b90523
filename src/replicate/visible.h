// SPDX-License-Identifier: PostgreSQL
/* Does a snapshot see a transaction? A table that was copied at a snapshot of its own already has the changes
 * of every transaction that the snapshot saw. Positions in the log can't tell: a commit may be in the log
 * before snapshots see it, and be seen before it is on disk. */
#ifndef REPLICATE_VISIBLE_H
#define REPLICATE_VISIBLE_H

#include <pgpier/base.h>

struct visible; /* immutable */

/* Of txid_current_snapshot()'s text, "xmin:xmax:xip,xip,...". NULL when it is none. */
struct visible *visible_new(const char *snapshot);
void visible_free(struct visible *v);
/* xid as the stream has it, 32 bits: of a transaction less than 2^31 away from the snapshot. */
bool visible_sees(const struct visible *v, uint32_t xid);

#endif
