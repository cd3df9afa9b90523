// SPDX-License-Identifier: PostgreSQL
/* What of a dump comes when the rows are in, in this order:
 *
 *     attached indexes, triggers, rules, policies ...; foreign keys NOT VALID      one behind the other
 *     rows looked at; foreign keys of partitioned tables, which can't be NOT VALID   side by side
 *     materialized views filled, those first that others read                       side by side
 *     tables analysed                                                               side by side
 *     event triggers and default privileges, which would act on all of the above    one behind the other
 *
 * All of it may be interrupted anywhere: the store knows what is made. */
#include "../schema/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../schema/orphans.h"
#include "run.h"

#define ANALYZED "analyze" /* the mark of a table, among the mirror's steps */

struct finish {
	struct run *run;
	bool *late;    /* by object: comes last, or needs one that does */
	bool *slow;    /* by object: checked against all rows as it is made */
	bool *waits;   /* by object: not now, or needs one that is not made now */
	size_t *list;  /* room for all */
	bool denied;   /* changes that are applied would fire triggers and be checked by foreign keys */
};

/* ---- which ---- */

static bool comes_last(const struct store_object *o)
{
	return restore_is_kind(o, "EVENT TRIGGER") || restore_is_kind(o, "DEFAULT ACL") ||
		   restore_is_kind(o, OBJECT_REFRESH);
}

/* In replica mode of the session these leave applied changes alone; without it nothing does. */
static bool acts_on_changes(const struct store_object *o)
{
	return restore_is_kind(o, "FK CONSTRAINT") || restore_is_kind(o, "TRIGGER") ||
		   (restore_is_kind(o, "RULE") && o->table);
}

/* Of a table of the mirror's whose rows are not in. */
static bool is_of_failed(const struct run *r, const struct store_object *o)
{
	char name[2 * NAME_SIZE];
	for (size_t i = 0; o->table && !r->caught_up && i < r->table_count; i++) {
		const struct run_table *t = &r->tables[i];
		if (t->state != TABLE_FAILED)
			continue;
		snprintf(name, sizeof(name), "%s.%s", t->names.source_schema, t->names.source_name);
		if (strcmp(name, o->table) == 0)
			return true;
	}
	return false;
}

static bool needs_marked(const struct restore *r, const struct store_object *o, const bool *marked)
{
	for (size_t i = 0; i < o->need_count; i++) {
		const struct store_object *need = restore_find(r, o->needs[i]);
		if (need && marked[need - r->objects])
			return true;
	}
	return false;
}

/* A stream that is to bring what the rows lack comes first. */
static bool rows_are_whole(const struct run *r)
{
	for (size_t i = 0; r->config.continuous && !r->caught_up && i < r->table_count; i++)
		if (r->tables[i].last_snapshot || r->tables[i].state == TABLE_FAILED)
			return false;
	return !r->config.continuous || r->caught_up || r->snapshot_number <= 1;
}

/* Needs come before what needs them. */
static void sort_out(struct finish *f, int version)
{
	const struct restore *r = &f->run->objects;
	bool whole = rows_are_whole(f->run);
	for (size_t i = 0; i < r->count; i++) {
		const struct store_object *o = &r->objects[i];
		f->slow[i] = restore_is_slow(o, version);
		f->late[i] = f->slow[i] || comes_last(o) || needs_marked(r, o, f->late);
		f->waits[i] = is_of_failed(f->run, o) || (f->denied && acts_on_changes(o)) ||
					  (f->slow[i] && !whole) || needs_marked(r, o, f->waits);
	}
}

/* In schema = "database" what comes before the rows has had its turn. */
static bool is_due(const struct finish *f, size_t i)
{
	const struct store_object *o = &f->run->objects.objects[i];
	return restore_is_open(o) && !f->waits[i] && (o->post || f->run->config.schema == SCHEMA_TABLES);
}

static size_t list_due(const struct finish *f, bool late)
{
	size_t n = 0;
	for (size_t i = 0; i < f->run->objects.count; i++)
		if (is_due(f, i) && f->late[i] == late && !(late && f->slow[i]))
			f->list[n++] = i;
	return n;
}

/* ---- those that wait for the cutover ---- */

/* With what needs them. */
static bool tell_waiting(struct finish *f, struct pg *target, struct error *e)
{
	size_t n = 0;
	struct error why;
	struct restore *r = &f->run->objects;
	error_set(&why, ERROR_PERMISSION, "made at the cutover: it would act on every change that is applied, because our role"
		" may not set session_replication_role on the target");
	why.sqlstate[0] = why.next[0] = '\0';
	error_next(&why, "GRANT SET ON PARAMETER session_replication_role to the target peer's role (15 and later), then retry");
	for (size_t i = 0; f->denied && i < r->count; i++)
		if (f->waits[i] && restore_is_open(&r->objects[i]))
			f->list[n++] = i;
	if (!restore_set(r, target, f->list, n, OBJECT_WAITING, &why, e))
		return false;
	if (n > 0)
		run_say(f->run, EVENT_WARNING, NULL, "%zu foreign keys, triggers and rules wait for the cutover: our role may not set"
			" session_replication_role on the target", n);
	return true;
}

static bool look_for_replica(struct finish *f, struct pg *target, struct error *e)
{
	struct error why;
	if (!f->run->config.continuous || pg_run(target, &why, "BEGIN; SET LOCAL session_replication_role = replica; ROLLBACK"))
		return true;
	*e = why;
	pg_rollback(target);
	if (pg_lost(target) || why.class != ERROR_PERMISSION)
		return false;
	f->denied = true;
	return true;
}

/* ---- side by side ---- */

static void show(struct run *r, int worker, const char *doing, const struct store_object *o)
{
	char what[160];
	snprintf(what, sizeof(what), "%s.%s", o->schema, o->name);
	model_worker(r->model, r->mirror, worker, doing, 0, what);
}

static bool ask_orphans(struct pg *c, const char *schema, const char *table, const char *name, int64_t *count,
	struct strbuf *sample)
{
	struct error ignored;
	*count = -1;
	bool ok = c && orphans_count(c, schema, table, name, count, sample, &ignored);
	if (c && !ok)
		pg_rollback(c);
	return ok && *count >= 0;
}

/* How many rows it is that refer to nothing. A partitioned table's key is not on the target, because it is checked as it
 * is made. */
static void count_orphans(struct run *r, struct pg *target, const struct store_object *o, struct error *why)
{
	struct restore_constraint names;
	struct strbuf here = STRBUF_INIT, there = STRBUF_INIT;
	struct error ignored;
	int64_t count, on_source;
	if (!restore_constraint(o->sql, &names))
		return;
	struct pg *source = pg_connect(&r->source, r->mirror, "orphans", r->stop, &ignored);
	bool made = ask_orphans(target, names.schema, names.table, names.name, &count, &here);
	bool known = ask_orphans(source, o->schema, o->table + strlen(o->schema) + 1, names.name, &on_source, &there);
	if (made && known)
		error_set(why, ERROR_DATA, "%lld rows refer to nothing: %s; the source has %lld of them; it stays NOT VALID",
			(long long)count, here.text ? here.text : "", (long long)on_source);
	else if (made)
		error_set(why, ERROR_DATA, "%lld rows refer to nothing: %s; it stays NOT VALID", (long long)count,
			here.text ? here.text : "");
	else if (known)
		error_set(why, ERROR_DATA, "%lld rows of the source refer to nothing: %s", (long long)on_source,
			there.text ? there.text : "");
	strbuf_free(&here);
	strbuf_free(&there);
	pg_free(source);
}

static bool tell_orphans(struct run *r, struct pg *target, size_t index, struct error *e)
{
	const struct store_object *o = &r->objects.objects[index];
	struct error why = { 0 };
	if (o->state != OBJECT_FAILED || !restore_is_kind(o, "FK CONSTRAINT") || strcmp(o->sqlstate, "23503") != 0 || !o->table)
		return true;
	error_set(&why, ERROR_DATA, "%s", o->text);
	count_orphans(r, target, o, &why);
	copy_text(why.sqlstate, sizeof(why.sqlstate), "23503");
	error_next(&why, "delete these rows or add what they refer to on both sides, then retry");
	return restore_set(&r->objects, target, &index, 1, OBJECT_FAILED, &why, e);
}

static bool validate_one(struct run *r, struct pg *target, int worker, size_t n, void *arg, struct error *e)
{
	size_t index = ((const size_t *)arg)[n];
	const struct store_object *o = &r->objects.objects[index];
	bool making = o->state == OBJECT_MAKING;
	show(r, worker, "validate", o);
	return (making ? restore_validate(&r->objects, target, index, e) : restore_alone(&r->objects, target, index, e)) &&
		   tell_orphans(r, target, index, e);
}

static bool refresh_one(struct run *r, struct pg *target, int worker, size_t n, void *arg, struct error *e)
{
	size_t index = ((const size_t *)arg)[n];
	show(r, worker, "refresh", &r->objects.objects[index]);
	return restore_alone(&r->objects, target, index, e);
}

/* ---- constraints and views ---- */

static bool validate(struct finish *f, struct error *e)
{
	struct run *r = f->run;
	size_t n = 0;
	bool whole = rows_are_whole(r);
	for (size_t i = 0; i < r->objects.count; i++) {
		const struct store_object *o = &r->objects.objects[i];
		if (!f->waits[i] && ((o->state == OBJECT_MAKING && whole) || (is_due(f, i) && f->slow[i])))
			f->list[n++] = i;
	}
	return each_run(r, n, validate_one, f->list, e);
}

static bool is_refresh(const struct finish *f, size_t i)
{
	return restore_is_kind(&f->run->objects.objects[i], OBJECT_REFRESH) && is_due(f, i);
}

/* One that reads another one that is still to be filled comes after it; one whose own failed is tried all the same. */
static bool reads_waiting(const struct finish *f, size_t i)
{
	const struct restore *r = &f->run->objects;
	const struct store_object *o = &r->objects[i];
	for (size_t k = 0; k < o->need_count; k++) {
		const struct store_object *need = restore_find(r, o->needs[k]);
		if (need && restore_is_kind(need, OBJECT_REFRESH) && need->state == OBJECT_WAITING)
			return true;
	}
	return false;
}

static void reopen_refreshes(struct finish *f)
{
	for (size_t i = 0; i < f->run->objects.count; i++)
		if (is_refresh(f, i))
			store_object_set(&f->run->objects.objects[i], OBJECT_WAITING, NULL);
}

static bool refresh(struct finish *f, struct error *e)
{
	bool ok = true;
	size_t n = 1;
	reopen_refreshes(f);
	while (ok && n > 0) {
		n = 0;
		for (size_t i = 0; i < f->run->objects.count; i++)
			if (is_refresh(f, i) && f->run->objects.objects[i].state == OBJECT_WAITING && !reads_waiting(f, i))
				f->list[n++] = i;
		ok = each_run(f->run, n, refresh_one, f->list, e);
	}
	return ok;
}

/* ---- statistics ---- */

static bool is_analyzed(const struct run *r, const char *name)
{
	char mark[2 * NAME_SIZE + sizeof(ANALYZED) + 1];
	snprintf(mark, sizeof(mark), ANALYZED " %s", name);
	return strings_sorted_have(&r->store.steps, mark);
}

static bool analyze_one(struct run *r, struct pg *target, int worker, size_t n, void *arg, struct error *e)
{
	const struct run_table *t = &r->tables[((const size_t *)arg)[n]];
	struct strbuf sql = STRBUF_INIT;
	char name[2 * NAME_SIZE];
	const char *kind = ANALYZED, *mark = name;
	snprintf(name, sizeof(name), "%s.%s", t->names.target_schema, t->names.target_name);
	model_worker(r->model, r->mirror, worker, "analyze", 0, name);
	strbuf_add(&sql, "BEGIN; ANALYZE ");
	quote_qualified(&sql, t->names.target_schema, t->names.target_name);
	strbuf_add(&sql, ";");
	store_sql_steps_done(&sql, r->id, 1, &kind, &mark);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(target, e, sql.text);
	strbuf_free(&sql);
	if (ok)
		return true;
	pg_rollback(target);
	if (pg_lost(target) || e->class == ERROR_CONNECTION || stop_raised(r->stop))
		return false;
	run_say(r, EVENT_WARNING, e, "table %s has no statistics", name);
	return true;
}

/* A partitioned table's statistics are made with those of its partitions. */
static bool comes_with_parent(const struct run *r, const struct run_table *t)
{
	for (size_t i = 0; t->info.partition && t->info.parent && i < r->table_count; i++)
		if (r->tables[i].info.oid == t->info.parent)
			return r->tables[i].state != TABLE_FAILED;
	return false;
}

static bool analyze(struct finish *f, size_t *list, struct error *e)
{
	struct run *r = f->run;
	size_t n = 0;
	char name[2 * NAME_SIZE];
	for (size_t i = 0; i < r->table_count; i++) {
		const struct run_table *t = &r->tables[i];
		snprintf(name, sizeof(name), "%s.%s", t->names.target_schema, t->names.target_name);
		if (t->state != TABLE_FAILED && !comes_with_parent(r, t) && !is_analyzed(r, name))
			list[n++] = i;
	}
	return each_run(r, n, analyze_one, list, e);
}

/* ---- all of it ---- */

static bool make_all(struct finish *f, struct pg *target, struct error *e)
{
	struct run *r = f->run;
	size_t *tables = xmalloc((r->table_count + 1) * sizeof(*tables));
	sort_out(f, pg_version(target));
	bool ok = tell_waiting(f, target, e) &&
			  restore_make(&r->objects, target, f->list, list_due(f, false), e) && validate(f, e) &&
			  refresh(f, e) && analyze(f, tables, e) &&
			  restore_make(&r->objects, target, f->list, list_due(f, true), e);
	free(tables);
	return ok;
}

bool objects_finish(struct run *r, struct error *e)
{
	size_t n = r->objects.count + 1;
	struct finish f = { .run = r, .late = xcalloc(n, sizeof(bool)), .slow = xcalloc(n, sizeof(bool)),
		.waits = xcalloc(n, sizeof(bool)), .list = xmalloc(n * sizeof(size_t)) };
	struct pg *target = r->config.schema == SCHEMA_NONE ? NULL : objects_connect(r, "schema", e);
	bool ok = r->config.schema == SCHEMA_NONE ||
			  (target && look_for_replica(&f, target, e) && make_all(&f, target, e));
	pg_free(target);
	free(f.late);
	free(f.slow);
	free(f.waits);
	free(f.list);
	if (ok)
		objects_report(r, false);
	return ok;
}

static bool any_open(const struct run *r)
{
	for (size_t i = 0; i < r->objects.count; i++)
		if (restore_is_open(&r->objects.objects[i]))
			return true;
	return false;
}

bool objects_retry(struct run *r, struct error *e)
{
	if (!objects_choose_again(r, e))
		return false;
	objects_name_columns(r);
	objects_tell(r);
	return !any_open(r) || (objects_before(r, e) && objects_finish(r, e));
}

/* Validations, and what was not made because rows were missing. What waits for the cutover says so. */
static bool any_waiting(const struct run *r)
{
	for (size_t i = 0; i < r->objects.count; i++) {
		const struct store_object *o = &r->objects.objects[i];
		if (o->state == OBJECT_MAKING || (o->state == OBJECT_WAITING && o->wanted && !o->text))
			return true;
	}
	return false;
}

/* What fails here is tried again by the next run, or a retry. */
void objects_settle(struct run *r)
{
	struct error ignored;
	if (r->caught_up || !any_waiting(r))
		return;
	r->caught_up = true;
	if (!objects_finish(r, &ignored))
		r->caught_up = false;
}
