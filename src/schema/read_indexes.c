// SPDX-License-Identifier: PostgreSQL
/* Indexes with the constraints they are for. */
#include <stdlib.h>

#include "defs.h"
#include "text.h"

enum index_field {
	INDEX_OID,
	INDEX_TABLE,
	INDEX_NAME,
	INDEX_DEFINITION,
	INDEX_PREFIX,
	INDEX_UNIQUE,
	INDEX_VALID,
	INDEX_PARTITIONED,
	INDEX_IDENTITY,
	INDEX_CLUSTERED,
	INDEX_METHOD,
	INDEX_PARENT,
	INDEX_SIZE,
	INDEX_STATISTICS,
	INDEX_COLUMNS,
	INDEX_EXPRESSIONS,
	INDEX_OPTIONS,
	INDEX_CONSTRAINT,
	INDEX_CONSTRAINT_DEFINITION,
	INDEX_DEFERRABLE,
	INDEX_DEFERRED,
};

/* The columns of an index: indkey, which has zeros for expressions, and what those and a predicate
 * name. */
#define INDEX_COLUMNS_SQL                                                                          \
	"array_to_string(i.indkey::int2[], ' ')"                                                       \
	" || case when i.indexprs is null and i.indpred is null then ''"                               \
	" else coalesce((select ' ' || string_agg(refobjsubid::text, ' ') from pg_depend"              \
	" where classid = 'pg_class'::regclass and objid = i.indexrelid"                               \
	" and refclassid = 'pg_class'::regclass and refobjid = i.indrelid), '') end"

/* Only expressions can have a statistics target of their own. */
#define INDEX_STATISTICS_SQL                                                                       \
	"case when i.indexprs is not null then"                                                        \
	" (select string_agg(attnum || ' ' || attstattarget, ' ' order by attnum) from pg_attribute"   \
	" where attrelid = i.indexrelid and attstattarget >= 0) end"

static char *indexes_sql(const struct pg *c)
{
	bool trees = pg_version(c) >= SINCE_PARTITIONED_INDEX;
	return xasprintf(
		"select i.indexrelid, i.indrelid, ic.relname, pg_get_indexdef(i.indexrelid),"
		" format('CREATE %%sINDEX %%I ON %%s%%I.%%I USING ',"
		" case when i.indisunique then 'UNIQUE ' else '' end, ic.relname,"
		" case ic.relkind when 'I' then 'ONLY ' else '' end, n.nspname, c.relname),"
		" i.indisunique, i.indisvalid and i.indisready, ic.relkind = 'I', %s, i.indisclustered,"
		" am.amname, %s, ic.relpages::bigint * current_setting('block_size')::bigint,"
		" " INDEX_STATISTICS_SQL ", " INDEX_COLUMNS_SQL ","
		" i.indexprs is not null or i.indpred is not null,"
		" %s, con.contype, pg_get_constraintdef(con.oid), con.condeferrable, con.condeferred"
		" from pg_index i join pg_class ic on ic.oid = i.indexrelid"
		" join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace"
		" join pg_am am on am.oid = ic.relam"
		" left join pg_constraint con on con.conrelid = i.indrelid"
		" and con.conindid = i.indexrelid and con.contype in ('p', 'u', 'x')%s"
		" where i.indrelid = any($1::oid[]) order by i.indrelid, ic.relname",
		defs_since(c, SINCE_REPLICA_IDENTITY, "i.indisreplident", "false"),
		trees ? "h.inhparent" : "null", OPTIONS_SQL("ic.reloptions", ""),
		trees ? " left join pg_inherits h on h.inhrelid = i.indexrelid" : "");
}

static struct def_index index_at(const struct rows *r, int row)
{
	return (struct def_index){
		.oid = rows_int(r, row, INDEX_OID),
		.name = rows_text(r, row, INDEX_NAME),
		.definition = rows_text(r, row, INDEX_DEFINITION),
		.prefix = rows_text(r, row, INDEX_PREFIX),
		.unique = rows_bool(r, row, INDEX_UNIQUE),
		.valid = rows_bool(r, row, INDEX_VALID),
		.partitioned = rows_bool(r, row, INDEX_PARTITIONED),
		.replica_identity = rows_bool(r, row, INDEX_IDENTITY),
		.clustered = rows_bool(r, row, INDEX_CLUSTERED),
		.method = rows_text(r, row, INDEX_METHOD),
		.parent = rows_int(r, row, INDEX_PARENT),
		.bytes = rows_int(r, row, INDEX_SIZE),
		.statistics = rows_text(r, row, INDEX_STATISTICS),
		.expressions = rows_bool(r, row, INDEX_EXPRESSIONS),
		.options = rows_text(r, row, INDEX_OPTIONS),
		.constraint = rows_text(r, row, INDEX_CONSTRAINT)[0],
		.constraint_definition = rows_text(r, row, INDEX_CONSTRAINT_DEFINITION),
		.deferrable = rows_bool(r, row, INDEX_DEFERRABLE),
		.deferred = rows_bool(r, row, INDEX_DEFERRED),
	};
}

bool defs_read_indexes(struct defs *d, struct error *e)
{
	const struct rows *r = defs_query(d, e, indexes_sql(d->source), d->made_oids);
	if (!r)
		return false;
	for (int row = 0; row < rows_count(r); row++) {
		struct def_table *t = defs_table(d, rows_int(r, row, INDEX_TABLE));
		struct def_index index = index_at(r, row);
		index.excluded = def_uses_excluded(t, rows_text(r, row, INDEX_COLUMNS));
		index.renamed = def_uses_renamed(t, rows_text(r, row, INDEX_COLUMNS));
		GROW(t->indexes, t->index_count);
		t->indexes[t->index_count++] = index;
	}
	return true;
}
