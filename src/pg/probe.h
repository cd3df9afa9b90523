// SPDX-License-Identifier: PostgreSQL
/* What a connection test and the Peers pane want to know of a server. */
#ifndef PG_PROBE_H
#define PG_PROBE_H

#include <pgpier/model.h>

#include "conn.h"

/* Connects, asks, disconnects. */
bool probe_peer(const struct peer_config *peer, const struct stop *stop, struct probe *out, struct error *e)
	MUST_CHECK;

/* What the server runs now, ours first, longest first. mirror and role are taken from our application_name. */
bool activity_read(struct pg *c, struct activity_row **out, size_t *count, struct error *e) MUST_CHECK;

/* Our sessions of a mirror that wait for a lock: by worker number (0: the supervisor's own), with a text that
 * says who holds it. */
struct blocked_worker {
	int worker;
	int pid; /* of who holds the lock; 0 unknown */
	char text[256];
};
bool blocked_read(struct pg *c, const char *mirror, struct blocked_worker *out, size_t size, size_t *count,
	struct error *e) MUST_CHECK;

/* Index builds of a mirror's workers. Servers before 12 tell nothing: *count is 0 then. */
struct build_progress {
	int worker;
	double fraction; /* of its phase */
	char phase[64];
};
bool builds_read(struct pg *c, const char *mirror, struct build_progress *out, size_t size, size_t *count,
	struct error *e) MUST_CHECK;

#endif
