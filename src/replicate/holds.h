// SPDX-License-Identifier: PostgreSQL
/* The thread that answers those who want a mirror's replication to stand at a position for a moment, in this process
 * or in another: requests are rows on the target (../store/holds.h), the answer is the apply side's (halt.h). It sleeps until a
 * notification comes. Whoever asked and is gone, or takes too long and did not say that it would, holds nothing. */
#ifndef REPLICATE_HOLDS_H
#define REPLICATE_HOLDS_H

#include "../model/write.h"
#include "halt.h"

struct holds;

struct holds_settings {
	const char *mirror;
	int64_t mirror_id;
	const struct peer_config *target;
	struct halt *halt;
	struct model *model;
	const struct stop *stop;
};

struct holds *holds_new(const struct holds_settings *s);
/* Joins the thread: raise its stop first. */
void holds_free(struct holds *h);

#endif
