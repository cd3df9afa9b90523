// SPDX-License-Identifier: PostgreSQL
/* An engine for the console's tests: the real model, filled through its write side, and commands that are
 * recorded and answered at once. No thread, no server. */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include <pgpier/engine.h>

struct engine *stage_new(void); /* peers and mirrors of a shop */
void stage_free(struct engine *g);

/* What was asked last, and how often. Its peer and mirror are the stage's. */
const struct command *stage_last(const struct engine *g, enum command_kind kind);
size_t stage_count(const struct engine *g, enum command_kind kind);
/* The catalog that COMMAND_CATALOG answers with has this many more tables, in this many schemas. */
void stage_many_tables(struct engine *g, size_t tables, size_t schemas);
/* Commands are left running until this is called with false. */
void stage_hold(struct engine *g, bool hold);
/* A load in the middle: tables of all states, workers, a stall. */
void stage_loading(struct engine *g, const char *mirror);
/* One step of it: more rows, new events. */
void stage_step(struct engine *g, const char *mirror);

/* Objects of all states; what becomes of one of them; very many that are made, each thousandth failed. */
void stage_objects(struct engine *g, const char *mirror);
void stage_object(struct engine *g, const char *mirror, size_t index, enum object_state state);
void stage_many_objects(struct engine *g, const char *mirror, size_t n);

/* The mirror is continuous and replicates: lag falls, one table is paused, some rows are missing. */
void stage_replicating(struct engine *g, const char *mirror);
/* So many seconds of it. */
void stage_pass(struct engine *g, const char *mirror, int seconds);
/* Slots of a peer: the mirror's and a foreign one that is about to be lost. */
void stage_slots(struct engine *g, const char *peer, const char *mirror);

#endif
