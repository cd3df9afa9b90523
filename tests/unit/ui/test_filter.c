// SPDX-License-Identifier: PostgreSQL
/* The picker's filter language, and how fast it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "table_filter.h"

static char schema[] = "sales", name[] = "Order_lines";
static struct catalog_table table = {
	.schema = schema,
	.name = name,
	.rows = 1204000,
	.bytes = 2500000000,
	.key = KEY_NONE,
	.notes = NOTE_PARTITIONED | NOTE_TRIGGERS,
};

static bool takes(const char *text)
{
	struct table_filter f = table_filter_parse(text);
	bool taken = table_filter_takes(&f, &table);
	table_filter_free(&f);
	return taken;
}

static void taken(void **state)
{
	static const char *const cases[] = { "", "sales", "order", "Order", "sales.order", "schema:sal",
		"name:lines", "size>1G", "size>2.4GB", "size<3G", "rows>1M", "rows>=1204000", "rows=1204000",
		"rows<2m", "key:none", "note:part", "note:trig", "!audit", "!key:pk", "!size>1T",
		"schema:sales size>1G rows>1M key:none !audit", "SIZE>1g" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!takes(cases[i]))
			fail_msg("should be taken: %s", cases[i]);
}

static void not_taken(void **state)
{
	static const char *const cases[] = { "audit", "ORDER", "schema:order", "name:sales", "size>3G",
		"rows<1M", "key:pk", "key:unique", "note:unlogged", "!sales", "!key:none", "sales size>1T",
		"size>", "key:what", "sales order audit", "name:" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (takes(cases[i]))
			fail_msg("should not be taken: %s", cases[i]);
}

static void unknown_rows_match_no_number(void **state)
{
	int64_t rows = table.rows;
	(void)state;
	table.rows = -1;
	assert_false(takes("rows>1"));
	assert_false(takes("rows<1"));
	table.rows = rows;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(not_taken),
		cmocka_unit_test(unknown_rows_match_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
