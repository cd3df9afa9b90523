// SPDX-License-Identifier: PostgreSQL
#include "receiver.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The source is told so often. It drops a walsender that it has not heard of for wal_sender_timeout (60 s). */
#define TELL_EVERY_US 1000000
/* A walsender sends each message by itself, and to wake up for each costs more than to decode it: while a
 * backlog flows we let some gather. Half a millisecond halves our processor time against a fifth of one, and is
 * short enough that a unix socket, which holds some 270 messages, does not fill; an idle stream never waits. */
#define BACKLOG_BYTES (8 * 1024)
#define NAP_US 500

/* From this rate on more changes are about to come while one is being written. */
#define FLOW_BYTES_PER_S 2000000
#define FLOW_WINDOW_US 2000

struct receiver {
	struct stream *stream;
	struct queue *queue;
	struct position *position;
	const struct stop *stop;
	struct stop *failed;
	struct parcel *scratch;
	int64_t told_us;
	int64_t window_us; /* since when window_bytes came */
	size_t window_bytes;
	pthread_t thread;
	pthread_mutex_t lock;
	struct error error; /* protected by lock */
};

static bool tell(struct receiver *r, struct error *e)
{
	int64_t now = clock_us();
	if (!stream_asked(r->stream) && now - r->told_us < TELL_EVERY_US)
		return true;
	r->told_us = now;
	/* Read in this order: what is flushed was applied, what is applied was received. */
	lsn_t flushed = atomic_load(&r->position->flushed), applied = atomic_load(&r->position->applied);
	return stream_tell(r->stream, stream_received(r->stream), flushed, applied, true, e);
}

static int until_told_ms(const struct receiver *r)
{
	int64_t left = r->told_us + TELL_EVERY_US - clock_us();
	return left > 0 ? (int)(left / 1000) + 1 : 0;
}

/* A full parcel goes as it is; a few messages get one of their size, so that an idle mirror stays small. */
static void hand_over(struct receiver *r)
{
	struct parcel *p = r->scratch;
	if (p->used < p->size / 4) {
		p = xmalloc(sizeof(*p) + r->scratch->used);
		*p = (struct parcel){ .used = r->scratch->used, .size = r->scratch->used };
		memcpy(p->bytes, r->scratch->bytes, p->used);
		r->scratch->used = 0;
	} else {
		r->scratch = NULL;
	}
	queue_put(r->queue, p);
}

static void measure(struct receiver *r, size_t got)
{
	int64_t now = clock_us(), took = now - r->window_us;
	r->window_bytes += got;
	if (took < FLOW_WINDOW_US)
		return;
	atomic_store(&r->position->flow, (double)r->window_bytes * 1e6 / (double)took >= FLOW_BYTES_PER_S);
	r->window_us = now;
	r->window_bytes = 0;
}

static struct parcel *scratch(struct receiver *r)
{
	size_t room = stream_waiting(r->stream);
	if (r->scratch && !parcel_fits(r->scratch, room)) {
		free(r->scratch);
		r->scratch = NULL;
	}
	if (!r->scratch)
		r->scratch = parcel_new(room);
	return r->scratch;
}

static bool receive(struct receiver *r, struct error *e)
{
	size_t got;
	if (!stream_read(r->stream, scratch(r), &got, e))
		return false;
	atomic_store(&r->position->received, stream_received(r->stream));
	atomic_store(&r->position->sent, stream_sent(r->stream));
	measure(r, got);
	if (r->scratch->used > 0)
		hand_over(r);
	if (!tell(r, e))
		return false;
	if (stream_waiting(r->stream) > 0)
		return true; /* the parcel was full: there is more */
	if (got >= BACKLOG_BYTES)
		stop_doze(r->stop, -1, 0, NAP_US);
	else
		stop_poll(r->stop, stream_fd(r->stream), POLLIN, until_told_ms(r));
	return true;
}

static bool await_room(struct receiver *r, struct error *e)
{
	stop_poll(r->stop, queue_room_fd(r->queue), POLLIN, until_told_ms(r));
	return tell(r, e);
}

static void *receiver_main(void *arg)
{
	struct receiver *r = arg;
	struct error e = { 0 };
	bool ok = true;
	while (ok && !stop_raised(r->stop))
		ok = queue_has_room(r->queue) ? receive(r, &e) : await_room(r, &e);
	if (stop_raised(r->stop)) {
		struct error ignored; /* the last word, so that the slot forgets what we have */
		r->told_us = 0;
		if (ok && !tell(r, &ignored))
			ok = false;
		return NULL;
	}
	pthread_mutex_lock(&r->lock);
	r->error = e;
	pthread_mutex_unlock(&r->lock);
	stop_raise(r->failed);
	return NULL;
}

struct receiver *receiver_new(struct stream *take, struct queue *queue, struct position *position,
	const struct stop *stop, struct stop *failed)
{
	struct receiver *r = xcalloc(1, sizeof(*r));
	r->stream = take;
	r->queue = queue;
	r->position = position;
	r->stop = stop;
	r->failed = failed;
	pthread_mutex_init(&r->lock, NULL);
	if (pthread_create(&r->thread, NULL, receiver_main, r) != 0)
		abort();
	return r;
}

void receiver_free(struct receiver *r)
{
	if (!r)
		return;
	pthread_join(r->thread, NULL);
	stream_free(r->stream);
	free(r->scratch);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void receiver_error(struct receiver *r, struct error *e)
{
	pthread_mutex_lock(&r->lock);
	*e = r->error;
	pthread_mutex_unlock(&r->lock);
}
