// SPDX-License-Identifier: PostgreSQL
#include "arm.h"

#include <pgpier/format.h>
#include <string.h>

#include "inside.h"

static bool has_table(const struct store_table *tables, size_t n, const struct store_table *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tables[i].source_name, wanted->source_name) == 0 &&
			strcmp(tables[i].source_schema, wanted->source_schema) == 0 &&
			strcmp(tables[i].target_name, wanted->target_name) == 0 &&
			strcmp(tables[i].target_schema, wanted->target_schema) == 0 &&
			renames_equal(&tables[i].renamed, &wanted->renamed))
			return true;
	return false;
}

/* From the end, so that numbers hold. *left: how many stay. */
static bool remove_others(struct pg *target, int64_t id, const struct store_mirror *known,
	const struct store_table *tables, size_t n, size_t *left, struct error *e)
{
	bool ok = true;
	*left = known->table_count;
	for (size_t i = known->table_count; ok && i-- > 0;)
		if (!has_table(tables, n, &known->tables[i])) {
			ok = store_table_remove(target, id, (int)i + 1, e);
			(*left)--;
		}
	return ok;
}

bool store_arm_tables(struct pg *target, int64_t id, const struct store_mirror *known,
	const struct store_table *tables, size_t n, struct error *e)
{
	size_t left, more = 0;
	struct store_table *added = xcalloc(n + 1, sizeof(*added));
	for (size_t i = 0; i < n; i++)
		if (!has_table(known->tables, known->table_count, &tables[i]))
			added[more++] = tables[i];
	bool ok = remove_others(target, id, known, tables, n, &left, e) &&
			  (more == 0 || store_add_tables(target, id, added, more, left, e)) &&
			  RUN_FREEING(target, e,
				  SQL("UPDATE pgpier.tables SET rows = rows_estimate, bytes = bytes_estimate, how = 'was there'"
					  " WHERE mirror_id = $1 AND NOT loaded"), number(id)) &&
			  RUN_FREEING(target, e, SQL("UPDATE pgpier.tables SET loaded = true, done = true WHERE mirror_id = $1"),
				  number(id));
	free(added);
	return ok;
}

bool store_arm_intent(struct pg *target, int64_t id, const char *slot, const char *publication,
	const char *selection, struct error *e)
{
	return store_replication_begin(target, id, slot, publication, e) && store_selection(target, id, selection, e) &&
		   RUN_FREEING(target, e,
			   SQL("UPDATE pgpier.replication SET consistent = NULL, applied = NULL, applied_at = NULL"
				   " WHERE mirror_id = $1"), number(id));
}

/* Chunks and snapshots of an earlier load are none of this stream's; a description of columns may have aged. What
 * came the other way meanwhile was in no stream of this mirror, so that what was verified before says nothing. */
static bool forget_earlier(struct pg *target, int64_t id, struct error *e)
{
	return pg_runf(target, e,
		"DELETE FROM pgpier.chunks WHERE mirror_id = %lld;"
		"DELETE FROM pgpier.snapshots WHERE mirror_id = %lld;"
		"DELETE FROM pgpier.verifications WHERE mirror_id = %lld;"
		"UPDATE pgpier.tables SET snapshot_no = CASE WHEN parent THEN 0 ELSE 1 END, last_snapshot_no = 0,"
		" paused = false, held_at = NULL, fetched_at = NULL, changed_lsn = NULL, stale = false, columns = NULL, error = NULL,"
		" error_class = NULL, sqlstate = NULL, error_next = NULL WHERE mirror_id = %lld",
		(long long)id, (long long)id, (long long)id, (long long)id);
}

bool store_arm(struct pg *target, int64_t id, lsn_t consistent, const struct store_snapshot *first, struct error *e)
{
	char lsn[FORMAT_SIZE];
	bool ok = pg_run(target, e, "BEGIN") && forget_earlier(target, id, e) &&
			  store_add_snapshot(target, id, 1, first->taken_at, first->visible, format_lsn(first->lsn, lsn), e) &&
			  store_replication_slot(target, id, consistent, e) &&
			  store_state(target, id, MIRROR_PAUSED, NULL, e) && pg_run(target, e, "COMMIT");
	if (!ok)
		pg_rollback(target);
	return ok;
}

bool store_disarm(struct pg *target, int64_t id, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.replication SET slot = '', publication = '', consistent = NULL, applied = NULL,"
			" applied_at = NULL WHERE mirror_id = $1"), number(id));
}

bool store_was_cut_over(struct pg *target, int64_t id, bool *was, struct error *e)
{
	char *text = number(id);
	struct rows *r = PG_ROWS(target, e,
		"SELECT EXISTS (SELECT 1 FROM pgpier.cutovers WHERE mirror_id = $1 AND phase IN ('committed', 'done'))", text);
	free(text);
	if (r)
		*was = rows_bool(r, 0, 0);
	rows_free(r);
	return r != NULL;
}
