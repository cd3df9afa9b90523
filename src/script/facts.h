// SPDX-License-Identifier: PostgreSQL
/* What a runbook is filled in with: the mirror, its peers, and what they could be asked. */
#ifndef SCRIPT_FACTS_H
#define SCRIPT_FACTS_H

#include "../mirror/survey.h"
#include "render.h"

struct facts_peer {
	const struct peer_config *config;
	struct pg *conn; /* NULL: it can't be reached, and error says why */
	struct error error;
	char version[32];                     /* "15.20" */
	int major;                            /* 0 unknown */
	char machine[64];                     /* "x86_64"; empty unknown */
	int64_t database_bytes, server_bytes; /* negative unknown */
};

struct facts {
	const struct mirror_config *mirror;
	struct facts_peer source, target;
	bool resolved; /* the survey has the tables */
	struct survey survey;
	int64_t rows, bytes;        /* of them, by estimate */
	struct preflight *findings; /* that the README lists; borrowed */
};

/* What the templates name. */
bool facts_values(const struct facts *f, struct values *out, struct error *e) MUST_CHECK;

#endif
