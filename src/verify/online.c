// SPDX-License-Identifier: PostgreSQL
/* Snapshots of both sides of a mirror that replicates, at one position.
 *
 *     ask the mirror to stand  ->  it stands between two transactions
 *     snapshot S of the source, W: where its log is just after
 *     place: S, W              ->  it goes on with what S sees, and stands again  (or: no position has S, another S)
 *     snapshot of the target
 *     release                  ->  it goes on
 *
 * For a repair it is not released: it stands until the repair is through (hold.c).
 *
 * The mirror may be run by any process: the two talk by rows on the target (../store/holds.h). Sessions are opened, and
 * their transactions begun, before anybody has to wait for them. When little is written nothing would tell the mirror
 * that its stream has passed W: a message in the source's log does. */
#include <pgpier/format.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../store/holds.h"
#include "inside.h"

#define BEGIN_SQL "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define PG_HAS_LSN 100000
/* Commits that overtake each other are a matter of moments: one snapshot after the other is tried, and replication
 * is let go in between when that takes long. */
#define MOST_STOPPED_US 1000000
#define MOST_ROUNDS 10
#define BETWEEN_ROUNDS_MS 500
/* A mirror that commits nothing for so long, be it in one large transaction, is not waited for. */
#define PATIENCE_US 1800000000
#define LOOK_EVERY_MS 1000

struct position {
	const struct verify_settings *set;
	char label[VERIFY_LABEL_SIZE];
	struct pg *source, *marker, *target, *control;
	bool begun; /* the source's transaction, and it has a snapshot */
	int64_t id, hold;
	struct store_hold row;
	int64_t stopped_us; /* in rounds that are over */
	char why[sizeof(((struct store_hold *)0)->why)]; /* the last place was none, or the hold was lost */
	char *visible;
	char lsn[32], source_name[NAME_SIZE], target_name[NAME_SIZE];
	struct verify_moments *out;
};

static void tell(const struct verify_settings *s, const char *doing)
{
	struct verify_view v = { .running = doing[0] != '\0', .level = s->level, .started_at = wall_us() };
	copy_text(v.doing, sizeof(v.doing), doing);
	model_verify_set(s->model, s->config->name, &v);
}

/* ---- sessions ---- */

static struct pg *connect(const struct position *p, const struct peer_config *peer, const char *role,
	const char *first, struct error *e)
{
	struct pg *c = pg_connect(peer, p->label, role, p->set->stop, e);
	if (c && pg_run(c, e, first))
		return c;
	pg_free(c);
	return NULL;
}

/* The message is for this server's log alone: no standby need have it. */
static bool connect_all(struct position *p, struct error *e)
{
	const struct verify_settings *s = p->set;
	lsn_t applied;
	p->source = connect(p, s->source, "position-1", BEGIN_SQL, e);
	p->marker = p->source ? connect(p, s->source, "position-2", "SET synchronous_commit = local", e) : NULL;
	p->target = p->marker ? connect(p, s->target, "position-1", BEGIN_SQL, e) : NULL;
	p->control = p->target ? connect(p, s->target, "position-2", "SELECT 1", e) : NULL;
	if (!p->control || !store_holds_listen(p->control, e) ||
		!store_find(p->control, s->config->name, &p->id, &applied, e))
		return false;
	return p->id || error_set(e, ERROR_CONFLICT, "the target does not know mirror %s", s->config->name);
}

/* ---- waiting for the mirror ---- */

static bool read_row(struct position *p, struct error *e)
{
	store_hold_free(&p->row);
	if (!store_hold_read(p->control, p->id, p->hold, &p->row, e))
		return false;
	if (p->row.why[0])
		copy_text(p->why, sizeof(p->why), p->row.why);
	return p->row.state != HOLD_NONE ||
		   error_set(e, ERROR_CONFLICT, "mirror %s was dropped meanwhile", p->set->config->name);
}

/* Is it still run, and does it still move? */
static bool is_hopeful(const struct position *p, lsn_t *applied, int64_t *moved_us, struct error *e)
{
	bool locked;
	int64_t id, now = clock_us();
	lsn_t at;
	const char *name = p->set->config->name;
	if (!store_is_locked(p->control, name, &locked, e) || !store_find(p->control, name, &id, &at, e))
		return false;
	if (!locked)
		return error_set(e, ERROR_CONFLICT, "mirror %s has stopped replicating", name);
	if (at != *applied)
		*moved_us = now;
	*applied = at;
	if (now - *moved_us < PATIENCE_US)
		return true;
	error_set(e, ERROR_CONFLICT, "mirror %s does not come to a position", name);
	return error_next(e, "look at what it waits for");
}

static bool rest(const struct position *p, int ms, struct error *e)
{
	PGconn *c = pg_conn_borrow(p->control);
	PGnotify *n = PQnotifies(c);
	if (n) {
		PQfreemem(n);
		return true;
	}
	if (stop_poll(p->set->stop, PQsocket(c), POLLIN, ms) && !PQconsumeInput(c))
		return error_set(e, ERROR_CONNECTION, "peer %s: the connection was lost", p->set->target->name);
	return !stop_raised(p->set->stop) || error_set(e, ERROR_CANCELLED, "the verification was stopped");
}

/* Until the mirror has answered. */
static bool await(struct position *p, enum hold_state asked, struct error *e)
{
	int64_t looked = clock_us(), moved = looked;
	lsn_t applied = 0;
	for (;;) {
		if (!read_row(p, e))
			return false;
		if (p->row.state != asked)
			return true;
		if (clock_us() - looked >= LOOK_EVERY_MS * 1000) {
			looked = clock_us();
			if (!is_hopeful(p, &applied, &moved, e))
				return false;
		}
		if (!rest(p, LOOK_EVERY_MS, e))
			return false;
	}
}

/* ---- the steps ---- */

/* A standby has no position of its own to write to: it tells how far it is. */
static char *snapshot_sql(const struct position *p)
{
	int version = pg_version(p->source);
	return xasprintf("%sSELECT pg_export_snapshot(), txid_current_snapshot(), %s,"
					 " (extract(epoch FROM clock_timestamp()) * 1000000)::int8",
		p->begun ? "ROLLBACK; " BEGIN_SQL ";" : "",
		version >= PG_HAS_LSN ? "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END"
							  : "pg_current_xlog_insert_location()");
}

static bool take_source(struct position *p, struct error *e)
{
	char *sql = snapshot_sql(p);
	struct rows *r = pg_query_simple(p->source, e, sql);
	free(sql);
	if (!r)
		return false;
	p->begun = true;
	free(p->visible);
	p->visible = xstrdup(rows_text(r, 0, 1));
	copy_text(p->source_name, sizeof(p->source_name), rows_text(r, 0, 0));
	copy_text(p->lsn, sizeof(p->lsn), rows_text(r, 0, 2));
	p->out->taken_at = rows_int(r, 0, 3);
	rows_free(r);
	return true;
}

/* Where no message can be written the next keepalive does as well. */
static bool mark(struct position *p, struct error *e)
{
	struct error ignored;
	struct rows *r = PG_ROWS(p->marker, &ignored, "SELECT pg_logical_emit_message(true, 'pgpier', '')");
	bool ok = r || !pg_lost(p->marker);
	rows_free(r);
	if (!ok)
		*e = ignored;
	return ok;
}

static bool take_target(struct position *p, struct error *e)
{
	struct rows *r = PG_ROWS(p->target, e, "SELECT pg_export_snapshot()");
	if (!r)
		return false;
	copy_text(p->target_name, sizeof(p->target_name), rows_text(r, 0, 0));
	rows_free(r);
	return true;
}

/* One snapshot of the source after the other, until there is a position that has it, or the round is over. */
static bool find_place(struct position *p, struct error *e)
{
	while (p->row.state == HOLD_STOPPED && p->row.stopped_us < MOST_STOPPED_US) {
		p->out->tries++;
		if (!take_source(p, e) || !store_hold_place(p->control, p->id, p->hold, p->visible, p->lsn, e) || !mark(p, e) ||
			!await(p, HOLD_PLACED, e))
			return false;
		if (p->row.state == HOLD_STOPPED) /* what was overtaken needs a moment */
			stop_sleep(p->set->stop, MIN(p->out->tries, 20));
	}
	return true;
}

static bool end_hold(struct position *p, struct error *e)
{
	int64_t hold = p->hold;
	p->hold = 0;
	p->stopped_us += p->row.stopped_us;
	store_hold_free(&p->row);
	return store_hold_forget(p->control, p->id, hold, e);
}

static bool release(struct position *p, bool *there, struct error *e)
{
	if (!store_hold_release(p->control, p->id, p->hold, e) || !await(p, HOLD_RELEASED, e))
		return false;
	*there = p->row.state == HOLD_OVER;
	return true;
}

/* Nothing behind the position was applied by now, so the target's snapshot has nothing of that. */
static bool keep_hold(struct position *p, bool *there, struct error *e)
{
	return store_hold_keep(p->control, p->id, p->hold, e) &&
		   store_hold_stands(p->control, p->id, p->hold, 0, there, e) && read_row(p, e);
}

/* *there: both snapshots are of one position, because the mirror has stood there until after the second one. */
static bool try_round(struct position *p, bool *there, struct error *e)
{
	*there = false;
	tell(p->set, "waiting for the mirror to stand");
	if (!store_hold_ask(p->control, p->id, &p->hold, e) || !await(p, HOLD_ASKED, e))
		return false;
	tell(p->set, "waiting for the mirror to be at one position");
	if (!find_place(p, e))
		return false;
	if (p->row.state == HOLD_HELD) {
		char text[FORMAT_SIZE];
		copy_text(p->out->lsn, sizeof(p->out->lsn), format_lsn(p->row.position, text));
		if (!take_target(p, e) || !(p->set->repair ? keep_hold(p, there, e) : release(p, there, e)))
			return false;
	}
	return (*there && p->set->repair) || end_hold(p, e);
}

/* The target's transaction is begun anew: it may have a snapshot. */
static bool find_position(struct position *p, struct error *e)
{
	for (int round = 0; round < MOST_ROUNDS; round++) {
		bool there;
		if (round > 0 && !stop_sleep(p->set->stop, BETWEEN_ROUNDS_MS))
			break;
		if ((round > 0 && !pg_run(p->target, e, "ROLLBACK;" BEGIN_SQL)) || !try_round(p, &there, e))
			return false;
		if (there)
			return true;
	}
	if (stop_raised(p->set->stop))
		return error_set(e, ERROR_CANCELLED, "the verification was stopped");
	error_set(e, ERROR_CONFLICT, "mirror %s: no position was found at which both sides can be compared, in %d tries: %s",
		p->set->config->name, p->out->tries, p->why);
	return error_next(e, "try again");
}

/* Sessions of their own, from the snapshots that ours keep until then. */
static bool keep(struct position *p, struct error *e)
{
	const struct verify_settings *s = p->set;
	p->out->source = snapshot_new(s->source, p->label, p->source_name, s->stop, e);
	p->out->target = p->out->source ? snapshot_new(s->target, p->label, p->target_name, s->stop, e) : NULL;
	p->out->exact = true;
	p->out->stopped_s = (double)p->stopped_us / 1e6;
	if (!p->out->target)
		return false;
	if (p->hold) {
		p->out->hold = hold_new(p->control, p->id, p->hold, p->row.stopped_us);
		p->control = NULL;
		p->hold = 0;
	}
	return true;
}

static void position_end(struct position *p)
{
	struct error ignored;
	if (p->hold && p->control && !pg_lost(p->control) && !end_hold(p, &ignored))
		pg_rollback(p->control); /* its lock goes with the session, and the hold with the lock */
	store_hold_free(&p->row);
	free(p->visible);
	pg_free(p->source);
	pg_free(p->marker);
	pg_free(p->target);
	pg_free(p->control);
}

bool verify_take_moments(const struct verify_settings *s, struct verify_moments *out, struct error *e)
{
	struct position p = { .set = s, .out = out };
	*out = (struct verify_moments){ 0 };
	verify_label(s->config->name, p.label);
	tell(s, "connecting");
	bool ok = connect_all(&p, e) && find_position(&p, e) && keep(&p, e);
	position_end(&p);
	if (ok)
		return true;
	tell(s, "");
	verify_moments_free(out);
	return false;
}

void verify_moments_free(struct verify_moments *m)
{
	verify_let_go(m);
	snapshot_free(m->source);
	snapshot_free(m->target);
	m->source = m->target = NULL;
}
