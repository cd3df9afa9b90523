// SPDX-License-Identifier: PostgreSQL
#include "watch.h"

#include <pthread.h>
#include <stdlib.h>

#include "../lsn.h"
#include "slot.h"

#define EVERY_MS 1000

struct watch {
	struct watch_settings set;
	struct pg *source;
	struct replication_view view;
	pthread_t thread;
	pthread_mutex_t lock;
	struct error error; /* protected by lock */
};

/* In a transaction of its own, so that a server of 14 and later passes it on at once; its place in the log is
 * what must be passed. */
static const char heartbeat_sql[] =
	"SELECT pg_catalog.pg_logical_emit_message(true, 'pgpier', ''), pg_catalog.pg_current_wal_insert_lsn()";

static bool connect(struct watch *w, struct error *e)
{
	if (w->source && !pg_lost(w->source))
		return true;
	pg_free(w->source);
	w->source = pg_connect(w->set.source, w->set.mirror, "heartbeat", w->set.stop, e);
	return w->source != NULL;
}

static bool beat(struct watch *w, struct error *e)
{
	int64_t asked = clock_us();
	lsn_t at = 0, end = 0;
	struct rows *r = PG_ROWS(w->source, e, heartbeat_sql);
	if (!r)
		return false;
	bool ok = lsn_parse(rows_text(r, 0, 0), &at) && lsn_parse(rows_text(r, 0, 1), &end);
	rows_free(r);
	if (!ok)
		return error_set(e, ERROR_BUG, "peer %s: no position came for a heartbeat", w->set.source->name);
	lag_note(w->set.lag, at, asked);
	w->view.written = end;
	return true;
}

static bool look_at_slot(struct watch *w, struct error *e)
{
	struct slot_status s;
	if (!slot_status(w->source, w->set.slot, &s, e))
		return false;
	copy_text(w->view.wal_status, sizeof(w->view.wal_status), s.wal_status);
	w->view.retained_bytes = s.retained_bytes;
	w->view.safe_bytes = s.safe_bytes;
	w->view.spill_bytes = s.spill_bytes;
	w->view.confirmed = s.confirmed;
	if (s.exists && !slot_is_lost(&s))
		return true;
	error_set(e, ERROR_LOST, "peer %s: replication slot %s %s%s", w->set.source->name, w->set.slot,
		s.exists ? "is lost: the source has removed the WAL it needs" : "is gone",
		s.exists && s.invalidation[0] ? s.invalidation : "");
	return error_next(e, "drop the mirror and make it anew: its changes can't be had any more");
}

static void fill_positions(struct watch *w)
{
	struct replication_view *v = &w->view;
	const struct position *p = w->set.position;
	v->sent = atomic_load(&p->sent);
	v->received = atomic_load(&p->received);
	v->applied = atomic_load(&p->applied);
	v->transaction_bytes = atomic_load(&p->open_bytes);
	v->lag_s = lag_seconds(w->set.lag);
	v->lag_bytes = v->written == 0 ? -1 : v->written > v->applied ? (int64_t)(v->written - v->applied) : 0;
	apply_trouble(w->set.apply, &v->slow_batches, v->slow_why, &v->missing, v->missing_last);
}

static void fail(struct watch *w, const struct error *e)
{
	pthread_mutex_lock(&w->lock);
	w->error = *e;
	pthread_mutex_unlock(&w->lock);
	stop_raise(w->set.failed);
}

/* A source that does not answer is no failure here: the stream itself says when it is gone. */
static bool look(struct watch *w)
{
	struct error e = { 0 };
	bool ok = connect(w, &e) && beat(w, &e) && look_at_slot(w, &e);
	fill_positions(w);
	model_replication_set(w->set.model, w->set.mirror, &w->view);
	if (!ok && e.class == ERROR_LOST)
		fail(w, &e);
	return ok || e.class != ERROR_LOST;
}

static void *watch_main(void *arg)
{
	struct watch *w = arg;
	while (look(w) && stop_sleep(w->set.stop, EVERY_MS))
		;
	return NULL;
}

static void nothing_known(struct replication_view *v, const char *slot, const char *publication)
{
	*v = (struct replication_view){ .running = true, .lag_s = -1, .lag_bytes = -1, .retained_bytes = -1,
		.safe_bytes = -1, .spill_bytes = -1 };
	copy_text(v->slot, sizeof(v->slot), slot);
	copy_text(v->publication, sizeof(v->publication), publication);
}

void watch_announce(struct model *model, const char *mirror, const char *slot, const char *publication)
{
	struct replication_view v;
	nothing_known(&v, slot, publication);
	model_replication_set(model, mirror, &v);
}

struct watch *watch_new(const struct watch_settings *s)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	w->set = *s;
	nothing_known(&w->view, s->slot, s->publication);
	pthread_mutex_init(&w->lock, NULL);
	if (pthread_create(&w->thread, NULL, watch_main, w) != 0)
		abort();
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	pthread_join(w->thread, NULL);
	w->view.running = false;
	fill_positions(w);
	model_replication_set(w->set.model, w->set.mirror, &w->view);
	pg_free(w->source);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void watch_error(struct watch *w, struct error *e)
{
	pthread_mutex_lock(&w->lock);
	*e = w->error;
	pthread_mutex_unlock(&w->lock);
}
