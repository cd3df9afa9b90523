// SPDX-License-Identifier: PostgreSQL
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define TICK_MS 100
/* Everything can be undone in a moment, unless a server is away: then so long. */
#define UNDO_PATIENCE_US 60000000
/* The same for what is left to be done behind the commit. */
#define FINISH_PATIENCE_US 120000000
#define AGAIN_MS 500

struct cutover *cutover_new(const struct cutover_settings *s)
{
	struct cutover *c = xcalloc(1, sizeof(*c));
	c->set = *s;
	c->mirror = s->config->name;
	c->stop = stop_new(s->stop);
	pthread_mutex_init(&c->lock, NULL);
	model_cutover(s->model, c->mirror, &c->view);
	return c;
}

void cutover_free(struct cutover *c)
{
	if (!c)
		return;
	disconnect(c);
	if (c->surveyed)
		survey_free(&c->survey);
	store_mirror_free(&c->store);
	if (c->back.name)
		mirror_config_free(&c->back);
	cutover_view_free(&c->view);
	stop_free(c->stop);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- what others say ---- */

void cutover_say_go(struct cutover *c)
{
	pthread_mutex_lock(&c->lock);
	c->go = true;
	pthread_mutex_unlock(&c->lock);
}

void cutover_say_undo(struct cutover *c)
{
	pthread_mutex_lock(&c->lock);
	if (c->view.phase == CUTOVER_RUNNING || c->view.phase == CUTOVER_REHEARSING) {
		c->undo = true;
		stop_raise(c->stop);
	}
	pthread_mutex_unlock(&c->lock);
}

/* ---- the clock ---- */

struct clock {
	struct cutover *cutover;
	struct stop *over;
	pthread_t thread;
	bool started;
};

static void look_at_limit(struct cutover *c)
{
	pthread_mutex_lock(&c->lock);
	int64_t limit_us = (int64_t)c->set.config->cutover_limit_s * 1000000;
	bool late = c->view.phase == CUTOVER_RUNNING && c->timed_us && clock_us() - c->timed_us > limit_us;
	if (late && !c->over_limit) {
		c->over_limit = true;
		stop_raise(c->stop);
	}
	pthread_mutex_unlock(&c->lock);
}

static void *clock_main(void *arg)
{
	struct clock *k = arg;
	while (stop_sleep(k->over, TICK_MS)) {
		look_at_limit(k->cutover);
		view_tell(k->cutover);
	}
	return NULL;
}

static void clock_begin(struct clock *k, struct cutover *c)
{
	*k = (struct clock){ .cutover = c, .over = stop_new(NULL) };
	k->started = pthread_create(&k->thread, NULL, clock_main, k) == 0;
}

static void clock_end(struct clock *k)
{
	stop_raise(k->over);
	if (k->started)
		pthread_join(k->thread, NULL);
	stop_free(k->over);
}

/* ---- steps ---- */

/* A stop has a reason, which tells more than the statement that it ended. */
static void why_stopped(struct cutover *c, struct error *e)
{
	pthread_mutex_lock(&c->lock);
	bool late = c->over_limit, undo = c->undo;
	pthread_mutex_unlock(&c->lock);
	if (!stop_raised(c->stop))
		return;
	if (late)
		error_set(e, ERROR_CONFLICT, "it took longer than its limit of %d s", c->set.config->cutover_limit_s);
	else
		error_set(e, ERROR_CANCELLED, undo ? "somebody asked for its undo" : "pgpier was ended");
}

static bool run_step(struct cutover *c, enum cutover_step s, struct error *e)
{
	*e = (struct error){ 0 };
	c->last = MAX(c->last, s);
	view_step(c, s, STEP_RUNNING);
	bool ok = connect_both(c, e) && store_cutover_step(c->target, c->id, s, e) && cutover_steps[s].run(c, e);
	if (ok && stop_raised(c->stop) && s < CUTOVER_COMMIT)
		ok = false;
	view_step(c, s, ok ? STEP_DONE : STEP_FAILED);
	if (!ok)
		why_stopped(c, e);
	return ok;
}

static bool run_until_commit(struct cutover *c, struct error *e)
{
	for (enum cutover_step s = CUTOVER_PREPARE; s <= CUTOVER_COMMIT; s++)
		if (!run_step(c, s, e)) {
			error_prefix(e, "%s", cutover_step_name(s));
			return false;
		}
	return true;
}

/* A server that is away is waited for; what a server or a hook refuses needs a person. */
static bool run_patiently(struct cutover *c, enum cutover_step s, struct error *e)
{
	int64_t until = clock_us() + FINISH_PATIENCE_US;
	while (!run_step(c, s, e))
		if (e->class != ERROR_CONNECTION || clock_us() > until || !stop_sleep(c->stop, AGAIN_MS))
			return error_prefix(e, "%s", cutover_step_name(s));
	return true;
}

static void fresh_stop(struct cutover *c)
{
	pthread_mutex_lock(&c->lock);
	struct stop *old = c->stop;
	c->stop = stop_new(NULL);
	pthread_mutex_unlock(&c->lock);
	connections_obey(c, c->stop);
	stop_free(old);
}

static void be_done(struct cutover *c)
{
	pthread_mutex_lock(&c->lock);
	double closed = c->view.closed_s;
	pthread_mutex_unlock(&c->lock);
	view_phase(c, CUTOVER_DONE);
	model_mirror_state(c->set.model, c->mirror, MIRROR_CUT_OVER, NULL);
	if (closed >= 0)
		view_say(c, EVENT_INFO, NULL, "cut over: nobody could write for %.1f s", closed);
	else
		view_say(c, EVENT_INFO, NULL, "cut over");
}

/* Behind the commit: all of it may be repeated. */
static bool finish(struct cutover *c, struct error *e)
{
	fresh_stop(c); /* whatever stopped the steps before came too late */
	view_phase(c, CUTOVER_COMMITTED);
	bool ok = run_patiently(c, CUTOVER_OPEN, e) && run_patiently(c, CUTOVER_FOLLOW, e) && connect_target(c, e) &&
			  store_cutover_phase(c->target, c->id, CUTOVER_DONE, NULL, e);
	if (!ok) {
		pthread_mutex_lock(&c->lock);
		c->view.error = *e;
		pthread_mutex_unlock(&c->lock);
		view_say(c, EVENT_ERROR, e, "the target is the primary, but not all is done");
		return error_next(e, "mend the cause, then begin the cutover again: it goes on with what is left");
	}
	be_done(c);
	return true;
}

/* ---- undoing ---- */

/* The one decision: from "running" to "undoing", unless the commit was quicker. *now: what became of it. */
static bool decide_undo(struct cutover *c, const struct error *why, enum cutover_phase *now, struct error *e)
{
	struct store_cutover row;
	if (!connect_target(c, e) || !store_cutover_begin_undo(c->target, c->id, why, e) ||
		!store_cutover_read(c->target, c->store.id, &row, e))
		return false;
	*now = row.phase;
	bool ours = row.id == c->id;
	store_cutover_free(&row);
	if (ours)
		return true;
	error_set(e, ERROR_CONFLICT, "another pgpier has ended this cutover and begun another one");
	return error_next(e, "see its status");
}

/* Writers wait, and the target is away. Its row says "running", and nobody but us would commit: another process
 * would have ended our session on the source first (connections.c), which is the one that opens it. */
static bool may_open_unasked(const struct cutover *c, const struct error *e)
{
	return e->class == ERROR_CONNECTION && !c->commit_tried && c->source && !pg_lost(c->source);
}

/* Without a word from the target nothing may be opened, if the commit may have come there. */
static bool decide_patiently(struct cutover *c, const struct error *why, enum cutover_phase *now, struct error *e)
{
	int64_t until = clock_us() + UNDO_PATIENCE_US;
	*now = CUTOVER_UNDOING;
	while (!decide_undo(c, why, now, e)) {
		if (may_open_unasked(c, e))
			return true;
		if (e->class == ERROR_CONFLICT || clock_us() > until || !stop_sleep(c->stop, AGAIN_MS))
			return false;
	}
	return true;
}

static void say_undecided(const struct cutover *c, struct error *e)
{
	if (e->class == ERROR_CONFLICT) { /* another process has it, who knows more than we */
		error_prefix(e, "nothing is opened from here");
		return;
	}
	error_prefix(e, c->commit_tried ? "nobody knows whether the cutover was committed, so nothing is opened"
									: "nobody knows what became of the cutover, so nothing is opened");
	error_next(e, "when the target answers, begin the cutover again: it finds out and goes on");
}

static bool undo_step(struct cutover *c, enum cutover_step s, struct error *e)
{
	int64_t until = clock_us() + UNDO_PATIENCE_US;
	if (!cutover_steps[s].undo)
		return true;
	view_step(c, s, STEP_UNDOING);
	while (!cutover_steps[s].undo(c, e)) {
		if (clock_us() < until && stop_sleep(c->stop, AGAIN_MS))
			continue;
		view_step(c, s, STEP_FAILED);
		error_prefix(e, "undo of %s", cutover_step_name(s));
		return false;
	}
	view_step(c, s, STEP_UNDONE);
	return true;
}

/* Writers first: they are who waits. Every step is tried, whatever became of another; *e is of the first that
 * could not be. */
static bool undo_steps(struct cutover *c, struct error *e)
{
	struct error one;
	bool all = c->last < CUTOVER_FREEZE || undo_step(c, CUTOVER_FREEZE, e);
	for (int s = (int)c->last; s >= 0; s--)
		if (s != CUTOVER_FREEZE && !undo_step(c, (enum cutover_step)s, &one)) {
			if (all)
				*e = one;
			all = false;
		}
	return all;
}

static void be_stuck(struct cutover *c, const struct error *why)
{
	pthread_mutex_lock(&c->lock);
	c->view.error = *why;
	pthread_mutex_unlock(&c->lock);
	view_phase(c, CUTOVER_STUCK);
	view_say(c, EVENT_ERROR, why, "neither cut over nor undone");
}

static void be_undone(struct cutover *c, const struct error *why)
{
	struct error ignored;
	if (connect_target(c, &ignored) && !store_cutover_phase(c->target, c->id, CUTOVER_UNDONE, why, &ignored))
		view_say(c, EVENT_WARNING, &ignored, "the target could not be told that it is undone");
	pthread_mutex_lock(&c->lock);
	c->view.error = *why;
	pthread_mutex_unlock(&c->lock);
	view_phase(c, CUTOVER_UNDONE);
	view_say(c, EVENT_WARNING, why, "the cutover was undone: the source is open as it was before");
}

/* Always false, with why it did not come to an end: but when it did, behind our back. */
static bool undo(struct cutover *c, const struct error *why, struct error *e)
{
	struct error failed = { 0 };
	enum cutover_phase now;
	fresh_stop(c);
	view_phase(c, CUTOVER_UNDOING);
	view_say(c, EVENT_WARNING, why, "undoing the cutover");
	if (!decide_patiently(c, why, &now, &failed)) {
		say_undecided(c, &failed);
		be_stuck(c, &failed);
		*e = failed;
		return false;
	}
	if (now == CUTOVER_COMMITTED)
		return finish(c, e);
	if (now == CUTOVER_DONE) {
		be_done(c);
		return true;
	}
	if (!undo_steps(c, &failed)) {
		error_prefix(&failed, "the cutover could not be undone in full");
		error_next(&failed, "mend the cause, then undo it once more");
		be_stuck(c, &failed);
		*e = failed;
		return false;
	}
	be_undone(c, why);
	*e = *why;
	return false;
}

/* ---- the whole ---- */

static bool make_back(struct cutover *c, struct error *e)
{
	if (c->back.name)
		return true;
	if (c->set.first) {
		mirror_config_copy(&c->back, c->set.first);
		return true;
	}
	way_back_config(c->set.config, &c->store, &c->back);
	free(c->back.name);
	c->back.name = xstrdup(c->set.back);
	return way_back_leave_out(c->target, c->source, &c->store, &c->back, e) && mirror_config_check(&c->back, e);
}

static bool open_machine(struct cutover *c, struct store_cutover *now, struct error *e)
{
	return connect_both(c, e) && make_back(c, e) && store_cutover_read(c->target, c->store.id, now, e);
}

/* Neither done nor undone. */
static bool is_open(enum cutover_phase p)
{
	return p == CUTOVER_RUNNING || p == CUTOVER_UNDOING || p == CUTOVER_COMMITTED;
}

/* One that is not through would be gone on with, and open what this one closes. */
static bool refuse_other_way(struct cutover *c, struct error *e)
{
	struct store_mirror other = { 0 };
	struct store_cutover now = { 0 };
	bool found = false;
	*e = (struct error){ 0 };
	if (!store_exists(c->source, e))
		return e->class == ERROR_NONE || e->class == ERROR_CONFLICT; /* a schema that is not ours */
	bool ok = store_read(c->source, c->back.name, &other, &found, e) &&
			  (!found || store_cutover_read(c->source, other.id, &now, e));
	bool open = ok && is_open(now.phase);
	store_mirror_free(&other);
	store_cutover_free(&now);
	if (!open)
		return ok;
	error_set(e, ERROR_CONFLICT, "the cutover of mirror %s is not through: it is %s", c->back.name,
		cutover_phase_name(now.phase));
	return error_next(e, "go on with that one first");
}

static bool refuse(const struct cutover *c, const struct store_cutover *now, struct error *e)
{
	if (c->store.state != MIRROR_CUT_OVER || now->phase == CUTOVER_COMMITTED)
		return true;
	error_set(e, ERROR_USAGE, "mirror %s is cut over already", c->mirror);
	return error_next(e, "pgpier rollback %s leads back, pgpier finish %s ends it", c->mirror, c->mirror);
}

static bool pass_gates(struct cutover *c, struct error *e)
{
	size_t closed = 0;
	struct error first = { 0 };
	view_step(c, CUTOVER_GATES, STEP_RUNNING);
	bool ok = gates_catch_up(c, e) && connect_both(c, e) && gates_measure(c, &closed, &first, e);
	if (ok && closed > 0) {
		*e = first;
		ok = false;
	}
	view_step(c, CUTOVER_GATES, ok ? STEP_DONE : STEP_FAILED);
	if (!ok) {
		why_stopped(c, e);
		error_prefix(e, "checklist");
	}
	return ok;
}

/* Nothing was begun: there is nothing to undo. */
static bool give_up(struct cutover *c, const struct error *why, struct error *e)
{
	pthread_mutex_lock(&c->lock);
	c->view.error = *e = *why;
	pthread_mutex_unlock(&c->lock);
	view_phase(c, CUTOVER_UNDONE);
	view_say(c, EVENT_WARNING, why, "the cutover did not begin");
	return false;
}

/* A new one, or one that another process left while it ran. */
static bool run_whole(struct cutover *c, const struct store_cutover *now, struct error *e)
{
	bool resumed = now->phase == CUTOVER_RUNNING;
	struct error why;
	c->commit_tried = resumed; /* perhaps, by the process that is gone */
	if (!pass_gates(c, &why))
		return resumed ? undo(c, &why, e) : give_up(c, &why, e);
	if (!resumed && !store_cutover_begin(c->target, c->store.id, c->set.config->cutover_limit_s, c->back.name, &c->id, &why))
		return give_up(c, &why, e);
	pthread_mutex_lock(&c->lock);
	c->timed_us = clock_us();
	pthread_mutex_unlock(&c->lock);
	view_say(c, EVENT_INFO, NULL, resumed ? "the cutover goes on" : "the cutover begins");
	if (run_until_commit(c, &why))
		return finish(c, e);
	return undo(c, &why, e);
}

static bool go_on(struct cutover *c, struct store_cutover *now, struct error *e)
{
	struct error why;
	c->id = is_open(now->phase) ? now->id : 0;
	c->last = now->phase == CUTOVER_RUNNING || now->phase == CUTOVER_UNDOING ? now->step : CUTOVER_GATES;
	c->ended_stream = c->last >= CUTOVER_DRAIN;
	switch (now->phase) {
	case CUTOVER_COMMITTED:
		return finish(c, e);
	case CUTOVER_UNDOING:
		error_set(&why, ERROR_CANCELLED, "%s", now->error ? now->error : "it was being undone when its process ended");
		return undo(c, &why, e);
	default:
		return run_whole(c, now, e);
	}
}

bool cutover_run(struct cutover *c, struct error *e)
{
	struct store_cutover now = { 0 };
	struct clock clock;
	bool ok = open_machine(c, &now, e) && refuse(c, &now, e) && refuse_other_way(c, e);
	if (ok) {
		view_begin(c, CUTOVER_RUNNING);
		clock_begin(&clock, c);
		ok = go_on(c, &now, e);
		clock_end(&clock);
		view_tell(c);
	}
	store_cutover_free(&now);
	return ok;
}

bool cutover_undo(struct cutover *c, struct error *e)
{
	struct store_cutover now = { 0 };
	struct error why;
	struct clock clock;
	c->takes_over = true;
	if (!open_machine(c, &now, e))
		return false;
	bool open = is_open(now.phase) && now.phase != CUTOVER_COMMITTED;
	c->id = open ? now.id : 0;
	c->last = now.step;
	c->ended_stream = c->last >= CUTOVER_DRAIN;
	store_cutover_free(&now);
	if (!open) {
		error_set(e, ERROR_USAGE, "there is no cutover of mirror %s to undo", c->mirror);
		return error_next(e, c->store.state == MIRROR_CUT_OVER ? "it is cut over: a rollback leads back" : "none was begun");
	}
	c->commit_tried = true; /* perhaps, by the process that is gone */
	view_begin(c, CUTOVER_UNDOING);
	clock_begin(&clock, c);
	error_set(&why, ERROR_CANCELLED, "somebody asked for its undo");
	bool ended = undo(c, &why, e);
	clock_end(&clock);
	view_tell(c);
	pthread_mutex_lock(&c->lock);
	bool undone = c->view.phase == CUTOVER_UNDONE;
	pthread_mutex_unlock(&c->lock);
	return ended || undone;
}

/* ---- without changing anything ---- */

bool cutover_measure(struct cutover *c, struct error *e)
{
	struct store_cutover now = { 0 };
	size_t closed;
	struct error first;
	bool ok = open_machine(c, &now, e) && gates_measure(c, &closed, &first, e);
	store_cutover_free(&now);
	return ok;
}

static bool rehearse_step(struct cutover *c, enum cutover_step s, double *sum, struct error *e)
{
	if (!cutover_steps[s].rehearse)
		return true;
	view_step(c, s, STEP_RUNNING);
	int64_t began = clock_us();
	bool ok = connect_both(c, e) && cutover_steps[s].rehearse(c, e);
	double took = (double)(clock_us() - began) / 1e6;
	view_step(c, s, ok ? STEP_DONE : STEP_FAILED);
	pthread_mutex_lock(&c->lock);
	c->view.steps[s].forecast_s = ok ? took : -1;
	pthread_mutex_unlock(&c->lock);
	*sum += took;
	return ok || error_prefix(e, "%s", cutover_step_name(s));
}

static bool rehearse(struct cutover *c, struct error *e)
{
	double sum = 0;
	size_t closed = 0;
	struct error first;
	view_step(c, CUTOVER_GATES, STEP_RUNNING);
	bool ok = gates_catch_up(c, e) && connect_both(c, e) && gates_measure(c, &closed, &first, e);
	view_step(c, CUTOVER_GATES, ok && closed == 0 ? STEP_DONE : STEP_FAILED);
	for (enum cutover_step s = CUTOVER_PREPARE; ok && s < CUTOVER_STEP_COUNT; s++)
		ok = rehearse_step(c, s, &sum, e);
	why_stopped(c, e);
	pthread_mutex_lock(&c->lock);
	c->view.forecast_s = ok ? sum : -1;
	if (!ok)
		c->view.error = *e;
	pthread_mutex_unlock(&c->lock);
	view_phase(c, CUTOVER_REHEARSED);
	return ok;
}

bool cutover_rehearse(struct cutover *c, struct error *e)
{
	struct store_cutover now = { 0 };
	struct clock clock;
	bool ok = open_machine(c, &now, e) && refuse(c, &now, e) && refuse_other_way(c, e);
	if (ok) {
		view_begin(c, CUTOVER_REHEARSING);
		clock_begin(&clock, c);
		ok = rehearse(c, e);
		clock_end(&clock);
		view_tell(c);
	}
	store_cutover_free(&now);
	return ok;
}
