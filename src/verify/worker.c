// SPDX-License-Identifier: PostgreSQL
/* A worker: one session at the snapshot of its side, and the jobs that it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define PG_HAS_JIT 110000
#define PG_HAS_TID_RANGES 140000
#define CONNECT_TRIES 3
#define JOB_TRIES 3
#define JOBS_A_SAVEPOINT 20

/* Many groups of sums must fit the memory of one statement. Ranges are spread over our own workers; a server that
 * can't read ranges may use its own. Equal amounts of money have equal texts in the same locale. */
bool run_open_snapshot(struct verify_run *r, int side, struct pg *c, struct error *e)
{
	char name[NAME_SIZE];
	snapshot_name(r->snapshot[side], name);
	return pg_runf(c, e, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
						 "SET TRANSACTION SNAPSHOT '%s'; SET LOCAL work_mem = '64MB'; SET LOCAL lc_monetary = 'C';%s%s"
						 "SAVEPOINT pgpier", name, pg_version(c) >= PG_HAS_JIT ? "SET LOCAL jit = off;" : "",
			   pg_version(c) >= PG_HAS_TID_RANGES ? "SET LOCAL max_parallel_workers_per_gather = 0;" : "");
}

static struct pg *connect_once(struct worker *w, int side, struct error *e)
{
	char role[16];
	snprintf(role, sizeof(role), "worker-%d", w->number);
	struct pg *c = pg_connect(w->run->peer[side], w->run->label, role, w->run->stop, e);
	if (c && run_open_snapshot(w->run, side, c, e))
		return c;
	pg_free(c);
	return NULL;
}

/* Rolling back to the savepoint gives back the locks of the tables that were read, of which a server has room for
 * some thousand; and ends whatever a job left behind. */
static bool let_go(struct worker *w, int side, struct error *e)
{
	if (w->used[side] < JOBS_A_SAVEPOINT)
		return true;
	w->used[side] = 0;
	return pg_run(w->pg[side], e, "ROLLBACK TO SAVEPOINT pgpier");
}

struct pg *worker_connection(struct worker *w, int side, struct error *e)
{
	struct pg **c = &w->pg[side];
	if (*c && !pg_lost(*c) && !let_go(w, side, e) && !pg_lost(*c))
		return NULL;
	if (*c && pg_lost(*c)) {
		pg_free(*c);
		*c = NULL;
	}
	for (int try = 1; !*c; try++) {
		*c = connect_once(w, side, e);
		if (!*c && (e->class != ERROR_CONNECTION || try == CONNECT_TRIES || !stop_sleep(w->run->stop, 200 * try)))
			return NULL;
	}
	w->used[side]++;
	return *c;
}

static void end_savepoint(struct worker *w)
{
	for (int side = 0; side < SIDES; side++)
		w->used[side] = JOBS_A_SAVEPOINT;
}

static bool do_job(struct worker *w, const struct job *j, struct error *e)
{
	switch (j->kind) {
	case JOB_PLAN:
		return job_plan(w, j, e);
	case JOB_SUMS:
		return job_sums(w, j, e);
	case JOB_LOCATE:
		return job_locate(w, j, e);
	case JOB_FETCH:
		return job_fetch(w, j, e);
	case JOB_LOOKUP:
		return job_lookup(w, j, e);
	case JOB_PICK:
		return job_pick(w, j, e);
	case JOB_FULL:
		return job_full(w, j, e);
	}
	return error_set(e, ERROR_BUG, "a job of no kind");
}

/* A job changes nothing before it has all of its answers, so it may be tried again on another connection. */
static void work(struct worker *w, const struct job *j)
{
	struct error e = { 0 };
	char line[sizeof(e.text) + sizeof(e.next) + 2];
	pthread_mutex_lock(&w->run->lock);
	bool failed = j->table->failed;
	if (!j->table->began_us)
		j->table->began_us = clock_us();
	pthread_mutex_unlock(&w->run->lock);
	bool ok = failed || do_job(w, j, &e);
	for (int try = 1; !ok && try < JOB_TRIES && e.class == ERROR_CONNECTION && !stop_raised(w->run->stop); try++)
		ok = do_job(w, j, &e);
	if (!ok || j->kind == JOB_LOCATE || j->kind == JOB_FULL) /* a cursor is open, or the transaction has failed */
		end_savepoint(w);
	if (!ok)
		jobs_fail(w->run, j->table, error_line(&e, line, sizeof(line)));
	if (jobs_ended(w->run, j->table))
		phase_next(w->run, j->table);
}

void *verify_worker_main(void *arg)
{
	struct worker *w = arg;
	struct job *j;
	while ((j = jobs_next(w->run, w->side))) {
		work(w, j);
		free(j);
	}
	for (int side = 0; side < SIDES; side++)
		pg_free(w->pg[side]);
	return NULL;
}
