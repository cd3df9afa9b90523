// SPDX-License-Identifier: PostgreSQL
/* Tables whose rows may be there or not, because part of their copy is of a later snapshot than the stream's
 * begin: an insert replaces, an update makes what it does not find, a delete may find nothing. An update that
 * does not bring all columns and finds no row takes them from the source by key. The row it finds there may be
 * newer: a later change in the stream says so. When it is gone, a later change said that. It may even be another
 * row that has got the key meanwhile: then the one that had it leaves it in a later change, and takes no value along
 * that may be the other's, but is asked for by its new key. So each change of a key that is not complete asks, also
 * when it finds the row. */
#include <pgpier/format.h>

#include <stdlib.h>

#include "../lsn.h"
#include "write.h"

static struct statement *statement(struct writer *w, struct relation *r, enum statement_kind kind, uint32_t mask)
{
	return statements_get(w->statements, r, kind, false, mask, 0);
}

static void replace(struct writer *w, struct relation *r, const struct pgoutput_value *row, uint64_t tag)
{
	write_statement(w, statement(w, r, ROW_DELETE, 0), row, NULL, tag);
	write_statement(w, statement(w, r, ROW_INSERT, 0), NULL, row, tag);
}

/* ---- the source's row ---- */

static bool open_fetch(struct writer *w, struct error *e)
{
	if (w->fetch && !pg_lost(w->fetch))
		return true;
	pg_free(w->fetch);
	w->fetch = pg_connect(&w->source, w->mirror, "fetch", pg_stop_borrow(w->target), e);
	return w->fetch != NULL;
}

/* One row or none; NULL on error. */
static struct rows *fetch(struct writer *w, struct relation *r, const struct pgoutput_value *key, struct error *e)
{
	const char **words = xcalloc(r->batch.key + (size_t)1, sizeof(char *));
	for (size_t i = 0; i < r->batch.key; i++)
		words[i + 1] = key[i].kind == VALUE_TEXT ? key[i].bytes : NULL;
	struct rows *rows = NULL;
	if (open_fetch(w, e) && (words[0] = relation_fetch_sql(r, w->fetch, e)))
		rows = pg_query(w->fetch, e, r->batch.key + 1, words);
	free(words);
	return rows;
}

/* A row that is not found by its key here was deleted or given another key by a change that is in the source's
 * log by now. Until the stream has passed that place its rows may be there or not, so that the row is asked for
 * again by its new key; a crash must not forget it, so it is written in the transaction of the row. */
static bool note_fetch(struct writer *w, const struct relation *r, struct error *e)
{
	lsn_t at = 0;
	struct rows *rows = PG_ROWS(w->fetch, e, "SELECT pg_catalog.pg_current_wal_insert_lsn()");
	if (!rows)
		return false;
	bool ok = lsn_parse(rows_text(rows, 0, 0), &at) ||
			  error_set(e, ERROR_BUG, "peer %s: no position came", w->source.name);
	rows_free(rows);
	if (!ok || at <= *r->table->reconcile_until)
		return ok;
	*r->table->reconcile_until = at;
	char text[FORMAT_SIZE], *sql = xasprintf("UPDATE pgpier.tables SET fetched_at = '%s' WHERE mirror_id = %lld"
		" AND table_no = %zu", format_lsn(at, text), (long long)w->mirror_id, r->table->index + 1);
	pipeline_run(w->pipeline, sql, TAG_SILENT);
	free(sql);
	return write_wait(w, e);
}

/* What the change did not bring, from the source's row. */
static void fill_from(const struct relation *r, struct pgoutput_value *row, const struct rows *fetched)
{
	for (size_t i = 0; i < r->batch.columns; i++) {
		if (row[i].kind != VALUE_UNCHANGED)
			continue;
		bool null = rows_null(fetched, 0, (int)i);
		row[i] = (struct pgoutput_value){ .kind = null ? VALUE_NULL : VALUE_TEXT,
			.bytes = rows_text(fetched, 0, (int)i) };
	}
}

static bool insert_fetched(struct writer *w, struct relation *r, const struct pgoutput_value *row, uint64_t tag,
	struct error *e)
{
	struct rows *fetched = fetch(w, r, row, e);
	if (!fetched)
		return false;
	bool ok = note_fetch(w, r, e);
	if (ok && rows_count(fetched) == 1) {
		struct pgoutput_value *whole = xcalloc(r->batch.columns, sizeof(*whole));
		for (size_t i = 0; i < r->batch.columns; i++)
			whole[i] = row[i];
		fill_from(r, whole, fetched);
		replace(w, r, whole, tag);
		ok = write_wait(w, e);
		free(whole);
	}
	rows_free(fetched);
	return ok;
}

/* ---- changes ---- */

static bool is_complete(const struct relation *r, const struct pgoutput_value *row)
{
	for (size_t i = 0; i < r->batch.columns; i++)
		if (row[i].kind == VALUE_UNCHANGED)
			return false;
	return true;
}

static bool update_incomplete(struct writer *w, struct relation *r, const struct change *c, uint64_t tag,
	struct error *e)
{
	const struct pgoutput_value *old = c->old ? c->old : c->row;
	if (c->old)
		write_statement(w, statement(w, r, ROW_DELETE, 0), c->row, NULL, tag);
	w->found = 0;
	write_statement(w, statement(w, r, ROW_MOVE, relation_sent_mask(r, c->row)), old, c->row, TAG_COUNTED);
	if (!write_wait(w, e))
		return false;
	return (w->found > 0 && !c->old) || insert_fetched(w, r, c->row, tag, e);
}

bool write_reconciled(struct writer *w, const struct change *c, uint64_t tag, struct error *e)
{
	struct relation *r = (struct relation *)c->table;
	if (c->kind == CHANGE_DELETE) {
		enum statement_kind kind = r->table->deleted_column ? ROW_MARK : ROW_DELETE;
		write_statement(w, statement(w, r, kind, 0), c->old, NULL, tag);
	} else if (c->kind == CHANGE_UPDATE && !is_complete(r, c->row)) {
		return update_incomplete(w, r, c, tag, e);
	} else {
		if (c->old)
			write_statement(w, statement(w, r, ROW_DELETE, 0), c->old, NULL, tag);
		replace(w, r, c->row, tag);
	}
	return !pipeline_failing(w->pipeline) || write_wait(w, e);
}
