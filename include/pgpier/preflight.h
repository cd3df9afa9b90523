// SPDX-License-Identifier: PostgreSQL
/* What stands in the way of a mirror, found before anything is changed on any server. Immutable once made;
 * shared like a catalog. */
#ifndef PGPIER_PREFLIGHT_H
#define PGPIER_PREFLIGHT_H

#include <pgpier/base.h>

enum severity { SEVERITY_OK, SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_BLOCKER };

struct finding {
	enum severity severity;
	char *subject; /* "target", "public.items", "setting wal_level" */
	char *text;
	char *next; /* what to do; may be NULL */
};

struct preflight {
	char *mirror;
	struct finding *findings; /* worst first */
	size_t finding_count;
	size_t blockers, warnings;
	/* What creating the mirror will do, in plain words, one line each, for the review page. */
	struct strings plan;
	size_t tables;
	int64_t rows; /* estimates */
	int64_t bytes;
};

struct preflight *preflight_hold(const struct preflight *p);
void preflight_release(const struct preflight *p);
const char *severity_name(enum severity s); /* "ok", "note", "warning", "blocker" */

#endif
