// SPDX-License-Identifier: PostgreSQL
/* A mirror's configuration turned round.
 *
 * Tables go by their names, not by patterns: what the target has beside them is not the source's. Columns that do
 * not travel on the way there do not travel on the way back either. */
#include <pgpier/selection.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pg/tables.h"
#include "way_back.h"

/* Sessions are known by the first 40 bytes of their mirror's name (src/pg/conn.h), and slots by 56: both mirrors may
 * have theirs on one server. */
#define NAME_KEPT 40

void way_back_name(const struct config *all, const char *mirror, char out[NAME_SIZE])
{
	for (int n = 1;; n++) {
		char suffix[24], base[NAME_SIZE];
		int length = snprintf(suffix, sizeof(suffix), n == 1 ? "-back" : "-back%d", n);
		copy_text(base, (size_t)(NAME_KEPT - length + 1), mirror);
		snprintf(out, NAME_SIZE, "%s%s", base, suffix);
		const struct mirror_config *there = all ? config_find_mirror(all, out) : NULL;
		if (!there || (there->reverse_of && strcmp(there->reverse_of, mirror) == 0))
			return;
	}
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = value ? xstrdup(value) : NULL;
}

static void forget_maps(struct mirror_config *out)
{
	for (size_t i = 0; i < out->map_count; i++) {
		struct table_map *m = &out->map[i];
		for (size_t c = 0; c < m->column_count; c++) {
			free(m->columns[c].source);
			free(m->columns[c].target);
		}
		free(m->columns);
		free(m->source);
		free(m->target);
	}
	free(out->map);
	out->map = NULL;
	out->map_count = 0;
	for (size_t i = 0; i < out->role_map_count; i++) {
		free(out->roles_map[i].source);
		free(out->roles_map[i].target);
	}
	free(out->roles_map);
	out->roles_map = NULL;
	out->role_map_count = 0;
}

static void leave_out(struct mirror_config *out, const char *schema, const char *table, const char *column)
{
	if (selection_leaves_out(out, schema, table, column))
		return;
	char *text = xasprintf("%s.%s.%s", schema, table, column);
	strings_add(&out->columns_exclude, text);
	free(text);
}

/* A table's columns that the mirror leaves out, by their names on the target. */
static void leave_out_excluded(const struct mirror_config *m, const struct store_table *t, struct mirror_config *out)
{
	char *prefix = xasprintf("%s.%s.", t->source_schema, t->source_name);
	size_t length = strlen(prefix);
	for (size_t i = 0; i < m->columns_exclude.count; i++) {
		const char *item = m->columns_exclude.items[i];
		if (strncmp(item, prefix, length) == 0)
			leave_out(out, t->target_schema, t->target_name, renames_target(&t->renamed, item + length));
	}
	free(prefix);
	if (m->sync_columns) {
		leave_out(out, t->target_schema, t->target_name, m->synced_at_column);
		leave_out(out, t->target_schema, t->target_name, m->is_deleted_column);
	} else if (m->soft_delete) {
		leave_out(out, t->target_schema, t->target_name, m->is_deleted_column);
	}
}

static void put_map(const struct store_table *t, struct mirror_config *out)
{
	bool moved = strcmp(t->source_schema, t->target_schema) != 0 || strcmp(t->source_name, t->target_name) != 0;
	if (!moved && t->renamed.count == 0)
		return;
	GROW(out->map, out->map_count);
	struct table_map *map = &out->map[out->map_count++];
	*map = (struct table_map){
		.source = xasprintf("%s.%s", t->target_schema, t->target_name),
		.target = moved ? xasprintf("%s.%s", t->source_schema, t->source_name) : NULL,
		.columns = xcalloc(t->renamed.count + 1, sizeof(*map->columns)),
		.column_count = t->renamed.count,
	};
	for (size_t i = 0; i < t->renamed.count; i++)
		map->columns[i] = (struct column_map){
			.source = xstrdup(t->renamed.items[i].target),
			.target = xstrdup(t->renamed.items[i].source),
		};
}

static void put_table(const struct mirror_config *m, const struct store_table *t, struct mirror_config *out)
{
	char *pattern = selection_pattern(t->target_schema, t->target_name);
	strings_add(&out->tables, pattern);
	free(pattern);
	put_map(t, out);
	leave_out_excluded(m, t, out);
}

void way_back_config(const struct mirror_config *m, const struct store_mirror *store, struct mirror_config *out)
{
	char name[NAME_SIZE];
	mirror_config_copy(out, m);
	way_back_name(NULL, m->name, name);
	set_text(&out->name, name);
	set_text(&out->source, m->target);
	set_text(&out->target, m->source);
	set_text(&out->slot, NULL);
	set_text(&out->publication, NULL);
	set_text(&out->reverse_of, m->name);
	forget_maps(out);
	strings_free(&out->tables);
	strings_free(&out->exclude);
	strings_free(&out->columns_exclude);
	out->continuous = true;
	out->soft_delete = out->sync_columns = false;
	/* All of its tables are there; partitions that come later are made, unless a person makes them. */
	out->schema = m->schema == SCHEMA_NONE ? SCHEMA_NONE : SCHEMA_TABLES;
	out->owners = OWNERS_NONE;
	out->publications = false;
	out->on_existing_rows = EXISTING_REFUSE;
	out->editable = true;
	for (size_t i = 0; i < store->table_count; i++)
		put_table(m, &store->tables[i], out);
}

/* ---- columns that only one side has ---- */

static char *names_of(const struct store_mirror *store, bool targets, bool schemas)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc((store->table_count + 1) * sizeof(*names));
	for (size_t i = 0; i < store->table_count; i++) {
		const struct store_table *t = &store->tables[i];
		names[i] = targets ? (schemas ? t->target_schema : t->target_name)
						   : (schemas ? t->source_schema : t->source_name);
	}
	quote_array(&b, store->table_count, names);
	free(names);
	return strbuf_take(&b);
}

/* "number column" of each, by number. */
static struct rows *read_columns(struct pg *c, const struct store_mirror *store, bool targets, struct error *e)
{
	char *schemas = names_of(store, targets, true), *names = names_of(store, targets, false);
	struct rows *r = PG_ROWS(c, e,
		"SELECT t.no - 1, a.attname FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
		" JOIN pg_catalog.pg_namespace p ON p.nspname = t.s"
		" JOIN pg_catalog.pg_class c ON c.relnamespace = p.oid AND c.relname = t.n"
		" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
		" ORDER BY t.no, a.attnum", schemas, names);
	free(schemas);
	free(names);
	return r;
}

bool way_back_leave_out(struct pg *from, struct pg *to, const struct store_mirror *store, struct mirror_config *out,
	struct error *e)
{
	struct rows *there = read_columns(from, store, true, e);
	struct rows *here = there ? read_columns(to, store, false, e) : NULL;
	int begin = 0;
	for (int i = 0; here && i < rows_count(there); i++) {
		int64_t table = rows_int(there, i, 0);
		const struct store_table *t = &store->tables[table];
		const char *column = renames_source(&t->renamed, rows_text(there, i, 1));
		bool found = false;
		while (begin < rows_count(here) && rows_int(here, begin, 0) < table)
			begin++;
		for (int k = begin; column && !found && k < rows_count(here) && rows_int(here, k, 0) == table; k++)
			found = strcmp(rows_text(here, k, 1), column) == 0;
		if (!found)
			leave_out(out, t->target_schema, t->target_name, rows_text(there, i, 1));
	}
	bool ok = here != NULL;
	rows_free(there);
	rows_free(here);
	return ok;
}
