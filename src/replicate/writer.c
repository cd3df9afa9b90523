// SPDX-License-Identifier: PostgreSQL
/* The life of a batch and of the target's transaction.
 *
 *     gathering --flush--> sets --ok--> settled (transaction open, or committed)
 *                            |
 *                         refused: back to before the batch, then change by change --ok--> settled
 *
 * "Before the batch" is the transaction's begin, or the savepoint of this flush when earlier ones are in it.
 * A deadlock or a serialization failure is nobody's fault: the flush is tried again as a whole. Whatever else
 * fails is the caller's, who calls writer_abort(): the target is then as of the last commit. */
#include "writer.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/store.h"
#include "write.h"

#define MOST_TRIES 5
#define RETRY_PAUSE_MS 50
#define SMALL_CHANGES 4 /* for each table */

struct writer *writer_new(struct pg *target, const struct writer_settings *settings)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	w->target = target;
	w->pipeline = pipeline_new(target, write_answered, w);
	w->batch = batch_new();
	w->relations = relations_new();
	w->statements = statements_new(pg_version(target));
	w->mirror_id = settings->mirror_id;
	if (settings->source)
		peer_config_copy(&w->source, settings->source);
	w->mirror = xstrdup(settings->mirror);
	return w;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	pipeline_free(w->pipeline);
	batch_free(w->batch);
	relations_free(w->relations);
	statements_free(w->statements);
	peer_config_free(&w->source);
	free(w->mirror);
	pg_free(w->fetch);
	free(w->durable_sql);
	free(w->sets);
	for (size_t i = 0; i < w->value_size; i++)
		strbuf_free(&w->arrays[i]);
	free(w->arrays);
	free(w->values);
	strbuf_free(&w->copy);
	free(w->pending);
	free(w->last);
	free(w->count_slots);
	free(w->noted);
	free(w);
}

void write_reserve(struct writer *w, size_t values)
{
	if (values <= w->value_size)
		return;
	w->arrays = xrealloc(w->arrays, values * sizeof(*w->arrays));
	w->values = xrealloc(w->values, values * sizeof(*w->values));
	for (size_t i = w->value_size; i < values; i++)
		w->arrays[i] = (struct strbuf)STRBUF_INIT;
	w->value_size = values;
}

/* ---- session ---- */

/* Key updates go by index, each time by the same plan: statistics of a table that was just loaded, or of
 * arrays, would say otherwise. Versions are those that brought the setting. */
static const struct {
	int since;
	const char *sql;
} session_settings[] = {
	{ 0, "SET synchronous_commit = off; SET enable_seqscan = off; SET enable_bitmapscan = off;"
		 "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;" },
	{ 110000, "SET jit = off;" },
	{ 120000, "SET plan_cache_mode = force_generic_plan;" },
	{ 140000, "SET enable_memoize = off;" },
};

/* What makes one transaction durable, as the target's own setting has it; "off" is not. */
static bool read_durability(struct writer *w, struct error *e)
{
	struct rows *r = PG_ROWS(w->target, e, "SELECT pg_catalog.current_setting('synchronous_commit')");
	if (!r)
		return false;
	const char *setting = rows_text(r, 0, 0);
	free(w->durable_sql);
	w->durable_sql = xasprintf("SET LOCAL synchronous_commit = %s",
		strcmp(setting, "off") == 0 ? "on" : setting);
	rows_free(r);
	return true;
}

static bool begin_session(struct writer *w, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	struct error denied;
	if (w->session_ready)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(session_settings); i++)
		if (pg_version(w->target) >= session_settings[i].since)
			strbuf_add(&sql, session_settings[i].sql);
	bool ok = read_durability(w, e) && pg_run(w->target, e, sql.text) && relation_prepare(w->target, e);
	strbuf_free(&sql);
	/* May be denied: then triggers and foreign keys of the target have their say. */
	if (ok && !pg_run(w->target, &denied, "SET session_replication_role = replica") && pg_lost(w->target)) {
		*e = denied;
		ok = false;
	}
	w->session_ready = ok;
	return ok;
}

/* ---- the transaction ---- */

void write_begin(struct writer *w, const struct write_end *end)
{
	bool deferrable = false;
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next)
		deferrable |= ((struct relation *)t)->deferrable;
	pipeline_run(w->pipeline, w->open ? "SAVEPOINT pgpier" : "BEGIN", TAG_SILENT);
	if (deferrable)
		pipeline_run(w->pipeline, "SET CONSTRAINTS ALL DEFERRED", TAG_SILENT);
	if (end->commit && end->durable)
		pipeline_run(w->pipeline, w->durable_sql, TAG_SILENT);
	statements_trim(w->statements, w->pipeline, TAG_SILENT);
}

/* The mirror's position; and where tables stand that have to catch up with it (store_tables_join()). */
static void write_position(struct writer *w, lsn_t position)
{
	static const struct { const char *name, *sql; uint64_t tag; } statements[POSITIONS] = {
		{ "pgpier_position", "UPDATE pgpier.replication SET applied = greatest(applied, $2::pg_lsn),"
			" applied_at = now() WHERE mirror_id = $1::bigint", TAG_POSITION },
		{ "pgpier_behind", "UPDATE pgpier.tables SET held_at = greatest(held_at, $2::pg_lsn)"
			" WHERE mirror_id = $1::bigint AND NOT paused AND held_at IS NOT NULL", TAG_SILENT },
	};
	char id[24], lsn[FORMAT_SIZE];
	snprintf(id, sizeof(id), "%lld", (long long)w->mirror_id);
	const char *const values[] = { id, format_lsn(position, lsn) };
	for (size_t i = 0; i < (w->behind ? POSITIONS : 1); i++) {
		if (!w->position_ready[i])
			pipeline_prepare(w->pipeline, statements[i].name, statements[i].sql, &w->position_ready[i],
				TAG_POSITION);
		pipeline_execute(w->pipeline, statements[i].name, 2, values, statements[i].tag);
	}
}

/* ---- which tables change ---- */

static bool is_noted(const struct writer *w, const struct batch_table *t)
{
	size_t table = ((const struct relation *)t)->table->index;
	return table < w->noted_size && w->noted[table];
}

/* Of the batch's tables those whose first change this is: one statement, and none for most batches. */
static void write_first_changes(struct writer *w)
{
	struct strbuf sql = STRBUF_INIT;
	int *tables = NULL;
	size_t n = 0;
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next)
		if (!is_noted(w, t)) {
			GROW(tables, n);
			tables[n++] = (int)((struct relation *)t)->table->index + 1;
		}
	if (n > 0) {
		store_sql_tables_changed(&sql, w->mirror_id, n, tables, w->final);
		pipeline_run(w->pipeline, sql.text, TAG_SILENT);
	}
	strbuf_free(&sql);
	free(tables);
}

static void settle_first_change(struct writer *w, size_t table)
{
	if (table >= w->noted_size) {
		size_t size = MAX(2 * w->noted_size, table + 64);
		w->noted = xrealloc(w->noted, size * sizeof(*w->noted));
		memset(w->noted + w->noted_size, 0, (size - w->noted_size) * sizeof(*w->noted));
		w->noted_size = size;
	}
	w->noted[table] = true;
}

void write_finish(struct writer *w, const struct write_end *end)
{
	write_first_changes(w);
	if (end->commit) {
		write_position(w, end->position);
		pipeline_run(w->pipeline, "COMMIT", TAG_SILENT);
	} else if (w->open) {
		pipeline_run(w->pipeline, "RELEASE SAVEPOINT pgpier", TAG_SILENT);
	}
}

/* Not when COMMIT itself failed and took earlier flushes with it: e says why. */
static bool go_back(struct writer *w, struct error *e)
{
	if (w->open && PQtransactionStatus(pg_conn_borrow(w->target)) == PQTRANS_IDLE)
		return false;
	if (w->open)
		return pg_run(w->target, e, "ROLLBACK TO SAVEPOINT pgpier; RELEASE SAVEPOINT pgpier");
	pg_rollback(w->target);
	return !pg_lost(w->target) || error_set(e, ERROR_CONNECTION, "the connection was lost");
}

/* ---- a flush ---- */

typedef bool write_way(struct writer *w, const struct write_end *end, struct error *e);

static bool attempt(struct writer *w, write_way *way, const struct write_end *end, struct error *e)
{
	w->set_count = 0;
	w->mismatch.class = ERROR_NONE;
	w->culprit = NULL;
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next)
		((struct relation *)t)->missing = 0;
	return way(w, end, e);
}

/* A few changes of each table are not worth a set; their answers tell what was not found, too. Tables whose
 * updates would have to take rows out and put them back are left to sets, which hope for the best first. */
static bool is_small(const struct writer *w)
{
	size_t tables = 0;
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next) {
		if (((struct relation *)t)->moves)
			return false;
		tables++;
	}
	return batch_count(w->batch) <= SMALL_CHANGES * tables;
}

static void note_slow(struct writer *w, const struct error *e)
{
	w->slow_batches++;
	copy_text(w->slow_why, sizeof(w->slow_why), e->text);
}

static bool try_batch(struct writer *w, const struct write_end *end, struct error *e)
{
	bool small = is_small(w);
	if (attempt(w, small ? write_rows : write_set, end, e))
		return true;
	if (small || !write_is_about_rows(e) || pg_lost(w->target))
		return false;
	note_slow(w, e);
	return go_back(w, e) && attempt(w, write_rows, end, e);
}

static bool write_batch(struct writer *w, const struct write_end *end, struct error *e)
{
	if (!begin_session(w, e))
		return false;
	for (int tries = 1; !try_batch(w, end, e); tries++) {
		if (!write_is_about_rows(e))
			w->culprit = NULL;
		if (!write_is_transient(e) || pg_lost(w->target))
			return false;
		if (tries == MOST_TRIES)
			return error_next(e, "look for other sessions that write to the mirrored tables on the target");
		if (!go_back(w, e))
			return false;
		stop_sleep(pg_stop_borrow(w->target), RETRY_PAUSE_MS * tries);
	}
	return true;
}

/* ---- counts ---- */

static struct writer_counts *counts_of(struct writer *w, size_t table)
{
	if (table >= w->count_slot_size) {
		size_t size = MAX(2 * w->count_slot_size, table + 64);
		w->count_slots = xrealloc(w->count_slots, size * sizeof(*w->count_slots));
		memset(w->count_slots + w->count_slot_size, 0, (size - w->count_slot_size) * sizeof(*w->count_slots));
		w->count_slot_size = size;
	}
	/* A slot may be of an earlier transaction. */
	size_t slot = w->count_slots[table];
	if (slot < w->pending_count && w->pending[slot].table == table)
		return &w->pending[slot];
	w->count_slots[table] = w->pending_count;
	GROW(w->pending, w->pending_count);
	w->pending[w->pending_count] = (struct writer_counts){ .table = table };
	return &w->pending[w->pending_count++];
}

static void settle(struct writer *w)
{
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next) {
		const struct relation *r = (const struct relation *)t;
		struct writer_counts *c = counts_of(w, r->table->index);
		c->inserts += t->inserts;
		c->updates += t->updates;
		c->deletes += t->deletes;
		c->truncates += t->truncates;
		c->missing += r->missing;
		settle_first_change(w, r->table->index);
	}
	batch_clear(w->batch);
}

static void settle_commit(struct writer *w)
{
	free(w->last);
	w->last = w->pending;
	w->last_count = w->pending_count;
	w->pending = NULL;
	w->pending_count = 0;
	w->open = false;
}

/* ---- the face ---- */

static bool same_relation(const struct relation *a, const struct relation *b)
{
	if (!a || !a->table != !b->table)
		return false;
	return !a->table || strcmp(a->description, b->description) == 0;
}

bool writer_relation(struct writer *w, const struct pgoutput_message *m, const struct apply_table *t,
	struct error *e)
{
	struct relation *old = relations_find(w->relations, m->relation.id);
	struct relation *r = begin_session(w, e) ? relation_new(w->target, m, t, e) : NULL;
	w->culprit = !r && write_is_about_rows(e) ? t : NULL;
	if (!r)
		return false;
	if (same_relation(old, r)) {
		old->table = t;
		relation_free(r);
		return true;
	}
	/* The batch's rows have the old one's columns. */
	if (old && old->batch.touched && !writer_flush(w, e)) {
		relation_free(r);
		return false;
	}
	relations_put(w->relations, r);
	if (!old)
		return true;
	statements_forget(w->statements, w->pipeline, old, TAG_SILENT);
	relation_free(old);
	return pipeline_end(w->pipeline, e);
}

bool writer_knows(const struct writer *w, uint32_t relation)
{
	return relations_find(w->relations, relation) != NULL;
}

const struct apply_table *writer_table(const struct writer *w, uint32_t relation)
{
	const struct relation *r = relations_find(w->relations, relation);
	return r ? r->table : NULL;
}

static bool unknown(uint32_t relation, struct error *e)
{
	return error_set(e, ERROR_BUG, "the source sent a change of relation %u without describing it", relation);
}

static bool add_truncate(struct writer *w, const struct pgoutput_message *m, struct error *e)
{
	struct batch_table **tables = xcalloc(m->truncate.count, sizeof(struct batch_table *));
	size_t n = 0;
	bool ok = true;
	for (uint32_t i = 0; i < m->truncate.count && ok; i++) {
		struct relation *r = relations_find(w->relations, pgoutput_truncated(m, i));
		if (!r)
			ok = unknown(pgoutput_truncated(m, i), e);
		else if (r->table)
			tables[n++] = &r->batch;
	}
	if (ok)
		batch_truncate(w->batch, tables, n, m->truncate.options);
	free(tables);
	return ok;
}

bool writer_add(struct writer *w, const struct pgoutput_message *m, struct error *e)
{
	if (m->kind == PGOUTPUT_TRUNCATE)
		return add_truncate(w, m, e);
	struct relation *r = relations_find(w->relations, m->change.relation);
	if (!r)
		return unknown(m->change.relation, e);
	if (!r->table)
		return true;
	/* A table's rows need not be reconciled for ever, nor can rows without columns be told apart. */
	r->batch.never_net = r->table->reconcile || r->batch.columns == 0;
	if (batch_add(w->batch, &r->batch, m, e))
		return true;
	w->culprit = r->table;
	return error_prefix(e, "%s", r->table->source);
}

size_t writer_changes(const struct writer *w)
{
	return batch_count(w->batch);
}

size_t writer_bytes(const struct writer *w)
{
	return batch_bytes(w->batch);
}

bool writer_flush(struct writer *w, struct error *e)
{
	const struct write_end end = { .commit = false };
	if (batch_count(w->batch) == 0)
		return true;
	if (!write_batch(w, &end, e))
		return false;
	settle(w);
	w->open = true;
	return true;
}

bool writer_commit(struct writer *w, lsn_t position, bool durable, struct error *e)
{
	const struct write_end end = { .commit = true, .position = position, .durable = durable };
	if (!write_batch(w, &end, e))
		return false;
	settle(w);
	settle_commit(w);
	return true;
}

void writer_set_behind(struct writer *w, bool behind)
{
	w->behind = behind;
}

void writer_begin(struct writer *w, lsn_t final)
{
	w->final = final;
}

void writer_note_changes(struct writer *w)
{
	if (w->noted_size > 0)
		memset(w->noted, 0, w->noted_size * sizeof(*w->noted));
}

void writer_abort(struct writer *w)
{
	pg_rollback(w->target);
	writer_note_changes(w);
	batch_clear(w->batch);
	w->open = false;
	w->pending_count = 0;
	free(w->pending);
	w->pending = NULL;
}

const struct apply_table *writer_culprit(const struct writer *w)
{
	return w->culprit;
}

const struct writer_counts *writer_counts(const struct writer *w, size_t *n)
{
	*n = w->last_count;
	return w->last;
}

int64_t writer_slow_batches(const struct writer *w, const char **why)
{
	*why = w->slow_why;
	return w->slow_batches;
}

const char *writer_missing(const struct writer *w)
{
	return w->missing;
}
