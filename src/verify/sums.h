// SPDX-License-Identifier: PostgreSQL
/* A table as sums of its rows' hashes, by bucket. Sums know no order, so the two sides may be read in any, in any
 * pieces, by any number of workers; a row that is there twice counts twice. Pure. */
#ifndef VERIFY_SUMS_H
#define VERIFY_SUMS_H

#include "express.h"

struct sums;

/* How many buckets a table of so many rows gets: a power of two. */
size_t sums_buckets(int64_t rows);
struct sums *sums_new(size_t buckets);
void sums_free(struct sums *s);
/* total: a sum of hashes as numeric's text, of which the last 64 bits count. */
void sums_add(struct sums *s, int side, size_t bucket, int64_t rows, const char *total);
int64_t sums_rows(const struct sums *s, int side);
size_t sums_count(const struct sums *s); /* buckets */
int64_t sums_bucket_rows(const struct sums *s, size_t bucket); /* of the side that has more */
/* The buckets that differ; the caller frees *out. */
size_t sums_differing(const struct sums *s, uint32_t **out);

#endif
