// SPDX-License-Identifier: PostgreSQL
#include "queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- parcels ---- */

/* What stands before each message in a parcel. */
struct label {
	lsn_t lsn;
	uint32_t size;
};

struct parcel *parcel_new(size_t room)
{
	size_t size = MAX(room + sizeof(struct label), PARCEL_SIZE);
	struct parcel *p = xmalloc(sizeof(*p) + size);
	*p = (struct parcel){ .size = size };
	return p;
}

bool parcel_fits(const struct parcel *p, size_t size)
{
	return p->size - p->used >= sizeof(struct label) + size;
}

void parcel_add(struct parcel *p, lsn_t lsn, const char *bytes, size_t size)
{
	const struct label label = { lsn, (uint32_t)size };
	memcpy(p->bytes + p->used, &label, sizeof(label));
	if (size > 0)
		memcpy(p->bytes + p->used + sizeof(label), bytes, size);
	p->used += sizeof(label) + size;
}

bool parcel_next(const struct parcel *p, size_t *at, struct record *out)
{
	struct label label;
	if (*at >= p->used)
		return false;
	memcpy(&label, p->bytes + *at, sizeof(label));
	*out = (struct record){ label.lsn, label.size, p->bytes + *at + sizeof(label) };
	*at += sizeof(label) + label.size;
	return true;
}

/* ---- the queue ---- */

struct queue {
	size_t most;
	int filled, room; /* eventfds */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct parcel *first, **last;
	size_t bytes;  /* of parcels that wait, and of the one that was taken last */
	size_t taken;
	bool refused; /* somebody was told that there is no room */
};

struct queue *queue_new(size_t most_bytes)
{
	struct queue *q = xcalloc(1, sizeof(*q));
	q->most = most_bytes;
	q->filled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->filled < 0 || q->room < 0)
		abort();
	q->last = &q->first;
	pthread_mutex_init(&q->lock, NULL);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	while (q->first) {
		struct parcel *p = q->first;
		q->first = p->next;
		free(p);
	}
	close(q->filled);
	close(q->room);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static void signal_fd(int fd)
{
	ssize_t n = write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	(void)n; /* a full counter is readable already */
}

static void drain_fd(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));
	(void)n;
}

bool queue_has_room(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool room = q->bytes < q->most;
	q->refused = !room;
	if (q->refused)
		drain_fd(q->room);
	pthread_mutex_unlock(&q->lock);
	return room;
}

int queue_room_fd(const struct queue *q)
{
	return q->room;
}

void queue_put(struct queue *q, struct parcel *take)
{
	pthread_mutex_lock(&q->lock);
	bool was_empty = q->first == NULL;
	take->next = NULL;
	*q->last = take;
	q->last = &take->next;
	q->bytes += take->size;
	if (was_empty)
		signal_fd(q->filled);
	pthread_mutex_unlock(&q->lock);
}

struct parcel *queue_take(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->bytes -= q->taken;
	q->taken = 0;
	struct parcel *p = q->first;
	if (p) {
		q->first = p->next;
		if (!q->first)
			q->last = &q->first;
		q->taken = p->size;
	} else {
		drain_fd(q->filled);
	}
	if (q->refused && q->bytes < q->most) {
		q->refused = false;
		signal_fd(q->room);
	}
	pthread_mutex_unlock(&q->lock);
	return p;
}

int queue_filled_fd(const struct queue *q)
{
	return q->filled;
}

bool queue_empty(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool empty = q->first == NULL;
	pthread_mutex_unlock(&q->lock);
	return empty;
}
