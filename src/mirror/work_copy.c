// SPDX-License-Identifier: PostgreSQL
/* Planning a table's chunks, and copying one. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../load/pipe.h"
#include "run.h"

/* Up to this size a table's keys are built by the worker that copied it, in the same transaction. */
#define KEYS_WITH_ROWS_BYTES (16 * 1000 * 1000)

/* Every chunk is read in a transaction of its own, so that no lock is held on tables that are done. The
 * statements travel together with the COPY: no round trip more. */
static void begin_at_snapshot(const struct run *r, struct strbuf *sql)
{
	char name[NAME_SIZE];
	snapshot_name(r->snapshot, name);
	strbuf_addf(sql, "ROLLBACK; BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
					 "SET TRANSACTION SNAPSHOT '%s';", name);
}

bool work_open_snapshot(struct worker *w, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	begin_at_snapshot(w->run, &sql);
	bool ok = pg_run(w->source, e, sql.text);
	strbuf_free(&sql);
	return ok;
}

/* ---- planning ---- */

static void adopt_chunks(struct run_table *t, const struct chunks *chunks)
{
	chunks_free(&t->chunks);
	free(t->chunk_done);
	t->chunks = *chunks;
	t->chunk_done = xcalloc(chunks->count, sizeof(bool));
	t->chunks_left = chunks->count;
	t->next_chunk = 0;
	t->rows = t->bytes = t->took_us = 0;
}

static void tell_model(const struct run *r, const struct run_table *t)
{
	const char **ranges = xmalloc(t->chunks.count * sizeof(*ranges));
	for (size_t i = 0; i < t->chunks.count; i++)
		ranges[i] = t->chunks.items[i].range;
	model_table_planned(r->model, r->mirror, t->index, t->chunks.count, ranges, t->chunks.rows, t->how);
	free(ranges);
}

/* TRUNCATE where nothing refers to the table; else row by row. Inside the caller's transaction. */
static bool empty_target(struct worker *w, const struct run_table *t, struct error *e)
{
	struct strbuf name = STRBUF_INIT;
	quote_qualified(&name, t->names.target_schema, t->names.target_name);
	bool ok = pg_runf(w->target, e, "SAVEPOINT empty; TRUNCATE TABLE ONLY %s", name.text);
	if (!ok && !pg_lost(w->target) && !stop_raised(w->run->stop))
		ok = pg_runf(w->target, e, "ROLLBACK TO SAVEPOINT empty; DELETE FROM ONLY %s", name.text);
	strbuf_free(&name);
	return ok;
}

/* The plan is written down before the first chunk, together with whatever empties the target's table. A table
 * of one chunk needs neither: its rows and its mark are one transaction. */
static bool write_plan(struct worker *w, struct run_table *t, bool empty, struct error *e)
{
	struct run *r = w->run;
	size_t n = t->chunks.count > 1 ? t->chunks.count : 0;
	if (n == 0 && !empty && t->kept_count == 0)
		return true;
	const char **conditions = xmalloc(n * sizeof(*conditions)), **ranges = xmalloc(n * sizeof(*ranges));
	for (size_t i = 0; i < n; i++) {
		conditions[i] = t->chunks.items[i].condition;
		ranges[i] = t->chunks.items[i].range;
	}
	bool ok = pg_run(w->target, e, "BEGIN") && (!empty || empty_target(w, t, e)) &&
			  store_plan(w->target, r->id, (int)t->index + 1, r->snapshot_number, t->info.filenode, t->how,
				  n, conditions, ranges, e) &&
			  pg_run(w->target, e, "COMMIT");
	free(conditions);
	free(ranges);
	if (!ok)
		pg_rollback(w->target);
	return ok;
}

/* The earlier run's chunks stay, the others are copied now. */
static void adopt_kept(struct run *r, struct run_table *t, const char *why)
{
	struct chunks chunks = { .rows = chunks_estimate(&t->info) };
	chunks.items = xcalloc(t->kept_count, sizeof(*chunks.items));
	chunks.count = t->kept_count;
	for (size_t i = 0; i < t->kept_count; i++)
		chunks.items[i] = (struct chunk){ xstrdup(t->kept[i].condition), xstrdup(t->kept[i].range) };
	adopt_chunks(t, &chunks);
	snprintf(t->how, sizeof(t->how), "%zu chunks of an earlier run, %s", t->kept_count, why);
	tell_model(r, t);
	for (size_t i = 0; i < t->kept_count; i++) {
		if (!t->kept[i].done)
			continue;
		t->chunk_done[i] = true;
		t->chunks_left--;
		t->rows += t->kept[i].rows;
		t->bytes += t->kept[i].bytes;
		t->took_us += t->kept[i].took_us;
		model_chunk_kept(r->model, r->mirror, t->index, i, t->kept[i].rows, t->kept[i].bytes,
			(double)t->kept[i].took_us / 1e6);
	}
}

static bool plan_anew(struct worker *w, struct run_table *t, struct error *e)
{
	struct run *r = w->run;
	struct chunks chunks;
	/* Rows that somebody else owns can't be told from ours once committed: all or nothing then. */
	bool whole = !t->ours || chunks_is_small(&t->info, r->config.rows_per_chunk);
	if (whole)
		chunks_one(&t->info, &chunks);
	else if (!work_open_snapshot(w, e) || !chunks_plan(w->source, &t->info, r->config.chunking,
										 r->config.rows_per_chunk, &chunks, e))
		return false;
	snprintf(t->how, sizeof(t->how), "%s; %s %s", chunks.how,
		transfer_names[r->config.transfer == TRANSFER_FETCH ? TRANSFER_FETCH : TRANSFER_COPY],
		t->binary ? "binary" : "text");
	adopt_chunks(t, &chunks);
	return true;
}

/* Rows of an earlier attempt, or those that an explicit yes gave up, must go before new ones come. */
static bool must_empty(const struct run *r, const struct run_table *t)
{
	bool rows_of_ours = false;
	for (size_t i = 0; i < t->kept_count; i++)
		rows_of_ours = rows_of_ours || t->kept[i].done;
	bool given_up = t->names.exists && r->config.on_existing_rows == EXISTING_TRUNCATE;
	return t->stale || (t->ours && (rows_of_ours || given_up));
}

enum job_end work_plan(struct worker *w, const struct job *job, struct error *e)
{
	struct run *r = w->run;
	struct run_table *t = job->table;
	bool proven = false;
	t->began_us = clock_us();
	if (t->planned) { /* retried: finished chunks of this run stay */
		t->next_chunk = 0;
		return JOB_DONE;
	}
	model_worker(r->model, r->mirror, w->number, "plan", t->index, t->names.source_name);
	if (!chunks_is_small(&t->info, r->config.rows_per_chunk))
		model_table_state(r->model, r->mirror, t->index, TABLE_PLANNING);
	if (t->kept_count > 0 && resume_by_stream(r, t)) {
		t->last_snapshot = r->snapshot_number;
		t->filter = resume_unseen(resume_visible(r, t->kept_snapshot), snapshot_visible(r->snapshot));
		adopt_kept(r, t, "what changed since comes by the stream");
		return store_table_resumed(w->target, r->id, (int)t->index + 1, t->last_snapshot, e) ? JOB_DONE : work_end(w, e);
	}
	if (t->kept_count > 0 && !r->config.continuous &&
		(!work_open_snapshot(w, e) || !resume_is_proven(w->source, r, t, &proven, e)))
		return work_end(w, e);
	if (proven) {
		t->snapshot = r->snapshot_number;
		adopt_kept(r, t, "source unchanged since");
		return JOB_DONE;
	}
	bool empty = must_empty(r, t);
	t->snapshot = r->snapshot_number;
	t->last_snapshot = 0;
	if (!plan_anew(w, t, e) || !write_plan(w, t, empty, e)) {
		pg_rollback(w->source);
		return work_end(w, e);
	}
	tell_model(r, t);
	return JOB_DONE;
}

/* ---- copying ---- */

static void select_list(const struct run_table *t, struct strbuf *sql)
{
	strbuf_addf(sql, "SELECT %s FROM ONLY ", t->columns);
	quote_qualified(sql, t->names.source_schema, t->names.source_name);
}

static void where(const struct run_table *t, const char *condition, struct strbuf *sql)
{
	if (condition[0])
		strbuf_addf(sql, " WHERE (%s)", condition);
	if (t->filter)
		strbuf_addf(sql, " %s NOT %s", condition[0] ? "AND" : "WHERE", t->filter);
}

static void copy_query(const struct run *r, const struct run_table *t, const char *condition,
	const char *after, struct strbuf *sql)
{
	begin_at_snapshot(r, sql);
	strbuf_add(sql, "COPY ");
	if (!condition[0] && !t->filter) { /* a plain scan of the table, without the executor */
		quote_qualified(sql, t->names.source_schema, t->names.source_name);
		strbuf_addf(sql, "%s%s%s", t->columns[0] ? " (" : "", t->columns, t->columns[0] ? ")" : "");
	} else {
		strbuf_add(sql, "(");
		select_list(t, sql);
		where(t, condition, sql);
		strbuf_add(sql, ")");
	}
	strbuf_addf(sql, " TO STDOUT%s;%s", t->binary ? " (FORMAT binary)" : "", after);
}

static void cursor_query(const struct run *r, const struct run_table *t, const char *condition,
	struct strbuf *sql)
{
	begin_at_snapshot(r, sql);
	strbuf_add(sql, "DECLARE pgpier NO SCROLL CURSOR FOR ");
	select_list(t, sql);
	where(t, condition, sql);
}

static void target_query(const struct run_table *t, struct strbuf *sql)
{
	strbuf_add(sql, "BEGIN; COPY ");
	quote_qualified(sql, t->names.target_schema, t->names.target_name);
	strbuf_addf(sql, "%s%s%s FROM STDIN%s", t->columns[0] ? " (" : "", t->target_columns,
		t->columns[0] ? ")" : "", t->binary ? " (FORMAT binary)" : "");
}

/* Small enough that its keys come in the same transaction. */
static bool keys_with_rows(const struct run_table *t, int64_t bytes)
{
	return t->chunks.count == 1 && !t->apart && t->builds_left > 0 && bytes <= KEYS_WITH_ROWS_BYTES;
}

static void sql_loaded(const struct run *r, const struct run_table *t, int64_t rows, int64_t bytes,
	int64_t took_us, bool done, struct strbuf *sql)
{
	store_sql_table_loaded(sql, r->id, (int)t->index + 1, t->snapshot, t->info.filenode, rows, bytes,
		took_us, t->how, done);
}

/* All that are not made yet. */
static void sql_builds(const struct run *r, const struct run_table *t, struct strbuf *sql)
{
	const struct schema_step **steps = xmalloc(t->build_count * sizeof(*steps));
	size_t n = 0;
	for (size_t i = 0; i < t->build_count; i++)
		if (t->builds[i].state != CHUNK_DONE)
			steps[n++] = &r->schema->after.items[t->builds[i].step];
	steps_sql(r, n, steps, sql);
	free(steps);
}

static void tell_builds(struct worker *w, const struct run_table *t)
{
	for (size_t i = 0; i < t->build_count; i++)
		if (t->builds[i].state != CHUNK_DONE)
			objects_step(w->run, &w->run->schema->after.items[t->builds[i].step], w->target, 0, NULL);
}

/* Rows that were to be committed had been before, only the answer was lost; or the target lost the plan in a
 * crash, and with it whatever else this attempt believes to be there. */
static bool judge_mark(struct worker *w, const struct run_table *t, size_t chunk, struct error *e)
{
	bool marked = false;
	struct error lost;
	if (!store_is_marked(w->target, w->run->id, (int)t->index + 1, (int)chunk + 1, &marked, &lost)) {
		*e = lost;
		return false;
	}
	if (marked || t->chunks.count == 1) /* whose mark needs no plan: it was a key that divided by zero */
		return marked;
	error_set(e, ERROR_CONNECTION, "peer %s: the target does not know its chunks any more", w->run->target.name);
	schedule_break(w->run, e);
	return false;
}

/* The mark and COMMIT in one round trip; for a table of one chunk also its keys when it is small. */
static bool commit(struct worker *w, struct run_table *t, size_t chunk, const struct pipe_result *moved,
	int64_t took_us, struct error *e)
{
	struct run *r = w->run;
	struct strbuf sql = STRBUF_INIT;
	int number = (int)t->index + 1;
	bool one = t->chunks.count == 1, keys = one && keys_with_rows(t, moved->bytes);
	if (one)
		sql_loaded(r, t, moved->rows, moved->bytes, took_us, keys || t->builds_left == 0, &sql);
	else
		store_sql_chunk_done(&sql, r->id, number, (int)chunk + 1, moved->rows, moved->bytes, took_us);
	if (keys)
		sql_builds(r, t, &sql);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(w->target, e, sql.text);
	strbuf_free(&sql);
	if (!ok)
		pg_rollback(w->target);
	if (!ok && strcmp(e->sqlstate, STORE_MARK_FAILED) == 0)
		ok = judge_mark(w, t, chunk, e);
	if (ok && keys) {
		tell_builds(w, t);
		schedule_builds_done(r, t);
	}
	return ok;
}

/* A table of many chunks is loaded when the last one has been committed, whichever that was. Should we die
 * before this mark, the chunks' own marks say the same. */
static bool mark_loaded(struct worker *w, const struct run_table *t, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	sql_loaded(w->run, t, t->rows, t->bytes, clock_us() - t->began_us, t->builds_left == 0, &sql);
	bool ok = pg_run(w->target, e, sql.text) || strcmp(e->sqlstate, STORE_MARK_FAILED) == 0;
	strbuf_free(&sql);
	return ok;
}

/* TRUNCATE and rewrites are not seen through a snapshot: a table that another session emptied shows no rows
 * at all to an older snapshot. pg_dump locks all tables against it, which stops the application's DDL and
 * whatever queues behind it. Such a change gives the table another file, so we ask for the file instead, in
 * the transaction that has read the rows and still locks the table: if it is the one that pg_class names
 * at the snapshot, nothing happened in between. */
static bool same_file(const struct run_table *t, const struct pipe_result *moved, struct error *e)
{
	if (strtoll(moved->answer, NULL, 10) == t->info.filenode)
		return true;
	error_set(e, ERROR_LOST, "truncated or rewritten on the source since the snapshot");
	return error_next(e, "it is copied anew from a new snapshot when the other tables are done");
}

static bool move_rows(struct worker *w, const struct run_table *t, size_t chunk, struct pipe_result *moved,
	struct error *e)
{
	struct run *r = w->run;
	bool fetch = r->config.transfer == TRANSFER_FETCH;
	const char *condition = t->chunks.items[chunk].condition;
	struct strbuf source = STRBUF_INIT, target = STRBUF_INIT;
	char after[80];
	snprintf(after, sizeof(after), "SELECT pg_catalog.pg_relation_filenode(%lld)", (long long)t->info.oid);
	if (fetch)
		cursor_query(r, t, condition, &source);
	else
		copy_query(r, t, condition, after, &source);
	target_query(t, &target);
	const struct pipe p = {
		.source = w->source,
		.target = w->target,
		.source_sql = source.text,
		.after_sql = after,
		.target_sql = target.text,
		.throttle = r->throttle,
		.progress = model_progress_borrow(r->model, r->mirror, w->number),
	};
	bool ok = fetch ? pipe_fetch(&p, t->binary, moved, e) : pipe_copy(&p, moved, e);
	if (!ok && e->class != ERROR_CANCELLED)
		error_prefix(e, moved->source_failed ? "reading from the source failed" : "COPY to the target failed");
	strbuf_free(&source);
	strbuf_free(&target);
	return ok && same_file(t, moved, e);
}

static void tell_done(struct run *r, struct run_table *t, size_t chunk, const struct pipe_result *moved)
{
	model_chunk_done(r->model, r->mirror, t->index, chunk, moved->rows, moved->bytes);
	for (size_t i = 0; t->builds_left == 0 && i < t->build_count; i++)
		model_build_state(r->model, r->mirror, t->index, i, CHUNK_DONE, NULL);
}

enum job_end work_copy(struct worker *w, const struct job *job, struct error *e)
{
	struct run *r = w->run;
	struct run_table *t = job->table;
	struct pipe_result moved;
	char what[160];
	int64_t started = clock_us();
	snprintf(what, sizeof(what), "%s #%zu", t->names.source_name, job->chunk + 1);
	model_worker(r->model, r->mirror, w->number, "copy", t->index, what);
	model_table_state(r->model, r->mirror, t->index, TABLE_COPYING);
	model_chunk_started(r->model, r->mirror, t->index, job->chunk, w->number);
	bool copied = move_rows(w, t, job->chunk, &moved, e);
	int64_t took = clock_us() - started;
	if (copied && commit(w, t, job->chunk, &moved, took, e)) {
		bool last = schedule_chunk_done(r, job, moved.rows, moved.bytes, took);
		tell_done(r, t, job->chunk, &moved);
		return !last || t->chunks.count == 1 || mark_loaded(w, t, e) ? JOB_DONE : work_end(w, e);
	}
	pg_rollback(w->target);
	enum job_end end = work_end(w, e);
	if (copied && end == JOB_FAILED && t->chunks.count == 1 && t->builds_left > 0 && !t->apart) {
		t->apart = true; /* a key may be to blame: the rows alone first, so that the error says which */
		end = JOB_AGAIN;
	}
	model_chunk_failed(r->model, r->mirror, t->index, job->chunk, end != JOB_FAILED);
	return end;
}
