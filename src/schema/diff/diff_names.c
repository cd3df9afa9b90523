// SPDX-License-Identifier: PostgreSQL
/* What an object is called on both sides, when the mirror calls its table or a column of that otherwise. The
 * choice (choose.h) has put the target's tables and roles into the statements; here are columns, and the tags by
 * which the objects of both sides are found. */
#include <stdio.h>
#include <stdlib.h>

#include <pgpier/selection.h>

#include "../../pg/conn.h"
#include "diff_inside.h"

/* ---- trees ---- */

static int compare_heirs(const void *a, const void *b)
{
	return strcmp(((const struct heir *)a)->table, ((const struct heir *)b)->table);
}

static void add_heir(struct diffing *d, const char *schema, const char *table, const char *parent_schema, const char *parent)
{
	GROW(d->heirs, d->heir_count);
	d->heirs[d->heir_count++] = (struct heir){ xasprintf("%s.%s", schema, table), xasprintf("%s.%s", parent_schema, parent) };
}

/* INHERITS (a.b, c.d) of CREATE TABLE; ALTER TABLE ONLY a.b ATTACH PARTITION c.d. */
static void read_heirs(struct diffing *d, const struct dump_entry *e)
{
	const char *at = e->sql, *end = at + strlen(at);
	char schema[NAME_SIZE] = "", table[NAME_SIZE] = "", other[NAME_SIZE], name[NAME_SIZE];
	bool inherits = false, attach = is_kind(e, "TABLE ATTACH");
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;) {
		if (token_is_char(&t, ';'))
			return;
		inherits = (inherits && !token_is_char(&t, ')')) || token_is(&t, "INHERITS");
		if (token_is(&t, attach ? "ONLY" : "TABLE"))
			lexer_qualified(&at, end, schema, table);
		else if (attach && token_is(&t, "PARTITION") && lexer_qualified(&at, end, other, name))
			add_heir(d, other, name, schema, table);
		else if (inherits && (token_is_char(&t, '(') || token_is_char(&t, ',')) && lexer_qualified(&at, end, other, name))
			add_heir(d, schema, table, other, name);
	}
}

static size_t first_heir(const struct diffing *d, const char *table)
{
	size_t low = 0;
	for (size_t high = d->heir_count; low < high;) {
		size_t middle = (low + high) / 2;
		if (strcmp(d->heirs[middle].table, table) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void find_heirs(struct diffing *d)
{
	for (size_t i = 0; i < d->source.dump->count; i++)
		if (KIND_OF(&d->source.dump->entries[i], "TABLE", "TABLE ATTACH"))
			read_heirs(d, &d->source.dump->entries[i]);
	if (d->heir_count > 1)
		qsort(d->heirs, d->heir_count, sizeof(*d->heirs), compare_heirs);
}

/* ---- which table ---- */

bool table_of(const struct dump *d, const struct dump_entry *e, char schema[NAME_SIZE], char table[NAME_SIZE])
{
	if (is_kind(e, "TABLE")) {
		copy_text(schema, NAME_SIZE, e->schema);
		copy_text(table, NAME_SIZE, e->name);
		return true;
	}
	if (dump_entry_table(d, e, schema, table))
		return true;
	if (!KIND_OF(e, "COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE", "SEQUENCE OWNED BY", "TABLE ATTACH", "INDEX ATTACH",
			"PUBLICATION TABLE"))
		return false;
	bool found = false;
	for (size_t i = 0; !found && i < e->need_count; i++) {
		const struct dump_entry *n = dump_entry(d, e->needs[i]);
		found = n && KIND_OF(n, "TABLE", "SEQUENCE", "INDEX", "CONSTRAINT", "TRIGGER", "RULE", "POLICY", "STATISTICS") &&
				table_of(d, n, schema, table);
	}
	return found;
}

static const struct table_map *map_of(const struct diffing *d, const char *table)
{
	for (size_t i = 0; i < d->mirror->map_count; i++)
		if (strcmp(d->mirror->map[i].source, table) == 0)
			return &d->mirror->map[i];
	return NULL;
}

/* Of the nearest table above it that has other names for columns; NULL none. */
static const struct table_map *map_of_tree(const struct diffing *d, const char *table)
{
	for (size_t i = first_heir(d, table); i < d->heir_count && strcmp(d->heirs[i].table, table) == 0; i++) {
		const struct table_map *m = map_of(d, d->heirs[i].parent);
		m = m && m->column_count > 0 ? m : map_of_tree(d, d->heirs[i].parent);
		if (m)
			return m;
	}
	return NULL;
}

bool naming_of(const struct diffing *d, const struct dump_entry *e, struct naming *n)
{
	char text[2 * NAME_SIZE];
	*n = (struct naming){ .map = NULL };
	if (d->mirror->map_count == 0 || !table_of(d->source.dump, e, n->from_schema, n->from) ||
		!selection_has(d->selection, n->from_schema, n->from))
		return false;
	selection_has_target(d->selection, n->from_schema, n->from, n->to_schema, n->to);
	snprintf(text, sizeof(text), "%s.%s", n->from_schema, n->from);
	const struct table_map *own = map_of(d, text);
	n->map = own && own->column_count > 0 ? own : map_of_tree(d, text);
	n->map = n->map ? n->map : own;
	return n->map != NULL;
}

/* NULL: it keeps its name. */
static const char *column_target(const struct naming *n, const char *column)
{
	for (size_t i = 0; n && i < n->map->column_count; i++)
		if (strcmp(n->map->columns[i].source, column) == 0)
			return n->map->columns[i].target;
	return NULL;
}

/* ---- tags ---- */

/* "TABLE t", "COLUMN t.c", "CONSTRAINT x ON t", in which names are quoted where they must be, even keywords: a
 * quoted one that looks plain loses its quotes on both sides. n NULL: nothing is renamed. */
static char *label_tag(const char *tag, const struct naming *n)
{
	struct strbuf b = STRBUF_INIT;
	const char *at = tag, *end = tag + strlen(tag), *copied = tag;
	struct token last = { 0 };
	bool on_table = false;
	for (struct token t; (t = lexer_next(&at, end)).kind != TOKEN_END; last = t) {
		char name[NAME_SIZE];
		const char *to = NULL;
		if (!token_name(&t, name))
			continue;
		bool names_table = token_is(&last, "TABLE") || token_is(&last, "COLUMN") || token_is(&last, "ON");
		if (n && names_table && strcmp(name, n->from) == 0)
			to = n->to;
		else if (on_table && token_is_char(&last, '.'))
			to = column_target(n, name);
		on_table = on_table || to;
		if (!to && t.kind != TOKEN_NAME)
			continue;
		strbuf_addn(&b, copied, (size_t)(t.start - copied));
		add_plain_name(&b, to ? to : name);
		copied = at;
	}
	strbuf_add(&b, copied);
	return strbuf_take(&b);
}

/* "t x": a constraint, a trigger; a default's x is a column. */
static char *member_tag(const struct dump_entry *e, const struct naming *n)
{
	size_t len = strlen(n->from);
	if (strncmp(e->name, n->from, len) != 0 || e->name[len] != ' ')
		return xstrdup(e->name);
	const char *member = e->name + len + 1;
	const char *column = is_kind(e, "DEFAULT") ? column_target(n, member) : NULL;
	return xasprintf("%s %s", n->to, column ? column : member);
}

/* The tag of an operator is its bare name: the types or the method behind it are in the statements. */
static char *operator_tag(const struct dump_entry *e)
{
	struct piece p;
	const char *more = NULL;
	if (e->give_sql && between(e->give_sql, "ALTER", "OWNER", &p))
		more = is_kind(e, "OPERATOR") ? memrchr(p.start, '(', (size_t)(p.end - p.start))
									  : memmem(p.start, (size_t)(p.end - p.start), " USING ", 7);
	return more ? xasprintf("%s%.*s", e->name, (int)(p.end - more), more) : xstrdup(e->name);
}

static char *tag_of(const struct dump_entry *e, const struct naming *n)
{
	if (KIND_OF(e, "COMMENT", "ACL", "SECURITY LABEL"))
		return label_tag(e->name, n);
	if (strncmp(e->kind, "OPERATOR", 8) == 0)
		return operator_tag(e);
	if (n && KIND_OF(e, "TABLE", "ROW SECURITY", "TABLE ATTACH") && strcmp(e->name, n->from) == 0)
		return xstrdup(n->to);
	if (n && KIND_OF(e, "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "DEFAULT"))
		return member_tag(e, n);
	return xstrdup(e->name);
}

char *key_of(const struct dump_entry *e, const struct naming *n)
{
	const char *schema = n && strcmp(e->schema, n->from_schema) == 0 ? n->to_schema : e->schema;
	char *tag = tag_of(e, n);
	char *key = xasprintf("%s\1%s\1%s", e->kind, schema, tag);
	free(tag);
	return key;
}

/* ---- columns in statements ---- */

/* Words behind which a name is none of a column. */
static bool names_other(const struct token *last)
{
	static const char *const words[] = { "TABLE", "ONLY", "INDEX", "CONSTRAINT", "TRIGGER", "POLICY", "RULE", "STATISTICS",
		"SEQUENCE", "FUNCTION", "TO", "COLLATE", "USING", "INHERITS", "TYPE" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (token_is(last, words[i]))
			return true;
	return token_is_char(last, ':'); /* ::type */
}

struct walk {
	struct token last, before; /* the two tokens in front */
	int depth;
	bool creates; /* CREATE TABLE: its first parentheses hold column, type, column, type */
};

/* t.c, new.c */
static bool behind_table(const struct walk *w, const struct naming *n)
{
	char name[NAME_SIZE];
	if (token_is(&w->before, "new") || token_is(&w->before, "old"))
		return true;
	return token_name(&w->before, name) && (strcmp(name, n->from) == 0 || strcmp(name, n->to) == 0);
}

static bool may_be_column(const struct walk *w, const struct naming *n, const struct token *next)
{
	if (token_is_char(&w->last, '.'))
		return behind_table(w, n);
	if (w->creates && w->depth == 1)
		return token_is_char(&w->last, '(') || token_is_char(&w->last, ',');
	return !token_is_char(next, '.') && !token_is_char(next, '(') && !names_other(&w->last);
}

/* Only what the server prints is read: there a name that is no column's follows one of few words. */
char *columns_renamed(const struct dump_entry *e, const char *sql, const struct naming *n)
{
	struct strbuf b = STRBUF_INIT;
	const char *at = sql, *end = sql + strlen(sql), *copied = sql;
	struct walk w = { .creates = is_kind(e, "TABLE") };
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END; w.before = w.last, w.last = t) {
		char name[NAME_SIZE];
		const char *behind = at, *to = token_name(&t, name) ? column_target(n, name) : NULL;
		w.depth += token_is_char(&t, '(') - token_is_char(&t, ')');
		w.creates = w.creates && !token_is_char(&t, ';');
		struct token next = lexer_code(&behind, end);
		if (!to || !may_be_column(&w, n, &next))
			continue;
		strbuf_addn(&b, copied, (size_t)(t.start - copied));
		quote_name(&b, to);
		copied = at;
	}
	strbuf_add(&b, copied);
	return strbuf_take(&b);
}

/* REFERENCES app.t(a, b): those of the other table. */
char *references_renamed(const struct diffing *d, const char *sql)
{
	struct strbuf b = STRBUF_INIT;
	const char *at = sql, *end = sql + strlen(sql), *copied = sql;
	const struct renames *columns = NULL;
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;) {
		char schema[NAME_SIZE], name[NAME_SIZE];
		if (token_is(&t, "REFERENCES") && lexer_qualified(&at, end, schema, name))
			columns = renamed_tables_find(&d->renamed, schema, name);
		else if (token_is_char(&t, ')'))
			columns = NULL;
		else if (columns && token_name(&t, name)) {
			strbuf_addn(&b, copied, (size_t)(t.start - copied));
			quote_name(&b, renames_target(columns, name));
			copied = at;
		}
	}
	strbuf_add(&b, copied);
	return strbuf_take(&b);
}

/* ---- all tables ---- */

void renamed_read(struct diffing *d)
{
	const struct dump *dump = d->source.dump;
	if (d->mirror->map_count > 0)
		find_heirs(d);
	for (size_t i = 0; d->mirror->map_count > 0 && i < dump->count; i++) {
		struct renames columns = { 0 };
		struct naming n;
		if (!is_kind(&dump->entries[i], "TABLE") || !naming_of(d, &dump->entries[i], &n))
			continue;
		for (size_t k = 0; k < n.map->column_count; k++)
			renames_add(&columns, n.map->columns[k].source, n.map->columns[k].target);
		renamed_tables_add(&d->renamed, n.to_schema, n.to, &columns);
		renames_free(&columns);
	}
}

void renamed_free(struct diffing *d)
{
	for (size_t i = 0; i < d->heir_count; i++) {
		free(d->heirs[i].table);
		free(d->heirs[i].parent);
	}
	free(d->heirs);
	renamed_tables_free(&d->renamed);
}
