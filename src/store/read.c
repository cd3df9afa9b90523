// SPDX-License-Identifier: PostgreSQL
/* Reading where a mirror stands. */
#include <stdlib.h>
#include <string.h>

#include "../lsn.h"
#include "store.h"

static enum mirror_state state_of(const char *name)
{
	for (int s = 0; s < MIRROR_STATE_COUNT; s++)
		if (strcmp(mirror_state_name((enum mirror_state)s), name) == 0)
			return (enum mirror_state)s;
	return MIRROR_INTERRUPTED;
}

/* Working states that the target remembers are of a process that has ended, unless somebody holds the
 * mirror's lock; the caller knows which. */
static bool read_mirror(struct pg *c, const char *mirror, struct store_mirror *out, bool *found,
	struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT mirror_id, state, source, (extract(epoch FROM started_at) * 1000000)::int8,"
		" (extract(epoch FROM ended_at) * 1000000)::int8, selection FROM pgpier.mirrors WHERE name = $1", mirror);
	if (!r)
		return false;
	*found = rows_count(r) == 1;
	if (*found) {
		out->id = rows_int(r, 0, 0);
		out->state = state_of(rows_text(r, 0, 1));
		copy_text(out->source, sizeof(out->source), rows_text(r, 0, 2));
		out->started_at = rows_int(r, 0, 3);
		out->ended_at = rows_int(r, 0, 4);
		out->selection = xstrdup(rows_text(r, 0, 5));
	}
	rows_free(r);
	return true;
}

static lsn_t read_lsn(const struct rows *r, int row, int column)
{
	lsn_t lsn;
	return lsn_parse(rows_text(r, row, column), &lsn) ? lsn : 0;
}

bool store_find(struct pg *target, const char *mirror, int64_t *id, lsn_t *applied, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT m.mirror_id, p.applied FROM pgpier.mirrors m LEFT JOIN pgpier.replication p USING (mirror_id)"
		" WHERE m.name = $1", mirror);
	if (!r)
		return false;
	*id = rows_count(r) == 1 ? rows_int(r, 0, 0) : 0;
	*applied = *id ? read_lsn(r, 0, 1) : 0;
	rows_free(r);
	return true;
}

static void table_fill(struct store_table *t, const struct rows *r, int i)
{
	t->number = (int)rows_int(r, i, 0);
	copy_text(t->source_schema, NAME_SIZE, rows_text(r, i, 1));
	copy_text(t->source_name, NAME_SIZE, rows_text(r, i, 2));
	copy_text(t->target_schema, NAME_SIZE, rows_text(r, i, 3));
	copy_text(t->target_name, NAME_SIZE, rows_text(r, i, 4));
	t->parent = rows_bool(r, i, 5);
	t->ours = rows_bool(r, i, 6);
	t->filenode = rows_int(r, i, 7);
	t->loaded = rows_bool(r, i, 8);
	t->done = rows_bool(r, i, 9);
	t->snapshot = (int)rows_int(r, i, 10);
	t->rows = rows_int(r, i, 11);
	t->bytes = rows_int(r, i, 12);
	t->took_us = rows_int(r, i, 13);
	copy_text(t->how, sizeof(t->how), rows_text(r, i, 14));
	t->rows_estimate = rows_int(r, i, 18);
	t->bytes_estimate = rows_int(r, i, 19);
	if (!rows_null(r, i, 15)) {
		t->error = xmalloc(sizeof(*t->error));
		error_set(t->error, (enum error_class)rows_int(r, i, 15), "%s", rows_text(r, i, 16));
		copy_text(t->error->sqlstate, sizeof(t->error->sqlstate), rows_text(r, i, 17));
		error_next(t->error, "%s", rows_text(r, i, 26));
	}
	t->last_snapshot = (int)rows_int(r, i, 20);
	t->paused = rows_bool(r, i, 21);
	t->held_at = read_lsn(r, i, 22);
	t->stale = rows_bool(r, i, 24);
	t->fetched_at = read_lsn(r, i, 25);
	t->columns = rows_null(r, i, 23) ? NULL : xstrdup(rows_text(r, i, 23));
}

static bool read_tables(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT table_no, source_schema, source_name, target_schema, target_name, parent, ours, filenode,"
		" loaded, done, snapshot_no, rows, bytes, took_us, how, error_class, error, sqlstate,"
		" rows_estimate, bytes_estimate, last_snapshot_no, paused, held_at, columns, stale, fetched_at, error_next FROM pgpier.tables WHERE mirror_id = $1 ORDER BY table_no", id);
	if (!r)
		return false;
	out->table_count = (size_t)rows_count(r);
	out->tables = xcalloc(out->table_count, sizeof(*out->tables));
	for (size_t i = 0; i < out->table_count; i++)
		table_fill(&out->tables[i], r, (int)i);
	rows_free(r);
	return true;
}

static bool read_renamed(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT t.table_no, t.renamed[i], t.renamed[i + 1] FROM pgpier.tables t,"
		" generate_series(1, cardinality(t.renamed), 2) i WHERE t.mirror_id = $1 ORDER BY t.table_no, i", id);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r); i++) {
		size_t table = (size_t)rows_int(r, i, 0) - 1;
		if (table < out->table_count) /* whoever runs the mirror may take tables in meanwhile */
			renames_add(&out->tables[table].renamed, rows_text(r, i, 1), rows_text(r, i, 2));
	}
	rows_free(r);
	return true;
}

/* Not known in a store that an older pgpier made. */
static bool read_changed(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute"
		" WHERE attrelid = 'pgpier.tables'::regclass AND attname = 'changed_lsn')");
	bool any = r && rows_bool(r, 0, 0), ok = r != NULL;
	rows_free(r);
	if (!any)
		return ok;
	r = PG_ROWS(c, e, "SELECT table_no, changed_lsn FROM pgpier.tables WHERE mirror_id = $1 AND changed_lsn IS NOT NULL",
		id);
	for (int i = 0; r && i < rows_count(r); i++) {
		size_t table = (size_t)rows_int(r, i, 0) - 1;
		if (table < out->table_count)
			out->tables[table].changed_at = read_lsn(r, i, 1);
	}
	ok = r != NULL;
	rows_free(r);
	return ok;
}

static bool read_chunks(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT table_no, chunk_no, condition, range, done, rows, bytes, took_us FROM pgpier.chunks"
		" WHERE mirror_id = $1 ORDER BY table_no, chunk_no", id);
	if (!r)
		return false;
	out->chunk_count = (size_t)rows_count(r);
	out->chunks = xcalloc(out->chunk_count, sizeof(*out->chunks));
	for (int i = 0; i < rows_count(r); i++)
		out->chunks[i] = (struct store_chunk){
			.table = (int)rows_int(r, i, 0),
			.number = (int)rows_int(r, i, 1),
			.condition = xstrdup(rows_text(r, i, 2)),
			.range = xstrdup(rows_text(r, i, 3)),
			.done = rows_bool(r, i, 4),
			.rows = rows_int(r, i, 5),
			.bytes = rows_int(r, i, 6),
			.took_us = rows_int(r, i, 7),
		};
	rows_free(r);
	return true;
}

static bool read_snapshots(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT snapshot_no, (extract(epoch FROM taken_at) * 1000000)::int8, snapshot, lsn FROM pgpier.snapshots"
		" WHERE mirror_id = $1 ORDER BY snapshot_no", id);
	if (!r)
		return false;
	out->snapshot_count = (size_t)rows_count(r);
	out->snapshots = xcalloc(out->snapshot_count, sizeof(*out->snapshots));
	for (int i = 0; i < rows_count(r); i++)
		out->snapshots[i] = (struct store_snapshot){ (int)rows_int(r, i, 0), rows_int(r, i, 1),
			xstrdup(rows_text(r, i, 2)), read_lsn(r, i, 3) };
	rows_free(r);
	return true;
}

static bool read_steps(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT kind || ' ' || name FROM pgpier.steps WHERE mirror_id = $1"
		" ORDER BY (kind || ' ' || name) COLLATE \"C\"", id);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r); i++)
		strings_add(&out->steps, rows_text(r, i, 0));
	rows_free(r);
	return true;
}

static bool read_replication(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"SELECT slot, publication, consistent, applied FROM pgpier.replication WHERE mirror_id = $1", id);
	if (!r)
		return false;
	if (rows_count(r) == 1) {
		struct store_replication *p = &out->replication;
		copy_text(p->slot, sizeof(p->slot), rows_text(r, 0, 0));
		copy_text(p->publication, sizeof(p->publication), rows_text(r, 0, 1));
		p->consistent = read_lsn(r, 0, 2);
		p->applied = read_lsn(r, 0, 3);
	}
	rows_free(r);
	return true;
}

/* None in a store that an older pgpier made. */
static bool read_dumped(struct pg *c, const char *id, struct store_mirror *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT to_regclass('pgpier.objects') IS NOT NULL");
	bool any = r && rows_bool(r, 0, 0), ok = r != NULL;
	rows_free(r);
	if (!any)
		return ok;
	r = PG_ROWS(c, e, "SELECT belongs_to FROM pgpier.objects WHERE mirror_id = $1 AND kind = 'TABLE' AND wanted"
		" AND statement IS NOT NULL ORDER BY belongs_to COLLATE \"C\"", id);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(&out->dumped, rows_text(r, i, 0));
	ok = r != NULL;
	rows_free(r);
	return ok;
}

bool store_read(struct pg *target, const char *mirror, struct store_mirror *out, bool *found, struct error *e)
{
	char id[24];
	*out = (struct store_mirror){ 0 };
	*found = false;
	if (!store_exists(target, e))
		return e->class == ERROR_NONE;
	if (!read_mirror(target, mirror, out, found, e))
		return false;
	snprintf(id, sizeof(id), "%lld", (long long)out->id);
	bool ok = !*found || (read_tables(target, id, out, e) && read_renamed(target, id, out, e) &&
							 read_changed(target, id, out, e) &&
							 read_chunks(target, id, out, e) && read_snapshots(target, id, out, e) &&
							 read_steps(target, id, out, e) && read_replication(target, id, out, e) &&
							 read_dumped(target, id, out, e));
	if (!ok)
		store_mirror_free(out);
	return ok;
}

char *store_names(const struct store_mirror *m, bool targets, bool schemas)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc((m->table_count + 1) * sizeof(*names));
	for (size_t i = 0; i < m->table_count; i++) {
		const struct store_table *t = &m->tables[i];
		names[i] = targets ? (schemas ? t->target_schema : t->target_name)
						   : (schemas ? t->source_schema : t->source_name);
	}
	quote_array(&b, m->table_count, names);
	free(names);
	return strbuf_take(&b);
}

void store_mirror_free(struct store_mirror *m)
{
	for (size_t i = 0; i < m->chunk_count; i++) {
		free(m->chunks[i].condition);
		free(m->chunks[i].range);
	}
	for (size_t i = 0; i < m->snapshot_count; i++)
		free(m->snapshots[i].visible);
	for (size_t i = 0; i < m->table_count; i++) {
		free(m->tables[i].error);
		free(m->tables[i].columns);
		renames_free(&m->tables[i].renamed);
	}
	free(m->selection);
	free(m->tables);
	free(m->chunks);
	free(m->snapshots);
	strings_free(&m->steps);
	strings_free(&m->dumped);
	*m = (struct store_mirror){ 0 };
}
