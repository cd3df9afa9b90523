// SPDX-License-Identifier: PostgreSQL
/* Where the apply thread can be made to stand, so that somebody may look at both servers at one position.
 *
 *     open --asked--> at the end of a transaction: stands --placed--> goes on --> stands at the place --> open
 *                          ^                                             |
 *                          +--------- there is no such place ------------+
 *
 * A place is a snapshot S of the source, and a position W that no commit that S sees lies behind. Apply goes on with
 * the transactions that S sees, and stands before the first one that it does not. Commits become visible in another
 * order than they are written: whoever waits for its disk, or for a synchronous standby, is written and not visible,
 * while others that do not wait overtake it. Then what S sees is no beginning of the stream: another S is wanted. That
 * is so when
 *  - behind the first transaction that S does not see there is another one, before W, that it sees;
 *  - the target has a transaction already that S does not see.
 *
 * Never longer than GATE_PATIENCE_US in all; then it opens by itself. One thread applies, one holds; the latter's
 * functions may be called from any. */
#ifndef REPLICATE_GATE_H
#define REPLICATE_GATE_H

#include "../stop.h"
#include "inbox.h"
#include "visible.h"

#define GATE_PATIENCE_US 10000000

enum gate_state {
	GATE_OPEN,
	GATE_ASKED,
	GATE_STANDS, /* between two transactions */
	GATE_PLACED, /* on its way to the place */
	GATE_THERE,  /* stands at the place; all of it is committed on the target */
};

struct gate_view {
	enum gate_state state;
	lsn_t position;     /* GATE_THERE: all commits before it are on the target, and none behind */
	int64_t stopped_us; /* since it was asked; stays when it is open again */
	bool expired;       /* it opened by itself */
	int refused;        /* places that there were not */
	char why[160];      /* the last one was not */
};

struct gate;

struct gate *gate_new(void);
void gate_free(struct gate *g);

/* ---- the holder's side ---- */
void gate_ask(struct gate *g);
void gate_place(struct gate *g, struct visible *take, lsn_t upto); /* GATE_STANDS, else it is ignored */
void gate_open(struct gate *g);
void gate_look(struct gate *g, struct gate_view *out);
int gate_changed_fd(const struct gate *g); /* readable when gate_look() has news; which empties it */

/* ---- the apply thread's side ---- */
bool gate_is_open(const struct gate *g);
int gate_fd(const struct gate *g); /* readable when somebody wants something; gate_heard() empties it */
void gate_heard(struct gate *g);
/* A transaction begins to be applied. */
void gate_passed(struct gate *g, uint32_t xid);

enum gate_word { GATE_GO, GATE_STAND, GATE_HERE };
/* Between two transactions, while the gate is not open: may the next record be taken? began: commits before it are
 * on the target already. GATE_STAND: commit, and gate_stand(). GATE_HERE: commit, and gate_arrive(), then stand. */
enum gate_word gate_ask_way(struct gate *g, struct inbox *inbox, lsn_t began);
void gate_arrive(struct gate *g);
/* Until something has changed. queue_fd: may bring what gate_ask_way() looks for. */
void gate_stand(struct gate *g, const struct stop *stop, int queue_fd);

#endif
