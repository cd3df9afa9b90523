// SPDX-License-Identifier: PostgreSQL
/* A peer as a connection string that anybody may read: without passwords, with quotes where they
 * are needed. */
#ifndef CONNINFO_H
#define CONNINFO_H

#include "pg/conn.h"

enum reach {
	REACH_HERE,   /* by programs on this machine */
	REACH_FAR,    /* by the other server: nothing of this machine's files */
	REACH_SERVER, /* here, and no database: for replication of the whole server */
};

/* c: a connection to the peer, which knows what a service or the environment added; NULL: none. The
 * caller frees. */
char *conninfo_public(
	const struct peer_config *p, struct pg *c, enum reach reach, struct error *e) MUST_CHECK;
/* Does pgpier get a password in a way that other programs can't? */
bool conninfo_has_password(const struct peer_config *p);

/* What the README tells of a peer; "" where nobody knows. The caller frees. */
struct place {
	char *host, *port, *dbname, *user;
};
bool conninfo_place(
	const struct peer_config *p, struct pg *c, struct place *out, struct error *e) MUST_CHECK;
void place_free(struct place *p);

#endif
