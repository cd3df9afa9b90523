// SPDX-License-Identifier: PostgreSQL
/* Where a mirror's replication stands. The position itself is written by whoever writes the rows, in their
 * transaction (src/replicate/writer.h). */
#include "inside.h"

#include <pgpier/format.h>

bool store_replication_begin(struct pg *target, int64_t id, const char *slot, const char *publication,
	struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("INSERT INTO pgpier.replication (mirror_id, slot, publication) VALUES ($1, $2, $3)"
			" ON CONFLICT (mirror_id) DO UPDATE SET slot = $2, publication = $3"),
		number(id), xstrdup(slot), xstrdup(publication));
}

bool store_replication_slot(struct pg *target, int64_t id, lsn_t consistent, struct error *e)
{
	char text[FORMAT_SIZE];
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.replication SET consistent = $2, applied = $2::pg_lsn, applied_at = now()"
			" WHERE mirror_id = $1"),
		number(id), xstrdup(format_lsn(consistent, text)));
}

bool store_selection(struct pg *target, int64_t id, const char *selection, struct error *e)
{
	return RUN_FREEING(target, e, SQL("UPDATE pgpier.mirrors SET selection = $2 WHERE mirror_id = $1"), number(id),
		xstrdup(selection));
}

bool store_table_hold(struct pg *target, int64_t id, int table, const struct error *why, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables t SET paused = true, error_class = $3, error = $4, sqlstate = $5,"
			" error_next = $6,"
			" held_at = coalesce(t.held_at, (SELECT applied FROM pgpier.replication WHERE mirror_id = $1))"
			" WHERE mirror_id = $1 AND table_no = $2"),
		number(id), number(table), why ? number(why->class) : NULL, why ? xstrdup(why->text) : NULL,
		why ? xstrdup(why->sqlstate) : NULL, why ? xstrdup(why->next) : NULL);
}

bool store_tables_hold_unloaded(struct pg *target, int64_t id, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables t SET paused = true, held_at = r.applied FROM pgpier.replication r"
			" WHERE t.mirror_id = $1 AND r.mirror_id = $1 AND NOT t.loaded AND NOT t.parent AND t.snapshot_no = 0"),
		number(id));
}

bool store_tables_release(struct pg *target, int64_t id, bool all, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables SET paused = false, error = NULL, error_class = NULL, sqlstate = NULL"
			" WHERE mirror_id = $1 AND paused AND done AND ($2 OR error IS NULL)"),
		number(id), xstrdup(all ? "t" : "f"));
}

bool store_tables_join(struct pg *target, int64_t id, bool *behind, struct error *e)
{
	char *mirror = number(id);
	struct rows *r = PG_ROWS(target, e,
		"WITH joined AS (UPDATE pgpier.tables t SET held_at = NULL FROM pgpier.replication r"
		"  WHERE t.mirror_id = $1 AND r.mirror_id = $1 AND NOT t.paused AND t.held_at >= r.applied RETURNING t.table_no)"
		" SELECT EXISTS (SELECT 1 FROM pgpier.tables t WHERE mirror_id = $1 AND NOT paused AND held_at IS NOT NULL"
		"  AND NOT EXISTS (SELECT 1 FROM joined j WHERE j.table_no = t.table_no))", mirror);
	free(mirror);
	if (!r)
		return false;
	*behind = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

bool store_table_columns(struct pg *target, int64_t id, int table, const char *columns, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables SET columns = $3 WHERE mirror_id = $1 AND table_no = $2"), number(id),
		number(table), xstrdup(columns));
}

bool store_tables_columns(struct pg *target, int64_t id, size_t n, const int *tables, const char *const *columns,
	struct error *e)
{
	struct strbuf numbers = STRBUF_INIT, texts = STRBUF_INIT;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&numbers, "%s%d", i ? "," : "{", tables[i]);
	strbuf_add(&numbers, n ? "}" : "{}");
	quote_array(&texts, n, columns);
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables t SET columns = c.text FROM unnest($2::int[], $3::text[]) c (no, text)"
			" WHERE t.mirror_id = $1 AND t.table_no = c.no"),
		number(id), strbuf_take(&numbers), strbuf_take(&texts));
}

bool store_table_forget(struct pg *target, int64_t id, int table, struct error *e)
{
	return pg_runf(target, e,
		"BEGIN; DELETE FROM pgpier.chunks WHERE mirror_id = %lld AND table_no = %d;"
		"UPDATE pgpier.tables SET loaded = false, stale = true, snapshot_no = 0, last_snapshot_no = 0, columns = NULL"
		" WHERE mirror_id = %lld AND table_no = %d; COMMIT", (long long)id, table, (long long)id, table);
}

bool store_table_resumed(struct pg *target, int64_t id, int table, int last_snapshot, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.tables SET last_snapshot_no = $3 WHERE mirror_id = $1 AND table_no = $2"), number(id),
		number(table), number(last_snapshot));
}

/* Numbers are dense; a table's number is its place in the list. */
bool store_table_remove(struct pg *target, int64_t id, int table, struct error *e)
{
	return pg_runf(target, e,
		"BEGIN; DELETE FROM pgpier.chunks WHERE mirror_id = %lld AND table_no = %d;"
		"DELETE FROM pgpier.tables WHERE mirror_id = %lld AND table_no = %d;"
		"UPDATE pgpier.chunks SET table_no = -table_no WHERE mirror_id = %lld AND table_no > %d;"
		"UPDATE pgpier.chunks SET table_no = -table_no - 1 WHERE mirror_id = %lld AND table_no < 0;"
		"UPDATE pgpier.tables SET table_no = -table_no WHERE mirror_id = %lld AND table_no > %d;"
		"UPDATE pgpier.tables SET table_no = -table_no - 1 WHERE mirror_id = %lld AND table_no < 0; COMMIT",
		(long long)id, table, (long long)id, table, (long long)id, table, (long long)id, (long long)id, table,
		(long long)id);
}
