// SPDX-License-Identifier: PostgreSQL
/* A partitioned parent's indexes are made ON ONLY it before the rows, while its partitions are
 * attached already: they stay invalid shells until every partition's own index, built after that
 * partition's rows, has been attached. So no table waits for another one's rows.
 *
 * ADD PRIMARY KEY locks the table against other builds. A large table with several builds therefore
 * gets the key's index like any other, and the constraint upon it afterwards. */
#include "builds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "create.h"
#include "rename.h"
#include "steps.h"
#include "text.h"

/* From this size of a table on, its builds should run side by side. */
#define SPLIT_BYTES (64 << 20)

static enum schema_kind index_kind(const struct def_index *i)
{
	switch (i->constraint) {
	case 'p':
		return SCHEMA_PRIMARY_KEY;
	case 'u':
		return SCHEMA_UNIQUE;
	case 'x':
		return SCHEMA_EXCLUSION;
	default:
		return SCHEMA_INDEX;
	}
}

static char *index_name(const struct def_table *t, const struct def_index *i, const char *more)
{
	return xasprintf("%s.%s%s", t->wanted->target_schema, i->name, more);
}

static void cannot_read(struct schema_plan *plan, const struct defs *d, const struct def_table *t,
	const struct def_index *i)
{
	schema_findings_add(&plan->findings, defs_table_number(d, t), SEVERITY_BLOCKER,
		"index %s.%s has a definition that pgpier can't read: %s", t->wanted->source_schema,
		i->name, i->definition)
		->next = xstrdup("leave the table out, or make it on the target first");
}

static bool add_index(struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	struct strbuf prefix = STRBUF_INIT;
	strbuf_addf(&prefix, "CREATE %sINDEX ", i->unique ? "UNIQUE " : "");
	quote_name(&prefix, i->name);
	strbuf_add(&prefix, i->partitioned ? " ON ONLY " : " ON ");
	def_target(&prefix, t);
	strbuf_add(&prefix, " USING ");
	char *definition = text_retarget(i->definition, i->prefix, "");
	char *list = definition && i->renamed && !i->expressions ? rename_list(t, definition) : NULL;
	bool ok = definition != NULL;
	if (ok && i->renamed && i->expressions)
		rename_index(b, t, i, prefix.text, definition);
	else if (ok)
		strbuf_addf(b, "%s%s", prefix.text, list ? list : definition);
	free(list);
	free(definition);
	strbuf_free(&prefix);
	return ok;
}

/* ALTER TABLE with them; definitions that use a renamed column are the source's. */
static void add_clauses(struct strbuf *b, const struct def_table *t, const char *only,
	const char *clauses, bool renamed)
{
	if (renamed) {
		rename_constraints(b, t, only, clauses);
		return;
	}
	strbuf_addf(b, "ALTER TABLE %s", only);
	def_target(b, t);
	strbuf_addf(b, " %s", clauses);
}

static void add_constraint_name(
	struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	strbuf_addf(b, "ALTER TABLE %s", i->partitioned ? "ONLY " : "");
	def_target(b, t);
	strbuf_add(b, " ADD CONSTRAINT ");
	quote_name(b, i->name);
}

/* Its definition has its options. */
static void add_exclusion(struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	struct strbuf clause = STRBUF_INIT;
	strbuf_add(&clause, "ADD CONSTRAINT ");
	quote_name(&clause, i->name);
	strbuf_addf(&clause, " %s", i->constraint_definition);
	add_clauses(b, t, i->partitioned ? "ONLY " : "", clause.text, i->renamed);
	strbuf_free(&clause);
}

static bool add_constraint(struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	if (i->constraint == 'x') {
		add_exclusion(b, t, i);
		return true;
	}
	char *list = rename_list(t, i->constraint_definition);
	char *definition = text_with_options(list, i->options, i->deferrable, i->deferred);
	bool ok = definition != NULL;
	if (ok) {
		add_constraint_name(b, t, i);
		strbuf_addf(b, " %s", definition);
	}
	free(definition);
	free(list);
	return ok;
}

static void add_constraint_upon(
	struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	add_constraint_name(b, t, i);
	strbuf_addf(b, " %s USING INDEX ", i->constraint == 'p' ? "PRIMARY KEY" : "UNIQUE");
	quote_name(b, i->name);
	strbuf_add(b, text_deferrable(i->deferrable, i->deferred));
}

/* ---- what is known of an index beyond its definition ---- */

static void add_qualified(struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	quote_qualified(b, t->wanted->target_schema, i->name);
}

static void add_statistics(struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	int column, target, used;
	for (const char *p = i->statistics; sscanf(p, "%d %d%n", &column, &target, &used) == 2;
		 p += used) {
		strbuf_add(b, "; ALTER INDEX ");
		add_qualified(b, t, i);
		strbuf_addf(b, " ALTER COLUMN %d SET STATISTICS %d", column, target);
	}
}

static void add_replica_identity(
	struct strbuf *b, const struct def_table *t, const struct def_index *i)
{
	strbuf_add(b, "ALTER TABLE ONLY ");
	def_target(b, t);
	strbuf_add(b, " REPLICA IDENTITY USING INDEX ");
	quote_name(b, i->name);
}

static void add_marks(
	struct strbuf *b, const struct defs *d, const struct def_table *t, const struct def_index *i)
{
	if (i->replica_identity) {
		strbuf_add(b, "; ");
		add_replica_identity(b, t, i);
	}
	if (i->clustered) {
		strbuf_add(b, "; ALTER TABLE ONLY ");
		def_target(b, t);
		strbuf_add(b, " CLUSTER ON ");
		quote_name(b, i->name);
	}
	if (defs_target_has(d, SINCE_INDEX_STATISTICS))
		add_statistics(b, t, i);
}

static bool is_made(const struct def_index *i)
{
	return !i->excluded && (i->valid || i->partitioned);
}

/* The index of a made parent that this one is attached to, or NULL. */
static const struct def_index *parent_index(const struct defs *d, const struct def_table *t,
	const struct def_index *i, const struct def_table **parent)
{
	for (size_t p = 0; i->parent != 0 && t->partition && p < t->parent_count; p++) {
		*parent = &d->tables[t->parents[p]];
		for (size_t k = 0; (*parent)->made && k < (*parent)->index_count; k++)
			if ((*parent)->indexes[k].oid == i->parent && is_made(&(*parent)->indexes[k]))
				return &(*parent)->indexes[k];
	}
	return NULL;
}

static void add_attach(
	struct strbuf *b, const struct defs *d, const struct def_table *t, const struct def_index *i)
{
	const struct def_table *parent = NULL;
	const struct def_index *to = parent_index(d, t, i, &parent);
	if (!to || !defs_target_has(d, SINCE_PARTITIONED_INDEX))
		return;
	strbuf_add(b, b->len > 0 ? "; ALTER INDEX " : "ALTER INDEX ");
	add_qualified(b, parent, to);
	strbuf_add(b, " ATTACH PARTITION ");
	add_qualified(b, t, i);
}

/* False, and said so, for an index that is not to be made. */
static bool wanted(struct schema_plan *plan, const struct defs *d, const struct def_table *t,
	const struct def_index *i)
{
	const char *schema = t->wanted->source_schema;
	if (i->excluded)
		schema_findings_add(&plan->findings, defs_table_number(d, t), SEVERITY_WARNING,
			"index %s.%s is not made: it uses an excluded column", schema, i->name);
	else if (!is_made(i))
		schema_findings_add(&plan->findings, defs_table_number(d, t), SEVERITY_NOTE,
			"index %s.%s is not made: it is not valid on the source", schema, i->name);
	return is_made(i);
}

/* ---- parents ---- */

/* A shell is valid, and good for a replica identity, when all partitions' indexes are attached. */
static void finish_parent(struct schema_plan *plan, const struct defs *d, const struct def_table *t,
	const struct def_index *i)
{
	struct strbuf b = STRBUF_INIT;
	add_attach(&b, d, t, i);
	if (b.len > 0)
		steps_add(
			&plan->final, SCHEMA_ATTACH, defs_table_number(d, t), 0, index_name(t, i, ""), &b);
	if (!i->replica_identity)
		return;
	add_replica_identity(&b, t, i);
	steps_add(&plan->final, index_kind(i), defs_table_number(d, t), 1,
		index_name(t, i, " as replica identity"), &b);
}

void builds_of_parent(
	struct schema_plan *plan, const struct defs *d, const struct def_table *t, int stage)
{
	for (size_t k = 0; k < t->index_count; k++) {
		const struct def_index *i = &t->indexes[k];
		struct strbuf b = STRBUF_INIT;
		if (!wanted(plan, d, t, i))
			continue;
		if (!defs_target_has(d, SINCE_PARTITIONED_INDEX)) {
			schema_findings_add(&plan->findings, defs_table_number(d, t), SEVERITY_WARNING,
				"index %s.%s of a partitioned table is made for its partitions only:"
				" the target is older than PostgreSQL 11",
				t->wanted->source_schema, i->name);
			continue;
		}
		if (!(i->constraint ? add_constraint(&b, t, i) : add_index(&b, t, i))) {
			cannot_read(plan, d, t, i);
			continue;
		}
		if (!i->exists) {
			if (defs_target_has(d, SINCE_INDEX_STATISTICS))
				add_statistics(&b, t, i);
			steps_add(&plan->before, index_kind(i), defs_table_number(d, t), stage,
				index_name(t, i, ""), &b);
		}
		strbuf_free(&b);
		finish_parent(plan, d, t, i);
	}
}

/* ---- tables with rows ---- */

static size_t count_builds(const struct def_table *t)
{
	size_t n = 0;
	for (size_t k = 0; k < t->index_count; k++)
		n += is_made(&t->indexes[k]) && t->indexes[k].constraint != 'x';
	return n;
}

static void add_build(struct schema_plan *plan, const struct defs *d, const struct def_table *t,
	const struct def_index *i, int stage, const char *more, struct strbuf *sql)
{
	steps_add(
		&plan->after, index_kind(i), defs_table_number(d, t), stage, index_name(t, i, more), sql);
	plan->after.items[plan->after.count - 1].bytes = more[0] == '\0' ? i->bytes : 0;
}

/* A key in two steps: its index beside the others, then the constraint. */
static bool is_split(const struct def_table *t, const struct def_index *i)
{
	return (i->constraint == 'p' || i->constraint == 'u') && strcmp(i->method, "btree") == 0 &&
		   t->bytes >= SPLIT_BYTES && count_builds(t) > 1;
}

static void build(struct schema_plan *plan, const struct defs *d, const struct def_table *t,
	const struct def_index *i, int stage)
{
	struct strbuf b = STRBUF_INIT;
	int home = i->constraint == 'x' ? 1 : 0;
	bool split = i->built || is_split(t, i);
	const char *more = "";
	if (stage == 0 && split && !i->built) {
		if (!add_index(&b, t, i))
			cannot_read(plan, d, t, i);
	} else if (stage == 1 && split) {
		add_constraint_upon(&b, t, i);
		more = " as constraint";
	} else if (stage == home && !split) {
		if (!(i->constraint ? add_constraint(&b, t, i) : add_index(&b, t, i)))
			cannot_read(plan, d, t, i);
	}
	if (b.len > 0 && !(split && stage == 0)) {
		add_marks(&b, d, t, i);
		add_attach(&b, d, t, i);
	}
	if (b.len > 0)
		add_build(plan, d, t, i, stage, more, &b);
	strbuf_free(&b);
}

static bool is_after(const struct defs *d, const struct def_table *t, const struct def_check *k)
{
	return !k->excluded && !table_in_tree(d, t);
}

static void add_check(struct strbuf *clauses, const struct def_check *k)
{
	strbuf_add(clauses, clauses->len > 0 ? ", ADD CONSTRAINT " : "ADD CONSTRAINT ");
	quote_name(clauses, k->name);
	strbuf_addf(clauses, " %s", k->definition);
}

/* All in one ALTER TABLE, which scans the table once. */
static void build_checks(struct schema_plan *plan, const struct defs *d, const struct def_table *t)
{
	struct strbuf b = STRBUF_INIT, clauses = STRBUF_INIT, names = STRBUF_INIT;
	bool renamed = false;
	for (size_t i = 0; i < t->check_count; i++) {
		const struct def_check *k = &t->checks[i];
		if (k->excluded)
			schema_findings_add(&plan->findings, defs_table_number(d, t), SEVERITY_WARNING,
				"check %s of %s.%s is not made: it uses an excluded column", k->name,
				t->wanted->source_schema, t->wanted->source_name);
		if (!is_after(d, t, k) || (k->not_null && !defs_target_has(d, SINCE_NOT_NULL_NAMES)))
			continue;
		add_check(&clauses, k);
		strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", k->name);
		renamed = renamed || k->renamed;
	}
	if (clauses.len > 0)
		add_clauses(&b, t, "", clauses.text, renamed);
	if (b.len > 0)
		steps_add(&plan->after, SCHEMA_CHECK, defs_table_number(d, t), 1,
			xasprintf("%s.%s: %s", t->wanted->target_schema, t->wanted->target_name, names.text),
			&b);
	strbuf_free(&clauses);
	strbuf_free(&names);
}

/* A check of a tree that is not valid must meet none of the tree's rows on their way in; made on
 * the topmost table, it reaches the others by itself. */
static void build_tree_checks(
	struct schema_plan *plan, const struct defs *d, const struct def_table *t)
{
	bool in_tree = table_in_tree(d, t), child = table_has_made_parent(d, t);
	for (size_t i = 0; in_tree && i < t->check_count; i++) {
		const struct def_check *k = &t->checks[i];
		if (k->validated || k->excluded || (k->inherited && child) ||
			(k->not_null && !defs_target_has(d, SINCE_NOT_NULL_NAMES)))
			continue;
		struct strbuf b = STRBUF_INIT, clause = STRBUF_INIT;
		add_check(&clause, k);
		add_clauses(&b, t, "", clause.text, k->renamed);
		strbuf_free(&clause);
		steps_add(&plan->final, SCHEMA_CHECK, defs_table_number(d, t), 1 + t->depth,
			xasprintf("%s.%s: %s", t->wanted->target_schema, t->wanted->target_name, k->name), &b);
	}
}

void builds_of_table(struct schema_plan *plan, const struct defs *d, const struct def_table *t)
{
	for (int stage = 0; stage < 2 && !t->partitioned; stage++)
		for (size_t k = 0; k < t->index_count; k++) {
			const struct def_index *i = &t->indexes[k];
			if ((stage == 0 ? wanted(plan, d, t, i) : is_made(i)) && !i->exists)
				build(plan, d, t, i, stage);
		}
	build_checks(plan, d, t);
	build_tree_checks(plan, d, t);
}
