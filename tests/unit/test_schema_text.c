// SPDX-License-Identifier: PostgreSQL
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/text.h"

static void assert_text_take(char *got, const char *expected)
{
	if (expected)
		assert_string_equal(got, expected);
	else
		assert_null(got);
	free(got);
}

static void test_retarget(void **state)
{
	(void)state;
	const char *definition = "CREATE INDEX i ON public.t USING btree (a) WHERE (b > 'ON public.t')";
	assert_text_take(text_retarget(definition, "CREATE INDEX i ON public.t USING ",
						 "CREATE INDEX \"i\" ON \"s\".\"u\" USING "),
		"CREATE INDEX \"i\" ON \"s\".\"u\" USING btree (a) WHERE (b > 'ON public.t')");
	assert_text_take(text_retarget(definition, "CREATE INDEX i ON public.tt USING ", "x"), NULL);
	assert_text_take(
		text_retarget(definition, "CREATE UNIQUE INDEX i ON public.t USING ", "x"), NULL);
	assert_text_take(text_retarget("short", "shorter", "x"), NULL);
}

static void test_replace(void **state)
{
	(void)state;
	assert_text_take(text_replace("a, b, a", "a", "aa"), "aa, b, aa");
	assert_text_take(text_replace("nothing", "x", "y"), "nothing");
	assert_text_take(text_replace("", "x", "y"), "");
	assert_text_take(text_replace("(nextval('p.s'::regclass) + nextval('p.s'::regclass))",
						 "'p.s'::regclass", "'q.s'::regclass"),
		"(nextval('q.s'::regclass) + nextval('q.s'::regclass))");
}

static void test_with_options(void **state)
{
	(void)state;
	assert_text_take(text_with_options("PRIMARY KEY (a)", "", false, false), "PRIMARY KEY (a)");
	assert_text_take(text_with_options("PRIMARY KEY (a)", "fillfactor='70'", false, false),
		"PRIMARY KEY (a) WITH (fillfactor='70')");
	assert_text_take(
		text_with_options("UNIQUE (a) INCLUDE (b) DEFERRABLE", "fillfactor='70'", true, false),
		"UNIQUE (a) INCLUDE (b) WITH (fillfactor='70') DEFERRABLE");
	assert_text_take(text_with_options(
						 "UNIQUE (a) DEFERRABLE INITIALLY DEFERRED", "fillfactor='70'", true, true),
		"UNIQUE (a) WITH (fillfactor='70') DEFERRABLE INITIALLY DEFERRED");
	/* A column of that name is no deferrable constraint, and flags that the text denies are not
	 * believed. */
	assert_text_take(text_with_options("UNIQUE (a)", "fillfactor='70'", true, false), NULL);
	assert_text_take(text_with_options("x", "", true, true), NULL);
}

static void test_type_fit(void **state)
{
	(void)state;
	static const struct {
		const char *source, *target;
		enum type_fit fit;
	} cases[] = {
		{ "integer", "integer", TYPE_SAME },
		{ "integer", "bigint", TYPE_FITS },
		{ "bigint", "integer", TYPE_DIFFERS },
		{ "smallint", "numeric", TYPE_FITS },
		{ "integer", "numeric(5,2)", TYPE_MAY_FIT },
		{ "character varying(10)", "text", TYPE_FITS },
		{ "character varying(10)", "character varying(20)", TYPE_FITS },
		{ "character varying(10)", "character varying", TYPE_FITS },
		{ "character varying(10)", "character varying(9)", TYPE_MAY_FIT },
		{ "character varying", "character varying(9)", TYPE_MAY_FIT },
		{ "text", "character varying(9)", TYPE_DIFFERS },
		{ "character(3)", "character varying(3)", TYPE_FITS },
		{ "numeric(5,2)", "numeric(6,2)", TYPE_FITS },
		{ "numeric(5,2)", "numeric(5,3)", TYPE_MAY_FIT },
		{ "numeric(5,2)", "numeric(6,3)", TYPE_FITS },
		{ "numeric(5)", "numeric(5,0)", TYPE_FITS },
		{ "timestamp(3) without time zone", "timestamp without time zone", TYPE_FITS },
		{ "timestamp without time zone", "timestamp with time zone", TYPE_DIFFERS },
		{ "date", "timestamp without time zone", TYPE_FITS },
		{ "json", "jsonb", TYPE_FITS },
		{ "integer[]", "bigint[]", TYPE_DIFFERS },
		{ "sales.mood", "app.mood", TYPE_DIFFERS },
		{ "x(", "x(1", TYPE_DIFFERS },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(text_type_fit(cases[i].source, cases[i].target), cases[i].fit);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(text_has_number("1 2 30", 30));
	assert_true(text_has_number("0 1 ", 1));
	assert_false(text_has_number("1 2 30", 3));
	assert_false(text_has_number("", 0));
	assert_false(text_has_number("x", 1));
	struct strbuf b = STRBUF_INIT;
	text_oids_end(&b);
	assert_string_equal(b.text, "{}");
	strbuf_clear(&b);
	text_oids_add(&b, 7);
	text_oids_add(&b, 4294967295);
	text_oids_end(&b);
	assert_string_equal(b.text, "{7,4294967295}");
	strbuf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retarget),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_with_options),
		cmocka_unit_test(test_type_fit),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
