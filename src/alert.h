// SPDX-License-Identifier: PostgreSQL
/* Tells a person, through a command of theirs, what a mirror needs them to know: each thing once, and again
 * only after it has changed. The command is run by /bin/sh with one JSON object on stdin, in a process group of
 * its own, one after the other on a thread of its own, so that nothing of the mirror waits for it. */
#ifndef ALERT_H
#define ALERT_H

#include "model/write.h"

enum alert_kind {
	ALERT_FAILED,
	ALERT_LAG,
	ALERT_RETAINED,
	ALERT_SLOT_LOST,
	ALERT_LOAD_DONE,
	ALERT_CAUGHT_UP,
	ALERT_COUNT,
};
const char *alert_name(enum alert_kind kind); /* failed lag retained slot_lost load_done caught_up */

/* What is true of a mirror now. */
struct alert_facts {
	enum mirror_state state;
	const struct error *error; /* why it failed; NULL or of class NONE: it has not */
	double lag_s;              /* negative unknown */
	int64_t lag_bytes, retained_bytes; /* negative unknown */
	bool slot_lost, load_done, caught_up;
};

/* What was told. Zeroed: nothing. */
struct alert_memory {
	unsigned holding; /* bits of enum alert_kind */
	char error[256];  /* of the failure that was told */
};

/* Pure: the bits of what is to be told now; the memory moves on. A limit that was passed counts as passed until
 * the value is a fifth below it, so that a value near the limit is told once. Caught up is told after the load,
 * and again when lag, failure or lost slot was told meanwhile: that is the all-clear. */
unsigned alert_changes(const struct mirror_config *limits, const struct alert_facts *facts,
	struct alert_memory *memory);

struct alerts;
/* NULL when the mirror has no alert_command: the functions below then do nothing. load_done: it was already
 * when this run began, and is not told again. */
struct alerts *alerts_new(struct model *model, const struct mirror_config *config, bool load_done);
/* Looks at what is true now; returns at once. One thread at a time. */
void alerts_look(struct alerts *a, const struct alert_facts *facts);
/* Commands that run or wait have two seconds left. */
void alerts_free(struct alerts *a);

#endif
