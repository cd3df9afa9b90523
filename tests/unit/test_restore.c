// SPDX-License-Identifier: PostgreSQL
/* Constraints that are made NOT VALID: which statements can be, and what they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/restore.h"

#define PG15 150000
#define PG18 180000

static void expect(const char *kind, const char *sql, int version, const char *wanted)
{
	char *made = restore_not_valid(kind, sql, version);
	if (wanted)
		assert_string_equal(made, wanted);
	else
		assert_null(made);
	free(made);
}

static void test_not_valid(void **state)
{
	(void)state;
	expect("FK CONSTRAINT", "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.p(a);\n", PG15,
		"ALTER TABLE ONLY s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.p(a) NOT VALID");
	expect("FK CONSTRAINT", "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.p(a) NOT VALID;", PG15,
		NULL);
	expect("CHECK CONSTRAINT", "ALTER TABLE s.t\n    ADD CONSTRAINT c CHECK ((a > 0));", PG15,
		"ALTER TABLE s.t\n    ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID");
	expect("CHECK CONSTRAINT", "ALTER TABLE s.t\n    ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID;", PG15, NULL);
	expect("CHECK CONSTRAINT", "ALTER DOMAIN s.d\n    ADD CONSTRAINT c CHECK ((VALUE > 0));", PG15, NULL);
	expect("CONSTRAINT", "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT k PRIMARY KEY (a);", PG15, NULL);
}

/* Without ONLY: a partitioned table. */
static void test_partitioned(void **state)
{
	static const char sql[] = "ALTER TABLE s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.p(a);";
	(void)state;
	expect("FK CONSTRAINT", sql, PG15, NULL);
	expect("FK CONSTRAINT", sql, PG18, "ALTER TABLE s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.p(a) NOT VALID");
}

static void test_names(void **state)
{
	struct restore_constraint c;
	(void)state;
	assert_true(restore_constraint("ALTER TABLE ONLY \"S 1\".\"t\"\"; --\"\n    ADD CONSTRAINT \"a CHECK (b\" CHECK (true);", &c));
	assert_string_equal(c.schema, "S 1");
	assert_string_equal(c.table, "t\"; --");
	assert_string_equal(c.name, "a CHECK (b");
	assert_true(restore_constraint("ALTER TABLE s.only ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES p(a)", &c));
	assert_string_equal(c.table, "only");
	assert_false(restore_constraint("ALTER TABLE s.t OWNER TO o;", &c));
	assert_false(restore_constraint("", &c));
}

static void test_find(void **state)
{
	struct store_object objects[] = { { .id = 1 }, { .id = 3 }, { .id = 70 } };
	const struct restore r = { .objects = objects, .count = 3 }, none = { .count = 0 };
	(void)state;
	assert_ptr_equal(restore_find(&r, 3), &objects[1]);
	assert_ptr_equal(restore_find(&r, 70), &objects[2]);
	assert_null(restore_find(&r, 2));
	assert_null(restore_find(&none, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_valid),
		cmocka_unit_test(test_partitioned),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_find),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
