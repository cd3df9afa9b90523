// SPDX-License-Identifier: PostgreSQL
/* The thread that looks at a replication once a second: where the source's log ends (after a heartbeat, so
 * that an idle source has something to pass on), how the slot is, what the apply side waits for. All of it goes
 * to the model. It only looks: nothing that moves rows waits for it. */
#ifndef REPLICATE_WATCH_H
#define REPLICATE_WATCH_H

#include "../model/write.h"
#include "../stop.h"
#include "apply.h"

struct watch;

struct watch_settings {
	const char *mirror, *slot, *publication;
	const struct peer_config *source;
	struct model *model;
	struct position *position;
	struct lag *lag;
	struct apply *apply;
	const struct stop *stop;
	struct stop *failed; /* raised when the slot is lost */
};

/* Before anything moves, so that the model counts from the first change on. */
void watch_announce(struct model *model, const char *mirror, const char *slot, const char *publication);
struct watch *watch_new(const struct watch_settings *s);
/* Joins the thread: raise its stop first. */
void watch_free(struct watch *w);
/* After `failed` was raised; class NONE: it was not the watch. */
void watch_error(struct watch *w, struct error *e);

#endif
