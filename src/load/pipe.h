// SPDX-License-Identifier: PostgreSQL
/* Moves the rows of one chunk: COPY ... TO STDOUT on the source into COPY ... FROM STDIN on the target.
 *
 * Both connections belong to the calling thread. Each statement text may have others in front of the COPY
 * (BEGIN, SET TRANSACTION SNAPSHOT), which saves round trips. Afterwards both connections are usable unless
 * pg_lost() says otherwise; their transactions are left open, or aborted when it failed: the caller commits
 * or rolls back.
 *
 * Memory: two buffers of 64 to 128 KB, however large a row is, where the connection is plain and we frame
 * COPY data ourselves; libpq's row buffer in addition where it is encrypted. */
#ifndef LOAD_PIPE_H
#define LOAD_PIPE_H

#include <pgpier/model.h>

#include "../model/write.h"
#include "../pg/conn.h"
#include "throttle.h"

/* COPY data is sent in pieces of this size: smaller ones cost system calls, larger ones leave the second
 * level cache (measured: 256 KB is 15 % slower than 64 KB). */
#define PIPE_PIECE (64 * 1024)

struct pipe_result {
	int64_t rows;  /* what the source sent and the target took */
	int64_t bytes; /* of COPY data */
	bool source_failed; /* which side an error is from */
	char answer[32];    /* of a SELECT of one value behind the source's COPY */
};

struct pipe {
	struct pg *source, *target;
	const char *source_sql; /* [...;] COPY ... TO STDOUT [; SELECT one value] */
	const char *after_sql;  /* that SELECT, for pipe_fetch(); may be NULL */
	const char *target_sql; /* [...;] COPY ... FROM STDIN */
	struct throttle *throttle;
	struct progress *progress; /* moves while it runs */
};

bool pipe_copy(const struct pipe *p, struct pipe_result *result, struct error *e) MUST_CHECK;

/* The same rows by DECLARE CURSOR and FETCH: source_sql is [...;] DECLARE pgpier CURSOR FOR ..., the format
 * that of the target's COPY. */
bool pipe_fetch(const struct pipe *p, bool binary, struct pipe_result *result, struct error *e) MUST_CHECK;

/* ---- shared by the implementations ---- */

bool pipe_copy_raw(const struct pipe *p, struct pipe_result *result, struct error *e) MUST_CHECK;
bool pipe_copy_libpq(const struct pipe *p, struct pipe_result *result, struct error *e) MUST_CHECK;
/* "COPY 123" gives 123; -1 for anything else. */
int64_t pipe_tag_rows(const char *tag);
/* Both sides must agree, or rows were swallowed. */
bool pipe_check_rows(int64_t sent, int64_t taken, struct error *e) MUST_CHECK;

/* The target's end of a pipe through libpq. */
bool pipe_target_begin(struct pg *target, const char *sql, struct error *e) MUST_CHECK;
bool pipe_target_put(struct pg *target, const char *bytes, size_t n, struct error *e) MUST_CHECK;
/* why = NULL: end of data, and *rows is what the target took. Else the copy is failed with that text. */
bool pipe_target_end(struct pg *target, const char *why, int64_t *rows, struct error *e) MUST_CHECK;

#endif
