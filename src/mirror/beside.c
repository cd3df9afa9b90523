// SPDX-License-Identifier: PostgreSQL
/* A load beside the stream is a run of its own, in a thread of its own: it shares the mirror's configuration,
 * rate limit and place in the model with the run that streams, and nothing else. */
#include <stdlib.h>

#include "run.h"

struct beside {
	struct run run;
	pthread_t thread;
	bool ok;
	struct error error;
	atomic_bool over;
};

static bool load_settled(struct run *r, struct error *e)
{
	struct pg *control = pg_connect(&r->target, r->mirror, "load", r->stop, e);
	bool ok = control && source_settle(r, e) && follow_load(r, control, e);
	pg_free(control);
	return ok;
}

static void *beside_main(void *arg)
{
	struct beside *b = arg;
	b->ok = load_settled(&b->run, &b->error);
	atomic_store(&b->over, true);
	return NULL;
}

void beside_begin(struct run *r)
{
	struct beside *b = xcalloc(1, sizeof(*b));
	struct run *side = &b->run;
	copy_text(side->mirror, sizeof(side->mirror), r->mirror);
	mirror_config_copy(&side->config, &r->config);
	peer_config_copy(&side->source, &r->source);
	peer_config_copy(&side->target, &r->target);
	side->model = r->model;
	side->throttle = r->throttle;
	side->id = r->id;
	side->beside_stream = true;
	side->stop = stop_new(r->stop);
	pthread_mutex_init(&side->lock, NULL);
	pthread_cond_init(&side->moved, NULL);
	pthread_mutex_lock(&r->lock);
	side->workers = r->workers;
	side->tables_in_parallel = r->tables_in_parallel;
	r->beside = b;
	pthread_mutex_unlock(&r->lock);
	if (pthread_create(&b->thread, NULL, beside_main, b) != 0)
		abort();
}

bool beside_is_over(const struct beside *b)
{
	return atomic_load(&b->over);
}

struct run *beside_run(struct beside *b)
{
	return &b->run;
}

bool beside_end(struct run *r, struct error *e)
{
	struct beside *b = r->beside;
	struct run *side = &b->run;
	if (!atomic_load(&b->over))
		stop_raise(side->stop);
	pthread_join(b->thread, NULL);
	pthread_mutex_lock(&r->lock);
	r->beside = NULL;
	pthread_mutex_unlock(&r->lock);
	bool ok = b->ok;
	*e = b->error;
	if (side->reload_at_us && (!r->reload_at_us || side->reload_at_us < r->reload_at_us))
		r->reload_at_us = side->reload_at_us;
	run_clear(side);
	mirror_config_free(&side->config);
	peer_config_free(&side->source);
	peer_config_free(&side->target);
	pthread_mutex_destroy(&side->lock);
	pthread_cond_destroy(&side->moved);
	stop_free(side->stop);
	free(b);
	return ok;
}
