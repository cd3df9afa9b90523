// SPDX-License-Identifier: PostgreSQL
/* The statements by which rows are summed, listed and fetched. Names are the catalog's: search_path is empty. */
#include <stdlib.h>

#include "inside.h"

/* A value is cut by the server: a little more than is shown, as characters are not bytes. */
#define FETCHED_CHARACTERS "200"

static void add_range(struct strbuf *sql, int64_t first, int64_t end)
{
	if (first > 0)
		strbuf_addf(sql, " AND t.ctid >= '(%lld,0)'::tid", (long long)first);
	if (end > 0)
		strbuf_addf(sql, " AND t.ctid < '(%lld,0)'::tid", (long long)end);
}

void statement_from(struct strbuf *sql, const struct compared *t, int side)
{
	strbuf_addf(sql, " FROM %s AS t WHERE true", t->side[side].from);
	if (t->side[side].where)
		strbuf_addf(sql, " AND %s", t->side[side].where);
}

/* OFFSET 0 keeps the hash from being worked out wherever it is named. */
static void add_hashed(struct strbuf *sql, const struct compared *t, int side, const char *more, const char *hash,
	int64_t first, int64_t end)
{
	strbuf_addf(sql, " FROM (SELECT %s%s AS h", more, hash);
	statement_from(sql, t, side);
	add_range(sql, first, end);
	strbuf_add(sql, " OFFSET 0) q");
}

/* The file is asked for with the table locked, so that it is the one that is read; its size once. */
char *statement_sums(const struct compared *t, int side, int64_t first, int64_t end)
{
	struct strbuf sql = STRBUF_INIT;
	bool counts = t->level == VERIFY_COUNTS;
	strbuf_addf(&sql, "SELECT -1::int8, coalesce(pg_relation_filenode('%lld'::oid)::int8, 0), ",
		(long long)t->side[side].oid);
	if (first == 0)
		strbuf_addf(&sql, "pg_table_size('%lld'::oid)::numeric UNION ALL", (long long)t->side[side].oid);
	else
		strbuf_add(&sql, "0::numeric UNION ALL");
	if (counts) {
		strbuf_add(&sql, " SELECT 0, count(*), 0");
		statement_from(&sql, t, side);
		add_range(&sql, first, end);
	} else {
		strbuf_addf(&sql, " SELECT h & %lld, count(*), sum(h)", (long long)t->buckets - 1);
		add_hashed(&sql, t, side, "", t->side[side].row, first, end);
		strbuf_add(&sql, " GROUP BY 1");
	}
	return strbuf_take(&sql);
}

char *statement_locate(const struct compared *t, int side, int64_t first, int64_t end)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "SELECT o::int8, min(c), h, count(*)");
	add_hashed(&sql, t, side, "t.tableoid AS o, t.ctid AS c, ", t->side[side].row, first, end);
	strbuf_addf(&sql, " WHERE (h & %lld) = ANY ('{", (long long)t->buckets - 1);
	for (size_t i = 0; i < t->differing_count; i++)
		strbuf_addf(&sql, "%s%u", i ? "," : "", (unsigned)t->differing[i]);
	strbuf_add(&sql, "}'::int8[]) GROUP BY o, h");
	return strbuf_take(&sql);
}

/* "mark bytes text" of one value, NULL for NULL. */
static void add_cell(struct strbuf *sql, const struct verify_run *r, const struct compared_column *c, int side)
{
	const char *name = c->quoted[side];
	struct strbuf text = STRBUF_INIT, shown = STRBUF_INIT;
	express_text(&text, &r->servers, &c->type[side], name);
	express_shown(&shown, &c->type[side], name);
	if (r->servers.hashes)
		strbuf_addf(sql, "hashtextextended(%s COLLATE \"C\", 0)", text.text);
	else if (r->servers.convert)
		strbuf_addf(sql, "md5(convert_to(%s, 'UTF8'))", text.text);
	else
		strbuf_addf(sql, "md5(%s)", text.text);
	strbuf_addf(sql, " || ' ' || octet_length(%s) || ' ' || left(%s, " FETCHED_CHARACTERS ")", shown.text, shown.text);
	strbuf_free(&text);
	strbuf_free(&shown);
}

void statement_fetched(struct strbuf *sql, const struct verify_run *r, const struct compared *t, int side)
{
	strbuf_add(sql, "t.tableoid::int8, t.ctid::text");
	for (size_t k = 0; k < t->key_count; k++) {
		const struct compared_column *c = &t->columns[t->key[k]];
		strbuf_add(sql, ", ");
		express_shown(sql, &c->type[side], c->quoted[side]);
	}
	for (size_t c = 0; c < t->column_count; c++) {
		strbuf_add(sql, ", ");
		add_cell(sql, r, &t->columns[c], side);
	}
}
