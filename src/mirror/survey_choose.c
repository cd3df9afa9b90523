// SPDX-License-Identifier: PostgreSQL
/* Which of the source's tables a mirror has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "survey_inside.h"

static int by_name(const void *a, const void *b)
{
	const struct table_info *x = a, *y = b;
	int c = strcmp(x->schema, y->schema);
	return c ? c : strcmp(x->name, y->name);
}

static const struct table_info *info_of_name(const struct reading *r, const char *schema, const char *name)
{
	struct table_info key = { .schema = (char *)(uintptr_t)schema, .name = (char *)(uintptr_t)name };
	return bsearch(&key, r->infos, r->info_count, sizeof(*r->infos), by_name);
}

static int by_oid(const void *a, const void *b)
{
	const struct table_info *x = *(const struct table_info *const *)a;
	const struct table_info *y = *(const struct table_info *const *)b;
	return (x->oid > y->oid) - (x->oid < y->oid);
}

void infos_sort(struct reading *r)
{
	r->by_oid = xmalloc(r->info_count * sizeof(*r->by_oid));
	for (size_t i = 0; i < r->info_count; i++)
		r->by_oid[i] = &r->infos[i];
	qsort(r->by_oid, r->info_count, sizeof(*r->by_oid), by_oid);
}

const struct table_info *info_of_oid(const struct reading *r, int64_t oid)
{
	const struct table_info key = { .oid = oid }, *pointer = &key;
	const struct table_info **found =
		bsearch(&pointer, r->by_oid, r->info_count, sizeof(*r->by_oid), by_oid);
	return found ? *found : NULL;
}

static void table_info_copy(struct table_info *dst, const struct table_info *src)
{
	*dst = *src;
	dst->schema = xstrdup(src->schema);
	dst->name = xstrdup(src->name);
	dst->key_column = xstrdup(src->key_column);
	dst->key_type = xstrdup(src->key_type);
}

static struct survey_table *add_table(struct survey *s)
{
	GROW(s->tables, s->table_count);
	struct survey_table *t = &s->tables[s->table_count++];
	*t = (struct survey_table){ 0 };
	return t;
}

static void choose_table(struct reading *r, const struct table_info *info)
{
	struct survey_table *t = add_table(r->out);
	table_info_copy(&t->info, info);
	t->parent = info->kind == 'p';
	t->names.oid = info->oid;
	copy_text(t->names.source_schema, NAME_SIZE, info->schema);
	copy_text(t->names.source_name, NAME_SIZE, info->name);
	selection_target(r->mirror, info->schema, info->name, t->names.target_schema, t->names.target_name);
}

/* The partitions of a chosen parent come with it, unless they are excluded by name. */
static bool is_excluded(const struct reading *r, const struct table_info *t)
{
	struct mirror_config all = { .tables = { (char *[]){ (char[]){ "*" } }, 1 },
		.exclude = r->mirror->exclude };
	return !selection_takes(&all, t->schema, t->name);
}

static bool ancestor_is_chosen(const struct reading *r, const struct table_info *t)
{
	while (t && t->partition && t->parent) {
		t = info_of_oid(r, t->parent);
		if (t && selection_takes(r->mirror, t->schema, t->name))
			return true;
	}
	return false;
}

void choose_new(struct reading *r)
{
	for (size_t i = 0; i < r->info_count; i++) {
		const struct table_info *t = &r->infos[i];
		if (selection_takes(r->mirror, t->schema, t->name) ||
			(ancestor_is_chosen(r, t) && !is_excluded(r, t)))
			choose_table(r, t);
	}
	if (r->out->table_count == 0)
		survey_find(r->out, SCHEMA_NO_TABLE, SEVERITY_BLOCKER, "tables",
			r->info_count ? "no table of the source matches" : "the source database has no tables",
			"look at tables and exclude of the mirror, and at dbname of the source peer");
}

bool survey_choose(struct pg *source, const struct mirror_config *m, struct survey *out, struct error *e)
{
	struct reading r = { .source = source, .mirror = m, .out = out };
	*out = (struct survey){ 0 };
	if (!tables_read(source, &r.infos, &r.info_count, e))
		return false;
	infos_sort(&r);
	choose_new(&r);
	rename_columns(&r);
	tables_free(r.infos, r.info_count);
	free(r.by_oid);
	return true;
}

/* A known mirror keeps the tables it began with. */
void choose_known(struct reading *r)
{
	for (size_t i = 0; i < r->known->table_count; i++) {
		const struct store_table *k = &r->known->tables[i];
		const struct table_info *info = info_of_name(r, k->source_schema, k->source_name);
		struct survey_table *t = add_table(r->out);
		if (info)
			table_info_copy(&t->info, info);
		t->parent = k->parent;
		t->names.oid = info ? info->oid : 0;
		copy_text(t->names.source_schema, NAME_SIZE, k->source_schema);
		copy_text(t->names.source_name, NAME_SIZE, k->source_name);
		copy_text(t->names.target_schema, NAME_SIZE, k->target_schema);
		copy_text(t->names.target_name, NAME_SIZE, k->target_name);
	}
}

/* ---- tables that join later ---- */

char *survey_selection(const struct mirror_config *m)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < m->tables.count; i++)
		strbuf_addf(&b, "%s\n", m->tables.items[i]);
	for (size_t i = 0; i < m->exclude.count; i++)
		strbuf_addf(&b, "!%s\n", m->exclude.items[i]);
	return strbuf_take(&b);
}

const struct store_table *known_table(const struct reading *r, const struct table_info *t)
{
	for (size_t i = 0; t && r->begun && i < r->known->table_count; i++)
		if (strcmp(r->known->tables[i].source_name, t->name) == 0 &&
			strcmp(r->known->tables[i].source_schema, t->schema) == 0)
			return &r->known->tables[i];
	return NULL;
}

bool ancestors_are_done(const struct reading *r, const struct table_info *t, bool *any)
{
	*any = false;
	while (t && t->partition && t->parent) {
		t = info_of_oid(r, t->parent);
		const struct store_table *known = known_table(r, t);
		*any = *any || known;
		if (known && !known->done)
			return false;
	}
	return true;
}

/* A partition joins a whole tree only, where its keys are those that it is made with. Until then its changes
 * pass by, which is no loss: its own snapshot comes later. */
static bool joins_tree(const struct reading *r, const struct table_info *t)
{
	bool any;
	return t->partition && ancestors_are_done(r, t, &any) && any && !is_excluded(r, t);
}

/* A table that somebody creates is not taken without a word: its publication would make UPDATE and DELETE of
 * the application fail, should it have no key. */
static void leave_unclaimed(struct reading *r, const struct table_info *t)
{
	char name[2 * NAME_SIZE], next[3 * NAME_SIZE];
	snprintf(name, sizeof(name), "%s.%s", t->schema, t->name);
	snprintf(next, sizeof(next), "to take it, choose the tables anew (e in the console), or name %s in tables", name);
	survey_find(r->out, SCHEMA_NO_TABLE, SEVERITY_NOTE, name, "is new on the source and not in the mirror", next);
	strings_add(&r->out->unclaimed, name);
}

void choose_more(struct reading *r)
{
	char *selection = survey_selection(r->mirror);
	bool all = r->known->selection && strcmp(selection, r->known->selection) != 0;
	for (size_t i = 0; i < r->info_count; i++) {
		const struct table_info *t = &r->infos[i];
		bool in_tree, whole = ancestors_are_done(r, t, &in_tree);
		bool chosen = all && selection_takes(r->mirror, t->schema, t->name) && (whole || !in_tree);
		if ((chosen || joins_tree(r, t)) && !known_table(r, t))
			choose_table(r, t);
		else if (!in_tree && selection_takes(r->mirror, t->schema, t->name) && !known_table(r, t))
			leave_unclaimed(r, t);
	}
	free(selection);
}

/* Partitions stay with their parents, which the store has before them; whether a parent is one is not written
 * down, so a leaf stays as long as any chosen parent is there. */
bool survey_still_chosen(const struct mirror_config *m, const struct store_mirror *known, size_t table)
{
	const struct store_table *t = &known->tables[table];
	if (selection_takes(m, t->source_schema, t->source_name))
		return true;
	for (size_t i = 0; i < known->table_count; i++)
		if (known->tables[i].parent &&
			selection_takes(m, known->tables[i].source_schema, known->tables[i].source_name))
			return true;
	return false;
}
