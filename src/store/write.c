// SPDX-License-Identifier: PostgreSQL
/* Marking what is done. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

char *number(int64_t n)
{
	return xasprintf("%lld", (long long)n);
}

bool run_freeing(struct pg *target, struct error *e, int n, char **words)
{
	struct rows *r = pg_query(target, e, n, (const char *const *)words);
	for (int i = 1; i < n; i++)
		free(words[i]);
	rows_free(r);
	return r != NULL;
}

bool store_create(struct pg *target, const char *mirror, const char *source, int64_t *id, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"INSERT INTO pgpier.mirrors (name, source, state) VALUES ($1, $2, 'snapshot') RETURNING mirror_id",
		mirror, source);
	if (!r)
		return false;
	*id = rows_int(r, 0, 0);
	rows_free(r);
	return true;
}

bool store_state(struct pg *target, int64_t id, enum mirror_state state, const struct error *why,
	struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.mirrors SET state = $2, error = $3,"
			" ended_at = CASE WHEN $2 = 'done' THEN now() END WHERE mirror_id = $1 AND state <> 'cut over'"),
		number(id), xstrdup(mirror_state_name(state)), why && why->class ? xstrdup(why->text) : NULL);
}

bool store_reopen(struct pg *target, const char *mirror, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.mirrors SET state = 'paused' WHERE name = $1 AND state = 'cut over'"), xstrdup(mirror));
}

/* Bulk inserts by unnest: one statement however many rows. */
static char *array_of(size_t n, char *(*item)(const struct store_table *), const struct store_table *tables)
{
	struct strbuf b = STRBUF_INIT;
	char **items = xmalloc(n * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = item(&tables[i]);
	quote_array(&b, n, (const char *const *)items);
	for (size_t i = 0; i < n; i++)
		free(items[i]);
	free(items);
	return strbuf_take(&b);
}

#define TABLE_FIELD(field, expression) \
	static char *table_##field(const struct store_table *t) \
	{ \
		return expression; \
	}
TABLE_FIELD(source_schema, xstrdup(t->source_schema))
TABLE_FIELD(source_name, xstrdup(t->source_name))
TABLE_FIELD(target_schema, xstrdup(t->target_schema))
TABLE_FIELD(target_name, xstrdup(t->target_name))
TABLE_FIELD(parent, xstrdup(t->parent ? "t" : "f"))
TABLE_FIELD(ours, xstrdup(t->ours ? "t" : "f"))
TABLE_FIELD(rows_estimate, number(t->rows_estimate))
TABLE_FIELD(bytes_estimate, number(t->bytes_estimate))

/* Pairs of names, one behind the other. */
static char *table_renamed(const struct store_table *t)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xcalloc(2 * t->renamed.count, sizeof(*names));
	for (size_t i = 0; i < t->renamed.count; i++) {
		names[2 * i] = t->renamed.items[i].source;
		names[2 * i + 1] = t->renamed.items[i].target;
	}
	quote_array(&b, 2 * t->renamed.count, names);
	free(names);
	return strbuf_take(&b);
}

bool store_add_tables(struct pg *target, int64_t id, const struct store_table *tables, size_t n,
	size_t after, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("INSERT INTO pgpier.tables (mirror_id, table_no, source_schema, source_name, target_schema,"
			" target_name, parent, ours, rows_estimate, bytes_estimate, renamed)"
			" SELECT $1, t.no + $10, t.a, t.b, t.c, t.d, t.e, t.f, t.g, t.h, t.i::text[] FROM unnest($2::text[],"
			" $3::text[], $4::text[], $5::text[], $6::bool[], $7::bool[], $8::int8[], $9::int8[], $11::text[])"
			" WITH ORDINALITY AS t (a, b, c, d, e, f, g, h, i, no)"),
		number(id), array_of(n, table_source_schema, tables), array_of(n, table_source_name, tables),
		array_of(n, table_target_schema, tables), array_of(n, table_target_name, tables),
		array_of(n, table_parent, tables), array_of(n, table_ours, tables),
		array_of(n, table_rows_estimate, tables), array_of(n, table_bytes_estimate, tables), number((int64_t)after),
		array_of(n, table_renamed, tables));
}

bool store_add_snapshot(struct pg *target, int64_t id, int number_, int64_t taken_at, const char *visible,
	const char *lsn, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("INSERT INTO pgpier.snapshots VALUES ($1, $2, to_timestamp($3::float8 / 1000000), $4, $5)"),
		number(id), number(number_), number(taken_at), xstrdup(visible), lsn[0] ? xstrdup(lsn) : NULL);
}

/* Its rows are as of a snapshot, which saw what was committed before it: that table was not seen by anybody who
 * looked at an earlier position. */
#define CHANGED_BY_COPY(id, snapshot) \
	"changed_lsn = greatest(changed_lsn, coalesce((SELECT s.lsn FROM pgpier.snapshots s WHERE s.mirror_id = " id \
	" AND s.snapshot_no = " snapshot "), 'FFFFFFFF/FFFFFFFF'))"

bool store_plan(struct pg *target, int64_t id, int table, int snapshot, int64_t filenode, const char *how,
	size_t n, const char *const *conditions, const char *const *ranges, struct error *e)
{
	struct strbuf all_conditions = STRBUF_INIT, all_ranges = STRBUF_INIT;
	quote_array(&all_conditions, conditions ? n : 0, conditions);
	quote_array(&all_ranges, conditions ? n : 0, ranges);
	return pg_runf(target, e, "DELETE FROM pgpier.chunks WHERE mirror_id = %lld AND table_no = %d",
			   (long long)id, table) &&
		   RUN_FREEING(target, e,
			   SQL("UPDATE pgpier.tables SET snapshot_no = $3, last_snapshot_no = 0, fetched_at = NULL, stale = false, filenode = $4, how = $5, loaded = false,"
				   " done = false, rows = 0, bytes = 0, took_us = 0, error = NULL, error_class = NULL,"
				   " sqlstate = NULL, " CHANGED_BY_COPY("$1", "$3") " WHERE mirror_id = $1 AND table_no = $2"),
			   number(id), number(table), number(snapshot), number(filenode), xstrdup(how)) &&
		   RUN_FREEING(target, e,
			   SQL("INSERT INTO pgpier.chunks (mirror_id, table_no, chunk_no, condition, range)"
				   " SELECT $1, $2, c.no, c.a, c.b"
				   " FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS c (a, b, no)"),
			   number(id), number(table), strbuf_take(&all_conditions), strbuf_take(&all_ranges));
}

bool store_table_failed(struct pg *target, int64_t id, int table, const struct error *why, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables SET error_class = $3, error = $4, sqlstate = $5, error_next = $6"
			" WHERE mirror_id = $1 AND table_no = $2"),
		number(id), number(table), number(why->class), xstrdup(why->text), xstrdup(why->sqlstate),
		xstrdup(why->next));
}

/* ---- marks ---- */

/* Divides by zero, which fails the transaction, when it is marked already or not planned any more. */
#define MARK_ONCE_BEGIN "WITH marked AS ("
#define MARK_ONCE_END " RETURNING 1) SELECT 1 / count(*)::int FROM marked;"

void store_sql_chunk_done(struct strbuf *sql, int64_t id, int table, int chunk, int64_t rows, int64_t bytes,
	int64_t took_us)
{
	strbuf_addf(sql,
		MARK_ONCE_BEGIN "UPDATE pgpier.chunks SET done = true, rows = %lld, bytes = %lld, took_us = %lld"
		" WHERE mirror_id = %lld AND table_no = %d AND chunk_no = %d AND NOT done" MARK_ONCE_END,
		(long long)rows, (long long)bytes, (long long)took_us, (long long)id, table, chunk);
}

void store_sql_table_loaded(struct strbuf *sql, int64_t id, int table, int snapshot, int64_t filenode,
	int64_t rows, int64_t bytes, int64_t took_us, const char *how, bool done)
{
	strbuf_addf(sql,
		MARK_ONCE_BEGIN "UPDATE pgpier.tables SET loaded = true,%s snapshot_no = %d, filenode = %lld, rows = %lld,"
		" bytes = %lld, took_us = %lld, error = NULL, error_class = NULL, sqlstate = NULL,"
		" " CHANGED_BY_COPY("%lld", "%d") ", how = ",
		done ? " done = true," : "", snapshot, (long long)filenode, (long long)rows, (long long)bytes,
		(long long)took_us, (long long)id, snapshot);
	quote_literal(sql, how);
	strbuf_addf(sql, " WHERE mirror_id = %lld AND table_no = %d AND NOT loaded" MARK_ONCE_END, (long long)id, table);
}

bool store_is_marked(struct pg *target, int64_t id, int table, int chunk, bool *marked, struct error *e)
{
	char numbers[3][24];
	snprintf(numbers[0], sizeof(numbers[0]), "%lld", (long long)id);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", table);
	snprintf(numbers[2], sizeof(numbers[2]), "%d", chunk);
	struct rows *r = PG_ROWS(target, e,
		"SELECT EXISTS (SELECT 1 FROM pgpier.chunks WHERE mirror_id = $1 AND table_no = $2 AND chunk_no = $3"
		"  AND done) OR EXISTS (SELECT 1 FROM pgpier.tables WHERE mirror_id = $1 AND table_no = $2 AND loaded)",
		numbers[0], numbers[1], numbers[2]);
	if (!r)
		return false;
	*marked = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

void store_sql_table_done(struct strbuf *sql, int64_t id, int table)
{
	strbuf_addf(sql,
		"UPDATE pgpier.tables SET done = true, error = NULL, error_class = NULL, sqlstate = NULL"
		" WHERE mirror_id = %lld AND table_no = %d;",
		(long long)id, table);
}

void store_sql_tables_changed(struct strbuf *sql, int64_t id, size_t n, const int *tables, lsn_t at)
{
	char lsn[FORMAT_SIZE];
	if (n == 0)
		return;
	strbuf_addf(sql, "UPDATE pgpier.tables SET changed_lsn = greatest(changed_lsn, '%s') WHERE mirror_id = %lld"
		" AND table_no IN (", format_lsn(at, lsn), (long long)id);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(sql, "%s%d", i ? ", " : "", tables[i]);
	strbuf_add(sql, ");");
}

void store_sql_tables_ours(struct strbuf *sql, int64_t id, size_t n, const int *tables)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(sql, i == 0 ? "UPDATE pgpier.tables SET ours = true WHERE table_no IN (%d" : ", %d",
			tables[i]);
	if (n > 0)
		strbuf_addf(sql, ") AND mirror_id = %lld;", (long long)id);
}

void store_sql_steps_done(struct strbuf *sql, int64_t id, size_t n, const char *const *kinds,
	const char *const *names)
{
	for (size_t i = 0; i < n; i++) {
		strbuf_add(sql, i == 0 ? "INSERT INTO pgpier.steps (mirror_id, kind, name) VALUES " : ", ");
		strbuf_addf(sql, "(%lld, ", (long long)id);
		quote_literal(sql, kinds[i]);
		strbuf_add(sql, ", ");
		quote_literal(sql, names[i]);
		strbuf_add(sql, ")");
	}
	if (n > 0)
		strbuf_add(sql, ";");
}
