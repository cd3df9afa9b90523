// SPDX-License-Identifier: PostgreSQL
/* Keeping writers out of the source, and proving that nobody writes: first what stands in front of it, so that the
 * application waits and sees no error; then its own command; then the fence, or somebody's word. */
#include <stdlib.h>
#include <string.h>

#include "fence.h"
#include "hook.h"
#include "inside.h"
#include "pgbouncer.h"
#include "sessions.h"

#define PGBOUNCER_PATIENCE_MS 30000
#define HOOK_PATIENCE_MS 120000
#define END_PATIENCE_MS 15000
#define SILENCE_PATIENCE_US 15000000
#define LOOK_EVERY_MS 20

static struct fence_settings fence_of(const struct cutover *c)
{
	return (struct fence_settings){ .mirror = c->mirror, .allow = &c->set.config->allow };
}

static bool run_hook(struct cutover *c, enum hook hook, const char *command, struct error *e)
{
	struct hook_peers peers = { c->set.source, c->set.target, c->source, c->target };
	return hook_run(hook, command, c->mirror, &peers, HOOK_PATIENCE_MS, c->stop, e);
}

/* ---- freeze ---- */

static void ask(struct cutover *c, bool asks)
{
	pthread_mutex_lock(&c->lock);
	c->view.asks = asks;
	pthread_mutex_unlock(&c->lock);
	view_tell(c);
}

static bool was_told(struct cutover *c)
{
	pthread_mutex_lock(&c->lock);
	bool go = c->go;
	pthread_mutex_unlock(&c->lock);
	return go;
}

static bool wait_for_word(struct cutover *c, struct error *e)
{
	view_what(c, "waits for the word that the writers are stopped");
	ask(c, true);
	while (!was_told(c) && stop_sleep(c->stop, LOOK_EVERY_MS))
		;
	ask(c, false);
	if (!was_told(c))
		return error_set(e, ERROR_CANCELLED, "nobody said that the writers are stopped");
	view_closed(c, true);
	view_what(c, "somebody says that the writers are stopped");
	return true;
}

static bool say_left(const struct strings *left, struct error *e)
{
	error_set(e, ERROR_CONFLICT, "%s is still there%s", left->items[0], left->count > 1 ? ", and others are" : "");
	return error_next(e, "end it, or let its role stay: allow = [...]");
}

static bool close_fence(struct cutover *c, struct error *e)
{
	struct fence_settings fence = fence_of(c);
	struct strings left = { 0 };
	size_t ended = 0;
	view_closed(c, true);
	if (!fence_close(c->source, &fence, e))
		return false;
	bool ok = sessions_end(c->source, fence.allow, END_PATIENCE_MS, &ended, &left, e);
	if (ok && left.count > 0)
		ok = say_left(&left, e);
	if (ok)
		view_what(c, "%zu session%s ended; only our own role may connect and write", ended, ended == 1 ? "" : "s");
	strings_free(&left);
	return ok;
}

bool freeze_writers(struct cutover *c, struct error *e)
{
	const struct mirror_config *m = c->set.config;
	if (c->set.source->pgbouncer) {
		view_closed(c, true);
		view_what(c, "PgBouncer pauses");
		if (!pgbouncer_pause(c->set.source, PGBOUNCER_PATIENCE_MS, c->stop, e))
			return false;
	}
	if (m->freeze_command) {
		view_closed(c, true);
		view_what(c, "freeze_command runs");
		if (!run_hook(c, HOOK_FREEZE, m->freeze_command, e))
			return false;
	}
	return m->freeze == FREEZE_WAIT ? wait_for_word(c, e) : close_fence(c, e);
}

bool freeze_undo(struct cutover *c, struct error *e)
{
	bool was;
	if (!connect_source(c, e) || !fence_lift(c->source, c->mirror, &was, e) ||
		!run_hook(c, HOOK_UNFREEZE, c->set.config->unfreeze_command, e))
		return false;
	if (c->set.source->pgbouncer && !pgbouncer_resume(c->set.source, c->stop, e))
		return false;
	view_closed(c, false);
	return true;
}

/* Everything but closing: who would be ended, whether the console answers, what the fence would do. */
bool freeze_rehearse(struct cutover *c, struct error *e)
{
	struct fence_settings fence = fence_of(c);
	struct fence_plan plan;
	struct session *sessions = NULL;
	size_t n = 0;
	if (c->set.source->pgbouncer && !pgbouncer_check(c->set.source, c->stop, e))
		return false;
	if (c->set.config->freeze == FREEZE_WAIT) {
		view_what(c, "a person stops the writers: not counted");
		return true;
	}
	if (!fence_plan(c->source, &fence, &plan, e))
		return false;
	bool ok = sessions_read(c->source, fence.allow, &sessions, &n, e);
	if (ok)
		view_what(c, "would end %zu session%s and keep %zu role%s out", n, n == 1 ? "" : "s", plan.roles,
			plan.roles == 1 ? "" : "s");
	fence_plan_free(&plan);
	free(sessions);
	return ok;
}

/* ---- silence ---- */

/* The first that writes, if any; those that only read do no harm. */
static bool find_writer(struct cutover *c, bool *any, char *who, size_t size, struct error *e)
{
	struct session *sessions;
	size_t n;
	if (!sessions_read(c->source, &(struct strings){ 0 }, &sessions, &n, e))
		return false;
	*any = n > 0 && sessions[0].writes;
	if (*any)
		session_text(&sessions[0], who, size);
	free(sessions);
	return true;
}

bool silence_prove(struct cutover *c, struct error *e)
{
	int64_t until = clock_us() + SILENCE_PATIENCE_US;
	char who[512];
	for (;;) {
		bool any;
		if (!find_writer(c, &any, who, sizeof(who), e))
			return false;
		if (!any) {
			view_what(c, "nobody has a transaction that writes");
			return true;
		}
		view_what(c, "waits for %s", who);
		if (clock_us() > until || !stop_sleep(c->stop, LOOK_EVERY_MS))
			break;
	}
	error_set(e, ERROR_CONFLICT, "%s still writes on the source", who);
	return error_next(e, "end it, and begin again");
}
