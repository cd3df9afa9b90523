// SPDX-License-Identifier: PostgreSQL
#include "holds.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../store/holds.h"

#define RECONNECT_MS 5000
/* Should a notification get lost on its way (a pooler that keeps them), the table is read so often. */
#define LOOK_EVERY_MS 30000
/* While something is held: whether whoever asked is still there. */
#define HELD_LOOK_MS 1000

struct holds {
	struct holds_settings set;
	struct pg *target;
	struct store_hold now;   /* the row that is served; state HOLD_NONE: none. As it was read last */
	enum hold_state told;    /* what its owner was told last */
	int refused;             /* places, when it was told */
	pthread_t thread;
};

/* ---- one hold ---- */

static void say(const struct holds *h, enum event_level level, const char *text)
{
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", h->set.mirror);
	model_event(h->set.model, level, object, NULL, "%s", text);
}

static void let_go(struct holds *h)
{
	halt_end(h->set.halt);
	store_hold_free(&h->now);
	h->now = (struct store_hold){ .state = HOLD_NONE };
}

static bool answer(struct holds *h, enum hold_state state, const struct halt_view *v, struct error *e)
{
	struct store_hold told = { .number = h->now.number, .state = state, .position = v->position,
		.stopped_us = v->stopped_us };
	copy_text(told.why, sizeof(told.why), state == HOLD_STOPPED || state == HOLD_LOST ? v->why : "");
	h->told = state;
	h->refused = v->refused;
	return store_hold_answer(h->target, h->set.mirror_id, &told, e);
}

/* It went on by itself. */
static bool expired(struct holds *h, struct halt_view *v, struct error *e)
{
	snprintf(v->why, sizeof(v->why), "replication was not let go within %d s", HALT_PATIENCE_US / 1000000);
	say(h, EVENT_WARNING, "whoever verifies has held replication for too long: it goes on");
	bool ok = answer(h, HOLD_LOST, v, e);
	let_go(h);
	return ok;
}

/* What was seen meanwhile counts only if apply stood all the while. */
static bool released(struct holds *h, struct error *e)
{
	struct halt_view v;
	halt_look(h->set.halt, &v);
	if (v.state != HALT_THERE)
		return expired(h, &v, e);
	halt_end(h->set.halt);
	bool ok = answer(h, HOLD_OVER, &v, e);
	let_go(h);
	return ok;
}

/* It takes as long as it takes; whoever does not say so again and again is not alive (../store/holds.h). */
static bool kept(struct holds *h, struct error *e)
{
	struct halt_view v;
	if (halt_keep(h->set.halt))
		return true;
	halt_look(h->set.halt, &v);
	return expired(h, &v, e);
}

static bool place(struct holds *h, struct error *e)
{
	struct visible *v = h->now.snapshot ? visible_new(h->now.snapshot) : NULL;
	if (!v)
		return error_set(e, ERROR_BUG, "a hold has no snapshot");
	h->told = HOLD_PLACED;
	halt_place(h->set.halt, v, h->now.upto);
	return true;
}

/* What the apply side has to say. */
static bool tell(struct holds *h, struct error *e)
{
	struct halt_view v;
	halt_look(h->set.halt, &v);
	if (v.expired)
		return expired(h, &v, e);
	if (v.state == HALT_STANDS && (h->told == HOLD_ASKED || v.refused > h->refused))
		return answer(h, HOLD_STOPPED, &v, e);
	if (v.state == HALT_THERE && h->told == HOLD_PLACED)
		return answer(h, HOLD_HELD, &v, e);
	return true;
}

/* What whoever asked has to say. */
static bool hear(struct holds *h, struct error *e)
{
	struct store_hold row;
	if (!store_hold_read(h->target, h->set.mirror_id, h->now.number, &row, e))
		return false;
	store_hold_free(&h->now);
	int64_t hold = h->now.number;
	h->now = row;
	if (row.state == HOLD_NONE || !row.alive) {
		let_go(h);
		return store_hold_forget(h->target, h->set.mirror_id, hold, e);
	}
	if (row.state == HOLD_PLACED && h->told == HOLD_STOPPED)
		return place(h, e);
	if (row.state == HOLD_KEPT)
		return kept(h, e);
	return row.state != HOLD_RELEASED || released(h, e);
}

static bool begin(struct holds *h, struct error *e)
{
	if (!store_hold_next(h->target, h->set.mirror_id, &h->now, e))
		return false;
	if (h->now.state == HOLD_NONE)
		return true;
	h->told = HOLD_ASKED;
	h->refused = 0;
	halt_ask(h->set.halt);
	return true;
}

/* ---- the thread ---- */

static bool connect(struct holds *h, struct error *e)
{
	h->target = pg_connect(h->set.target, h->set.mirror, "holds", h->set.stop, e);
	return h->target && store_holds_listen(h->target, e) && store_holds_lost(h->target, h->set.mirror_id, e);
}

static void forget_notifications(struct holds *h)
{
	PGnotify *n;
	while ((n = PQnotifies(pg_conn_borrow(h->target))))
		PQfreemem(n);
}

/* Until a notification comes, or the apply side has news. */
static bool rest(struct holds *h, struct error *e)
{
	PGconn *c = pg_conn_borrow(h->target);
	short out[2];
	forget_notifications(h);
	stop_poll2(h->set.stop, (int[2]){ PQsocket(c), halt_changed_fd(h->set.halt) }, (short[2]){ POLLIN, POLLIN }, out,
		h->now.state == HOLD_NONE ? LOOK_EVERY_MS : HELD_LOOK_MS);
	if (out[0] && !PQconsumeInput(c))
		return error_set(e, ERROR_CONNECTION, "the connection was lost");
	return true;
}

/* Both are asked before every rest, so that what came meanwhile is never slept over: a notification that was read
 * with an answer is in no socket any more. */
static bool serve(struct holds *h, struct error *e)
{
	bool ok = h->now.state == HOLD_NONE ? begin(h, e) : hear(h, e);
	if (ok && h->now.state != HOLD_NONE)
		ok = tell(h, e);
	PGnotify *n = ok ? PQnotifies(pg_conn_borrow(h->target)) : NULL;
	if (!n)
		return ok && rest(h, e);
	PQfreemem(n);
	return true;
}

static void *holds_main(void *arg)
{
	struct holds *h = arg;
	while (!stop_raised(h->set.stop)) {
		struct error e = { 0 };
		if (connect(h, &e))
			while (!stop_raised(h->set.stop) && serve(h, &e))
				;
		let_go(h);
		pg_free(h->target);
		h->target = NULL;
		stop_sleep(h->set.stop, RECONNECT_MS);
	}
	return NULL;
}

struct holds *holds_new(const struct holds_settings *s)
{
	struct holds *h = xcalloc(1, sizeof(*h));
	h->set = *s;
	if (pthread_create(&h->thread, NULL, holds_main, h) != 0)
		abort();
	return h;
}

void holds_free(struct holds *h)
{
	if (!h)
		return;
	pthread_join(h->thread, NULL);
	free(h);
}
