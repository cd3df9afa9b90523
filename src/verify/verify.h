// SPDX-License-Identifier: PostgreSQL
/* Are the tables of a mirror the same on both servers?
 *
 * Each side is read by workers of its own, all of them at that side's one snapshot. A table is cut into ranges of
 * blocks where the server can read such (14 on), on each side by itself, because its sums (sums.h) know no order:
 *
 *     sums of all ranges, both sides --equal--> done
 *        \--buckets differ--> the rows of those buckets, as hashes with places --> what only one side has
 *                                 --> their values, paired by key --> told, repaired when that is wanted
 *
 * Nothing is written anywhere but by a repair. */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <pgpier/verify.h>

#include "../load/snapshot.h"
#include "../model/write.h"

struct verify_settings {
	const struct mirror_config *config;
	const struct peer_config *source, *target;
	enum verify_level level;
	int64_t sample;
	const char *only; /* schema.name of a table of the source; NULL: all, and sequences */
	bool repair;
	struct model *model;
	const struct stop *stop;
};

/* The moments to compare; each is somebody else's, and lives until verify() has returned. Beside which the name of
 * the sessions: verify_label(). */
struct verify_moments {
	struct snapshot *source, *target;
	bool exact;
	double stopped_s;
	int tries;
};

/* Application names of all sessions of a verification: pgpier/MIRROR/verify/ROLE. */
#define VERIFY_LABEL_SIZE 41
void verify_label(const char *mirror, char out[VERIFY_LABEL_SIZE]);

/* moments NULL: snapshots of now. What can't be compared is said in the result; NULL on errors of another kind. */
struct verification *verify(const struct verify_settings *s, const struct verify_moments *moments, struct error *e)
	MUST_CHECK;

#endif
