// SPDX-License-Identifier: PostgreSQL
/* From the survey to a run: what the store knows joins what the servers have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static bool is_marked(const struct store_mirror *store, const struct schema_step *s)
{
	char mark[5 * NAME_SIZE];
	step_mark(s, mark, sizeof(mark));
	return strings_sorted_have(&store->steps, mark);
}

/* Steps that an earlier attempt did are taken out; what is left keeps its order. */
static void drop_marked(const struct store_mirror *store, struct schema_steps *steps)
{
	size_t kept = 0;
	for (size_t i = 0; i < steps->count; i++) {
		if (is_marked(store, &steps->items[i])) {
			free(steps->items[i].name);
			free(steps->items[i].sql);
		} else {
			steps->items[kept++] = steps->items[i];
		}
	}
	steps->count = kept;
}

/* ---- a new mirror ---- */

/* Whose rows are in the target's table: may pgpier empty it? */
bool setup_may_empty(const struct run *r, const struct survey_table *t)
{
	if (!t->names.exists)
		return true; /* about to be created */
	return !t->has_rows || r->config.on_existing_rows == EXISTING_TRUNCATE;
}

void setup_store_table(const struct run *r, const struct survey_table *t, struct store_table *out)
{
	const struct schema_table *n = &t->names;
	copy_text(out->source_schema, NAME_SIZE, n->source_schema);
	copy_text(out->source_name, NAME_SIZE, n->source_name);
	copy_text(out->target_schema, NAME_SIZE, n->target_schema);
	copy_text(out->target_name, NAME_SIZE, n->target_name);
	out->renamed = t->renamed; /* borrowed: the row is only written */
	out->parent = t->parent;
	out->ours = setup_may_empty(r, t);
	out->rows_estimate = chunks_estimate(&t->info);
	out->bytes_estimate = t->info.bytes;
}

static bool write_new(struct run *r, struct pg *control, struct error *e)
{
	const struct survey *s = &r->survey;
	struct store_table *tables = xcalloc(s->table_count, sizeof(*tables));
	char *selection = survey_selection(&r->config);
	for (size_t i = 0; i < s->table_count; i++)
		setup_store_table(r, &s->tables[i], &tables[i]);
	r->snapshot_number = 1;
	/* A continuous mirror was written down before its slot was made. */
	bool ok = pg_run(control, e, "BEGIN") &&
			  (r->id || store_create(control, r->mirror, r->config.source, &r->id, e)) &&
			  store_add_tables(control, r->id, tables, s->table_count, 0, e) &&
			  store_add_snapshot(control, r->id, r->snapshot_number, snapshot_taken_at(r->snapshot),
				  snapshot_visible(r->snapshot), snapshot_lsn(r->snapshot), e) &&
			  store_selection(control, r->id, selection, e) &&
			  store_objects_write(control, r->id, r->objects.settings, r->objects.objects, r->objects.count, e) &&
			  pg_run(control, e, "COMMIT");
	free(selection);
	free(tables);
	if (!ok)
		pg_rollback(control);
	return ok;
}

static bool write_again(struct run *r, struct pg *control, struct error *e)
{
	r->id = r->store.id;
	r->snapshot_number = 1;
	for (size_t i = 0; i < r->store.snapshot_count; i++)
		r->snapshot_number = MAX(r->snapshot_number, r->store.snapshots[i].number + 1);
	return store_add_snapshot(control, r->id, r->snapshot_number, snapshot_taken_at(r->snapshot),
			   snapshot_visible(r->snapshot), snapshot_lsn(r->snapshot), e) &&
		   store_state(control, r->id, r->beside_stream ? MIRROR_REPLICATING : MIRROR_LOADING, NULL, e);
}

/* ---- the run's tables ---- */

static void take_store(struct run *r, struct run_table *t, const struct store_table *k)
{
	t->ours = k->ours;
	t->stale = k->stale;
	t->loaded = k->loaded;
	t->rows = k->rows;
	t->bytes = k->bytes;
	t->took_us = k->took_us;
	t->kept_snapshot = t->snapshot = k->snapshot;
	t->kept_last_snapshot = t->last_snapshot = k->last_snapshot;
	t->kept_filenode = k->filenode;
	copy_text(t->how, sizeof(t->how), k->how);
	size_t i = 0, done = 0;
	while (i < r->store.chunk_count && r->store.chunks[i].table < k->number)
		i++;
	t->kept = &r->store.chunks[i];
	while (i < r->store.chunk_count && r->store.chunks[i].table == k->number) {
		done += r->store.chunks[i].done;
		t->kept_count++;
		i++;
	}
	/* The process may have died between the last chunk and the table's own mark. */
	if (t->kept_count > 0 && done == t->kept_count && !t->loaded) {
		t->loaded = true;
		for (i = 0; i < t->kept_count; i++) {
			t->rows += t->kept[i].rows;
			t->bytes += t->kept[i].bytes;
			t->took_us += t->kept[i].took_us;
		}
	}
}

static void take_builds(struct run *r)
{
	for (size_t i = 0; i < r->schema->after.count; i++) {
		const struct schema_step *s = &r->schema->after.items[i];
		if (s->table == SCHEMA_NO_TABLE)
			continue;
		struct run_table *t = &r->tables[s->table];
		GROW(t->builds, t->build_count);
		t->builds[t->build_count++] = (struct run_build){ i, CHUNK_QUEUED };
		t->builds_left++;
	}
}

static enum table_state first_state(const struct run_table *t)
{
	if (t->missing)
		return TABLE_FAILED;
	if (t->parent)
		return TABLE_DONE;
	if (t->loaded)
		return t->builds_left > 0 ? TABLE_BUILDING : TABLE_DONE;
	return TABLE_QUEUED;
}

static void missing_error(struct run_table *t)
{
	t->error = xcalloc(1, sizeof(*t->error));
	error_set(t->error, ERROR_DATA, "the source has it no more");
	error_next(t->error, "drop the mirror and make it anew without the table");
}

/* The dump's own statement failed, or somebody dropped what it had made. */
static bool could_not_be_made(struct run *r, const struct run_table *t, struct error *why)
{
	*why = (struct error){ 0 };
	return r->config.schema == SCHEMA_DATABASE && !t->names.exists && !t->missing &&
		   objects_table_error(r, &t->names, why);
}

static void fill_tables(struct run *r)
{
	const struct survey *s = &r->survey;
	r->table_count = s->table_count;
	r->tables = xcalloc(r->table_count, sizeof(*r->tables));
	for (size_t i = 0; i < r->table_count; i++) {
		struct run_table *t = &r->tables[i];
		t->index = i;
		t->names = s->tables[i].names;
		t->info = s->tables[i].info;
		t->columns = s->tables[i].columns;
		t->target_columns = s->tables[i].target_columns;
		t->binary = s->tables[i].binary;
		t->parent = s->tables[i].parent;
		t->missing = s->tables[i].info.oid == 0;
		t->has_key = s->tables[i].info.key == KEY_PRIMARY;
		t->ours = setup_may_empty(r, &s->tables[i]);
		if (r->store.table_count > 0)
			take_store(r, t, &r->store.tables[i]);
		if (t->missing)
			missing_error(t);
	}
	take_builds(r);
	for (size_t i = 0; i < r->table_count; i++) {
		struct run_table *t = &r->tables[i];
		struct error why;
		t->state = first_state(t);
		if (!could_not_be_made(r, t, &why))
			continue;
		t->state = TABLE_FAILED;
		t->error = xmalloc(sizeof(*t->error));
		*t->error = why;
	}
}

static int largest_first(const void *a, const void *b, void *context)
{
	const struct run *r = context;
	int64_t x = r->tables[*(const size_t *)a].info.bytes, y = r->tables[*(const size_t *)b].info.bytes;
	return (x < y) - (x > y);
}

static void order_queue(struct run *r)
{
	r->queue = xmalloc(r->table_count * sizeof(*r->queue));
	for (size_t i = 0; i < r->table_count; i++)
		r->queue[i] = i;
	qsort_r(r->queue, r->table_count, sizeof(*r->queue), largest_first, r);
}

static void tell_builds(const struct run *r, const struct run_table *t)
{
	const char **names = xmalloc(t->build_count * sizeof(*names));
	const char **kinds = xmalloc(t->build_count * sizeof(*kinds));
	for (size_t i = 0; i < t->build_count; i++) {
		const struct schema_step *s = &r->schema->after.items[t->builds[i].step];
		names[i] = s->name;
		kinds[i] = schema_kind_name(s->kind);
	}
	if (t->build_count > 0)
		model_table_builds(r->model, r->mirror, t->index, t->build_count, names, kinds);
	free(names);
	free(kinds);
}

static void tell_model(struct run *r)
{
	struct load_table_init *init = xcalloc(r->table_count, sizeof(*init));
	char(*names)[2][2 * NAME_SIZE] = xcalloc(r->table_count, sizeof(*names));
	for (size_t i = 0; i < r->table_count; i++) {
		const struct run_table *t = &r->tables[i];
		snprintf(names[i][0], sizeof(names[i][0]), "%s.%s", t->names.source_schema, t->names.source_name);
		snprintf(names[i][1], sizeof(names[i][1]), "%s.%s", t->names.target_schema, t->names.target_name);
		bool exact = t->loaded || t->parent;
		init[i] = (struct load_table_init){
			.source = names[i][0],
			.target = names[i][1],
			.rows = exact ? t->rows : t->missing ? 0 : chunks_estimate(&t->info),
			.bytes = exact ? t->bytes : t->info.bytes,
			.state = t->state,
			.chunks = t->loaded ? MAX(t->kept_count, 1) : 0,
			.chunks_done = t->loaded ? MAX(t->kept_count, 1) : 0,
			.exact = exact,
			.how = t->loaded ? t->how : "",
			.elapsed_s = (double)t->took_us / 1e6,
			.error = t->error,
		};
	}
	model_load_set(r->model, r->mirror, init, r->table_count);
	for (size_t i = 0; i < r->table_count; i++)
		tell_builds(r, &r->tables[i]);
	for (size_t i = 0; i < r->store.table_count; i++)
		if (r->store.tables[i].paused && r->store.tables[i].error)
			model_table_paused(r->model, r->mirror, i, r->store.tables[i].error);
	free(init);
	free(names);
}

void setup_tell_blocked(struct run *r)
{
	const struct survey *s = &r->survey;
	struct load_table_init *init = xcalloc(s->table_count, sizeof(*init));
	struct error *errors = xcalloc(s->finding_count, sizeof(*errors));
	char(*names)[2][2 * NAME_SIZE] = xcalloc(s->table_count, sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++) {
		const struct schema_table *t = &s->tables[i].names;
		snprintf(names[i][0], sizeof(names[i][0]), "%s.%s", t->source_schema, t->source_name);
		snprintf(names[i][1], sizeof(names[i][1]), "%s.%s", t->target_schema, t->target_name);
		init[i] = (struct load_table_init){
			.source = names[i][0],
			.target = names[i][1],
			.rows = chunks_estimate(&s->tables[i].info),
			.bytes = s->tables[i].info.bytes,
			.state = TABLE_QUEUED,
		};
	}
	for (size_t i = 0; i < s->finding_count; i++) {
		const struct survey_finding *f = &s->findings[i];
		if (f->table == SCHEMA_NO_TABLE || f->finding.severity != SEVERITY_BLOCKER)
			continue;
		error_set(&errors[i], ERROR_CONFLICT, "%s", f->finding.text);
		error_next(&errors[i], "%s", f->finding.next ? f->finding.next : "");
		init[f->table].state = TABLE_FAILED;
		init[f->table].error = &errors[i];
	}
	model_load_set(r->model, r->mirror, init, s->table_count);
	free(init);
	free(errors);
	free(names);
}

/* What the two servers have, with what is in the way as an error. */
static bool look(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	survey_free(&r->survey);
	if (!survey_read(source, control, &r->config, r->store.id ? &r->store : NULL, false, &r->survey, e))
		return false;
	r->schema = r->survey.schema;
	if (survey_error(&r->survey, e))
		return true;
	setup_tell_blocked(r);
	return false;
}

/* Nothing is made before it is written down. */
static bool begin_new(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	return look(r, source, control, e) && objects_choose(r, source, e) && write_new(r, control, e);
}

static bool begin_again(struct run *r, struct pg *control, struct error *e)
{
	r->id = r->store.id;
	if (!objects_read(r, control, e))
		return false;
	if (r->beside_stream || r->chosen_again)
		return true;
	r->chosen_again = objects_choose_again(r, e) && objects_read(r, control, e);
	return r->chosen_again;
}

/* Once the dump's tables are there. */
static bool look_again(struct run *r, struct pg *source, struct pg *control, bool known, struct error *e)
{
	if (!known && r->config.schema != SCHEMA_DATABASE)
		return true;
	return look(r, source, control, e) && (!known || write_again(r, control, e));
}

bool setup(struct run *r, struct pg *control, struct error *e)
{
	bool found;
	if (!store_read(control, r->mirror, &r->store, &found, e))
		return false;
	bool known = r->store.table_count > 0;
	struct pg *source = snapshot_connection(r->snapshot);
	if (!(known ? begin_again(r, control, e) : begin_new(r, source, control, e)))
		return false;
	objects_name_columns(r);
	objects_tell(r);
	if (!objects_before(r, e) || !look_again(r, source, control, known, e))
		return false;
	drop_marked(&r->store, &r->schema->before);
	drop_marked(&r->store, &r->schema->after);
	drop_marked(&r->store, &r->schema->final);
	objects_plan(r);
	pthread_mutex_lock(&r->lock); /* a retry may look at the tables at any time */
	fill_tables(r);
	order_queue(r);
	r->created = xcalloc(r->schema->before.count + 1, sizeof(*r->created));
	pthread_mutex_unlock(&r->lock);
	tell_model(r);
	return !r->config.continuous || evolving_describe(r, source, control, e);
}

void run_clear(struct run *r)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->table_count; i++) {
		chunks_free(&r->tables[i].chunks);
		free(r->tables[i].chunk_done);
		free(r->tables[i].builds);
		free(r->tables[i].error);
		free(r->tables[i].filter);
	}
	free(r->tables);
	free(r->queue);
	free(r->created);
	r->created = NULL;
	r->tables = NULL;
	r->queue = NULL;
	r->table_count = 0;
	pthread_mutex_unlock(&r->lock);
	survey_free(&r->survey);
	store_mirror_free(&r->store);
	restore_free(&r->objects);
	renamed_tables_free(&r->objects.renamed);
	r->caught_up = false;
	r->schema = NULL;
	snapshot_free(r->snapshot);
	r->snapshot = NULL;
}
