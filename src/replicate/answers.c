// SPDX-License-Identifier: PostgreSQL
/* What the target says to what was sent: rows that were not found, and whose fault a failure is. */
#include <stdlib.h>
#include <string.h>

#include "write.h"

/* ---- what errors mean ---- */

bool write_is_transient(const struct error *e)
{
	return strcmp(e->sqlstate, "40P01") == 0 || strcmp(e->sqlstate, "40001") == 0 ||
		   strcmp(e->sqlstate, "55P03") == 0;
}

/* A server that is out of disk, shuts down or has become a standby says nothing about a row: no other way to
 * write it will do, and no table is to blame. */
bool write_is_about_rows(const struct error *e)
{
	static const char *const others[] = { "08", "25", "26", "40", "53", "57", "58", "F0", "XX" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strncmp(e->sqlstate, others[i], 2) == 0)
			return false;
	if (write_is_transient(e))
		return false;
	return e->class == ERROR_DATA || e->class == ERROR_CONFLICT || e->class == ERROR_PERMISSION;
}

/* ---- answers ---- */

/* "public.items (id) = (17)" */
static void note_missing(struct writer *w, const struct change *c)
{
	struct relation *r = (struct relation *)c->table;
	const struct pgoutput_value *old = c->old ? c->old : c->row;
	size_t n = r->batch.key > 0 ? r->batch.key : r->batch.columns;
	struct strbuf b = STRBUF_INIT;
	r->missing++;
	strbuf_addf(&b, "%s (", r->table->source);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s%.*s", i ? ", " : "", (int)strlen(r->columns[i].source) - 2, r->columns[i].source + 1);
	strbuf_add(&b, ") = (");
	for (size_t i = 0; i < n && b.len < sizeof(w->missing); i++)
		strbuf_addf(&b, "%s%.100s", i ? ", " : "", old[i].kind == VALUE_TEXT ? old[i].bytes : "NULL");
	strbuf_add(&b, ")");
	copy_text(w->missing, sizeof(w->missing), b.text);
	strbuf_free(&b);
}

static void check_set(struct writer *w, const struct sent_set *set, int64_t rows)
{
	if (set->rows < 0 || set->rows == rows || w->mismatch.class)
		return;
	error_set(&w->mismatch, ERROR_CONFLICT, "%s: %lld of %lld rows were found", set->relation->table->source,
		(long long)rows, (long long)set->rows);
	w->mismatch_of = set->relation;
}

void write_answered(void *arg, uint64_t tag, const PGresult *r)
{
	struct writer *w = arg;
	int64_t rows = strtoll(PQcmdTuples((PGresult *)(uintptr_t)r), NULL, 10);
	if (tag == TAG_COUNTED)
		w->found += rows;
	else if (tag == TAG_POSITION)
		w->lost = rows == 0;
	else if (tag >= TAG_SILENT)
		return;
	else if (tag >= TAG_SET)
		check_set(w, &w->sets[tag - TAG_SET], rows);
	else if (rows == 0 && tag < TAG_CHANGE)
		note_missing(w, batch_change(w->batch, (uint32_t)tag));
}

static const struct apply_table *table_named(const struct writer *w, const char *schema, const char *name)
{
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next) {
		const struct apply_table *table = ((struct relation *)t)->table;
		if (strcmp(table->target_schema, schema) == 0 && strcmp(table->target_name, name) == 0)
			return table;
	}
	return NULL;
}

static const struct apply_table *table_tagged(const struct writer *w, uint64_t tag)
{
	if (tag >= TAG_SILENT)
		return NULL;
	if (tag >= TAG_SET)
		return w->sets[tag - TAG_SET].relation->table;
	if (tag >= TAG_CHANGE)
		tag -= TAG_CHANGE;
	return ((const struct relation *)batch_change(w->batch, (uint32_t)tag)->table)->table;
}

static bool blame(struct writer *w, struct error *e)
{
	const struct pipeline_failure *f = pipeline_failure(w->pipeline);
	bool guard = strcmp(e->sqlstate, "22012") == 0;
	if (!write_is_about_rows(e))
		return false;
	w->culprit = table_named(w, f->schema, f->table);
	if (!w->culprit)
		w->culprit = table_tagged(w, f->tag);
	if (guard && f->tag >= TAG_SET && f->tag < TAG_SILENT)
		error_set(e, ERROR_CONFLICT, "%s: other rows were found than were sent", w->culprit->source);
	else if (w->culprit)
		error_prefix(e, "%s", w->culprit->source);
	return false;
}

bool write_wait(struct writer *w, struct error *e)
{
	bool ok = pipeline_end(w->pipeline, e);
	statements_settle(w->statements);
	if (!ok)
		return blame(w, e);
	if (w->lost) {
		error_set(e, ERROR_LOST, "the target does not know the mirror's replication any more");
		return error_next(e, "it was dropped from elsewhere: drop the mirror here, too");
	}
	if (!w->mismatch.class)
		return true;
	*e = w->mismatch;
	w->culprit = w->mismatch_of->table;
	return false;
}
