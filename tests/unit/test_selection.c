// SPDX-License-Identifier: PostgreSQL
/* Which tables a mirror takes. The patterns are checked against fnmatch(3) as well, on what both
 * agree to mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgpier/selection.h>

static bool takes(const char *pattern, const char *schema, const char *name)
{
	char copy[256];
	char *items[] = { copy };
	struct mirror_config m = { .tables = { items, 1 } };
	snprintf(copy, sizeof(copy), "%s", pattern);
	struct selection *prepared = selection_new(&m);
	bool has = selection_has(prepared, schema, name);
	selection_free(prepared);
	if (has != selection_takes(&m, schema, name))
		fail_msg("two answers for %s on %s.%s", pattern, schema, name);
	return has;
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *schema, *name;
		bool taken;
	} cases[] = {
		{ "public.*", "public", "users", true },
		{ "public.*", "public2", "users", false },
		{ "public.users", "public", "users", true },
		{ "public.users", "public", "users2", false },
		{ "public.users", "public", "Users", false },
		{ "*", "a", "b", true },
		{ "*.tmp_*", "sales", "tmp_1", true },
		{ "*.tmp_*", "sales", "my.tmp_1", true }, /* * goes over dots */
		{ "a.b?", "a", "b京", true },             /* ? is a character, not a byte */
		{ "a.b??", "a", "b京", false },
		{ "a.b?", "a", "b\xff", true },
		{ "a.[a-c]x", "a", "bx", true },
		{ "a.[a-c]x", "a", "dx", false },
		{ "a.[!a-c]x", "a", "dx", true },
		{ "a.[^a-c]x", "a", "bx", false },
		{ "a.[]]x", "a", "]x", true },
		{ "a.[a\\]]x", "a", "]x", true },
		{ "a.[\\a-c]", "a", "b", true },
		{ "a.[а-я]", "a", "ж", true },
		{ "a.[x-]", "a", "-", true },
		{ "a.[x", "a", "[x", true }, /* no set without its end */
		{ "a.\\*", "a", "*", true },
		{ "a.\\*", "a", "x", false },
		{ "a.x\\", "a", "x\\", true },
		{ "**.**a**", "b", "xxa", true },
		{ "a.*a*b*c", "a", "1a2b3b4c", true },
		{ "a.*a*b*c", "a", "1a2c3b4", false },
		{ "", "a", "b", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (takes(cases[i].pattern, cases[i].schema, cases[i].name) != cases[i].taken)
			fail_msg("%s on %s.%s", cases[i].pattern, cases[i].schema, cases[i].name);
}

static void random_text(char *text, const char *letters, size_t most)
{
	size_t n = (size_t)rand() % (most + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = letters[(size_t)rand() % strlen(letters)];
	text[n] = '\0';
}

static void agrees_with_fnmatch(void **state)
{
	char pattern[16], name[16], text[32];
	(void)state;
	srand(20261121);
	for (int i = 0; i < 100000; i++) {
		random_text(pattern, "ab*?.", 10);
		random_text(name, "ab.", 8);
		snprintf(text, sizeof(text), "s.%s", name);
		if (takes(pattern, "s", name) != (fnmatch(pattern, text, 0) == 0))
			fail_msg("%s on %s", pattern, text);
	}
}

static void many_tables_take_no_time(void **state)
{
	struct mirror_config m = { 0 };
	size_t taken = 0;
	(void)state;
	for (int i = 0; i < 10000; i++) {
		char *pattern = xasprintf("public.table\\_%05d", i * 5);
		strings_add(&m.tables, pattern);
		free(pattern);
	}
	strings_add(&m.exclude, "*.table_*0");
	struct selection *s = selection_new(&m);
	int64_t begin = clock_us();
	for (int i = 0; i < 50000; i++) {
		char name[NAME_SIZE];
		snprintf(name, sizeof(name), "table_%05d", i);
		taken += selection_has(s, "public", name);
	}
	assert_true(clock_us() - begin < 2000000);
	assert_int_equal(taken, 5000);
	selection_free(s);
	strings_free(&m.tables);
	strings_free(&m.exclude);
}

static void many_stars_take_no_time(void **state)
{
	char pattern[256] = "", name[NAME_SIZE];
	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(pattern, "a*");
	strcat(pattern, "b");
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	int64_t begin = clock_us();
	assert_false(takes(pattern, "a", name));
	assert_true(clock_us() - begin < 1000000);
}

static void exclude_wins(void **state)
{
	char *tables[] = { (char[]){ "public.*" }, (char[]){ "sales.orders" } };
	char *exclude[] = { (char[]){ "*.tmp_*" }, (char[]){ "public.b" } };
	struct mirror_config m = { .tables = { tables, 2 }, .exclude = { exclude, 2 } };
	(void)state;
	assert_true(selection_takes(&m, "public", "a"));
	assert_true(selection_takes(&m, "sales", "orders"));
	assert_false(selection_takes(&m, "sales", "lines"));
	assert_false(selection_takes(&m, "public", "b"));
	assert_false(selection_takes(&m, "public", "tmp_1"));
}

static void columns_are_compared_as_they_are(void **state)
{
	char *columns[] = { (char[]){ "public.users.photo" }, (char[]){ "a.b.c.d" },
		(char[]){ "p.t.a*" } };
	struct mirror_config m = { .columns_exclude = { columns, 3 } };
	(void)state;
	assert_true(selection_leaves_out(&m, "public", "users", "photo"));
	assert_false(selection_leaves_out(&m, "public", "users", "photo2"));
	assert_false(selection_leaves_out(&m, "public", "user", "s.photo"));
	assert_true(selection_leaves_out(&m, "a.b", "c", "d"));
	assert_true(selection_leaves_out(&m, "a", "b", "c.d"));
	assert_true(selection_leaves_out(&m, "p", "t", "a*"));
	assert_false(selection_leaves_out(&m, "p", "t", "ab"));
}

static void expect_target(
	const struct mirror_config *m, const char *schema, const char *name, const char *target)
{
	char target_schema[NAME_SIZE], target_name[NAME_SIZE];
	struct selection *s = selection_new(m);
	for (int prepared = 0; prepared < 2; prepared++) {
		if (prepared)
			selection_has_target(s, schema, name, target_schema, target_name);
		else
			selection_target(m, schema, name, target_schema, target_name);
		char *found = xasprintf("%s|%s", target_schema, target_name);
		assert_string_equal(found, target);
		free(found);
	}
	selection_free(s);
}

static void targets(void **state)
{
	struct table_map map[] = {
		{ .source = (char[]){ "public.users" }, .target = (char[]){ "app.users" } },
		{ .source = (char[]){ "public.dots" }, .target = (char[]){ "app.a.b.c" } },
		{ .source = (char[]){ "public.bad" }, .target = (char[]){ "nodot" } },
		{ .source = (char[]){ "public.columns" } },
	};
	struct mirror_config m = { .map = map, .map_count = 4 };
	(void)state;
	expect_target(&m, "public", "users", "app|users");
	expect_target(&m, "public", "dots", "app|a.b.c");
	expect_target(&m, "public", "bad", "public|bad");
	expect_target(&m, "public", "columns", "public|columns");
	assert_ptr_equal(selection_map(&m, "public", "columns"), &map[3]);
	assert_null(selection_map(&m, "public", "column"));
	expect_target(&m, "My Schema", "x.y", "My Schema|x.y");
	m.map_count = 0;
	expect_target(&m, "public", "users", "public|users");
}

static void splitting_keeps_to_63_bytes(void **state)
{
	char text[2 * NAME_SIZE + 2], schema[NAME_SIZE], name[NAME_SIZE];
	(void)state;
	memset(text, 'x', sizeof(text));
	text[63] = '.';
	text[127] = '\0';
	assert_true(selection_split(text, schema, name));
	assert_int_equal(strlen(schema), 63);
	assert_int_equal(strlen(name), 63);
	text[127] = 'x';
	text[128] = '\0';
	assert_false(selection_split(text, schema, name));
	text[63] = 'x';
	text[64] = '.';
	text[70] = '\0';
	assert_false(selection_split(text, schema, name));
	assert_false(selection_split("a", schema, name));
	assert_false(selection_split(".a", schema, name));
	assert_false(selection_split("a.", schema, name));
}

static void a_pattern_takes_just_its_table(void **state)
{
	static const char *const names[] = { "plain", "a*b", "a?b", "[ab]", "a\\b", "a\\*b", "\"q\"",
		"x.y", "東京", "\x1b[31m", "\xff", "]", "a]b", "-" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *pattern = selection_pattern("s*", names[i]);
		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			if (takes(pattern, "s*", names[j]) != (i == j))
				fail_msg("the pattern %s on %s", pattern, names[j]);
		assert_false(takes(pattern, "st", names[i]));
		free(pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(agrees_with_fnmatch),
		cmocka_unit_test(many_tables_take_no_time),
		cmocka_unit_test(many_stars_take_no_time),
		cmocka_unit_test(exclude_wins),
		cmocka_unit_test(columns_are_compared_as_they_are),
		cmocka_unit_test(targets),
		cmocka_unit_test(splitting_keeps_to_63_bytes),
		cmocka_unit_test(a_pattern_takes_just_its_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
