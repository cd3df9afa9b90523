// SPDX-License-Identifier: PostgreSQL
/* Replica identities and ownership of the tables that will be published.
 *
 * A published table without a replica identity makes the source's own UPDATE and DELETE fail, so it is refused
 * before the publication is made. The same is true of an identity that has a generated column: it is not in
 * the stream, and PostgreSQL 18 refuses the UPDATE, also when the identity is FULL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ready.h"

/* Versions that brought what is asked for. */
#define PG_PUBLISHES_PARENTS 130000
#define PG_REFUSES_GENERATED 180000

/* $1: oids of the tables, $2: take all partitions below them, $3: FULL may have no generated column. x: unique
 * indexes whose columns can identify a row, as PostgreSQL has it: immediate, complete, of plain columns; sent:
 * none of them is generated; filled: all are NOT NULL. */
static const char tables_sql[] =
	"WITH RECURSIVE tree AS (SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY ($1::oid[])"
	"  UNION SELECT c.oid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid"
	"    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition AND $2::bool),"
	" x AS (SELECT i.indrelid, i.indexrelid, i.indisprimary, i.indisreplident, i.indnatts,"
	"    NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a, pg_catalog.jsonb_extract_path_text("
	"        pg_catalog.to_jsonb(a), 'attgenerated') g"
	"      WHERE a.attrelid = i.indrelid AND coalesce(g, '') <> '' AND a.attnum = ANY (k.keys)) AS sent,"
	"    NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid"
	"      AND a.attnum = ANY (k.keys) AND NOT a.attnotnull) AS filled"
	"  FROM tree JOIN pg_catalog.pg_index i ON i.indrelid = tree.oid,"
	"   LATERAL (SELECT (i.indkey::int2[])[0:coalesce((pg_catalog.to_jsonb(i) ->> 'indnkeyatts')::int,"
	"     i.indnatts) - 1] AS keys) k"
	"  WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL),"
	" t AS (SELECT c.oid, c.relkind, c.relpersistence, c.relreplident,"
	"    n.nspname || '.' || c.relname AS name,"
	"    quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted,"
	"    EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped"
	"      AND coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') <> '') AS generated"
	"  FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid"
	"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'),"
	" judged AS (SELECT t.*,"
	"    CASE t.relreplident"
	"      WHEN 'd' THEN (SELECT sent FROM x WHERE x.indrelid = t.oid AND x.indisprimary)"
	"      WHEN 'i' THEN (SELECT sent AND filled FROM x WHERE x.indrelid = t.oid AND x.indisreplident)"
	"      WHEN 'f' THEN CASE WHEN $3::bool AND t.generated THEN false ELSE true END END AS good,"
	"    EXISTS (SELECT 1 FROM x WHERE x.indrelid = t.oid) AS keyed,"
	"    (SELECT quote_ident(ic.relname) FROM x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid"
	"      WHERE x.indrelid = t.oid AND x.sent AND x.filled"
	"      ORDER BY x.indisprimary DESC, x.indnatts, x.indexrelid LIMIT 1) AS candidate FROM t)"
	" SELECT oid, name, quoted, relpersistence = 'u', good, relreplident = 'f' AND NOT keyed, generated,"
	"   candidate, candidate = (SELECT quote_ident(ic.relname) FROM x"
	"     JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid WHERE x.indrelid = judged.oid AND x.indisprimary)"
	"  FROM judged WHERE good IS NOT TRUE OR relpersistence = 'u' OR (relreplident = 'f' AND NOT keyed)"
	"  ORDER BY name COLLATE \"C\"";

enum { T_OID, T_NAME, T_QUOTED, T_UNLOGGED, T_GOOD, T_WHOLE_ROW, T_GENERATED, T_CANDIDATE, T_IS_PRIMARY };

static size_t index_of(const struct ready_plan *plan, int64_t oid)
{
	for (size_t i = 0; i < plan->table_count; i++)
		if (plan->tables[i].oid == oid)
			return i;
	return READY_NO_TABLE;
}

/* A primary key is the identity by DEFAULT; any other index is named. Takes no generated column into FULL
 * where the server refuses that. */
static void identity_statement(char *buf, size_t size, const struct rows *r, int i, bool refuses_generated)
{
	const char *table = rows_text(r, i, T_QUOTED), *index = rows_text(r, i, T_CANDIDATE);
	if (rows_bool(r, i, T_IS_PRIMARY))
		snprintf(buf, size, "ALTER TABLE %s REPLICA IDENTITY DEFAULT", table);
	else if (!rows_null(r, i, T_CANDIDATE))
		snprintf(buf, size, "ALTER TABLE %s REPLICA IDENTITY USING INDEX %s", table, index);
	else if (refuses_generated && rows_bool(r, i, T_GENERATED))
		snprintf(buf, size, "give %s a primary key without generated columns, or leave it out (exclude)", table);
	else
		snprintf(buf, size, "ALTER TABLE %s REPLICA IDENTITY FULL, or give it a primary key, or leave it out "
							"(exclude)", table);
}

static void judge_table(struct ready *out, const struct ready_plan *plan, const struct rows *r, int i,
	bool refuses_generated)
{
	char next[4 * QUALIFIED_SIZE];
	const char *name = rows_text(r, i, T_NAME);
	size_t table = index_of(plan, rows_int(r, i, T_OID));
	enum severity severity = plan->ours ? SEVERITY_WARNING : SEVERITY_BLOCKER;
	if (rows_bool(r, i, T_UNLOGGED)) {
		snprintf(next, sizeof(next), "leave it out (exclude), copy it by a mirror of its own with continuous = "
									 "false, or ALTER TABLE %s SET LOGGED", rows_text(r, i, T_QUOTED));
		ready_add(out, table, severity, name, "an unlogged table: its changes are in no WAL", next);
		return;
	}
	if (rows_bool(r, i, T_GOOD)) { /* REPLICA IDENTITY FULL, and no key */
		ready_add(out, table, SEVERITY_NOTE, name,
			"rows are found by comparing all columns: slow for updates and deletes in a large table",
			"give it a primary key, if it has one");
		return;
	}
	identity_statement(next, sizeof(next), r, i, refuses_generated);
	ready_add(out, table, severity, name,
		rows_null(r, i, T_GOOD)
			? "no primary key or replica identity: once it is published, the source application's own UPDATE and "
			  "DELETE on this table fail"
			: "its replica identity has a generated column, which is not in the stream", next);
}

static bool judge_identities(struct pg *source, const struct ready_plan *plan, const char *oids,
	struct ready *out, struct error *e)
{
	bool refuses = pg_version(source) >= PG_REFUSES_GENERATED;
	struct rows *r = PG_ROWS(source, e, tables_sql, oids,
		pg_version(source) >= PG_PUBLISHES_PARENTS ? "true" : "false", refuses ? "true" : "false");
	for (int i = 0; r && i < rows_count(r); i++)
		judge_table(out, plan, r, i, refuses);
	rows_free(r);
	return r != NULL;
}

/* A publication is made by the owner of its tables. One finding an owner, whatever they own. */
static bool judge_owners(struct pg *source, const char *oids, struct ready *out, struct error *e)
{
	char text[600], next[300];
	struct rows *r = PG_ROWS(source, e,
		"SELECT o.rolname, quote_ident(o.rolname), quote_ident(current_user), count(*),"
		"  min(n.nspname || '.' || c.relname), current_user"
		" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" JOIN pg_catalog.pg_roles o ON o.oid = c.relowner"
		" WHERE c.oid = ANY ($1::oid[]) AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')"
		" GROUP BY o.rolname ORDER BY 1", oids);
	for (int i = 0; r && i < rows_count(r); i++) {
		int64_t n = rows_int(r, i, 3);
		if (n == 1)
			snprintf(text, sizeof(text), "only the owner may publish %s, and role %s is none of %s",
				rows_text(r, i, 4), rows_text(r, i, 5), rows_text(r, i, 0));
		else
			snprintf(text, sizeof(text), "only the owner may publish %s and %lld other tables, and role %s is "
				"none of %s", rows_text(r, i, 4), (long long)n - 1, rows_text(r, i, 5), rows_text(r, i, 0));
		snprintf(next, sizeof(next), "GRANT %s TO %s", rows_text(r, i, 1), rows_text(r, i, 2));
		ready_add(out, READY_NO_TABLE, SEVERITY_BLOCKER, "publication", text, next);
	}
	rows_free(r);
	return r != NULL;
}

bool ready_tables(struct pg *source, const struct ready_plan *plan, struct ready *out, struct error *e)
{
	struct strbuf oids = STRBUF_INIT;
	strbuf_add(&oids, "{");
	for (size_t i = 0; i < plan->table_count; i++)
		strbuf_addf(&oids, "%s%lld", i ? "," : "", (long long)plan->tables[i].oid);
	strbuf_add(&oids, "}");
	bool ok = judge_identities(source, plan, oids.text, out, e) &&
			  (plan->ours || judge_owners(source, oids.text, out, e));
	strbuf_free(&oids);
	return ok;
}
