// SPDX-License-Identifier: PostgreSQL
/* The columns of one table that are called otherwise on the target. Filled once, when the table joins its
 * mirror, and kept with it: what a column is called there is asked here and decided nowhere else. A table
 * without any has NULL or an empty one, and its columns keep their names. */
#ifndef RENAMES_H
#define RENAMES_H

#include <pgpier/config.h>

struct renames {
	struct column_map *items;
	size_t count;
};

/* Not a second time for the same source, and not to the name that it has. */
void renames_add(struct renames *r, const char *source, const char *target);
/* Those of `more` that are not there yet. */
void renames_merge(struct renames *r, const struct renames *more);
bool renames_equal(const struct renames *a, const struct renames *b); /* in any order */
void renames_free(struct renames *r); /* the struct itself is the caller's */

/* Borrowed from r, or the column itself. */
const char *renames_target(const struct renames *r, const char *source);
/* The column of the source that has this name on the target; NULL when the one of this name has another. */
const char *renames_source(const struct renames *r, const char *target);

#endif
