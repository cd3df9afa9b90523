// SPDX-License-Identifier: PostgreSQL
/* What pg_restore 15 made of dump/nasty.sql, read again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/dump/dump.h"
#include "schema/dump/lexer.h"

static char *captured(const char *name)
{
	char *path = xasprintf("%s/tests/unit/dump/%s", getenv("PGPIER_SOURCE"), name);
	struct strbuf text = STRBUF_INIT;
	char piece[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		strbuf_addn(&text, piece, n);
	fclose(f);
	free(path);
	return strbuf_take(&text);
}

static int read_captured(void **state)
{
	struct error e = { 0 };
	*state = dump_parse_take(captured("pre_data.txt"), captured("post_data.txt"), &e);
	return *state ? 0 : -1;
}

static int free_dump(void **state)
{
	dump_free(*state);
	return 0;
}

static const struct dump_entry *find(const struct dump *d, const char *kind, const char *name)
{
	const struct dump_entry *found = NULL;
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->entries[i].kind, kind) == 0 && strcmp(d->entries[i].name, name) == 0) {
			assert_null(found);
			found = &d->entries[i];
		}
	}
	assert_non_null(found);
	return found;
}

static bool needs(const struct dump_entry *e, const struct dump_entry *other)
{
	for (size_t i = 0; i < e->need_count; i++)
		if (e->needs[i] == other->id)
			return true;
	return false;
}

static void test_header(void **state)
{
	const struct dump *d = *state;
	assert_int_equal(d->server_version, 150020);
	assert_int_equal(d->header.count, 10);
	assert_string_equal(d->header.items[0], "SET statement_timeout = 0;");
	assert_string_equal(d->header.items[5], "SELECT pg_catalog.set_config('search_path', '', false);");
}

static void test_order(void **state)
{
	const struct dump *d = *state;
	bool post = false;
	for (size_t i = 0; i < d->count; i++) {
		const struct dump_entry *e = &d->entries[i];
		assert_int_equal(e->id, i + 1);
		assert_ptr_equal(dump_entry(d, e->id), e);
		assert_true(e->sql[0] && e->sql[strlen(e->sql) - 1] == ';');
		assert_true(e->post || !post);
		post = e->post;
		for (size_t k = 0; k < e->need_count; k++) {
			assert_non_null(dump_entry(d, e->needs[k]));
			assert_true(k == 0 || e->needs[k - 1] < e->needs[k]);
		}
	}
	assert_null(dump_entry(d, 0));
	assert_null(dump_entry(d, (int)d->count + 1));
}

static void test_needs(void **state)
{
	const struct dump *d = *state;
	const struct dump_entry *t = find(d, "TABLE", "t"), *pkey = find(d, "CONSTRAINT", "t t_pkey");
	assert_true(needs(t, find(d, "SCHEMA", "app")));
	assert_true(needs(pkey, t));
	assert_true(needs(find(d, "FK CONSTRAINT", "c c_t_fkey"), pkey));
	assert_true(needs(find(d, "TRIGGER", "t tr on x"), find(d, "FUNCTION", "tf()")));
	assert_false(pkey->post && t->post);
	assert_string_equal(find(d, "SCHEMA", "app")->schema, "");
	assert_string_equal(t->schema, "app");
	assert_string_equal(t->owner, "postgres");
	assert_int_equal(t->class_oid, 1259);
}

static void test_owner_is_apart(void **state)
{
	const struct dump *d = *state;
	const struct dump_entry *e = find(d, "EVENT TRIGGER", "et");
	assert_int_equal(strncmp(e->sql, "CREATE EVENT TRIGGER et ON ", 27), 0);
	assert_non_null(strstr(e->sql, "EXECUTE FUNCTION app.et();\n\nALTER EVENT TRIGGER et DISABLE;"));
	assert_string_equal(e->give_sql, "ALTER EVENT TRIGGER et OWNER TO postgres;");
	e = find(d, "VIEW", "v"); /* one of its strings is such a statement */
	assert_non_null(strstr(e->sql, "\nALTER TABLE app.v OWNER TO somebody;\n'::text AS \"tx't\"\n   FROM app.t;"));
	assert_string_equal(e->give_sql, "ALTER TABLE app.v OWNER TO postgres;");
	assert_null(find(d, "RULE", "v r")->give_sql);
	assert_null(find(d, "ACL", "TABLE v")->give_sql);
}

static void test_blocks_in_strings(void **state)
{
	const struct dump *d = *state;
	assert_non_null(strstr(find(d, "COMMENT", "TABLE t")->sql, "o\n--\n\nDROP TABLE x;';"));
	const struct dump_entry *f = find(d, "FUNCTION", "f(integer, text)");
	assert_non_null(strstr(f->sql, "-- Name: q; Type: TABLE; Schema: s; Owner: o\n"));
	assert_string_equal(f->give_sql, "ALTER FUNCTION app.f(a integer, b text) OWNER TO postgres;");
	f = find(d, "FUNCTION", "g(integer)");
	assert_string_equal(f->sql + strlen(f->sql) - 5, "\nEND;");
	const struct dump_entry *odd = find(d, "TABLE", "-- -- TOC entry 1 (class 1259 OID 1)");
	assert_string_equal(odd->sql, "CREATE TABLE \"s;q\".\"--\n-- TOC entry 1 (class 1259 OID 1)\" (\n    a integer\n);");
}

static void test_settings(void **state)
{
	const struct dump *d = *state;
	assert_string_equal(find(d, "TABLE", "far")->settings,
		"SET default_tablespace = \"far; away\";\nSET default_table_access_method = heap;");
	assert_string_equal(find(d, "TABLE", "t")->settings,
		"SET default_tablespace = '';\nSET default_table_access_method = heap;");
	assert_string_equal(find(d, "CONSTRAINT", "far far_pkey")->settings, "SET default_tablespace = \"far; away\";");
	assert_string_equal(find(d, "CONSTRAINT", "t t_pkey")->settings, "SET default_tablespace = '';");
	assert_string_equal(find(d, "FUNCTION", "tf()")->settings, "");
	assert_null(strstr(find(d, "CONSTRAINT", "c c_pkey")->sql, "default_tablespace"));
}

static void assert_table(const struct dump *d, const char *kind, const char *name, const char *schema, const char *table)
{
	char got_schema[NAME_SIZE], got_table[NAME_SIZE];
	assert_true(dump_entry_table(d, find(d, kind, name), got_schema, got_table));
	assert_string_equal(got_schema, schema);
	assert_string_equal(got_table, table);
}

static void test_tables(void **state)
{
	const struct dump *d = *state;
	char schema[NAME_SIZE], table[NAME_SIZE];
	assert_table(d, "CONSTRAINT", "t t_pkey", "app", "t");
	assert_table(d, "FK CONSTRAINT", "c c_t_fkey", "app", "c");
	assert_table(d, "TRIGGER", "t tr on x", "app", "t");
	assert_table(d, "RULE", "v r", "app", "v");
	assert_table(d, "POLICY", "t p on q", "app", "t");
	assert_table(d, "ROW SECURITY", "t", "app", "t");
	assert_table(d, "DEFAULT", "t id", "app", "t");
	assert_table(d, "INDEX", "c(t)", "app", "c");
	assert_table(d, "STATISTICS", "st", "app", "c");
	assert_table(d, "CONSTRAINT", "na me; Type: VIEW; Schema: a; Owner: b na me; Type: VIEW; Schema: a; Owner: b_pkey",
		"s;q", "na\nme; Type: VIEW; Schema: a; Owner: b");
	assert_false(dump_entry_table(d, find(d, "TABLE", "t"), schema, table));
	assert_false(dump_entry_table(d, find(d, "VIEW", "v"), schema, table));
	assert_false(dump_entry_table(d, find(d, "EVENT TRIGGER", "et"), schema, table));
}

#define TEXT(middle) \
	"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 9.6.24\n\n" middle \
	"\n--\n-- PostgreSQL database dump complete\n--\n\n"

/* As 17 prints them: the access method comes behind the owner. */
static void test_behind_owner(void **state)
{
	(void)state;
	struct error e = { 0 };
	struct dump *d = dump_parse_take(xstrdup(TEXT("SET row_security = off;\n\n"
			"--\n-- TOC entry 7 (class 1259 OID 1)\n-- Dependencies: 3 99999 7\n"
			"-- Name: t; Type: TABLE; Schema: s; Owner: a; b\n--\n\nCREATE TABLE s.t (\n    a int\n);\n\n\n"
			"ALTER TABLE s.t OWNER TO \"a; b\";\n\nALTER TABLE s.t SET ACCESS METHOD heap;\n\n")),
		xstrdup(TEXT("")), &e);
	assert_non_null(d);
	assert_int_equal(d->server_version, 90624);
	assert_int_equal(d->count, 1);
	assert_int_equal(d->entries[0].need_count, 1);
	assert_string_equal(d->entries[0].owner, "a; b");
	assert_string_equal(d->entries[0].sql,
		"CREATE TABLE s.t (\n    a int\n);\n\nALTER TABLE s.t SET ACCESS METHOD heap;");
	assert_string_equal(d->entries[0].give_sql, "ALTER TABLE s.t OWNER TO \"a; b\";");
	dump_free(d);
}

static void test_refused(void **state)
{
	(void)state;
	struct error e = { 0 };
	char *cut = captured("pre_data.txt");
	cut[strlen(cut) / 2] = '\0';
	assert_null(dump_parse_take(cut, captured("post_data.txt"), &e));
	assert_int_equal(e.class, ERROR_BUG);
	assert_null(dump_parse_take(xstrdup(""), xstrdup(""), &e));
	assert_null(dump_parse_take(xstrdup(TEXT("--\n-- TOC entry 1 (class 1 OID 1)\n-- Name: x\n--\n\n")),
		xstrdup(TEXT("")), &e));
	assert_null(dump_parse_take(xstrdup(TEXT("--\n-- TOC entry 1 (class 1 OID 1)\n--\n\n")), xstrdup(TEXT("")), &e));
}

static void assert_tokens(const char *sql, size_t n, const char *const *expected)
{
	const char *at = sql, *end = sql + strlen(sql);
	for (size_t i = 0; i < n; i++) {
		struct token t = lexer_code(&at, end);
		char *text = strndup(t.start, t.len);
		assert_string_equal(text, expected[i]);
		free(text);
	}
	assert_int_equal(lexer_code(&at, end).kind, TOKEN_END);
	assert_int_equal(lexer_code(&at, end).kind, TOKEN_END);
}
#define TOKENS(sql, ...) \
	assert_tokens(sql, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), (const char *const[]){ __VA_ARGS__ })

static void test_lexer(void **state)
{
	(void)state;
	TOKENS("select 'it''s;' -- no\n;", "select", "'it''s;'", ";");
	TOKENS("E'a\\'b' 'a\\' e'x''\\\\'", "E'a\\'b'", "'a\\'", "e'x''\\\\'");
	TOKENS("a$b $1 $x$ $ $y$ $x$ $$;$$", "a$b", "$", "1", "$x$ $ $y$ $x$", "$$;$$");
	TOKENS("\"a\"\"--b\".c /* x /* y */ ' */ d", "\"a\"\"--b\"", ".", "c", "d");
	TOKENS("'open; -- to the end", "'open; -- to the end");
	TOKENS("a-b", "a", "-", "b");
}

static void test_qualified(void **state)
{
	(void)state;
	char schema[NAME_SIZE], name[NAME_SIZE];
	const char *sql = "\"s\"\"x\".\"a.b\" USING", *at = sql, *end = sql + strlen(sql);
	assert_true(lexer_qualified(&at, end, schema, name));
	assert_string_equal(schema, "s\"x");
	assert_string_equal(name, "a.b");
	assert_string_equal(at, " USING");
	at = sql = "alone(x)";
	assert_true(lexer_qualified(&at, sql + strlen(sql), schema, name));
	assert_string_equal(schema, "");
	assert_string_equal(name, "alone");
	at = sql = "'text'";
	assert_false(lexer_qualified(&at, sql + strlen(sql), schema, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_owner_is_apart),
		cmocka_unit_test(test_blocks_in_strings),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_behind_owner),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lexer),
		cmocka_unit_test(test_qualified),
	};
	return cmocka_run_group_tests(tests, read_captured, free_dump);
}
