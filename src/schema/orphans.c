// SPDX-License-Identifier: PostgreSQL
#include "orphans.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE "5"

/* The query is made by the server, which knows the columns: a row counts when no part of its key is null (MATCH
 * FULL: when not all are) and nothing has that key. */
static const char query_sql[] =
	"SELECT format('SELECT count(*) OVER (), ROW(%s)::text FROM %s%s f WHERE %s AND NOT EXISTS"
	" (SELECT 1 FROM %s p WHERE %s) LIMIT " SAMPLE "',"
	"  string_agg(format('f.%I', fa.attname), ', ' ORDER BY k.no),"
	"  CASE WHEN max(t.relkind::text) = 'p' THEN '' ELSE 'ONLY ' END, max(c.conrelid)::regclass,"
	"  CASE WHEN max(c.confmatchtype::text) = 'f'"
	"   THEN '(' || string_agg(format('f.%I IS NOT NULL', fa.attname), ' OR ' ORDER BY k.no) || ')'"
	"   ELSE string_agg(format('f.%I IS NOT NULL', fa.attname), ' AND ' ORDER BY k.no) END,"
	"  max(c.confrelid)::regclass,"
	"  string_agg(format('p.%I = f.%I', pa.attname, fa.attname), ' AND ' ORDER BY k.no))"
	" FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace"
	" CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY k (own, other, no)"
	" JOIN pg_catalog.pg_attribute fa ON fa.attrelid = c.conrelid AND fa.attnum = k.own"
	" JOIN pg_catalog.pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = k.other"
	" WHERE c.contype = 'f' AND n.nspname = $1 AND t.relname = $2 AND c.conname = $3 GROUP BY c.oid";

bool orphans_count(struct pg *c, const char *schema, const char *table, const char *constraint, int64_t *count,
	struct strbuf *sample, struct error *e)
{
	struct rows *q = PG_ROWS(c, e, query_sql, schema, table, constraint);
	*count = -1;
	if (!q || rows_count(q) == 0) {
		bool ok = q != NULL;
		rows_free(q);
		return ok;
	}
	struct rows *r = PG_ROWS(c, e, rows_text(q, 0, 0));
	if (r)
		*count = rows_count(r) > 0 ? rows_int(r, 0, 0) : 0;
	for (int i = 0; r && i < rows_count(r); i++)
		strbuf_addf(sample, "%s%s", i ? ", " : "", rows_text(r, i, 1));
	bool ok = r != NULL;
	rows_free(q);
	rows_free(r);
	return ok;
}
