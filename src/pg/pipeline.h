// SPDX-License-Identifier: PostgreSQL
/* Statements sent one behind the other without waiting for their answers (libpq's pipeline mode), all answered
 * behind one Sync: a transaction of any number of statements takes one round trip.
 *
 * Sending never fails by itself: from the first trouble on nothing more is sent, and pipeline_end() tells. The
 * connection is idle before the first statement and after pipeline_end(), or lost. When the connection's stop is
 * raised, what runs is cancelled; a server that does not answer within a second is left alone, the connection is
 * lost then. */
#ifndef PG_PIPELINE_H
#define PG_PIPELINE_H

#include "conn.h"

struct pipeline;

/* Told of each executed statement's result, in their order, up to the first failure. */
typedef void pipeline_answer(void *arg, uint64_t tag, const PGresult *r);

/* What failed: the tag of the statement (UINT64_MAX: none of them did), and the table that the server named
 * (violated constraints have one). */
struct pipeline_failure {
	uint64_t tag;
	char schema[NAME_SIZE], table[NAME_SIZE];
};

struct pipeline *pipeline_new(struct pg *c, pipeline_answer *answer, void *arg);
void pipeline_free(struct pipeline *p);

/* *ready turns true when the server has the statement; it must live until pipeline_end(). */
void pipeline_prepare(struct pipeline *p, const char *name, const char *sql, bool *ready, uint64_t tag);
/* A prepared statement with its parameters as text, NULL for SQL's; and one that is not prepared. */
void pipeline_execute(struct pipeline *p, const char *name, int n, const char *const *values, uint64_t tag);
void pipeline_run(struct pipeline *p, const char *sql, uint64_t tag);
bool pipeline_failing(const struct pipeline *p); /* worth asking in a long loop */

/* Sync, then waits for all answers. */
bool pipeline_end(struct pipeline *p, struct error *e) MUST_CHECK;
const struct pipeline_failure *pipeline_failure(const struct pipeline *p); /* of the last end that failed */

#endif
