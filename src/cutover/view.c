// SPDX-License-Identifier: PostgreSQL
/* What a person sees of a cutover: one value, written here under its lock and copied to the model. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

static double since_s(int64_t us)
{
	return us ? (double)(clock_us() - us) / 1e6 : 0;
}

/* The step at hand, of the state; CUTOVER_STEP_COUNT: none is. With the lock held. */
static int step_in(const struct cutover *c, enum step_state state)
{
	for (int s = 0; s < CUTOVER_STEP_COUNT; s++)
		if (c->view.steps[s].state == state)
			return s;
	return CUTOVER_STEP_COUNT;
}

static bool goes_on(enum cutover_phase p)
{
	return p == CUTOVER_REHEARSING || p == CUTOVER_RUNNING || p == CUTOVER_UNDOING || p == CUTOVER_COMMITTED;
}

void view_tell(struct cutover *c)
{
	struct cutover_view copy;
	pthread_mutex_lock(&c->lock);
	struct cutover_view *v = &c->view;
	if (goes_on(v->phase)) {
		int running = step_in(c, STEP_RUNNING);
		if (running < CUTOVER_STEP_COUNT)
			v->steps[running].took_s = since_s(c->step_us);
		v->elapsed_s = since_s(c->began_us);
		if (c->closed_us)
			v->closed_s = since_s(c->closed_us);
	}
	cutover_view_copy(&copy, v);
	pthread_mutex_unlock(&c->lock);
	model_cutover_set(c->set.model, c->mirror, &copy);
	cutover_view_free(&copy);
}

void view_begin(struct cutover *c, enum cutover_phase phase)
{
	pthread_mutex_lock(&c->lock);
	c->began_us = clock_us();
	struct cutover_view fresh = { .phase = phase, .here = true, .began_at = wall_us(), .closed_s = -1,
		.forecast_s = -1, .limit_s = c->set.config->cutover_limit_s };
	for (int s = 0; s < CUTOVER_STEP_COUNT; s++) {
		/* what the last rehearsal measured stays */
		fresh.steps[s].forecast_s = c->view.began_at ? c->view.steps[s].forecast_s : -1;
		copy_text(fresh.steps[s].undo, sizeof(fresh.steps[s].undo), cutover_steps[s].undo_text);
	}
	fresh.forecast_s = c->view.began_at ? c->view.forecast_s : -1;
	copy_text(fresh.back, sizeof(fresh.back), c->back.name);
	cutover_view_free(&c->view);
	c->view = fresh;
	pthread_mutex_unlock(&c->lock);
	view_tell(c);
}

void view_phase(struct cutover *c, enum cutover_phase phase)
{
	pthread_mutex_lock(&c->lock);
	c->view.phase = phase;
	c->view.asks = false;
	pthread_mutex_unlock(&c->lock);
	view_tell(c);
}

void view_step(struct cutover *c, enum cutover_step step, enum step_state state)
{
	pthread_mutex_lock(&c->lock);
	struct cutover_step_view *v = &c->view.steps[step];
	if (state == STEP_RUNNING)
		c->step_us = clock_us();
	else if (v->state == STEP_RUNNING)
		v->took_s = since_s(c->step_us);
	v->state = state;
	pthread_mutex_unlock(&c->lock);
	view_tell(c);
}

void view_closed(struct cutover *c, bool closed)
{
	pthread_mutex_lock(&c->lock);
	if (closed && !c->closed_us)
		c->closed_us = clock_us();
	if (!closed && c->closed_us) {
		c->view.closed_s = since_s(c->closed_us);
		c->closed_us = 0;
	}
	pthread_mutex_unlock(&c->lock);
	view_tell(c);
}

void view_what(struct cutover *c, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	pthread_mutex_lock(&c->lock);
	int running = step_in(c, STEP_RUNNING);
	if (running < CUTOVER_STEP_COUNT)
		vsnprintf(c->view.steps[running].what, sizeof(c->view.steps[running].what), fmt, args);
	pthread_mutex_unlock(&c->lock);
	va_end(args);
	view_tell(c);
}

void view_remains(struct cutover *c, const char *fmt, ...)
{
	char line[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	pthread_mutex_lock(&c->lock);
	strings_add(&c->view.remains, line);
	pthread_mutex_unlock(&c->lock);
}

void view_say(struct cutover *c, enum event_level level, const struct error *e, const char *fmt, ...)
{
	char object[NAME_SIZE + 16], text[768];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(object, sizeof(object), "mirror %s", c->mirror);
	model_event(c->set.model, level, object, e, "%s", text);
}
