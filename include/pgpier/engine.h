// SPDX-License-Identifier: PostgreSQL
/* The engine's face: threads that probe, load and watch. The one global object of a process. */
#ifndef PGPIER_ENGINE_H
#define PGPIER_ENGINE_H

#include <pgpier/command.h>
#include <pgpier/model.h>

struct engine;

struct engine_options {
	const char *config_path; /* NULL: the default place */
	const char *state_dir;   /* NULL: $XDG_STATE_HOME/pgpier. Holds pgpier.log */
	bool probe_peers;        /* keep the peers' status fresh (a console), or not (a script) */
};

/* The folder of the log and of the lock, as a full path; it is made, if need be, and closed to others. NULL: the
 * default place. */
bool engine_state_dir(const char *given, char *path, size_t size, struct error *e) MUST_CHECK;

/* Reads the configuration, opens the log, starts the threads. NULL with the problems when it can't. */
struct engine *engine_new(const struct engine_options *o, struct config_problems *problems) MUST_CHECK;
/* Stops everything within a second or so (running chunks are rolled back, state is kept), joins, frees. */
void engine_free(struct engine *g);

struct model *engine_model_borrow(struct engine *g);
/* Takes what the command owns and zeroes it. Never blocks. */
uint64_t engine_submit(struct engine *g, struct command *take);

#endif
