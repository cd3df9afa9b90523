// SPDX-License-Identifier: PostgreSQL
/* What the apply thread reads: the queue's parcels record by record, and beyond the one that is next, when it has to
 * know what comes before it may go on. Belongs to that thread. */
#ifndef REPLICATE_INBOX_H
#define REPLICATE_INBOX_H

#include "queue.h"

struct inbox;

struct inbox *inbox_new(struct queue *queue);
void inbox_free(struct inbox *i);

/* False: nothing there now. The record is good until the next call. */
bool inbox_next(struct inbox *i, struct record *out);

/* inbox_rewind(), then inbox_peek() gives what inbox_next() would give, one after the other; what was peeked at is
 * kept until it is taken. */
void inbox_rewind(struct inbox *i);
bool inbox_peek(struct inbox *i, struct record *out);
size_t inbox_kept(const struct inbox *i); /* bytes that the queue counts no more */

#endif
