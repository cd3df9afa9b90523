// SPDX-License-Identifier: PostgreSQL
/* A mirror as a runbook: a folder of shell scripts and SQL that do with PostgreSQL's own programs
 * what the mirror does, for people whose change process wants files. Both servers are asked for
 * what they are, when they can be reached; nothing on them is changed. */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <pgpier/preflight.h>
#include <pgpier/config.h>
#include <pgpier/error.h>

#include "../stop.h"

/* folder must be empty or not there. The preflight has the files in its plan, and as findings what
 * the runbook does not do or could not find out. NULL on error: then the folder is as it was. */
struct preflight *script_write(const struct mirror_config *m, const struct peer_config *source,
	const struct peer_config *target, const char *folder, const struct stop *stop,
	struct error *e) MUST_CHECK;

#endif
