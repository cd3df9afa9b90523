// SPDX-License-Identifier: PostgreSQL
/* A peer as libpq's parameters: the one place that knows how the fields become keywords. */
#ifndef PG_PARAMS_H
#define PG_PARAMS_H

#include <pgpier/config.h>

struct pg_params {
	const char *keys[24]; /* ended by NULL; later ones win over earlier ones and over a conninfo in dbname */
	const char *values[24];
	int n;
	char port[12];
	char application[NAME_SIZE];
};

/* Borrows the peer's strings and the password (NULL: none) for as long as *p is used. application_name becomes
 * pgpier/MIRROR/ROLE, cut to what a server keeps; mirror may be NULL. */
void pg_params_fill(struct pg_params *p, const struct peer_config *peer, const char *mirror, const char *role,
	const char *password);
void pg_params_add(struct pg_params *p, const char *key, const char *value); /* not those that are empty */

/* The same as one conninfo string, for programs' arguments, which everybody on the machine can read: secrets
 * stay out of it. *password is the one that they then need another way (NULL: none is known). Both are the
 * caller's, the password for password_wipe. */
bool pg_params_conninfo(const struct pg_params *p, char **conninfo, char **password, struct error *e) MUST_CHECK;

#endif
