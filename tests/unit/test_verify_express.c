// SPDX-License-Identifier: PostgreSQL
/* Which SQL is chosen for a type, and which pairs of types are not compared at all. That the SQL gives the same
 * bits is for the tests with servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "verify/express.h"

static const struct servers modern = { .version = { 150000, 150000 }, .hashes = true, .same_money = true };
static const struct servers old_source = { .version = { 100023, 150000 }, .same_money = true };
static const struct servers old_both = { .version = { 100023, 110022 }, .same_money = true };

static struct value_type base(const char *name, bool built_in)
{
	struct value_type t = { .kind = TYPE_BASE, .built_in = built_in };
	copy_text(t.name, sizeof(t.name), name);
	return t;
}

static struct value_type around(enum type_kind kind, struct value_type inner, const char *field)
{
	struct value_type t = { .kind = kind, .parts = xcalloc(1, sizeof(*t.parts)), .part_count = 1 };
	copy_text(t.name, sizeof(t.name), "around");
	inner.field = xstrdup(field);
	t.parts[0] = inner;
	return t;
}

static bool compares(const struct servers *s, const char *a, const char *b, enum way *way)
{
	struct value_type x = base(a, true), y = base(b, true);
	char why[WHY_SIZE];
	return express_way(s, &x, &y, way, why);
}

static void test_ways(void **state)
{
	(void)state;
	enum way way;
	assert_true(compares(&modern, "int4", "int8", &way));
	assert_int_equal(way, WAY_INTEGER);
	assert_true(compares(&modern, "varchar", "text", &way));
	assert_int_equal(way, WAY_TEXT);
	assert_true(compares(&modern, "timestamptz", "timestamptz", &way));
	assert_int_equal(way, WAY_TIMESTAMP);
	assert_true(compares(&modern, "numeric", "numeric", &way));
	assert_int_equal(way, WAY_TEXT);
	assert_false(compares(&modern, "timestamp", "timestamptz", &way));
	assert_false(compares(&modern, "json", "jsonb", &way));
	assert_false(compares(&modern, "int4", "numeric", &way));
}

static void refuses(const struct servers *s, struct value_type t, const char *word)
{
	enum way way;
	char why[WHY_SIZE] = "";
	assert_false(express_way(s, &t, &t, &way, why));
	if (!strstr(why, word))
		fail_msg("\"%s\" does not say %s", why, word);
	value_type_free(&t);
}

static void test_what_is_not_compared(void **state)
{
	(void)state;
	struct servers other_money = modern;
	other_money.same_money = false;
	refuses(&other_money, base("money", true), "lc_monetary");
	refuses(&other_money, around(TYPE_ARRAY, base("money", true), NULL), "lc_monetary");
	refuses(&old_source, base("cube", false), "before 12");
	refuses(&old_source, around(TYPE_COMPOSITE, base("regproc", true), "f"), "names of functions");
	refuses(&old_source, around(TYPE_RANGE, base("point", true), NULL), "bounds");
	refuses(&modern, base("", true), "not known");
}

static void expresses(const struct servers *s, struct value_type t, const char *sql)
{
	struct strbuf b = STRBUF_INIT;
	express_text(&b, s, &t, "\"c\"");
	assert_string_equal(b.text, sql);
	strbuf_free(&b);
	value_type_free(&t);
}

static void test_texts(void **state)
{
	(void)state;
	static const char bits[] = "CASE WHEN \"c\" = 'NaN' THEN 'NaN' ELSE float8send(\"c\")::text END";
	expresses(&modern, base("float8", true), "(\"c\")::text");
	expresses(&old_both, base("float8", true), "(\"c\")::text");
	expresses(&old_source, base("float8", true), bits);
	expresses(&old_source, base("polygon", true), "poly_send(\"c\")::text");
	expresses(&modern, base("bpchar", true), "textin(bpcharout(\"c\"))"); /* a cast would take its blanks */
	expresses(&modern, base("char", true), "charsend(\"c\")::text");
	expresses(&modern, base("geometry", false), "CASE WHEN \"c\" IS NOT NULL THEN ROW(\"c\")::text END");
	expresses(&modern, base("citext", false), "(\"c\")::text");
	expresses(&modern, around(TYPE_ARRAY, base("float8", true), NULL), "(\"c\")::text");
	expresses(&old_source, around(TYPE_RANGE, base("float8", true), NULL), "range_send(\"c\")::text");
}

static void test_texts_inside(void **state)
{
	(void)state;
	expresses(&old_source, around(TYPE_COMPOSITE, base("float4", true), "x y"),
		"CASE WHEN (\"c\")::text IS NOT NULL THEN ROW(CASE WHEN (\"c\").\"x y\" = 'NaN' THEN 'NaN'"
		" ELSE float4send((\"c\").\"x y\")::text END)::text END");
	expresses(&old_source, around(TYPE_ARRAY, base("point", true), NULL),
		"CASE WHEN \"c\" IS NOT NULL THEN concat(array_dims(\"c\"), ARRAY(SELECT point_send(e)::text"
		" FROM (SELECT unnest(\"c\") AS e) u)::text) END");
}

static char *row_of(const struct servers *s, enum way way, size_t n)
{
	struct value_type t = base("int8", true);
	struct expressed x[3] = { { &t, way, "a" }, { &t, way, "b" }, { &t, way, "c" } };
	struct strbuf b = STRBUF_INIT;
	express_row(&b, s, x, n);
	return strbuf_take(&b);
}

/* Each column has constants of its own, or two values could change places. */
static void test_rows(void **state)
{
	(void)state;
	char *none = row_of(&modern, WAY_INTEGER, 0), *two = row_of(&modern, WAY_INTEGER, 2),
		 *md5 = row_of(&old_source, WAY_INTEGER, 2);
	struct servers other_encoding = modern;
	other_encoding.convert = true;
	char *converted = row_of(&other_encoding, WAY_INTEGER, 2);
	assert_string_equal(none, "0::int8");
	assert_string_equal(md5, "('x' || substr(md5(ROW((a)::text, (b)::text)::text), 1, 16))::bit(64)::int8");
	assert_non_null(strstr(converted, "convert_to(ROW((a)::text, (b)::text)::text, 'UTF8')"));
	char *first = strstr(two, "a::int8 # '"), *second = strstr(two, "b::int8 # '");
	assert_non_null(first);
	assert_non_null(second);
	assert_int_not_equal(strtoll(first + 11, NULL, 10), strtoll(second + 11, NULL, 10));
	free(none);
	free(two);
	free(md5);
	free(converted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_what_is_not_compared),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_texts_inside),
		cmocka_unit_test(test_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
