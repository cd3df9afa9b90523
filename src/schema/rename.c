// SPDX-License-Identifier: PostgreSQL
#include "rename.h"

#include <stdlib.h>
#include <string.h>

static bool is_renamed(const struct def_column *c)
{
	return !c->excluded && strcmp(c->name, c->target_name) != 0;
}

bool table_is_renamed(const struct def_table *t)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (is_renamed(&t->columns[i]))
			return true;
	return false;
}

static void add_rename(struct strbuf *b, const char *table, const char *from, const char *to)
{
	strbuf_addf(b, "ALTER TABLE %s RENAME COLUMN ", table);
	quote_name(b, from);
	strbuf_add(b, " TO ");
	quote_name(b, to);
}

void rename_after_create(struct strbuf *b, const struct def_table *t)
{
	struct strbuf table = STRBUF_INIT;
	strbuf_add(&table, "ONLY ");
	def_target(&table, t);
	for (size_t i = 0; i < t->column_count; i++) {
		if (!is_renamed(&t->columns[i]))
			continue;
		strbuf_add(b, "; ");
		add_rename(b, table.text, t->columns[i].name, t->columns[i].target_name);
	}
	strbuf_free(&table);
}

/* ---- lists of columns ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || (c & 0x80);
}

/* An identifier as PostgreSQL prints it; returns what follows it, and at itself where there is none. */
static const char *take_name(const char *at, struct strbuf *name)
{
	strbuf_clear(name);
	if (*at != '"') {
		const char *from = at;
		while (is_word(*at))
			at++;
		strbuf_addn(name, from, (size_t)(at - from));
		return at;
	}
	for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at++) {
		at += *at == '"';
		strbuf_addn(name, at, 1);
	}
	return at + (*at == '"');
}

static const struct def_column *column_called(const struct def_table *t, const char *name)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (is_renamed(&t->columns[i]) && strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

/* Where an element begins: a column stands alone or before its operator class and the like; what is
 * followed by anything else is a storage parameter or a function. */
static const char *copy_element(struct strbuf *b, const struct def_table *t, const char *at)
{
	struct strbuf name = STRBUF_INIT;
	const char *end = take_name(at, &name);
	bool alone = name.len > 0 && (*end == ' ' || *end == ',' || *end == ')');
	const struct def_column *c = alone ? column_called(t, name.text) : NULL;
	if (c)
		quote_name(b, c->target_name);
	else
		strbuf_addn(b, at, (size_t)(end - at));
	strbuf_free(&name);
	return end;
}

static const char *copy_quoted(struct strbuf *b, const char *at)
{
	const char *from = at++;
	while (*at != '\0' && *at != *from)
		at++;
	at += *at != '\0';
	strbuf_addn(b, from, (size_t)(at - from));
	return at;
}

char *rename_list(const struct def_table *t, const char *definition)
{
	struct strbuf b = STRBUF_INIT;
	int depth = 0;
	for (const char *at = definition; *at != '\0';) {
		if (*at == '\'' || *at == '"') {
			at = copy_quoted(&b, at);
			continue;
		}
		depth += (*at == '(') - (*at == ')');
		bool begins = depth == 1 && (*at == '(' || *at == ',');
		size_t space = *at == ',' && at[1] == ' ' ? 2 : 1;
		strbuf_addn(&b, at, space);
		at += space;
		if (begins)
			at = copy_element(&b, t, at);
	}
	return strbuf_take(&b);
}

/* ---- expressions ---- */

#define COPY "pg_temp.pgpier_names"

static void add_renames(struct strbuf *b, const struct def_table *t, bool back)
{
	for (size_t i = 0; i < t->column_count; i++) {
		const struct def_column *c = &t->columns[i];
		if (!is_renamed(c))
			continue;
		add_rename(b, COPY, back ? c->target_name : c->name, back ? c->name : c->target_name);
		strbuf_add(b, "; ");
	}
}

/* make: the statement that makes it upon the copy. print: SQL for the text of what was made. */
static void add_block(struct strbuf *b, const struct def_table *t, const char *make, const char *print,
	const char *execute)
{
	struct strbuf body = STRBUF_INIT;
	strbuf_add(&body, "DECLARE definition text; BEGIN CREATE TEMPORARY TABLE pgpier_names (LIKE ");
	def_target(&body, t);
	strbuf_add(&body, "); ");
	add_renames(&body, t, true);
	strbuf_addf(&body, "%s; ", make);
	add_renames(&body, t, false);
	strbuf_addf(&body, "definition := (%s); DROP TABLE " COPY "; EXECUTE ", print);
	quote_literal(&body, execute);
	strbuf_add(&body, " || definition; END");
	strbuf_add(b, "DO ");
	quote_literal(b, body.text);
	strbuf_free(&body);
}

void rename_index(struct strbuf *b, const struct def_table *t, const struct def_index *i,
	const char *create, const char *definition)
{
	char *make = xasprintf("CREATE %sINDEX pgpier_name ON " COPY " USING %s",
		i->unique ? "UNIQUE " : "", definition);
	add_block(b, t, make,
		"SELECT substr(d, strpos(d, ' USING ') + 7)"
		" FROM pg_catalog.pg_get_indexdef('pg_temp.pgpier_name'::pg_catalog.regclass) d", create);
	free(make);
}

/* From 18 on the copy has the table's NOT NULL constraints, by their names; those that are valid are there. */
void rename_constraints(
	struct strbuf *b, const struct def_table *t, const char *only, const char *clauses)
{
	struct strbuf alter = STRBUF_INIT;
	char *make = xasprintf("ALTER TABLE " COPY " %s", clauses);
	strbuf_addf(&alter, "ALTER TABLE %s", only);
	def_target(&alter, t);
	strbuf_add(&alter, " ");
	add_block(b, t, make,
		"SELECT pg_catalog.string_agg(pg_catalog.format('ADD CONSTRAINT %I %s', conname,"
		" pg_catalog.pg_get_constraintdef(oid)), ', ' ORDER BY conname) FROM pg_catalog.pg_constraint"
		" WHERE conrelid = '" COPY "'::pg_catalog.regclass AND (contype <> 'n' OR NOT convalidated)",
		alter.text);
	strbuf_free(&alter);
	free(make);
}
