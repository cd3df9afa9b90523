// SPDX-License-Identifier: PostgreSQL
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/lexer.h"
#include "text.h"

struct making {
	struct pg *source;
	const struct dump *dump;
	const struct chosen *chosen;
	struct store_object *objects;
	size_t count;
	int last_id;
};

static struct store_object *add(struct making *m)
{
	GROW(m->objects, m->count);
	struct store_object *o = &m->objects[m->count++];
	*o = (struct store_object){ .id = ++m->last_id, .post = true, .wanted = true, .owner = xstrdup("") };
	return o;
}

static void add_need(struct store_object *o, int id)
{
	GROW(o->needs, o->need_count);
	o->needs[o->need_count++] = id;
}

/* ---- entries ---- */

/* Settings that end with the transaction, then the statements. */
static char *statements(const char *settings, const char *sql)
{
	struct strbuf b = STRBUF_INIT;
	char *copy = xstrdup(settings), *rest = copy, *line;
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, "SET ", 4) == 0)
			strbuf_addf(&b, "SET LOCAL %s\n", line + 4);
	strbuf_add(&b, sql);
	free(copy);
	return strbuf_take(&b);
}

static char *table_of(const struct dump *d, const struct dump_entry *e)
{
	char schema[NAME_SIZE], table[NAME_SIZE];
	if (strcmp(e->kind, "TABLE") == 0)
		return xasprintf("%s.%s", e->schema, e->name);
	return dump_entry_table(d, e, schema, table) ? xasprintf("%s.%s", schema, table) : NULL;
}

static void take_choice(struct store_object *o, const struct dump_entry *e, const struct chosen *c)
{
	static const enum object_state states[] = {
		[CHOICE_MAKE] = OBJECT_WAITING,
		[CHOICE_MIRROR] = OBJECT_WAITING,
		[CHOICE_LEFT_OUT] = OBJECT_LEFT_OUT,
		[CHOICE_BLOCKED] = OBJECT_BLOCKED,
	};
	o->state = states[c->choice];
	o->wanted = o->state == OBJECT_WAITING;
	o->text = xstrdup(c->why);
	if (c->choice == CHOICE_BLOCKED)
		o->next = xstrdup("make on the target what it needs, then press r or run it again");
	o->note = xstrdup(c->dropped);
	o->sql = c->choice == CHOICE_MIRROR ? NULL : statements(e->settings, c->sql ? c->sql : e->sql);
	o->give_sql = o->wanted ? xstrdup(c->give_sql) : NULL;
}

static void add_entries(struct making *m)
{
	for (size_t i = 0; i < m->dump->count; i++) {
		const struct dump_entry *e = &m->dump->entries[i];
		GROW(m->objects, m->count);
		struct store_object *o = &m->objects[m->count++];
		*o = (struct store_object){
			.id = e->id,
			.post = e->post,
			.kind = xstrdup(e->kind),
			.schema = xstrdup(e->schema),
			.name = xstrdup(e->name),
			.owner = xstrdup(e->owner),
			.table = table_of(m->dump, e),
		};
		for (size_t k = 0; k < e->need_count; k++)
			add_need(o, e->needs[k]);
		take_choice(o, e, &m->chosen[i]);
		m->last_id = MAX(m->last_id, e->id);
	}
}

static bool is_made(const struct store_object *o)
{
	return o->state == OBJECT_WAITING;
}

/* ---- sizes ---- */

static bool is_kind(const struct dump_entry *e, const char *kind)
{
	return strcmp(e->kind, kind) == 0;
}

static bool read_sizes(struct making *m, struct error *e)
{
	struct strbuf places = STRBUF_INIT, classes = STRBUF_INIT, oids = STRBUF_INIT;
	for (size_t i = 0; i < m->dump->count; i++) {
		const struct dump_entry *entry = &m->dump->entries[i];
		if (!is_kind(entry, "INDEX") && !is_kind(entry, "CONSTRAINT"))
			continue;
		text_oids_add(&places, (int64_t)i);
		text_oids_add(&classes, entry->class_oid);
		text_oids_add(&oids, entry->oid);
	}
	text_oids_end(&places);
	text_oids_end(&classes);
	text_oids_end(&oids);
	struct rows *r = PG_ROWS(m->source, e,
		"SELECT o.place, pg_catalog.pg_relation_size(coalesce(k.conindid, o.oid)) FROM unnest($1::int[], $2::oid[],"
		" $3::oid[]) o (place, class, oid) LEFT JOIN pg_catalog.pg_constraint k"
		" ON o.class = 'pg_catalog.pg_constraint'::regclass AND k.oid = o.oid", places.text, classes.text, oids.text);
	for (int i = 0; r && i < rows_count(r); i++)
		m->objects[rows_int(r, i, 0)].bytes = rows_int(r, i, 1);
	strbuf_free(&places);
	strbuf_free(&classes);
	strbuf_free(&oids);
	rows_free(r);
	return r != NULL;
}

/* ---- materialized views ---- */

/* By place: everything that the entry needs, at any distance. */
static void mark_needs(const struct dump *d, size_t place, bool *marked)
{
	const struct dump_entry *e = &d->entries[place];
	for (size_t i = 0; i < e->need_count; i++) {
		size_t need = (size_t)e->needs[i] - 1;
		if (need >= d->count || marked[need])
			continue;
		marked[need] = true;
		mark_needs(d, need, marked);
	}
}

static void add_refresh(struct making *m, size_t place, int *refresh_ids)
{
	const struct dump_entry *e = &m->dump->entries[place];
	struct store_object *o = add(m);
	struct strbuf sql = STRBUF_INIT;
	bool *marked = xcalloc(m->dump->count, sizeof(*marked));
	strbuf_add(&sql, "REFRESH MATERIALIZED VIEW ");
	quote_qualified(&sql, e->schema, e->name);
	o->kind = xstrdup(OBJECT_REFRESH);
	o->schema = xstrdup(e->schema);
	o->name = xstrdup(e->name);
	o->sql = strbuf_take(&sql);
	add_need(o, e->id);
	mark_needs(m->dump, place, marked);
	for (size_t i = 0; i < m->dump->count; i++)
		if (marked[i] && refresh_ids[i])
			add_need(o, refresh_ids[i]);
	refresh_ids[place] = o->id;
	free(marked);
}

/* Those that the source has filled. A view comes behind those that it reads. */
static bool add_refreshes(struct making *m, struct error *e)
{
	struct rows *r = PG_ROWS(m->source, e, "SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'm' AND relispopulated");
	int *ids = xcalloc(m->dump->count + 1, sizeof(*ids));
	for (size_t i = 0; r && i < m->dump->count; i++) {
		const struct dump_entry *entry = &m->dump->entries[i];
		if (!is_kind(entry, "MATERIALIZED VIEW") || !is_made(&m->objects[i]))
			continue;
		for (int k = 0; k < rows_count(r); k++)
			if (rows_int(r, k, 0) == entry->oid)
				add_refresh(m, i, ids);
	}
	free(ids);
	rows_free(r);
	return r != NULL;
}

/* ---- checks ---- */

/* A check that calls a function may read other tables, whose rows come later than its own table's. */
static const char checks_sql[] =
	"SELECT n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid), k.coninhcount > 0,"
	" k.conislocal AND c.relkind = 'r' AND to_jsonb(c)->>'relispartition' IS DISTINCT FROM 'true'"
	" FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE k.contype = 'c' AND k.convalidated AND EXISTS (SELECT 1 FROM pg_catalog.pg_depend d"
	"  JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
	"  WHERE d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = k.oid"
	"  AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND l.lanname NOT IN ('internal', 'c')"
	"  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_proc'::regclass"
	"   AND x.objid = p.oid AND x.deptype = 'e'))"
	" ORDER BY k.coninhcount > 0 DESC, 1, 2, 3";

enum check_field { CHECK_SCHEMA, CHECK_TABLE, CHECK_NAME, CHECK_DEFINITION, CHECK_INHERITED, CHECK_OWN };

static struct store_object *find_table(const struct making *m, const char *schema, const char *name)
{
	for (size_t i = 0; i < m->dump->count; i++)
		if (m->objects[i].kind && strcmp(m->objects[i].kind, "TABLE") == 0 && strcmp(m->objects[i].name, name) == 0 &&
			strcmp(m->objects[i].schema, schema) == 0)
			return &m->objects[i];
	return NULL;
}

/* CREATE [UNLOGGED] TABLE s.t: as it is called on the target. */
static bool created_name(const char *sql, char schema[NAME_SIZE], char table[NAME_SIZE])
{
	const char *at = sql, *end = sql + strlen(sql);
	for (;;) {
		struct token t = lexer_code(&at, end);
		if (t.kind == TOKEN_END)
			return false;
		if (token_is(&t, "TABLE"))
			return lexer_qualified(&at, end, schema, table);
	}
}

/* COMMENT ON CONSTRAINT name ON s.t */
static bool is_comment_on(const struct store_object *o, const char *schema, const char *table, const char *name)
{
	static const char *const words[] = { "COMMENT", "ON", "CONSTRAINT" };
	char of[3][NAME_SIZE];
	if (!o->kind || strcmp(o->kind, "COMMENT") != 0 || !o->sql)
		return false;
	const char *at = o->sql, *end = at + strlen(at);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct token t = lexer_code(&at, end);
		if (!token_is(&t, words[i]))
			return false;
	}
	struct token t = lexer_code(&at, end);
	if (!token_name(&t, of[0]))
		return false;
	t = lexer_code(&at, end);
	return token_is(&t, "ON") && lexer_qualified(&at, end, of[1], of[2]) && strcmp(of[0], name) == 0 &&
		   strcmp(of[1], schema) == 0 && strcmp(of[2], table) == 0;
}

/* Behind the constraint; what is left in its old place is dropped in the end. */
static void move_comment(struct making *m, const char *schema, const char *table, const char *name, int constraint)
{
	for (size_t i = 0; i < m->dump->count; i++) {
		struct store_object moved = m->objects[i];
		if (!is_comment_on(&moved, schema, table, name))
			continue;
		m->objects[i] = (struct store_object){ .id = moved.id };
		struct store_object *o = add(m);
		moved.id = o->id;
		moved.post = true;
		free(o->owner);
		*o = moved;
		add_need(o, constraint);
		return;
	}
}

static void drop_moved(struct making *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->count; i++)
		if (m->objects[i].kind)
			m->objects[n++] = m->objects[i];
	m->count = n;
}

/* The table is made without it; later it comes back. One that is inherited comes with its parent's. */
static void move_check(struct making *m, const struct rows *r, int row)
{
	struct store_object *table = find_table(m, rows_text(r, row, CHECK_SCHEMA), rows_text(r, row, CHECK_TABLE));
	const char *name = rows_text(r, row, CHECK_NAME);
	char schema[NAME_SIZE], target[NAME_SIZE];
	bool inherited = rows_bool(r, row, CHECK_INHERITED);
	if (!table || !is_made(table) || !table->sql || !created_name(table->sql, schema, target))
		return;
	struct strbuf sql = STRBUF_INIT, alter = STRBUF_INIT;
	strbuf_addf(&sql, "%s\n\nALTER TABLE ", table->sql);
	quote_qualified(&sql, schema, target);
	strbuf_add(&sql, " DROP CONSTRAINT IF EXISTS ");
	quote_name(&sql, name);
	strbuf_add(&sql, ";");
	free(table->sql);
	table->sql = strbuf_take(&sql);
	if (inherited && !rows_bool(r, row, CHECK_OWN))
		return;
	strbuf_add(&alter, inherited ? "ALTER TABLE ONLY " : "ALTER TABLE ");
	quote_qualified(&alter, schema, target);
	strbuf_add(&alter, "\n    ADD CONSTRAINT ");
	quote_name(&alter, name);
	strbuf_addf(&alter, " %s;", rows_text(r, row, CHECK_DEFINITION));
	int id = table->id;
	char *of = xstrdup(table->table);
	struct store_object *o = add(m); /* which moves the others */
	o->kind = xstrdup("CHECK CONSTRAINT");
	o->schema = xstrdup(rows_text(r, row, CHECK_SCHEMA));
	o->name = xasprintf("%s %s", rows_text(r, row, CHECK_TABLE), name);
	o->table = of;
	o->sql = strbuf_take(&alter);
	add_need(o, id);
	move_comment(m, schema, target, name, o->id);
}

static bool move_checks(struct making *m, struct error *e)
{
	struct rows *r = PG_ROWS(m->source, e, checks_sql);
	for (int i = 0; r && i < rows_count(r); i++)
		move_check(m, r, i);
	rows_free(r);
	return r != NULL;
}

/* ---- invalid indexes ---- */

static bool add_invalid(struct making *m, struct error *e)
{
	struct rows *r = PG_ROWS(m->source, e,
		"SELECT n.nspname, t.relname, c.relname FROM pg_catalog.pg_index i"
		" JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class t ON t.oid = i.indrelid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace"
		" WHERE NOT (i.indisready AND (i.indisvalid OR t.relkind = 'p')) AND n.nspname !~ '^pg_' ORDER BY 1, 2, 3");
	for (int i = 0; r && i < rows_count(r); i++) {
		const struct store_object *table = find_table(m, rows_text(r, i, 0), rows_text(r, i, 1));
		if (!table || !is_made(table))
			continue;
		struct store_object *o = add(m);
		o->kind = xstrdup("INDEX");
		o->schema = xstrdup(rows_text(r, i, 0));
		o->name = xstrdup(rows_text(r, i, 2));
		o->table = xasprintf("%s.%s", rows_text(r, i, 0), rows_text(r, i, 1));
		o->state = OBJECT_LEFT_OUT;
		o->wanted = false;
		o->text = xstrdup("it is not valid on the source");
		o->next = xstrdup("REINDEX it on the source, or drop it there");
	}
	rows_free(r);
	return r != NULL;
}

bool objects_new(struct pg *source, const struct dump *d, const struct chosen *chosen, struct store_object **out,
	size_t *n, struct error *e)
{
	struct making m = { .source = source, .dump = d, .chosen = chosen };
	add_entries(&m);
	bool ok = read_sizes(&m, e) && add_refreshes(&m, e) && move_checks(&m, e) && add_invalid(&m, e);
	drop_moved(&m);
	*out = m.objects;
	*n = m.count;
	if (ok)
		return true;
	store_objects_free(m.objects, m.count);
	*out = NULL;
	*n = 0;
	return false;
}
