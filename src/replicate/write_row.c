// SPDX-License-Identifier: PostgreSQL
/* The slow path: changes one by one in source order, which no constraint can object to that the source has as
 * well. They are sent without waiting; what an answer belongs to is its tag. */
#include <stdlib.h>
#include <string.h>

#include "statement_text.h"
#include "write.h"

static struct relation *relation_of(struct batch_table *t)
{
	return (struct relation *)t;
}

void write_statement(struct writer *w, struct statement *s, const struct pgoutput_value *old,
	const struct pgoutput_value *row, uint64_t tag)
{
	write_reserve(w, s->param_count);
	for (size_t i = 0; i < s->param_count; i++) {
		const struct pgoutput_value *v = &(s->params[i].old ? old : row)[s->params[i].column];
		w->values[i] = v->kind == VALUE_TEXT ? v->bytes : NULL;
	}
	if (!s->empty)
		statements_execute(w->statements, w->pipeline, s, w->values, tag);
}

/* Which of a relation's indexed columns are NULL decides how one of equal rows is found. */
static uint32_t nulls_of(struct relation *r, const struct pgoutput_value *old)
{
	return r->batch.key == 0 ? relation_null_mask(r, old) : 0;
}

static void send_delete(struct writer *w, struct relation *r, const struct pgoutput_value *old, uint64_t tag)
{
	enum statement_kind kind = r->table->deleted_column ? ROW_MARK : ROW_DELETE;
	write_statement(w, statements_get(w->statements, r, kind, false, 0, nulls_of(r, old)), old, NULL, tag);
}

static void send_insert(struct writer *w, struct relation *r, const struct pgoutput_value *row, uint64_t tag)
{
	if (r->table->deleted_column && r->batch.key > 0)
		write_statement(w, statements_get(w->statements, r, ROW_CLEAR, false, 0, 0), row, NULL, tag);
	write_statement(w, statements_get(w->statements, r, ROW_INSERT, false, 0, 0), NULL, row, tag);
}

/* An identity column that no UPDATE may set keeps its value in almost all updates; to know, and for a key of
 * that kind, the row is taken out and put back. */
static enum statement_kind update_kind(const struct relation *r, bool key_changes)
{
	if (r->moves)
		return ROW_MOVE;
	for (size_t i = 0; i < r->batch.key && key_changes; i++)
		if (r->columns[i].always)
			return ROW_MOVE;
	return key_changes ? ROW_REKEY : ROW_UPDATE;
}

static void send_update(struct writer *w, struct relation *r, const struct change *c, uint64_t tag)
{
	bool key_changes = c->old && r->batch.key > 0;
	const struct pgoutput_value *old = c->old ? c->old : c->row;
	if (key_changes && r->table->deleted_column)
		write_statement(w, statements_get(w->statements, r, ROW_CLEAR, false, 0, 0), c->row, NULL,
			TAG_CHANGE + tag);
	struct statement *s = statements_get(w->statements, r, update_kind(r, key_changes), false,
		relation_sent_mask(r, c->row), nulls_of(r, old));
	write_statement(w, s, old, c->row, tag);
}

/* ---- TRUNCATE ---- */

static bool empty_one_by_one(struct writer *w, struct batch_table *const *tables, bool soft_only,
	struct error *e)
{
	for (; *tables; tables++) {
		const struct relation *r = relation_of(*tables);
		struct strbuf sql = STRBUF_INIT;
		if (soft_only && !r->table->deleted_column)
			continue;
		statement_empty_text(&sql, r);
		bool ok = pg_run(w->target, e, sql.text);
		strbuf_free(&sql);
		if (!ok) {
			w->culprit = r->table;
			return false;
		}
	}
	return true;
}

/* TRUNCATE refuses where a table that is not emptied has a foreign key to one that is; DELETE does not. */
static bool truncate(struct writer *w, const struct change *c, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "SAVEPOINT pgpier_truncate; ");
	size_t empty = sql.len;
	statement_truncate_text(&sql, c->truncated, c->options);
	bool hard = sql.len > empty;
	strbuf_add(&sql, "; RELEASE SAVEPOINT pgpier_truncate");
	if (!write_wait(w, e)) {
		strbuf_free(&sql);
		return false;
	}
	bool ok = !hard || pg_run(w->target, e, sql.text);
	bool refused = !ok && strcmp(e->sqlstate, "0A000") == 0;
	strbuf_free(&sql);
	if (!ok && !refused)
		w->culprit = relation_of(c->truncated[0])->table;
	if (refused && !pg_run(w->target, e, "ROLLBACK TO SAVEPOINT pgpier_truncate"))
		return false;
	return (ok || refused) && empty_one_by_one(w, c->truncated, !refused, e);
}

/* ---- changes ---- */

bool write_change(struct writer *w, uint32_t number, struct error *e)
{
	const struct change *c = batch_change(w->batch, number);
	if (c->kind == CHANGE_TRUNCATE)
		return truncate(w, c, e);
	struct relation *r = relation_of(c->table);
	if (r->table->reconcile)
		return write_reconciled(w, c, TAG_CHANGE + number, e);
	if (c->kind == CHANGE_INSERT)
		send_insert(w, r, c->row, TAG_CHANGE + number);
	else if (c->kind == CHANGE_UPDATE)
		send_update(w, r, c, number);
	else
		send_delete(w, r, c->old, number);
	return !pipeline_failing(w->pipeline) || write_wait(w, e);
}

bool write_table_rows(struct writer *w, struct relation *r, struct error *e)
{
	for (uint32_t i = r->batch.first; i != BATCH_NONE; i = batch_change(w->batch, i)->next)
		if (!write_change(w, i, e))
			return false;
	return true;
}

bool write_rows(struct writer *w, const struct write_end *end, struct error *e)
{
	write_begin(w, end);
	for (uint32_t i = 0; i < batch_count(w->batch); i++)
		if (!write_change(w, i, e))
			return false;
	write_finish(w, end);
	return write_wait(w, e);
}
