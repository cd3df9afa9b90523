// SPDX-License-Identifier: PostgreSQL
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/choose/choose.h"

#define MOST 40

/* A dump by hand, what the target is like, and what was chosen. */
struct stage {
	struct dump dump;
	struct dump_entry entries[MOST];
	int needs[MOST][4];
	struct mirror_config mirror;
	struct choose_facts facts;
	struct chosen *chosen;
};

static struct stage *stage_new(enum schema_mode mode)
{
	struct stage *s = xcalloc(1, sizeof(*s));
	mirror_config_defaults(&s->mirror);
	s->mirror.schema = mode;
	s->dump.entries = s->entries;
	s->facts.superuser = true;
	strings_add(&s->facts.roles, "me");
	return s;
}

static void stage_free(struct stage *s)
{
	chosen_free(s->chosen, s->dump.count);
	mirror_config_free(&s->mirror);
	strings_free(&s->facts.roles);
	strings_free(&s->facts.roles_held);
	strings_free(&s->facts.extensions);
	strings_free(&s->facts.tables);
	strings_free(&s->facts.extension_members);
	free(s);
}

/* The id of the new entry; its needs are ids, 0 for none. */
static int add(struct stage *s, const char *kind, const char *schema, const char *name, const char *sql, int first,
	int second)
{
	size_t i = s->dump.count++;
	assert_true(i < MOST);
	int *needs = s->needs[i];
	size_t n = 0;
	needs[n] = first;
	n += first > 0;
	needs[n] = second;
	n += second > 0;
	s->entries[i] = (struct dump_entry){ .id = (int)i + 1, .kind = kind, .schema = schema, .name = name, .owner = "me",
		.sql = sql, .settings = "", .needs = needs, .need_count = n };
	return (int)i + 1;
}

static int table(struct stage *s, const char *name)
{
	return add(s, "TABLE", "app", name, "CREATE TABLE ...;", 0, 0);
}

static void mirrored(struct stage *s, const char *name)
{
	strings_add(&s->facts.tables, name);
}

static const struct chosen *of(struct stage *s, int id)
{
	if (!s->chosen)
		s->chosen = choose(&s->dump, &s->mirror, &s->facts);
	return &s->chosen[id - 1];
}

static void assert_made(struct stage *s, int id)
{
	assert_int_equal(of(s, id)->choice, CHOICE_MAKE);
	assert_null(of(s, id)->why);
	assert_non_null(of(s, id)->sql);
}

static void assert_not(struct stage *s, int id, enum choice choice, const char *why)
{
	assert_int_equal(of(s, id)->choice, choice);
	assert_non_null(of(s, id)->why);
	assert_string_equal(of(s, id)->why, why);
}

static void assert_text(const char *got, const char *expected)
{
	assert_non_null(got);
	assert_string_equal(got, expected);
}

/* ---- tables and what hangs on them ---- */

static void test_table_left_out(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int taken = table(s, "taken"), other = table(s, "other");
	int pkey = add(s, "CONSTRAINT", "app", "other other_pkey", "x", other, 0);
	int comment = add(s, "COMMENT", "app", "CONSTRAINT other_pkey ON other", "x", pkey, 0);
	int view = add(s, "VIEW", "app", "v", "x", other, taken);
	int second = add(s, "VIEW", "app", "v2", "x", view, 0);
	int function = add(s, "FUNCTION", "app", "f(app.other)", "x", other, 0);
	int fk = add(s, "FK CONSTRAINT", "app", "taken taken_fk", "x", taken, pkey);
	int good = add(s, "VIEW", "app", "good", "x", taken, 0);
	mirrored(s, "app.taken");
	assert_made(s, taken);
	assert_made(s, good);
	assert_not(s, other, CHOICE_LEFT_OUT, "is none of the mirror's tables");
	assert_not(s, pkey, CHOICE_LEFT_OUT, "belongs to TABLE app.other, which is none of the mirror's tables");
	assert_not(s, comment, CHOICE_LEFT_OUT, "belongs to TABLE app.other, which is none of the mirror's tables");
	assert_not(s, view, CHOICE_BLOCKED, "needs TABLE app.other, which is none of the mirror's tables");
	assert_not(s, second, CHOICE_BLOCKED,
		"needs VIEW app.v, and that TABLE app.other, which is none of the mirror's tables");
	assert_not(s, function, CHOICE_BLOCKED, "needs TABLE app.other, which is none of the mirror's tables");
	assert_not(s, fk, CHOICE_BLOCKED, "needs CONSTRAINT app.other other_pkey, and that TABLE app.other, which is none "
									  "of the mirror's tables");
	stage_free(s);
}

static void test_schema_none(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_NONE);
	int taken = table(s, "taken");
	mirrored(s, "app.taken");
	assert_not(s, taken, CHOICE_LEFT_OUT, "is not made with schema = none");
	stage_free(s);
}

/* A partition is made without its parent, with its own index; an inheritance child can't be. */
static void test_parents(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int root = table(s, "root"), part = add(s, "TABLE", "app", "part", "x", root, 0);
	int attach = add(s, "TABLE ATTACH", "app", "part", "x", root, part);
	int index = add(s, "INDEX", "app", "root_i", "x", root, 0);
	int part_index = add(s, "INDEX", "app", "part_i", "x", part, index);
	int index_attach = add(s, "INDEX ATTACH", "app", "part_i", "x", index, part_index);
	int base = table(s, "base"), child = add(s, "TABLE", "app", "child", "x", base, 0);
	mirrored(s, "app.child");
	mirrored(s, "app.part");
	assert_not(s, root, CHOICE_LEFT_OUT, "is none of the mirror's tables");
	assert_made(s, part);
	assert_made(s, part_index);
	assert_int_equal(of(s, attach)->choice, CHOICE_LEFT_OUT);
	assert_int_equal(of(s, index_attach)->choice, CHOICE_LEFT_OUT);
	assert_made(s, child);
	assert_made(s, base);
	assert_text(of(s, base)->dropped, "its rows: it is none of the mirror's tables, but TABLE app.child needs it");
	stage_free(s);
}

static void test_sequences(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int taken = table(s, "taken"), other = table(s, "other");
	int lent = add(s, "SEQUENCE", "app", "lent_seq", "CREATE SEQUENCE", other, 0);
	int lent_owned = add(s, "SEQUENCE OWNED BY", "app", "lent_seq", "x", lent, 0);
	int kept = add(s, "SEQUENCE", "app", "kept_seq", "CREATE SEQUENCE", other, 0);
	int free_one = add(s, "SEQUENCE", "app", "free_seq", "CREATE SEQUENCE", 0, 0);
	int by_default = add(s, "DEFAULT", "app", "taken id", "x", taken, lent);
	mirrored(s, "app.taken");
	assert_made(s, lent);
	assert_made(s, by_default);
	assert_made(s, free_one);
	assert_int_equal(of(s, lent_owned)->choice, CHOICE_LEFT_OUT);
	assert_not(s, kept, CHOICE_LEFT_OUT, "belongs to TABLE app.other, which is none of the mirror's tables");
	stage_free(s);
}

/* A view that was made empty to break a circle needs what its rule needs. */
static void test_view_rule(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int other = table(s, "other");
	int view = add(s, "VIEW", "app", "v", "x", 0, 0);
	int rule = add(s, "RULE", "app", "v _RETURN", "x", other, view);
	assert_not(s, view, CHOICE_BLOCKED, "needs TABLE app.other, which is none of the mirror's tables");
	assert_int_equal(of(s, rule)->choice, CHOICE_BLOCKED);
	stage_free(s);
}

/* ---- extensions and providers ---- */

static void test_extension(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int postgis = add(s, "EXTENSION", "", "postgis", "x", 0, 0), hstore = add(s, "EXTENSION", "", "hstore", "x", 0, 0);
	int taken = add(s, "TABLE", "app", "taken", "x", postgis, 0), view = add(s, "VIEW", "app", "v", "x", taken, 0);
	int fine = add(s, "TABLE", "app", "fine", "x", hstore, 0);
	mirrored(s, "app.fine");
	mirrored(s, "app.taken");
	strings_add(&s->facts.extensions, "hstore");
#define LACKS "is not available on the target; install package postgresql-NN-postgis-3, with the target's major " \
			  "version for NN"
	assert_not(s, postgis, CHOICE_BLOCKED, "extension postgis " LACKS);
	assert_not(s, taken, CHOICE_BLOCKED, "needs EXTENSION postgis, which " LACKS);
	assert_not(s, view, CHOICE_BLOCKED, "needs TABLE app.taken, and that EXTENSION postgis, which " LACKS);
	assert_made(s, hstore);
	assert_made(s, fine);
	stage_free(s);
}

static void test_profile(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int auth = add(s, "SCHEMA", "", "auth", "x", 0, 0), storage = add(s, "SCHEMA", "", "storage", "x", 0, 0);
	int extensions = add(s, "SCHEMA", "", "extensions", "x", 0, 0);
	int pgcrypto = add(s, "EXTENSION", "", "pgcrypto", "x", extensions, 0);
	int graphql = add(s, "EXTENSION", "", "pg_graphql", "x", 0, 0);
	int level = add(s, "TYPE", "auth", "level", "x", auth, 0);
	int users = add(s, "TABLE", "auth", "users", "x", auth, level);
	int uid = add(s, "FUNCTION", "auth", "uid()", "x", auth, 0);
	int trigger = add(s, "TRIGGER", "auth", "users t", "x", users, 0);
	int taken = table(s, "taken");
	int policy = add(s, "POLICY", "app", "taken p", "x", taken, uid);
	int objects = add(s, "TABLE", "storage", "objects", "x", storage, 0);
	int grant = add(s, "ACL", "extensions", "FUNCTION digest(text)", "GRANT ALL ON x TO me;", 0, 0);
	s->facts.profile = "supabase";
	mirrored(s, "app.taken");
	mirrored(s, "auth.users");
	strings_add(&s->facts.extensions, "pgcrypto");
	assert_made(s, users);
	assert_made(s, auth);
	assert_made(s, level);
	assert_made(s, trigger);
	assert_made(s, pgcrypto);
	assert_made(s, extensions);
	assert_not(s, storage, CHOICE_LEFT_OUT, "is Supabase's own");
	assert_not(s, objects, CHOICE_LEFT_OUT, "is in schema storage, which is Supabase's own");
	assert_not(s, graphql, CHOICE_LEFT_OUT, "is Supabase's own");
	assert_not(s, policy, CHOICE_BLOCKED,
		"needs FUNCTION auth.uid(), which is in schema auth, which is Supabase's own");
	assert_int_equal(of(s, grant)->choice, CHOICE_LEFT_OUT);
	stage_free(s);
}

static void test_always_left_out(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int taken = table(s, "taken");
	int ours = add(s, "PUBLICATION", "", "pgpier_shop", "x", 0, 0), named = add(s, "PUBLICATION", "", "mine", "x", 0, 0);
	int theirs = add(s, "PUBLICATION", "", "theirs", "x", 0, 0);
	int of_ours = add(s, "PUBLICATION TABLE", "app", "pgpier_shop taken", "x", taken, ours);
	int all = add(s, "PUBLICATION", "", "a", "CREATE PUBLICATION a FOR ALL TABLES;", 0, 0);
	int sub = add(s, "SUBSCRIPTION", "", "s", "CREATE SUBSCRIPTION s CONNECTION 'password=x' PUBLICATION p;", 0, 0);
	int schema = add(s, "SCHEMA", "", "pgpier", "x", 0, 0), inside = add(s, "TABLE", "pgpier", "mirrors", "x", schema, 0);
	int event = add(s, "EVENT TRIGGER", "", "e", "CREATE EVENT TRIGGER e", 0, 0);
	mirrored(s, "app.taken");
	s->facts.superuser = false;
	s->mirror.publications = true;
	s->mirror.publication = xstrdup("mine");
	assert_not(s, ours, CHOICE_LEFT_OUT, "is pgpier's own");
	assert_not(s, named, CHOICE_LEFT_OUT, "is pgpier's own");
	assert_made(s, theirs);
	assert_int_equal(of(s, of_ours)->choice, CHOICE_LEFT_OUT);
	assert_not(s, all, CHOICE_BLOCKED, "needs a superuser on the target, because it is for all tables");
	assert_not(s, sub, CHOICE_LEFT_OUT, "subscriptions are never made on the target by pgpier; statement: CREATE "
										"SUBSCRIPTION s CONNECTION '...' PUBLICATION p;");
	assert_not(s, schema, CHOICE_LEFT_OUT, "is pgpier's own");
	assert_not(s, inside, CHOICE_LEFT_OUT, "is pgpier's own");
	assert_not(s, event, CHOICE_LEFT_OUT,
		"event triggers need a superuser on the target; statement: CREATE EVENT TRIGGER e");
	stage_free(s);
}

static void test_no_publications(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int p = add(s, "PUBLICATION", "", "p", "x", 0, 0);
	assert_not(s, p, CHOICE_LEFT_OUT, "publications are made on the target only with publications = true");
	stage_free(s);
}

/* ---- schema = "tables" ---- */

static void test_tables(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_TABLES);
	int app = add(s, "SCHEMA", "", "app", "x", 0, 0), type = add(s, "TYPE", "app", "mood", "x", app, 0);
	int spare = add(s, "TYPE", "app", "spare", "x", app, 0), other = table(s, "other");
	int taken = add(s, "TABLE", "app", "taken", "x", app, type);
	int comment = add(s, "COMMENT", "app", "TYPE mood", "x", type, 0);
	int pkey = add(s, "CONSTRAINT", "app", "taken taken_pkey", "x", taken, 0);
	int called = add(s, "FUNCTION", "app", "called()", "x", app, spare);
	int idle = add(s, "FUNCTION", "app", "idle()", "x", app, 0);
	int trigger = add(s, "TRIGGER", "app", "taken t", "x", taken, called);
	int over = add(s, "VIEW", "app", "over", "x", taken, 0), beyond = add(s, "VIEW", "app", "beyond", "x", taken, other);
	int elsewhere = add(s, "VIEW", "app", "elsewhere", "x", other, 0);
	int matview = add(s, "MATERIALIZED VIEW", "app", "m", "x", over, 0);
	int index = add(s, "INDEX", "app", "m_i", "x", matview, 0);
	int lacking = add(s, "EXTENSION", "", "hstore", "x", 0, 0);
	int column = add(s, "COMMENT", "app", "COLUMN taken.\"x y\"", "x", taken, 0);
	int other_column = add(s, "COMMENT", "app", "COLUMN taken.x", "x", taken, 0);
	strings_add(&s->mirror.columns_exclude, "app.taken.x y");
	mirrored(s, "app.taken");
	for (int i = 0; i < 4; i++)
		assert_int_equal(of(s, (int[]){ app, type, taken, pkey }[i])->choice, CHOICE_MIRROR);
	for (int i = 0; i < 7; i++)
		assert_made(s, (int[]){ comment, called, spare, trigger, over, matview, index }[i]);
	assert_not(s, idle, CHOICE_LEFT_OUT, "is not needed by the mirror's tables");
	assert_not(s, elsewhere, CHOICE_LEFT_OUT, "is not needed by the mirror's tables");
	assert_not(s, lacking, CHOICE_LEFT_OUT, "is not needed by the mirror's tables");
	assert_not(s, column, CHOICE_LEFT_OUT, "is of a column that the mirror leaves out");
	assert_made(s, other_column);
	assert_not(s, beyond, CHOICE_BLOCKED, "needs TABLE app.other, which is none of the mirror's tables");
	stage_free(s);
}

/* ---- roles ---- */

static void map_role(struct stage *s, const char *from, const char *to)
{
	s->mirror.owners = OWNERS_MAP;
	GROW(s->mirror.roles_map, s->mirror.role_map_count);
	s->mirror.roles_map[s->mirror.role_map_count++] = (struct role_map){ xstrdup(from), xstrdup(to) };
}

static char *roles(struct stage *s, const char *kind, const char *sql, char **dropped)
{
	struct dump_entry e = { .id = 1, .kind = kind, .schema = "app", .name = "x", .owner = "", .sql = sql };
	return choose_roles(&e, &s->mirror, &s->facts, dropped);
}

static void assert_roles(struct stage *s, const char *kind, const char *sql, const char *expected,
	const char *expected_dropped)
{
	char *dropped, *got = roles(s, kind, sql, &dropped);
	assert_string_equal(got, expected);
	if (expected_dropped)
		assert_text(dropped, expected_dropped);
	else
		assert_null(dropped);
	free(got);
	free(dropped);
}

static void test_roles_mapped(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	strings_add(&s->facts.roles, "new");
	strings_add(&s->facts.roles, "odd \"role\"");
	map_role(s, "old", "new");
	assert_roles(s, "ACL", "GRANT SELECT(old) ON TABLE app.old TO old WITH GRANT OPTION GRANTED BY old;",
		"GRANT SELECT(old) ON TABLE app.old TO \"new\" WITH GRANT OPTION GRANTED BY \"new\";", NULL);
	assert_roles(s, "ACL", "REVOKE GRANT OPTION FOR ALL ON FUNCTION app.f(a old) FROM old CASCADE;\nGRANT ALL ON "
						   "SCHEMA app TO PUBLIC;",
		"REVOKE GRANT OPTION FOR ALL ON FUNCTION app.f(a old) FROM \"new\" CASCADE;\nGRANT ALL ON SCHEMA app TO PUBLIC;",
		NULL);
	assert_roles(s, "POLICY", "CREATE POLICY old ON app.old FOR SELECT TO old, \"odd \"\"role\"\"\" USING ((x = "
							  "'TO old'::text));",
		"CREATE POLICY old ON app.old FOR SELECT TO \"new\", \"odd \"\"role\"\"\" USING ((x = 'TO old'::text));", NULL);
	assert_roles(s, "DEFAULT ACL", "ALTER DEFAULT PRIVILEGES FOR ROLE old IN SCHEMA app GRANT SELECT ON TABLES  TO me;",
		"ALTER DEFAULT PRIVILEGES FOR ROLE \"new\" IN SCHEMA app GRANT SELECT ON TABLES  TO me;", NULL);
	assert_roles(s, "USER MAPPING", "CREATE USER MAPPING FOR old SERVER s;",
		"CREATE USER MAPPING FOR \"new\" SERVER s;", NULL);
	/* Not a statement about roles: its text is none of our business. */
	assert_roles(s, "FUNCTION", "CREATE FUNCTION f() ... TO old", "CREATE FUNCTION f() ... TO old", NULL);
	stage_free(s);
}

static void test_roles_lacking(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	s->facts.superuser = false;
	assert_roles(s, "ACL", "GRANT ALL ON TABLE app.t TO me;\nGRANT ALL ON TABLE app.t TO gone;\nGRANT ALL ON TABLE "
						   "app.t TO away;",
		"GRANT ALL ON TABLE app.t TO me;", "grants of roles gone, away, which the target lacks");
#define AS_ME "SET SESSION AUTHORIZATION me;\nGRANT ALL ON TABLE app.t TO me;\nRESET SESSION AUTHORIZATION;\nGRANT " \
			  "SELECT ON TABLE app.t TO me;"
	assert_roles(s, "ACL", AS_ME, "GRANT SELECT ON TABLE app.t TO me;", "grants of role me, which the target lacks");
	strings_add(&s->facts.roles_held, "me");
	assert_roles(s, "ACL", AS_ME, "SET ROLE me;\nGRANT ALL ON TABLE app.t TO me;\nRESET ROLE;\nGRANT SELECT ON TABLE "
								  "app.t TO me;", NULL);
	s->facts.superuser = true;
	assert_roles(s, "ACL", AS_ME, AS_ME, NULL);
	stage_free(s);
}

static void test_owners(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int mine = table(s, "mine"), gone = table(s, "gone"), policy = add(s, "POLICY", "app", "mine p",
		"CREATE POLICY p ON app.mine TO gone;", mine, 0);
	int acl = add(s, "ACL", "app", "TABLE mine", "GRANT ALL ON TABLE app.mine TO gone;", mine, 0);
	s->entries[mine - 1].give_sql = "ALTER TABLE app.mine OWNER TO me;";
	s->entries[gone - 1].give_sql = "ALTER TABLE app.gone OWNER TO gone;";
	mirrored(s, "app.gone");
	mirrored(s, "app.mine");
	assert_text(of(s, mine)->give_sql, "ALTER TABLE app.mine OWNER TO \"me\";");
	assert_null(of(s, gone)->give_sql);
	assert_text(of(s, gone)->dropped, "owner gone, a role that the target lacks");
	assert_not(s, policy, CHOICE_BLOCKED, "names role gone, which the target lacks or we can't act as");
	assert_not(s, acl, CHOICE_BLOCKED, "names role gone, which the target lacks or we can't act as");
	chosen_free(s->chosen, s->dump.count);
	s->chosen = NULL;
	s->mirror.owners = OWNERS_NONE;
	assert_null(of(s, mine)->give_sql);
	assert_null(of(s, gone)->dropped);
	assert_not(s, acl, CHOICE_LEFT_OUT, "grants are made on the target only with owners = keep or map");
	stage_free(s);
}

static void test_password(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int user = add(s, "USER MAPPING", "", "USER MAPPING me SERVER s",
		"CREATE USER MAPPING FOR me SERVER s OPTIONS (\n    password 'secret',\n    \"user\" 'u'\n);", 0, 0);
	assert_text(of(s, user)->sql, "CREATE USER MAPPING FOR me SERVER s OPTIONS (\n    password '',\n    \"user\" 'u'\n);");
	assert_text(of(s, user)->dropped, "its password");
	stage_free(s);
}

/* ---- other names on the target ---- */

static void test_renamed(void **state)
{
	(void)state;
	struct stage *s = stage_new(SCHEMA_DATABASE);
	int t = add(s, "TABLE", "app", "t", "CREATE TABLE app.t (\n    id integer DEFAULT nextval('app.t_id_seq'::regclass));",
		0, 0);
	int u = table(s, "u");
	int sequence = add(s, "SEQUENCE", "app", "t_id_seq", "CREATE SEQUENCE app.t_id_seq;", t, 0);
	int index = add(s, "INDEX", "app", "t_i", "CREATE INDEX t_i ON app.t USING btree (id);", t, 0);
	int comment = add(s, "COMMENT", "app", "INDEX t_i", "COMMENT ON INDEX app.t_i IS 'app.t';", index, 0);
	int view = add(s, "VIEW", "app", "v",
		"CREATE VIEW app.v AS\n SELECT t.id\n   FROM (app.t\n     JOIN app.u x ON ((x.id = t.id)));", t, u);
	int aliased = add(s, "VIEW", "app", "a", "CREATE VIEW app.a AS\n SELECT q.id\n   FROM app.t q;", t, 0);
	int policy = add(s, "POLICY", "app", "t p",
		"CREATE POLICY p ON app.t USING ((EXISTS ( SELECT 1\n   FROM app.u x\n  WHERE (x.id = t.id))));", t, u);
	GROW(s->mirror.map, s->mirror.map_count);
	s->mirror.map[s->mirror.map_count++] = (struct table_map){ xstrdup("app.t"), xstrdup("New.t2") };
	mirrored(s, "app.t");
	mirrored(s, "app.u");
	assert_text(of(s, t)->sql, "CREATE SCHEMA IF NOT EXISTS \"New\";\n\nCREATE TABLE \"New\".\"t2\" (\n    id integer "
							   "DEFAULT nextval('\"New\".\"t_id_seq\"'::regclass));");
	assert_text(of(s, sequence)->sql, "CREATE SEQUENCE \"New\".\"t_id_seq\";");
	assert_text(of(s, index)->sql, "CREATE INDEX t_i ON \"New\".\"t2\" USING btree (id);");
	assert_text(of(s, comment)->sql, "COMMENT ON INDEX \"New\".\"t_i\" IS 'app.t';");
	assert_text(of(s, view)->sql, "CREATE VIEW app.v AS\n SELECT t.id\n   FROM (\"New\".\"t2\" \"t\"\n     JOIN app.u x "
								  "ON ((x.id = t.id)));");
	assert_text(of(s, aliased)->sql, "CREATE VIEW app.a AS\n SELECT q.id\n   FROM \"New\".\"t2\" q;");
	assert_not(s, policy, CHOICE_BLOCKED,
		"names columns of a table that has another name on the target; write it by hand");
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_left_out),
		cmocka_unit_test(test_schema_none),
		cmocka_unit_test(test_parents),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_view_rule),
		cmocka_unit_test(test_extension),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_always_left_out),
		cmocka_unit_test(test_no_publications),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_roles_mapped),
		cmocka_unit_test(test_roles_lacking),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_renamed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
