// SPDX-License-Identifier: PostgreSQL
/* The source's stream of changes: a walsender's COPY BOTH on a replication connection (manual, 55.4). Belongs
 * to the receiving thread. */
#ifndef REPLICATE_STREAM_H
#define REPLICATE_STREAM_H

#include "../pg/conn.h"
#include "queue.h"

struct stream;

/* Begins at from, or where the slot is when that is later. NULL on error. */
struct stream *stream_open(const struct peer_config *source, const char *mirror, const char *slot,
	const char *publication, lsn_t from, const struct stop *stop, struct error *e) MUST_CHECK;
void stream_free(struct stream *s);
int stream_fd(const struct stream *s);

/* Appends what has come to the parcel until it is full, without waiting. *got counts bytes. False: the stream
 * has ended, which is an error. */
bool stream_read(struct stream *s, struct parcel *p, size_t *got, struct error *e) MUST_CHECK;
/* A message that did not fit the last parcel: room for it is needed. 0: none. */
size_t stream_waiting(const struct stream *s);
lsn_t stream_received(const struct stream *s);
lsn_t stream_sent(const struct stream *s); /* by the source's own word */
bool stream_asked(struct stream *s);       /* the source wants to hear from us at once; asks once */

/* Tells how far we are. answer: and wants a keepalive back. */
bool stream_tell(struct stream *s, lsn_t received, lsn_t flushed, lsn_t applied, bool answer, struct error *e)
	MUST_CHECK;

#endif
