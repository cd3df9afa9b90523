// SPDX-License-Identifier: PostgreSQL
/* Where the cutovers of a mirror stand, on its target; and fences, on the server that they close.
 *
 * A step is written down before it is done, so that whoever comes after a crash undoes or repeats enough. One row
 * a cutover, the last one counts. */
#ifndef STORE_CUTOVER_H
#define STORE_CUTOVER_H

#include <pgpier/cutover.h>

#include "store.h"

struct store_cutover {
	int64_t id;               /* 0: there was none */
	enum cutover_phase phase; /* running, undoing, undone, committed or done */
	enum cutover_step step;   /* the last one that began */
	int64_t began_at, ended_at; /* us of the target's clock; 0 not yet */
	int limit_s;
	double closed_s;          /* how long writers were kept out; negative unknown */
	char back[NAME_SIZE];     /* the mirror that leads back */
	char connection[512];
	char *error;              /* owned; NULL none */
};
void store_cutover_free(struct store_cutover *c);

/* All by statements of their own, durable when they return. */
bool store_cutover_read(struct pg *target, int64_t mirror_id, struct store_cutover *out, struct error *e) MUST_CHECK;
bool store_cutover_begin(struct pg *target, int64_t mirror_id, int limit_s, const char *back, int64_t *id,
	struct error *e) MUST_CHECK;
bool store_cutover_step(struct pg *target, int64_t id, enum cutover_step step, struct error *e) MUST_CHECK;
/* why may be NULL. */
bool store_cutover_phase(struct pg *target, int64_t id, enum cutover_phase phase, const struct error *why,
	struct error *e) MUST_CHECK;
/* From "running" to "undoing"; of one that is neither nothing changes, which is for the caller to read. */
bool store_cutover_begin_undo(struct pg *target, int64_t id, const struct error *why, struct error *e) MUST_CHECK;
/* The point of no return: the mirror is cut over from this commit on. Refused when the cutover is not running any
 * more, so that of two who decide only one is right. On a lost connection nobody knows: read it again. */
bool store_cutover_commit(struct pg *target, int64_t id, const char *connection, double closed_s, struct error *e)
	MUST_CHECK;

#endif
