// SPDX-License-Identifier: PostgreSQL
/* Sums by bucket and differences of multisets: whatever the order, the pieces and the doubles, a difference between
 * two sides is found, and found where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "verify/multiset.h"
#include "verify/sums.h"

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static void add(struct sums *s, int side, int64_t hash)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)hash);
	sums_add(s, side, (size_t)hash & (sums_count(s) - 1), 1, text);
}

static void test_buckets(void **state)
{
	(void)state;
	assert_int_equal(sums_buckets(-1), 1);
	assert_int_equal(sums_buckets(0), 1);
	assert_int_equal(sums_buckets(250), 1);
	assert_int_equal(sums_buckets(251), 2);
	assert_int_equal(sums_buckets(1000000), 4096);
	assert_int_equal(sums_buckets(INT64_MAX / 1000), 65536);
}

/* Numbers that no 64 bits hold, and what they are without the bits in front. */
static void test_long_sums(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "18446744073709551616", "0", true },
		{ "-1", "18446744073709551615", true },
		{ "-9223372036854775808", "9223372036854775808", true },
		{ "170141183460469231731687303715884105727", "-1", true },
		{ "340282366920938463463374607431768211457", "1", true },
		{ "1", "-1", false },
		{ "92233720368547758070", "9223372036854775807", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sums *s = sums_new(1);
		uint32_t *differing;
		sums_add(s, SOURCE, 0, 1, cases[i].a);
		sums_add(s, TARGET, 0, 1, cases[i].b);
		assert_int_equal(sums_differing(s, &differing) == 0, cases[i].equal);
		free(differing);
		sums_free(s);
	}
}

static void test_order_and_pieces_do_not_matter(void **state)
{
	(void)state;
	struct sums *s = sums_new(16);
	uint64_t seed = 1;
	int64_t hashes[1000];
	uint32_t *differing;
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		hashes[i] = (int64_t)(next_random(&seed) << 32 ^ next_random(&seed) << 1);
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		add(s, SOURCE, hashes[i]);
		add(s, TARGET, hashes[ARRAY_SIZE(hashes) - 1 - i]);
	}
	assert_int_equal(sums_differing(s, &differing), 0);
	assert_int_equal(sums_rows(s, SOURCE), 1000);
	free(differing);
	sums_free(s);
}

/* Two rows that change places with two others of the same sum would be missed by less than the bits of all. */
static void test_each_change_is_seen(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 500; seed++) {
		struct sums *s = sums_new(8);
		uint64_t random = seed;
		uint32_t *differing;
		int64_t changed = 0;
		for (int i = 0; i < 50; i++) {
			int64_t hash = (int64_t)(next_random(&random) << 32 ^ next_random(&random));
			add(s, SOURCE, hash);
			changed = hash ^ (int64_t)(UINT64_C(1) << (seed % 64));
			add(s, TARGET, i == 49 ? changed : hash);
		}
		size_t n = sums_differing(s, &differing);
		bool found = false;
		for (size_t i = 0; i < n; i++)
			found = found || differing[i] == ((uint64_t)changed & 7);
		assert_true(found);
		assert_true(n <= 2);
		free(differing);
		sums_free(s);
	}
}

static void test_doubles_count(void **state)
{
	(void)state;
	struct sums *s = sums_new(1);
	uint32_t *differing;
	for (int i = 0; i < 2; i++)
		add(s, SOURCE, 0);
	add(s, TARGET, 0);
	assert_int_equal(sums_differing(s, &differing), 1); /* by the number of rows alone */
	assert_int_equal(sums_bucket_rows(s, 0), 2);
	free(differing);
	sums_free(s);
}

/* ---- multisets ---- */

#define VALUES 12

static void fill(struct rows_list *l, int64_t counts[VALUES], uint64_t *seed)
{
	for (uint64_t n = next_random(seed) % 60; n > 0; n--) {
		uint64_t value = next_random(seed) % VALUES, times = next_random(seed) % 3 + 1;
		counts[value] += (int64_t)times;
		rows_list_add(l, &(struct rows_of_hash){ .hash = (int64_t)value - 6, .count = (int64_t)times,
							 .place.block = (uint32_t)value });
	}
}

static void check(const struct rows_list *l, const int64_t mine[VALUES], const int64_t theirs[VALUES])
{
	size_t at = 0;
	for (int64_t v = 0; v < VALUES; v++) {
		if (mine[v] <= theirs[v])
			continue;
		assert_true(at < l->count);
		assert_int_equal(l->items[at].hash, v - 6);
		assert_int_equal(l->items[at].count, mine[v] - theirs[v]);
		assert_int_equal(l->items[at].place.block, v);
		at++;
	}
	assert_int_equal(at, l->count);
}

static void test_multiset_difference(void **state)
{
	(void)state;
	for (uint64_t i = 1; i < 3000; i++) {
		uint64_t seed = i;
		struct rows_list a = { 0 }, b = { 0 };
		int64_t in_a[VALUES] = { 0 }, in_b[VALUES] = { 0 };
		fill(&a, in_a, &seed);
		fill(&b, in_b, &seed);
		multiset_difference(&a, &b);
		check(&a, in_a, in_b);
		check(&b, in_b, in_a);
		rows_list_free(&a);
		rows_list_free(&b);
	}
}

static void test_places(void **state)
{
	(void)state;
	struct place p = { 0 };
	char text[PLACE_SIZE];
	static const char *const wrong[] = { "", "(1,2", "1,2", "(1;2)", "(4294967296,1)", "(1,65536)", "(a,b)" };
	assert_true(place_parse("(4294967295,65535)", &p));
	assert_string_equal(place_text(&p, text), "(4294967295,65535)");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(place_parse(wrong[i], &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_long_sums),
		cmocka_unit_test(test_order_and_pieces_do_not_matter),
		cmocka_unit_test(test_each_change_is_seen),
		cmocka_unit_test(test_doubles_count),
		cmocka_unit_test(test_multiset_difference),
		cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
