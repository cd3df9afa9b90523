// SPDX-License-Identifier: PostgreSQL
#include "apply.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/write.h"
#include "pgoutput.h"
#include "writer.h"

/* A batch that takes so much memory is written, wherever it is in its transaction. */
#define BATCH_BYTES (8 * 1024 * 1024)
/* The target's disk is waited for so often; in between a crash of the target costs nothing but to receive
 * again, because the slot forgets only what is on that disk. */
#define DURABLE_EVERY_US 1000000
#define SETTLE_US 200000 /* and so long after the last commit when nothing more comes */

/* While much flows, a batch waits for more, so long or so many changes. */
#define FLOW_US 40000
#define FLOW_CHANGES 20000

struct apply {
	struct apply_settings set;
	struct pg *target;
	struct writer *writer;
	struct pgoutput_context context;
	/* the source transaction that is being read */
	bool open, wrote_part; /* part of it is written, not committed */
	uint32_t xid;
	lsn_t final;
	int64_t transaction_bytes;
	/* what the batch holds */
	lsn_t gathered;    /* end of its last whole transaction; 0 none */
	int64_t gathered_us; /* when the first one was */
	int64_t transactions, changes;
	/* positions */
	lsn_t began;       /* what the mirror had applied when the stream began */
	lsn_t held;        /* what the slot may not forget; 0 no such */
	bool behind;       /* tables that were held back are catching up with began */
	lsn_t committed, durable; /* on the target */
	lsn_t seen;        /* nothing before it is missing on the target */
	int64_t committed_us, durable_us;
	struct inbox *inbox;
	pthread_t thread;
	bool joined;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct apply_result result;
	int64_t slow, missing;
	char why[256], last_missing[256];
};

/* ---- positions ---- */

/* With a pending change the position stands still; without one everything that was seen is on the target. */
static void publish(struct apply *a)
{
	lsn_t flushed = a->durable == a->committed ? a->seen : a->durable;
	if (a->held)
		flushed = MIN(flushed, a->held);
	atomic_store(&a->set.position->applied, a->seen);
	atomic_store(&a->set.position->flushed, flushed);
	lag_passed(a->set.lag, a->seen);
}

static void see(struct apply *a, lsn_t lsn)
{
	if (a->gathered || a->open)
		return;
	a->seen = MAX(a->seen, lsn);
	publish(a);
}

/* ---- writing ---- */

static void tell_trouble(struct apply *a)
{
	const char *why, *missing = writer_missing(a->writer);
	char object[NAME_SIZE + 16];
	int64_t slow = writer_slow_batches(a->writer, &why);
	pthread_mutex_lock(&a->lock);
	a->slow = slow;
	copy_text(a->why, sizeof(a->why), why);
	bool news = missing[0] && strcmp(missing, a->last_missing) != 0;
	copy_text(a->last_missing, sizeof(a->last_missing), missing);
	pthread_mutex_unlock(&a->lock);
	snprintf(object, sizeof(object), "mirror %s", a->set.mirror);
	if (news)
		model_event(a->set.model, EVENT_WARNING, object, NULL, "a changed row is not on the target: %s", missing);
}

static void tell_counts(struct apply *a)
{
	size_t n;
	int64_t missing = 0;
	const struct writer_counts *c = writer_counts(a->writer, &n);
	for (size_t i = 0; i < n; i++) {
		model_changes_count(a->set.model, a->set.mirror, c[i].table, c[i].inserts, c[i].updates, c[i].deletes,
			c[i].truncates, c[i].missing);
		missing += c[i].missing;
	}
	model_replication_count(a->set.model, a->set.mirror, a->transactions, a->changes);
	pthread_mutex_lock(&a->lock);
	a->missing += missing;
	pthread_mutex_unlock(&a->lock);
	tell_trouble(a);
}

/* Tables that were behind have reached the others: from here on they move with them. */
static bool join_tables(struct apply *a, struct error *e)
{
	bool still;
	if (!a->behind || a->committed < a->began)
		return true;
	if (!store_tables_join(a->target, a->set.store->id, &still, e))
		return false;
	a->behind = still;
	writer_set_behind(a->writer, still);
	a->held = stream_tables_paused_at(a->set.tables);
	return true;
}

/* Everything up to the position, whether or not there is something to write. */
static bool commit(struct apply *a, lsn_t position, struct error *e)
{
	int64_t now = clock_us();
	bool durable = now - a->durable_us >= DURABLE_EVERY_US || !a->gathered;
	if (!writer_commit(a->writer, position, durable, e))
		return false;
	a->committed = position;
	a->committed_us = clock_us();
	if (durable) {
		a->durable = position;
		a->durable_us = a->committed_us;
	}
	if (a->gathered)
		tell_counts(a);
	a->seen = MAX(a->seen, position);
	a->gathered = 0;
	a->transactions = a->changes = 0;
	a->wrote_part = false;
	atomic_store(&a->set.position->open_bytes, 0);
	publish(a);
	return join_tables(a, e);
}

static bool flush(struct apply *a, struct error *e)
{
	a->wrote_part = true;
	atomic_store(&a->set.position->open_bytes, a->transaction_bytes);
	return writer_flush(a->writer, e);
}

/* ---- messages ---- */

static bool on_begin(struct apply *a, const struct pgoutput_message *m, struct error *e)
{
	a->final = m->begin.final;
	if (stream_tables_settle(a->set.tables, a->final, false)) {
		if (a->gathered && !commit(a, a->gathered, e))
			return false;
		stream_tables_settle(a->set.tables, a->final, true);
	}
	halt_passed(a->set.halt, m->xid);
	writer_begin(a->writer, a->final);
	a->open = true;
	a->xid = m->xid;
	a->transaction_bytes = 0;
	return true;
}

static bool on_commit(struct apply *a, const struct pgoutput_message *m, struct error *e)
{
	a->open = false;
	if (writer_changes(a->writer) == 0 && !a->wrote_part) {
		see(a, m->commit.end);
		return true;
	}
	if (!a->gathered)
		a->gathered_us = clock_us();
	a->gathered = m->commit.end;
	a->transactions++;
	if (a->wrote_part || writer_changes(a->writer) >= (size_t)a->set.config->batch_size ||
		writer_bytes(a->writer) >= BATCH_BYTES)
		return commit(a, a->gathered, e);
	return true;
}

static bool is_ignored(const struct apply *a, const char *name)
{
	for (size_t i = 0; i < a->set.ignored->count; i++)
		if (strcmp(a->set.ignored->items[i], name) == 0)
			return true;
	return false;
}

static bool on_new(struct apply *a, const char *name, struct error *e)
{
	pthread_mutex_lock(&a->lock);
	a->result.end = APPLY_NEW;
	copy_text(a->result.name, sizeof(a->result.name), name);
	pthread_mutex_unlock(&a->lock);
	return error_set(e, ERROR_CONFLICT, "table %s is new in the stream", name);
}

static bool has_changed(const struct apply *a, const struct stream_table *t, const struct pgoutput_message *m)
{
	struct ddl_relation now;
	struct ddl_change *changes = NULL;
	if (!t->known.name)
		return false;
	ddl_take(&now, m);
	size_t n = ddl_changes(&t->known, &now, a->final, &changes);
	free(changes);
	ddl_free(&now);
	return n > 0;
}

static bool on_ddl(struct apply *a, const struct stream_table *t, const struct pgoutput_message *m, struct error *e)
{
	pthread_mutex_lock(&a->lock);
	a->result.end = APPLY_DDL;
	a->result.table = t->apply.index;
	a->result.final = a->final;
	ddl_take(&a->result.relation, m);
	pthread_mutex_unlock(&a->lock);
	return error_set(e, ERROR_CONFLICT, "table %s has another definition", t->apply.source);
}

static bool on_relation(struct apply *a, const struct pgoutput_message *m, struct error *e)
{
	char name[2 * NAME_SIZE];
	struct stream_table *t = stream_tables_find(a->set.tables, m->relation.schema, m->relation.name);
	snprintf(name, sizeof(name), "%s.%s", m->relation.schema, m->relation.name);
	if (!t)
		t = stream_tables_find_id(a->set.tables, m->relation.id);
	if (!t && !is_ignored(a, name))
		return on_new(a, name, e);
	if (t && !t->paused && has_changed(a, t, m)) {
		/* Older than the table's copy: nothing of it is wanted, and a description follows before what is. */
		if (!stream_table_wants(t, a->xid, a->final, a->began))
			return writer_relation(a->writer, m, NULL, e);
		return on_ddl(a, t, m, e);
	}
	if (writer_relation(a->writer, m, t && !t->paused ? &t->apply : NULL, e))
		return true;
	return false;
}

static bool wants(struct apply *a, uint32_t relation)
{
	const struct apply_table *t = writer_table(a->writer, relation);
	return t && stream_table_wants(stream_tables_of(a->set.tables, t), a->xid, a->final, a->began);
}

static bool add(struct apply *a, const struct pgoutput_message *m, struct error *e)
{
	if (!writer_add(a->writer, m, e))
		return false;
	a->changes++;
	return writer_bytes(a->writer) < BATCH_BYTES || flush(a, e);
}

/* Of the tables that are listed, those that want it. */
static bool on_truncate(struct apply *a, const struct pgoutput_message *m, struct error *e)
{
	uint32_t wanted = 0;
	for (uint32_t i = 0; i < m->truncate.count; i++)
		wanted += wants(a, pgoutput_truncated(m, i));
	if (wanted == 0)
		return true;
	if (wanted == m->truncate.count)
		return add(a, m, e);
	char *ids = xmalloc(wanted * sizeof(uint32_t)), *at = ids;
	struct pgoutput_message some = *m;
	for (uint32_t i = 0; i < m->truncate.count; i++) {
		if (wants(a, pgoutput_truncated(m, i))) {
			memcpy(at, m->truncate.at + i * sizeof(uint32_t), sizeof(uint32_t));
			at += sizeof(uint32_t);
		}
	}
	some.truncate.count = wanted;
	some.truncate.at = ids;
	bool ok = add(a, &some, e);
	free(ids);
	return ok;
}

static bool on_message(struct apply *a, const struct pgoutput_message *m, struct error *e)
{
	switch (m->kind) {
	case PGOUTPUT_BEGIN:
		return on_begin(a, m, e);
	case PGOUTPUT_COMMIT:
		return on_commit(a, m, e);
	case PGOUTPUT_RELATION:
		return on_relation(a, m, e);
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
		return !wants(a, m->change.relation) || add(a, m, e);
	case PGOUTPUT_TRUNCATE:
		return on_truncate(a, m, e);
	case PGOUTPUT_ORIGIN:
	case PGOUTPUT_TYPE:
	case PGOUTPUT_MESSAGE:
		return true;
	default:
		return error_set(e, ERROR_BUG, "the stream sent a %s, which was not asked for",
			pgoutput_kind_name(m->kind));
	}
}

/* ---- the loop ---- */

static bool take_record(struct apply *a, const struct record *r, struct error *e)
{
	struct pgoutput_message m;
	if (r->size == 0) {
		see(a, r->lsn);
		return true;
	}
	a->transaction_bytes += r->size;
	return pgoutput_decode(&a->context, r->bytes, r->size, &m, e) && on_message(a, &m, e);
}

/* When what was gathered is to be committed, if nothing more comes by then. */
static int64_t commit_due_us(const struct apply *a)
{
	int64_t due = a->committed_us + (int64_t)a->set.config->sync_interval_ms * 1000;
	if (atomic_load(&a->set.position->flow) && writer_changes(a->writer) < FLOW_CHANGES)
		due = MAX(due, a->gathered_us + FLOW_US);
	return due;
}

static bool may_commit(const struct apply *a)
{
	return a->gathered && !a->open && clock_us() >= commit_due_us(a);
}

/* Until the queue has something, or there is something to be written by then. */
static int patience_ms(const struct apply *a)
{
	int64_t now = clock_us(), due = INT64_MAX;
	if (a->gathered && !a->open)
		due = MIN(commit_due_us(a), now + 2000); /* the flow may end sooner */
	else if (a->committed > a->durable && !a->open)
		due = a->committed_us + SETTLE_US;
	return due == INT64_MAX ? -1 : due > now ? (int)((due - now) / 1000) + 1 : 0;
}

static bool idle(struct apply *a, struct error *e)
{
	bool quiet = !a->gathered && !a->open;
	if (may_commit(a))
		return commit(a, a->gathered, e);
	if (quiet && a->committed > a->durable && clock_us() - a->committed_us >= SETTLE_US)
		return commit(a, a->committed, e);
	if (quiet && a->behind && a->seen >= a->began) /* nothing more to come from before */
		return commit(a, a->seen, e);
	short out[2];
	stop_poll2(a->set.stop, (int[2]){ queue_filled_fd(a->set.queue), halt_fd(a->set.halt) },
		(short[2]){ POLLIN, POLLIN }, out, patience_ms(a));
	if (out[1])
		halt_heard(a->set.halt);
	return true;
}

/* ---- standing ---- */

/* All that came before is on the target, and so is what tells that tables have reached the others. */
static bool commit_all(struct apply *a, struct error *e)
{
	if (a->gathered)
		return commit(a, a->gathered, e);
	return !a->behind || a->seen < a->began || commit(a, a->seen, e);
}

/* *goes: the next record may be taken. */
static bool may_go_on(struct apply *a, bool *goes, struct error *e)
{
	enum halt_word word = halt_ask_way(a->set.halt, a->inbox, a->began);
	*goes = word == HALT_GO;
	if (*goes)
		return true;
	if (!commit_all(a, e))
		return false;
	if (word == HALT_HERE) {
		writer_note_changes(a->writer); /* somebody looks here: what changes from now on is what counts */
		halt_arrive(a->set.halt);
	}
	halt_stand(a->set.halt, a->set.stop, queue_filled_fd(a->set.queue));
	return true;
}

static bool run(struct apply *a, struct error *e)
{
	struct record r;
	while (!stop_raised(a->set.stop)) {
		bool goes = true;
		if (!a->open && !halt_is_over(a->set.halt) && !may_go_on(a, &goes, e))
			return false;
		if (goes && !(inbox_next(a->inbox, &r) ? take_record(a, &r, e) : idle(a, e)))
			return false;
	}
	return true;
}

/* A table is paused for what its own rows or definition met; never for a lost connection, a full disk or another
 * session's lock, which would meet the next one as well. */
static bool is_of_table(const struct error *e)
{
	return e->class == ERROR_DATA || e->class == ERROR_PERMISSION || (e->class == ERROR_CONFLICT && !e->sqlstate[0]);
}

static void conclude(struct apply *a, const struct error *e)
{
	const struct apply_table *culprit = writer_culprit(a->writer);
	pthread_mutex_lock(&a->lock);
	a->result.error = *e;
	if (stop_raised(a->set.stop)) {
		a->result.end = APPLY_STOPPED;
	} else if (a->result.end == APPLY_STOPPED && culprit && is_of_table(e)) {
		a->result.end = APPLY_TABLE;
		a->result.table = culprit->index;
	} else if (a->result.end == APPLY_STOPPED) {
		a->result.end = APPLY_FAILED;
	}
	pthread_mutex_unlock(&a->lock);
}

static void *apply_main(void *arg)
{
	struct apply *a = arg;
	struct error e = { 0 };
	bool ok = run(a, &e);
	if (!ok)
		conclude(a, &e);
	writer_abort(a->writer);
	if (!ok && !stop_raised(a->set.stop))
		stop_raise(a->set.failed);
	return NULL;
}

struct apply *apply_new(const struct apply_settings *s, struct error *e)
{
	struct pg *target = pg_connect(s->target, s->mirror, "apply", s->stop, e);
	if (!target)
		return NULL;
	struct apply *a = xcalloc(1, sizeof(*a));
	a->set = *s;
	a->target = target;
	a->inbox = inbox_new(s->queue);
	a->context.version = 1;
	a->began = a->committed = a->durable = s->store->replication.applied;
	a->held = stream_tables_held(s->tables);
	a->behind = stream_tables_behind(s->tables);
	a->seen = stream_tables_from(s->tables);
	a->writer = writer_new(target,
		&(struct writer_settings){ .mirror_id = s->store->id, .source = s->source, .mirror = s->mirror });
	writer_set_behind(a->writer, a->behind);
	pthread_mutex_init(&a->lock, NULL);
	if (pthread_create(&a->thread, NULL, apply_main, a) != 0)
		abort();
	return a;
}

void apply_join(struct apply *a)
{
	if (a && !a->joined)
		pthread_join(a->thread, NULL);
	if (a)
		a->joined = true;
}

void apply_free(struct apply *a)
{
	if (!a)
		return;
	apply_join(a);
	writer_free(a->writer);
	pg_free(a->target);
	inbox_free(a->inbox);
	ddl_free(&a->result.relation);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void apply_result(struct apply *a, struct apply_result *out)
{
	pthread_mutex_lock(&a->lock);
	*out = a->result;
	if (out->end == APPLY_DDL)
		ddl_copy(&out->relation, &a->result.relation);
	pthread_mutex_unlock(&a->lock);
}

void apply_trouble(struct apply *a, int64_t *slow, char why[256], int64_t *missing, char last[256])
{
	pthread_mutex_lock(&a->lock);
	*slow = a->slow;
	*missing = a->missing;
	memcpy(why, a->why, sizeof(a->why));
	memcpy(last, a->last_missing, sizeof(a->last_missing));
	pthread_mutex_unlock(&a->lock);
}
