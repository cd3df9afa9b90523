// SPDX-License-Identifier: PostgreSQL
/* The end of a cutover: nobody wants to go back any more, and what pgpier made on both servers goes, but for the
 * tables.
 *
 * What is a person's decision stays, and is listed with the statement for it: a fence that stands around the old
 * source (opening it would let an application write there that nobody has moved), and replica identities. The first
 * mirror's place in the store is the last to go, so that one that was killed can be repeated. */
#ifndef CUTOVER_FINISH_H
#define CUTOVER_FINISH_H

#include <pgpier/config.h>
#include <pgpier/error.h>

#include "../stop.h"

struct finish_settings {
	const struct mirror_config *mirror, *back; /* that is cut over, and that leads back; NULL: there is none any more */
	const struct peer_config *source, *target; /* of the first */
	const struct stop *stop;
};

/* What would be left, a line each. Changes nothing; the statements of a fence can't be read any more afterwards, so
 * whoever finishes shows or keeps these first. */
bool finish_remains(const struct finish_settings *s, struct strings *remains, struct error *e) MUST_CHECK;
/* Neither of the two mirrors may run. Refused when the mirror's application is not on its target. remains: the same
 * list, as of before; it is filled as soon as it was read, also when what follows fails. */
bool cutover_finish(const struct finish_settings *s, struct strings *remains, struct error *e) MUST_CHECK;

#endif
