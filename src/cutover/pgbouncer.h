// SPDX-License-Identifier: PostgreSQL
/* A PgBouncer in front of a peer, through its admin console (the database "pgbouncer"), which knows neither SET nor
 * the extended protocol. A pause waits until the running transactions have ended: the application sees a delay and
 * no error. Every call connects anew.
 *
 * The database is marked as paused when a pause begins, so pgbouncer_is_paused() does not tell whether its
 * transactions have ended: a pgbouncer_pause() that returned true does. One that is killed leaves the mark. */
#ifndef CUTOVER_PGBOUNCER_H
#define CUTOVER_PGBOUNCER_H

#include <pgpier/config.h>
#include <pgpier/error.h>

#include "../stop.h"

/* Where it is reached, and as which database of it the peer is known. Both are fine: it answers, our user may
 * administrate it, it has the database. */
bool pgbouncer_check(const struct peer_config *peer, const struct stop *stop, struct error *e) MUST_CHECK;
/* Waits for the end of the transactions also where it is paused already. Ends early when stop is raised or the time
 * is over, and is resumed then: no client is left waiting. Where that fails the error says so. */
bool pgbouncer_pause(const struct peer_config *peer, int patience_ms, const struct stop *stop, struct error *e)
	MUST_CHECK;
/* One that is not paused is fine. */
bool pgbouncer_resume(const struct peer_config *peer, const struct stop *stop, struct error *e) MUST_CHECK;
/* Reads its files again, after somebody has changed where the database is. */
bool pgbouncer_reload(const struct peer_config *peer, const struct stop *stop, struct error *e) MUST_CHECK;
bool pgbouncer_is_paused(const struct peer_config *peer, bool *paused, const struct stop *stop, struct error *e)
	MUST_CHECK;

#endif
