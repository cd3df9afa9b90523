// SPDX-License-Identifier: PostgreSQL
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgpier/selection.h>

#include "evolve.h"

#define PG_HAS_GENERATED 120000
#define PG_HAS_VIRTUAL 180000

static char *quoted(const char *schema, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_qualified(&b, schema, name);
	return strbuf_take(&b);
}

/* ---- a refused batch ---- */

static bool mend_labels(const struct evolve *v, const struct store_table *t, struct evolve_result *out,
	struct error *e)
{
	char *name = quoted(t->source_schema, t->source_name);
	struct rows *r = PG_ROWS(v->source, e, "SELECT to_regclass($1)::oid", name);
	free(name);
	bool ok = r && (rows_null(r, 0, 0) || evolve_types(v, (uint32_t)rows_int(r, 0, 0), out, e));
	rows_free(r);
	return ok;
}

/* NOT NULL columns of the target that the message may mean: it names one, in the server's language. */
static const char not_null_sql[] =
	"SELECT a.attname, (SELECT u.oid::regclass FROM up u ORDER BY height DESC LIMIT 1)"
	" FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND a.attnotnull"
	" AND NOT a.attisdropped AND strpos($2, a.attname) > 0"
	" AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary"
	"  AND a.attnum = ANY (i.indkey::int2[])) ORDER BY length(a.attname) DESC LIMIT 1";

static const char up_sql[] =
	"WITH RECURSIVE up AS (SELECT to_regclass($1)::oid AS oid, 0 AS height UNION ALL"
	"  SELECT i.inhparent, up.height + 1 FROM up"
	"   JOIN pg_catalog.pg_class c ON c.oid = up.oid AND c.relispartition"
	"   JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.oid) ";

/* Is the column NOT NULL on the source as well, by now? Then it is we who were early. */
static bool source_has_it(const struct evolve *v, const struct store_table *t, const char *column, bool *has,
	struct error *e)
{
	char *name = quoted(t->source_schema, t->source_name);
	struct rows *r = PG_ROWS(v->source, e, "SELECT 1 FROM pg_catalog.pg_attribute"
		" WHERE attrelid = to_regclass($1) AND attname = $2 AND attnotnull", name, column);
	free(name);
	if (!r)
		return false;
	*has = rows_count(r) > 0;
	rows_free(r);
	return true;
}

static bool allow_null(const struct evolve *v, const char *column, const char *root, struct evolve_result *out,
	struct error *e)
{
	struct strbuf sql = STRBUF_INIT, later = STRBUF_INIT;
	strbuf_addf(&later, "ALTER TABLE %s ALTER COLUMN ", root);
	quote_name(&later, column);
	strbuf_addf(&sql, "BEGIN; %s DROP NOT NULL; ", later.text);
	strbuf_add(&later, " SET NOT NULL");
	if (v->id)
		store_sql_later(&sql, v->id, later.text);
	strbuf_add(&sql, " COMMIT");
	bool ok = pg_run(v->target, e, sql.text);
	strbuf_free(&sql);
	strbuf_free(&later);
	if (!ok) {
		pg_rollback(v->target);
		return false;
	}
	char *line = xasprintf("%s: column %s allows NULL until the stream has passed the rows that have none", root,
		column);
	strings_add(&out->done, line);
	free(line);
	out->end = EVOLVE_DONE;
	return true;
}

static bool mend_null(const struct evolve *v, const struct store_table *t, const struct error *why,
	struct evolve_result *out, struct error *e)
{
	bool has = false;
	char *name = quoted(t->target_schema, t->target_name);
	char *sql = xasprintf("%s%s", up_sql, not_null_sql);
	struct rows *r = PG_ROWS(v->target, e, sql, name, why->text);
	free(name);
	free(sql);
	const char *column = r && rows_count(r) > 0 ? renames_source(&t->renamed, rows_text(r, 0, 0)) : NULL;
	bool ok = r && (!column || source_has_it(v, t, column, &has, e));
	if (ok && has)
		ok = allow_null(v, rows_text(r, 0, 0), rows_text(r, 0, 1), out, e);
	rows_free(r);
	return ok;
}

bool evolve_mend(const struct evolve *v, const struct store_table *t, const struct error *why,
	struct evolve_result *out, struct error *e)
{
	*out = (struct evolve_result){ .end = EVOLVE_NOTHING };
	bool ok = true;
	if (strcmp(why->sqlstate, "22P02") == 0)
		ok = mend_labels(v, t, out, e);
	else if (strcmp(why->sqlstate, "23502") == 0)
		ok = mend_null(v, t, why, out, e);
	if (!ok)
		evolve_result_free(out);
	return ok;
}

/* ---- what had to wait ---- */

/* One that the rows are not ready for, or that made itself superfluous, is no error of ours. */
static bool passes(const struct evolve *v, const struct error *e)
{
	return !pg_lost(v->target) && e->class != ERROR_CONNECTION && e->class != ERROR_CANCELLED;
}

static bool run_later(const struct evolve *v, struct strings *done, struct error *e)
{
	struct strings statements = { 0 };
	bool ok = store_later_read(v->target, v->id, &statements, e);
	for (size_t i = 0; ok && i < statements.count; i++) {
		if (store_later_run(v->target, v->id, statements.items[i], e))
			strings_add(done, statements.items[i]);
		else
			ok = passes(v, e);
	}
	strings_free(&statements);
	return ok;
}

static char *array_of(const struct store_mirror *s, bool source, bool schema)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc(s->table_count * sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++) {
		const struct store_table *t = &s->tables[i];
		names[i] = source ? (schema ? t->source_schema : t->source_name)
						  : (schema ? t->target_schema : t->target_name);
	}
	quote_array(&b, s->table_count, names);
	free(names);
	return strbuf_take(&b);
}

static struct rows *by_names(struct pg *c, const char *sql, const struct store_mirror *s, bool source,
	struct error *e)
{
	char *schemas = array_of(s, source, true), *names = array_of(s, source, false);
	struct rows *r = PG_ROWS(c, e, sql, schemas, names);
	free(schemas);
	free(names);
	return r;
}

/* Of tables that this mirror made: what others have is theirs to know. Children come with their parents. */
static bool is_made(const struct store_mirror *s, const struct store_table *t)
{
	char mark[4 * NAME_SIZE];
	snprintf(mark, sizeof(mark), "%s %s.%s", schema_kind_name(SCHEMA_TABLE), t->target_schema, t->target_name);
	for (size_t i = 0; i < s->steps.count; i++)
		if (strcmp(s->steps.items[i], mark) == 0)
			return true;
	return false;
}

enum { G_PLACE, G_COLUMN, G_TYPE, G_EXPRESSION, G_KIND };

static bool target_has(const struct evolve *v, const struct store_table *t, const char *column, bool *has,
	struct error *e)
{
	char *name = quoted(t->target_schema, t->target_name);
	struct rows *r = PG_ROWS(v->target, e, "SELECT to_regclass($1) IS NULL OR EXISTS (SELECT 1"
		" FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped)",
		name, column);
	free(name);
	if (!r)
		return false;
	*has = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

static void add_rename(struct strbuf *b, const struct store_table *t, const char *from, const char *to)
{
	strbuf_add(b, "ALTER TABLE ");
	quote_qualified(b, t->target_schema, t->target_name);
	strbuf_add(b, " RENAME COLUMN ");
	quote_name(b, from);
	strbuf_add(b, " TO ");
	quote_name(b, to);
}

/* The expression has the source's names, and only PostgreSQL knows which of its words are columns. So the columns
 * are called as on the source while the new one is made, in the same transaction. */
static bool as_on_source(const struct evolve *v, const struct store_table *t, struct strbuf *before,
	struct strbuf *after, struct error *e)
{
	bool has = false, ok = true;
	for (size_t i = 0; ok && i < t->renamed.count; i++) {
		const struct column_map *c = &t->renamed.items[i];
		ok = target_has(v, t, c->target, &has, e);
		if (!ok || !has)
			continue;
		add_rename(before, t, c->target, c->source);
		strbuf_add(before, "; ");
		strbuf_add(after, "; ");
		add_rename(after, t, c->source, c->target);
	}
	return ok;
}

static bool run_generated(const struct evolve *v, const struct store_table *t, const char *statement,
	struct error *e)
{
	struct strbuf sql = STRBUF_INIT, after = STRBUF_INIT;
	bool ok = as_on_source(v, t, &sql, &after, e);
	strbuf_add(&sql, statement);
	strbuf_add(&sql, after.text ? after.text : "");
	ok = ok && pg_run(v->target, e, sql.text);
	strbuf_free(&sql);
	strbuf_free(&after);
	return ok;
}

static bool add_generated(const struct evolve *v, const struct store_table *t, const struct rows *r, int i,
	struct strings *done, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	bool is_virtual = rows_text(r, i, G_KIND)[0] == 'v' && pg_version(v->target) >= PG_HAS_VIRTUAL;
	strbuf_add(&sql, "ALTER TABLE ");
	quote_qualified(&sql, t->target_schema, t->target_name);
	strbuf_add(&sql, " ADD COLUMN IF NOT EXISTS ");
	quote_name(&sql, renames_target(&t->renamed, rows_text(r, i, G_COLUMN)));
	strbuf_addf(&sql, " %s GENERATED ALWAYS AS (%s) %s", rows_text(r, i, G_TYPE), rows_text(r, i, G_EXPRESSION),
		is_virtual ? "VIRTUAL" : "STORED");
	bool ok = run_generated(v, t, sql.text, e);
	if (ok)
		strings_add(done, sql.text);
	strbuf_free(&sql);
	return ok || passes(v, e);
}

static bool settle_generated(const struct evolve *v, const struct store_mirror *s, struct strings *done,
	struct error *e)
{
	if (pg_version(v->source) < PG_HAS_GENERATED || pg_version(v->target) < PG_HAS_GENERATED)
		return true;
	struct rows *r = by_names(v->source,
		"SELECT t.no, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
		"  pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated"
		" FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
		" JOIN pg_catalog.pg_namespace n ON n.nspname = t.s"
		" JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.n AND NOT c.relispartition"
		" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped"
		" JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ORDER BY t.no, a.attnum",
		s, true, e);
	bool ok = r != NULL;
	for (int i = 0; ok && i < rows_count(r); i++) {
		const struct store_table *t = &s->tables[rows_int(r, i, G_PLACE) - 1];
		const char *column = rows_text(r, i, G_COLUMN);
		bool has = selection_leaves_out(v->config, t->source_schema, t->source_name, column) || !is_made(s, t);
		ok = has || target_has(v, t, renames_target(&t->renamed, column), &has, e);
		if (ok && !has)
			ok = add_generated(v, t, r, i, done, e);
	}
	rows_free(r);
	return ok;
}

bool evolve_settle(const struct evolve *v, const struct store_mirror *store, struct strings *done,
	struct error *e)
{
	return run_later(v, done, e) && settle_generated(v, store, done, e);
}

/* ---- partitions ---- */

static bool is_excluded(const struct mirror_config *m, const char *schema, const char *name)
{
	struct mirror_config all = { .tables = { (char *[]){ (char[]){ "*" } }, 1 }, .exclude = m->exclude };
	return !selection_takes(&all, schema, name);
}

bool evolve_new_partitions(const struct evolve *v, const struct store_mirror *store, struct strings *names,
	struct error *e)
{
	struct rows *r = by_names(v->source,
		"WITH RECURSIVE known AS (SELECT c.oid FROM unnest($1::text[], $2::text[]) t (s, n)"
		"   JOIN pg_catalog.pg_namespace n ON n.nspname = t.s"
		"   JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.n),"
		" tree AS (SELECT k.oid FROM known k JOIN pg_catalog.pg_class c ON c.oid = k.oid AND c.relkind = 'p'"
		"  UNION SELECT c.oid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid"
		"   JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition AND c.relkind IN ('r', 'p'))"
		" SELECT n.nspname, c.relname FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.oid = tree.oid) ORDER BY 1, 2", store, true, e);
	for (int i = 0; r && i < rows_count(r); i++) {
		const char *schema = rows_text(r, i, 0), *table = rows_text(r, i, 1);
		char *name = xasprintf("%s.%s", schema, table);
		if (!is_excluded(v->config, schema, table))
			strings_add(names, name);
		free(name);
	}
	rows_free(r);
	return r != NULL;
}
