// SPDX-License-Identifier: PostgreSQL
/* Statements about roles, and whose roles are left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "schema/roles/roles_inside.h"

static void is(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static struct role role(const char *there, unsigned attributes)
{
	char *name = (char *)(uintptr_t)there;
	return (struct role){ .name = name, .there = name, .attributes = attributes, .limit = -1 };
}

#define LIMITS " CONNECTION LIMIT 0 VALID UNTIL '2040-01-01 00:00:00+00'"

static void create_tells_what_is_unusual(void **state)
{
	(void)state;
	struct role plain = role("readers", ROLE_INHERIT);
	struct role app = role("a\"b", ROLE_LOGIN | ROLE_SUPERUSER);
	is(role_sql_create(&plain, ~0u), "CREATE ROLE \"readers\"");
	is(role_attributes(&plain), "NOLOGIN");
	app.limit = 0;
	app.valid_until = (char[]){ "2040-01-01 00:00:00+00" };
	is(role_sql_create(&app, ~0u), "CREATE ROLE \"a\"\"b\" WITH LOGIN NOINHERIT SUPERUSER" LIMITS);
	is(role_sql_create(&app, ROLE_LOGIN | ROLE_INHERIT),
		"CREATE ROLE \"a\"\"b\" WITH LOGIN NOINHERIT" LIMITS);
}

static void alter_tells_what_differs(void **state)
{
	(void)state;
	struct role want = role("r", ROLE_LOGIN | ROLE_CREATEDB);
	struct role have = role("r", ROLE_INHERIT | ROLE_LOGIN);
	is(role_sql_alter(&want, &have), "ALTER ROLE \"r\" WITH NOINHERIT CREATEDB");
	have = want;
	have.limit = 3;
	have.valid_until = (char[]){ "2040-01-01" };
	is(role_sql_alter(&want, &have),
		"ALTER ROLE \"r\" WITH CONNECTION LIMIT -1 VALID UNTIL 'infinity'");
}

static void memberships_have_options_since_16(void **state)
{
	(void)state;
	struct role group = role("g", ROLE_INHERIT), member = role("m", ROLE_INHERIT);
	struct role_membership m = { &group, &member, .admin = true, .inherit = true, .set = true };
	is(role_sql_member(&m, 150000), "GRANT \"g\" TO \"m\" WITH ADMIN OPTION");
	is(role_sql_member(&m, 160000), "GRANT \"g\" TO \"m\" WITH ADMIN TRUE");
	m.admin = m.set = false;
	is(role_sql_member(&m, 160000), "GRANT \"g\" TO \"m\" WITH SET FALSE");
	is(role_sql_member_change(&m, 160000),
		"GRANT \"g\" TO \"m\" WITH ADMIN FALSE, INHERIT TRUE, SET FALSE");
	is(role_sql_member_change(&m, 150000), "REVOKE ADMIN OPTION FOR \"g\" FROM \"m\"");
	member.attributes = 0;
	is(role_sql_member(&m, 160000), "GRANT \"g\" TO \"m\" WITH INHERIT TRUE, SET FALSE");
	is(role_sql_member(&m, 150000), "GRANT \"g\" TO \"m\"");
}

static void set_to(const char *name, const char *value, const char *expected)
{
	struct role app = role("app", 0);
	struct role_setting s = { .role = &app };
	s.name = (char *)(uintptr_t)name;
	s.value = (char *)(uintptr_t)value;
	is(role_sql_set(&s, "shop", false), expected);
}

static void lists_are_literals_one_by_one(void **state)
{
	(void)state;
	set_to("work_mem", "10MB", "ALTER ROLE \"app\" SET \"work_mem\" TO '10MB'");
	set_to("app.words", "a, b", "ALTER ROLE \"app\" SET \"app.words\" TO 'a, b'");
	set_to("search_path", "\"$user\", public, \"a,\"\"b\"",
		"ALTER ROLE \"app\" SET \"search_path\" TO '$user', 'public', 'a,\"b'");
	set_to("search_path", "", "ALTER ROLE \"app\" SET \"search_path\" TO ''");
	set_to("search_path", "\"\"", "ALTER ROLE \"app\" SET \"search_path\" TO ''");
	set_to("temp_tablespaces", "a,b", "ALTER ROLE \"app\" SET \"temp_tablespaces\" TO 'a', 'b'");
}

static void settings_are_of_a_role_or_a_database(void **state)
{
	(void)state;
	struct role app = role("app", 0);
	char name[] = "jit", value[] = "off";
	struct role_setting s = { .name = name, .value = value, .in_database = true };
	is(role_sql_set(&s, "shop", false), "ALTER DATABASE \"shop\" SET \"jit\" TO 'off'");
	s.role = &app;
	is(role_sql_set(&s, "shop", false),
		"ALTER ROLE \"app\" IN DATABASE \"shop\" SET \"jit\" TO 'off'");
	is(role_sql_set(&s, "shop", true), "ALTER ROLE \"app\" IN DATABASE \"shop\" RESET \"jit\"");
	s = (struct role_setting){ .name = s.name, .value = s.value };
	is(role_sql_set(&s, "shop", false), "ALTER ROLE ALL SET \"jit\" TO 'off'");
}

static void providers_keep_roles(void **state)
{
	(void)state;
	assert_true(role_is_kept(PROVIDER_SELF, "pg_monitor"));
	assert_true(role_is_kept(PROVIDER_RDS, "rds_superuser"));
	assert_true(role_is_kept(PROVIDER_AURORA, "rdsadmin"));
	assert_true(role_is_kept(PROVIDER_CLOUD_SQL, "cloudsqlsuperuser"));
	assert_true(role_is_kept(PROVIDER_ALLOYDB, "alloydbadmin"));
	assert_true(role_is_kept(PROVIDER_AZURE, "azure_pg_admin"));
	assert_true(role_is_kept(PROVIDER_SUPABASE, "supabase_auth_admin"));
	assert_true(role_is_kept(PROVIDER_NEON, "neon_superuser"));
	assert_true(role_is_kept(PROVIDER_SELF, "_aiven"));
	assert_false(role_is_kept(PROVIDER_SELF, "rds_superuser"));
	assert_false(role_is_kept(PROVIDER_RDS, "rdsapp"));
	assert_false(role_is_kept(PROVIDER_SUPABASE, "anon"));
	assert_false(role_is_kept(PROVIDER_NEON, "neondb_owner"));
	assert_false(role_is_kept(PROVIDER_SELF, "pgbouncer"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_tells_what_is_unusual),
		cmocka_unit_test(alter_tells_what_differs),
		cmocka_unit_test(memberships_have_options_since_16),
		cmocka_unit_test(lists_are_literals_one_by_one),
		cmocka_unit_test(settings_are_of_a_role_or_a_database),
		cmocka_unit_test(providers_keep_roles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
