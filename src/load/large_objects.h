// SPDX-License-Identifier: PostgreSQL
/* Large objects, which are in no table and in no stream of changes: copied once, under the same OIDs, with owners,
 * grants and comments. A batch and its mark in the store are one transaction, in the order of OIDs, so that
 * whoever comes next goes on behind the last one. Memory is bounded by the batch, however large an object is. */
#ifndef LOAD_LARGE_OBJECTS_H
#define LOAD_LARGE_OBJECTS_H

#include <pgpier/config.h>

#include "../pg/conn.h"
#include "throttle.h"

struct large_objects {
	/* By the caller. */
	const struct mirror_config *mirror;
	int64_t id;                /* of the mirror in the store */
	struct throttle *throttle; /* NULL none */
	void (*progress)(void *arg, int64_t count, int64_t bytes); /* so far; NULL none */
	void *arg;
	/* What came of it. */
	int64_t count, bytes; /* copied by this call */
	int64_t unread;       /* that the role may not read */
	struct strings notes; /* of those and of owners and grants that could not be kept; the first ones */
	int64_t notes_more;   /* how many more there would be */
};

/* source: inside the transaction whose snapshot counts. target: in none. Nothing is copied and nothing is wrong
 * when all were copied before. An object that is on the target already, and was not put there by this mirror, is
 * an error that names it, before anything is copied. */
bool large_objects_copy(struct large_objects *l, struct pg *source, struct pg *target, struct error *e) MUST_CHECK;
void large_objects_free(struct large_objects *l); /* what it owns */

/* How many the source has. */
bool large_objects_count(struct pg *source, int64_t *count, struct error *e) MUST_CHECK;
/* "412 large objects (3.1 GB) copied; what changes in them from now on is not replicated". Caller frees. */
char *large_objects_text(const struct large_objects *l);

#endif
