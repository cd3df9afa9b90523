// SPDX-License-Identifier: PostgreSQL
/* The columns of the chosen tables: what they are called on the target, which travel, and how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "survey_inside.h"

/* ---- other names ---- */

static bool is_known(const struct reading *r, size_t table)
{
	return r->begun && table < r->known->table_count;
}

static bool wants_names(const struct reading *r)
{
	for (size_t i = 0; i < r->mirror->map_count; i++)
		if (r->mirror->map[i].column_count > 0)
			return true;
	return false;
}

static void add_map(const struct reading *r, const struct table_info *t, struct renames *out)
{
	const struct table_map *map = selection_map(r->mirror, t->schema, t->name);
	for (size_t i = 0; map && i < map->column_count; i++)
		renames_add(out, map->columns[i].source, map->columns[i].target);
}

/* A tree of tables has one set of names, so those of all tables above are the table's as well. */
static void names_of_map(const struct reading *r, const struct table_info *t, struct renames *out)
{
	for (; t; t = info_of_oid(r, t->parent))
		add_map(r, t, out);
}

/* A table that joins a tree takes the names that the tree has by now. */
static void names_of_new(const struct reading *r, const struct table_info *t, struct renames *out)
{
	const struct store_table *known = NULL;
	for (; t && !known; t = info_of_oid(r, t->parent)) {
		known = known_table(r, t);
		if (known)
			renames_merge(out, &known->renamed);
		else
			add_map(r, t, out);
	}
}

void rename_columns(struct reading *r)
{
	struct survey *s = r->out;
	for (size_t i = 0; i < s->table_count; i++) {
		struct survey_table *t = &s->tables[i];
		if (is_known(r, i))
			renames_merge(&t->renamed, &r->known->tables[i].renamed);
		else if (r->begun || wants_names(r))
			names_of_new(r, &t->info, &t->renamed);
		t->names.renamed = &t->renamed;
	}
}

/* ---- the lists that travel ---- */

struct column_lists {
	struct column_info *source, *target;
	size_t source_count, target_count;
	struct place {
		int64_t oid;
		size_t first, count;
	} *places; /* of the target's columns, by oid */
	size_t place_count;
};

static int place_by_oid(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return (x->oid > y->oid) - (x->oid < y->oid);
}

static const struct place *place_of(const struct place *places, size_t count, int64_t oid)
{
	const struct place key = { .oid = oid };
	return places ? bsearch(&key, places, count, sizeof(key), place_by_oid) : NULL;
}

/* Columns come sorted by table, so each table's are one stretch. */
static struct place *places_of(const struct column_info *columns, size_t n, size_t *count)
{
	struct place *places = NULL;
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		if (*count == 0 || places[*count - 1].oid != columns[i].table) {
			GROW(places, *count);
			places[(*count)++] = (struct place){ columns[i].table, i, 0 };
		}
		places[*count - 1].count++;
	}
	return places;
}

static const struct column_info *column_named(const struct column_info *columns, const struct place *p,
	const char *name)
{
	for (size_t i = 0; p && i < p->count; i++)
		if (strcmp(columns[p->first + i].name, name) == 0)
			return &columns[p->first + i];
	return NULL;
}

static void add_name(struct strbuf *list, const char *name)
{
	if (list->len > 0)
		strbuf_add(list, ", ");
	quote_name(list, name);
}

static bool left_out(const struct reading *r, const struct survey_table *t, const char *column)
{
	return selection_leaves_out(r->mirror, t->names.source_schema, t->names.source_name, column);
}

/* The columns that travel, and whether all of them may do so in binary: safe types, the same on both sides. */
static void fill_columns(struct reading *r, struct survey_table *t, const struct column_lists *l,
	const struct place *source, const struct place *target)
{
	struct strbuf list = STRBUF_INIT, there = STRBUF_INIT;
	t->binary = source != NULL;
	for (size_t i = 0; source && i < source->count; i++) {
		const struct column_info *c = &l->source[source->first + i];
		const char *name = renames_target(&t->renamed, c->name);
		if (c->generated || left_out(r, t, c->name))
			continue;
		add_name(&list, c->name);
		add_name(&there, name);
		const struct column_info *other = column_named(l->target, target, name);
		t->binary = t->binary && c->binary && (!other || strcmp(other->type, c->type) == 0);
	}
	t->binary = t->binary && list.len > 0;
	t->columns = strbuf_take(&list);
	t->target_columns = strbuf_take(&there);
}

/* A partition has its parent's columns, and what is wrong with those is said of the parent. */
static bool judges(const struct reading *r, const struct survey_table *t)
{
	const struct table_map *own =
		selection_map(r->mirror, t->names.source_schema, t->names.source_name);
	return t->info.oid && (!t->info.partition || (own && own->column_count > 0));
}

static void judge_name(struct reading *r, size_t table, const struct column_map *renamed,
	const struct column_lists *l, const struct place *source)
{
	const struct survey_table *t = &r->out->tables[table];
	const struct column_info *other = column_named(l->source, source, renamed->target);
	char text[3 * NAME_SIZE + 100];
	if (!column_named(l->source, source, renamed->source)) {
		snprintf(text, sizeof(text), "the map renames its column %s, which it does not have", renamed->source);
		find_of_table(r->out, table, SEVERITY_BLOCKER, text, "look at columns in the mirror's map");
	} else if (other && !left_out(r, t, other->name)) {
		snprintf(text, sizeof(text), "the map renames its column %s to %s, which is the name of another one",
			renamed->source, renamed->target);
		find_of_table(r->out, table, SEVERITY_BLOCKER, text,
			"give it another name, or leave that column out (columns_exclude)");
	}
}

static void judge_names(struct reading *r, size_t table, const struct column_lists *l, const struct place *source)
{
	const struct survey_table *t = &r->out->tables[table];
	struct renames wanted = { 0 };
	if (!judges(r, t))
		return;
	for (size_t i = 0; !is_known(r, table) && i < t->renamed.count; i++)
		judge_name(r, table, &t->renamed.items[i], l, source);
	if (is_known(r, table) && wants_names(r))
		names_of_map(r, &t->info, &wanted);
	if (is_known(r, table) && !renames_equal(&wanted, &t->renamed))
		find_of_table(r->out, table, SEVERITY_WARNING,
			"its columns keep the names on the target that they have: the map's came later",
			"to change them, drop the mirror and make it anew");
	renames_free(&wanted);
}

bool read_columns(struct reading *r, const int64_t *target_oids, struct error *e)
{
	struct survey *s = r->out;
	struct column_lists l = { 0 };
	int64_t *oids = xmalloc(s->table_count * sizeof(*oids));
	for (size_t i = 0; i < s->table_count; i++)
		oids[i] = s->tables[i].info.oid;
	bool ok = columns_read(r->source, oids, s->table_count, &l.source, &l.source_count, e) &&
			  columns_read(r->target, target_oids, s->table_count, &l.target, &l.target_count, e);
	size_t source_places = 0;
	struct place *sources = ok ? places_of(l.source, l.source_count, &source_places) : NULL;
	l.places = ok ? places_of(l.target, l.target_count, &l.place_count) : NULL;
	for (size_t i = 0; ok && i < s->table_count; i++) {
		const struct place *source = place_of(sources, source_places, oids[i]);
		fill_columns(r, &s->tables[i], &l, source, place_of(l.places, l.place_count, target_oids[i]));
		judge_names(r, i, &l, source);
	}
	columns_free(l.source, l.source_count);
	columns_free(l.target, l.target_count);
	free(sources);
	free(l.places);
	free(oids);
	return ok;
}
