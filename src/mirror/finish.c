// SPDX-License-Identifier: PostgreSQL
/* After the last row: what waits for whole trees of tables, and the values of sequences. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../load/large_objects.h"
#include "run.h"

static bool run_step(struct run *r, struct pg *control, const struct schema_step *s, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "BEGIN;");
	steps_sql(r, 1, &s, &sql);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(control, e, sql.text);
	strbuf_free(&sql);
	if (!ok) {
		pg_rollback(control);
		error_prefix(e, "%s %s", schema_kind_name(s->kind), s->name);
	}
	return ok;
}

static const struct run_table *parent_of(const struct run *r, const struct run_table *t)
{
	for (size_t i = 0; t->info.parent && i < r->table_count; i++)
		if (r->tables[i].info.oid == t->info.parent)
			return &r->tables[i];
	return NULL;
}

static const struct run_table *root_of(const struct run *r, const struct run_table *t)
{
	for (const struct run_table *p = t; p; p = parent_of(r, p))
		t = p;
	return t;
}

/* By index: a table of its tree failed. */
static bool *broken_trees(const struct run *r)
{
	bool *broken = xcalloc(r->table_count + 1, sizeof(*broken));
	for (size_t i = 0; i < r->table_count; i++)
		if (r->tables[i].state == TABLE_FAILED)
			broken[root_of(r, &r->tables[i])->index] = true;
	for (size_t i = 0; i < r->table_count; i++)
		broken[i] = broken[root_of(r, &r->tables[i])->index];
	return broken;
}

static bool mark_parents(const struct run *r, struct pg *control, const bool *broken, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "SELECT 1;");
	for (size_t i = 0; i < r->table_count; i++)
		if (r->tables[i].parent && !broken[i])
			store_sql_table_done(&sql, r->id, (int)i + 1);
	bool ok = pg_run(control, e, sql.text);
	strbuf_free(&sql);
	return ok;
}

bool finish_trees(struct run *r, struct pg *control, struct error *e)
{
	bool *broken = broken_trees(r), ok = true;
	for (size_t i = 0; ok && i < r->schema->final.count; i++) {
		const struct schema_step *s = &r->schema->final.items[i];
		if (s->table == SCHEMA_NO_TABLE || !broken[s->table])
			ok = run_step(r, control, s, e);
	}
	ok = ok && mark_parents(r, control, broken, e);
	free(broken);
	return ok;
}

bool finish_sequences(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	struct schema_steps values = { 0 };
	/* Those of a way back belong to whoever leads it over: our role may not even write them there. */
	if (r->config.schema == SCHEMA_NONE || r->config.reverse_of)
		return true;
	struct schema_table *names = xmalloc(r->table_count * sizeof(*names));
	for (size_t i = 0; i < r->table_count; i++)
		names[i] = r->tables[i].names;
	bool ok = schema_values(source, control, &r->config, names, r->table_count, &values, e);
	for (size_t i = 0; ok && i < values.count; i++) {
		ok = pg_run(control, e, values.items[i].sql);
		if (!ok)
			error_prefix(e, "sequence %s", values.items[i].name);
	}
	schema_steps_free(&values);
	free(names);
	return ok;
}

static void tell_large(void *arg, int64_t count, int64_t bytes)
{
	struct run *r = arg;
	char what[160], rows[FORMAT_SIZE], size[FORMAT_SIZE];
	snprintf(what, sizeof(what), "%s, %s", format_count(count, rows), format_bytes(bytes, size));
	model_worker(r->model, r->mirror, 1, "large objects", 0, what);
}

bool finish_large_objects(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	struct large_objects l = { .mirror = &r->config, .id = r->id, .throttle = r->throttle, .progress = tell_large, .arg = r };
	if (r->config.schema != SCHEMA_DATABASE || r->beside_stream)
		return true;
	bool ok = large_objects_copy(&l, source, control, e);
	model_worker(r->model, r->mirror, 1, "", 0, "");
	for (size_t i = 0; i < l.notes.count; i++)
		run_say(r, EVENT_WARNING, NULL, "%s", l.notes.items[i]);
	if (l.notes_more > 0)
		run_say(r, EVENT_WARNING, NULL, "and %lld more of the kind", (long long)l.notes_more);
	if (ok && l.count > 0) {
		char *text = large_objects_text(&l);
		run_say(r, EVENT_INFO, NULL, "%s", text);
		free(text);
	}
	large_objects_free(&l);
	return ok;
}

/* "as of 2026-11-21 15:07:03", or how many tables are as of which moment. */
void finish_moments(struct run *r)
{
	struct strbuf text = STRBUF_INIT;
	char at[FORMAT_SIZE];
	int snapshots = 0;
	for (int n = 1; n <= r->snapshot_number; n++) {
		int64_t taken_at = n == r->snapshot_number ? snapshot_taken_at(r->snapshot) : 0;
		size_t tables = 0;
		for (size_t i = 0; i < r->store.snapshot_count; i++)
			if (r->store.snapshots[i].number == n)
				taken_at = r->store.snapshots[i].taken_at;
		for (size_t i = 0; i < r->table_count; i++) {
			const struct run_table *t = &r->tables[i];
			int of = t->planned ? t->snapshot : t->kept_snapshot;
			tables += !t->parent && t->loaded && of == n;
		}
		if (tables == 0)
			continue;
		strbuf_addf(&text, "%s%zu table%s as of %s", snapshots++ ? ", " : "", tables, tables == 1 ? "" : "s",
			format_time(taken_at, at));
	}
	model_mirror_moments(r->model, r->mirror, snapshots, text.text ? text.text : "");
	strbuf_free(&text);
}
