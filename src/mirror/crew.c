// SPDX-License-Identifier: PostgreSQL
/* The worker threads of a run. Their number follows what the run wants while it goes on. */
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

#define MOST_CREW 64

struct crew {
	struct run *run;
	struct member {
		struct worker worker;
		pthread_t thread;
		bool started;
		atomic_bool left; /* its thread is about to end */
	} members[MOST_CREW];
};

/* A table that failed is out; the others go on. Its error goes to the screen, the log and the store. */
static void report_failure(struct worker *w, const struct run_table *t, struct error *e)
{
	struct run *r = w->run;
	struct error ignored;
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", r->mirror);
	error_next(e, "mend the cause, then press r to retry");
	model_table_failed(r->model, r->mirror, t->index, e);
	model_event(r->model, EVENT_ERROR, object, e, "table %s.%s", t->names.source_schema,
		t->names.source_name);
	if (w->target && !store_table_failed(w->target, r->id, (int)t->index + 1, e, &ignored))
		pg_rollback(w->target);
}

static void say_again(struct worker *w, const struct job *job, const struct error *e)
{
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", w->run->mirror);
	if (e->class && e->text[0])
		model_event(w->run->model, EVENT_WARNING, object, e, "worker %d: %s is tried again", w->number,
			job->table ? job->table->names.source_name : "a definition");
}

static void do_job(struct worker *w, const struct job *job)
{
	struct run *r = w->run;
	struct error e = { 0 };
	enum table_state now;
	enum job_end end = work(w, job, &e);
	model_worker(r->model, r->mirror, w->number, "", 0, "");
	if (end == JOB_AGAIN)
		say_again(w, job, &e);
	bool changed = schedule_give_back(r, job, end, &e, &now);
	if (!changed || !job->table)
		return;
	if (now == TABLE_FAILED)
		report_failure(w, job->table, &e);
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct job job;
	while (schedule_take(m->worker.run, m->worker.number, &job))
		do_job(&m->worker, &job);
	worker_disconnect(&m->worker);
	atomic_store(&m->left, true);
	return NULL;
}

struct crew *crew_new(struct run *r)
{
	struct crew *c = xcalloc(1, sizeof(*c));
	c->run = r;
	for (int i = 0; i < MOST_CREW; i++)
		c->members[i].worker = (struct worker){ .run = r, .number = i + 1 };
	return c;
}

static int wanted(struct run *r)
{
	pthread_mutex_lock(&r->lock);
	int n = r->workers;
	pthread_mutex_unlock(&r->lock);
	return MIN(n, MOST_CREW);
}

void crew_fill(struct crew *c)
{
	int n = wanted(c->run);
	for (int i = 0; i < MOST_CREW; i++) {
		struct member *m = &c->members[i];
		if (m->started && atomic_load(&m->left)) {
			pthread_join(m->thread, NULL);
			m->started = false;
		}
		if (i >= n || m->started)
			continue;
		atomic_store(&m->left, false);
		m->started = pthread_create(&m->thread, NULL, member_main, m) == 0;
	}
}

void crew_free(struct crew *c)
{
	for (int i = 0; i < MOST_CREW; i++)
		if (c->members[i].started)
			pthread_join(c->members[i].thread, NULL);
	free(c);
}
