// SPDX-License-Identifier: PostgreSQL
/* Cutting a table into chunks: ranges of rows that together hold each row exactly once.
 *
 * Boundaries may be anything (a sample's, old statistics', uneven): ranges are half-open, the first and the
 * last are unbounded, and a nullable key has a chunk for its NULLs, so no row can be lost or doubled. All
 * conditions are evaluated by the source under one snapshot. */
#ifndef LOAD_CHUNKS_H
#define LOAD_CHUNKS_H

#include <pgpier/config.h>

#include "../pg/conn.h"
#include "../pg/tables.h"

struct chunk {
	char *condition; /* what follows WHERE; empty = the whole table */
	char *range;     /* the same for people */
};

struct chunks {
	struct chunk *items;
	size_t count;
	int64_t rows; /* estimate, or exact after a COUNT; -1 unknown */
	char how[128]; /* "ntile over ctid, 41 chunks, 1.2 % sample in 0.07 s" */
};

/* Rows by what the catalogs say alone; -1 when the table was never analysed. */
int64_t chunks_estimate(const struct table_info *t);
/* Does the table fit one chunk, by the catalogs alone? Then chunks_one() needs no query. */
bool chunks_is_small(const struct table_info *t, int64_t rows_per_chunk);
void chunks_one(const struct table_info *t, struct chunks *out);

/* Asks the source: counts where there are no statistics, samples, runs NTILE. In the caller's snapshot. */
bool chunks_plan(struct pg *source, const struct table_info *t, enum chunking chunking,
	int64_t rows_per_chunk, struct chunks *out, struct error *e) MUST_CHECK;
void chunks_free(struct chunks *c);

/* ---- pure parts ---- */

/* Half-open ranges between n - 1 boundaries. expression is SQL, each boundary an SQL literal. */
void chunks_between(struct chunks *out, const char *expression, const char *const *boundaries,
	size_t boundary_count);
/* Block boundaries '(block,0)' that cut `blocks` in n equal spans. */
void chunks_blocks(struct chunks *out, int64_t blocks, int64_t n);

#endif
