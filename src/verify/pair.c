// SPDX-License-Identifier: PostgreSQL
#include "pair.h"

#include <stdlib.h>
#include <string.h>

/* Comparing all rows of one side with all of the other stops being worth it. */
#define MOST_COMPARISONS 50000000

struct fetched_row *fetched_add(struct fetched *f)
{
	GROW(f->rows, f->count);
	struct fetched_row *r = &f->rows[f->count++];
	*r = (struct fetched_row){ .times = 1, .partner = PAIR_NONE };
	r->cells = xcalloc(f->columns, sizeof(*r->cells));
	r->keys = xcalloc(f->keys, sizeof(*r->keys));
	return r;
}

static void row_free(struct fetched_row *r, const struct fetched *f)
{
	for (size_t c = 0; c < f->columns; c++) {
		free(r->cells[c].mark);
		free(r->cells[c].text);
	}
	for (size_t k = 0; k < f->keys; k++)
		free(r->keys[k]);
	free(r->cells);
	free(r->keys);
}

void fetched_free(struct fetched *f)
{
	for (size_t i = 0; i < f->count; i++)
		row_free(&f->rows[i], f);
	free(f->rows);
	f->rows = NULL;
	f->count = 0;
}

void fetched_append(struct fetched *to, struct fetched *take)
{
	to->columns = take->columns;
	to->keys = take->keys;
	for (size_t i = 0; i < take->count; i++) {
		GROW(to->rows, to->count);
		to->rows[to->count++] = take->rows[i];
	}
	take->count = 0;
}

void fetched_drop_same(struct fetched *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->count; i++) {
		if (f->rows[i].same)
			row_free(&f->rows[i], f);
		else
			f->rows[n++] = f->rows[i];
	}
	f->count = n;
}

bool cells_equal(const struct cell *a, const struct cell *b)
{
	return a->mark && b->mark ? strcmp(a->mark, b->mark) == 0 : a->mark == b->mark;
}

/* ---- pairing ---- */

static int compare_keys(const struct fetched_row *a, const struct fetched_row *b, const bool *key, size_t columns)
{
	for (size_t c = 0; c < columns; c++) {
		if (!key[c])
			continue;
		const char *x = a->cells[c].mark ? a->cells[c].mark : "", *y = b->cells[c].mark ? b->cells[c].mark : "";
		int order = strcmp(x, y);
		if (order)
			return order;
	}
	return 0;
}

struct keyed {
	const struct fetched_row *row;
	const bool *key;
	size_t columns, index;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	return compare_keys(x->row, y->row, x->key, x->columns);
}

static struct keyed *sort_by_key(const struct fetched *f, const bool *key)
{
	struct keyed *k = xcalloc(f->count, sizeof(*k));
	for (size_t i = 0; i < f->count; i++)
		k[i] = (struct keyed){ &f->rows[i], key, f->columns, i };
	if (f->count > 1)
		qsort(k, f->count, sizeof(*k), by_key);
	return k;
}

static void join(struct fetched *a, size_t i, struct fetched *b, size_t j)
{
	a->rows[i].partner = j;
	b->rows[j].partner = i;
}

static void pair_by_key(struct fetched *a, struct fetched *b, const bool *key)
{
	struct keyed *x = sort_by_key(a, key), *y = sort_by_key(b, key);
	for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
		int order = by_key(&x[i], &y[j]);
		if (order == 0)
			join(a, x[i].index, b, y[j].index);
		i += order <= 0;
		j += order >= 0;
	}
	free(x);
	free(y);
}

static size_t alike(const struct fetched_row *a, const struct fetched_row *b, size_t columns)
{
	size_t n = 0;
	for (size_t c = 0; c < columns; c++)
		n += cells_equal(&a->cells[c], &b->cells[c]);
	return n;
}

/* By row of a, then row of b; the caller frees it. */
static uint16_t *likenesses(const struct fetched *a, const struct fetched *b)
{
	uint16_t *n = xcalloc(a->count * b->count, sizeof(*n));
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			n[i * b->count + j] = (uint16_t)alike(&a->rows[i], &b->rows[j], a->columns);
	return n;
}

/* The most alike first; rows that share nothing are different rows. */
static void pair_by_likeness(struct fetched *a, struct fetched *b)
{
	if ((double)a->count * (double)b->count * (double)a->columns > MOST_COMPARISONS)
		return;
	uint16_t *n = likenesses(a, b);
	for (size_t wanted = a->columns; wanted-- > 1;)
		for (size_t i = 0; i < a->count; i++)
			for (size_t j = 0; j < b->count && a->rows[i].partner == PAIR_NONE; j++)
				if (n[i * b->count + j] == wanted && b->rows[j].partner == PAIR_NONE)
					join(a, i, b, j);
	free(n);
}

void pair_rows(struct fetched *a, struct fetched *b, const bool *key)
{
	bool any = false;
	for (size_t c = 0; key && c < a->columns; c++)
		any = any || key[c];
	if (any)
		pair_by_key(a, b, key);
	else
		pair_by_likeness(a, b);
}

/* ---- telling ---- */

static struct verify_value *take_values(struct fetched_row *r, size_t columns)
{
	struct verify_value *v = xcalloc(columns, sizeof(*v));
	for (size_t c = 0; c < columns; c++) {
		v[c] = (struct verify_value){ r->cells[c].text, r->cells[c].bytes };
		r->cells[c].text = NULL;
	}
	return v;
}

static char *told_place(const struct fetched_row *r)
{
	char buf[PLACE_SIZE];
	return xstrdup(place_text(&r->place, buf));
}

static void tell(struct verify_table *out, struct fetched_row *a, struct fetched_row *b, size_t columns)
{
	struct verify_row row = { .times = a ? a->times : b->times };
	if (a && b) {
		row.times = MIN(a->times, b->times);
		row.differs = xcalloc(columns, sizeof(*row.differs));
		for (size_t c = 0; c < columns; c++)
			row.differs[c] = !cells_equal(&a->cells[c], &b->cells[c]);
	}
	row.source = a ? take_values(a, columns) : NULL;
	row.target = b ? take_values(b, columns) : NULL;
	row.source_place = a ? told_place(a) : NULL;
	row.target_place = b ? told_place(b) : NULL;
	GROW(out->rows, out->row_count);
	out->rows[out->row_count++] = row;
}

void pair_tell(struct fetched *a, struct fetched *b, size_t most, struct verify_table *out)
{
	size_t columns = MAX(a->columns, b->columns); /* a side without rows may not know */
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].partner != PAIR_NONE && out->row_count < most)
			tell(out, &a->rows[i], &b->rows[a->rows[i].partner], columns);
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].partner == PAIR_NONE && out->row_count < most)
			tell(out, &a->rows[i], NULL, columns);
	for (size_t i = 0; i < b->count; i++)
		if (b->rows[i].partner == PAIR_NONE && out->row_count < most)
			tell(out, NULL, &b->rows[i], columns);
}
