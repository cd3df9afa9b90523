// SPDX-License-Identifier: PostgreSQL
/* Many of a kind at once: some threads with a connection each take the next one until there is none. */
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

#define MOST_HANDS 32

struct each {
	struct run *run;
	size_t n;
	each_one *one;
	void *arg;
	_Atomic size_t next;
	atomic_bool over;
	pthread_mutex_t lock; /* protects error */
	struct error error;
};

struct hand {
	struct each *each;
	int number; /* from 1 */
	pthread_t thread;
	bool started;
};

static void fail(struct each *a, const struct error *e)
{
	pthread_mutex_lock(&a->lock);
	if (!a->error.class)
		a->error = *e;
	pthread_mutex_unlock(&a->lock);
	atomic_store(&a->over, true);
}

static void *hand_main(void *arg)
{
	struct hand *h = arg;
	struct each *a = h->each;
	struct error e = { 0 };
	char role[16];
	snprintf(role, sizeof(role), "copy-%d", h->number);
	struct pg *target = objects_connect(a->run, role, &e);
	bool ok = target && worker_settings(a->run, target, &e);
	for (size_t i; ok && !atomic_load(&a->over) && (i = atomic_fetch_add(&a->next, 1)) < a->n;) {
		ok = a->one(a->run, target, h->number, i, a->arg, &e);
		model_worker(a->run->model, a->run->mirror, h->number, "", 0, "");
	}
	if (!ok)
		fail(a, &e);
	pg_free(target);
	return NULL;
}

static int hands_wanted(struct run *r, size_t n)
{
	pthread_mutex_lock(&r->lock);
	size_t workers = (size_t)MAX(r->workers, 1);
	pthread_mutex_unlock(&r->lock);
	return (int)MIN(MIN(workers, n), MOST_HANDS);
}

bool each_run(struct run *r, size_t n, each_one *one, void *arg, struct error *e)
{
	struct hand hands[MOST_HANDS] = { 0 };
	struct each a = { .run = r, .n = n, .one = one, .arg = arg };
	int wanted = hands_wanted(r, n);
	pthread_mutex_init(&a.lock, NULL);
	for (int i = 0; i < wanted; i++) {
		hands[i] = (struct hand){ .each = &a, .number = i + 1 };
		hands[i].started = pthread_create(&hands[i].thread, NULL, hand_main, &hands[i]) == 0;
	}
	if (wanted > 0 && !hands[0].started)
		error_set(&a.error, ERROR_BUG, "no thread could be started");
	for (int i = 0; i < wanted; i++)
		if (hands[i].started)
			pthread_join(hands[i].thread, NULL);
	pthread_mutex_destroy(&a.lock);
	if (a.error.class)
		*e = a.error;
	return !a.error.class;
}
