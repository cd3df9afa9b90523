// SPDX-License-Identifier: PostgreSQL
/* The supervisor of a mirror: one thread that takes it from wherever it stands to its end.
 *
 *     RUNNING --all done--> done, or with continuous = true never: it follows the source
 *        |  \--some tables failed--> failed (r retries them while it stands, run goes on later)
 *        |--pause, quit--> paused
 *        \--snapshot, server or lock lost--> retrying --back-off--> RUNNING, at a new snapshot
 *
 * Whatever happens between any two steps, the store tells the next attempt what is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/replication.h"
#include "mirror.h"
#include "run.h"

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

/* An attempt that failed before it had looked may be of a mirror that began long ago, or has a slot to its name. */
static bool find_begun(struct run *r, struct pg *control, struct error *e)
{
	struct store_mirror known = { 0 };
	bool found, ok = r->id || store_read(control, r->mirror, &known, &found, e);
	if (ok && !r->id && found && (known.table_count > 0 || known.replication.slot[0]))
		r->id = known.id;
	store_mirror_free(&known);
	return ok;
}

/* The last word, so that status tells it later; after a stop nothing can be sent any more. */
static void write_end(struct run *r, struct pg *control, const struct error *why)
{
	struct error ignored;
	if (stop_raised(r->stop) || pg_lost(control) || !find_begun(r, control, &ignored))
		return;
	if (r->id ? !store_state(control, r->id, MIRROR_FAILED, why, &ignored)
			  : !store_drop(control, r->mirror, &ignored)) /* one that never began leaves no empty schema */
		pg_rollback(control);
}

static bool copy_once(struct run *r, struct pg *control, struct error *e)
{
	r->snapshot = snapshot_new(&r->source, r->mirror, NULL, r->stop, e);
	if (!r->snapshot)
		return false;
	r->reached = true;
	model_mirror_state(r->model, r->mirror, MIRROR_SCHEMA, NULL);
	return setup(r, control, e) && load(r, control, e) && store_state(control, r->id, MIRROR_DONE, NULL, e);
}

static bool attempt(struct mirror *m, struct error *e)
{
	struct run *r = &m->run;
	enter(m, MIRROR_SNAPSHOT);
	struct pg *control = control_connect(r, e);
	if (!control)
		return false;
	bool ok = r->config.continuous ? follow(r, &control, e) : copy_once(r, control, e);
	if (!ok)
		write_end(r, control, e);
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
	const struct run *r = &m->run;
	if ((r->id == 0 && !r->reached) || r->slot_lost)
		return false;
	/* A full disk is seen to, while the slot keeps what is missed. */
	bool full = r->config.continuous && strncmp(e->sqlstate, "53", 2) == 0;
	/* The server asks for another try: a deadlock, a slot whose first snapshot met too many transactions. */
	bool again = strncmp(e->sqlstate, "40", 2) == 0;
	return e->class == ERROR_CONNECTION || e->class == ERROR_LOST || full || again;
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
	*in_vain = chunks_done(m) > before || r->streamed ? 1 : *in_vain + 1;
	r->streamed = false;
	return *in_vain > MOST_ATTEMPTS && !r->config.continuous;
}

static void report_end(struct mirror *m, struct error *e)
{
	struct run *r = &m->run;
	model_load_ended(r->model, r->mirror);
	if (e->class == ERROR_NONE) {
		enter(m, MIRROR_DONE);
		r->load_done = true;
		run_alert(r, NULL);
		say(m, EVENT_INFO, NULL, "done: all tables are on the target");
	} else if (stop_raised(m->stop)) {
		enter(m, MIRROR_PAUSED);
		say(m, EVENT_INFO, NULL, r->load_done && r->config.continuous ? "paused: its slot keeps WAL on the source"
																: "paused: finished chunks stay");
	} else {
		error_prefix(e, "mirror %s", r->mirror);
		model_mirror_error(r->model, r->mirror, e);
		enter(m, MIRROR_FAILED);
		run_alert(r, e);
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
	if (r->reselected)
		mirror_config_free(r->reselected);
	free(r->reselected);
	strings_free(&r->ignored);
	alerts_free(r->alerts);
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
	struct run *r = &m->run;
	pthread_mutex_lock(&r->lock);
	bool streaming = r->streaming, follows = r->config.continuous;
	r->retry = r->retry || follows; /* in the moments between two streams: of the next one */
	pthread_mutex_unlock(&r->lock);
	return (streaming ? 0 : schedule_retry(r)) + follows;
}

bool mirror_reselect(struct mirror *m, const struct mirror_config *config)
{
	struct run *r = &m->run;
	struct mirror_config *copy = xcalloc(1, sizeof(*copy));
	mirror_config_copy(copy, config);
	pthread_mutex_lock(&r->lock);
	bool streaming = r->streaming;
	struct mirror_config *old = streaming ? r->reselected : copy;
	if (streaming)
		r->reselected = copy;
	pthread_mutex_unlock(&r->lock);
	if (old)
		mirror_config_free(old);
	free(old);
	return streaming;
}

bool mirror_resync(struct mirror *m, const char *table, struct error *e)
{
	struct run *r = &m->run;
	if (r->config.reverse_of) {
		error_set(e, ERROR_CONFLICT, "mirror %s leads back to where its rows come from: none of them is emptied there",
			r->mirror);
		return error_next(e, "compare the table with pgpier verify, which can repair single rows");
	}
	pthread_mutex_lock(&r->lock);
	bool streaming = r->streaming;
	if (streaming)
		copy_text(r->resync, sizeof(r->resync), table);
	pthread_mutex_unlock(&r->lock);
	if (streaming)
		return true;
	error_set(e, ERROR_CONFLICT, "mirror %s does not replicate now", r->mirror);
	return error_next(e, "a table is copied anew while its mirror replicates: run it first");
}

lsn_t mirror_applied(struct mirror *m)
{
	struct run *r = &m->run;
	pthread_mutex_lock(&r->lock);
	lsn_t applied = r->stream ? replication_applied(r->stream) : 0;
	pthread_mutex_unlock(&r->lock);
	return applied;
}

void mirror_tune(struct mirror *m, int workers, int tables_in_parallel, int rate_limit_mb)
{
	struct run *r = &m->run;
	schedule_tune(r, workers, tables_in_parallel);
	pthread_mutex_lock(&r->lock);
	if (r->beside) /* the lock of a run beside comes after its mirror's */
		schedule_tune(beside_run(r->beside), workers, tables_in_parallel);
	pthread_mutex_unlock(&r->lock);
	if (rate_limit_mb >= 0)
		throttle_set(r->throttle, rate_limit_mb * 1e6);
}
