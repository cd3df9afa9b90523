// SPDX-License-Identifier: PostgreSQL
/* Where a peer's password comes from, when libpq does not find it by itself. */
#ifndef PG_PASSWORD_H
#define PG_PASSWORD_H

#include <pgpier/config.h>

#include "../stop.h"

/* *password is NULL when libpq shall look in .pgpass, the service file and the environment; else the
 * caller's, for password_wipe. Runs password_command with /bin/sh, for 30 s at most. */
bool password_of(const struct peer_config *peer, const struct stop *stop, char **password,
	struct error *e) MUST_CHECK;
void password_wipe(char *password); /* overwrites and frees; NULL is fine */

#endif
