// SPDX-License-Identifier: PostgreSQL
/* A mirror as the engine holds it: started, paused, tuned, dropped. These functions may be called from any
 * thread; they return at once, but for mirror_free(). */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include <pgpier/config.h>

#include "../model/write.h"
#include "../stop.h"

struct mirror;

/* Starts its supervisor, which begins or goes on. Copies the configuration. stop: the engine's. */
struct mirror *mirror_new(struct model *model, const struct mirror_config *config,
	const struct peer_config *source, const struct peer_config *target, const struct stop *stop);
/* Stops it as pause does, waits for its threads, frees it. */
void mirror_free(struct mirror *m);
bool mirror_running(struct mirror *m);

void mirror_pause(struct mirror *m);
size_t mirror_retry(struct mirror *m); /* how many failed tables were queued again */
/* The mirror's tables were chosen anew: takes them over while it replicates. False: it does not now, and finds
 * them when it begins to. */
bool mirror_reselect(struct mirror *m, const struct mirror_config *config);
/* A table of a mirror that replicates is emptied on the target and copied anew, while the others go on. */
bool mirror_resync(struct mirror *m, const char *table, struct error *e) MUST_CHECK;
lsn_t mirror_applied(struct mirror *m); /* the target has all before; 0: its stream is not open */
void mirror_tune(struct mirror *m, int workers, int tables_in_parallel, int rate_limit_mb);

/* Without a running supervisor, in the caller's thread: */
/* Around the moment when the model is written. begin says false when the mirror has begun to run meanwhile:
 * what was read is old then, and nothing is written. */
struct refresh_gate {
	bool (*begin)(void *data);
	void (*end)(void *data);
	void *data;
};
/* What the target says of the mirror goes into the model. */
bool mirror_refresh(struct model *model, const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct refresh_gate *gate, const struct stop *stop, struct error *e) MUST_CHECK;
/* Removes what the store holds of it, and its slot and publication; the copied tables stay. */
bool mirror_drop(const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e) MUST_CHECK;
/* NULL on error. */
struct preflight *mirror_check(const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e) MUST_CHECK;

#endif
