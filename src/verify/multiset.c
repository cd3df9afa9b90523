// SPDX-License-Identifier: PostgreSQL
#include "multiset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rows_list_add(struct rows_list *l, const struct rows_of_hash *r)
{
	GROW(l->items, l->count);
	l->items[l->count++] = *r;
}

void rows_list_free(struct rows_list *l)
{
	free(l->items);
	*l = (struct rows_list){ 0 };
}

static int by_hash(const void *a, const void *b)
{
	const struct rows_of_hash *x = a, *y = b;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Sorted, one item a hash. */
static void gather(struct rows_list *l)
{
	size_t n = 0;
	if (l->count > 1)
		qsort(l->items, l->count, sizeof(*l->items), by_hash);
	for (size_t i = 0; i < l->count; i++) {
		if (n > 0 && l->items[n - 1].hash == l->items[i].hash)
			l->items[n - 1].count += l->items[i].count;
		else
			l->items[n++] = l->items[i];
	}
	l->count = n;
}

static void keep(struct rows_list *l, size_t from, size_t *to, int64_t count)
{
	l->items[*to] = l->items[from];
	l->items[(*to)++].count = count;
}

void multiset_difference(struct rows_list *a, struct rows_list *b)
{
	size_t i = 0, j = 0, left_a = 0, left_b = 0;
	gather(a);
	gather(b);
	while (i < a->count || j < b->count) {
		int order = i == a->count ? 1 : j == b->count ? -1 : by_hash(&a->items[i], &b->items[j]);
		int64_t excess = (order <= 0 ? a->items[i].count : 0) - (order >= 0 ? b->items[j].count : 0);
		if (excess > 0)
			keep(a, i, &left_a, excess);
		else if (excess < 0)
			keep(b, j, &left_b, -excess);
		i += order <= 0;
		j += order >= 0;
	}
	a->count = left_a;
	b->count = left_b;
}

bool place_parse(const char *ctid, struct place *out)
{
	unsigned long block, offset;
	char end;
	if (sscanf(ctid, "(%lu,%lu%c", &block, &offset, &end) != 3 || end != ')' || block > UINT32_MAX ||
		offset > UINT16_MAX)
		return false;
	out->block = (uint32_t)block;
	out->offset = (uint16_t)offset;
	return true;
}

const char *place_text(const struct place *p, char buf[PLACE_SIZE])
{
	snprintf(buf, PLACE_SIZE, "(%u,%u)", (unsigned)p->block, (unsigned)p->offset);
	return buf;
}
