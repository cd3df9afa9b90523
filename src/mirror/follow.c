// SPDX-License-Identifier: PostgreSQL
/* A continuous mirror, from wherever it stands.
 *
 *     publication, slot, its snapshot --> load --> stream ----> (until it is stopped)
 *                                          ^         |
 *                                          |         +-- a table's rows are refused: it is held, the others go on
 *                                          |         +-- a table is new, or to be copied anew
 *                                          +---------+      held, loaded from a snapshot of its own while the
 *                                                           others go on, then let go
 *
 * A table that was held goes on where it stopped: the stream begins again there, and passes the others by until
 * it has reached them. Nothing is kept in memory that the store does not know, so all of this may be interrupted
 * anywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/replication.h"
#include "../replicate/slot.h"
#include "../replicate/source_side.h"
#include "evolve.h"
#include "run.h"

#define LOOK_EVERY_MS 250
#define KEEP_EVERY_US 3000000
/* Tables that a load lost to a TRUNCATE or a rewrite on the source are copied anew by themselves. */
#define RELOAD_AFTER_US 2000000

/* What the stream has to be ended for. */
enum turn { TURN_END, TURN_AGAIN, TURN_LOAD, TURN_LOADED };

/* ---- tables that are held ---- */

static bool hold(struct run *r, struct pg *control, size_t table, const struct error *why, struct error *e)
{
	struct error shown = *why;
	error_next(&shown, "mend the cause, then press r: the table goes on where it stopped");
	if (!store_table_hold(control, r->id, (int)table + 1, &shown, e))
		return false;
	model_table_paused(r->model, r->mirror, table, &shown);
	run_say(r, EVENT_ERROR, &shown, "table %s.%s is paused, the others go on", r->store.tables[table].source_schema,
		r->store.tables[table].source_name);
	return true;
}

/* all: also those that were paused for an error, which somebody says is mended. */
static bool release(struct run *r, struct pg *control, bool all, struct error *e)
{
	if (!store_tables_release(control, r->id, all, e))
		return false;
	for (size_t i = 0; i < r->store.table_count; i++)
		if (r->store.tables[i].paused && r->store.tables[i].done && all)
			model_table_paused(r->model, r->mirror, i, NULL);
	return true;
}

/* ---- the stream ---- */

static struct replication *open_stream(struct run *r, struct pg *control, struct error *e)
{
	struct store_mirror store;
	bool found;
	/* A COMMIT that was sent may still come after its session was given up: then where it stands would move. */
	if (!store_end_orphans(control, r->mirror, "apply", e) || !run_read_store(r, control, e) ||
		!store_read(control, r->mirror, &store, &found, e))
		return NULL;
	for (size_t i = 0; i < store.table_count; i++)
		if (store.tables[i].paused && store.tables[i].error)
			model_table_paused(r->model, r->mirror, i, store.tables[i].error);
	return replication_new(&(struct replication_settings){ .mirror = r->mirror, .source = &r->source,
							   .target = &r->target, .config = &r->config, .ignored = &r->ignored, .model = r->model,
							   .stop = r->stop }, &store, e);
}

static bool any_unloaded(const struct run *r)
{
	for (size_t i = 0; i < r->store.table_count; i++)
		if (!r->store.tables[i].loaded && !r->store.tables[i].parent)
			return true;
	return false;
}

static size_t find_table(const struct run *r, const char *name)
{
	char one[2 * NAME_SIZE];
	for (size_t i = 0; i < r->store.table_count; i++) {
		snprintf(one, sizeof(one), "%s.%s", r->store.tables[i].source_schema, r->store.tables[i].source_name);
		if (strcmp(one, name) == 0)
			return i;
	}
	return SCHEMA_NO_TABLE;
}

/* What somebody asked for since the last look. */
static enum turn take_wishes(struct run *r, struct pg *control, struct error *e)
{
	char resync[2 * NAME_SIZE];
	pthread_mutex_lock(&r->lock);
	bool retry = r->retry, reselect = r->reselected != NULL;
	copy_text(resync, sizeof(resync), r->resync);
	if (reselect) { /* nobody else is at the configuration now */
		mirror_config_free(&r->config);
		r->config = *r->reselected;
		free(r->reselected);
		r->reselected = NULL;
	}
	r->retry = false;
	r->resync[0] = '\0';
	pthread_mutex_unlock(&r->lock);
	size_t table = resync[0] ? find_table(r, resync) : SCHEMA_NO_TABLE;
	if (table != SCHEMA_NO_TABLE && !(store_table_hold(control, r->id, (int)table + 1, NULL, e) &&
										store_table_forget(control, r->id, (int)table + 1, e)))
		return TURN_END;
	if (retry && !(release(r, control, true, e) && objects_retry(r, e)))
		return TURN_END;
	if (table != SCHEMA_NO_TABLE || reselect || (retry && any_unloaded(r)))
		return TURN_LOAD;
	return retry ? TURN_AGAIN : TURN_END;
}

static bool has_wishes(struct run *r)
{
	pthread_mutex_lock(&r->lock);
	bool any = r->retry || r->reselected || r->resync[0];
	pthread_mutex_unlock(&r->lock);
	return any;
}

/* A table that is being loaded beside the stream, or soon will be, is behind however small the lag is. */
static void show_lag(struct run *r, struct replication *s)
{
	double lag = replication_lag(s);
	bool low = lag >= 0 && lag <= r->config.caught_up_s && !r->beside && !r->reload_at_us;
	run_enter(r, low ? MIRROR_REPLICATING : MIRROR_CATCHING_UP);
}

static bool is_due(const struct run *r)
{
	return r->reload_at_us && clock_us() >= r->reload_at_us;
}

/* A table that is held lacks what others refer to. */
static bool any_held(const struct run *r)
{
	for (size_t i = 0; i < r->store.table_count; i++)
		if (r->store.tables[i].paused || r->store.tables[i].held_at)
			return true;
	return false;
}

static void settle(struct run *r, struct pg *control)
{
	evolving_settle(r, control);
	if (!any_held(r))
		objects_settle(r);
}

/* Until it ends, somebody wants something that needs another one, or tables that were loaded beside it are in. */
static bool watch_stream(struct run *r, struct pg **control, struct replication *s, struct apply_result *why,
	struct error *e)
{
	int64_t looked = clock_us();
	while (!replication_wait(s, LOOK_EVERY_MS, why)) {
		if (stop_raised(r->stop))
			return error_set(e, ERROR_CANCELLED, "paused");
		show_lag(r, s);
		run_alert(r, NULL);
		if (r->beside ? beside_is_over(r->beside) : (has_wishes(r) || is_due(r)))
			return true;
		if (clock_us() - looked < KEEP_EVERY_US)
			continue;
		looked = clock_us();
		if (!control_keep(r, control, e))
			return false;
		if (!r->beside && replication_lag(s) <= r->config.caught_up_s)
			settle(r, *control);
	}
	return true;
}

/* A batch was refused for a table's rows: perhaps its definition lacks what the source's has by now. */
static bool refused(struct run *r, struct pg *control, const struct apply_result *why, struct error *e)
{
	struct evolve_result out = { 0 };
	bool ok = evolving_mend(r, control, why->table, &why->error, &out, e);
	if (ok && out.end == EVOLVE_DIFFERS)
		ok = hold(r, control, why->table, &out.difference, e);
	else if (ok && out.end == EVOLVE_NOTHING)
		ok = hold(r, control, why->table, &why->error, e);
	evolve_result_free(&out);
	return ok;
}

static bool redefined(struct run *r, struct pg *control, const struct apply_result *why, struct error *e)
{
	struct evolve_result out = { 0 };
	bool ok = evolving_follow(r, control, why->table, &why->relation, why->final, &out, e);
	if (ok && out.end == EVOLVE_DIFFERS)
		ok = hold(r, control, why->table, &out.difference, e);
	evolve_result_free(&out);
	return ok;
}

static enum turn judge(struct run *r, struct pg *control, const struct apply_result *why, struct error *e)
{
	switch (why->end) {
	case APPLY_TABLE:
		return refused(r, control, why, e) ? TURN_AGAIN : TURN_END;
	case APPLY_DDL:
		return redefined(r, control, why, e) ? TURN_AGAIN : TURN_END;
	case APPLY_NEW:
		strings_add(&r->ignored, why->name); /* unless the next look at the source finds it to be ours */
		run_say(r, EVENT_INFO, NULL, "table %s is new in the stream", why->name);
		r->reload_at_us = clock_us();
		return TURN_AGAIN;
	case APPLY_FAILED:
		*e = why->error;
		r->slot_lost = e->class == ERROR_LOST;
		return TURN_END;
	case APPLY_STOPPED:
		break;
	}
	if (r->beside)
		return TURN_LOADED;
	if (is_due(r))
		return TURN_LOAD;
	return take_wishes(r, control, e);
}

static void set_stream(struct run *r, const struct replication *stream)
{
	pthread_mutex_lock(&r->lock);
	r->stream = stream;
	r->streaming = stream != NULL;
	r->streamed = r->streamed || r->streaming;
	pthread_mutex_unlock(&r->lock);
}

static enum turn stream(struct run *r, struct pg **control, struct error *e)
{
	struct apply_result why = { .end = APPLY_STOPPED };
	struct replication *s = open_stream(r, *control, e);
	if (!s)
		return TURN_END;
	set_stream(r, s);
	bool ok = watch_stream(r, control, s, &why, e);
	set_stream(r, NULL);
	replication_free(s);
	enum turn turn = ok ? judge(r, *control, &why, e) : TURN_END;
	ddl_free(&why.relation);
	return turn;
}

/* ---- loading ---- */

/* Tables whose load failed wait like those whose rows were refused: the slot keeps what they miss. */
static bool hold_failed(struct run *r, struct pg *control, struct error *e)
{
	for (size_t i = 0; i < r->table_count; i++) {
		const struct run_table *t = &r->tables[i];
		if (t->state != TABLE_FAILED || !t->error)
			continue;
		if (t->error->class == ERROR_LOST)
			r->reload_at_us = clock_us() + RELOAD_AFTER_US;
		if (!store_table_hold(control, r->id, (int)i + 1, t->error, e))
			return false;
		run_say(r, EVENT_WARNING, t->error, "table %s.%s waits, the others go on", t->names.source_schema,
			t->names.source_name);
	}
	return true;
}

/* At the run's snapshot; the run's tables are those of the store afterwards. */
static bool load_all(struct run *r, struct pg *control, struct error *e)
{
	run_enter(r, MIRROR_SCHEMA);
	bool ok = setup(r, control, e) && load_rows(r, control, e) && load_finish(r, control, e) &&
			  hold_failed(r, control, e);
	snapshot_free(r->snapshot);
	r->snapshot = NULL;
	return ok;
}

/* Tables that the mirror has not loaded, from a snapshot of their own. */
bool follow_load(struct run *r, struct pg *control, struct error *e)
{
	run_clear(r);
	run_enter(r, MIRROR_SNAPSHOT);
	r->snapshot = snapshot_new(&r->source, r->mirror, NULL, r->stop, e);
	return r->snapshot && load_all(r, control, e);
}

/* The others stream while tables that joined, or shall be copied anew, are loaded. */
static bool load_beside(struct run *r, struct pg *control, struct error *e)
{
	r->reload_at_us = 0;
	if (!adopt_tables(r, control, e))
		return false;
	if (!any_unloaded(r))
		return release(r, control, false, e);
	if (!store_tables_hold_unloaded(control, r->id, e))
		return false;
	beside_begin(r);
	return true;
}

static bool loaded_beside(struct run *r, struct pg *control, struct error *e)
{
	if (!beside_end(r, e) || !release(r, control, false, e) || !objects_read(r, control, e))
		return false;
	objects_tell(r); /* what became of them beside us */
	r->caught_up = false;
	if (r->ignored.count > 0) /* partitions that came meanwhile: their tree may be whole now */
		r->reload_at_us = clock_us();
	return true;
}

/* ---- from the beginning ---- */

/* A set-up that did not come as far as the list of tables is undone and made anew. */
static bool begin_anew(struct run *r, struct pg *control, struct error *e)
{
	if (r->store.id && !source_side_remove(&r->source, r->mirror, &r->store.replication, r->stop, e))
		return false;
	return source_prepare(r, control, e);
}

/* The set-up did not come as far as the list of tables: nothing of it shall stay. Should this fail, too, the next
 * run does it. */
static void undo(struct run *r, struct pg *control)
{
	struct error ignored;
	if (!stop_raised(r->stop) && run_read_store(r, control, &ignored) &&
		source_side_remove(&r->source, r->mirror, &r->store.replication, r->stop, &ignored) &&
		store_drop(control, r->mirror, &ignored))
		r->id = 0;
}

static bool check_slot(struct run *r, struct error *e)
{
	struct slot_status slot;
	const char *name = r->store.replication.slot;
	struct pg *source = pg_connect(&r->source, r->mirror, "setup", r->stop, e);
	bool ok = source && slot_status(source, name, &slot, e);
	pg_free(source);
	if (!ok || (slot.exists && !slot_is_lost(&slot)))
		return ok;
	r->slot_lost = true;
	error_set(e, ERROR_LOST, "peer %s: replication slot %s %s: changes of the source can't be had any more",
		r->source.name, name, slot.exists ? "is lost" : "is gone");
	return error_next(e, "drop the mirror and make it anew; its tables on the target stay");
}

static bool begin(struct run *r, struct pg *control, struct error *e)
{
	bool found;
	if (!store_read(control, r->mirror, &r->store, &found, e))
		return false;
	r->id = r->store.table_count > 0 ? r->store.id : 0;
	if (r->store.state == MIRROR_CUT_OVER) {
		error_set(e, ERROR_CONFLICT, "the application has left its source: the mirror is cut over");
		return error_next(e, "pgpier rollback %s leads back, pgpier finish %s ends it", r->mirror, r->mirror);
	}
	if (!source_end_orphans(r, e))
		return false;
	r->reached = true;
	if (r->store.table_count == 0) {
		if (!begin_anew(r, control, e))
			return false;
		store_mirror_free(&r->store);
		bool ok = load_all(r, control, e);
		if (!ok && r->table_count == 0)
			undo(r, control);
		return ok;
	}
	r->loaded_before = r->load_done = !any_unloaded(r);
	if (!check_slot(r, e) || !adopt_tables(r, control, e))
		return false;
	/* Once the stream has moved, whatever is not loaded is held, and comes beside it. */
	bool streamed = r->store.replication.applied > r->store.replication.consistent;
	if (!streamed || !any_unloaded(r))
		return follow_load(r, control, e);
	r->reload_at_us = clock_us();
	return true;
}

static enum turn next_turn(struct run *r, struct pg **control, enum turn turn, struct error *e)
{
	e->class = ERROR_NONE;
	switch (turn) {
	case TURN_AGAIN:
		return stream(r, control, e);
	case TURN_LOAD:
		return load_beside(r, *control, e) ? TURN_AGAIN : TURN_END;
	case TURN_LOADED:
		return loaded_beside(r, *control, e) ? TURN_AGAIN : TURN_END;
	case TURN_END:
		break;
	}
	return TURN_END;
}

bool follow(struct run *r, struct pg **control, struct error *e)
{
	r->reload_at_us = 0;
	if (!begin(r, *control, e) || !store_state(*control, r->id, MIRROR_REPLICATING, NULL, e) ||
		!release(r, *control, true, e))
		return false;
	run_say(r, EVENT_INFO, NULL, "%s", r->loaded_before ? "the stream goes on" : "initial load done: the stream begins");
	r->load_done = true;
	run_enter(r, MIRROR_CATCHING_UP);
	for (enum turn turn = TURN_AGAIN; turn != TURN_END;)
		turn = next_turn(r, control, turn, e);
	struct error ignored;
	if (r->beside && !beside_end(r, &ignored) && !e->class)
		*e = ignored;
	pg_free(r->definitions);
	r->definitions = NULL;
	return false;
}
