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

/* What a later verification may build on: all tables were proven equal at lsn, by sums of their rows at least. */
struct store_base {
	lsn_t lsn; /* 0: there is no such thing */
	int64_t age_s;
	struct strings files; /* verify_table.files of each, sorted */
};
void store_base_free(struct store_base *b);

/* A target whose store is of an earlier version keeps none: nothing is written, and that is no error. */
bool store_verification_add(struct pg *target, const struct verification *v, bool whole, struct error *e) MUST_CHECK;
/* The last one that was exact and of the whole mirror, of at least that level (counts < sample < checksum < full).
 * *found = false: there was none. */
bool store_verification_last(struct pg *target, int64_t id, enum verify_level least, struct store_verification *out,
	bool *found, struct error *e) MUST_CHECK;
/* The last one whose tables were all proven equal, unless another one found anything else since. */
bool store_base_read(struct pg *target, int64_t id, struct store_base *out, struct error *e) MUST_CHECK;
/* Tables that were changed, or copied anew, behind a position. */
bool store_changed_since(struct pg *target, int64_t id, lsn_t lsn, size_t *tables, struct error *e) MUST_CHECK;

#endif
