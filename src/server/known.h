// SPDX-License-Identifier: PostgreSQL
/* What is known of settings beyond what a server tells: who notices a difference, how bad it is,
 * and what it means. Pure tables. */
#ifndef SERVER_KNOWN_H
#define SERVER_KNOWN_H

#include <pgpier/preflight.h>

/* In the order in which they are shown. */
enum setting_group {
	GROUP_APPLICATION, /* statements have other results, or none */
	GROUP_PERFORMANCE, /* they take another time; sized for a machine */
	GROUP_DURABILITY,  /* what is left after a crash, and what standbys, slots and backups get */
	GROUP_OTHER,
};
const char *setting_group_name(enum setting_group g); /* "application setting", ... */

/* Which difference does harm; the other way round it is a note. */
enum setting_harm { HARM_ANY, HARM_LESS, HARM_OFF, HARM_ON };

struct setting_known {
	const char *name;
	enum setting_group group;
	enum severity severity;
	enum setting_harm harm;
	const char *meaning; /* one sentence without its full stop */
};
/* NULL: nothing is known. The order of the table is that of importance within a group. */
const struct setting_known *setting_known(const char *name);

/* A setting that a version took away. */
struct setting_gone {
	const char *name;
	enum severity severity; /* when the source sets it */
	const char *meaning;
};
const struct setting_gone *setting_gone(const char *name);

/* Of this one session or this one machine: a difference says nothing. */
bool setting_is_local(const char *name);
/* Its value is worth nothing, or does harm, without something that the target may not have:
 * libraries (a server does not start without them), standbys (commits wait for them), files. */
bool setting_points_elsewhere(const char *name);
/* One that a provider has added, which no other server has. */
bool setting_is_providers(const char *name);

#endif
