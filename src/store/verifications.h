// SPDX-License-Identifier: PostgreSQL
/* What the mirror's verifications came to, kept on the target beside the mirror: who decides by them later (the gates
 * of a cutover) wants the last exact one, its age and its position. Written by whoever verified, which need not be
 * the process that runs the mirror. */
#ifndef STORE_VERIFICATIONS_H
#define STORE_VERIFICATIONS_H

#include <pgpier/verify.h>

#include "store.h"

struct store_verification {
	int64_t ended_at; /* the target's clock, us */
	int64_t age_s;    /* by the same clock, when it was read */
	enum verify_level level;
	enum verify_verdict verdict; /* VERIFY_EQUAL: clean */
	bool exact;                  /* both sides at lsn; false: the mirror stood still, or nobody knew */
	bool whole;                  /* all tables of the mirror, not a choice of them */
	lsn_t lsn;                   /* 0 unknown */
	size_t equal, differing, unsure;
	int64_t rows;
	double stopped_s;
	int tries;
};

/* A target whose store is of an earlier version keeps none: nothing is written, and that is no error. */
bool store_verification_add(struct pg *target, const struct verification *v, bool whole, struct error *e) MUST_CHECK;
/* The last one that was exact and of the whole mirror, of at least that level (counts < sample < checksum < full).
 * *found = false: there was none. */
bool store_verification_last(struct pg *target, int64_t id, enum verify_level least, struct store_verification *out,
	bool *found, struct error *e) MUST_CHECK;

#endif
