// SPDX-License-Identifier: PostgreSQL
/* What two servers, and the two databases that the peers name, have that is not the same outside of
 * the database's own objects and roles. Nothing is changed on either. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <pgpier/compare.h>

#include "../pg/conn.h"
#include "setting.h"

/* A comparison of "settings"; NULL when a server can't be asked at all. A subject that one of them
 * refuses to tell of is named in the notes, and the comparison is not complete. */
struct comparison *server_compare(struct pg *source, struct pg *target, struct error *e) MUST_CHECK;

/* ---- one subject each; differences are added as they matter, and sorted by who calls ---- */

typedef bool server_subject(
	struct pg *source, struct pg *target, struct comparison *out, struct error *e);
server_subject compare_version, compare_locale, compare_extensions, compare_settings, compare_zones,
	compare_hba, compare_disk;

/* One side of compare_settings(), read. */
struct server_side {
	const char *peer;
	const char *database;
	int version; /* 150020 */
	struct settings settings;
};
/* same_clock: the zones of both are one, whatever they are called. Pure. */
void settings_compare(const struct server_side *source, const struct server_side *target,
	bool same_clock, struct comparison *out);

/* Do both names of time zones, on this server, stand for the same clock? Unknown ones do not. */
bool zones_same(struct pg *c, const char *a, const char *b);

#define MAJOR_SIZE 8
const char *server_major(int version, char buf[MAJOR_SIZE]); /* "15", "9.6" */

#endif
