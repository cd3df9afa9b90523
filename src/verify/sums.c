// SPDX-License-Identifier: PostgreSQL
#include "sums.h"

#include <stdlib.h>

/* Few enough rows to be listed when their bucket differs, many enough for the lists of sums to be short. */
#define ROWS_A_BUCKET 250
#define MOST_BUCKETS 65536

struct sum {
	int64_t rows;
	uint64_t total;
};

struct sums {
	size_t buckets;
	struct sum *items[SIDES];
};

size_t sums_buckets(int64_t rows)
{
	size_t n = 1;
	while (n < MOST_BUCKETS && (int64_t)n * ROWS_A_BUCKET < rows)
		n *= 2;
	return n;
}

struct sums *sums_new(size_t buckets)
{
	struct sums *s = xcalloc(1, sizeof(*s));
	s->buckets = buckets;
	for (int side = 0; side < SIDES; side++)
		s->items[side] = xcalloc(buckets, sizeof(struct sum));
	return s;
}

void sums_free(struct sums *s)
{
	if (!s)
		return;
	for (int side = 0; side < SIDES; side++)
		free(s->items[side]);
	free(s);
}

/* Modulo 2^64: unsigned numbers wrap, and so does what they stand for. */
static uint64_t last_64_bits(const char *text)
{
	uint64_t n = 0;
	bool negative = *text == '-';
	for (text += negative; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return negative ? -n : n;
}

void sums_add(struct sums *s, int side, size_t bucket, int64_t rows, const char *total)
{
	if (bucket >= s->buckets)
		return;
	s->items[side][bucket].rows += rows;
	s->items[side][bucket].total += last_64_bits(total);
}

int64_t sums_rows(const struct sums *s, int side)
{
	int64_t n = 0;
	for (size_t i = 0; i < s->buckets; i++)
		n += s->items[side][i].rows;
	return n;
}

size_t sums_count(const struct sums *s)
{
	return s->buckets;
}

int64_t sums_bucket_rows(const struct sums *s, size_t bucket)
{
	return MAX(s->items[SOURCE][bucket].rows, s->items[TARGET][bucket].rows);
}

size_t sums_differing(const struct sums *s, uint32_t **out)
{
	size_t n = 0;
	*out = xmalloc(s->buckets * sizeof(**out));
	for (size_t i = 0; i < s->buckets; i++) {
		const struct sum *a = &s->items[SOURCE][i], *b = &s->items[TARGET][i];
		if (a->rows != b->rows || a->total != b->total)
			(*out)[n++] = (uint32_t)i;
	}
	return n;
}
