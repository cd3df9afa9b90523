// SPDX-License-Identifier: PostgreSQL
/* Copies the rows that differ anew, and no other: what only the target has goes, what only the source has comes, a
 * row that is changed does both. One transaction a table.
 *
 * A row is deleted where it was seen and only if it still is the row that was seen: its hash is asked for again. As
 * many rows must go as should, or the table stays as it is. Triggers and foreign keys of the target have no say,
 * because a delete that cascades would take rows that nobody verified. A mirror that replicates stands meanwhile, or
 * the table stays as it is as well (hold.c). */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../load/pipe.h"
#include "inside.h"

#define LOCK_PATIENCE "'60s'"

struct repairing {
	struct verify_run *run;
	struct pg *source, *target;
	struct throttle *throttle;
	struct progress progress;
	bool replica; /* triggers do not fire in our session */
};

/* ---- deleting ---- */

static void add_hashes(struct strbuf *sql, const struct rows_list *l, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		strbuf_addf(sql, "%s%lld", i > first ? "," : "", (long long)l->items[i].hash);
}

static void add_places(struct strbuf *sql, const struct rows_list *l, size_t first, size_t n)
{
	char place[PLACE_SIZE];
	for (size_t i = first; i < first + n; i++)
		strbuf_addf(sql, "%s\"%s\"", i > first ? "," : "", place_text(&l->items[i].place, place));
}

static bool delete_counted(struct pg *c, const char *sql, int64_t wanted, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, sql);
	if (!r)
		return false;
	int64_t gone = rows_int(r, 0, 0);
	rows_free(r);
	return gone == wanted || error_set(e, ERROR_CONFLICT, "%lld of %lld rows are not what they were any more",
								 (long long)(wanted - gone), (long long)wanted);
}

/* By place: of a hash that is there once too often. */
static bool delete_places(struct repairing *p, struct compared *t, size_t first, size_t n, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	const struct rows_list *l = &t->left[TARGET];
	strbuf_addf(&sql, "WITH gone AS (DELETE FROM %s AS t WHERE t.ctid = ANY ('{", t->side[TARGET].from);
	add_places(&sql, l, first, n);
	strbuf_addf(&sql, "}'::tid[]) AND %s = ANY ('{", t->side[TARGET].row);
	add_hashes(&sql, l, first, n);
	strbuf_add(&sql, "}'::int8[]) RETURNING 1) SELECT count(*) FROM gone");
	bool ok = delete_counted(p->target, sql.text, (int64_t)n, e);
	strbuf_free(&sql);
	return ok;
}

/* Of equal rows, so many: all of the table is looked through for them. */
static bool delete_equal(struct repairing *p, struct compared *t, const struct rows_of_hash *x, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	const char *from = t->side[TARGET].from;
	strbuf_addf(&sql, "WITH gone AS (DELETE FROM %s AS d USING (SELECT t.tableoid AS o, t.ctid AS c", from);
	statement_from(&sql, t, TARGET);
	strbuf_addf(&sql, " AND %s = %lld LIMIT %lld) x WHERE d.ctid = x.c AND d.tableoid = x.o RETURNING 1)"
					  " SELECT count(*) FROM gone", t->side[TARGET].row, (long long)x->hash, (long long)x->count);
	bool ok = delete_counted(p->target, sql.text, x->count, e);
	strbuf_free(&sql);
	return ok;
}

#define DELETE_AT_ONCE 500

static int most_equal_last(const void *a, const void *b)
{
	const struct rows_of_hash *x = a, *y = b;
	return (x->count > y->count) - (x->count < y->count);
}

static bool delete_extra(struct repairing *p, struct compared *t, struct error *e)
{
	struct rows_list *l = &t->left[TARGET];
	size_t single = 0;
	bool ok = true;
	if (l->count > 1)
		qsort(l->items, l->count, sizeof(*l->items), most_equal_last);
	while (single < l->count && l->items[single].count == 1 && !t->side[TARGET].partitioned)
		single++;
	for (size_t first = 0; ok && first < single; first += DELETE_AT_ONCE)
		ok = delete_places(p, t, first, MIN(single - first, (size_t)DELETE_AT_ONCE), e);
	for (size_t i = single; ok && i < l->count; i++)
		ok = delete_equal(p, t, &l->items[i], e);
	return ok;
}

/* ---- inserting ---- */

static void add_columns(struct strbuf *sql, const struct strings *columns)
{
	for (size_t i = 0; i < columns->count; i++)
		strbuf_addf(sql, "%s%s", i ? ", " : "", columns->items[i]);
}

/* Rows at their places; those that are missing several times once more for each. */
static char *missing_rows(const struct compared *t)
{
	const struct rows_list *l = &t->left[SOURCE];
	struct strbuf sql = STRBUF_INIT;
	char place[PLACE_SIZE];
	strbuf_add(&sql, "COPY (SELECT ");
	add_columns(&sql, &t->copied[SOURCE]);
	strbuf_addf(&sql, " FROM %s AS t WHERE t.ctid = ANY ('{", t->side[SOURCE].from);
	add_places(&sql, l, 0, l->count);
	strbuf_add(&sql, "}'::tid[])");
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].count == 1)
			continue;
		strbuf_add(&sql, " UNION ALL SELECT ");
		add_columns(&sql, &t->copied[SOURCE]);
		strbuf_addf(&sql, " FROM %s AS t CROSS JOIN generate_series(2, %lld) WHERE t.ctid = '%s'", t->side[SOURCE].from,
			(long long)l->items[i].count, place_text(&l->items[i].place, place));
	}
	strbuf_add(&sql, ") TO STDOUT");
	return strbuf_take(&sql);
}

static bool insert_missing(struct repairing *p, struct compared *t, int64_t *rows, struct error *e)
{
	struct strbuf into = STRBUF_INIT, name = STRBUF_INIT;
	struct pipe_result result = { 0 };
	quote_qualified(&name, t->names->target_schema, t->names->target_name);
	strbuf_addf(&into, "COPY %s (", name.text);
	add_columns(&into, &t->copied[TARGET]);
	strbuf_add(&into, ") FROM STDIN");
	char *from = missing_rows(t);
	bool ok = pipe_copy(&(struct pipe){ .source = p->source, .target = p->target, .source_sql = from,
							.target_sql = into.text, .throttle = p->throttle, .progress = &p->progress }, &result, e);
	*rows = result.rows;
	free(from);
	strbuf_free(&into);
	strbuf_free(&name);
	return ok;
}

/* ---- tables ---- */

static int64_t total_of(const struct rows_list *l)
{
	int64_t n = 0;
	for (size_t i = 0; i < l->count; i++)
		n += l->items[i].count;
	return n;
}

static bool may_be_repaired(const struct repairing *p, const struct compared *t, struct error *e)
{
	if (p->run->set->level != VERIFY_CHECKSUM)
		error_set(e, ERROR_USAGE, "only what checksums have located is repaired");
	else if (t->result->unverified.count > 0)
		error_set(e, ERROR_CONFLICT, "columns of it could not be compared");
	else if (t->capped)
		error_set(e, ERROR_CONFLICT, "more rows differ than can be listed");
	else if (t->own_column)
		error_set(e, ERROR_CONFLICT, "the target's table has a column of its own, %s, whose values would be lost",
			t->own_column);
	else if (t->side[TARGET].triggers && !p->replica)
		error_set(e, ERROR_PERMISSION, "its triggers and foreign keys would act on the rows: session_replication_role "
									   "can't be set");
	else
		return true;
	return error_next(e, "mend these rows by hand, or copy the table anew");
}

static bool repair_rows(struct repairing *p, struct compared *t, struct error *e)
{
	int64_t inserted = 0, wanted = total_of(&t->left[SOURCE]);
	bool ok = pg_run(p->target, e, "BEGIN") && hold_lock_table(p->run, p->target, t, e) && delete_extra(p, t, e) &&
			  (wanted == 0 || insert_missing(p, t, &inserted, e));
	if (ok && inserted != wanted)
		ok = error_set(e, ERROR_CONFLICT, "%lld rows of %lld were found on the source", (long long)inserted,
			(long long)wanted);
	if (ok && hold_check(p->run, p->target, t, e) && pg_run(p->target, e, "COMMIT")) {
		t->result->inserted = inserted;
		t->result->deleted = total_of(&t->left[TARGET]);
		return true;
	}
	pg_rollback(p->target);
	return false;
}

static void say(const struct repairing *p, const struct compared *t, const struct error *e)
{
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", p->run->set->config->name);
	if (e)
		model_event(p->run->set->model, EVENT_WARNING, object, e, "table %s was not repaired", t->result->target);
	else
		model_event(p->run->set->model, EVENT_INFO, object, NULL,
			"table %s repaired: %lld rows deleted, %lld inserted", t->result->target, (long long)t->result->deleted,
			(long long)t->result->inserted);
}

/* A table that can't be repaired stays as it is; a connection that is lost ends the repair. */
static bool repair_table(struct repairing *p, struct compared *t, struct error *e)
{
	struct error why = { 0 };
	char line[sizeof(why.text) + sizeof(why.next) + 2];
	bool ok = may_be_repaired(p, t, &why) && repair_rows(p, t, &why);
	say(p, t, ok ? NULL : &why);
	if (!ok)
		t->result->repair_error = xstrdup(error_line(&why, line, sizeof(line)));
	if (!pg_lost(p->source) && !pg_lost(p->target))
		return true;
	*e = why;
	return false;
}

static bool connect_both(struct repairing *p, struct error *e)
{
	struct verify_run *r = p->run;
	struct error ignored;
	p->source = pg_connect(r->peer[SOURCE], r->label, "repair", r->stop, e);
	p->target = p->source ? pg_connect(r->peer[TARGET], r->label, "repair", r->stop, e) : NULL;
	if (!p->target || !run_open_snapshot(r, SOURCE, p->source, e))
		return false;
	if (!pg_run(p->target, e, "SET lc_monetary = 'C'")) /* as the source's session has it */
		return false;
	if (r->hold && !pg_run(p->target, e, "SET lock_timeout = " LOCK_PATIENCE)) /* all of the mirror waits meanwhile */
		return false;
	p->replica = pg_run(p->target, &ignored, "SET session_replication_role = replica");
	return !pg_lost(p->target);
}

static bool needs_repair(const struct compared *t)
{
	return t->left[SOURCE].count + t->left[TARGET].count > 0;
}

bool verify_repair(struct verify_run *r, struct error *e)
{
	struct repairing p = { .run = r };
	bool any = false;
	for (size_t i = 0; i < r->table_count; i++)
		any = any || needs_repair(&r->tables[i]);
	if (!any)
		return true;
	p.throttle = throttle_new();
	bool ok = connect_both(&p, e);
	for (size_t i = 0; ok && i < r->table_count; i++)
		if (needs_repair(&r->tables[i]))
			ok = repair_table(&p, &r->tables[i], e);
	pg_free(p.source);
	pg_free(p.target);
	throttle_free(p.throttle);
	return ok || error_prefix(e, "could not repair");
}
