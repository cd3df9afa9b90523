// SPDX-License-Identifier: PostgreSQL
/* Tables, their place in trees, their columns and checks. */
#include <stdlib.h>
#include <string.h>

#include <pgpier/selection.h>

#include "defs.h"
#include "text.h"

/* ---- tables ---- */

enum table_field {
	TABLE_OID,
	TABLE_RELKIND,
	TABLE_PERSISTENCE,
	TABLE_OPTIONS,
	TABLE_TOAST_OPTIONS,
	TABLE_IDENTITY,
	TABLE_METHOD,
	TABLE_IS_PARTITION,
	TABLE_PARTITION_KEY,
	TABLE_BOUND,
	TABLE_SIZE,
};

static char *tables_sql(const struct pg *c)
{
	bool methods = pg_version(c) >= SINCE_TABLE_METHOD;
	bool partitions = pg_version(c) >= SINCE_PARTITIONS;
	return xasprintf("select c.oid, c.relkind, c.relpersistence, %s, %s, %s, %s, %s, %s, %s,"
					 " c.relpages::bigint * current_setting('block_size')::bigint"
					 " from pg_class c left join pg_class tc on tc.oid = c.reltoastrelid%s"
					 " where c.oid = any($1::oid[])",
		OPTIONS_SQL("c.reloptions", ""), OPTIONS_SQL("tc.reloptions", "'toast.' || "),
		defs_since(c, SINCE_REPLICA_IDENTITY, "c.relreplident", "'d'"),
		methods ? "am.amname" : "''", partitions ? "c.relispartition" : "false",
		partitions ? "case c.relkind when 'p' then pg_get_partkeydef(c.oid) end" : "''",
		partitions ? "pg_get_expr(c.relpartbound, c.oid)" : "''",
		methods ? " left join pg_am am on am.oid = c.relam and am.amname <> 'heap'" : "");
}

static const char *both_options(struct defs *d, const char *own, const char *toast)
{
	if (toast[0] == '\0' || own[0] == '\0')
		return toast[0] == '\0' ? own : toast;
	return defs_text_take(d, xasprintf("%s, %s", own, toast));
}

static void fill_table(struct defs *d, struct def_table *t, const struct rows *r, int row)
{
	t->found = true;
	t->made = !t->wanted->exists;
	t->partitioned = rows_text(r, row, TABLE_RELKIND)[0] == 'p';
	t->partition = rows_bool(r, row, TABLE_IS_PARTITION);
	t->unlogged = rows_text(r, row, TABLE_PERSISTENCE)[0] == 'u';
	t->options =
		both_options(d, rows_text(r, row, TABLE_OPTIONS), rows_text(r, row, TABLE_TOAST_OPTIONS));
	t->replica_identity = rows_text(r, row, TABLE_IDENTITY)[0];
	t->method = rows_text(r, row, TABLE_METHOD);
	t->partition_key = rows_text(r, row, TABLE_PARTITION_KEY);
	t->bound = rows_text(r, row, TABLE_BOUND);
	t->bytes = rows_int(r, row, TABLE_SIZE);
}

static char *oids_of(const struct defs *d, bool made_only)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < d->table_count; i++)
		if (!made_only || d->tables[i].made)
			text_oids_add(&b, d->tables[i].wanted->oid);
	text_oids_end(&b);
	return strbuf_take(&b);
}

static bool read_parents(struct defs *d, const char *oids, struct error *e)
{
	const struct rows *r = defs_query(d, e,
		xasprintf("select inhrelid, inhparent from pg_inherits where inhrelid = any($1::oid[])%s"
				  " order by inhrelid, inhseqno",
			defs_since(d->source, SINCE_DETACH_PENDING, " and not inhdetachpending", "")),
		oids);
	if (!r)
		return false;
	for (int row = 0; row < rows_count(r); row++) {
		struct def_table *child = defs_table(d, rows_int(r, row, 0));
		struct def_table *parent = defs_table(d, rows_int(r, row, 1));
		if (!child || !parent)
			continue;
		GROW(child->parents, child->parent_count);
		child->parents[child->parent_count++] = defs_table_number(d, parent);
		parent->has_children = true;
	}
	return true;
}

/* Inheritance has no cycles, so this ends after as many rounds as the tree is deep. */
static void set_depths(struct defs *d)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < d->table_count; i++) {
			struct def_table *t = &d->tables[i];
			for (size_t p = 0; p < t->parent_count; p++) {
				int least = d->tables[t->parents[p]].depth + 1;
				moved = moved || t->depth < least;
				t->depth = MAX(t->depth, least);
			}
		}
	}
}

bool defs_read_tables(struct defs *d, struct error *e)
{
	char *oids = oids_of(d, false);
	const struct rows *r = defs_query(d, e, tables_sql(d->source), oids);
	for (int row = 0; r && row < rows_count(r); row++) {
		struct def_table *t = defs_table(d, rows_int(r, row, TABLE_OID));
		if (t)
			fill_table(d, t, r, row);
	}
	bool ok = r && read_parents(d, oids, e);
	free(oids);
	set_depths(d);
	d->made_oids = oids_of(d, true);
	return ok;
}

/* ---- columns ---- */

/* Of a column's options only those a person can set: PostgreSQL 15.20 keeps one of its own
 * (pg_attver) beside them, which pg_dump leaves out as well. */

char *defs_columns_sql(const struct pg *c)
{
	bool names = pg_version(c) >= SINCE_NOT_NULL_NAMES;
	return xasprintf(
		"select a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid,"
		" a.attnotnull, case when a.attcollation <> t.typcollation"
		" then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) else '' end,"
		" pg_get_expr(d.adbin, d.adrelid), d.oid, %s, %s,"
		" case when a.attstorage = t.typstorage then '' else"
		" case a.attstorage when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN'"
		" else 'EXTENDED' end end,"
		" case %s when 'p' then 'pglz' when 'l' then 'lz4' else '' end,"
		" coalesce(nullif(a.attstattarget, -1)::text, ''), %s, a.attislocal, a.attinhcount > 0, %s"
		" from pg_attribute a join pg_type t on t.oid = a.atttypid"
		" left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
		" left join pg_collation co on co.oid = a.attcollation"
		" left join pg_namespace cn on cn.oid = co.collnamespace%s"
		" where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped"
		" order by a.attrelid, a.attnum",
		defs_since(c, SINCE_IDENTITY, "a.attidentity", "''"),
		defs_since(c, SINCE_GENERATED, "a.attgenerated", "''"),
		defs_since(c, SINCE_COMPRESSION, "a.attcompression", "''"),
		OPTIONS_SQL("array(select x from unnest(a.attoptions) x where x like 'n\\_distinct%')", ""),
		names ? "nn.conname, nn.connoinherit, coalesce(nn.convalidated, true)"
			  : "null, false, true",
		names ? " left join pg_constraint nn on nn.conrelid = a.attrelid and nn.contype = 'n'"
				" and nn.conkey = array[a.attnum]"
			  : "");
}

static struct def_column column_at(const struct rows *r, int row)
{
	bool valid = rows_bool(r, row, COLUMN_NOT_NULL_VALID);
	return (struct def_column){
		.number = (int)rows_int(r, row, COLUMN_NUMBER),
		.name = rows_text(r, row, COLUMN_NAME),
		.type = rows_text(r, row, COLUMN_TYPE),
		.type_oid = rows_int(r, row, COLUMN_TYPE_OID),
		.default_oid = rows_int(r, row, COLUMN_DEFAULT_OID),
		.collation = rows_text(r, row, COLUMN_COLLATION),
		.default_text =
			rows_null(r, row, COLUMN_DEFAULT) ? NULL : rows_text(r, row, COLUMN_DEFAULT),
		.identity = rows_text(r, row, COLUMN_IDENTITY)[0],
		.generated = rows_text(r, row, COLUMN_GENERATED)[0],
		.storage = rows_text(r, row, COLUMN_STORAGE),
		.compression = rows_text(r, row, COLUMN_COMPRESSION),
		.options = rows_text(r, row, COLUMN_OPTIONS),
		.statistics = rows_text(r, row, COLUMN_STATISTICS),
		/* A NOT NULL that is not valid (18+) must not meet the rows: it is made after them. */
		.not_null = rows_bool(r, row, COLUMN_NOT_NULL) && valid,
		.local = rows_bool(r, row, COLUMN_LOCAL),
		.inherited = rows_bool(r, row, COLUMN_INHERITED),
		.not_null_name = rows_text(r, row, COLUMN_NOT_NULL_NAME),
		.not_null_local_only = rows_bool(r, row, COLUMN_NOT_NULL_LOCAL_ONLY),
	};
}

/* What depends on an excluded column: a generated column by its expression, the table (number 0) by
 * its partition key. */
#define COLUMN_USES_SQL                                                                            \
	"select a.adrelid, a.adnum, d.refobjsubid from pg_attrdef a join pg_depend d"                  \
	" on d.classid = 'pg_attrdef'::regclass and d.objid = a.oid"                                   \
	" and d.refclassid = 'pg_class'::regclass and d.refobjid = a.adrelid"                          \
	" and d.refobjsubid <> a.adnum where a.adrelid = any($1::oid[])"
#define KEY_USES_SQL                                                                               \
	" union all select partrelid, 0, k.number from pg_partitioned_table p,"                        \
	" unnest(p.partattrs::int2[]) k (number) where p.partrelid = any($1::oid[])"

static bool read_column_uses(struct defs *d, struct error *e)
{
	const struct rows *r = defs_query(d, e,
		xasprintf(
			"%s%s", COLUMN_USES_SQL, defs_since(d->source, SINCE_PARTITIONS, KEY_USES_SQL, "")),
		d->made_oids);
	for (int row = 0; r && row < rows_count(r); row++) {
		struct def_table *t = defs_table(d, rows_int(r, row, 0));
		struct def_column *user = def_column(t, (int)rows_int(r, row, 1));
		const struct def_column *used = def_column(t, (int)rows_int(r, row, 2));
		if (!used || !used->excluded)
			continue;
		if (user)
			user->uses_excluded = used->name;
		else
			t->key_uses_excluded = used->name;
	}
	return r != NULL;
}

bool defs_read_columns(struct defs *d, struct error *e)
{
	const struct rows *r = defs_query(d, e, defs_columns_sql(d->source), d->made_oids);
	if (!r)
		return false;
	for (int row = 0; row < rows_count(r); row++) {
		struct def_table *t = defs_table(d, rows_int(r, row, COLUMN_TABLE));
		struct def_column column = column_at(r, row);
		column.excluded = selection_leaves_out(
			d->mirror, t->wanted->source_schema, t->wanted->source_name, column.name);
		column.target_name = renames_target(t->wanted->renamed, column.name);
		GROW(t->columns, t->column_count);
		t->columns[t->column_count++] = column;
	}
	return d->mirror->columns_exclude.count == 0 || read_column_uses(d, e);
}

/* ---- checks ---- */

enum check_field {
	CHECK_OID,
	CHECK_TABLE,
	CHECK_NAME,
	CHECK_DEFINITION,
	CHECK_VALID,
	CHECK_LOCAL,
	CHECK_INHERITED,
	CHECK_COLUMNS,
	CHECK_TYPE,
};

bool defs_read_checks(struct defs *d, struct error *e)
{
	const struct rows *r = defs_query(d, e,
		xasprintf("select oid, conrelid, conname, pg_get_constraintdef(oid), convalidated,"
				  " conislocal, coninhcount > 0, array_to_string(conkey, ' '), contype"
				  " from pg_constraint where conrelid = any($1::oid[]) and (contype = 'c'%s)"
				  " order by conrelid, conname",
			defs_since(
				d->source, SINCE_NOT_NULL_NAMES, " or contype = 'n' and not convalidated", "")),
		d->made_oids);
	if (!r)
		return false;
	for (int row = 0; row < rows_count(r); row++) {
		struct def_table *t = defs_table(d, rows_int(r, row, CHECK_TABLE));
		GROW(t->checks, t->check_count);
		t->checks[t->check_count++] = (struct def_check){
			.oid = rows_int(r, row, CHECK_OID),
			.name = rows_text(r, row, CHECK_NAME),
			.definition = rows_text(r, row, CHECK_DEFINITION),
			.validated = rows_bool(r, row, CHECK_VALID),
			.local = rows_bool(r, row, CHECK_LOCAL),
			.inherited = rows_bool(r, row, CHECK_INHERITED),
			.not_null = rows_text(r, row, CHECK_TYPE)[0] == 'n',
			.excluded = def_uses_excluded(t, rows_text(r, row, CHECK_COLUMNS)),
			.renamed = def_uses_renamed(t, rows_text(r, row, CHECK_COLUMNS)),
		};
	}
	return true;
}
