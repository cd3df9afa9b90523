// SPDX-License-Identifier: PostgreSQL
/* The moment at which the next byte is due moves on with every byte taken; whoever comes earlier sleeps.
 * It never lies more than BURST_US in the past, so a quiet while does not buy a flood. */
#include "throttle.h"

#include <pthread.h>
#include <stdlib.h>

#define BURST_US 50000
/* A changed limit takes effect within this. */
#define LONGEST_SLEEP_MS 200

struct throttle {
	pthread_mutex_t lock;
	double bytes_per_us; /* 0 = none */
	double due_us;
};

struct throttle *throttle_new(void)
{
	struct throttle *t = xcalloc(1, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void throttle_set(struct throttle *t, double bytes_per_s)
{
	pthread_mutex_lock(&t->lock);
	t->bytes_per_us = bytes_per_s / 1e6;
	t->due_us = (double)clock_us();
	pthread_mutex_unlock(&t->lock);
}

/* How long to wait from now for n bytes; 0 when they were taken. */
static double try_take(struct throttle *t, int64_t n)
{
	double wait = 0;
	pthread_mutex_lock(&t->lock);
	double now = (double)clock_us();
	if (t->bytes_per_us > 0) {
		t->due_us = MAX(t->due_us, now - BURST_US);
		if (t->due_us > now)
			wait = t->due_us - now;
		else
			t->due_us += (double)n / t->bytes_per_us;
	}
	pthread_mutex_unlock(&t->lock);
	return wait;
}

void throttle_take(struct throttle *t, int64_t n, const struct stop *stop)
{
	double wait;
	while ((wait = try_take(t, n)) > 0)
		if (!stop_sleep(stop, (int)MIN(wait / 1000 + 1, LONGEST_SLEEP_MS)))
			return;
}
