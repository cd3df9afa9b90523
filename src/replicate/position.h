// SPDX-License-Identifier: PostgreSQL
/* How far the stream is, shared by the threads of a mirror's replication: each member is written by one of
 * them and read by all. Nothing here ever goes back while a stream is open. */
#ifndef REPLICATE_POSITION_H
#define REPLICATE_POSITION_H

#include <stdatomic.h>

#include <pgpier/model.h>

struct position {
	_Atomic lsn_t received; /* by the receiver: end of what came */
	_Atomic lsn_t sent;     /* what the source said it has sent */
	atomic_bool flow;       /* much comes just now: more is on its way */
	/* By the apply thread. Everything that was committed on the source before applied is committed on the
	 * target, and before flushed is on its disk as well: only that may the slot forget. */
	_Atomic lsn_t applied, flushed;
	_Atomic int64_t open_bytes; /* of a large transaction that is being written */
};

#endif
