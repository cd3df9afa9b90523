// SPDX-License-Identifier: PostgreSQL
#include "draft.h"

#include <pgpier/selection.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct draft *draft_new(void)
{
	struct draft *d = xcalloc(1, sizeof(*d));
	mirror_config_defaults(&d->config);
	d->config.editable = true;
	return d;
}

static void forget_names(struct draft *d, size_t table)
{
	struct pick *p = &d->picks[table];
	for (size_t i = 0; p->renamed && i < d->catalog->tables[table].column_count; i++)
		free(p->renamed[i]);
	free(p->renamed);
	p->renamed = NULL;
}

static void forget_catalog(struct draft *d)
{
	for (size_t i = 0; d->catalog && i < d->catalog->table_count; i++) {
		free(d->picks[i].target);
		free(d->picks[i].left_out);
		forget_names(d, i);
	}
	free(d->picks);
	free(d->first);
	catalog_release(d->catalog);
	d->picks = NULL;
	d->first = NULL;
	d->catalog = NULL;
	d->schema_count = 0;
}

void draft_free(struct draft *d)
{
	if (!d)
		return;
	forget_catalog(d);
	mirror_config_free(&d->config);
	mirror_config_free(&d->running);
	free(d);
}

/* ---- configuration -> picks ---- */

static void find_schemas(struct draft *d)
{
	const struct catalog *c = d->catalog;
	d->first = xcalloc(c->table_count + 1, sizeof(*d->first));
	for (size_t i = 0; i < c->table_count; i++)
		if (i == 0 || strcmp(c->tables[i].schema, c->tables[i - 1].schema) != 0)
			d->first[d->schema_count++] = i;
	d->first[d->schema_count] = c->table_count;
}

static void pick_columns(struct draft *d, size_t table)
{
	const struct catalog_table *t = &d->catalog->tables[table];
	struct pick *p = &d->picks[table];
	for (size_t i = 0; i < t->column_count; i++) {
		if (!selection_leaves_out(&d->config, t->schema, t->name, t->columns[i].name))
			continue;
		if (!p->left_out)
			p->left_out = xcalloc(t->column_count, sizeof(*p->left_out));
		p->left_out[i] = true;
	}
}

static void pick_target(struct draft *d, size_t table)
{
	const struct catalog_table *t = &d->catalog->tables[table];
	char schema[NAME_SIZE], name[NAME_SIZE];
	selection_target(&d->config, t->schema, t->name, schema, name);
	if (strcmp(schema, t->schema) != 0 || strcmp(name, t->name) != 0)
		d->picks[table].target = xasprintf("%s.%s", schema, name);
}

void draft_rename_column(struct draft *d, size_t table, size_t column, const char *name)
{
	struct pick *p = &d->picks[table];
	const struct catalog_table *t = &d->catalog->tables[table];
	if (!p->renamed)
		p->renamed = xcalloc(t->column_count, sizeof(*p->renamed));
	free(p->renamed[column]);
	p->renamed[column] =
		*name == '\0' || strcmp(name, t->columns[column].name) == 0 ? NULL : xstrdup(name);
}

static void pick_names(struct draft *d, size_t table)
{
	const struct catalog_table *t = &d->catalog->tables[table];
	const struct table_map *map = selection_map(&d->config, t->schema, t->name);
	for (size_t i = 0; map && i < map->column_count; i++)
		for (size_t k = 0; k < t->column_count; k++)
			if (strcmp(t->columns[k].name, map->columns[i].source) == 0)
				draft_rename_column(d, table, k, map->columns[i].target);
}

void draft_take_catalog(struct draft *d, const struct catalog *take)
{
	if (d->catalog)
		draft_store(d);
	forget_catalog(d);
	d->catalog = take;
	d->picks = xcalloc(take->table_count, sizeof(*d->picks));
	find_schemas(d);
	for (size_t i = 0; i < take->table_count; i++) {
		const struct catalog_table *t = &take->tables[i];
		d->picks[i].taken =
			draft_can_take(d, i) && selection_takes(&d->config, t->schema, t->name);
		if (d->config.columns_exclude.count > 0)
			pick_columns(d, i);
		if (d->config.map_count > 0) {
			pick_target(d, i);
			pick_names(d, i);
		}
	}
}

/* ---- picks -> configuration ---- */

/* A schema taken whole is written as a pattern, so that a table added to it tomorrow comes too. A table
 * of it that can't be taken would make that pattern fail. */
static bool taken_whole(const struct draft *d, size_t schema)
{
	for (size_t i = d->first[schema]; i < d->first[schema + 1]; i++) {
		const struct catalog_table *t = &d->catalog->tables[i];
		bool comes_along = t->refusal && (t->notes & NOTE_PARTITION);
		if (!d->picks[i].taken && !comes_along)
			return false;
	}
	return true;
}

static void add_pattern(struct strings *l, const char *schema, const char *name, const char *tail)
{
	char *pattern = selection_pattern(schema, name);
	char *whole = xasprintf("%s%s", pattern, tail);
	strings_add(l, whole);
	free(pattern);
	free(whole);
}

/* A column that is left out has no name there. */
static void store_names(const struct pick *p, const struct catalog_table *t, struct table_map *map)
{
	for (size_t i = 0; p->renamed && i < t->column_count; i++) {
		if (!p->renamed[i] || (p->left_out && p->left_out[i]))
			continue;
		GROW(map->columns, map->column_count);
		map->columns[map->column_count++] =
			(struct column_map){ xstrdup(t->columns[i].name), xstrdup(p->renamed[i]) };
	}
}

static void store_table(struct draft *d, size_t table)
{
	const struct catalog_table *t = &d->catalog->tables[table];
	const struct pick *p = &d->picks[table];
	struct mirror_config *m = &d->config;
	for (size_t i = 0; p->left_out && i < t->column_count; i++) {
		if (!p->left_out[i])
			continue;
		char *column = xasprintf("%s.%s.%s", t->schema, t->name, t->columns[i].name);
		strings_add(&m->columns_exclude, column);
		free(column);
	}
	struct table_map map = { .target = p->target };
	store_names(p, t, &map);
	if (!map.target && map.column_count == 0)
		return;
	map.source = xasprintf("%s.%s", t->schema, t->name);
	map.target = xstrdup(p->target);
	GROW(m->map, m->map_count);
	m->map[m->map_count++] = map;
}

static void free_map(struct table_map *map)
{
	for (size_t i = 0; i < map->column_count; i++) {
		free(map->columns[i].source);
		free(map->columns[i].target);
	}
	free(map->columns);
	free(map->source);
	free(map->target);
}

static void clear_selection(struct mirror_config *m)
{
	strings_free(&m->tables);
	strings_free(&m->exclude);
	strings_free(&m->columns_exclude);
	m->tables = m->exclude = m->columns_exclude = (struct strings){ 0 };
	for (size_t i = 0; i < m->map_count; i++)
		free_map(&m->map[i]);
	free(m->map);
	m->map = NULL;
	m->map_count = 0;
}

void draft_store(struct draft *d)
{
	if (!d->catalog)
		return;
	clear_selection(&d->config);
	for (size_t s = 0; s < d->schema_count; s++) {
		bool whole = taken_whole(d, s);
		if (whole)
			add_pattern(&d->config.tables, d->catalog->tables[d->first[s]].schema, "", "*");
		for (size_t i = d->first[s]; i < d->first[s + 1]; i++) {
			const struct catalog_table *t = &d->catalog->tables[i];
			if (!d->picks[i].taken)
				continue;
			if (!whole)
				add_pattern(&d->config.tables, t->schema, t->name, "");
			store_table(d, i);
		}
	}
}

/* ---- questions and changes ---- */

bool draft_can_take(const struct draft *d, size_t table)
{
	return d->catalog->tables[table].refusal == NULL;
}

/* A partitioned parent's size is that of its partitions: where those are marked, they count. */
static bool partitions_taken(const struct draft *d)
{
	for (size_t i = 0; d->catalog && i < d->catalog->table_count; i++)
		if (d->picks[i].taken && (d->catalog->tables[i].notes & NOTE_PARTITION))
			return true;
	return false;
}

struct draft_totals draft_totals(const struct draft *d)
{
	struct draft_totals t = { .rows_known = true };
	bool by_partition = partitions_taken(d);
	t.tables = d->catalog ? d->catalog->table_count : 0;
	for (size_t i = 0; i < t.tables; i++) {
		const struct catalog_table *table = &d->catalog->tables[i];
		if (!d->picks[i].taken)
			continue;
		t.taken++;
		if (by_partition && (table->notes & NOTE_PARTITIONED))
			continue;
		t.bytes += MAX(table->bytes, 0);
		t.rows += MAX(table->rows, 0);
		t.rows_known = t.rows_known && table->rows >= 0;
	}
	return t;
}

void draft_changes(const struct draft *d, struct strings *come, struct strings *go)
{
	for (size_t i = 0; d->catalog && i < d->catalog->table_count; i++) {
		const struct catalog_table *t = &d->catalog->tables[i];
		bool was = draft_can_take(d, i) && selection_takes(&d->running, t->schema, t->name);
		if (was == d->picks[i].taken)
			continue;
		char *name = xasprintf("%s.%s", t->schema, t->name);
		strings_add(was ? go : come, name);
		free(name);
	}
}

void draft_set_target(struct draft *d, size_t table, const char *target)
{
	struct pick *p = &d->picks[table];
	const struct catalog_table *t = &d->catalog->tables[table];
	char *same = xasprintf("%s.%s", t->schema, t->name);
	free(p->target);
	p->target = *target == '\0' || strcmp(target, same) == 0 ? NULL : xstrdup(target);
	free(same);
}

const char *draft_column_name(const struct draft *d, size_t table, size_t column)
{
	const struct pick *p = &d->picks[table];
	return p->renamed && p->renamed[column] ? p->renamed[column]
											: d->catalog->tables[table].columns[column].name;
}

bool draft_name_is_free(const struct draft *d, size_t table, size_t column, const char *name)
{
	const struct pick *p = &d->picks[table];
	const struct catalog_table *t = &d->catalog->tables[table];
	for (size_t i = 0; i < t->column_count; i++) {
		bool taken = i != column && !(p->left_out && p->left_out[i]);
		if (taken && (strcmp(t->columns[i].name, name) == 0 ||
						 strcmp(draft_column_name(d, table, i), name) == 0))
			return false;
	}
	return true;
}

void draft_map_schema(struct draft *d, size_t schema, const char *target_schema)
{
	for (size_t i = d->first[schema]; i < d->first[schema + 1]; i++) {
		const struct catalog_table *t = &d->catalog->tables[i];
		char *target = xasprintf("%s.%s", *target_schema ? target_schema : t->schema, t->name);
		draft_set_target(d, i, target);
		free(target);
	}
}
