// SPDX-License-Identifier: PostgreSQL
/* The engine of a state directory as a process of its own: found, started, asked. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include "../attach/place.h"
#include "../attach/wire.h"
#include "../console.h"
#include "args.h"
#include "verbs.h"

/* The place of the state directory that the options name. */
bool background_place(const struct args *a, struct place *p, struct error *e) MUST_CHECK;

/* A connection to the engine, which is started when there is none and `start` says so. -1: *e says why not, or, when
 * *e has no class, the new process has said so itself and *code is its exit status. */
int background_reach(const struct args *a, struct place *p, bool start, enum exit_code *code, struct error *e);

/* Waits until the engine that was told to end has ended; false when it takes too long. */
bool background_gone(const struct place *p) MUST_CHECK;

/* The console on this terminal, of the engine in the background. */
enum exit_code background_attach(const struct args *a, bool start);

/* Console options as the command line and the environment say them. */
struct console_options background_look(const struct args *a);

/* False, reported, when a console has what the verb would rewrite in memory. */
bool background_lets(const struct args *a) MUST_CHECK;

#endif
