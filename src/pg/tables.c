// SPDX-License-Identifier: PostgreSQL
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "../shared.h"

/* Versions that brought what the queries use. */
#define PG_HAS_REPLICA_IDENTITY 90400
#define PG_HAS_ROW_SECURITY 90500
#define PG_HAS_PARTITIONS 100000
#define PG_HAS_IDENTITY 100000
#define PG_HAS_GENERATED 120000

/* In order: relispartition, row_security_active, generated, identity, relreplident.
 * Sizes come from relpages where there are any, because pg_relation_size() waits for a locked table. */
static const char tables_sql[] =
	"SELECT c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, c.relpages, c.reltuples,"
	"  CASE WHEN c.relkind = 'p' THEN 0"
	"       WHEN c.relpages > 0 THEN (c.relpages::int8 + coalesce(t.relpages, 0)::int8)"
	"         * current_setting('block_size')::int8"
	"       ELSE pg_catalog.pg_table_size(c.oid) END,"
	"  coalesce((SELECT min(i.inhparent::int8) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid), 0),"
	"  %s, c.relpersistence = 'u', %s,"
	"  EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal),"
	"  NOT pg_catalog.has_table_privilege(c.oid, 'SELECT'), %s, %s,"
	"  (SELECT count(*) FROM pg_catalog.pg_attribute a"
	"    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),"
	"  %s, k.indisprimary, k.attname, k.type, NOT k.attnotnull"
	" FROM pg_catalog.pg_class c"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid"
	" LEFT JOIN LATERAL (SELECT x.indisprimary, a.attname, a.attnotnull,"
	"     pg_catalog.format_type(a.atttypid, NULL) AS type"
	"   FROM pg_catalog.pg_index x JOIN pg_catalog.pg_attribute a"
	"     ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]"
	"   WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate"
	"     AND x.indpred IS NULL AND x.indexprs IS NULL"
	"   ORDER BY x.indisprimary DESC, x.indnatts, x.indexrelid LIMIT 1) k ON true"
	" WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
	"  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgpier')"
	"  AND n.nspname NOT LIKE 'pg\\_temp\\_%%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%%'"
	"  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass"
	"    AND d.objid = c.oid AND d.deptype = 'e')"
	" ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"";

enum {
	T_OID, T_SCHEMA, T_NAME, T_KIND, T_FILENODE, T_PAGES, T_TUPLES, T_BYTES, T_PARENT, T_PARTITION,
	T_UNLOGGED, T_ROW_SECURITY, T_TRIGGERS, T_NO_SELECT, T_GENERATED, T_IDENTITY, T_COLUMNS, T_REPLIDENT,
	T_PRIMARY, T_KEY, T_KEY_TYPE, T_KEY_NULLABLE,
};

static char *tables_statement(int version)
{
	return xasprintf(tables_sql, version >= PG_HAS_PARTITIONS ? "c.relispartition" : "false",
		version >= PG_HAS_ROW_SECURITY ? "pg_catalog.row_security_active(c.oid)" : "false",
		version >= PG_HAS_GENERATED
			? "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '')"
			: "false",
		version >= PG_HAS_IDENTITY
			? "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '')"
			: "false",
		version >= PG_HAS_REPLICA_IDENTITY ? "c.relreplident" : "'d'");
}

static unsigned notes_of(const struct rows *r, int i, const struct table_info *t)
{
	unsigned notes = 0;
	notes |= rows_bool(r, i, T_GENERATED) ? NOTE_GENERATED : 0;
	notes |= rows_bool(r, i, T_IDENTITY) ? NOTE_IDENTITY : 0;
	notes |= t->kind == 'p' ? NOTE_PARTITIONED : 0;
	notes |= t->partition ? NOTE_PARTITION : 0;
	notes |= rows_bool(r, i, T_UNLOGGED) ? NOTE_UNLOGGED : 0;
	notes |= rows_bool(r, i, T_ROW_SECURITY) ? NOTE_ROW_SECURITY : 0;
	notes |= rows_bool(r, i, T_TRIGGERS) ? NOTE_TRIGGERS : 0;
	notes |= t->parent && !t->partition ? NOTE_INHERITS : 0;
	notes |= rows_bool(r, i, T_NO_SELECT) ? NOTE_NO_SELECT : 0;
	notes |= t->kind == 'r' && (t->pages == 0 || t->tuples < 0) && t->bytes > 0 ? NOTE_NO_STATISTICS : 0;
	notes |= t->column_count == 0 ? NOTE_NO_COLUMNS : 0;
	return notes;
}

static enum table_key key_of(const struct rows *r, int i)
{
	if (rows_bool(r, i, T_PRIMARY))
		return KEY_PRIMARY;
	if (rows_text(r, i, T_REPLIDENT)[0] == 'f')
		return KEY_FULL;
	return rows_null(r, i, T_KEY) || rows_bool(r, i, T_KEY_NULLABLE) ? KEY_NONE : KEY_UNIQUE;
}

static char *text_or_null(const struct rows *r, int i, int column)
{
	return rows_null(r, i, column) ? NULL : xstrdup(rows_text(r, i, column));
}

static void table_fill(struct table_info *t, const struct rows *r, int i)
{
	*t = (struct table_info){
		.oid = rows_int(r, i, T_OID),
		.filenode = rows_int(r, i, T_FILENODE),
		.schema = xstrdup(rows_text(r, i, T_SCHEMA)),
		.name = xstrdup(rows_text(r, i, T_NAME)),
		.kind = rows_text(r, i, T_KIND)[0],
		.parent = rows_int(r, i, T_PARENT),
		.partition = rows_bool(r, i, T_PARTITION),
		.pages = rows_int(r, i, T_PAGES),
		.tuples = rows_number(r, i, T_TUPLES),
		.bytes = rows_int(r, i, T_BYTES),
		.key = key_of(r, i),
		.key_column = text_or_null(r, i, T_KEY),
		.key_type = text_or_null(r, i, T_KEY_TYPE),
		.key_nullable = rows_bool(r, i, T_KEY_NULLABLE),
		.column_count = (size_t)rows_int(r, i, T_COLUMNS),
	};
	t->notes = notes_of(r, i, t);
}

bool tables_read(struct pg *c, struct table_info **out, size_t *count, struct error *e)
{
	char *sql = tables_statement(pg_version(c));
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*out = xmalloc(*count * sizeof(**out));
	for (size_t i = 0; i < *count; i++)
		table_fill(&(*out)[i], r, (int)i);
	rows_free(r);
	return true;
}

void tables_free(struct table_info *tables, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(tables[i].schema);
		free(tables[i].name);
		free(tables[i].key_column);
		free(tables[i].key_type);
	}
	free(tables);
}

/* ---- columns ---- */

/* In order: generated, identity. A domain is as safe as what it is made of, three levels deep. Arrays of
 * users' types carry their element's OID, composites those of their columns, reg* types are OIDs, an
 * empty int2vector or oidvector is refused by its own receive function: text. */
static const char columns_sql[] =
	"SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, %s, %s,"
	"  EXISTS (SELECT 1 FROM pg_catalog.pg_index x WHERE x.indrelid = a.attrelid AND x.indisprimary"
	"    AND a.attnum = ANY (x.indkey::int2[])),"
	"  b.typtype = 'e' OR (b.typtype <> 'd' AND b.oid < 16384 AND b.typsend <> 0 AND b.typreceive <> 0"
	"    AND b.typname !~ '^_?(reg|int2vector$|oidvector$)')"
	" FROM pg_catalog.pg_attribute a"
	" JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
	" LEFT JOIN pg_catalog.pg_type d1 ON t.typtype = 'd' AND d1.oid = t.typbasetype"
	" LEFT JOIN pg_catalog.pg_type d2 ON d1.typtype = 'd' AND d2.oid = d1.typbasetype"
	" LEFT JOIN pg_catalog.pg_type d3 ON d2.typtype = 'd' AND d3.oid = d2.typbasetype"
	" JOIN pg_catalog.pg_type b ON b.oid = coalesce(d3.oid, d2.oid, d1.oid, t.oid)"
	" WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped"
	" ORDER BY a.attrelid, a.attnum";

enum { C_TABLE, C_NAME, C_TYPE, C_NOT_NULL, C_GENERATED, C_IDENTITY, C_KEY, C_BINARY };

static char *oid_array(const int64_t *oids, size_t n)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "{");
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s%lld", i ? "," : "", (long long)oids[i]);
	strbuf_add(&b, "}");
	return strbuf_take(&b);
}

bool columns_read(struct pg *c, const int64_t *oids, size_t n, struct column_info **out, size_t *count,
	struct error *e)
{
	int version = pg_version(c);
	char *sql = xasprintf(columns_sql, version >= PG_HAS_GENERATED ? "a.attgenerated <> ''" : "false",
		version >= PG_HAS_IDENTITY ? "a.attidentity <> ''" : "false");
	char *array = oid_array(oids, n);
	struct rows *r = PG_ROWS(c, e, sql, array);
	free(sql);
	free(array);
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*out = xmalloc(*count * sizeof(**out));
	for (int i = 0; i < rows_count(r); i++)
		(*out)[i] = (struct column_info){
			.table = rows_int(r, i, C_TABLE),
			.name = xstrdup(rows_text(r, i, C_NAME)),
			.type = xstrdup(rows_text(r, i, C_TYPE)),
			.not_null = rows_bool(r, i, C_NOT_NULL),
			.generated = rows_bool(r, i, C_GENERATED),
			.identity = rows_bool(r, i, C_IDENTITY),
			.key = rows_bool(r, i, C_KEY),
			.binary = rows_bool(r, i, C_BINARY),
		};
	rows_free(r);
	return true;
}

void columns_free(struct column_info *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(columns[i].name);
		free(columns[i].type);
	}
	free(columns);
}

/* ---- the picker's catalog ---- */

struct place {
	int64_t oid;
	size_t index;
};

static int by_oid(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return (x->oid > y->oid) - (x->oid < y->oid);
}

static void add_columns(struct catalog *catalog, const struct table_info *tables, const struct column_info *columns,
	size_t count)
{
	size_t n = catalog->table_count;
	struct place *places = xmalloc(n * sizeof(*places));
	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){ tables[i].oid, i };
	qsort(places, n, sizeof(*places), by_oid);
	for (size_t i = 0; i < count; i++) {
		const struct place *p =
			bsearch(&(struct place){ columns[i].table, 0 }, places, n, sizeof(*places), by_oid);
		if (!p)
			continue;
		struct catalog_table *t = &catalog->tables[p->index];
		GROW(t->columns, t->column_count);
		t->columns[t->column_count++] = (struct catalog_column){ xstrdup(columns[i].name),
			xstrdup(columns[i].type), columns[i].not_null, columns[i].generated, columns[i].key };
	}
	free(places);
}

static char *refusal_of(const struct table_info *t)
{
	if (t->notes & NOTE_NO_SELECT)
		return xasprintf("our role may not read it; GRANT SELECT ON %s.%s", t->schema, t->name);
	if (t->notes & NOTE_ROW_SECURITY)
		return xstrdup("row security would hide rows from our role; use a role with BYPASSRLS");
	return NULL;
}

/* A parent's size and rows are those of its partitions. Children come in any order: parents' parents add up
 * because each leaf is added to all of its ancestors. */
static void sum_partitions(struct catalog *catalog, const struct table_info *tables)
{
	size_t n = catalog->table_count;
	struct place *places = xmalloc(n * sizeof(*places));
	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){ tables[i].oid, i };
	qsort(places, n, sizeof(*places), by_oid);
	for (size_t i = 0; i < n; i++) {
		if (tables[i].kind != 'r' || !tables[i].partition)
			continue;
		for (int64_t oid = tables[i].parent; oid;) {
			const struct place *p = bsearch(&(struct place){ oid, 0 }, places, n, sizeof(*places), by_oid);
			if (!p)
				break;
			catalog->tables[p->index].bytes += catalog->tables[i].bytes;
			catalog->tables[p->index].rows += MAX(catalog->tables[i].rows, 0);
			oid = tables[p->index].partition ? tables[p->index].parent : 0;
		}
	}
	free(places);
}

struct catalog *catalog_read(struct pg *c, struct error *e)
{
	struct table_info *tables;
	struct column_info *columns;
	size_t n, column_count;
	if (!tables_read(c, &tables, &n, e))
		return NULL;
	int64_t *oids = xmalloc(n * sizeof(*oids));
	for (size_t i = 0; i < n; i++)
		oids[i] = tables[i].oid;
	bool ok = columns_read(c, oids, n, &columns, &column_count, e);
	free(oids);
	if (!ok) {
		tables_free(tables, n);
		return NULL;
	}
	struct catalog *catalog = catalog_new();
	catalog->peer = xstrdup(pg_peer_name(c));
	catalog->taken_at = wall_us();
	catalog->tables = xmalloc(n * sizeof(*catalog->tables));
	catalog->table_count = n;
	for (size_t i = 0; i < n; i++)
		catalog->tables[i] = (struct catalog_table){
			.schema = xstrdup(tables[i].schema),
			.name = xstrdup(tables[i].name),
			.rows = tables[i].kind == 'p' ? 0 : tables[i].tuples < 0 ? -1 : (int64_t)tables[i].tuples,
			.bytes = tables[i].bytes,
			.key = tables[i].key,
			.notes = tables[i].notes,
			.refusal = refusal_of(&tables[i]),
		};
	sum_partitions(catalog, tables);
	add_columns(catalog, tables, columns, column_count);
	columns_free(columns, column_count);
	tables_free(tables, n);
	return catalog;
}
