// SPDX-License-Identifier: PostgreSQL
#include "gate.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pgoutput.h"

/* Transactions that were applied last. One that was written, sent and applied, and is still not visible, waits for a
 * synchronous standby while so many others pass it by; those of an earlier stream are not known. */
#define PASSED 65536
/* What lies between the place and W is looked at, not applied; more than that is not waited for. */
#define MOST_KEPT ((size_t)32 * 1024 * 1024)

struct gate {
	int wanted, changed; /* eventfds */
	uint32_t passed[PASSED]; /* a ring; the apply thread's own */
	uint64_t passed_count;
	_Atomic enum gate_state state; /* written under the lock */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct visible *place;
	lsn_t upto;
	bool checked; /* that all that has passed is seen by the place */
	lsn_t before; /* the first commit that the place does not see: what is behind it is looked at; 0 none yet */
	lsn_t position;
	int64_t stopped_us;
	bool expired;
	int refused;
	char why[160];
};

static void signal_fd(int fd)
{
	ssize_t n = write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	(void)n;
}

static void drain_fd(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));
	(void)n;
}

struct gate *gate_new(void)
{
	struct gate *g = xcalloc(1, sizeof(*g));
	g->wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->wanted < 0 || g->changed < 0)
		abort();
	pthread_mutex_init(&g->lock, NULL);
	return g;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	visible_free(g->place);
	close(g->wanted);
	close(g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* With the lock held. */
static void enter(struct gate *g, enum gate_state state)
{
	atomic_store(&g->state, state);
	signal_fd(g->changed);
}

/* ---- the holder's side ---- */

void gate_ask(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->stopped_us = 0;
	g->refused = 0;
	g->expired = false;
	g->why[0] = '\0';
	enter(g, GATE_ASKED);
	pthread_mutex_unlock(&g->lock);
	signal_fd(g->wanted);
}

void gate_place(struct gate *g, struct visible *take, lsn_t upto)
{
	pthread_mutex_lock(&g->lock);
	if (atomic_load(&g->state) == GATE_STANDS) {
		visible_free(g->place);
		g->place = take;
		g->upto = upto;
		g->checked = false;
		g->before = 0;
		enter(g, GATE_PLACED);
		take = NULL;
	}
	pthread_mutex_unlock(&g->lock);
	visible_free(take);
	signal_fd(g->wanted);
}

void gate_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	if (atomic_load(&g->state) != GATE_OPEN)
		enter(g, GATE_OPEN);
	pthread_mutex_unlock(&g->lock);
	signal_fd(g->wanted);
}

void gate_look(struct gate *g, struct gate_view *out)
{
	drain_fd(g->changed);
	pthread_mutex_lock(&g->lock);
	*out = (struct gate_view){ .state = atomic_load(&g->state), .position = g->position,
		.stopped_us = g->stopped_us, .expired = g->expired, .refused = g->refused };
	memcpy(out->why, g->why, sizeof(out->why));
	pthread_mutex_unlock(&g->lock);
}

int gate_changed_fd(const struct gate *g)
{
	return g->changed;
}

/* ---- the apply thread's side ---- */

bool gate_is_open(const struct gate *g)
{
	return atomic_load_explicit(&g->state, memory_order_relaxed) == GATE_OPEN;
}

int gate_fd(const struct gate *g)
{
	return g->wanted;
}

void gate_heard(struct gate *g)
{
	drain_fd(g->wanted);
}

void gate_passed(struct gate *g, uint32_t xid)
{
	g->passed[g->passed_count++ % PASSED] = xid;
}

static enum gate_word refuse(struct gate *g, const char *why)
{
	copy_text(g->why, sizeof(g->why), why);
	g->refused++;
	enter(g, GATE_STANDS);
	return GATE_STAND;
}

static enum gate_word here(struct gate *g, lsn_t position)
{
	g->position = position;
	return GATE_HERE;
}

static bool sees_all_passed(const struct gate *g)
{
	for (size_t i = 0; i < MIN(g->passed_count, PASSED); i++)
		if (!visible_sees(g->place, g->passed[i]))
			return false;
	return true;
}

/* A record that says how far the stream is: *at; begin: it begins a transaction. Others are of no interest here. */
static bool is_mark(const struct record *r, lsn_t *at, uint32_t *xid, bool *begin)
{
	struct pgoutput_context version = { .version = 1 };
	struct pgoutput_message m;
	struct error ignored;
	*begin = r->size > 0;
	*at = r->lsn;
	if (r->size == 0)
		return true;
	if (r->bytes[0] != 'B' || !pgoutput_decode(&version, r->bytes, r->size, &m, &ignored))
		return false;
	*at = m.begin.final;
	*xid = m.xid;
	return true;
}

/* Behind the first transaction that is not seen: is there one that is? */
static enum gate_word look_behind(struct gate *g, struct inbox *inbox)
{
	struct record r;
	lsn_t at;
	uint32_t xid = 0;
	bool begin;
	while (inbox_peek(inbox, &r)) {
		if (!is_mark(&r, &at, &xid, &begin))
			continue;
		if (at > g->upto)
			return here(g, g->before);
		if (begin && visible_sees(g->place, xid))
			return refuse(g, "a commit was visible before one that was written earlier");
		if (inbox_kept(inbox) > MOST_KEPT)
			return refuse(g, "too much was committed in that moment");
	}
	return GATE_STAND;
}

static enum gate_word look_ahead(struct gate *g, struct inbox *inbox, lsn_t began)
{
	struct record r;
	lsn_t at;
	uint32_t xid = 0;
	bool begin;
	inbox_rewind(inbox);
	if (!inbox_peek(inbox, &r) || !is_mark(&r, &at, &xid, &begin))
		return GATE_GO;
	if (at > g->upto)
		return here(g, g->upto);
	if (!begin || visible_sees(g->place, xid))
		return GATE_GO;
	if (at < began)
		return refuse(g, "a commit that was applied long ago is not visible yet");
	g->before = at;
	return look_behind(g, inbox);
}

static enum gate_word find_place(struct gate *g, struct inbox *inbox, lsn_t began)
{
	if (!g->checked && !sees_all_passed(g))
		return refuse(g, "a commit that was applied is not visible yet");
	g->checked = true;
	return g->before ? look_behind(g, inbox) : look_ahead(g, inbox, began);
}

enum gate_word gate_ask_way(struct gate *g, struct inbox *inbox, lsn_t began)
{
	enum gate_word word = GATE_STAND;
	pthread_mutex_lock(&g->lock);
	switch (atomic_load(&g->state)) {
	case GATE_OPEN:
		word = GATE_GO;
		break;
	case GATE_ASKED:
		enter(g, GATE_STANDS);
		break;
	case GATE_PLACED:
		word = find_place(g, inbox, began);
		break;
	case GATE_STANDS:
	case GATE_THERE:
		break;
	}
	pthread_mutex_unlock(&g->lock);
	return word;
}

void gate_arrive(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	if (atomic_load(&g->state) == GATE_PLACED)
		enter(g, GATE_THERE);
	pthread_mutex_unlock(&g->lock);
}

static int64_t patience_us(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	int64_t left = GATE_PATIENCE_US - g->stopped_us;
	pthread_mutex_unlock(&g->lock);
	return left;
}

void gate_stand(struct gate *g, const struct stop *stop, int queue_fd)
{
	int64_t began = clock_us(), left = patience_us(g);
	bool looks = atomic_load(&g->state) == GATE_PLACED;
	short out[2];
	stop_poll2(stop, (int[2]){ g->wanted, looks ? queue_fd : -1 }, (short[2]){ POLLIN, POLLIN }, out,
		(int)(MAX(left, 0) / 1000) + 1);
	gate_heard(g);
	pthread_mutex_lock(&g->lock);
	g->stopped_us += clock_us() - began;
	if (g->stopped_us >= GATE_PATIENCE_US && atomic_load(&g->state) != GATE_OPEN) {
		g->expired = true;
		enter(g, GATE_OPEN);
	}
	pthread_mutex_unlock(&g->lock);
}
