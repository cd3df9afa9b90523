// SPDX-License-Identifier: PostgreSQL
/* What two servers have that is not the same: settings, roles, or the objects of a database. Immutable once
 * made; shared like a catalog. Safe from any thread. */
#ifndef PGPIER_COMPARE_H
#define PGPIER_COMPARE_H

#include <pgpier/preflight.h>

struct difference {
	enum severity severity; /* blocker: the application will not run the same, or not at all */
	char *kind;      /* "role", "membership", "setting", "hba rule", "extension", "index", ... */
	char *name;      /* unquoted, for people; schema.name where it has a schema */
	char *source;    /* as it is there; NULL: there is none */
	char *target;
	char *meaning;   /* what it means for the application, or why it is so; may be NULL */
	char *statement; /* SQL that makes the target like the source, several joined with ";\n"; NULL: none does */
	bool applies;    /* pgpier may run it, when it is told to; a setting: worth carrying over as it is */
};

struct comparison {
	char *what;   /* "roles", "settings", "objects" */
	char *source; /* peers */
	char *target;
	struct difference *items; /* worst first, then by kind and name; settings by what they matter */
	size_t count;
	size_t compared;      /* things that were looked at, the same ones included */
	size_t applied;       /* statements that were run, of a command that applies */
	struct strings notes; /* what could not be compared, and why; things that a person does by hand */
	bool complete;        /* false: something could not be compared; then equal is not proven */
};

struct comparison *comparison_hold(const struct comparison *c);
void comparison_release(const struct comparison *c);

#endif
