// SPDX-License-Identifier: PostgreSQL
/* Columns that are called otherwise on the target: the names, and definitions that say them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "renames.h"
#include "schema/rename.h"

static void names_go_both_ways(void **state)
{
	struct renames r = { 0 }, other = { 0 };
	(void)state;
	assert_string_equal(renames_target(NULL, "mail"), "mail");
	assert_string_equal(renames_source(NULL, "mail"), "mail");
	renames_add(&r, "mail", "email");
	renames_add(&r, "mail", "second");
	renames_add(&r, "same", "same");
	assert_int_equal(r.count, 1);
	assert_string_equal(renames_target(&r, "mail"), "email");
	assert_string_equal(renames_target(&r, "email"), "email");
	assert_string_equal(renames_source(&r, "email"), "mail");
	assert_null(renames_source(&r, "mail"));
	assert_string_equal(renames_source(&r, "n"), "n");
	renames_add(&other, "n", "number");
	assert_false(renames_equal(&r, &other));
	renames_merge(&r, &other);
	renames_merge(&r, NULL);
	renames_add(&other, "mail", "email");
	assert_true(renames_equal(&r, &other));
	renames_free(&r);
	renames_free(&other);
}

static struct def_column columns[] = {
	{ .number = 1, .name = "mail", .target_name = "e mail" },
	{ .number = 2, .name = "a\"b", .target_name = "c" },
	{ .number = 3, .name = "fillfactor", .target_name = "ff" },
	{ .number = 4, .name = "lower", .target_name = "low" },
	{ .number = 5, .name = "kept", .target_name = "kept" },
	{ .number = 6, .name = "gone", .target_name = "x", .excluded = true },
};
static const struct schema_table users = { .target_schema = "app", .target_name = "users" };
static const struct def_table table = { .wanted = &users, .columns = columns, .column_count = ARRAY_SIZE(columns) };

static void expect_list(const char *definition, const char *expected)
{
	char *got = rename_list(&table, definition);
	assert_string_equal(got, expected);
	free(got);
}

static void lists_of_columns(void **state)
{
	(void)state;
	expect_list("PRIMARY KEY (mail, kept)", "PRIMARY KEY (\"e mail\", kept)");
	expect_list("UNIQUE NULLS NOT DISTINCT (kept, \"a\"\"b\") INCLUDE (lower, fillfactor)",
		"UNIQUE NULLS NOT DISTINCT (kept, \"c\") INCLUDE (\"low\", \"ff\")");
	expect_list("btree (lower DESC NULLS LAST, mail COLLATE \"C\" text_pattern_ops)",
		"btree (\"low\" DESC NULLS LAST, \"e mail\" COLLATE \"C\" text_pattern_ops)");
	expect_list("gist (mail ops (mail='mail, (lower')) WITH (fillfactor='90', lower=on)",
		"gist (\"e mail\" ops (mail='mail, (lower')) WITH (fillfactor='90', lower=on)");
	expect_list("PRIMARY KEY (kept, mail WITHOUT OVERLAPS) DEFERRABLE",
		"PRIMARY KEY (kept, \"e mail\" WITHOUT OVERLAPS) DEFERRABLE");
	expect_list("\"mail\" (gone, mailer, \"lower \", Mail)", "\"mail\" (gone, mailer, \"lower \", Mail)");
	expect_list("btree (lower(mail))", "btree (lower(mail))"); /* of expressions it knows nothing */
	expect_list("broken (\"mail", "broken (\"mail");
	expect_list("", "");
}

static void tables_are_renamed_when_made(void **state)
{
	const struct def_table plain = { .wanted = &users, .columns = &columns[4], .column_count = 2 };
	struct def_table few = { .wanted = &users, .columns = &columns[3], .column_count = 3 };
	struct strbuf b = STRBUF_INIT;
	(void)state;
	assert_false(table_is_renamed(&plain));
	assert_true(table_is_renamed(&table));
	rename_after_create(&b, &few);
	assert_string_equal(b.text, "; ALTER TABLE ONLY \"app\".\"users\" RENAME COLUMN \"lower\" TO \"low\"");
	strbuf_free(&b);
}

static void who_uses_them(void **state)
{
	(void)state;
	assert_true(def_uses_renamed(&table, "5 1"));
	assert_false(def_uses_renamed(&table, "0 5"));
	assert_false(def_uses_renamed(&table, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(lists_of_columns),
		cmocka_unit_test(tables_are_renamed_when_made),
		cmocka_unit_test(who_uses_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
