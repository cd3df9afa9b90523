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
	bool resumes;            /* knows what ran in the process before, and writes down what runs in this one */
	bool probe_peers;        /* keep the peers' status fresh (a console), or not (a script) */
};

/* The folder of the log and of the lock, as a full path; it is made, if need be, and closed to others. NULL: the
 * default place. */
bool engine_state_dir(const char *given, char *path, size_t size, struct error *e) MUST_CHECK;

/* Reads the configuration, opens the log, starts the threads. NULL with the problems when it can't. */
struct engine *engine_new(const struct engine_options *o, struct config_problems *problems) MUST_CHECK;
/* Stops everything within a second or so (running chunks are rolled back, state is kept), joins, frees. */
void engine_free(struct engine *g);

/* The mirrors that ran when the process before this one ended, until it is decided whether they go on
 * (COMMAND_LEFT_RESUME, _FORGET, or resume = "auto"). The caller frees. */
void engine_left(struct engine *g, struct strings *out);

struct model *engine_model_borrow(struct engine *g);
/* Takes what the command owns and zeroes it. Never blocks. */
uint64_t engine_submit(struct engine *g, struct command *take);

#endif
