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
 * A mirror that replicates is compared at one position: where it stands for the moment that both snapshots take
 * (online.c), or until its rows are repaired (hold.c). No table is written but by a repair; a message in the source's
 * log marks the position. */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <pgpier/model.h>
#include <pgpier/verify.h>

#include "../load/snapshot.h"
#include "../model/write.h"
#include "../store/verifications.h"

struct verify_settings {
	const struct mirror_config *config;
	const struct peer_config *source, *target;
	enum verify_level level;
	int64_t sample;
	bool repair;
	const struct strings *only; /* schema.table of the source; NULL: all of the mirror, and sequences. Others
	                             * are not told of */
	/* With VERIFY_CHECKSUM: tables that nothing has changed since are only counted. NULL or lsn 0: all are summed.
	 * What somebody else did to a row of such a table on the target, but for its number of rows, is not found. */
	const struct store_base *base;
	bool at_rest; /* nobody writes on the source, all of it is applied, sequences are set: a sequence that is behind
	               * differs */
	struct model *model;
	const struct stop *stop;
};

/* The moments to compare; each is somebody else's, and lives until verify() has returned. Beside which the name of
 * the sessions: verify_label(). */
struct verify_moments {
	struct snapshot *source, *target; /* NULL: one of now */
	bool exact;
	double stopped_s;
	int tries;
	char lsn[32];     /* exact: the position in the source's order of commits */
	int64_t taken_at; /* exact: by the source's clock, us */
	struct verify_hold *hold; /* replication stands there until verify_let_go(), or until it is lost; NULL: it went on */
};

/* Application names of all sessions of a verification: pgpier/MIRROR/verify/ROLE. */
#define VERIFY_LABEL_SIZE 41
void verify_label(const char *mirror, char out[VERIFY_LABEL_SIZE]);

/* One position of a mirror that replicates, in this process or in another one: what the source's snapshot sees is what
 * the target's sees. Replication is held for no longer than that takes (online.c), or with s->repair until it is let
 * go. Waits for as long as the mirror needs to get there. verify_moments_free() frees the snapshots, and lets go. */
bool verify_take_moments(const struct verify_settings *s, struct verify_moments *out, struct error *e) MUST_CHECK;
void verify_let_go(struct verify_moments *m); /* how long it was held is in stopped_s then */
void verify_moments_free(struct verify_moments *m);

/* moments NULL: snapshots of now. What can't be compared is said in the result; NULL on errors of another kind. */
struct verification *verify(const struct verify_settings *s, const struct verify_moments *moments, struct error *e)
	MUST_CHECK;

/* Into the store (../store/verifications.h), where store_verification_last() finds it. */
bool verify_record(const struct verify_settings *s, const struct verification *v, struct error *e) MUST_CHECK;

/* ---- for those who have stopped the source themselves (cutover) ---- */

struct verify_short {
	enum verify_verdict verdict; /* UNSURE: could not compare all of it */
	size_t equal, differing, unsure; /* tables and sequences */
	int64_t rows, bytes;
	double took_s;
	char reason[256]; /* one line: "equal: 12 tables, 3 sequences", or the first that is not, and why */
	struct verification *whole; /* verification_release() */
};
/* Compares while apply stands still at `position`, where it has all that the source has, and nobody writes. Any
 * thread may call it that may wait (s->stop ends it); it opens sessions of its own and needs nobody else's. s->at_rest
 * is taken as set. The result goes to the model and to the store, as one that is exact at `position`. False only when
 * it could not be begun or was stopped: what was compared and differs is a verdict, not an error. */
bool verify_at_rest(const struct verify_settings *s, lsn_t position, struct verify_short *out, struct error *e)
	MUST_CHECK;

#endif
