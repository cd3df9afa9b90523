// SPDX-License-Identifier: PostgreSQL
#include "widgets/tree.h"

#include <stdlib.h>

void tree_init(struct tree *t, const size_t *first, size_t group_count)
{
	t->first = first;
	t->group_count = group_count;
	t->open = xcalloc(group_count, sizeof(*t->open));
}

void tree_free(struct tree *t)
{
	free(t->open);
	*t = (struct tree){ 0 };
}

bool tree_is_group(size_t row)
{
	return row != TABLE_NOTHING && (row & TREE_GROUP) != 0;
}

size_t tree_group(size_t row)
{
	return row & ~TREE_GROUP;
}

size_t tree_group_of(const struct tree *t, size_t item)
{
	size_t low = 0, high = t->group_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (t->first[middle] <= item)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct ordering {
	const struct table *table;
	int (*compare)(const void *data, int column, size_t a, size_t b);
};

static int compare_items(const void *a, const void *b, void *ordering)
{
	const struct ordering *o = ordering;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = o->compare(o->table->data, o->table->sort, x, y);
	if (order != 0)
		return o->table->descending ? -order : order;
	return x < y ? -1 : x > y;
}

void tree_arrange(const struct tree *t, struct table *table, const bool *shown, bool filtered,
	int (*compare)(const void *data, int column, size_t a, size_t b))
{
	struct ordering o = { table, compare };
	size_t items = t->group_count > 0 ? t->first[t->group_count] : 0, n = 0;
	table->rows = xrealloc(table->rows, (items + t->group_count) * sizeof(*table->rows));
	table->heads = 0;
	for (size_t g = 0; g < t->group_count; g++) {
		size_t head = n++, begin = n;
		bool any = !filtered;
		for (size_t i = t->first[g]; i < t->first[g + 1]; i++) {
			any = any || shown[i];
			if (shown[i] && (filtered || t->open[g]))
				table->rows[n++] = i;
		}
		table->rows[head] = TREE_GROUP | g;
		table->heads += any;
		if (!any)
			n = head;
		else if (table->sort >= 0)
			qsort_r(table->rows + begin, n - begin, sizeof(*table->rows), compare_items, &o);
	}
	table->count = n;
}
