// SPDX-License-Identifier: PostgreSQL
/* Between the thread that receives and the one that applies: messages in parcels, bounded by bytes. One thread
 * puts, one takes; neither blocks here: both have an eventfd to poll beside whatever else they wait for. */
#ifndef REPLICATE_QUEUE_H
#define REPLICATE_QUEUE_H

#include <pgpier/model.h>

/* Some messages one after the other, as they came. */
struct parcel {
	struct parcel *next;
	size_t used, size;
	char bytes[];
};

/* One of them; size 0: a keepalive, which says that everything that was committed before lsn has been sent. */
struct record {
	lsn_t lsn;
	uint32_t size;
	const char *bytes;
};

#define PARCEL_SIZE (128 * 1024) /* one larger message has a parcel of its own size */

struct parcel *parcel_new(size_t room);
bool parcel_fits(const struct parcel *p, size_t size);
void parcel_add(struct parcel *p, lsn_t lsn, const char *bytes, size_t size);
/* Start from *at = 0; false at the end. */
bool parcel_next(const struct parcel *p, size_t *at, struct record *out);

struct queue;

struct queue *queue_new(size_t most_bytes);
void queue_free(struct queue *q);
/* Is there room? A parcel that is larger than the whole queue still gets in, alone. When there is none,
 * queue_room_fd() becomes readable once there is. */
bool queue_has_room(struct queue *q);
int queue_room_fd(const struct queue *q);
void queue_put(struct queue *q, struct parcel *take);
/* NULL: nothing there; queue_filled_fd() becomes readable once there is. Its bytes count until the next call:
 * the taker is still at them. The caller frees it by free(). */
struct parcel *queue_take(struct queue *q);
int queue_filled_fd(const struct queue *q);
bool queue_empty(struct queue *q); /* nothing to be taken */

#endif
