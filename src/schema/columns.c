// SPDX-License-Identifier: PostgreSQL
#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "../pg/conn.h"
#include "dump/lexer.h"

void renamed_tables_add(struct renamed_tables *r, const char *schema, const char *name, const struct renames *columns)
{
	if (columns->count == 0)
		return;
	GROW(r->items, r->count);
	struct renamed_table *t = &r->items[r->count++];
	*t = (struct renamed_table){ .columns = { 0 } };
	copy_text(t->schema, NAME_SIZE, schema);
	copy_text(t->name, NAME_SIZE, name);
	renames_merge(&t->columns, columns);
}

void renamed_tables_free(struct renamed_tables *r)
{
	for (size_t i = 0; i < r->count; i++)
		renames_free(&r->items[i].columns);
	free(r->items);
	*r = (struct renamed_tables){ 0 };
}

/* ---- which of them ---- */

static size_t place_of(const struct renamed_tables *r, const char *schema, const char *name)
{
	size_t i = 0;
	while (i < r->count && (strcmp(r->items[i].name, name) != 0 || strcmp(r->items[i].schema, schema) != 0))
		i++;
	return i;
}

const struct renames *renamed_tables_find(const struct renamed_tables *r, const char *schema, const char *name)
{
	size_t place = place_of(r, schema, name);
	return place < r->count ? &r->items[place].columns : NULL;
}

/* By item; a dump says schema.table wherever it means one. The caller frees. */
static bool *find_named(const struct renamed_tables *r, const char *sql)
{
	bool *named = xcalloc(r->count + 1, sizeof(*named));
	const char *at = sql, *end = sql + strlen(sql);
	struct token last = { 0 };
	for (struct token t; r->count > 0 && (t = lexer_code(&at, end)).kind != TOKEN_END; last = t) {
		char schema[NAME_SIZE], name[NAME_SIZE];
		const char *from = t.start;
		if ((t.kind == TOKEN_WORD || t.kind == TOKEN_NAME) && !token_is_char(&last, '.') &&
			lexer_qualified(&from, end, schema, name))
			named[place_of(r, schema, name)] = true; /* there is room for none */
	}
	return named;
}

bool renamed_tables_in(const struct renamed_tables *r, const char *sql)
{
	bool *named = find_named(r, sql), any = false;
	for (size_t i = 0; i < r->count; i++)
		any = any || named[i];
	free(named);
	return any;
}

/* ---- around a statement ---- */

static void add_pairs(struct strbuf *b, const struct renames *columns, bool back)
{
	for (size_t i = 0; i < columns->count; i++) {
		const struct column_map *c = &columns->items[i];
		strbuf_add(b, i ? ", (" : "(");
		quote_literal(b, back ? c->target : c->source);
		strbuf_add(b, ", ");
		quote_literal(b, back ? c->source : c->target);
		strbuf_add(b, ")");
	}
}

/* A column is renamed where it is not inherited, which renames it in the whole tree. A table that is not there has
 * none. */
static void add_renaming(struct strbuf *b, const struct renamed_table *t, bool back)
{
	struct strbuf body = STRBUF_INIT, name = STRBUF_INIT;
	quote_qualified(&name, t->schema, t->name);
	strbuf_add(&body, "DECLARE c record; BEGIN FOR c IN WITH RECURSIVE up (oid) AS (SELECT pg_catalog.to_regclass(");
	quote_literal(&body, name.text);
	strbuf_add(&body, ")::oid UNION SELECT inhparent FROM pg_catalog.pg_inherits JOIN up ON inhrelid = up.oid)"
		" SELECT up.oid::pg_catalog.regclass AS tab, m.was, m.becomes FROM up"
		" JOIN pg_catalog.pg_attribute a ON a.attrelid = up.oid AND a.attinhcount = 0 AND NOT a.attisdropped"
		" JOIN (VALUES ");
	add_pairs(&body, &t->columns, back);
	strbuf_add(&body, ") m (was, becomes) ON a.attname = m.was LOOP EXECUTE pg_catalog.format("
		"'ALTER TABLE %s RENAME COLUMN %I TO %I', c.tab, c.was, c.becomes); END LOOP; END");
	strbuf_add(b, "DO ");
	quote_literal(b, body.text);
	strbuf_add(b, ";");
	strbuf_free(&body);
	strbuf_free(&name);
}

void renamed_tables_around(struct strbuf *b, const struct renamed_tables *r, const char *sql)
{
	bool *named = find_named(r, sql);
	for (size_t i = 0; i < r->count; i++)
		if (named[i])
			add_renaming(b, &r->items[i], true);
	strbuf_add(b, sql);
	strbuf_add(b, "\n;");
	for (size_t i = 0; i < r->count; i++)
		if (named[i])
			add_renaming(b, &r->items[i], false);
	free(named);
}
