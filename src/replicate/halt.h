// SPDX-License-Identifier: PostgreSQL
/* Where the apply thread can be made to stand, so that somebody may look at both servers at one position.
 *
 *     none --asked--> at the end of a transaction: stands --placed--> goes on --> stands at the place --> none
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
 * Never longer than a given time in all; then it is over by itself, unless it is to be kept at its place. One thread
 * applies, one holds; the latter's functions may be called from any. */
#ifndef REPLICATE_HALT_H
#define REPLICATE_HALT_H

#include "../stop.h"
#include "inbox.h"
#include "visible.h"

#define HALT_PATIENCE_US 10000000

enum halt_state {
	HALT_NONE,
	HALT_ASKED,
	HALT_STANDS, /* between two transactions */
	HALT_PLACED, /* on its way to the place */
	HALT_THERE,  /* stands at the place; all of it is committed on the target */
};

struct halt_view {
	enum halt_state state;
	lsn_t position;     /* HALT_THERE: all commits before it are on the target, and none behind */
	int64_t stopped_us; /* since it was asked; stays when it is over */
	bool expired;       /* it was over by itself */
	int refused;        /* places that there were not */
	char why[160];      /* the last one was not */
};

struct halt;

struct halt *halt_new(int64_t patience_us);
void halt_free(struct halt *h);

/* ---- the holder's side ---- */
void halt_ask(struct halt *h);
void halt_place(struct halt *h, struct visible *take, lsn_t upto); /* HALT_STANDS, else it is ignored */
bool halt_keep(struct halt *h); /* for as long as it takes. False: it is not HALT_THERE, and may have been over */
void halt_end(struct halt *h);
void halt_look(struct halt *h, struct halt_view *out);
int halt_changed_fd(const struct halt *h); /* readable when halt_look() has news; which empties it */

/* ---- the apply thread's side ---- */
bool halt_is_over(const struct halt *h);
int halt_fd(const struct halt *h); /* readable when somebody wants something; halt_heard() empties it */
void halt_heard(struct halt *h);
/* A transaction begins to be applied. */
void halt_passed(struct halt *h, uint32_t xid);

enum halt_word { HALT_GO, HALT_STAND, HALT_HERE };
/* Between two transactions, while it is not over: may the next record be taken? began: commits before it are
 * on the target already. HALT_STAND: commit, and halt_stand(). HALT_HERE: commit, and halt_arrive(), then stand. */
enum halt_word halt_ask_way(struct halt *h, struct inbox *inbox, lsn_t began);
void halt_arrive(struct halt *h);
/* Until something has changed. queue_fd: may bring what halt_ask_way() looks for. */
void halt_stand(struct halt *h, const struct stop *stop, int queue_fd);

#endif
