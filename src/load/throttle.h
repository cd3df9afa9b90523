// SPDX-License-Identifier: PostgreSQL
/* A rate limit that all workers of a mirror share and that can change while they run. Any thread. */
#ifndef LOAD_THROTTLE_H
#define LOAD_THROTTLE_H

#include "../stop.h"

struct throttle;

struct throttle *throttle_new(void); /* no limit */
void throttle_free(struct throttle *t);
void throttle_set(struct throttle *t, double bytes_per_s); /* 0 = none */
/* Takes n bytes, sleeping as long as they are not due. Returns at once when the stop is raised. */
void throttle_take(struct throttle *t, int64_t n, const struct stop *stop);

#endif
