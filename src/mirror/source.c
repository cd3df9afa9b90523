// SPDX-License-Identifier: PostgreSQL
/* What a continuous mirror has on its source: a publication and a slot.
 *
 * The order matters. The store on the target says first what they will be called, so that whoever comes after
 * a crash knows them for ours. The publication comes before the slot: a change that was written before its
 * table was published is not in the stream, and creating a slot waits for every transaction that could have
 * written such a change. The slot exports the snapshot at which its stream begins; the load imports it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/publication.h"
#include "../replicate/slot.h"
#include "../replicate/source_side.h"
#include "run.h"

/* ---- what holds the slot up ---- */

/* The creation of a slot waits without a word; this one looks, from another connection. */
struct lookout {
	struct run *run;
	int walsender;
	struct stop *stop;
	pthread_t thread;
};

static void tell_blocker(struct run *r, const struct slot_blocker *b, char told[512])
{
	char who[420], text[512];
	slot_blocker_text(b, who, sizeof(who));
	snprintf(text, sizeof(text), "the slot waits for a transaction on the source: %s", who);
	model_mirror_state(r->model, r->mirror, MIRROR_SNAPSHOT, text);
	if (b->pid == atoi(told)) /* in the log once */
		return;
	snprintf(told, 512, "%d", b->pid);
	run_say(r, EVENT_WARNING, NULL, "%s", text);
}

static void *lookout_main(void *arg)
{
	struct lookout *l = arg;
	struct error e;
	char told[512] = "";
	struct pg *c = NULL;
	while (stop_sleep(l->stop, 1500)) {
		struct slot_blocker *blockers = NULL;
		size_t n = 0;
		if (!c)
			c = pg_connect(&l->run->source, l->run->mirror, "lookout", l->stop, &e);
		if (c && slot_blockers(c, l->walsender, 1e9, &blockers, &n, &e) && n > 0)
			tell_blocker(l->run, &blockers[0], told);
		free(blockers);
		if (c && pg_lost(c)) {
			pg_free(c);
			c = NULL;
		}
	}
	pg_free(c);
	return NULL;
}

static bool create_slot(struct run *r, struct pg *replication, const char *name, struct slot_made *made,
	struct error *e)
{
	struct lookout l = { .run = r, .walsender = pg_pid(replication), .stop = stop_new(r->stop) };
	bool watched = pthread_create(&l.thread, NULL, lookout_main, &l) == 0;
	bool ok = slot_create(replication, name, false, made, e);
	stop_raise(l.stop);
	if (watched)
		pthread_join(l.thread, NULL);
	stop_free(l.stop);
	return ok;
}

/* ---- making ---- */

static bool create_publication(struct run *r, struct pg *source, const char *name, struct error *e)
{
	const struct survey *s = &r->survey;
	struct publication_table *tables = xmalloc(s->table_count * sizeof(*tables));
	for (size_t i = 0; i < s->table_count; i++)
		tables[i] = (struct publication_table){ s->tables[i].names.source_schema, s->tables[i].names.source_name,
			s->tables[i].parent };
	bool ok = publication_create(source, name, true, tables, s->table_count, e);
	free(tables);
	return ok;
}

/* Which tables there are, and whether anything stands in the way, before anything is made. */
static bool look_first(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	const struct store_mirror *known = r->store.id ? &r->store : NULL;
	if (!survey_read(source, control, &r->config, known, false, &r->survey, e))
		return false;
	if (survey_error(&r->survey, e))
		return true;
	setup_tell_blocked(r);
	return false;
}

static bool take_snapshot(struct run *r, struct pg *control, const struct store_replication *p, struct error *e)
{
	struct slot_made made;
	struct pg *replication = pg_connect_replication(&r->source, r->mirror, "slot", r->stop, e);
	bool ok = replication && create_slot(r, replication, p->slot, &made, e) &&
			  store_replication_slot(control, r->id, made.consistent, e);
	if (ok)
		r->snapshot = snapshot_new(&r->source, r->mirror, made.snapshot, r->stop, e);
	pg_free(replication); /* its snapshot has been taken over */
	return ok && r->snapshot;
}

/* Of a set-up that was interrupted the mirror is written down already. */
static bool write_intent(struct run *r, struct pg *control, const struct store_replication *p, struct error *e)
{
	r->id = r->store.id;
	bool ok = pg_run(control, e, "BEGIN") &&
			  (r->id || store_create(control, r->mirror, r->config.source, &r->id, e)) &&
			  store_replication_begin(control, r->id, p->slot, p->publication, e) && pg_run(control, e, "COMMIT");
	if (!ok) {
		pg_rollback(control);
		r->id = r->store.id;
	}
	return ok;
}

static bool make(struct run *r, struct pg *source, struct pg *control, const struct store_replication *p,
	struct error *e)
{
	return create_publication(r, source, p->publication, e) && take_snapshot(r, control, p, e);
}

bool source_prepare(struct run *r, struct pg *control, struct error *e)
{
	struct store_replication p = { 0 };
	mirror_slot_name(&r->config, p.slot);
	mirror_publication_name(&r->config, p.publication);
	struct pg *source = pg_connect(&r->source, r->mirror, "setup", r->stop, e);
	bool ok = source && look_first(r, source, control, e) &&
			  (r->store.id || source_side_is_vacant(source, &p, e)) && write_intent(r, control, &p, e);
	if (ok && !make(r, source, control, &p, e)) {
		struct error ignored;
		ok = false;
		if (!stop_raised(r->stop) && source_side_remove(&r->source, r->mirror, &p, r->stop, &ignored) &&
			store_drop(control, r->mirror, &ignored))
			r->id = 0;
	}
	survey_free(&r->survey);
	pg_free(source);
	return ok;
}

/* ---- around it ---- */

bool source_end_orphans(struct run *r, struct error *e)
{
	struct pg *c = pg_connect(&r->source, r->mirror, "setup", r->stop, e);
	bool ok = c && store_end_orphans(c, r->mirror, "", e);
	pg_free(c);
	return ok;
}

/* ---- settling ---- */

bool source_settle(struct run *r, struct error *e)
{
	struct pg *c = pg_connect(&r->source, r->mirror, "setup", r->stop, e);
	char *xmax = NULL;
	bool settled = false, ok = c != NULL;
	while (ok && !settled) {
		struct rows *rows = PG_ROWS(c, e,
			"SELECT txid_snapshot_xmax(s), txid_snapshot_xmin(s) >= coalesce($1::int8, 9223372036854775807)"
			" FROM txid_current_snapshot() s", xmax);
		ok = rows != NULL;
		settled = ok && rows_bool(rows, 0, 1);
		if (ok && !xmax)
			xmax = xstrdup(rows_text(rows, 0, 0));
		rows_free(rows);
		if (ok && !settled && !stop_sleep(r->stop, 50))
			ok = error_set(e, ERROR_CANCELLED, "stopped");
	}
	free(xmax);
	pg_free(c);
	return ok;
}
