// SPDX-License-Identifier: PostgreSQL
/* A cutover's own two connections, and why there is only one process that has them.
 *
 * Each holds a lock, beside the mirror's own, which whoever runs the mirror has until the drain: that to the target
 * the one of this direction, that to the source the one of the other direction, so that neither another process nor a
 * cutover the other way gets between. Whoever has the target's lock ends what sessions of this cutover are left on
 * either server, before anything else. From that follows what every step relies on: as long as a connection is the
 * same one, nobody else has been at it; and when one had to be made anew, the row on the target is read before
 * anything is done, because somebody may have undone or committed in between, or have begun anew. A process that was
 * stopped for an hour, or cut off, thus finds its connections gone and learns what became of it. */
#include <stdio.h>
#include <stdlib.h>

#include "inside.h"

#define ROLE "cutover"

/* What a statement of ours has committed must survive a crash, whatever the database's default is: who reads the row
 * or the fence later would decide otherwise. And a server that looks after its client ends the sessions of a killed
 * process also when they wait for a lock (14 and later, not on every system: a server that refuses does without). */
static bool prepare_session(struct pg *c, struct error *e)
{
	struct error ignored;
	if (!pg_run(c, e, "SELECT set_config('synchronous_commit', 'local', false)"
			" WHERE current_setting('synchronous_commit') = 'off'"))
		return false;
	if (!pg_run(c, &ignored, "SELECT set_config(name, '1s', false) FROM pg_settings"
			" WHERE name = 'client_connection_check_interval'"))
		pg_rollback(c);
	return true;
}

static bool lock_direction(struct pg *c, const char *mirror, struct error *e)
{
	char name[NAME_SIZE + 16];
	snprintf(name, sizeof(name), "%s/" ROLE, mirror);
	return store_lock(c, name, e) || error_prefix(e, "its cutover");
}

/* ---- the target ---- */

static bool read_store(struct cutover *c, struct error *e)
{
	bool found;
	store_mirror_free(&c->store);
	if (!store_read(c->target, c->mirror, &c->store, &found, e))
		return false;
	if (found && c->store.table_count > 0)
		return true;
	error_set(e, ERROR_CONFLICT, "the target knows nothing of mirror %s", c->mirror);
	return error_next(e, "run it first: a cutover comes when it has caught up");
}

/* One that is over its limit undoes itself, unless its process is stopped or cut off: then a person may. */
static bool is_overdue(struct cutover *c, bool *overdue, struct error *e)
{
	char *mirror = xasprintf("%lld", (long long)c->store.id);
	struct rows *r = PG_ROWS(c->target, e, "SELECT phase NOT IN ('done', 'undone')"
		" AND clock_timestamp() > began_at + make_interval(secs => limit_s)"
		" FROM pgpier.cutovers WHERE mirror_id = $1 ORDER BY cutover_id DESC LIMIT 1", mirror);
	free(mirror);
	*overdue = r && rows_count(r) == 1 && rows_bool(r, 0, 0);
	bool ok = r != NULL;
	rows_free(r);
	return ok;
}

static bool take_over(struct cutover *c, struct error *e)
{
	struct error held = *e;
	bool overdue;
	if (!c->takes_over || e->class != ERROR_CONFLICT || !is_overdue(c, &overdue, e))
		return false;
	if (!overdue) {
		*e = held;
		return error_next(e, "undo it there; one that hangs can be undone from here when its limit is over");
	}
	view_say(c, EVENT_WARNING, &held, "another pgpier is over its limit and does not undo: its sessions are ended");
	return store_end_orphans(c->target, c->mirror, ROLE, e) && lock_direction(c->target, c->mirror, e);
}

/* A session of ours that was given up may still wait in a statement, and hold the lock. */
static bool end_former(struct cutover *c, struct error *e)
{
	char *pid = xasprintf("%d", c->target_pid);
	struct rows *r = PG_ROWS(c->target, e, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1"
		" AND usename = current_user AND application_name LIKE 'pgpier/%/" ROLE "'", pid);
	free(pid);
	bool ok = r != NULL;
	rows_free(r);
	return ok;
}

/* Is the cutover that we are at still the last one, and where we left it? */
static bool is_ours(struct cutover *c, struct error *e)
{
	struct store_cutover now;
	if (!c->id)
		return true;
	if (!store_cutover_read(c->target, c->store.id, &now, e))
		return false;
	enum cutover_phase here = c->view.phase; /* nobody but this thread writes it */
	bool same = now.id == c->id;
	if (here == CUTOVER_RUNNING)
		same = same && (now.phase == CUTOVER_RUNNING || (now.phase == CUTOVER_COMMITTED && c->commit_tried));
	else if (here == CUTOVER_COMMITTED)
		same = same && now.phase == CUTOVER_COMMITTED;
	store_cutover_free(&now);
	if (same)
		return true;
	error_set(e, ERROR_CONFLICT, "another pgpier has gone on with this cutover: it is %s", cutover_phase_name(now.phase));
	return error_next(e, "see its status");
}

static bool take_target(struct cutover *c, struct error *e)
{
	if (!prepare_session(c->target, e) || !store_exists(c->target, e))
		return false;
	if (!store_prepare(c->target, e) || (c->target_pid && !end_former(c, e)) || !read_store(c, e))
		return false;
	if (!lock_direction(c->target, c->mirror, e) && !take_over(c, e))
		return false;
	c->target_pid = pg_pid(c->target);
	return store_end_orphans(c->target, c->mirror, ROLE, e) && read_store(c, e) && is_ours(c, e);
}

bool connect_target(struct cutover *c, struct error *e)
{
	if (c->target && !pg_lost(c->target) && pg_stop_borrow(c->target) == c->stop)
		return true;
	pg_free(c->target);
	c->target = pg_connect(c->set.target, c->mirror, ROLE, c->stop, e);
	if (c->target && take_target(c, e))
		return true;
	if (c->target && e->class == ERROR_NONE) {
		error_set(e, ERROR_CONFLICT, "the target knows nothing of mirror %s", c->mirror);
		error_next(e, "run it first: a cutover comes when it has caught up");
	}
	pg_free(c->target);
	c->target = NULL;
	return false;
}

/* ---- the source ---- */

bool connect_source(struct cutover *c, struct error *e)
{
	if (c->source && !pg_lost(c->source) && pg_stop_borrow(c->source) == c->stop)
		return true;
	pg_free(c->source);
	c->source = NULL;
	if (!connect_target(c, e)) /* may we? */
		return false;
	c->source = pg_connect(c->set.source, c->mirror, ROLE, c->stop, e);
	if (c->source && prepare_session(c->source, e) && store_end_orphans(c->source, c->mirror, ROLE, e) &&
		lock_direction(c->source, c->set.first ? c->set.first->name : c->set.back, e))
		return true;
	pg_free(c->source);
	c->source = NULL;
	return false;
}

bool connect_both(struct cutover *c, struct error *e)
{
	return connect_target(c, e) && connect_source(c, e);
}

/* That to the source stays when it can, because it is the proof that nobody was there meanwhile; that to the target
 * is made anew, because an undo has no limit, and a connection has. */
void connections_obey(struct cutover *c, const struct stop *stop)
{
	pg_free(c->target);
	c->target = NULL;
	if (!c->source)
		return;
	pg_stop_set(c->source, stop);
	if (!pg_lost(c->source) && PQtransactionStatus(pg_conn_borrow(c->source)) != PQTRANS_ACTIVE)
		pg_rollback(c->source);
	else
		pg_abandon(c->source);
	if (pg_lost(c->source)) {
		pg_free(c->source);
		c->source = NULL;
	}
}

void disconnect(struct cutover *c)
{
	pg_free(c->source);
	pg_free(c->target);
	c->source = c->target = NULL;
}

struct way_back way_back_of(struct cutover *c)
{
	return (struct way_back){
		.config = &c->back,
		.from_peer = c->set.target,
		.to_peer = c->set.source,
		.from = c->target,
		.to = c->source,
		.stop = c->stop,
	};
}
