// SPDX-License-Identifier: PostgreSQL
/* The thread that receives: from the stream into the queue, and back to the source how far we are, on time,
 * whatever the thread that applies is doing. */
#ifndef REPLICATE_RECEIVER_H
#define REPLICATE_RECEIVER_H

#include "position.h"
#include "stream.h"

struct receiver;

/* Takes the stream. failed is raised when it ends by an error, which receiver_error() then has. */
struct receiver *receiver_new(struct stream *take, struct queue *queue, struct position *position,
	const struct stop *stop, struct stop *failed);
/* Joins the thread: raise its stop first. */
void receiver_free(struct receiver *r);
/* After `failed` was raised; class NONE: it was not the receiver. */
void receiver_error(struct receiver *r, struct error *e);

#endif
