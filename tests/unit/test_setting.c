// SPDX-License-Identifier: PostgreSQL
/* Values of pg_settings in a common unit, and what is made of those that differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/known.h"
#include "server/server.h"
#include "shared.h"

static struct setting make(
	const char *name, const char *vartype, const char *value, const char *unit)
{
	return (struct setting){
		.name = (char *)(uintptr_t)name,
		.value = (char *)(uintptr_t)value,
		.unit = (char *)(uintptr_t)unit,
		.vartype = (char *)(uintptr_t)vartype,
		.context = (char *)(uintptr_t) "sighup",
		.origin = (char *)(uintptr_t) "configuration file",
		.boot = (char *)(uintptr_t) "?",
		.describe = (char *)(uintptr_t) "Sets it.",
	};
}

static void test_units_are_common(void **state)
{
	(void)state;
	static const struct {
		const char *a, *unit_a, *b, *unit_b;
		int order;
	} cases[] = {
		{ "16384", "8kB", "128", "MB", 0 },
		{ "16777216", "B", "2048", "8kB", 0 }, /* wal_segment_size of 11 and of 10 */
		{ "64", "16MB", "1", "GB", 0 },        /* max_wal_size of 9.5 */
		{ "300", "s", "5", "min", 0 },
		{ "60000", "ms", "60", "s", 0 },
		{ "0.5", "ms", "500", "us", 0 },
		{ "1", "d", "24", "h", 0 },
		{ "4", "", "4.0", "", 0 },
		{ "1e+06", "", "1000000", "", 0 },
		{ "100", "kB", "1", "MB", -1 },
		{ "2", "min", "100", "s", 1 },
		{ "-1", "kB", "0", "kB", -1 }, /* stands for something else than nothing */
		{ "-1", "kB", "-1", "MB", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct setting a = make("x", "real", cases[i].a, cases[i].unit_a);
		struct setting b = make("x", "integer", cases[i].b, cases[i].unit_b);
		if (setting_order(&a, &b) != cases[i].order)
			fail_msg("%s%s and %s%s", cases[i].a, cases[i].unit_a, cases[i].b, cases[i].unit_b);
		assert_int_equal(setting_same(&a, &b), cases[i].order == 0);
	}
}

static void assert_text(
	const char *vartype, const char *value, const char *unit, const char *expected)
{
	struct setting s = make("x", vartype, value, unit);
	char *text = setting_text(&s);
	assert_string_equal(text, expected);
	free(text);
}

static void test_text_is_what_people_write(void **state)
{
	(void)state;
	assert_text("integer", "16384", "8kB", "128MB");
	assert_text("integer", "8191", "8kB", "65528kB");
	assert_text("integer", "1048576", "kB", "1GB");
	assert_text("integer", "300", "s", "5min");
	assert_text("integer", "90", "s", "90s");
	assert_text("real", "0.5", "ms", "500us");
	assert_text("real", "2", "ms", "2ms");
	assert_text("integer", "0", "ms", "0");
	assert_text("integer", "-1", "kB", "-1");
	assert_text("integer", "100", "", "100");
	assert_text("real", "0.1", "", "0.1");
	assert_text("integer", "7", "parsec", "7");
	assert_text("bool", "on", "", "on");
	assert_text("string", "", "", "(empty)");
}

static void assert_quoted(const char *name, const char *value, const char *expected)
{
	struct setting s = make(name, "string", value, "");
	struct strbuf out = STRBUF_INIT;
	setting_quote(&out, &s);
	assert_string_equal(out.text, expected);
	strbuf_free(&out);
}

static void test_lists_are_quoted_item_by_item(void **state)
{
	(void)state;
	assert_quoted("search_path", "\"$user\", public", "'$user', 'public'");
	assert_quoted("search_path", "App,\"Odd, \"\"Name\"", "'app', 'Odd, \"Name'");
	assert_quoted("search_path", "", "''");
	assert_quoted("search_path", "\"\"", "''");
	assert_quoted("shared_preload_libraries", "pg_stat_statements , $libdir/Other",
		"'pg_stat_statements', '$libdir/Other'");
	assert_quoted("DateStyle", "ISO, DMY", "'ISO, DMY'");
	assert_quoted("log_line_prefix", "it's \\ %m", " E'it''s \\\\ %m'");
	assert_quoted("wal_level", "hot_standby", "'replica'");
}

static void test_lists_are_compared_by_items(void **state)
{
	(void)state;
	struct setting a = make("search_path", "string", "\"$user\",Public", "");
	struct setting b = make("search_path", "string", "\"$user\", public", "");
	struct setting c = make("search_path", "string", "public, \"$user\"", "");
	assert_true(setting_same(&a, &b));
	assert_false(setting_same(&a, &c));
	a.name = b.name = (char *)(uintptr_t) "log_line_prefix";
	assert_false(setting_same(&a, &b));
	struct setting old = make("wal_level", "enum", "hot_standby", ""),
				   now = make("wal_level", "enum", "replica", "");
	assert_true(setting_same(&old, &now));
}

/* ---- both sides ---- */

static struct server_side side(const char *peer, int version, struct setting *items, size_t count)
{
	return (struct server_side){ peer, "shop", version, { items, count, true } };
}

static struct comparison *compare(struct setting *s, struct setting *t)
{
	struct comparison *c = comparison_new("settings", "old", "new");
	struct server_side source = side("old", 150020, s, s != NULL),
					   target = side("new", 180004, t, t != NULL);
	settings_compare(&source, &target, false, c);
	return c;
}

static void expect(
	struct setting s, struct setting t, enum severity severity, const char *statement, bool applies)
{
	struct comparison *c = compare(&s, &t);
	assert_int_equal(c->count, 1);
	assert_int_equal(c->items[0].severity, severity);
	if (statement)
		assert_string_equal(c->items[0].statement, statement);
	else
		assert_null(c->items[0].statement);
	assert_int_equal(c->items[0].applies, applies);
	comparison_release(c);
}

static void test_harm_has_a_direction(void **state)
{
	(void)state;
	struct setting more = make("max_connections", "integer", "200", ""),
				   less = make("max_connections", "integer", "100", "");
	more.context = less.context = (char *)(uintptr_t) "postmaster";
	expect(more, less, SEVERITY_WARNING,
		"ALTER SYSTEM SET max_connections = '200' /* needs a restart */", true);
	expect(less, more, SEVERITY_NOTE, NULL, false);
	struct setting on = make("fsync", "bool", "on", ""), off = make("fsync", "bool", "off", "");
	expect(on, off, SEVERITY_WARNING, "ALTER SYSTEM SET fsync = 'on'", true);
	expect(off, on, SEVERITY_NOTE, NULL, false);
}

static void test_what_is_for_people_does_not_apply(void **state)
{
	(void)state;
	expect(make("work_mem", "integer", "8192", "kB"), make("work_mem", "integer", "4096", "kB"),
		SEVERITY_NOTE, "ALTER SYSTEM SET work_mem = '8MB'", false);
	expect(make("synchronous_standby_names", "string", "a", ""),
		make("synchronous_standby_names", "string", "", ""), SEVERITY_WARNING,
		"ALTER SYSTEM SET synchronous_standby_names = 'a'", false);
}

static void test_a_wal_level_is_not_lowered(void **state)
{
	(void)state;
	struct setting logical = make("wal_level", "enum", "logical", "");
	struct setting old = make("wal_level", "enum", "hot_standby", "");
	expect(logical, old, SEVERITY_NOTE, "ALTER SYSTEM SET wal_level = 'logical'", true);
	expect(old, logical, SEVERITY_NOTE, NULL, false);
}

static void test_defaults_are_told_apart(void **state)
{
	(void)state;
	struct setting old = make("password_encryption", "enum", "md5", "");
	struct setting now = make("password_encryption", "enum", "scram-sha-256", "");
	old.boot = old.value;
	now.boot = now.value;
	struct comparison *c = compare(&old, &now);
	assert_non_null(strstr(c->items[0].meaning, "; default of 15 against default of 18"));
	assert_false(c->items[0].applies);
	comparison_release(c);
}

static void test_database_settings_stay_with_the_database(void **state)
{
	(void)state;
	struct setting old = make("search_path", "string", "app", ""),
				   now = make("search_path", "string", "public", "");
	old.origin = (char *)(uintptr_t) "database";
	expect(old, now, SEVERITY_BLOCKER, "ALTER DATABASE \"shop\" SET search_path = 'app'", true);
	old.origin = (char *)(uintptr_t) "user";
	expect(old, now, SEVERITY_BLOCKER, NULL, false);
}

static void test_no_libraries_are_a_reset(void **state)
{
	(void)state;
	struct setting none = make("shared_preload_libraries", "string", "", "");
	expect(none, make("shared_preload_libraries", "string", "x", ""), SEVERITY_WARNING,
		"ALTER SYSTEM RESET shared_preload_libraries", false);
}

static void test_one_side_alone(void **state)
{
	(void)state;
	struct setting gone = make("old_snapshot_threshold", "integer", "60", "min");
	struct comparison *c = compare(&gone, NULL);
	assert_int_equal(c->count, 1);
	assert_null(c->items[0].target);
	assert_non_null(strstr(c->items[0].meaning, "keeps the server from starting"));
	comparison_release(c);
	gone.boot = gone.value;
	c = compare(&gone, NULL);
	assert_int_equal(c->count, 0);
	assert_int_equal(c->notes.count, 1);
	comparison_release(c);
}

/* A name that would be more than one in a script gets no statement. */
static void test_odd_names_get_no_statement(void **state)
{
	(void)state;
	struct setting odd = make("app.x = 1; DROP TABLE t", "string", "y", "");
	struct comparison *c = compare(&odd, NULL);
	assert_null(c->items[0].statement);
	comparison_release(c);
	odd.name = (char *)(uintptr_t) "app.tenant";
	c = compare(&odd, NULL);
	assert_string_equal(c->items[0].statement, "ALTER DATABASE \"shop\" SET app.tenant = 'y'");
	comparison_release(c);
}

static void test_local_ones_are_left_alone(void **state)
{
	(void)state;
	struct setting a = make("port", "integer", "5432", ""), b = make("port", "integer", "5433", "");
	struct comparison *c = compare(&a, &b);
	assert_int_equal(c->count, 0);
	comparison_release(c);
	assert_true(setting_is_local("transaction_isolation"));
	assert_false(setting_is_local("transaction_timeout"));
	assert_true(setting_is_providers("rds.logical_replication"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_are_common),
		cmocka_unit_test(test_text_is_what_people_write),
		cmocka_unit_test(test_lists_are_quoted_item_by_item),
		cmocka_unit_test(test_lists_are_compared_by_items),
		cmocka_unit_test(test_harm_has_a_direction),
		cmocka_unit_test(test_what_is_for_people_does_not_apply),
		cmocka_unit_test(test_a_wal_level_is_not_lowered),
		cmocka_unit_test(test_defaults_are_told_apart),
		cmocka_unit_test(test_database_settings_stay_with_the_database),
		cmocka_unit_test(test_no_libraries_are_a_reset),
		cmocka_unit_test(test_one_side_alone),
		cmocka_unit_test(test_odd_names_get_no_statement),
		cmocka_unit_test(test_local_ones_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
