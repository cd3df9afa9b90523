// SPDX-License-Identifier: PostgreSQL
/* How two processes agree on a position: whoever verifies asks by a row of pgpier.holds, whoever runs the mirror
 * answers there; both are woken by a notification. The states, and who moves a row there:
 *
 *     verifier          runs the mirror
 *     asked      --->   stopped             apply stands between two transactions
 *     placed     --->   held                it stands where the verifier's snapshot is
 *                \-->   stopped             no position has that snapshot: another one is wanted
 *     released   --->   over                it goes on
 *                       lost                it went on by itself, and why
 *     kept                                  from held on: it stands until the row is gone, however long that is
 *
 * The verifier keeps an advisory lock as long as it lives: a row without one is nobody's. Nor is one that is kept and
 * was not asked for again in the last ten seconds: its owner lives, and sleeps. */
#ifndef STORE_HOLDS_H
#define STORE_HOLDS_H

#include "store.h"

enum hold_state { HOLD_NONE, HOLD_ASKED, HOLD_STOPPED, HOLD_PLACED, HOLD_HELD, HOLD_RELEASED, HOLD_OVER, HOLD_LOST,
	HOLD_KEPT };

struct store_hold {
	int64_t number;
	enum hold_state state; /* HOLD_NONE: there is no such row */
	bool alive;            /* whoever asked lives */
	char *snapshot;        /* HOLD_PLACED: pg_current_snapshot() */
	lsn_t upto;            /* HOLD_PLACED: nothing that it sees was committed later */
	lsn_t position;        /* HOLD_HELD, HOLD_KEPT */
	int64_t stopped_us;    /* apply stood, so far */
	char why[256];         /* HOLD_STOPPED again, HOLD_LOST */
};
void store_hold_free(struct store_hold *h);

/* Both sides: makes a session hear of changes, which are notifications on its socket, and no slower than need be. */
bool store_holds_listen(struct pg *target, struct error *e) MUST_CHECK;

/* ---- the verifier's side ---- */
bool store_hold_ask(struct pg *target, int64_t id, int64_t *number, struct error *e) MUST_CHECK;
bool store_hold_place(struct pg *target, int64_t id, int64_t number, const char *snapshot, const char *upto,
	struct error *e) MUST_CHECK;
bool store_hold_release(struct pg *target, int64_t id, int64_t number, struct error *e) MUST_CHECK;
bool store_hold_read(struct pg *target, int64_t id, int64_t number, struct store_hold *out, struct error *e) MUST_CHECK;
/* Only one that is held, or again one that is kept: read it afterwards. */
bool store_hold_keep(struct pg *target, int64_t id, int64_t number, struct error *e) MUST_CHECK;
/* One that is kept: has nothing been applied behind its position, and is the table (0: any) with the others? In a
 * transaction it stays in its state until that ends. */
bool store_hold_stands(struct pg *target, int64_t id, int64_t number, int table, bool *stands, struct error *e)
	MUST_CHECK;
/* Whatever its state, it is gone, and so is its lock. */
bool store_hold_forget(struct pg *target, int64_t id, int64_t number, struct error *e) MUST_CHECK;

/* ---- the mirror's side ---- */
/* The one that was asked for first; HOLD_NONE: nobody asks. Rows that are nobody's go. */
bool store_hold_next(struct pg *target, int64_t id, struct store_hold *out, struct error *e) MUST_CHECK;
bool store_hold_answer(struct pg *target, int64_t id, const struct store_hold *h, struct error *e) MUST_CHECK;
/* Those that an earlier stream had begun; those that are nobody's go. */
bool store_holds_lost(struct pg *target, int64_t id, struct error *e) MUST_CHECK;

#endif
