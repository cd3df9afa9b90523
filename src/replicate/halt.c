// SPDX-License-Identifier: PostgreSQL
#include "halt.h"

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

struct halt {
	int wanted, changed; /* eventfds */
	int64_t patience_us;
	uint32_t passed[PASSED]; /* a ring; the apply thread's own */
	uint64_t passed_count;
	_Atomic enum halt_state state; /* written under the lock */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct visible *place;
	lsn_t upto;
	bool checked; /* that all that has passed is seen by the place */
	lsn_t before; /* the first commit that the place does not see: what is behind it is looked at; 0 none yet */
	lsn_t position;
	int64_t stopped_us;
	bool kept; /* patience has no end */
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

struct halt *halt_new(int64_t patience_us)
{
	struct halt *h = xcalloc(1, sizeof(*h));
	h->wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->patience_us = patience_us;
	if (h->wanted < 0 || h->changed < 0)
		abort();
	pthread_mutex_init(&h->lock, NULL);
	return h;
}

void halt_free(struct halt *h)
{
	if (!h)
		return;
	visible_free(h->place);
	close(h->wanted);
	close(h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* With the lock held. */
static void enter(struct halt *h, enum halt_state state)
{
	atomic_store(&h->state, state);
	signal_fd(h->changed);
}

/* ---- the holder's side ---- */

void halt_ask(struct halt *h)
{
	pthread_mutex_lock(&h->lock);
	h->stopped_us = 0;
	h->refused = 0;
	h->kept = h->expired = false;
	h->why[0] = '\0';
	enter(h, HALT_ASKED);
	pthread_mutex_unlock(&h->lock);
	signal_fd(h->wanted);
}

void halt_place(struct halt *h, struct visible *take, lsn_t upto)
{
	pthread_mutex_lock(&h->lock);
	if (atomic_load(&h->state) == HALT_STANDS) {
		visible_free(h->place);
		h->place = take;
		h->upto = upto;
		h->checked = false;
		h->before = 0;
		enter(h, HALT_PLACED);
		take = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	visible_free(take);
	signal_fd(h->wanted);
}

/* The apply thread waits with the patience that it had. */
bool halt_keep(struct halt *h)
{
	pthread_mutex_lock(&h->lock);
	bool there = atomic_load(&h->state) == HALT_THERE, wake = there && !h->kept;
	h->kept |= there;
	pthread_mutex_unlock(&h->lock);
	if (wake)
		signal_fd(h->wanted);
	return there;
}

void halt_end(struct halt *h)
{
	pthread_mutex_lock(&h->lock);
	if (atomic_load(&h->state) != HALT_NONE)
		enter(h, HALT_NONE);
	pthread_mutex_unlock(&h->lock);
	signal_fd(h->wanted);
}

void halt_look(struct halt *h, struct halt_view *out)
{
	drain_fd(h->changed);
	pthread_mutex_lock(&h->lock);
	*out = (struct halt_view){ .state = atomic_load(&h->state), .position = h->position,
		.stopped_us = h->stopped_us, .expired = h->expired, .refused = h->refused };
	memcpy(out->why, h->why, sizeof(out->why));
	pthread_mutex_unlock(&h->lock);
}

int halt_changed_fd(const struct halt *h)
{
	return h->changed;
}

/* ---- the apply thread's side ---- */

bool halt_is_over(const struct halt *h)
{
	return atomic_load_explicit(&h->state, memory_order_relaxed) == HALT_NONE;
}

int halt_fd(const struct halt *h)
{
	return h->wanted;
}

void halt_heard(struct halt *h)
{
	drain_fd(h->wanted);
}

void halt_passed(struct halt *h, uint32_t xid)
{
	h->passed[h->passed_count++ % PASSED] = xid;
}

static enum halt_word refuse(struct halt *h, const char *why)
{
	copy_text(h->why, sizeof(h->why), why);
	h->refused++;
	enter(h, HALT_STANDS);
	return HALT_STAND;
}

static enum halt_word here(struct halt *h, lsn_t position)
{
	h->position = position;
	return HALT_HERE;
}

static bool sees_all_passed(const struct halt *h)
{
	for (size_t i = 0; i < MIN(h->passed_count, PASSED); i++)
		if (!visible_sees(h->place, h->passed[i]))
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
static enum halt_word look_behind(struct halt *h, struct inbox *inbox)
{
	struct record r;
	lsn_t at;
	uint32_t xid = 0;
	bool begin;
	while (inbox_peek(inbox, &r)) {
		if (!is_mark(&r, &at, &xid, &begin))
			continue;
		if (at > h->upto)
			return here(h, h->before);
		if (begin && visible_sees(h->place, xid))
			return refuse(h, "a commit was visible before one that was written earlier");
		if (inbox_kept(inbox) > MOST_KEPT)
			return refuse(h, "too much was committed in that moment");
	}
	return HALT_STAND;
}

static enum halt_word look_ahead(struct halt *h, struct inbox *inbox, lsn_t began)
{
	struct record r;
	lsn_t at;
	uint32_t xid = 0;
	bool begin;
	inbox_rewind(inbox);
	if (!inbox_peek(inbox, &r) || !is_mark(&r, &at, &xid, &begin))
		return HALT_GO;
	if (at > h->upto)
		return here(h, h->upto);
	if (!begin || visible_sees(h->place, xid))
		return HALT_GO;
	if (at < began)
		return refuse(h, "a commit that was applied long ago is not visible yet");
	h->before = at;
	return look_behind(h, inbox);
}

static enum halt_word find_place(struct halt *h, struct inbox *inbox, lsn_t began)
{
	if (!h->checked && !sees_all_passed(h))
		return refuse(h, "a commit that was applied is not visible yet");
	h->checked = true;
	return h->before ? look_behind(h, inbox) : look_ahead(h, inbox, began);
}

enum halt_word halt_ask_way(struct halt *h, struct inbox *inbox, lsn_t began)
{
	enum halt_word word = HALT_STAND;
	pthread_mutex_lock(&h->lock);
	switch (atomic_load(&h->state)) {
	case HALT_NONE:
		word = HALT_GO;
		break;
	case HALT_ASKED:
		enter(h, HALT_STANDS);
		break;
	case HALT_PLACED:
		word = find_place(h, inbox, began);
		break;
	case HALT_STANDS:
	case HALT_THERE:
		break;
	}
	pthread_mutex_unlock(&h->lock);
	return word;
}

void halt_arrive(struct halt *h)
{
	pthread_mutex_lock(&h->lock);
	if (atomic_load(&h->state) == HALT_PLACED)
		enter(h, HALT_THERE);
	pthread_mutex_unlock(&h->lock);
}

/* -1: for ever. */
static int patience_ms(struct halt *h)
{
	pthread_mutex_lock(&h->lock);
	int64_t left = MAX(h->patience_us - h->stopped_us, 0);
	bool kept = h->kept;
	pthread_mutex_unlock(&h->lock);
	return kept ? -1 : (int)(left / 1000) + 1;
}

void halt_stand(struct halt *h, const struct stop *stop, int queue_fd)
{
	int64_t began = clock_us();
	bool looks = atomic_load(&h->state) == HALT_PLACED;
	short out[2];
	stop_poll2(stop, (int[2]){ h->wanted, looks ? queue_fd : -1 }, (short[2]){ POLLIN, POLLIN }, out,
		patience_ms(h));
	halt_heard(h);
	pthread_mutex_lock(&h->lock);
	h->stopped_us += clock_us() - began;
	if (!h->kept && h->stopped_us >= h->patience_us && atomic_load(&h->state) != HALT_NONE) {
		h->expired = true;
		enter(h, HALT_NONE);
	}
	pthread_mutex_unlock(&h->lock);
}
