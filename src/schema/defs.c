// SPDX-License-Identifier: PostgreSQL
/* The life of definitions and the way from an oid to its table. */
#include "defs.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

struct oid_index {
	int64_t oid;
	size_t table;
};

const char *defs_since(const struct pg *c, int version, const char *sql, const char *otherwise)
{
	return pg_version(c) >= version ? sql : otherwise;
}

bool defs_target_has(const struct defs *d, int version)
{
	return d->target_version == 0 || d->target_version >= version;
}

static int compare_oids(const void *a, const void *b)
{
	int64_t x = ((const struct oid_index *)a)->oid, y = ((const struct oid_index *)b)->oid;
	return (x > y) - (x < y);
}

void defs_init(struct defs *d, struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count)
{
	*d = (struct defs){
		.source = source,
		.target_version = target ? pg_version(target) : 0,
		.mirror = m,
		.tables = xcalloc(count, sizeof(*d->tables)),
		.table_count = count,
		.by_oid = xcalloc(count, sizeof(*d->by_oid)),
	};
	for (size_t i = 0; i < count; i++) {
		d->tables[i].wanted = &tables[i];
		d->by_oid[i] = (struct oid_index){ tables[i].oid, i };
	}
	qsort(d->by_oid, count, sizeof(*d->by_oid), compare_oids);
}

void defs_free(struct defs *d)
{
	for (size_t i = 0; i < d->table_count; i++) {
		free(d->tables[i].parents);
		free(d->tables[i].columns);
		free(d->tables[i].checks);
		free(d->tables[i].indexes);
		free(d->tables[i].sequences);
	}
	for (size_t i = 0; i < d->kept_count; i++)
		rows_free(d->kept[i]);
	free(d->kept);
	free(d->tables);
	free(d->by_oid);
	free(d->made_oids);
	free(d->sequences);
	strings_free(&d->texts);
	*d = (struct defs){ 0 };
}

const struct rows *defs_query(struct defs *d, struct error *e, char *take_sql, const char *oids)
{
	struct rows *r = oids ? PG_ROWS(d->source, e, take_sql, oids) : PG_ROWS(d->source, e, take_sql);
	free(take_sql);
	if (!r)
		return NULL;
	GROW(d->kept, d->kept_count);
	d->kept[d->kept_count++] = r;
	return r;
}

const char *defs_text_take(struct defs *d, char *text)
{
	GROW(d->texts.items, d->texts.count);
	d->texts.items[d->texts.count++] = text;
	return text;
}

struct def_table *defs_table(const struct defs *d, int64_t oid)
{
	const struct oid_index key = { .oid = oid };
	const struct oid_index *hit =
		bsearch(&key, d->by_oid, d->table_count, sizeof(key), compare_oids);
	return hit ? &d->tables[hit->table] : NULL;
}

size_t defs_table_number(const struct defs *d, const struct def_table *t)
{
	return t ? (size_t)(t - d->tables) : SCHEMA_NO_TABLE;
}

struct def_column *def_column(const struct def_table *t, int number)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i].number == number)
			return &t->columns[i];
	return NULL;
}

bool def_uses_excluded(const struct def_table *t, const char *numbers)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i].excluded && text_has_number(numbers, t->columns[i].number))
			return true;
	return false;
}

bool def_uses_renamed(const struct def_table *t, const char *numbers)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i].name, t->columns[i].target_name) != 0 &&
			text_has_number(numbers, t->columns[i].number))
			return true;
	return false;
}

void def_target(struct strbuf *b, const struct def_table *t)
{
	quote_qualified(b, t->wanted->target_schema, t->wanted->target_name);
}

void def_sequence_target(struct strbuf *b, const struct def_sequence *s)
{
	quote_qualified(b, s->target_schema, s->name);
}
