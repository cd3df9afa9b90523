// SPDX-License-Identifier: PostgreSQL
/* A mirror whose rows are on its target already: its stream begins where both sides are equal.
 *
 * Its first snapshot is its slot's, as of any mirror, and all of its tables are loaded as of that one. */
#ifndef STORE_ARM_H
#define STORE_ARM_H

#include "store.h"

/* The mirror's tables are these from now on: those that it has stay as they are, others come and go. They count as
 * loaded; where their rows are as of is told by store_arm(). */
bool store_arm_tables(struct pg *target, int64_t id, const struct store_mirror *known,
	const struct store_table *tables, size_t n, struct error *e) MUST_CHECK;
/* Names of slot and publication, of a stream that is at no position yet. */
bool store_arm_intent(struct pg *target, int64_t id, const char *slot, const char *publication,
	const char *selection, struct error *e) MUST_CHECK;
/* Everything starts at the slot, of which `first` is the snapshot; what an earlier stream left is forgotten. A new
 * mirror is paused then; one that is cut over stays that until store_reopen(). */
bool store_arm(struct pg *target, int64_t id, lsn_t consistent, const struct store_snapshot *first, struct error *e)
	MUST_CHECK;
/* No slot any more, nor a position. */
bool store_disarm(struct pg *target, int64_t id, struct error *e) MUST_CHECK;
/* Has a cutover of it ever been committed? */
bool store_was_cut_over(struct pg *target, int64_t id, bool *was, struct error *e) MUST_CHECK;

#endif
