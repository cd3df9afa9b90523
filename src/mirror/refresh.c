// SPDX-License-Identifier: PostgreSQL
/* Mirrors that nobody runs here: reading their state, dropping them. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/source_side.h"
#include "../store/cutover.h"
#include "mirror.h"
#include "run.h"

/* ---- refresh ---- */

static bool is_moving(struct pg *target, const char *mirror, bool *moving, struct error *e)
{
	char name[NAME_SIZE + 16];
	snprintf(name, sizeof(name), "%s/cutover", mirror);
	return store_is_locked(target, name, moving, e);
}

/* A working state in the store is another process's, or of one that was killed: its lock tells. */
static enum mirror_state shown_state(enum mirror_state stored, bool locked)
{
	if (stored == MIRROR_DONE || stored == MIRROR_FAILED || stored == MIRROR_CUT_OVER || (stored == MIRROR_PAUSED && !locked))
		return stored;
	return locked ? stored : MIRROR_INTERRUPTED;
}

static enum table_state table_state_of(const struct store_table *t)
{
	if (t->done || t->parent)
		return TABLE_DONE;
	if (t->error)
		return TABLE_FAILED;
	return t->loaded ? TABLE_BUILDING : TABLE_QUEUED;
}

/* Rows and bytes of finished chunks count, also of a table that is not loaded yet. */
static void add_chunks(const struct store_mirror *s, struct load_table_init *init)
{
	for (size_t i = 0; i < s->chunk_count; i++) {
		const struct store_chunk *c = &s->chunks[i];
		struct load_table_init *t = &init[c->table - 1];
		t->chunks++;
		t->chunks_done += c->done;
		if (!t->exact && c->done) {
			t->rows_done += c->rows;
			t->bytes_done += c->bytes;
		}
	}
	for (size_t i = 0; i < s->table_count; i++)
		if (init[i].exact && init[i].chunks == 0 && !s->tables[i].parent)
			init[i].chunks = init[i].chunks_done = 1; /* a table of one chunk has no list of them */
}

static void tell_model(struct model *model, const char *mirror, const struct store_mirror *s)
{
	struct load_table_init *init = xcalloc(s->table_count, sizeof(*init));
	char(*names)[2][2 * NAME_SIZE] = xcalloc(s->table_count, sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++) {
		const struct store_table *t = &s->tables[i];
		snprintf(names[i][0], sizeof(names[i][0]), "%s.%s", t->source_schema, t->source_name);
		snprintf(names[i][1], sizeof(names[i][1]), "%s.%s", t->target_schema, t->target_name);
		init[i] = (struct load_table_init){
			.source = names[i][0],
			.target = names[i][1],
			.rows = t->loaded || t->parent ? t->rows : t->rows_estimate,
			.bytes = t->loaded || t->parent ? t->bytes : t->bytes_estimate,
			.exact = t->loaded || t->parent,
			.state = table_state_of(t),
			.how = t->how,
			.elapsed_s = (double)t->took_us / 1e6,
			.error = t->error,
		};
	}
	add_chunks(s, init);
	model_load_set(model, mirror, init, s->table_count);
	free(init);
	free(names);
}

static void tell_moments(struct model *model, const char *mirror, const struct store_mirror *s)
{
	struct strbuf text = STRBUF_INIT;
	char at[FORMAT_SIZE];
	int used = 0;
	for (size_t i = 0; i < s->snapshot_count; i++) {
		size_t tables = 0;
		for (size_t k = 0; k < s->table_count; k++)
			tables += s->tables[k].loaded && s->tables[k].snapshot == s->snapshots[i].number;
		if (tables > 0)
			strbuf_addf(&text, "%s%zu table%s as of %s", used++ ? ", " : "", tables, tables == 1 ? "" : "s",
				format_time(s->snapshots[i].taken_at, at));
	}
	model_mirror_moments(model, mirror, used, text.text ? text.text : "");
	strbuf_free(&text);
}

/* What was read, and is to be told at once. */
struct reading {
	struct store_mirror store;
	bool found, locked;
	struct replication_view stream; /* slot empty: there is none */
	struct restore objects;
	struct store_cutover cutover; /* id 0: there was none */
	bool moving;                  /* somebody is at it */
	bool finished;                /* by the configuration: the target tells of nothing any more */
};

static bool read_all(struct reading *r, const struct mirror_config *config, const struct peer_config *source,
	struct pg *target, struct error *e)
{
	if (!store_read(target, config->name, &r->store, &r->found, e) ||
		(r->found && !store_is_locked(target, config->name, &r->locked, e)) ||
		(r->found && !(store_cutover_read(target, r->store.id, &r->cutover, e) && is_moving(target, config->name, &r->moving, e))) ||
		(r->found && !store_objects_read(target, r->store.id, &r->objects.settings, &r->objects.objects,
						 &r->objects.count, e)))
		return false;
	if (r->found && r->store.replication.slot[0])
		refresh_stream(config, source, &r->store, pg_stop_borrow(target), &r->stream);
	return true;
}

static void tell_stream(struct model *model, const char *mirror, const struct reading *r)
{
	model_replication_set(model, mirror, &r->stream);
	for (size_t i = 0; i < r->store.table_count; i++)
		if (r->store.tables[i].paused && r->store.tables[i].error)
			model_table_paused(model, mirror, i, r->store.tables[i].error);
}

static enum step_state shown_step(const struct store_cutover *c, enum cutover_step step, bool moving)
{
	if (c->phase == CUTOVER_UNDONE)
		return STEP_UNDONE;
	if (c->phase == CUTOVER_DONE || step < c->step)
		return STEP_DONE;
	if (step > c->step)
		return STEP_WAITING;
	return moving ? STEP_RUNNING : STEP_FAILED;
}

/* One that is neither done nor undone, and that nobody is at, stands still until somebody goes on with it. */
static struct cutover_view shown_cutover(const struct store_cutover *c, bool moving)
{
	bool ended = c->phase == CUTOVER_UNDONE || c->phase == CUTOVER_DONE;
	struct cutover_view v = {
		.phase = ended || moving ? c->phase : CUTOVER_STUCK,
		.began_at = c->began_at,
		.elapsed_s = (double)((ended ? c->ended_at : wall_us()) - c->began_at) / 1e6,
		.limit_s = c->limit_s,
		.closed_s = c->closed_s,
		.forecast_s = -1,
	};
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++)
		v.steps[i] = (struct cutover_step_view){ .forecast_s = -1, .state = shown_step(c, (enum cutover_step)i, moving) };
	copy_text(v.back, sizeof(v.back), c->back);
	copy_text(v.connection, sizeof(v.connection), c->connection);
	if (c->error)
		error_set(&v.error, ERROR_CONFLICT, "%s", c->error);
	return v;
}

/* Of one that runs here the model knows more than the target does. */
static void tell_cutover(struct model *model, const char *mirror, const struct reading *r)
{
	struct cutover_view v;
	bool known = model_cutover(model, mirror, &v);
	bool runs_here = known && v.here && v.phase != CUTOVER_STUCK;
	cutover_view_free(&v);
	if (r->cutover.id == 0 || runs_here)
		return;
	v = shown_cutover(&r->cutover, r->moving);
	model_cutover_set(model, mirror, &v);
	cutover_view_free(&v);
}

static void tell_all(struct model *model, const char *mirror, const struct reading *r, const struct refresh_gate *gate)
{
	const struct store_mirror *s = &r->store;
	if (!gate->begin(gate->data))
		return;
	if (r->found) {
		model_mirror_times(model, mirror, s->started_at, s->ended_at);
		tell_model(model, mirror, s);
		tell_moments(model, mirror, s);
		objects_tell_model(model, mirror, &r->objects);
	}
	tell_cutover(model, mirror, r);
	if (r->stream.slot[0])
		tell_stream(model, mirror, r);
	model_mirror_state(model, mirror, r->found ? shown_state(s->state, r->locked) : r->finished ? MIRROR_CUT_OVER : MIRROR_NEW, NULL);
	gate->end(gate->data);
}

bool mirror_refresh(struct model *model, const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct refresh_gate *gate, const struct stop *stop, struct error *e)
{
	struct reading r = { .finished = config->finished };
	struct pg *c = pg_connect(target, config->name, "status", stop, e);
	bool ok = c && read_all(&r, config, source, c, e);
	if (ok)
		tell_all(model, config->name, &r, gate);
	store_mirror_free(&r.store);
	restore_free(&r.objects);
	store_cutover_free(&r.cutover);
	pg_free(c);
	return ok;
}

/* ---- drop ---- */

/* First what the source has, because the store is what knows of it. */
static bool drop_locked(struct pg *c, const struct mirror_config *config, const struct peer_config *source,
	const struct stop *stop, struct error *e)
{
	bool found;
	struct store_mirror store;
	if (!store_read(c, config->name, &store, &found, e))
		return false;
	bool ok = source_side_remove(source, config->name, &store.replication, stop, e) && store_drop(c, config->name, e);
	store_mirror_free(&store);
	return ok;
}

bool mirror_drop(const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e)
{
	struct pg *c = pg_connect(target, config->name, "supervisor", stop, e);
	bool ok = c != NULL;
	if (ok && store_exists(c, e))
		ok = store_lock(c, config->name, e) && store_end_orphans(c, config->name, "", e) &&
			 drop_locked(c, config, source, stop, e);
	else
		ok = ok && e->class == ERROR_NONE;
	pg_free(c);
	return ok;
}
