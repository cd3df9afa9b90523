// SPDX-License-Identifier: PostgreSQL
/* Who does what next. Pure bookkeeping under the run's lock; nothing here talks to a server.
 *
 * The rules, each of which was measured: definitions first, because everything needs them. Then the largest
 * table first, so that no tail is left on one worker. Different tables for different workers, because two
 * writers of one table wait for each other at its end; a second worker joins a table only when no other may
 * be begun. A table's keys are built when its rows are in: while rows wait by half of the workers at most, each
 * of them one process (a parallel build costs more processor time, and would take it from the copies); then as
 * the server's own settings say. */
#include <stdlib.h>
#include <time.h>

#include "run.h"

/* Definitions are made in batches: one transaction, one round trip. */
#define CREATE_BATCH 40
/* A table that loses its connections so often in a row has a reason of its own. */
#define MOST_AGAIN 8

static void lock(struct run *r)
{
	pthread_mutex_lock(&r->lock);
}

static void unlock(struct run *r)
{
	pthread_mutex_unlock(&r->lock);
}

static bool is_over(const struct run_table *t)
{
	return t->state == TABLE_DONE || t->state == TABLE_FAILED;
}

void schedule_open(struct run *r)
{
	lock(r);
	r->closed = false;
	r->broken = (struct error){ 0 };
	r->next_create = r->creating = r->next_table = r->tables_open = r->tables_active = 0;
	r->builders = 0;
	r->begun_first = r->begun_end = 0;
	for (size_t i = 0; i < r->table_count; i++) {
		const struct run_table *t = &r->tables[r->queue[i]];
		r->tables_open += !is_over(t);
		if (t->state == TABLE_BUILDING)
			r->begun_end = i + 1;
	}
	unlock(r);
}

/* ---- choosing ---- */

/* The next batch of one stage, when the stages before it are done. */
static bool take_create(struct run *r, struct job *job)
{
	const struct schema_plan *p = r->schema;
	if (r->next_create >= p->before.count)
		return false;
	size_t first = r->next_create, last = first;
	bool new_stage = first > 0 && p->before.items[first].stage != p->before.items[first - 1].stage;
	if (new_stage && r->creating > 0)
		return false;
	while (last < p->before.count && last - first < CREATE_BATCH && p->before.items[last].stage == p->before.items[first].stage)
		last++;
	*job = (struct job){ .kind = JOB_CREATE, .first = first, .count = last - first };
	r->next_create = last;
	r->creating += job->count;
	return true;
}

static bool has_copy_job(const struct run_table *t)
{
	return t->state == TABLE_COPYING && t->next_chunk < t->chunks.count;
}

/* Later stages build on what the earlier ones made. */
static bool wants_alone(const struct run *r, const struct run_table *t, size_t build)
{
	const struct schema_step *s = &r->schema->after.items[t->builds[build].step];
	return s->stage > 0 || s->alone;
}

static bool has_build_job(const struct run *r, const struct run_table *t)
{
	if (t->state != TABLE_BUILDING || t->next_build >= t->build_count || t->alone)
		return false;
	return t->workers == 0 || !wants_alone(r, t, t->next_build);
}

static void skip_done_builds(struct run_table *t)
{
	while (t->next_build < t->build_count && t->builds[t->next_build].state == CHUNK_DONE)
		t->next_build++;
}

static void skip_done_chunks(struct run_table *t)
{
	while (t->next_chunk < t->chunks.count && t->chunk_done[t->next_chunk])
		t->next_chunk++;
}

/* A table that nobody has begun. */
static bool take_table(struct run *r, struct job *job)
{
	while (r->next_table < r->table_count && r->tables[r->queue[r->next_table]].state != TABLE_QUEUED)
		r->next_table++;
	if (r->next_table >= r->table_count || r->tables_active >= (size_t)r->tables_in_parallel)
		return false;
	struct run_table *t = &r->tables[r->queue[r->next_table++]];
	*job = (struct job){ .kind = JOB_PLAN, .table = t };
	r->begun_end = MAX(r->begun_end, r->next_table);
	r->tables_active++;
	t->state = TABLE_PLANNING;
	return true;
}

/* The tables that have begun and not ended lie in a short stretch of the queue. */
static void narrow(struct run *r)
{
	while (r->begun_first < r->begun_end && is_over(&r->tables[r->queue[r->begun_first]]))
		r->begun_first++;
}

/* The chunk of the table that fewest workers are at. */
static bool take_chunk(struct run *r, struct job *job)
{
	struct run_table *best = NULL;
	for (size_t i = r->begun_first; i < r->begun_end; i++) {
		struct run_table *t = &r->tables[r->queue[i]];
		if (has_copy_job(t) && (!best || t->workers < best->workers))
			best = t;
	}
	if (!best)
		return false;
	*job = (struct job){ .kind = JOB_COPY, .table = best, .chunk = best->next_chunk++ };
	skip_done_chunks(best);
	return true;
}

static bool rows_wait(const struct run *r)
{
	for (size_t i = r->next_table; i < r->table_count; i++)
		if (r->tables[r->queue[i]].state == TABLE_QUEUED)
			return true;
	for (size_t i = r->begun_first; i < r->begun_end; i++)
		if (has_copy_job(&r->tables[r->queue[i]]))
			return true;
	return false;
}

static bool take_build(struct run *r, struct job *job)
{
	for (size_t i = r->begun_first; i < r->begun_end; i++) {
		struct run_table *t = &r->tables[r->queue[i]];
		if (!has_build_job(r, t))
			continue;
		*job = (struct job){ .kind = JOB_BUILD, .table = t, .build = t->next_build++ };
		t->alone = wants_alone(r, t, job->build);
		t->builds[job->build].state = CHUNK_COPYING;
		skip_done_builds(t);
		job->helped = !rows_wait(r);
		r->builders++;
		return true;
	}
	return false;
}

static bool choose(struct run *r, struct job *job)
{
	if (take_create(r, job))
		return true;
	if (r->creating > 0 || r->next_create < r->schema->before.count)
		return false;
	narrow(r);
	bool build_first = r->builders < (r->workers + 1) / 2;
	return (build_first && take_build(r, job)) || take_table(r, job) || take_chunk(r, job) ||
		   take_build(r, job);
}

static bool over(const struct run *r)
{
	return r->closed || r->broken.class || (r->tables_open == 0 && r->creating == 0 &&
											   r->next_create >= r->schema->before.count);
}

bool schedule_take(struct run *r, int worker, struct job *job)
{
	bool got = false;
	lock(r);
	while (!over(r) && worker <= r->workers && !(got = choose(r, job)))
		pthread_cond_wait(&r->moved, &r->lock);
	if (got && job->table)
		job->table->workers++;
	unlock(r);
	return got;
}

/* ---- giving back ---- */

static void fail_table(struct run *r, struct run_table *t, const struct error *e)
{
	if (is_over(t))
		return;
	if (t->state == TABLE_PLANNING || t->state == TABLE_COPYING)
		r->tables_active--;
	t->state = TABLE_FAILED;
	r->tables_open--;
	free(t->error);
	t->error = xmalloc(sizeof(*t->error));
	*t->error = *e;
}

/* All rows are in: its builds become jobs, or it is done. */
static void rows_are_in(struct run *r, struct run_table *t)
{
	r->tables_active--;
	t->loaded = true;
	if (t->builds_left > 0) {
		t->state = TABLE_BUILDING;
		t->next_build = 0;
		skip_done_builds(t);
		return;
	}
	t->state = TABLE_DONE;
	r->tables_open--;
}

static void done(struct run *r, const struct job *job)
{
	struct run_table *t = job->table;
	switch (job->kind) {
	case JOB_CREATE:
		break;
	case JOB_PLAN:
		t->planned = true;
		t->again = 0;
		if (t->state != TABLE_PLANNING)
			break;
		t->state = TABLE_COPYING;
		skip_done_chunks(t);
		if (t->chunks_left == 0)
			rows_are_in(r, t);
		break;
	case JOB_COPY:
		t->again = 0;
		if (t->chunks_left == 0 && t->state == TABLE_COPYING)
			rows_are_in(r, t);
		break;
	case JOB_BUILD:
		t->again = 0;
		if (t->builds_left == 0 && t->state == TABLE_BUILDING) {
			t->state = TABLE_DONE;
			r->tables_open--;
		}
		break;
	case JOB_NONE:
		break;
	}
}

/* As if nobody had taken it. */
static void put_back(struct run *r, const struct job *job)
{
	struct run_table *t = job->table;
	switch (job->kind) {
	case JOB_CREATE:
		r->next_create = MIN(r->next_create, job->first);
		break;
	case JOB_PLAN:
		if (t->state == TABLE_PLANNING) {
			t->state = TABLE_QUEUED;
			r->tables_active--;
			r->next_table = 0;
		}
		break;
	case JOB_COPY:
		t->next_chunk = MIN(t->next_chunk, job->chunk);
		break;
	case JOB_BUILD:
		t->builds[job->build].state = CHUNK_QUEUED;
		t->next_build = MIN(t->next_build, job->build);
		break;
	case JOB_NONE:
		break;
	}
}

bool schedule_give_back(struct run *r, const struct job *job, enum job_end end, const struct error *e,
	enum table_state *now)
{
	lock(r);
	struct run_table *t = job->table;
	enum table_state before = t ? t->state : TABLE_QUEUED;
	if (job->kind == JOB_CREATE)
		r->creating -= job->count;
	if (job->kind == JOB_BUILD) {
		r->builders--;
		t->alone = false;
		if (end == JOB_FAILED)
			t->builds[job->build].state = CHUNK_FAILED;
	}
	if (t)
		t->workers--;
	if (end == JOB_AGAIN && t && ++t->again > MOST_AGAIN)
		end = JOB_FAILED;
	if (end == JOB_DONE)
		done(r, job);
	else if (end == JOB_AGAIN)
		put_back(r, job);
	else if (end == JOB_FAILED && t)
		fail_table(r, t, e);
	*now = t ? t->state : TABLE_QUEUED;
	/* Under the lock, so that what another worker does with the table next can't be told before this. */
	if (*now != before && (*now == TABLE_DONE || *now == TABLE_BUILDING))
		model_table_state(r->model, r->mirror, t->index, *now);
	pthread_cond_broadcast(&r->moved);
	unlock(r);
	return *now != before;
}

bool schedule_chunk_done(struct run *r, const struct job *job, int64_t rows, int64_t bytes, int64_t took_us)
{
	struct run_table *t = job->table;
	lock(r);
	t->chunk_done[job->chunk] = true;
	t->rows += rows;
	t->bytes += bytes;
	t->took_us += took_us;
	bool last = --t->chunks_left == 0;
	unlock(r);
	return last;
}

bool schedule_build_done(struct run *r, const struct job *job)
{
	lock(r);
	job->table->builds[job->build].state = CHUNK_DONE;
	bool last = --job->table->builds_left == 0;
	unlock(r);
	return last;
}

void schedule_fail_table(struct run *r, struct run_table *t, const struct error *e)
{
	lock(r);
	fail_table(r, t, e);
	unlock(r);
}

void schedule_builds_done(struct run *r, struct run_table *t)
{
	lock(r);
	for (size_t i = 0; i < t->build_count; i++)
		t->builds[i].state = CHUNK_DONE;
	t->builds_left = 0;
	unlock(r);
}

/* ---- from the supervisor ---- */

bool schedule_wait(struct run *r, int ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	lock(r);
	if (!over(r))
		pthread_cond_timedwait(&r->moved, &r->lock, &until);
	bool ended = over(r);
	unlock(r);
	return ended;
}

bool schedule_all_created(struct run *r)
{
	lock(r);
	bool all = r->creating == 0 && r->next_create >= r->schema->before.count;
	unlock(r);
	return all;
}

void schedule_close(struct run *r)
{
	lock(r);
	r->closed = true;
	pthread_cond_broadcast(&r->moved);
	unlock(r);
}

void schedule_break(struct run *r, const struct error *e)
{
	lock(r);
	if (!r->broken.class)
		r->broken = *e;
	pthread_cond_broadcast(&r->moved);
	unlock(r);
	stop_raise(r->stop);
}

size_t schedule_retry(struct run *r)
{
	size_t n = 0;
	lock(r);
	for (size_t i = 0; i < r->table_count; i++) {
		struct run_table *t = &r->tables[i];
		if (t->state != TABLE_FAILED || t->missing || t->workers > 0)
			continue;
		t->state = t->loaded ? TABLE_BUILDING : TABLE_QUEUED;
		model_table_state(r->model, r->mirror, t->index, t->state);
		t->next_build = 0;
		skip_done_builds(t);
		t->again = 0;
		r->tables_open++;
		r->next_table = r->begun_first = 0;
		r->begun_end = r->table_count;
		n++;
	}
	pthread_cond_broadcast(&r->moved);
	unlock(r);
	return n;
}

void schedule_tune(struct run *r, int workers, int tables_in_parallel)
{
	lock(r);
	if (workers > 0)
		r->workers = workers;
	if (tables_in_parallel > 0)
		r->tables_in_parallel = tables_in_parallel;
	pthread_cond_broadcast(&r->moved);
	unlock(r);
}
