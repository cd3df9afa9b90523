// SPDX-License-Identifier: PostgreSQL
/* A mirror's replication while it runs: threads between the slot and the target.
 *
 *     source  --walsender-->  receiver  --queue-->  apply  --writer-->  target
 *                 <---- how far ----'   <-position--'
 *                              watch: heartbeat, slot, lag -> model
 *                              holds: somebody verifies --halt--> apply
 *
 * It runs until its stop is raised or one of them has a reason to end; whoever owns it decides what next, and
 * begins another one. A replication knows the tables as the store had them when it began. */
#ifndef REPLICATE_REPLICATION_H
#define REPLICATE_REPLICATION_H

#include "../store/store.h"
#include "apply.h"

struct replication;

struct replication_settings {
	const char *mirror;
	const struct peer_config *source, *target;
	const struct mirror_config *config;
	const struct strings *ignored; /* tables of the stream that are none of ours */
	struct model *model;
	const struct stop *stop;
};

/* store: where the mirror stands; taken, also on failure. NULL on error. */
struct replication *replication_new(const struct replication_settings *s, struct store_mirror *take,
	struct error *e) MUST_CHECK;
void replication_free(struct replication *r); /* ends its threads */
/* Waits at most ms; true when it has ended by itself, and why is told. */
bool replication_wait(struct replication *r, int ms, struct apply_result *why);
double replication_lag(struct replication *r); /* seconds; negative unknown */
lsn_t replication_applied(const struct replication *r);

#endif
