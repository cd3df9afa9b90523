// SPDX-License-Identifier: PostgreSQL
/* What a mirror makes from a dump:
 *
 *     a new mirror: dump, choice, store           a known one: as the store has them
 *            schema = "database": what comes before the rows, then empty keys of partitioned parents
 *            ... the load, whose steps are the tables' keys and indexes ...
 *     the rest (objects_finish.c)
 *
 * An object that fails fails alone: a table takes its own rows with it, nothing else. */
#include "../schema/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../label.h"
#include "../schema/choose/facts.h"
#include "run.h"

#define MOST_TOLD 20 /* failures that are events; the others are in the list */

/* ---- telling ---- */

static struct object_change change_of(const struct store_object *o)
{
	bool fine = o->state == OBJECT_DONE || o->state == OBJECT_WAITING || o->state == OBJECT_EXISTS;
	return (struct object_change){ o->state, o->text || !fine ? o->text : o->note, o->next, o->sqlstate, o->took_us };
}

static void told(void *arg, const size_t *indexes, size_t n)
{
	const struct run *r = arg;
	struct object_change *changes = xmalloc(n * sizeof(*changes));
	for (size_t i = 0; i < n; i++)
		changes[i] = change_of(&r->objects.objects[indexes[i]]);
	model_objects_change(r->model, r->mirror, indexes, changes, n);
	free(changes);
}

void objects_tell_model(struct model *model, const char *mirror, const struct restore *r)
{
	struct object_init *init = xmalloc((r->count + 1) * sizeof(*init));
	for (size_t i = 0; i < r->count; i++) {
		const struct store_object *o = &r->objects[i];
		init[i] = (struct object_init){ o->post, o->kind, o->schema, o->name, o->sql, change_of(o) };
	}
	model_objects_set(model, mirror, init, r->count);
	free(init);
}

void objects_tell(struct run *r)
{
	r->objects.mirror = r->id;
	r->objects.told = told;
	r->objects.arg = r;
	objects_tell_model(r->model, r->mirror, &r->objects);
}

static void tell_failed(const struct run *r, const struct store_object *o)
{
	struct error why;
	error_set(&why, ERROR_DATA, "%s", o->text ? o->text : "");
	copy_text(why.sqlstate, sizeof(why.sqlstate), o->sqlstate);
	why.detail[0] = why.next[0] = '\0';
	copy_text(why.statement, sizeof(why.statement), o->sql);
	error_next(&why, "%s", o->next ? o->next : "");
	char *what = label(o->kind, o->schema, o->name);
	run_say(r, EVENT_WARNING, &why, "%s", what);
	free(what);
}

void objects_report(struct run *r, bool before)
{
	size_t counts[OBJECT_STATE_COUNT] = { 0 }, failed = 0;
	struct strbuf text = STRBUF_INIT;
	bool told_before = r->config.schema == SCHEMA_DATABASE;
	for (size_t i = 0; i < r->objects.count; i++) {
		const struct store_object *o = &r->objects.objects[i];
		counts[o->state]++;
		bool now = before ? !o->post : o->post || !told_before;
		if (o->state == OBJECT_FAILED && now && failed++ < MOST_TOLD)
			tell_failed(r, o);
	}
	for (int s = 0; s < OBJECT_STATE_COUNT; s++)
		if (counts[s] > 0)
			strbuf_addf(&text, "%s%zu %s", text.len ? ", " : "", counts[s], object_state_name((enum object_state)s));
	if (text.len > 0)
		run_say(r, counts[OBJECT_FAILED] ? EVENT_WARNING : EVENT_INFO, NULL, "schema %s the rows: %s",
			before ? "before" : "after", text.text);
	strbuf_free(&text);
}

/* ---- from a dump, or from the store ---- */

static char *joined(const struct strings *lines)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < lines->count; i++)
		strbuf_addf(&b, "%s\n", lines->items[i]);
	return strbuf_take(&b);
}

static bool choose_from(struct run *r, struct pg *source, struct pg *target, const struct dump *d, struct error *e)
{
	struct choose_facts facts;
	struct schema_table *names = survey_names(&r->survey);
	bool ok = choose_facts_read(source, target, names, r->survey.table_count, &facts, e);
	if (ok) {
		struct chosen *chosen = choose(d, &r->config, &facts);
		ok = objects_new(source, d, chosen, &r->objects.objects, &r->objects.count, e);
		r->objects.settings = joined(&d->header);
		chosen_free(chosen, d->count);
	}
	choose_facts_free(&facts);
	free(names);
	return ok;
}

/* Tables, their keys and sequences are made without a dump: then it is a loss, but no reason to stop. */
static bool can_do_without(const struct run *r, const struct error *e)
{
	return r->config.schema == SCHEMA_TABLES && !stop_raised(r->stop) &&
		   (e->class == ERROR_CONFIG || e->class == ERROR_PERMISSION || e->class == ERROR_DATA);
}

bool objects_choose(struct run *r, struct pg *source, struct error *e)
{
	char snapshot[NAME_SIZE];
	if (r->config.schema == SCHEMA_NONE)
		return true;
	snapshot_name(r->snapshot, snapshot);
	struct dump *d = dump_new(&r->source, r->mirror, r->config.pg_bindir, pg_version(source), snapshot, r->stop, e);
	if (!d && can_do_without(r, e)) {
		run_say(r, EVENT_WARNING, e, "foreign keys, triggers, comments, grants and owners are not made, for want of a dump");
		e->class = ERROR_NONE;
		return true;
	}
	struct pg *target = d ? pg_connect(&r->target, r->mirror, "schema", r->stop, e) : NULL;
	bool ok = target && choose_from(r, source, target, d, e);
	pg_free(target);
	dump_free(d);
	return ok;
}

void renamed_tables_of(const struct store_mirror *s, struct renamed_tables *out)
{
	for (size_t i = 0; i < s->table_count; i++)
		renamed_tables_add(out, s->tables[i].target_schema, s->tables[i].target_name, &s->tables[i].renamed);
}

void objects_name_columns(struct run *r)
{
	struct renamed_tables *names = &r->objects.renamed;
	const struct store_mirror *s = &r->store;
	renamed_tables_free(names);
	renamed_tables_of(s, names);
	for (size_t i = 0; s->table_count == 0 && i < r->survey.table_count; i++) {
		const struct survey_table *t = &r->survey.tables[i];
		renamed_tables_add(names, t->names.target_schema, t->names.target_name, &t->renamed);
	}
}

bool objects_read(struct run *r, struct pg *control, struct error *e)
{
	restore_free(&r->objects);
	return store_objects_read(control, r->store.id, &r->objects.settings, &r->objects.objects, &r->objects.count, e);
}

struct pg *objects_connect(struct run *r, const char *role, struct error *e)
{
	struct pg *c = pg_connect(&r->target, r->mirror, role, r->stop, e);
	if (c && restore_session(&r->objects, c, e))
		return c;
	pg_free(c);
	return NULL;
}

/* ---- which table ---- */

static int compare_table(const void *a, const void *b, void *context)
{
	const struct survey *s = context;
	const struct schema_table *x = &s->tables[*(const size_t *)a].names, *y = &s->tables[*(const size_t *)b].names;
	int c = strcmp(x->source_schema, y->source_schema);
	return c ? c : strcmp(x->source_name, y->source_name);
}

/* Places in the survey by name, for many questions. */
static size_t *order_tables(struct survey *s)
{
	size_t *order = xmalloc((s->table_count + 1) * sizeof(*order));
	for (size_t i = 0; i < s->table_count; i++)
		order[i] = i;
	qsort_r(order, s->table_count, sizeof(*order), compare_table, s);
	return order;
}

/* o->table is "schema.name", either of which may hold a dot. */
static int compare_name(const char *name, const struct schema_table *t)
{
	char both[2 * NAME_SIZE];
	snprintf(both, sizeof(both), "%s.%s", t->source_schema, t->source_name);
	return strcmp(name, both);
}

/* Names with more than one dot are looked for one by one. */
static size_t table_of(const struct survey *s, const size_t *order, const char *name)
{
	const char *dot = strchr(name, '.');
	bool plain = dot && dot == strrchr(name, '.');
	char schema[NAME_SIZE];
	snprintf(schema, sizeof(schema), "%.*s", plain ? (int)(dot - name) : 0, name);
	for (size_t low = 0, high = s->table_count; plain && low < high;) {
		size_t middle = (low + high) / 2;
		const struct schema_table *t = &s->tables[order[middle]].names;
		int c = strcmp(schema, t->source_schema);
		c = c ? c : strcmp(dot + 1, t->source_name);
		if (c == 0)
			return order[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	for (size_t i = 0; !plain && i < s->table_count; i++)
		if (compare_name(name, &s->tables[i].names) == 0)
			return i;
	return SCHEMA_NO_TABLE;
}

/* ---- before the rows ---- */

static bool is_build(const struct store_object *o)
{
	return o->post && o->table && o->sql && (restore_is_kind(o, "INDEX") || restore_is_kind(o, "CONSTRAINT"));
}

/* Keys of partitioned parents are empty until those of their partitions are attached. */
static size_t list_before(struct run *r, size_t *list)
{
	size_t n = 0, *order = order_tables(&r->survey);
	for (size_t i = 0; i < r->objects.count; i++) {
		const struct store_object *o = &r->objects.objects[i];
		size_t table = is_build(o) ? table_of(&r->survey, order, o->table) : SCHEMA_NO_TABLE;
		if (!o->post || (table != SCHEMA_NO_TABLE && r->survey.tables[table].parent))
			list[n++] = i;
	}
	free(order);
	return n;
}

bool objects_before(struct run *r, struct error *e)
{
	if (r->config.schema != SCHEMA_DATABASE || r->objects.count == 0)
		return true;
	struct pg *c = objects_connect(r, "schema", e);
	size_t *list = xmalloc((r->objects.count + 1) * sizeof(*list));
	bool ok = c && restore_make(&r->objects, c, list, list_before(r, list), e);
	free(list);
	pg_free(c);
	if (ok)
		objects_report(r, true);
	return ok;
}

bool objects_table_error(struct run *r, const struct schema_table *t, struct error *e)
{
	for (size_t i = 0; i < r->objects.count; i++) {
		const struct store_object *o = &r->objects.objects[i];
		if (!restore_is_kind(o, "TABLE") || !o->table || compare_name(o->table, t) != 0)
			continue;
		error_set(e, ERROR_DATA, "the table could not be made: %s", o->text ? o->text : "it is not there any more");
		copy_text(e->sqlstate, sizeof(e->sqlstate), o->sqlstate);
		e->next[0] = e->detail[0] = '\0';
		copy_text(e->statement, sizeof(e->statement), o->sql);
		error_next(e, "%s", o->next ? o->next : "mend it on the target, then press r or run it again");
		return true;
	}
	return false;
}

/* ---- keys and indexes as steps ---- */

static enum schema_kind step_kind(const struct store_object *o)
{
	if (restore_is_kind(o, "INDEX"))
		return SCHEMA_INDEX;
	if (strstr(o->sql, " PRIMARY KEY "))
		return SCHEMA_PRIMARY_KEY;
	return strstr(o->sql, " EXCLUDE ") ? SCHEMA_EXCLUSION : SCHEMA_UNIQUE;
}

/* Something that it needs is not there. */
static bool lacks_need(const struct restore *r, const struct store_object *o)
{
	for (size_t i = 0; i < o->need_count; i++) {
		const struct store_object *need = restore_find(r, o->needs[i]);
		if (need && (need->state == OBJECT_FAILED || need->state == OBJECT_BLOCKED || need->state == OBJECT_LEFT_OUT))
			return true;
	}
	return false;
}

/* Its table's columns get other names for its sake: that locks the whole tree, at whose tables others may be. */
static bool waits_for_tree(const struct run *r, size_t table, const struct store_object *o)
{
	const struct survey *s = &r->survey;
	bool in_tree = s->tables[table].info.parent != 0 || s->tables[table].info.partition;
	for (size_t i = 0; !in_tree && i < s->table_count; i++)
		in_tree = s->tables[i].info.parent == s->tables[table].info.oid;
	return in_tree && renamed_tables_in(&r->objects.renamed, o->sql);
}

/* A constraint locks its table, and so does an index that is a replica identity or that the table is clustered on;
 * other indexes are built side by side. */
static void add_step(struct run *r, size_t table, const struct store_object *o)
{
	struct schema_steps *steps = &r->schema->after;
	struct strbuf sql = STRBUF_INIT;
	renamed_tables_around(&sql, &r->objects.renamed, o->sql);
	bool renames = renamed_tables_in(&r->objects.renamed, o->sql);
	GROW(steps->items, steps->count);
	steps->items[steps->count++] = (struct schema_step){
		.kind = step_kind(o),
		.table = table,
		.alone = renames || !restore_is_kind(o, "INDEX") || strstr(o->sql, "\nALTER TABLE "),
		.name = xasprintf("%s.%s", o->schema, o->name),
		.sql = strbuf_take(&sql),
		.bytes = o->bytes,
		.object = o->id,
	};
}

/* By table, as the schedule has it; in a table what locks it first, then the largest first. */
static int compare_steps(const void *a, const void *b)
{
	const struct schema_step *x = a, *y = b;
	if (x->table != y->table)
		return (x->table > y->table) - (x->table < y->table);
	if (x->stage != y->stage)
		return x->stage - y->stage;
	if (x->alone != y->alone)
		return x->alone ? -1 : 1;
	return x->bytes != y->bytes ? (x->bytes < y->bytes) - (x->bytes > y->bytes) : x->object - y->object;
}

void objects_plan(struct run *r)
{
	size_t *order = order_tables(&r->survey), before = r->schema->after.count;
	for (size_t i = 0; r->config.schema == SCHEMA_DATABASE && i < r->objects.count; i++) {
		const struct store_object *o = &r->objects.objects[i];
		size_t table = is_build(o) && restore_is_open(o) ? table_of(&r->survey, order, o->table) : SCHEMA_NO_TABLE;
		if (table != SCHEMA_NO_TABLE && !r->survey.tables[table].parent && !lacks_need(&r->objects, o) &&
			!waits_for_tree(r, table, o))
			add_step(r, table, o);
	}
	struct schema_steps *steps = &r->schema->after;
	if (steps->count > before)
		qsort(steps->items, steps->count, sizeof(*steps->items), compare_steps);
	free(order);
}

/* What its transaction has marked, or what became of it instead. */
static void set_step(struct run *r, struct store_object *o, struct pg *target,
	struct error *failed)
{
	struct error why;
	if (!failed) {
		store_object_set(o, OBJECT_DONE, NULL);
	} else if (restore_exists(target, o, failed)) {
		store_object_set(o, OBJECT_EXISTS, NULL);
		failed->class = ERROR_NONE;
	} else {
		why = *failed;
		error_next(&why, "mend it on the target, then press r or run it again");
		store_object_set(o, OBJECT_FAILED, &why);
	}
	const struct store_object *one = o;
	if (failed && !store_objects_states(target, r->id, &one, 1, &why)) /* the next run tries it either way */
		pg_rollback(target);
}

bool objects_step(struct run *r, const struct schema_step *s, struct pg *target, int64_t took_us, struct error *failed)
{
	struct store_object *o = s->object ? restore_find(&r->objects, s->object) : NULL;
	if (!o)
		return false;
	size_t index = (size_t)(o - r->objects.objects);
	o->took_us = took_us;
	set_step(r, o, target, failed);
	told(r, &index, 1);
	return failed && (o->state == OBJECT_EXISTS || s->kind != SCHEMA_PRIMARY_KEY);
}
