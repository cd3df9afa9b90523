// SPDX-License-Identifier: PostgreSQL
/* From definitions to steps in order:
 *
 *   schemas < types by depth, sequences < tables by depth < shells of partitioned parents' indexes
 *   rows of a table < its builds and keys < its constraints and checks
 *   all tables < attaching to what existed before, and between parents < checks of trees that are
 * not valid
 */
#include <stdlib.h>
#include <string.h>

#include "builds.h"
#include "create.h"
#include "names.h"
#include "needs.h"
#include "sequences.h"
#include "steps.h"
#include "types.h"

/* ---- schemas ---- */

static void add_name(struct strings *l, const char *name)
{
	for (size_t i = l->count; i-- > 0;)
		if (strcmp(l->items[i], name) == 0)
			return;
	strings_add(l, name);
}

static struct strings needed_schemas(const struct defs *d, const struct def_types *types)
{
	struct strings l = { 0 };
	for (size_t i = 0; i < d->table_count; i++)
		if (d->tables[i].made)
			add_name(&l, d->tables[i].wanted->target_schema);
	for (size_t i = 0; i < d->sequence_count; i++)
		if (sequence_is_needed(d, &d->sequences[i]))
			add_name(&l, d->sequences[i].target_schema);
	for (size_t i = 0; i < types->count; i++)
		if (types->items[i].made)
			add_name(&l, types->items[i].schema);
	return l;
}

static bool has_row(const struct rows *r, const char *text)
{
	for (int row = 0; r && row < rows_count(r); row++)
		if (strcmp(rows_text(r, row, 0), text) == 0)
			return true;
	return false;
}

static bool plan_schemas(struct schema_plan *plan, const struct defs *d,
	const struct def_types *types, struct pg *target, struct error *e)
{
	struct rows *there = target ? PG_ROWS(target, e, "select nspname from pg_namespace") : NULL;
	if (target && !there)
		return false;
	struct strings needed = needed_schemas(d, types);
	for (size_t i = 0; i < needed.count; i++) {
		struct strbuf b = STRBUF_INIT;
		if (has_row(there, needed.items[i]))
			continue;
		strbuf_add(&b, "CREATE SCHEMA IF NOT EXISTS ");
		quote_name(&b, needed.items[i]);
		steps_add(&plan->before, SCHEMA_SCHEMA, SCHEMA_NO_TABLE, 0, xstrdup(needed.items[i]), &b);
	}
	strings_free(&needed);
	rows_free(there);
	return true;
}

/* ---- types and sequences, tables, shells ---- */

/* Each returns the stage after its own. */
static int plan_types(
	struct schema_plan *plan, const struct defs *d, const struct def_types *types, int stage)
{
	int deepest = -1;
	for (size_t i = 0; i < types->count; i++)
		deepest = types->items[i].made ? MAX(deepest, types->items[i].depth) : deepest;
	for (int depth = 0; depth <= deepest; depth++)
		for (size_t i = 0; i < types->count; i++) {
			const struct def_type *t = &types->items[i];
			struct strbuf b = STRBUF_INIT;
			if (!t->made || t->depth != depth)
				continue;
			type_create(&b, t, defs_target_has(d, SINCE_MULTIRANGE));
			steps_add(&plan->before, SCHEMA_TYPE, SCHEMA_NO_TABLE, stage + depth,
				xasprintf("%s.%s", t->schema, t->name), &b);
		}
	return stage + deepest + 1;
}

static int plan_sequences(struct schema_plan *plan, const struct defs *d, int stage)
{
	int next = stage;
	for (size_t i = 0; i < d->sequence_count; i++) {
		const struct def_sequence *s = &d->sequences[i];
		struct strbuf b = STRBUF_INIT;
		if (s->exists || s->identity || sequence_comes_with_table(d, s) ||
			!sequence_is_needed(d, s))
			continue;
		sequence_create(&b, s, d);
		steps_add(&plan->before, SCHEMA_SEQUENCE, s->user, stage,
			xasprintf("%s.%s", s->target_schema, s->name), &b);
		next = stage + 1;
	}
	return next;
}

static int plan_tables(struct schema_plan *plan, const struct defs *d, int stage)
{
	int deepest = 0;
	for (size_t i = 0; i < d->table_count; i++)
		deepest = MAX(deepest, d->tables[i].depth);
	for (int depth = 0; depth <= deepest; depth++)
		for (size_t i = 0; i < d->table_count; i++) {
			const struct def_table *t = &d->tables[i];
			struct strbuf b = STRBUF_INIT;
			if (!t->made || t->depth != depth)
				continue;
			table_create(&b, d, t);
			steps_add(&plan->before, SCHEMA_TABLE, i, stage + depth,
				xasprintf("%s.%s", t->wanted->target_schema, t->wanted->target_name), &b);
		}
	return stage + deepest + 1;
}

static void plan_builds(struct schema_plan *plan, const struct defs *d, int stage)
{
	for (size_t i = 0; i < d->table_count; i++)
		if (d->tables[i].made && d->tables[i].partitioned)
			builds_of_parent(plan, d, &d->tables[i], stage);
	for (size_t i = 0; i < d->table_count; i++)
		if (d->tables[i].made)
			builds_of_table(plan, d, &d->tables[i]);
}

/* A table that is made below a parent that existed joins it when all is built: the parent's indexes
 * then find their equals instead of making new ones before the rows. */
static void plan_joins(struct schema_plan *plan, const struct defs *d)
{
	for (size_t i = 0; i < d->table_count; i++) {
		const struct def_table *t = &d->tables[i];
		for (size_t p = 0; t->made && p < t->parent_count; p++) {
			struct strbuf b = STRBUF_INIT;
			if (d->tables[t->parents[p]].made || !d->tables[t->parents[p]].found)
				continue;
			table_attach_once(&b, d, t, t->parents[p]);
			steps_add(&plan->final, SCHEMA_ATTACH, i, 0,
				xasprintf("%s.%s", t->wanted->target_schema, t->wanted->target_name), &b);
		}
	}
}

/* ---- columns of our own ---- */

/* A child that is made before it joins a parent that exists needs them as well. */
static bool gets_from_parent(const struct defs *d, const struct def_table *t)
{
	for (size_t p = 0; p < t->parent_count; p++) {
		const struct def_table *parent = &d->tables[t->parents[p]];
		if (parent->found && (parent->made || !t->made))
			return true;
	}
	return false;
}

static void add_column(struct strbuf *b, const struct def_table *t, const char *name, const char *definition)
{
	strbuf_add(b, b->len > 0 ? "; ALTER TABLE " : "ALTER TABLE ");
	def_target(b, t);
	strbuf_add(b, " ADD COLUMN IF NOT EXISTS ");
	quote_name(b, name);
	strbuf_addf(b, " %s", definition);
}

/* Sync columns and the mark of soft deletes, also of tables that exist: somebody asked for them. Partitions and
 * children get them from their parents. */
static void plan_own_columns(struct schema_plan *plan, const struct defs *d, int stage)
{
	const struct mirror_config *m = d->mirror;
	for (size_t i = 0; i < d->table_count && (m->sync_columns || m->soft_delete); i++) {
		const struct def_table *t = &d->tables[i];
		struct strbuf b = STRBUF_INIT;
		if (!t->found || gets_from_parent(d, t))
			continue;
		if (m->sync_columns)
			add_column(&b, t, m->synced_at_column, "timestamptz DEFAULT now()");
		add_column(&b, t, m->is_deleted_column, "boolean NOT NULL DEFAULT false");
		steps_add(&plan->before, SCHEMA_COLUMN, i, stage,
			xasprintf("%s.%s", t->wanted->target_schema, t->wanted->target_name), &b);
	}
}

static int compare_stages(const void *a, const void *b)
{
	const struct schema_step *x = a, *y = b;
	if (x->stage != y->stage)
		return x->stage - y->stage;
	return (x->table > y->table) - (x->table < y->table);
}

/* ---- what can't be made ---- */

static void check_column(
	const struct defs *d, size_t table, const struct def_column *c, struct schema_findings *f)
{
	const struct schema_table *w = d->tables[table].wanted;
	int since = c->generated == 'v' ? SINCE_VIRTUAL : c->generated ? SINCE_GENERATED : 0;
	if (!defs_target_has(d, since))
		schema_findings_add(f, table, SEVERITY_BLOCKER,
			"%s.%s.%s is a %s generated column, which needs PostgreSQL %d on the target",
			w->source_schema, w->source_name, c->name, c->generated == 'v' ? "virtual" : "stored",
			since / 10000)
			->next = xstrdup("create the table on the target, or exclude the column");
	if (c->uses_excluded)
		schema_findings_add(f, table, SEVERITY_BLOCKER,
			"%s.%s.%s is generated from the excluded column %s", w->source_schema, w->source_name,
			c->name, c->uses_excluded)
			->next = xstrdup("exclude both or none");
}

static void check_columns(const struct defs *d, size_t table, struct schema_findings *f)
{
	const struct def_table *t = &d->tables[table];
	for (size_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].excluded)
			check_column(d, table, &t->columns[i], f);
	if (t->key_uses_excluded)
		schema_findings_add(f, table, SEVERITY_BLOCKER,
			"%s.%s is partitioned by the excluded column %s", t->wanted->source_schema,
			t->wanted->source_name, t->key_uses_excluded)
			->next = xstrdup("don't exclude it");
}

static const struct def_column *column_called(const struct def_table *t, const char *name)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

/* Both leave out a column or both have it, by the same name. */
static void check_linked_column(const struct defs *d, size_t table, const struct def_table *p,
	const struct def_column *theirs, struct schema_findings *f)
{
	const struct schema_table *w = d->tables[table].wanted;
	const struct def_column *ours = column_called(&d->tables[table], theirs->name);
	bool excluded = ours && ours->excluded;
	if (excluded != theirs->excluded)
		schema_findings_add(f, table, SEVERITY_BLOCKER,
			"column %s is excluded in only one of %s.%s and its parent %s.%s", theirs->name,
			w->source_schema, w->source_name, p->wanted->source_schema, p->wanted->source_name)
			->next = xstrdup("exclude it in both or in none");
	else if (ours && !excluded && strcmp(ours->target_name, theirs->target_name) != 0)
		schema_findings_add(f, table, SEVERITY_BLOCKER,
			"column %s would be %s on the target in %s.%s, but %s in its parent %s.%s",
			theirs->name, ours->target_name, w->source_schema, w->source_name,
			theirs->target_name, p->wanted->source_schema, p->wanted->source_name)
			->next = xstrdup("give it the same name in the map for both");
}

/* Both ends of a link are made or both exist (or the parent does), and have the same columns. */
static void check_link(const struct defs *d, size_t table, size_t parent, struct schema_findings *f)
{
	const struct def_table *t = &d->tables[table], *p = &d->tables[parent];
	if (t->found && !t->made && p->made)
		schema_findings_add(f, table, SEVERITY_BLOCKER,
			"%s.%s exists on the target, but not its parent %s.%s", t->wanted->target_schema,
			t->wanted->target_name, p->wanted->target_schema, p->wanted->target_name)
			->next = xstrdup("drop the table on the target, or create the parent there");
	for (size_t i = 0; t->made && p->made && i < p->column_count; i++)
		check_linked_column(d, table, p, &p->columns[i], f);
}

static void check_tables(const struct defs *d, struct schema_findings *f)
{
	for (size_t i = 0; i < d->table_count; i++) {
		const struct def_table *t = &d->tables[i];
		if (!t->found)
			schema_findings_add(f, i, SEVERITY_BLOCKER, "%s.%s is not on the source any more",
				t->wanted->source_schema, t->wanted->source_name);
		if (t->made)
			check_columns(d, i, f);
		for (size_t p = 0; p < t->parent_count; p++)
			check_link(d, i, t->parents[p], f);
	}
}

/* ---- all of it ---- */

static bool read_tables(struct defs *d, struct error *e)
{
	return defs_read_tables(d, e) && defs_read_columns(d, e) && defs_read_checks(d, e) &&
		   defs_read_indexes(d, e) && defs_read_sequences(d, true, e);
}

/* The types of columns, and those that expressions name. */
static bool read_types(
	struct def_types *types, const struct defs *d, const struct needs *needs, struct error *e)
{
	struct type_use *uses = NULL;
	size_t count = 0;
	for (size_t i = 0; i < d->table_count; i++)
		for (size_t c = 0; c < d->tables[i].column_count; c++) {
			GROW(uses, count);
			if (!d->tables[i].columns[c].excluded)
				uses[count++] = (struct type_use){ d->tables[i].columns[c].type_oid, i };
		}
	for (size_t i = 0; i < needs->count; i++) {
		GROW(uses, count);
		if (needs->items[i].kind == NEED_TYPE)
			uses[count++] = (struct type_use){ needs->items[i].oid, SCHEMA_NO_TABLE };
	}
	bool ok = types_read(types, d->source, uses, count, e);
	free(uses);
	return ok;
}

static bool fill(struct schema_plan *plan, struct defs *d, struct needs *needs,
	struct def_types *types, struct pg *target, struct error *e)
{
	struct schema_findings *f = &plan->findings;
	if (!read_tables(d, e) || !needs_read_tables(needs, d, e) || !read_types(types, d, needs, e) ||
		!types_compare(types, d->source, target, f, e) || !needs_read_types(needs, d, types, e) ||
		!needs_check(needs, d, types, target, f, e) || !names_check(d, target, f, e) ||
		!plan_schemas(plan, d, types, target, e))
		return false;
	check_tables(d, f);
	int after_types = plan_types(plan, d, types, 1);
	int after_sequences = plan_sequences(plan, d, 1);
	int after_tables = plan_tables(plan, d, MAX(after_types, after_sequences));
	plan_own_columns(plan, d, after_tables);
	plan_builds(plan, d, after_tables + 1);
	plan_joins(plan, d);
	return true;
}

struct schema_plan *schema_plan_new(struct pg *source, struct pg *target,
	const struct mirror_config *m, const struct schema_table *tables, size_t count, struct error *e)
{
	struct schema_plan *plan = xcalloc(1, sizeof(*plan));
	struct needs needs = { 0 };
	struct def_types types = { 0 };
	struct defs d;
	defs_init(&d, source, target, m, tables, count);
	bool ok = fill(plan, &d, &needs, &types, target, e);
	if (plan->before.count > 0)
		qsort(plan->before.items, plan->before.count, sizeof(*plan->before.items), compare_stages);
	if (plan->final.count > 0)
		qsort(plan->final.items, plan->final.count, sizeof(*plan->final.items), compare_stages);
	needs_free(&needs);
	types_free(&types);
	defs_free(&d);
	if (ok)
		return plan;
	schema_plan_free(plan);
	return NULL;
}

void schema_plan_free(struct schema_plan *p)
{
	if (!p)
		return;
	schema_steps_free(&p->before);
	schema_steps_free(&p->after);
	schema_steps_free(&p->final);
	schema_findings_free(&p->findings);
	free(p);
}
