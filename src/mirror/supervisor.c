// SPDX-License-Identifier: PostgreSQL
/* The supervisor of a mirror: one thread that takes it from wherever it stands to its end.
 *
 *     RUNNING --all done--> done
 *        |  \--some tables failed--> failed (r retries them while it stands, run goes on later)
 *        |--pause, quit--> paused
 *        \--snapshot, server or lock lost--> retrying --back-off--> RUNNING, at a new snapshot
 *
 * Whatever happens between any two steps, the store tells the next attempt what is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirror.h"
#include "run.h"

/* How often the snapshot's and the lock's connections are looked at. */
#define KEEP_EVERY_MS 3000
/* Attempts in a row in which no table made progress; a server that is away longer needs a person. */
#define MOST_ATTEMPTS 12
#define LONGEST_BACK_OFF_MS 30000

struct mirror {
	struct run run;
	struct stop *stop; /* pause */
	pthread_t thread;
	pthread_mutex_t lock; /* protects running, and the model's state at its two ends */
	bool running;
};

static void say(struct mirror *m, enum event_level level, const struct error *e, const char *text)
{
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", m->run.mirror);
	model_event(m->run.model, level, object, e, "%s", text);
}

static void enter(struct mirror *m, enum mirror_state state)
{
	model_mirror_state(m->run.model, m->run.mirror, state, NULL);
}

/* ---- one attempt ---- */

static struct pg *connect_control(struct mirror *m, struct error *e)
{
	struct run *r = &m->run;
	struct pg *c = pg_connect(&r->target, r->mirror, "supervisor", r->stop, e);
	if (c && store_prepare(c, e) && store_lock(c, r->mirror, e) && store_end_orphans(c, r->mirror, e))
		return c;
	pg_free(c);
	return NULL;
}

/* The lock went with its connection; the workers' transactions did not. */
static bool keep_control(struct mirror *m, struct pg **control, struct error *e)
{
	struct run *r = &m->run;
	struct error ignored;
	if (!pg_lost(*control) && pg_run(*control, &ignored, "SELECT 1"))
		return true;
	if (stop_raised(r->stop))
		return true;
	struct pg *fresh = pg_connect(&r->target, r->mirror, "supervisor", r->stop, e);
	if (!fresh)
		return e->class == ERROR_CONNECTION; /* the workers' own tries say when it is too long */
	if (!store_lock(fresh, r->mirror, e)) {
		bool again = e->class == ERROR_CONNECTION;
		pg_free(fresh);
		return again;
	}
	pg_free(*control);
	*control = fresh;
	return true;
}

static void watch(struct mirror *m, struct pg **control)
{
	struct run *r = &m->run;
	struct error e = { 0 };
	struct crew *crew = crew_new(r);
	int64_t looked = clock_us();
	bool loading = false;
	do {
		crew_fill(crew);
		if (!loading && schedule_all_created(r)) {
			loading = true;
			enter(m, MIRROR_LOADING);
		}
		if (clock_us() - looked < KEEP_EVERY_MS * 1000)
			continue;
		looked = clock_us();
		if (!snapshot_keep(r->snapshot, &e) || !keep_control(m, control, &e))
			schedule_break(r, &e);
	} while (!stop_raised(r->stop) && !schedule_wait(r, 200));
	schedule_close(r);
	crew_free(crew);
}

static size_t count_failed(const struct run *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->table_count; i++)
		n += r->tables[i].state == TABLE_FAILED;
	return n;
}

static bool conclude(struct mirror *m, struct pg *control, struct error *e)
{
	struct run *r = &m->run;
	size_t failed = count_failed(r);
	finish_moments(r);
	if (failed > 0) {
		for (size_t i = 0; i < r->table_count; i++)
			if (r->tables[i].error) {
				*e = *r->tables[i].error;
				break;
			}
		error_set(e, e->class ? e->class : ERROR_DATA, "%zu of %zu tables failed", failed, r->table_count);
		return error_next(e, "see the tables' errors, mend them, then run it again");
	}
	enter(m, MIRROR_FINISHING);
	return finish_attach(r, control, e) && finish_sequences(r, snapshot_connection(r->snapshot), control, e) &&
		   store_state(control, r->id, MIRROR_DONE, NULL, e);
}

static bool load(struct mirror *m, struct pg **control, struct error *e)
{
	struct run *r = &m->run;
	schedule_open(r);
	watch(m, control);
	if (r->broken.class) {
		*e = r->broken;
		return false;
	}
	if (stop_raised(r->stop))
		return error_set(e, ERROR_CANCELLED, "paused");
	return conclude(m, *control, e);
}

/* A pause is written down by a connection of its own, because everything else has been stopped. Should it
 * fail, the store still says "initial load" with nobody holding the lock, which reads as interrupted. */
static void write_paused(struct run *r)
{
	struct error ignored;
	struct peer_config quick;
	struct stop *stop = stop_new(NULL);
	peer_config_copy(&quick, &r->target);
	quick.connect_timeout = 2;
	struct pg *c = pg_connect(&quick, r->mirror, "pause", stop, &ignored);
	if (c && !store_state(c, r->id, MIRROR_PAUSED, NULL, &ignored))
		pg_rollback(c);
	pg_free(c);
	peer_config_free(&quick);
	stop_free(stop);
}

static bool attempt(struct mirror *m, struct error *e)
{
	struct run *r = &m->run;
	struct error ignored;
	enter(m, MIRROR_SNAPSHOT);
	struct pg *control = connect_control(m, e);
	if (!control)
		return false;
	r->snapshot = snapshot_new(&r->source, r->mirror, NULL, r->stop, e);
	bool ok = r->snapshot != NULL;
	if (ok) {
		enter(m, MIRROR_SCHEMA);
		ok = setup(r, control, e) && load(m, &control, e);
	}
	/* The last word, so that status tells it later; after a stop nothing can be sent any more. */
	if (!ok && r->id && !stop_raised(r->stop) && !pg_lost(control))
		if (!store_state(control, r->id, MIRROR_FAILED, e, &ignored))
			pg_rollback(control);
	if (!ok && !r->id && !pg_lost(control) && !store_drop(control, r->mirror, &ignored))
		pg_rollback(control); /* a mirror that never began leaves no empty schema behind */
	pg_free(control);
	if (!ok && r->id && stop_raised(m->stop))
		write_paused(r);
	run_clear(r);
	return ok;
}

/* ---- attempts in a row ---- */

/* A server that was there and is away comes back. One that never answered is a mistake that somebody is
 * waiting to hear of. */
static bool worth_another(const struct mirror *m, const struct error *e)
{
	return m->run.id != 0 && (e->class == ERROR_CONNECTION || e->class == ERROR_LOST);
}

static int64_t chunks_done(struct mirror *m)
{
	struct load_totals totals = { 0 };
	return model_load_totals(m->run.model, m->run.mirror, &totals) ? (int64_t)totals.chunks_done : 0;
}

/* True when it is over: done, paused, or not to be mended by waiting. */
static bool try_once(struct mirror *m, int *in_vain, struct error *e)
{
	struct run *r = &m->run;
	int64_t before = chunks_done(m);
	*e = (struct error){ 0 };
	r->stop = stop_new(m->stop);
	bool ok = attempt(m, e);
	stop_free(r->stop);
	r->stop = NULL;
	if (!ok && e->class == ERROR_NONE) /* success is claimed by success alone, never by a missing error */
		error_set(e, stop_raised(m->stop) ? ERROR_CANCELLED : ERROR_BUG, "it ended without saying why");
	if (ok || stop_raised(m->stop) || !worth_another(m, e))
		return true;
	*in_vain = chunks_done(m) > before ? 1 : *in_vain + 1;
	return *in_vain > MOST_ATTEMPTS;
}

static void report_end(struct mirror *m, struct error *e)
{
	struct run *r = &m->run;
	model_load_ended(r->model, r->mirror);
	if (e->class == ERROR_NONE) {
		enter(m, MIRROR_DONE);
		say(m, EVENT_INFO, NULL, "done: all tables are on the target");
	} else if (stop_raised(m->stop)) {
		enter(m, MIRROR_PAUSED);
		say(m, EVENT_INFO, NULL, "paused: finished chunks stay");
	} else {
		error_prefix(e, "mirror %s", r->mirror);
		model_mirror_error(r->model, r->mirror, e);
		enter(m, MIRROR_FAILED);
		say(m, EVENT_ERROR, e, "");
	}
}

static void *supervisor_main(void *arg)
{
	struct mirror *m = arg;
	struct error e;
	int in_vain = 0;
	int64_t started = wall_us();
	model_mirror_error(m->run.model, m->run.mirror, NULL);
	model_mirror_times(m->run.model, m->run.mirror, started, 0);
	model_load_started(m->run.model, m->run.mirror);
	say(m, EVENT_INFO, NULL, "started");
	while (!try_once(m, &in_vain, &e)) {
		enter(m, MIRROR_RETRYING);
		model_mirror_error(m->run.model, m->run.mirror, &e);
		say(m, EVENT_WARNING, &e, "trying again");
		if (!stop_sleep(m->stop, MIN(500 << MIN(in_vain, 6), LONGEST_BACK_OFF_MS)))
			break;
		model_mirror_error(m->run.model, m->run.mirror, NULL);
	}
	model_mirror_times(m->run.model, m->run.mirror, started, wall_us());
	pthread_mutex_lock(&m->lock);
	report_end(m, &e);
	m->running = false;
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* ---- the engine's side ---- */

struct mirror *mirror_new(struct model *model, const struct mirror_config *config,
	const struct peer_config *source, const struct peer_config *target, const struct stop *stop)
{
	struct mirror *m = xcalloc(1, sizeof(*m));
	struct run *r = &m->run;
	copy_text(r->mirror, sizeof(r->mirror), config->name);
	mirror_config_copy(&r->config, config);
	peer_config_copy(&r->source, source);
	peer_config_copy(&r->target, target);
	r->model = model;
	r->throttle = throttle_new();
	r->workers = config->workers;
	r->tables_in_parallel = config->tables_in_parallel;
	throttle_set(r->throttle, config->rate_limit_mb * 1e6);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->moved, NULL);
	m->stop = stop_new(stop);
	pthread_mutex_init(&m->lock, NULL);
	m->running = true;
	if (pthread_create(&m->thread, NULL, supervisor_main, m) != 0)
		abort();
	return m;
}

void mirror_free(struct mirror *m)
{
	if (!m)
		return;
	mirror_pause(m);
	pthread_join(m->thread, NULL);
	struct run *r = &m->run;
	mirror_config_free(&r->config);
	peer_config_free(&r->source);
	peer_config_free(&r->target);
	throttle_free(r->throttle);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->moved);
	pthread_mutex_destroy(&m->lock);
	stop_free(m->stop);
	free(m);
}

bool mirror_running(struct mirror *m)
{
	pthread_mutex_lock(&m->lock);
	bool running = m->running;
	pthread_mutex_unlock(&m->lock);
	return running;
}

void mirror_pause(struct mirror *m)
{
	pthread_mutex_lock(&m->lock);
	if (m->running)
		enter(m, MIRROR_PAUSING);
	stop_raise(m->stop);
	pthread_mutex_unlock(&m->lock);
}

size_t mirror_retry(struct mirror *m)
{
	return schedule_retry(&m->run);
}

void mirror_tune(struct mirror *m, int workers, int tables_in_parallel, int rate_limit_mb)
{
	struct run *r = &m->run;
	schedule_tune(r, workers, tables_in_parallel);
	if (rate_limit_mb >= 0)
		throttle_set(r->throttle, rate_limit_mb * 1e6);
}
