// SPDX-License-Identifier: PostgreSQL
/* Which row is meant by which, and what is told of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "verify/pair.h"
#include "verify/verification.h"

#define COLUMNS 3
static const bool by_first[COLUMNS] = { true };

/* A letter a column; '-' is NULL. */
static void add(struct fetched *f, const char *letters)
{
	f->columns = COLUMNS;
	struct fetched_row *r = fetched_add(f);
	r->place.block = (uint32_t)f->count;
	for (size_t c = 0; c < COLUMNS; c++) {
		char text[2] = { letters[c], '\0' };
		if (letters[c] == '-')
			continue;
		r->cells[c] = (struct cell){ xstrdup(text), xstrdup(text), 1 };
	}
}

static void fill(struct fetched *f, const char *const *rows)
{
	for (size_t i = 0; rows[i]; i++)
		add(f, rows[i]);
}

struct fixture {
	struct fetched a, b;
	struct verification *v;
	struct verify_table *t;
};

static void begin(struct fixture *x, const char *const *a, const char *const *b)
{
	*x = (struct fixture){ .v = verification_new() };
	x->v->tables = xcalloc(1, sizeof(*x->v->tables));
	x->v->table_count = 1;
	x->t = x->v->tables;
	for (int c = 0; c < COLUMNS; c++)
		strings_add(&x->t->columns, "c");
	fill(&x->a, a);
	fill(&x->b, b);
}

static void end(struct fixture *x)
{
	fetched_free(&x->a);
	fetched_free(&x->b);
	verification_release(x->v);
}

static void test_by_key(void **state)
{
	(void)state;
	struct fixture x;
	begin(&x, (const char *const[]){ "axy", "bxy", "cxy", NULL }, (const char *const[]){ "dxy", "cx-", "axz", NULL });
	pair_rows(&x.a, &x.b, by_first);
	assert_int_equal(x.a.rows[0].partner, 2);
	assert_int_equal(x.a.rows[1].partner, PAIR_NONE);
	assert_int_equal(x.a.rows[2].partner, 1);
	assert_int_equal(x.b.rows[0].partner, PAIR_NONE);
	pair_tell(&x.a, &x.b, 10, x.t);
	assert_int_equal(x.t->row_count, 4);
	const struct verify_row *changed = &x.t->rows[1]; /* c */
	assert_false(changed->differs[0]);
	assert_false(changed->differs[1]);
	assert_true(changed->differs[2]);
	assert_string_equal(changed->source[2].text, "y");
	assert_null(changed->target[2].text);
	assert_string_equal(changed->source_place, "(3,0)");
	assert_string_equal(changed->target_place, "(2,0)");
	assert_null(x.t->rows[2].target); /* b: missing */
	assert_null(x.t->rows[3].source); /* d: extra */
	assert_null(x.t->rows[3].differs);
	end(&x);
}

static void test_by_likeness(void **state)
{
	(void)state;
	struct fixture x;
	begin(&x, (const char *const[]){ "abc", "xyz", NULL }, (const char *const[]){ "xyc", "abz", "qqq", NULL });
	pair_rows(&x.a, &x.b, NULL);
	assert_int_equal(x.a.rows[0].partner, 1);
	assert_int_equal(x.a.rows[1].partner, 0);
	assert_int_equal(x.b.rows[2].partner, PAIR_NONE);
	end(&x);
}

/* The row that shares two values is taken before one that shares one of them comes first. */
static void test_most_alike_first(void **state)
{
	(void)state;
	struct fixture x;
	begin(&x, (const char *const[]){ "aqq", "abc", NULL }, (const char *const[]){ "abz", NULL });
	pair_rows(&x.a, &x.b, NULL);
	assert_int_equal(x.a.rows[0].partner, PAIR_NONE);
	assert_int_equal(x.a.rows[1].partner, 0);
	end(&x);
}

static void test_null_is_no_text(void **state)
{
	(void)state;
	const struct cell null = { 0 }, empty = { .mark = (char[]){ "" } }, other = { .mark = (char[]){ "" } };
	assert_true(cells_equal(&null, &null));
	assert_false(cells_equal(&null, &empty));
	assert_false(cells_equal(&empty, &null));
	assert_true(cells_equal(&empty, &other));
}

static void test_no_more_than_asked(void **state)
{
	(void)state;
	struct fixture x;
	begin(&x, (const char *const[]){ "abc", "bbc", "cbc", NULL }, (const char *const[]){ "abd", "dbc", NULL });
	pair_rows(&x.a, &x.b, by_first);
	pair_tell(&x.a, &x.b, 2, x.t);
	assert_int_equal(x.t->row_count, 2);
	assert_non_null(x.t->rows[0].differs); /* what is changed comes first */
	end(&x);
}

/* A side that has no rows was never asked for any. */
static void test_one_side_is_empty(void **state)
{
	(void)state;
	struct fixture x;
	begin(&x, (const char *const[]){ NULL }, (const char *const[]){ "abc", NULL });
	pair_rows(&x.a, &x.b, by_first);
	pair_tell(&x.a, &x.b, 10, x.t);
	assert_int_equal(x.t->row_count, 1);
	assert_string_equal(x.t->rows[0].target[2].text, "c");
	end(&x);
}

static void test_equal_rows_go(void **state)
{
	(void)state;
	struct fixture x;
	begin(&x, (const char *const[]){ "abc", "bbc", "cbc", NULL }, (const char *const[]){ NULL });
	x.a.rows[0].same = x.a.rows[2].same = true;
	fetched_drop_same(&x.a);
	assert_int_equal(x.a.count, 1);
	assert_string_equal(x.a.rows[0].cells[0].text, "b");
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_key),
		cmocka_unit_test(test_by_likeness),
		cmocka_unit_test(test_most_alike_first),
		cmocka_unit_test(test_null_is_no_text),
		cmocka_unit_test(test_no_more_than_asked),
		cmocka_unit_test(test_one_side_is_empty),
		cmocka_unit_test(test_equal_rows_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
