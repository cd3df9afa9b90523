// SPDX-License-Identifier: PostgreSQL
/* A worker's connections, and making definitions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* A server that restarts is back within this, or the attempt ends. */
#define CONNECT_TRIES 8
#define PG_HAS_PARALLEL_BUILDS 110000

/* Rows that are copied must not fire triggers of a target that has some; who may not set this must be told
 * by the preflight. A crash may lose the last commits together with their marks, never one without the other;
 * the supervisor's own last commit makes all of them durable. */
static const char target_settings[] = "SET synchronous_commit = off";
static const char no_triggers[] = "SET session_replication_role = replica";
/* Merely to plan a parallel build costs as much as the index of an empty or small table. */
static const char no_helpers[] = "SET max_parallel_maintenance_workers = 0";
static const char with_helpers[] = "SET LOCAL max_parallel_maintenance_workers TO DEFAULT;";

void worker_disconnect(struct worker *w)
{
	pg_free(w->source);
	pg_free(w->target);
	w->source = w->target = NULL;
}

static struct pg *connect_patiently(struct worker *w, const struct peer_config *peer, struct error *e)
{
	char role[16];
	snprintf(role, sizeof(role), "copy-%d", w->number);
	for (int try = 0;; try++) {
		struct pg *c = pg_connect(peer, w->run->mirror, role, w->run->stop, e);
		if (c || e->class != ERROR_CONNECTION || try == CONNECT_TRIES)
			return c;
		if (!stop_sleep(w->run->stop, 100 << MIN(try, 5)))
			return NULL;
	}
}

/* A server that restarted has another connection for us, but not the snapshot. */
static bool connect_source(struct worker *w, struct error *e)
{
	if (w->source && !pg_lost(w->source))
		return true;
	pg_free(w->source);
	w->source = connect_patiently(w, &w->run->source, e);
	if (!w->source || work_open_snapshot(w, e))
		return w->source != NULL;
	if (!pg_lost(w->source)) {
		error_set(e, ERROR_LOST, "peer %s: the snapshot of this load is gone", w->run->source.name);
		error_next(e, "it goes on from a new snapshot by itself; what is done stays");
	}
	return false;
}

/* A target that crashed may have lost what was committed last, which this attempt takes for done: it must not mark
 * anything more. The supervisor's session went with the crash, so we look for that. */
static bool is_same_attempt(struct worker *w, struct error *e)
{
	char pid[24];
	snprintf(pid, sizeof(pid), "%d", w->run->control_pid);
	struct rows *r = PG_ROWS(w->target, e, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::int"
		" AND application_name LIKE 'pgpier/%' AND application_name NOT LIKE 'pgpier/%/copy-%')", pid);
	bool same = r && rows_bool(r, 0, 0);
	rows_free(r);
	return same || (r && control_was_lost(w->run, e));
}

/* As much as there is for each of all workers that build at once, never less than the server gives by itself. */
static const char memory_sql[] =
	"SELECT pg_catalog.set_config('maintenance_work_mem', coalesce($2, greatest(m.setting::int8,"
	" least(1048576, b.setting::int8 / $1)) || 'kB'), false) FROM pg_catalog.pg_settings m, pg_catalog.pg_settings b"
	" WHERE m.name = 'maintenance_work_mem' AND b.name = 'shared_buffers'";

bool worker_settings(const struct run *r, struct pg *target, struct error *e)
{
	char workers[16];
	snprintf(workers, sizeof(workers), "%d", MAX(r->config.workers, 1));
	struct rows *rows = PG_ROWS(target, e, memory_sql, workers, r->config.maintenance_work_mem);
	rows_free(rows);
	return rows != NULL;
}

static void add_helpers(struct strbuf *sql, const struct run *r)
{
	if (r->config.build_workers >= 0)
		strbuf_addf(sql, "SET LOCAL max_parallel_maintenance_workers = %d;", r->config.build_workers);
	else
		strbuf_add(sql, with_helpers);
}

static bool set_up_target(struct worker *w, struct error *e)
{
	struct error ignored;
	if (!pg_run(w->target, e, target_settings) || !worker_settings(w->run, w->target, e) ||
		(pg_version(w->target) >= PG_HAS_PARALLEL_BUILDS && !pg_run(w->target, e, no_helpers)))
		return false;
	return pg_run(w->target, &ignored, no_triggers) || !pg_lost(w->target);
}

static bool connect_target(struct worker *w, struct error *e)
{
	if (w->target && !pg_lost(w->target))
		return true;
	pg_free(w->target);
	w->target = connect_patiently(w, &w->run->target, e);
	return w->target && set_up_target(w, e) && is_same_attempt(w, e);
}

enum job_end work_end(struct worker *w, const struct error *e)
{
	if (stop_raised(w->run->stop))
		return JOB_DROPPED;
	/* The error alone tells: a connection may also have been given up because of what went wrong on it. */
	return e->class == ERROR_CONNECTION ? JOB_AGAIN : JOB_FAILED;
}

enum job_end work(struct worker *w, const struct job *job, struct error *e)
{
	if (!connect_target(w, e) || (job->kind != JOB_CREATE && job->kind != JOB_BUILD && !connect_source(w, e))) {
		if (!stop_raised(w->run->stop))
			schedule_break(w->run, e);
		return JOB_DROPPED;
	}
	switch (job->kind) {
	case JOB_CREATE:
		return work_create(w, job, e);
	case JOB_PLAN:
		return work_plan(w, job, e);
	case JOB_COPY:
		return work_copy(w, job, e);
	case JOB_BUILD:
		return work_build(w, job, e);
	case JOB_NONE:
		break;
	}
	return JOB_DONE;
}

/* ---- definitions ---- */

const char *step_mark(const struct schema_step *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s %s", schema_kind_name(s->kind), s->name);
	return buf;
}

void steps_sql(const struct run *r, size_t n, const struct schema_step *const *steps, struct strbuf *sql)
{
	const char **kinds = xmalloc(n * sizeof(*kinds)), **names = xmalloc(n * sizeof(*names));
	int *ours = xmalloc(n * sizeof(*ours)), *objects = xmalloc(n * sizeof(*objects));
	size_t ours_count = 0, object_count = 0, marks = 0;
	for (size_t i = 0; i < n; i++) {
		const struct schema_step *s = steps[i];
		strbuf_add(sql, s->sql);
		strbuf_add(sql, ";");
		if (s->kind == SCHEMA_TABLE && s->table != SCHEMA_NO_TABLE)
			ours[ours_count++] = (int)s->table + 1;
		if (s->object) {
			objects[object_count++] = s->object;
			continue;
		}
		kinds[marks] = schema_kind_name(s->kind);
		names[marks++] = s->name;
	}
	store_sql_steps_done(sql, r->id, marks, kinds, names);
	store_sql_objects_state(sql, r->id, object_count, objects, OBJECT_DONE, 0);
	store_sql_tables_ours(sql, r->id, ours_count, ours);
	free(kinds);
	free(names);
	free(ours);
	free(objects);
}

static bool run_steps(struct worker *w, size_t first, size_t count, struct error *e)
{
	struct run *r = w->run;
	struct strbuf sql = STRBUF_INIT;
	const struct schema_step **steps = xmalloc(count * sizeof(*steps));
	size_t n = 0;
	for (size_t i = first; i < first + count; i++)
		if (!r->created[i])
			steps[n++] = &r->schema->before.items[i];
	strbuf_add(&sql, "BEGIN;");
	steps_sql(r, n, steps, &sql);
	strbuf_add(&sql, "COMMIT");
	bool ok = n == 0 || pg_run(w->target, e, sql.text);
	free(steps);
	strbuf_free(&sql);
	if (!ok)
		pg_rollback(w->target);
	for (size_t i = first; ok && i < first + count; i++)
		r->created[i] = true;
	return ok;
}

static void step_made(struct worker *w, const struct schema_step *s)
{
	struct run *r = w->run;
	if (s->table == SCHEMA_NO_TABLE || s->kind != SCHEMA_TABLE)
		return;
	r->tables[s->table].ours = true;
	if (r->tables[s->table].state == TABLE_QUEUED)
		model_table_state(r->model, r->mirror, s->table, TABLE_QUEUED);
}

static void step_failed(struct worker *w, const struct schema_step *s, struct error *e)
{
	struct run *r = w->run;
	error_prefix(e, "could not create %s %s", schema_kind_name(s->kind), s->name);
	error_next(e, "mend it on the target, then press r to retry");
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", r->mirror);
	model_event(r->model, EVENT_ERROR, object, e, "%s", "");
	if (s->table == SCHEMA_NO_TABLE)
		return; /* the tables that need it fail with its name in their error */
	schedule_fail_table(r, &r->tables[s->table], e);
	model_table_failed(r->model, r->mirror, s->table, e);
}

/* A batch at once; when one of it fails, each alone, so that the others are made. */
enum job_end work_create(struct worker *w, const struct job *job, struct error *e)
{
	struct run *r = w->run;
	const struct schema_step *steps = r->schema->before.items;
	char what[160];
	snprintf(what, sizeof(what), "%s%s", steps[job->first].name, job->count > 1 ? " ..." : "");
	model_worker(r->model, r->mirror, w->number, "create", 0, what);
	bool all = run_steps(w, job->first, job->count, e);
	if (!all && work_end(w, e) != JOB_FAILED)
		return work_end(w, e);
	for (size_t i = job->first; i < job->first + job->count; i++) {
		if (all || run_steps(w, i, 1, e))
			step_made(w, &steps[i]);
		else if (work_end(w, e) == JOB_FAILED)
			step_failed(w, &steps[i], e);
		else
			return work_end(w, e);
	}
	return JOB_DONE;
}

/* ---- keys, indexes, checks ---- */

/* The last of its table's. */
static void mark_done(struct worker *w, const struct run_table *t)
{
	struct strbuf mark = STRBUF_INIT;
	struct error ignored; /* the steps' own marks say the same */
	store_sql_table_done(&mark, w->run->id, (int)t->index + 1);
	if (!pg_run(w->target, &ignored, mark.text))
		pg_rollback(w->target);
	strbuf_free(&mark);
}

static bool run_build(struct worker *w, const struct job *job, const struct schema_step *s, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "BEGIN;");
	if (job->helped && pg_version(w->target) >= PG_HAS_PARALLEL_BUILDS)
		add_helpers(&sql, w->run);
	steps_sql(w->run, 1, &s, &sql);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(w->target, e, sql.text);
	strbuf_free(&sql);
	if (!ok) {
		pg_rollback(w->target);
		error_prefix(e, "%s %s", schema_kind_name(s->kind), s->name);
	}
	return ok;
}

/* An index of a dump that fails is an object that failed; its table goes on without it. */
enum job_end work_build(struct worker *w, const struct job *job, struct error *e)
{
	struct run *r = w->run;
	struct run_table *t = job->table;
	const struct schema_step *s = &r->schema->after.items[t->builds[job->build].step];
	int64_t began = clock_us();
	model_worker(r->model, r->mirror, w->number, "index", t->index, s->name);
	model_table_state(r->model, r->mirror, t->index, TABLE_BUILDING);
	model_build_state(r->model, r->mirror, t->index, job->build, CHUNK_COPYING, NULL);
	bool ok = run_build(w, job, s, e);
	enum job_end end = ok ? JOB_DONE : work_end(w, e);
	if (end == JOB_DONE || end == JOB_FAILED) {
		if (objects_step(r, s, w->target, clock_us() - began, ok ? NULL : e))
			end = JOB_DONE;
		ok = ok || (end == JOB_DONE && !e->class);
	}
	if (end == JOB_DONE && schedule_build_done(r, job))
		mark_done(w, t);
	model_build_state(r->model, r->mirror, t->index, job->build,
		ok ? CHUNK_DONE : end == JOB_AGAIN || end == JOB_DROPPED ? CHUNK_QUEUED : CHUNK_FAILED, ok ? NULL : e);
	return end;
}
