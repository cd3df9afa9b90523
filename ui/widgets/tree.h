// SPDX-License-Identifier: PostgreSQL
/* Groups of items, shown by a table: each group is a row that opens to the rows of its items. Items
 * are numbered through and the ones of a group stand together. */
#ifndef PGPIER_WIDGETS_TREE_H
#define PGPIER_WIDGETS_TREE_H

#include "widgets/table.h"

#define TREE_GROUP (SIZE_MAX / 2 + 1) /* bit that tells a group's row from an item's */

struct tree {
	size_t group_count;
	const size_t *first; /* borrowed: first item of each group, and one more for the end */
	bool *open;          /* owned */
};

void tree_init(struct tree *t, const size_t *first, size_t group_count);
void tree_free(struct tree *t);
bool tree_is_group(size_t row);
size_t tree_group(size_t row); /* of a group's row */
size_t tree_group_of(const struct tree *t, size_t item);
/* Makes table->rows: groups that hold shown items, and in the open ones their items in the table's order.
 * Filtered: everything that is shown is open. compare is of two items. */
void tree_arrange(const struct tree *t, struct table *table, const bool *shown, bool filtered,
	int (*compare)(const void *data, int column, size_t a, size_t b));

#endif
