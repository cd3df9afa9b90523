// SPDX-License-Identifier: PostgreSQL
#include "replication.h"

#include <stdlib.h>

#include "holds.h"
#include "receiver.h"
#include "watch.h"

/* What waits between the threads. With the batch and the libraries' buffers it keeps a mirror under 64 MB. */
#define QUEUE_BYTES (8 * 1024 * 1024)

struct replication {
	struct stop *stop;   /* ends the threads */
	struct stop *failed; /* one of them has ended by itself */
	struct position position;
	struct queue *queue;
	struct halt *halt;
	struct lag *lag;
	struct store_mirror store;
	struct stream_tables *tables;
	struct receiver *receiver;
	struct apply *apply;
	struct watch *watch;
	struct holds *holds;
};

static bool read_tables(struct replication *r, const struct replication_settings *s, struct error *e)
{
	struct pg *source = pg_connect(s->source, s->mirror, "tables", r->stop, e);
	if (source)
		r->tables = stream_tables_new(source, &r->store, s->config, e);
	pg_free(source);
	return r->tables != NULL;
}

static bool start(struct replication *r, const struct replication_settings *s, struct error *e)
{
	const struct store_replication *p = &r->store.replication;
	if (!read_tables(r, s, e))
		return false;
	lsn_t from = stream_tables_from(r->tables);
	atomic_store(&r->position.applied, from);
	struct stream *stream = stream_open(s->source, s->mirror, p->slot, p->publication, from, r->stop, e);
	if (!stream)
		return false;
	watch_announce(s->model, s->mirror, p->slot, p->publication);
	r->apply = apply_new(&(struct apply_settings){ .mirror = s->mirror, .source = s->source, .target = s->target,
							 .config = s->config, .store = &r->store, .ignored = s->ignored, .tables = r->tables,
							 .queue = r->queue, .halt = r->halt, .position = &r->position, .lag = r->lag, .model = s->model,
							 .stop = r->stop, .failed = r->failed }, e);
	if (!r->apply) {
		stream_free(stream);
		return false;
	}
	r->receiver = receiver_new(stream, r->queue, &r->position, r->stop, r->failed);
	r->watch = watch_new(&(struct watch_settings){ .mirror = s->mirror, .slot = p->slot,
		.publication = p->publication, .source = s->source, .model = s->model, .position = &r->position,
		.lag = r->lag, .apply = r->apply, .stop = r->stop, .failed = r->failed });
	r->holds = holds_new(&(struct holds_settings){ .mirror = s->mirror, .mirror_id = r->store.id, .target = s->target,
		.halt = r->halt, .model = s->model, .stop = r->stop });
	return true;
}

struct replication *replication_new(const struct replication_settings *s, struct store_mirror *take,
	struct error *e)
{
	struct replication *r = xcalloc(1, sizeof(*r));
	r->store = *take;
	*take = (struct store_mirror){ 0 };
	r->stop = stop_new(s->stop);
	r->failed = stop_new(r->stop);
	r->queue = queue_new(QUEUE_BYTES);
	r->halt = halt_new(HALT_PATIENCE_US);
	r->lag = lag_new();
	if (start(r, s, e))
		return r;
	replication_free(r);
	return NULL;
}

void replication_free(struct replication *r)
{
	if (!r)
		return;
	stop_raise(r->stop);
	apply_join(r->apply);
	holds_free(r->holds);
	watch_free(r->watch); /* has a last look at the apply side */
	apply_free(r->apply);
	receiver_free(r->receiver);
	stream_tables_free(r->tables);
	store_mirror_free(&r->store);
	queue_free(r->queue);
	halt_free(r->halt);
	lag_free(r->lag);
	stop_free(r->failed);
	stop_free(r->stop);
	free(r);
}

/* The apply side knows best why it ended; the others' errors are those of connections and the slot. */
static void find_reason(struct replication *r, struct apply_result *why)
{
	struct error lost, e;
	apply_result(r->apply, why);
	watch_error(r->watch, &lost);
	receiver_error(r->receiver, &e);
	if (lost.class) {
		why->end = APPLY_FAILED;
		why->error = lost;
	} else if (why->end == APPLY_STOPPED && e.class) {
		why->end = APPLY_FAILED;
		why->error = e;
	}
}

bool replication_wait(struct replication *r, int ms, struct apply_result *why)
{
	*why = (struct apply_result){ .end = APPLY_STOPPED };
	stop_sleep(r->failed, ms);
	if (!stop_raised(r->failed))
		return false;
	find_reason(r, why);
	return true;
}

double replication_lag(struct replication *r)
{
	return lag_seconds(r->lag);
}

lsn_t replication_applied(const struct replication *r)
{
	return atomic_load(&r->position.applied);
}
