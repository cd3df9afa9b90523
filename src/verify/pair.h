// SPDX-License-Identifier: PostgreSQL
/* Which row of one side is meant by which of the other: of the same key, or, in tables without one, of the most
 * equal values. Pure. */
#ifndef VERIFY_PAIR_H
#define VERIFY_PAIR_H

#include <pgpier/verify.h>

#include "multiset.h"

/* A value as it was fetched. Equal marks mean equal values. */
struct cell {
	char *mark; /* NULL for SQL's NULL */
	char *text;
	int64_t bytes;
};

struct fetched_row {
	int64_t times, hash;
	struct place place;
	bool same; /* its partner is equal */
	struct cell *cells;
	char **keys; /* the key's values, whole, in its order */
	size_t partner; /* set by pair_rows(): index on the other side; PAIR_NONE */
};

#define PAIR_NONE ((size_t)-1)

struct fetched {
	struct fetched_row *rows;
	size_t count;
	size_t columns, keys;
};

/* The new row, its cells empty. */
struct fetched_row *fetched_add(struct fetched *f);
void fetched_free(struct fetched *f);
void fetched_append(struct fetched *to, struct fetched *take); /* of as many columns and keys */
/* Rows that have an equal one on the other side are of no more interest. */
void fetched_drop_same(struct fetched *f);

bool cells_equal(const struct cell *a, const struct cell *b);
/* key: by column, NULL or all false: there is none. */
void pair_rows(struct fetched *a, struct fetched *b, const bool *key);
/* Rows of both sides as the contract has them, changed ones first; at most `most`. Takes texts out of the
 * cells. */
void pair_tell(struct fetched *a, struct fetched *b, size_t most, struct verify_table *out);

#endif
