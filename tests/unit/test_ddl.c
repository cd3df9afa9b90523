// SPDX-License-Identifier: PostgreSQL
/* What a table looked like is remembered as text, and told from what it looks like now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "replicate/ddl.h"

#define INT4 23
#define TEXT 25

static struct ddl_relation table(const char *name, uint32_t id)
{
	struct ddl_relation r = { .id = id, .schema = xstrdup("public"), .name = xstrdup(name), .identity = 'd' };
	ddl_add(&r, "id", INT4, -1, true, 0);
	ddl_add(&r, "v", TEXT, -1, false, 0);
	return r;
}

static struct ddl_relation items(void)
{
	return table("items", 16384);
}

/* Exactly these kinds, in this order; -1 ends. */
static void expect(const struct ddl_relation *before, const struct ddl_relation *now, lsn_t final,
	const int *kinds)
{
	struct ddl_change *changes;
	size_t n = ddl_changes(before, now, final, &changes), wanted = 0;
	while (kinds[wanted] >= 0)
		wanted++;
	assert_int_equal(n, wanted);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(changes[i].kind, kinds[i]);
	free(changes);
}
#define EXPECT(before, now, final, ...) expect(before, now, final, (const int[]){ __VA_ARGS__, -1 })
#define SAME(before, now, final) expect(before, now, final, (const int[]){ -1 })

static void survives_as_text(void **state)
{
	struct ddl_relation a = table("odd\t\\n\nname", 4294967295U), b;
	(void)state;
	ddl_add(&a, "tab\there", 16400, 1028, true, 0x16B374D848);
	ddl_add(&a, "", 1, INT32_MIN, false, 0);
	char *text = ddl_describe(&a);
	assert_true(ddl_parse(&b, text));
	SAME(&a, &b, 1);
	assert_string_equal(b.name, "odd\t\\n\nname");
	assert_string_equal(b.columns[2].name, "tab\there");
	assert_true(b.columns[2].key && b.columns[2].since == 0x16B374D848 && b.columns[2].typmod == 1028);
	char *again = ddl_describe(&b);
	assert_string_equal(text, again);
	free(text);
	free(again);
	ddl_free(&a);
	ddl_free(&b);
}

static void refuses_what_it_did_not_write(void **state)
{
	static const char *const bad[] = { "", "x", "1\td\tpublic", "-1\td\tpublic\titems", "1\tdd\tpublic\titems",
		"1\td\tpublic\titems\n", "1\td\tpublic\titems\n23\t-1\tkey\t0/1", "1\td\tpublic\titems\tmore",
		"1\td\tpublic\titems\n23\tx\tkey\t\tid", "1\td\tpublic\titems\n23\t-1\tkey\tzz\tid",
		"1\td\tpublic\titems\n4294967296\t-1\t\t\tid" };
	struct ddl_relation r;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ddl_parse(&r, bad[i]))
			fail_msg("took \"%s\"", bad[i]);
}

static void an_added_column_is_news_once(void **state)
{
	struct ddl_relation before = items(), now = items(), merged, after;
	(void)state;
	SAME(&before, &now, 100);
	ddl_add(&now, "qty", INT4, -1, false, 0);
	EXPECT(&before, &now, 100, DDL_ADDED);
	ddl_merge(&merged, &before, &now, 100);
	SAME(&merged, &now, 100);
	SAME(&merged, &before, 100); /* the same transaction, read again: the table before its ALTER TABLE */
	SAME(&merged, &before, 50);
	EXPECT(&merged, &before, 101, DDL_DROPPED);
	ddl_merge(&after, &merged, &before, 100); /* an older view takes nothing away */
	SAME(&after, &now, 200);
	ddl_free(&after);
	ddl_merge(&after, &merged, &before, 101);
	SAME(&after, &before, 200);
	ddl_free(&after);
	ddl_free(&merged);
	ddl_free(&before);
	ddl_free(&now);
}

static void renamed_dropped_and_retyped_are_told_apart(void **state)
{
	struct ddl_relation before = items(), now = items();
	(void)state;
	free(now.columns[1].name);
	now.columns[1].name = xstrdup("w");
	EXPECT(&before, &now, 1, DDL_COLUMN_RENAMED);
	now.columns[1].type = INT4; /* in its place, but of another type: one went, one came */
	EXPECT(&before, &now, 1, DDL_DROPPED, DDL_ADDED);
	free(now.columns[1].name);
	now.columns[1].name = xstrdup("v");
	EXPECT(&before, &now, 1, DDL_RETYPED);
	now.columns[1].type = TEXT;
	now.columns[1].typmod = 24;
	EXPECT(&before, &now, 1, DDL_RETYPED);
	ddl_free(&before);
	ddl_free(&now);
}

static void one_dropped_and_another_added_is_no_rename(void **state)
{
	struct ddl_relation before = items(), now = items();
	(void)state;
	ddl_add(&before, "last", INT4, -1, false, 0);
	free(now.columns[1].name); /* v goes, last moves up, v2 comes at the end */
	now.columns[1].name = xstrdup("last");
	now.columns[1].type = INT4;
	ddl_add(&now, "v2", TEXT, -1, false, 0);
	EXPECT(&before, &now, 1, DDL_DROPPED, DDL_ADDED);
	ddl_free(&before);
	ddl_free(&now);
}

static void tables_are_renamed_or_replaced(void **state)
{
	struct ddl_relation before = items(), other = table("articles", 16384), replaced = table("items", 17000),
						unknown = table("items", 0);
	(void)state;
	EXPECT(&before, &other, 1, DDL_RENAMED);
	EXPECT(&before, &replaced, 1, DDL_REPLACED);
	SAME(&unknown, &replaced, 1);
	ddl_free(&before);
	ddl_free(&other);
	ddl_free(&replaced);
	ddl_free(&unknown);
}

static void an_identity_that_went_is_told(void **state)
{
	struct ddl_relation before = items(), now = items();
	(void)state;
	now.identity = 'n';
	now.columns[0].key = false;
	EXPECT(&before, &now, 1, DDL_NO_IDENTITY);
	now.identity = 'd';
	EXPECT(&before, &now, 1, DDL_NO_IDENTITY);
	now.identity = 'f';
	now.columns[0].key = now.columns[1].key = true;
	SAME(&before, &now, 1);
	ddl_free(&before);
	ddl_free(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_as_text),
		cmocka_unit_test(refuses_what_it_did_not_write),
		cmocka_unit_test(an_added_column_is_news_once),
		cmocka_unit_test(renamed_dropped_and_retyped_are_told_apart),
		cmocka_unit_test(one_dropped_and_another_added_is_no_rename),
		cmocka_unit_test(tables_are_renamed_or_replaced),
		cmocka_unit_test(an_identity_that_went_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
