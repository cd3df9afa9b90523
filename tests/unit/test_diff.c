// SPDX-License-Identifier: PostgreSQL
/* Objects of two dumps, compared: what needs no server to be seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/diff/diff_inside.h"

/* ---- dumps as pg_restore writes them ---- */

struct text {
	struct strbuf sql;
	int count;
};

static void add(struct text *t, const char *kind, const char *schema, const char *name, const char *needs, const char *sql)
{
	strbuf_addf(&t->sql, "--\n-- TOC entry %d (class 1 OID 1)\n", ++t->count);
	if (needs[0])
		strbuf_addf(&t->sql, "-- Dependencies: %s\n", needs);
	strbuf_addf(&t->sql, "-- Name: %s; Type: %s; Schema: %s; Owner: o\n--\n\n%s\n\n", name, kind, schema, sql);
}

static struct dump *dump_of(struct text *t, const char *version)
{
	static const char frame[] = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version %s\n\n%s"
								"--\n-- PostgreSQL database dump complete\n--\n";
	struct error e = { 0 };
	struct dump *d = dump_parse_take(xasprintf(frame, version, t->sql.text), xasprintf(frame, version, ""), &e);
	assert_string_equal(e.text, "");
	strbuf_free(&t->sql);
	return d;
}

static struct comparison *compare(struct text *source, const char *version, struct text *target, const char *other,
	struct mirror_config *m)
{
	struct diff_side a = { dump_of(source, version), NULL }, b = { dump_of(target, other), NULL };
	struct comparison *c = comparison_new("objects", "a", "b");
	diff_objects(&a, &b, m, c);
	dump_free((struct dump *)(uintptr_t)a.dump);
	dump_free((struct dump *)(uintptr_t)b.dump);
	return c;
}

static struct mirror_config whole_database(void)
{
	struct mirror_config m;
	mirror_config_defaults(&m);
	m.schema = SCHEMA_DATABASE;
	strings_add(&m.tables, "*");
	return m;
}

#define TABLE "CREATE TABLE s.t (\n    a integer\n);"

/* ---- what versions print otherwise ---- */

static size_t differences(const char *kind, const char *sql, const char *version, const char *other_sql,
	const char *other, size_t *notes)
{
	struct text a = { 0 }, b = { 0 };
	struct mirror_config m = whole_database();
	add(&a, "TABLE", "s", "t", "", TABLE);
	add(&b, "TABLE", "s", "t", "", TABLE);
	add(&a, kind, "s", "x", "1", sql);
	add(&b, kind, "s", "x", "1", other_sql);
	struct comparison *c = compare(&a, version, &b, other, &m);
	size_t n = c->count;
	*notes = c->notes.count;
	comparison_release(c);
	mirror_config_free(&m);
	return n;
}

static void test_versions(void **state)
{
	(void)state;
	size_t notes;
	static const char old[] = "CREATE VIEW s.x AS\n SELECT t.a,\n    (t.a + 1) AS b\n   FROM s.t;";
	static const char new[] = "CREATE VIEW s.x AS\n SELECT a,\n    (a + 1) AS b\n   FROM s.t;";
	static const char another[] = "CREATE VIEW s.x AS\n SELECT a,\n    (a + 2) AS b\n   FROM s.t;";
	assert_int_equal(differences("VIEW", old, "15.3", new, "17.2", &notes), 0);
	assert_int_equal(notes, 1);
	assert_int_equal(differences("VIEW", old, "15.3", new, "15.3", &notes), 1);
	assert_int_equal(differences("VIEW", old, "15.3", another, "17.2", &notes), 1);
	assert_int_equal(differences("VIEW", old, "17.2", old, "17.2", &notes), 0);
	assert_int_equal(notes, 0);
	assert_int_equal(differences("TYPE", "CREATE TYPE s.x AS RANGE (\n    subtype = integer\n);", "13.1",
						 "CREATE TYPE s.x AS RANGE (\n    subtype = integer,\n    multirange_type_name = s.x_multirange\n);",
						 "14.1", &notes), 0);
	assert_int_equal(notes, 1);
	assert_int_equal(differences("TYPE", "CREATE TYPE s.x AS RANGE (\n    subtype = integer\n);", "13.1",
						 "CREATE TYPE s.x AS RANGE (\n    subtype = bigint,\n    multirange_type_name = s.x_multirange\n);",
						 "14.1", &notes), 1);
}

static void test_spelling(void **state)
{
	(void)state;
	size_t notes;
	assert_int_equal(differences("TRIGGER", "CREATE TRIGGER x BEFORE UPDATE ON s.t EXECUTE PROCEDURE s.f();", "11.4",
						 "CREATE TRIGGER \"x\"  BEFORE UPDATE\nON \"s\".t /* y */ EXECUTE FUNCTION s.f();", "15.1", &notes), 0);
	assert_int_equal(notes, 0);
	assert_int_equal(differences("FUNCTION", "CREATE FUNCTION s.x() AS $$a  b$$;", "15.1",
						 "CREATE FUNCTION s.x() AS $$a b$$;", "15.1", &notes), 1);
	assert_int_equal(differences("DEFAULT", "ALTER TABLE s.t ALTER a SET DEFAULT nextval('s.q'::regclass);", "15.1",
						 "ALTER TABLE s.t ALTER a SET DEFAULT nextval('\"s\".\"q\"'::regclass);", "15.1", &notes), 0);
	assert_int_equal(differences("VIEW", "CREATE VIEW s.x AS SELECT \"A\";", "15.1", "CREATE VIEW s.x AS SELECT A;", "15.1",
						 &notes), 1);
}

static void test_grants_have_no_order(void **state)
{
	(void)state;
	size_t notes;
	static const char a[] = "GRANT SELECT ON TABLE s.t TO a;\nGRANT ALL ON TABLE s.t TO b;";
	static const char b[] = "GRANT ALL ON TABLE s.t TO b;\nGRANT SELECT ON TABLE s.t TO a;";
	assert_int_equal(differences("ACL", a, "15.1", b, "15.1", &notes), 0);
	assert_int_equal(differences("ACL", a, "15.1", "GRANT ALL ON TABLE s.t TO b;", "15.1", &notes), 1);
}

/* ---- names of the mirror ---- */

static void test_renamed(void **state)
{
	(void)state;
	struct text a = { 0 }, b = { 0 };
	struct mirror_config m = whole_database();
	m.map = xcalloc(1, sizeof(*m.map));
	m.map[0] = (struct table_map){ xstrdup("s.t"), xstrdup("u.v") };
	m.map_count = 1;
	add(&a, "TABLE", "s", "t", "", TABLE);
	add(&a, "CONSTRAINT", "s", "t t_pkey", "1", "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);");
	add(&a, "INDEX", "s", "t_a", "1", "CREATE INDEX t_a ON s.t USING btree (a);");
	add(&a, "COMMENT", "s", "TABLE t", "1", "COMMENT ON TABLE s.t IS 't';");
	add(&a, "COMMENT", "s", "CONSTRAINT t_pkey ON t", "1 2", "COMMENT ON CONSTRAINT t_pkey ON s.t IS 'k';");
	add(&a, "ACL", "s", "COLUMN t.a", "1", "GRANT SELECT(a) ON TABLE s.t TO r;");
	add(&b, "SCHEMA", "-", "u", "", "CREATE SCHEMA u;");
	add(&b, "TABLE", "u", "v", "1", "CREATE TABLE u.v (\n    a integer\n);");
	add(&b, "CONSTRAINT", "u", "v t_pkey", "2", "ALTER TABLE ONLY u.v\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);");
	add(&b, "INDEX", "u", "t_a", "2", "CREATE INDEX t_a ON u.v USING btree (a);");
	add(&b, "COMMENT", "u", "TABLE v", "2", "COMMENT ON TABLE u.v IS 't';");
	add(&b, "COMMENT", "u", "CONSTRAINT t_pkey ON v", "2 3", "COMMENT ON CONSTRAINT t_pkey ON u.v IS 'k';");
	add(&b, "ACL", "u", "COLUMN v.a", "2", "GRANT SELECT(a) ON TABLE u.v TO r;");
	struct comparison *c = compare(&a, "15.1", &b, "15.1", &m);
	for (size_t i = 0; i < c->count; i++)
		print_error("%s %s\n", c->items[i].kind, c->items[i].name);
	assert_int_equal(c->count, 0);
	assert_int_equal(c->compared, 6);
	comparison_release(c);
	mirror_config_free(&m);
}

/* Its columns as well, wherever they stand; a type of the same name and a table of the same name are none. */
static void test_renamed_columns(void **state)
{
	(void)state;
	struct text a = { 0 }, b = { 0 };
	struct mirror_config m = whole_database();
	m.map = xcalloc(1, sizeof(*m.map));
	m.map[0].source = xstrdup("s.t");
	m.map[0].columns = xcalloc(2, sizeof(*m.map[0].columns));
	m.map[0].columns[0] = (struct column_map){ xstrdup("date"), xstrdup("order") };
	m.map[0].columns[1] = (struct column_map){ xstrdup("t"), xstrdup("T 2") };
	m.map[0].column_count = 2;
	m.map_count = 1;
	add(&a, "TABLE", "s", "t", "", "CREATE TABLE s.t (\n    date date DEFAULT ('x'::text)::date NOT NULL,\n    t integer,\n"
								   "    CONSTRAINT date CHECK ((t > date_part('day', date)))\n);\n"
								   "ALTER TABLE ONLY s.t ALTER COLUMN date SET STATISTICS 5;");
	add(&a, "DEFAULT", "s", "t date", "1", "ALTER TABLE ONLY s.t ALTER COLUMN date SET DEFAULT now();");
	add(&a, "INDEX", "s", "date", "1", "CREATE INDEX date ON s.t USING btree (date, t);");
	add(&a, "COMMENT", "s", "COLUMN t.date", "1", "COMMENT ON COLUMN s.t.date IS 'date';");
	add(&a, "TRIGGER", "s", "t date", "1",
		"CREATE TRIGGER date AFTER UPDATE OF date ON s.t FOR EACH ROW WHEN ((new.t > old.t)) EXECUTE FUNCTION s.date();");
	add(&b, "TABLE", "s", "t", "", "CREATE TABLE s.t (\n    \"order\" date DEFAULT ('x'::text)::date NOT NULL,\n    \"T 2\" integer,\n"
								   "    CONSTRAINT date CHECK ((\"T 2\" > date_part('day', \"order\")))\n);\n"
								   "ALTER TABLE ONLY s.t ALTER COLUMN \"order\" SET STATISTICS 5;");
	add(&b, "DEFAULT", "s", "t order", "1", "ALTER TABLE ONLY s.t ALTER COLUMN \"order\" SET DEFAULT now();");
	add(&b, "INDEX", "s", "date", "1", "CREATE INDEX date ON s.t USING btree (\"order\", \"T 2\");");
	add(&b, "COMMENT", "s", "COLUMN t.\"order\"", "1", "COMMENT ON COLUMN s.t.\"order\" IS 'date';");
	add(&b, "TRIGGER", "s", "t date", "1", "CREATE TRIGGER date AFTER UPDATE OF \"order\" ON s.t FOR EACH ROW"
										   " WHEN ((new.\"T 2\" > old.\"T 2\")) EXECUTE FUNCTION s.date();");
	struct comparison *c = compare(&a, "15.1", &b, "15.1", &m);
	for (size_t i = 0; i < c->count; i++)
		print_error("%s %s: %s\n", c->items[i].kind, c->items[i].name, c->items[i].source);
	assert_int_equal(c->count, 0);
	assert_int_equal(c->compared, 5);
	comparison_release(c);
	mirror_config_free(&m);
}

/* ---- tables ---- */

static void assert_alters(const char *source, const char *target, const char *meaning, const char *statement)
{
	struct strings none = { 0 };
	struct table_diff d;
	assert_true(table_compare(source, target, &none, &none, &d));
	if (meaning)
		assert_string_equal(d.meaning, meaning);
	else
		assert_null(d.meaning);
	if (statement)
		assert_string_equal(d.statement, statement);
	else
		assert_null(d.statement);
	free(d.meaning);
	free(d.statement);
}

static void test_tables(void **state)
{
	(void)state;
	assert_alters(TABLE, "CREATE TABLE s.t (a integer);", NULL, NULL);
	assert_alters("CREATE TABLE s.t (a int, \"b c\" numeric(10,2) DEFAULT f(1, 'NOT, x') NOT NULL);", TABLE,
		"column a has type integer, not int; column b c is missing",
		"ALTER TABLE s.t ALTER COLUMN \"a\" TYPE int;\n"
		"ALTER TABLE s.t ADD COLUMN \"b c\" numeric(10,2) DEFAULT f(1, 'NOT, x') NOT NULL;");
	assert_alters("CREATE TABLE s.t (a int GENERATED ALWAYS AS ((b + 1)) STORED NOT NULL, b text COLLATE \"C\");",
		"CREATE TABLE s.t (a int GENERATED ALWAYS AS ((b + 1)) STORED, b text);",
		"column a is not NOT NULL; column b has type text, not text COLLATE \"C\"",
		"ALTER TABLE s.t ALTER COLUMN \"a\" SET NOT NULL;\nALTER TABLE s.t ALTER COLUMN \"b\" TYPE text COLLATE \"C\";");
	assert_alters("CREATE UNLOGGED TABLE s.t (a int);", "CREATE TABLE s.t (a int);", "one of them is unlogged", NULL);
	assert_alters("CREATE TABLE s.t (a int)\nWITH (fillfactor='10');", "CREATE TABLE s.t (a int);",
		"options, inheritance or partitioning are not the same", NULL);
	assert_alters("CREATE TABLE s.t (a int);\nALTER TABLE ONLY s.t ALTER COLUMN a SET STATISTICS 7;",
		"CREATE TABLE s.t (a int);", "\"ALTER TABLE ONLY s.t ALTER COLUMN a SET STATISTICS 7\" is missing",
		"ALTER TABLE ONLY s.t ALTER COLUMN a SET STATISTICS 7;");
	assert_alters("CREATE TABLE s.t (\n)\nINHERITS (s.p);", "CREATE TABLE s.t (\n)\nINHERITS (s.p);", NULL, NULL);
}

static void test_no_tables(void **state)
{
	(void)state;
	struct strings none = { 0 };
	struct table_diff d;
	assert_false(table_compare("", TABLE, &none, &none, &d));
	assert_false(table_compare(TABLE, "CREATE TABLE s.t (a int", &none, &none, &d));
	assert_false(table_compare(TABLE, "CREATE TABLE s.t AS SELECT 1;", &none, &none, &d));
	assert_false(table_compare("DROP VIEW x;", TABLE, &none, &none, &d));
}

static void test_columns_left_out(void **state)
{
	(void)state;
	struct strings out = { 0 }, own = { 0 };
	struct table_diff d;
	strings_add(&out, "secret");
	strings_add(&own, "_synced");
	assert_true(table_compare("CREATE TABLE s.t (a int, secret text);\nALTER TABLE s.t ALTER COLUMN secret SET STORAGE PLAIN;",
		"CREATE TABLE s.t (a int, _synced timestamptz DEFAULT now());", &out, &own, &d));
	assert_null(d.meaning);
	strings_free(&out);
	strings_free(&own);
}

/* ---- statements ---- */

static void assert_dropped(const char *kind, const char *name, const char *sql, const char *statement)
{
	struct dump_entry e = { .kind = kind, .schema = "s", .name = name, .sql = sql };
	char *got = mend_drop(&e, sql);
	assert_string_equal(got, statement);
	free(got);
}

static void test_drops(void **state)
{
	(void)state;
	assert_dropped("ACL", "TABLE t", "REVOKE ALL ON TABLE s.t FROM PUBLIC;\nGRANT SELECT(a),UPDATE(b) ON TABLE s.t TO \"TO\""
									 " WITH GRANT OPTION;",
		"REVOKE SELECT(a),UPDATE(b) ON TABLE s.t FROM \"TO\";\nGRANT ALL ON TABLE s.t TO PUBLIC;");
	assert_dropped("DEFAULT ACL", "DEFAULT PRIVILEGES FOR TABLES",
		"ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES  TO b;",
		"ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s REVOKE SELECT ON TABLES FROM b;");
	assert_dropped("COMMENT", "CONSTRAINT c ON DOMAIN d", "COMMENT ON CONSTRAINT \"IS\" ON DOMAIN s.d IS 'x';",
		"COMMENT ON CONSTRAINT \"IS\" ON DOMAIN s.d IS NULL;");
	assert_dropped("SECURITY LABEL", "TABLE t", "SECURITY LABEL FOR p ON TABLE s.t IS 'x';",
		"SECURITY LABEL FOR p ON TABLE s.t IS NULL;");
	assert_dropped("CONSTRAINT", "t c", "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT \"c \"\"1\" UNIQUE (a);",
		"ALTER TABLE \"s\".\"t\" DROP CONSTRAINT \"c \"\"1\";");
	assert_dropped("USER MAPPING", "USER MAPPING o SERVER x", "CREATE USER MAPPING FOR o SERVER x OPTIONS (\n    a 'b'\n);",
		"DROP USER MAPPING FOR o SERVER x;");
	assert_dropped("PUBLICATION TABLE", "p t", "ALTER PUBLICATION p ADD TABLE ONLY s.t WHERE ((a > 1));",
		"ALTER PUBLICATION p DROP TABLE ONLY s.t;");
	assert_dropped("EXTENSION", "uuid-ossp", "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA s;",
		"DROP EXTENSION \"uuid-ossp\";");
}

/* A type's labels can only be added to. */
static void test_labels(void **state)
{
	(void)state;
	struct dump_entry e = { .kind = "TYPE", .schema = "s", .name = "m", .sql = "" };
	bool drops;
	static const char had[] = "CREATE TYPE s.m AS ENUM (\n    'b',\n    'd'\n);";
	char *got = mend_replace(&e, "CREATE TYPE s.m AS ENUM (\n    'a',\n    'b',\n    'c',\n    'd',\n    'e'\n);", had, &drops);
	assert_string_equal(got, "ALTER TYPE s.m ADD VALUE 'a' BEFORE 'b';\nALTER TYPE s.m ADD VALUE 'c' BEFORE 'd';\n"
							 "ALTER TYPE s.m ADD VALUE 'e';");
	assert_false(drops);
	free(got);
	assert_null(mend_replace(&e, "CREATE TYPE s.m AS ENUM (\n    'b'\n);", had, &drops));
	assert_null(mend_replace(&e, "CREATE TYPE s.m AS ENUM (\n    'd',\n    'b'\n);", had, &drops));
	assert_null(mend_replace(&e, "CREATE TYPE s.m AS (\n\ta integer\n);", had, &drops));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_grants_have_no_order),
		cmocka_unit_test(test_renamed),
		cmocka_unit_test(test_renamed_columns),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_no_tables),
		cmocka_unit_test(test_columns_left_out),
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
