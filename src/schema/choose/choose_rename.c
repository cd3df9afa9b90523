// SPDX-License-Identifier: PostgreSQL
/* Tables that the mirror calls differently. A schema-qualified name is replaced wherever it stands as one,
 * with those of the table's indexes and sequences, which follow it into another schema. The server prints
 * columns behind the table's bare name: a table of another name therefore gets its old one as an alias where
 * a query reads it. Where that is not possible the statement is left to a person. */
#include <stdlib.h>

#include <pgpier/selection.h>

#include "../../pg/conn.h"
#include "choose_inside.h"
#include "../dump/lexer.h"

struct rename {
	const char *schema, *name; /* the dump's */
	char to_schema[NAME_SIZE], to_name[NAME_SIZE];
	bool table;
};

struct table_renames {
	struct rename *items; /* by schema and name */
	size_t count;
	bool bare; /* a table has another name, not only another schema */
};

/* ---- what is renamed ---- */

static struct rename *add(struct table_renames *r, const char *schema, const char *name)
{
	GROW(r->items, r->count);
	r->items[r->count] = (struct rename){ .schema = schema, .name = name };
	return &r->items[r->count++];
}

static int compare(const void *a, const void *b)
{
	const struct rename *x = a, *y = b;
	int by_schema = strcmp(x->schema, y->schema);
	return by_schema != 0 ? by_schema : strcmp(x->name, y->name);
}

static void sort(struct table_renames *r)
{
	if (r->count > 0)
		qsort(r->items, r->count, sizeof(*r->items), compare);
}

/* Among the first n, which are sorted. */
static const struct rename *find(const struct table_renames *r, size_t n, const char *schema, const char *name)
{
	const struct rename key = { .schema = schema, .name = name };
	return n > 0 ? bsearch(&key, r->items, n, sizeof(key), compare) : NULL;
}

static void add_table(struct table_renames *r, const struct choosing *c, size_t i)
{
	const struct dump_entry *e = &c->dump->entries[i];
	char schema[NAME_SIZE], name[NAME_SIZE];
	selection_target(c->mirror, e->schema, e->name, schema, name);
	if (!c->verdicts[i].mine || (strcmp(schema, e->schema) == 0 && strcmp(name, e->name) == 0))
		return;
	struct rename *n = add(r, e->schema, e->name);
	n->table = true;
	r->bare = r->bare || strcmp(name, e->name) != 0;
	copy_text(n->to_schema, NAME_SIZE, schema);
	copy_text(n->to_name, NAME_SIZE, name);
}

/* An index and a sequence keep their names, in the schema of their table. */
static void add_follower(struct table_renames *r, size_t tables, const struct choosing *c, size_t i)
{
	const struct dump_entry *e = &c->dump->entries[i];
	size_t host = c->verdicts[i].host;
	if (host == NO_ENTRY || !KIND_OF(e, "INDEX", "CONSTRAINT", "SEQUENCE"))
		return;
	const struct dump_entry *t = &c->dump->entries[host];
	const struct rename *n = is_kind(t, "TABLE") ? find(r, tables, t->schema, t->name) : NULL;
	if (!n || strcmp(n->to_schema, e->schema) == 0)
		return;
	const char *name = is_kind(e, "CONSTRAINT") ? e->name + strlen(t->name) + 1 : e->name;
	char schema[NAME_SIZE];
	copy_text(schema, sizeof(schema), n->to_schema);
	struct rename *f = add(r, e->schema, name);
	copy_text(f->to_schema, NAME_SIZE, schema);
	copy_text(f->to_name, NAME_SIZE, name);
}

struct table_renames *table_renames_new(const struct choosing *c)
{
	if (c->mirror->map_count == 0)
		return NULL;
	struct table_renames *r = xcalloc(1, sizeof(*r));
	for (size_t i = 0; i < c->dump->count; i++)
		if (is_kind(&c->dump->entries[i], "TABLE"))
			add_table(r, c, i);
	sort(r);
	size_t tables = r->count;
	for (size_t i = 0; tables > 0 && i < c->dump->count; i++)
		add_follower(r, tables, c, i);
	sort(r);
	return r;
}

void table_renames_free(struct table_renames *r)
{
	if (!r)
		return;
	free(r->items);
	free(r);
}

/* ---- in statements ---- */

struct rewrite {
	const struct table_renames *renames;
	const char *at, *end, *copied;
	struct token last; /* the one before the name in question */
	struct strbuf out;
	bool query; /* what comes may read tables */
	/* By rename: its bare name stands before a dot; it got that name as an alias. */
	bool *bare, *aliased;
};

static bool has_query(const struct dump_entry *e)
{
	return KIND_OF(e, "VIEW", "MATERIALIZED VIEW", "RULE", "POLICY");
}

/* What may follow a table in FROM without being its alias. */
static bool follows_table(const struct token *t)
{
	static const char *const words[] = { "WHERE", "GROUP", "ORDER", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS",
		"NATURAL", "ON", "USING", "UNION", "EXCEPT", "INTERSECT", "LIMIT", "OFFSET", "FETCH", "HAVING", "WINDOW",
		"TABLESAMPLE", "FOR", "WITH", "SET", "RETURNING" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (token_is(t, words[i]))
			return true;
	return t->kind == TOKEN_END || token_is_char(t, ',') || token_is_char(t, ')') || token_is_char(t, ';');
}

static bool reads_table(const struct token *before)
{
	return token_is(before, "FROM") || token_is(before, "JOIN") || token_is(before, "ONLY") ||
		   token_is(before, "UPDATE") || token_is_char(before, ',') || token_is_char(before, '(');
}

static void put(struct rewrite *w, const char *start, const char *behind, const struct rename *n)
{
	strbuf_addn(&w->out, w->copied, (size_t)(start - w->copied));
	quote_qualified(&w->out, n->to_schema, n->to_name);
	w->copied = behind;
	if (!n->table || !w->query || strcmp(n->name, n->to_name) == 0 || !reads_table(&w->last))
		return;
	const char *at = behind;
	struct token t = lexer_code(&at, w->end);
	if (!follows_table(&t))
		return;
	strbuf_add(&w->out, " ");
	quote_name(&w->out, n->name);
	w->aliased[n - w->renames->items] = true;
}

/* 'app.t_id_seq'::regclass */
static void rewrite_literal(struct rewrite *w, const struct token *t)
{
	const char *behind = t->start + t->len;
	char schema[NAME_SIZE], name[NAME_SIZE];
	if (strncmp(behind, "::regclass", 10) != 0 || t->len < 3 || t->start[0] != '\'')
		return;
	const char *at = t->start + 1;
	if (!lexer_qualified(&at, behind - 1, schema, name) || at != behind - 1)
		return;
	const struct rename *n = find(w->renames, w->renames->count, schema, name);
	if (!n)
		return;
	struct strbuf q = STRBUF_INIT;
	quote_qualified(&q, n->to_schema, n->to_name);
	strbuf_addn(&w->out, w->copied, (size_t)(t->start - w->copied));
	quote_literal(&w->out, q.text);
	w->copied = behind;
	strbuf_free(&q);
}

static void note_bare_name(struct rewrite *w, const char *name)
{
	for (size_t i = 0; w->renames->bare && i < w->renames->count; i++) {
		const struct rename *n = &w->renames->items[i];
		if (n->table && strcmp(n->name, name) == 0 && strcmp(n->name, n->to_name) != 0)
			w->bare[i] = true;
	}
}

/* t begins schema.name, or is a name before a dot, or is neither. */
static void rewrite_name(struct rewrite *w, const struct token *t)
{
	char schema[NAME_SIZE], name[NAME_SIZE];
	const char *at = t->start;
	if (token_is_char(&w->last, '.') || !lexer_qualified(&at, w->end, schema, name) || schema[0] == '\0')
		return;
	const struct rename *n = find(w->renames, w->renames->count, schema, name);
	if (n) {
		put(w, t->start, at, n);
		w->at = at;
	} else {
		note_bare_name(w, schema);
	}
}

/* A bare name that no alias stands for. */
static bool is_torn(const struct rewrite *w)
{
	for (size_t i = 0; w->query && i < w->renames->count; i++)
		if (w->bare[i] && !w->aliased[i])
			return true;
	return false;
}

char *table_renames_apply(const struct table_renames *r, const struct dump_entry *e, const char *sql, char **why)
{
	struct rewrite w = { .renames = r, .at = sql, .end = sql + strlen(sql), .copied = sql, .query = has_query(e),
		.bare = xcalloc(r->count + 1, sizeof(bool)), .aliased = xcalloc(r->count + 1, sizeof(bool)) };
	*why = NULL;
	for (struct token t; (t = lexer_code(&w.at, w.end)).kind != TOKEN_END; w.last = t) {
		if (t.kind == TOKEN_STRING)
			rewrite_literal(&w, &t);
		else if (t.kind == TOKEN_WORD || t.kind == TOKEN_NAME)
			rewrite_name(&w, &t);
		w.query = w.query || token_is(&t, "ATOMIC");
	}
	strbuf_add(&w.out, w.copied);
	if (is_torn(&w))
		*why = xstrdup("names columns of a table that has another name on the target; write it by hand");
	free(w.bare);
	free(w.aliased);
	if (!*why)
		return strbuf_take(&w.out);
	strbuf_free(&w.out);
	return NULL;
}
