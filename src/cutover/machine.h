// SPDX-License-Identifier: PostgreSQL
/* The cutover of a mirror: a row of steps, each with its undo, on a clock.
 *
 *     checklist  prepare  freeze  silence  drain  sequences  verify  way back | commit | open  follow
 *     \_______ any failure, the limit, somebody's word: undone backwards ____/  \_/   \__ repeated until done __/
 *
 * What decides is one row on the target (store/cutover.h): it says "running" until either the commit makes it
 * "committed" or an undo makes it "undoing", and no statement takes it from one of these to the other. The source is
 * opened again only behind "undoing", the target is opened only behind "committed"; so whatever is killed, restarted
 * or begun twice, at no moment are both open. A lost answer to the commit is resolved by reading that row, and until
 * it can be read nothing is opened.
 *
 * A cutover that was interrupted goes on from its first step: every step finds out what is done already. A rollback
 * is the cutover of the mirror that leads back (way_back.h). */
#ifndef CUTOVER_MACHINE_H
#define CUTOVER_MACHINE_H

#include <pgpier/config.h>

#include "../model/write.h"
#include "../stop.h"

/* What the engine does for it. All may be called from the cutover's thread. */
struct cutover_services {
	void *arg;
	/* The mirror runs in this process, from now on at the latest; and does not any more. */
	bool (*run)(void *arg, const char *mirror, struct error *e);
	void (*end)(void *arg, const char *mirror);
	/* How far its target is; 0: its stream is not open at the moment. */
	lsn_t (*applied)(void *arg, const char *mirror);
	/* Into mirrors.conf, unless a mirror of that name is written by hand. Copies. */
	bool (*save)(void *arg, const struct mirror_config *m, struct error *e);
};

struct cutover_settings {
	const struct mirror_config *config;
	const struct peer_config *source, *target;
	const struct mirror_config *first; /* of a rollback: the mirror that it goes back to; else NULL */
	const char *back;                  /* else: what the mirror that leads back is called */
	struct model *model;
	const struct cutover_services *services;
	const struct stop *stop; /* somebody cancels it, or the process ends: what can be undone is undone */
};

struct cutover;

struct cutover *cutover_new(const struct cutover_settings *s);
void cutover_free(struct cutover *c);

/* Each is the whole of it, in the caller's thread; the model is told all the way. False: it was undone, or is stuck,
 * for the reason in *e. */
bool cutover_run(struct cutover *c, struct error *e) MUST_CHECK;
bool cutover_rehearse(struct cutover *c, struct error *e) MUST_CHECK; /* changes nothing */
/* Of one that another process left. */
bool cutover_undo(struct cutover *c, struct error *e) MUST_CHECK;
/* The checklist alone. */
bool cutover_measure(struct cutover *c, struct error *e) MUST_CHECK;

/* From any other thread while it runs. */
void cutover_say_go(struct cutover *c);   /* the writers are stopped */
void cutover_say_undo(struct cutover *c);

#endif
