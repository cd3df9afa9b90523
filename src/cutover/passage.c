// SPDX-License-Identifier: PostgreSQL
/* The way back, the commit, and what comes behind it. */
#include <pgpier/format.h>
#include <stdlib.h>
#include <string.h>

#include "../pg/conninfo.h"
#include "fence.h"
#include "hook.h"
#include "inside.h"
#include "pgbouncer.h"
#include "sessions.h"

#define HOOK_PATIENCE_MS 120000
#define SLOT_PATIENCE_US 10000000
#define SLOT_IN_USE "55006"

/* ---- the way back ---- */

bool survey_once(struct cutover *c, struct error *e)
{
	if (c->surveyed)
		return true;
	c->surveyed = survey_read(c->source, c->target, c->set.config, &c->store, false, &c->survey, e);
	return c->surveyed;
}

bool back_prepare(struct cutover *c, struct error *e)
{
	struct way_back w = way_back_of(c);
	if (!survey_once(c, e) || !way_back_prepare(&w, &c->store, e))
		return false;
	view_what(c, "mirror %s leads back", c->back.name);
	return true;
}

bool back_begin(struct cutover *c, struct error *e)
{
	char name[NAME_SIZE];
	struct way_back w = way_back_of(c);
	mirror_slot_name(&c->back, name);
	if (!way_back_begin(&w, e))
		return false;
	view_what(c, "slot %s on %s", name, c->set.target->name);
	return true;
}

bool back_undo(struct cutover *c, struct error *e)
{
	struct way_back w;
	if (!connect_both(c, e))
		return false;
	w = way_back_of(c);
	return way_back_undo(&w, e);
}

/* Would a slot be made at once? One that nobody ever sees. */
bool back_rehearse(struct cutover *c, struct error *e)
{
	struct pg *p = pg_connect_replication(c->set.target, c->mirror, "rehearsal", c->stop, e);
	bool ok = p && pg_run(p, e, "CREATE_REPLICATION_SLOT pgpier_rehearsal TEMPORARY LOGICAL pgoutput");
	pg_free(p);
	if (ok)
		view_what(c, "a slot on %s can be made", c->set.target->name);
	return ok;
}

/* ---- commit ---- */

/* The walsender of a stream that has just ended may have the slot for another moment. */
static bool peek(struct cutover *c, bool *kept, char what[256], struct error *e)
{
	const struct store_replication *p = &c->store.replication;
	int64_t until = clock_us() + SLOT_PATIENCE_US;
	char from[FORMAT_SIZE];
	format_lsn(c->marker, from);
	while (!silence_was_kept(c->source, p->slot, p->publication, from, kept, what, e))
		if (strcmp(e->sqlstate, SLOT_IN_USE) != 0 || clock_us() > until || !stop_sleep(c->stop, 5))
			return false;
	return true;
}

static bool still_silent(struct cutover *c, struct error *e)
{
	char what[256] = "";
	bool kept = false;
	if (!silence_prove(c, e) || !peek(c, &kept, what, e))
		return false;
	if (kept)
		return true;
	error_set(e, ERROR_CONFLICT, "somebody wrote to the source behind the freeze: %s", what);
	return error_next(e, "find who it was (a superuser, a job, a connection that is allowed), and begin again");
}

bool commit_run(struct cutover *c, struct error *e)
{
	if (!still_silent(c, e))
		return false;
	char *connection = conninfo_public(c->set.target, c->target, REACH_FAR, e);
	if (!connection)
		return false;
	pthread_mutex_lock(&c->lock);
	double closed = c->closed_us ? (double)(clock_us() - c->closed_us) / 1e6 : -1;
	pthread_mutex_unlock(&c->lock);
	c->commit_tried = true;
	bool ok = store_cutover_commit(c->target, c->id, connection, closed, e);
	if (ok) {
		pthread_mutex_lock(&c->lock);
		copy_text(c->view.connection, sizeof(c->view.connection), connection);
		pthread_mutex_unlock(&c->lock);
		view_what(c, "the source was silent; %s is the primary", c->set.target->name);
	}
	free(connection);
	return ok;
}

/* ---- open ---- */

static bool bounce(struct cutover *c, const struct peer_config *peer, struct error *e)
{
	return !peer->pgbouncer || (pgbouncer_reload(peer, c->stop, e) && pgbouncer_resume(peer, c->stop, e));
}

static bool same_bouncer(const struct peer_config *a, const struct peer_config *b)
{
	return a->pgbouncer && b->pgbouncer && strcmp(a->pgbouncer, b->pgbouncer) == 0;
}

bool open_target(struct cutover *c, struct error *e)
{
	bool was;
	struct hook_peers peers = { c->set.source, c->set.target, c->source, c->target };
	if (!kept_back_make(c, e) || !fence_lift(c->target, c->back.name, &was, e))
		return false;
	if (c->set.config->open_command)
		view_what(c, "open_command runs");
	if (!hook_run(HOOK_OPEN, c->set.config->open_command, c->mirror, &peers, HOOK_PATIENCE_MS, c->stop, e) ||
		!bounce(c, c->set.source, e) ||
		(!same_bouncer(c->set.source, c->set.target) && !bounce(c, c->set.target, e)))
		return false;
	view_closed(c, false);
	view_what(c, c->set.config->open_command ? "open_command has moved the application" : "the application may connect");
	return true;
}

/* ---- follow ---- */

static void say_what_remains(struct cutover *c)
{
	if (c->set.config->freeze == FREEZE_FENCE)
		view_remains(c, "%s stays closed to the application; a rollback opens it again", c->set.source->name);
	else
		view_remains(c, "nobody may write to %s: what is written there is not on %s", c->set.source->name,
			c->set.target->name);
	if (!c->set.config->open_command && !c->set.source->pgbouncer)
		view_remains(c, "the application has to connect to %s", c->set.target->name);
}

bool follow_back(struct cutover *c, struct error *e)
{
	const struct cutover_services *s = c->set.services;
	if (!s->save(s->arg, &c->back, e) || !store_reopen(c->source, c->back.name, e) ||
		!way_back_disarm(c->set.config, c->set.source, c->target, c->stop, e) || !s->run(s->arg, c->back.name, e) ||
		!kept_back_finish(c, e))
		return false;
	say_what_remains(c);
	view_what(c, "mirror %s keeps %s equal to %s", c->back.name, c->set.source->name, c->set.target->name);
	return true;
}
