// SPDX-License-Identifier: PostgreSQL
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../schema/text.h"
#include "evolve.h"

/* Versions that brought what is asked for. */
#define PG_KEEPS_MISSING 110000
#define PG_HAS_GENERATED 120000

static void keep(struct evolve_sides *s, struct rows *r)
{
	GROW(s->kept, s->kept_count);
	s->kept[s->kept_count++] = r;
}

static const char *keep_text(struct evolve_sides *s, char *take)
{
	strings_add(&s->texts, take);
	free(take);
	return s->texts.items[s->texts.count - 1];
}

void evolve_sides_free(struct evolve_sides *s)
{
	for (size_t i = 0; i < s->kept_count; i++)
		rows_free(s->kept[i]);
	free(s->kept);
	rows_free(s->columns);
	strings_free(&s->key);
	strings_free(&s->texts);
	free(s->source);
	free(s->target);
	free(s->root);
	*s = (struct evolve_sides){ 0 };
}

static char *quoted(const char *schema, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_qualified(&b, schema, name);
	return strbuf_take(&b);
}

/* ---- the target ---- */

enum { T_NAME, T_TYPE, T_FILLED };

static bool read_target(const struct evolve *v, struct evolve_sides *s, struct error *e)
{
	char *sql = xasprintf(
		"SELECT attname, pg_catalog.format_type(atttypid, atttypmod), %s FROM pg_catalog.pg_attribute"
		" WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
		pg_version(v->target) >= PG_KEEPS_MISSING ? "atthasmissing" : "false");
	s->columns = PG_ROWS(v->target, e, sql, s->target);
	free(sql);
	if (!s->columns)
		return false;
	struct rows *root = PG_ROWS(v->target, e,
		"WITH RECURSIVE up AS (SELECT to_regclass($1)::oid AS oid, 0 AS height"
		"  UNION ALL SELECT i.inhparent, up.height + 1 FROM up"
		"   JOIN pg_catalog.pg_class c ON c.oid = up.oid AND c.relispartition"
		"   JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.oid)"
		" SELECT oid::regclass FROM up WHERE oid IS NOT NULL ORDER BY height DESC LIMIT 1", s->target);
	if (!root)
		return false;
	s->target_found = rows_count(root) > 0;
	s->root = xstrdup(s->target_found ? rows_text(root, 0, 0) : s->target);
	rows_free(root);
	return true;
}

static int target_row(const struct evolve_sides *s, const char *column)
{
	for (int i = 0; i < rows_count(s->columns); i++)
		if (strcmp(rows_text(s->columns, i, T_NAME), column) == 0)
			return i;
	return -1;
}

bool evolve_target_has(const struct evolve_sides *s, const char *column)
{
	return target_row(s, column) >= 0;
}

/* ---- the source ---- */

/* With REPLICA IDENTITY FULL every column is part of the identity, and the primary key finds the row. */
static bool read_key(const struct evolve *v, const struct ddl_relation *now, struct evolve_sides *s,
	struct error *e)
{
	char oid[12];
	for (size_t i = 0; now->identity != 'f' && i < now->count; i++)
		if (now->columns[i].key)
			strings_add(&s->key, now->columns[i].name);
	if (now->identity != 'f')
		return true;
	snprintf(oid, sizeof(oid), "%" PRIu32, now->id);
	struct rows *r = PG_ROWS(v->source, e,
		"SELECT a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid"
		" AND a.attnum = ANY (i.indkey::int2[]) WHERE i.indrelid = $1::oid AND i.indisprimary", oid);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(&s->key, rows_text(r, i, 0));
	rows_free(r);
	return r != NULL;
}

static bool read_file(const struct evolve *v, const struct store_table *t, const struct ddl_relation *now,
	struct evolve_sides *s, struct error *e)
{
	char oid[12];
	snprintf(oid, sizeof(oid), "%" PRIu32, now->id);
	struct rows *r = PG_ROWS(v->source, e, "SELECT relfilenode FROM pg_catalog.pg_class WHERE oid = $1::oid", oid);
	if (!r)
		return false;
	s->rewritten = rows_count(r) == 0 || t->filenode == 0 || rows_int(r, 0, 0) != t->filenode;
	rows_free(r);
	return true;
}

bool evolve_sides_read(const struct evolve *v, const struct store_table *t, const struct ddl_relation *now,
	struct evolve_sides *s, struct error *e)
{
	*s = (struct evolve_sides){ .source = quoted(now->schema, now->name),
		.target = quoted(t->target_schema, t->target_name) };
	return read_target(v, s, e) && read_key(v, now, s, e) && read_file(v, t, now, s, e);
}

/* In order: missing value, generated. The sequence is one that the default uses. */
static const char column_sql[] =
	"SELECT CASE WHEN a.attcollation <> t.typcollation"
	"   THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) ELSE '' END,"
	"  a.attnotnull, a.attidentity, %s, pg_catalog.pg_get_expr(d.adbin, d.adrelid), %s,"
	"  s.name, s.schema, s.quoted, s.options"
	" FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
	" LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation"
	" LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace"
	" LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
	" LEFT JOIN LATERAL (SELECT c.relname AS name, n.nspname AS schema, c.oid::regclass::text AS quoted,"
	"    pg_catalog.format('AS %%s START %%s INCREMENT %%s MINVALUE %%s MAXVALUE %%s CACHE %%s%%s',"
	"     pg_catalog.format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,"
	"     CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END) AS options"
	"   FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_class c ON c.oid = p.refobjid AND c.relkind = 'S'"
	"   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	"   JOIN pg_catalog.pg_sequence q ON q.seqrelid = c.oid"
	"   WHERE p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid"
	"    AND p.refclassid = 'pg_catalog.pg_class'::regclass LIMIT 1) s ON true"
	" WHERE a.attrelid = $1::oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped";

enum {
	C_COLLATION, C_NOT_NULL, C_IDENTITY, C_GENERATED, C_DEFAULT, C_MISSING, C_SEQUENCE, C_SEQUENCE_SCHEMA,
	C_SEQUENCE_QUOTED, C_SEQUENCE_OPTIONS,
};

/* A sequence goes where its table goes, as those do that were made before the load. */
static void take_sequence(const struct store_table *t, const struct rows *r, struct evolve_sides *s,
	struct evolve_column *out)
{
	const char *schema = rows_text(r, 0, C_SEQUENCE_SCHEMA);
	if (strcmp(schema, t->source_schema) == 0)
		schema = t->target_schema;
	struct strbuf from = STRBUF_INIT, to = STRBUF_INIT;
	out->sequence = keep_text(s, quoted(schema, rows_text(r, 0, C_SEQUENCE)));
	out->sequence_options = rows_text(r, 0, C_SEQUENCE_OPTIONS);
	quote_literal(&from, rows_text(r, 0, C_SEQUENCE_QUOTED));
	quote_literal(&to, out->sequence);
	out->default_text = keep_text(s, text_replace(out->default_text, from.text, to.text));
	strbuf_free(&from);
	strbuf_free(&to);
}

static void take_source(const struct store_table *t, const struct rows *r, struct evolve_sides *s,
	struct evolve_column *out)
{
	out->found = true;
	out->collation = rows_text(r, 0, C_COLLATION);
	out->not_null = rows_bool(r, 0, C_NOT_NULL);
	out->identity = rows_text(r, 0, C_IDENTITY)[0];
	out->default_text = rows_null(r, 0, C_DEFAULT) ? NULL : rows_text(r, 0, C_DEFAULT);
	out->missing = rows_null(r, 0, C_MISSING) ? NULL : rows_text(r, 0, C_MISSING);
	if (out->default_text && !rows_null(r, 0, C_SEQUENCE))
		take_sequence(t, r, s, out);
}

static bool read_type(const struct evolve *v, const struct ddl_column *c, struct evolve_sides *s,
	struct evolve_column *out, struct error *e)
{
	char type[12], typmod[12];
	snprintf(type, sizeof(type), "%" PRIu32, c->type);
	snprintf(typmod, sizeof(typmod), "%" PRId32, c->typmod);
	struct rows *r = PG_ROWS(v->source, e, "SELECT pg_catalog.format_type($1::oid, $2::int4)", type, typmod);
	if (!r)
		return false;
	keep(s, r);
	out->type = rows_text(r, 0, 0);
	return true;
}

bool evolve_column_read(const struct evolve *v, const struct store_table *t, const struct ddl_relation *now,
	const struct ddl_column *c, struct evolve_sides *s, struct evolve_column *out, struct error *e)
{
	char oid[12];
	int version = pg_version(v->source), row = target_row(s, renames_target(&t->renamed, c->name));
	*out = (struct evolve_column){ .collation = "", .there = row >= 0 };
	if (row >= 0) {
		out->target_type = rows_text(s->columns, row, T_TYPE);
		out->target_filled = rows_bool(s->columns, row, T_FILLED);
	}
	snprintf(oid, sizeof(oid), "%" PRIu32, now->id);
	char *sql = xasprintf(column_sql, version >= PG_HAS_GENERATED ? "a.attgenerated" : "''",
		version >= PG_KEEPS_MISSING
			? "CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END" : "NULL");
	struct rows *r = PG_ROWS(v->source, e, sql, oid, c->name);
	free(sql);
	if (!r)
		return false;
	keep(s, r);
	if (rows_count(r) > 0)
		take_source(t, r, s, out);
	return read_type(v, c, s, out, e);
}

/* ---- descriptions ---- */

enum { D_PLACE, D_ID, D_SCHEMA, D_NAME, D_IDENTITY, D_COLUMN, D_TYPE, D_TYPMOD, D_KEY };

static void describe_rows(const struct rows *r, char **texts)
{
	for (int i = 0; i < rows_count(r);) {
		size_t place = (size_t)rows_int(r, i, D_PLACE) - 1;
		struct ddl_relation one = { .id = (uint32_t)rows_int(r, i, D_ID),
			.schema = xstrdup(rows_text(r, i, D_SCHEMA)), .name = xstrdup(rows_text(r, i, D_NAME)),
			.identity = rows_text(r, i, D_IDENTITY)[0] };
		for (; i < rows_count(r) && (size_t)rows_int(r, i, D_PLACE) - 1 == place; i++)
			if (!rows_null(r, i, D_COLUMN))
				ddl_add(&one, rows_text(r, i, D_COLUMN), (uint32_t)rows_int(r, i, D_TYPE),
					(int32_t)rows_int(r, i, D_TYPMOD), rows_bool(r, i, D_KEY), 0);
		texts[place] = ddl_describe(&one);
		ddl_free(&one);
	}
}

/* Without generated columns, as the stream has them. */
bool evolve_describe(struct pg *source, const int64_t *oids, size_t n, char **texts, struct error *e)
{
	struct strbuf list = STRBUF_INIT;
	for (size_t i = 0; i < n; i++)
		text_oids_add(&list, oids[i]);
	text_oids_end(&list);
	char *sql = xasprintf(
		"SELECT o.no, c.oid, s.nspname, c.relname, c.relreplident, a.attname, a.atttypid, a.atttypmod,"
		"  c.relreplident = 'f' OR a.attnum = ANY (i.keys)"
		" FROM unnest($1::oid[]) WITH ORDINALITY o (oid, no) JOIN pg_catalog.pg_class c ON c.oid = o.oid"
		" JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace"
		" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped%s"
		" LEFT JOIN LATERAL (SELECT x.indkey::int2[] AS keys FROM pg_catalog.pg_index x"
		"   WHERE x.indrelid = c.oid AND CASE c.relreplident WHEN 'i' THEN x.indisreplident"
		"    WHEN 'd' THEN x.indisprimary ELSE false END LIMIT 1) i ON true ORDER BY o.no, a.attnum",
		pg_version(source) >= PG_HAS_GENERATED ? " AND a.attgenerated = ''" : "");
	struct rows *r = PG_ROWS(source, e, sql, list.text);
	for (size_t i = 0; i < n; i++)
		texts[i] = NULL;
	if (r)
		describe_rows(r, texts);
	rows_free(r);
	free(sql);
	strbuf_free(&list);
	return r != NULL;
}
