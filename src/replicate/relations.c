// SPDX-License-Identifier: PostgreSQL
#include "relations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row a column. A value travels in an array of its type unless unnest() would take it apart (arrays,
 * composites, domains over them) or the type has no such array, or one with another delimiter. Equality is
 * the operator of the type's default btree class: the search path is empty, so plain = would miss those of
 * extensions. Types are printed for typmod -1: without one, bit would mean bit(1). */
static const char columns_sql[] =
	"SELECT a.attname, pg_catalog.format_type(a.atttypid, -1),"
	" CASE WHEN ty.typarray <> 0 AND ty.typcategory <> 'A' AND ty.typdelim = ',' AND base.typtype <> 'c'"
	"  THEN pg_catalog.format_type(ty.typarray, -1) END,"
	" eq.nspname, eq.oprname, coalesce(to_jsonb(a)->>'attidentity', ''),"
	" coalesce(to_jsonb(a)->>'attgenerated', '') <> '',"
	" eq.oprname IS NOT NULL AND EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid"
	"  JOIN pg_am am ON am.oid = ic.relam WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL"
	"  AND am.amname = 'btree' AND a.attnum = ANY (i.indkey)),"
	" c.relkind, EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.condeferrable)"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
	" LEFT JOIN pg_type ty ON ty.oid = a.atttypid"
	" LEFT JOIN LATERAL (WITH RECURSIVE b AS (SELECT ty.oid, ty.typbasetype, ty.typtype UNION ALL"
	"  SELECT t.oid, t.typbasetype, t.typtype FROM b JOIN pg_type t ON t.oid = b.typbasetype)"
	"  SELECT b.oid, b.typtype FROM b WHERE b.typbasetype = 0) base ON true"
	" LEFT JOIN LATERAL (SELECT en.nspname, o.oprname FROM pg_opclass oc JOIN pg_am am ON am.oid = oc.opcmethod"
	"  JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype"
	"   AND ao.amoprighttype = oc.opcintype AND ao.amopstrategy = 3"
	"  JOIN pg_operator o ON o.oid = ao.amopopr JOIN pg_namespace en ON en.oid = o.oprnamespace"
	"  WHERE am.amname = 'btree' AND oc.opcdefault AND oc.opcintype = base.oid LIMIT 1) eq ON true"
	" WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum";
enum {
	ATTRIBUTE_NAME, ATTRIBUTE_TYPE, ATTRIBUTE_ARRAY, ATTRIBUTE_EQ_SCHEMA, ATTRIBUTE_EQ_NAME,
	ATTRIBUTE_IDENTITY, ATTRIBUTE_GENERATED, ATTRIBUTE_INDEXED, TABLE_KIND, TABLE_DEFERRABLE,
	FIELDS,
};

static char *quoted(const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_name(&b, name);
	return strbuf_take(&b);
}

static char *qualified(const char *schema, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_qualified(&b, schema, name);
	return strbuf_take(&b);
}

static bool listed(const struct strings *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], name) == 0)
			return true;
	return false;
}

/* ---- the target's side ---- */

bool relation_prepare(struct pg *target, struct error *e)
{
	return pg_runf(target, e, "PREPARE pgpier_columns (name, name) AS %s", columns_sql);
}

/* Planning takes ten times as long as looking, and there may be thousands of tables. */
static struct rows *read_prepared(struct pg *target, const char *schema, const char *name, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "EXECUTE pgpier_columns (");
	quote_literal(&sql, schema);
	strbuf_add(&sql, ", ");
	quote_literal(&sql, name);
	strbuf_add(&sql, ")");
	struct rows *r = PG_ROWS(target, e, sql.text);
	strbuf_free(&sql);
	return r;
}

/* NULL, with an error, also when there is no such table. */
static struct rows *read_columns(struct pg *c, bool prepared, const char *schema, const char *name,
	struct error *e)
{
	struct rows *r = prepared ? read_prepared(c, schema, name, e) : PG_ROWS(c, e, columns_sql, schema, name);
	if (r && rows_count(r) == 0) {
		error_set(e, ERROR_DATA, "table %s.%s is not on peer %s", schema, name, pg_peer_name(c));
		rows_free(r);
		return NULL;
	}
	return r;
}

static int find_column(const struct rows *r, const char *name)
{
	for (int i = 0; i < rows_count(r); i++)
		if (!rows_null(r, i, ATTRIBUTE_NAME) && strcmp(rows_text(r, i, ATTRIBUTE_NAME), name) == 0)
			return i;
	return -1;
}

static char *equality(const struct rows *r, int row)
{
	struct strbuf b = STRBUF_INIT;
	const char *schema = rows_text(r, row, ATTRIBUTE_EQ_SCHEMA);
	strbuf_add(&b, "OPERATOR(");
	quote_name(&b, schema[0] ? schema : "pg_catalog");
	strbuf_addf(&b, ".%s)", schema[0] ? rows_text(r, row, ATTRIBUTE_EQ_NAME) : "=");
	return strbuf_take(&b);
}

static void fill_column(struct relation_column *c, const struct rows *r, int row)
{
	c->name = quoted(rows_text(r, row, ATTRIBUTE_NAME));
	c->type = xstrdup(rows_text(r, row, ATTRIBUTE_TYPE));
	if (!rows_null(r, row, ATTRIBUTE_ARRAY))
		c->array = xstrdup(rows_text(r, row, ATTRIBUTE_ARRAY));
	c->equals = equality(r, row);
	c->generated = rows_bool(r, row, ATTRIBUTE_GENERATED);
	c->always = strcmp(rows_text(r, row, ATTRIBUTE_IDENTITY), "a") == 0;
	c->indexed = rows_bool(r, row, ATTRIBUTE_INDEXED);
}

/* ---- both sides together ---- */

/* The columns that come in the stream, in its order. */
struct described {
	struct pgoutput_column *items;
	size_t count;
};

static struct described describe(const struct pgoutput_message *m)
{
	struct described d = { xcalloc(m->relation.columns, sizeof(*d.items)), 0 };
	const char *at = m->relation.at;
	while (d.count < m->relation.columns && pgoutput_next_column(&at, m->relation.end, &d.items[d.count]))
		d.count++;
	return d;
}

/* A table's key is what names its rows, as long as the stream brings it: with another replica identity than
 * the whole row only that one's columns come. */
static bool is_identity_key(const struct described *d, char identity, const struct apply_table *t)
{
	if (identity != 'd' && identity != 'i')
		return false;
	for (size_t i = 0; i < d->count; i++)
		if (!d->items[i].key && listed(&t->key, d->items[i].name))
			return true;
	return t->key.count == 0;
}

/* The source may have given a column the name that the mirror gave to another one. */
static bool is_taken(const struct apply_table *t, const struct described *d, size_t i)
{
	const char *name = renames_target(t->renamed, d->items[i].name);
	for (size_t k = 0; t->renamed && t->renamed->count > 0 && k < d->count; k++)
		if (k != i && strcmp(renames_target(t->renamed, d->items[k].name), name) == 0 &&
			!listed(&t->excluded, d->items[k].name))
			return true;
	return false;
}

/* The target's row of the column; -1 when it has none for it. */
static int find_target(const struct relation *r, const struct described *d, size_t i, const struct rows *target)
{
	if (is_taken(r->table, d, i))
		return -1;
	return find_column(target, renames_target(r->table->renamed, d->items[i].name));
}

/* Where the target has what the stream brings; false when it has it not. */
static bool place_column(struct relation *r, int32_t *place, size_t i, const struct described *d,
	const struct rows *target, struct error *e)
{
	const struct pgoutput_column *source = &d->items[i];
	int row = find_target(r, d, i, target);
	if (row < 0)
		return error_set(e, ERROR_DATA, "%s: column %s is not on the target", r->table->source,
			renames_target(r->table->renamed, source->name));
	fill_column(&r->columns[r->batch.columns], target, row);
	r->columns[r->batch.columns].source = quoted(source->name);
	place[i] = r->batch.columns++;
	return true;
}

static bool place_columns(struct relation *r, const struct described *d, char identity,
	const struct rows *target, struct error *e)
{
	const struct apply_table *t = r->table;
	int32_t *place = xcalloc(d->count, sizeof(*place));
	r->batch.place = place;
	r->batch.sent = (uint16_t)d->count;
	r->columns = xcalloc(d->count, sizeof(*r->columns));
	bool by_identity = is_identity_key(d, identity, t);
	for (size_t i = 0; i < d->count; i++)
		place[i] = -1;
	for (size_t i = 0; i < d->count; i++)
		if ((by_identity ? d->items[i].key : listed(&t->key, d->items[i].name)) &&
			!place_column(r, place, i, d, target, e))
			return false;
	r->batch.key = r->batch.columns;
	if (!by_identity && r->batch.key < t->key.count)
		return error_set(e, ERROR_DATA, "%s: the stream does not bring all columns of its key", t->source);
	for (size_t i = 0; i < d->count; i++) {
		if (place[i] >= 0 || listed(&t->excluded, d->items[i].name))
			continue;
		int row = find_target(r, d, i, target);
		if (row >= 0 && rows_bool(target, row, ATTRIBUTE_GENERATED))
			continue;
		if (!place_column(r, place, i, d, target, e))
			return false;
	}
	return true;
}

static bool is_mirrored(const struct relation *r, const char *name)
{
	for (size_t i = 0; i < r->batch.columns; i++)
		if (strcmp(r->columns[i].name, name) == 0)
			return true;
	return false;
}

static void note_others(struct relation *r, const struct rows *target)
{
	for (int i = 0; i < rows_count(target); i++) {
		if (rows_null(target, i, ATTRIBUTE_NAME) || rows_bool(target, i, ATTRIBUTE_GENERATED))
			continue;
		char *name = quoted(rows_text(target, i, ATTRIBUTE_NAME));
		if (!is_mirrored(r, name))
			strings_add(&r->others, name);
		free(name);
	}
}

/* All that a relation is made of, as one text. */
static char *description_of(const struct relation *r, const struct described *d, char identity,
	const struct rows *target)
{
	const struct apply_table *t = r->table;
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s %s %c %d %s %s\n", r->source_schema, r->source_name, identity, t->reconcile,
		t->deleted_column ? t->deleted_column : "", t->synced_column ? t->synced_column : "");
	for (size_t i = 0; i < d->count; i++)
		strbuf_addf(&b, "%s\t%d %d\n", d->items[i].name, d->items[i].key, r->batch.place[i]);
	strbuf_addf(&b, "%s %u\n", r->target, r->batch.key);
	for (int i = 0; i < rows_count(target); i++)
		for (int f = 0; f < FIELDS; f++)
			strbuf_addf(&b, "%s%c", rows_text(target, i, f), f < FIELDS - 1 ? '\t' : '\n');
	return strbuf_take(&b);
}

static bool bind_relation(struct relation *r, struct pg *target, const struct pgoutput_message *m,
	struct error *e)
{
	const struct apply_table *t = r->table;
	struct rows *columns = read_columns(target, true, t->target_schema, t->target_name, e);
	if (!columns)
		return false;
	struct described d = describe(m);
	bool ok = place_columns(r, &d, m->relation.identity, columns, e);
	if (ok) {
		r->partitioned = rows_text(columns, 0, TABLE_KIND)[0] == 'p';
		r->deferrable = rows_bool(columns, 0, TABLE_DEFERRABLE);
		r->only = r->partitioned ? "" : "ONLY ";
		for (size_t i = r->batch.key; i < r->batch.columns; i++)
			r->moves |= r->columns[i].always;
		note_others(r, columns);
		r->description = description_of(r, &d, m->relation.identity, columns);
	}
	free(d.items);
	rows_free(columns);
	return ok;
}

struct relation *relation_new(struct pg *target, const struct pgoutput_message *m,
	const struct apply_table *t, struct error *e)
{
	struct relation *r = xcalloc(1, sizeof(*r));
	r->id = m->relation.id;
	r->table = t;
	r->source_schema = xstrdup(m->relation.schema);
	r->source_name = xstrdup(m->relation.name);
	if (!t)
		return r;
	r->target = qualified(t->target_schema, t->target_name);
	if (!bind_relation(r, target, m, e)) {
		relation_free(r);
		return NULL;
	}
	return r;
}

void relation_free(struct relation *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->batch.columns; i++) {
		free(r->columns[i].name);
		free(r->columns[i].source);
		free(r->columns[i].type);
		free(r->columns[i].array);
		free(r->columns[i].equals);
	}
	for (uint32_t i = 0; i < r->mask_count; i++)
		free(r->masks[i].words);
	free(r->masks);
	free(r->columns);
	free((int32_t *)(uintptr_t)r->batch.place);
	strings_free(&r->others);
	free(r->source_schema);
	free(r->source_name);
	free(r->target);
	free(r->description);
	free(r->fetch_sql);
	free(r);
}

/* ---- the source's row ---- */

static int find_quoted(const struct rows *r, const char *name)
{
	int found = -1;
	for (int i = 0; i < rows_count(r) && found < 0; i++) {
		char *other = quoted(rows_text(r, i, ATTRIBUTE_NAME));
		found = strcmp(other, name) == 0 ? i : -1;
		free(other);
	}
	return found;
}

static bool key_condition(struct strbuf *sql, const struct relation *r, const struct rows *columns,
	struct error *e)
{
	for (size_t i = 0; i < r->batch.key; i++) {
		int row = find_quoted(columns, r->columns[i].source);
		if (row < 0)
			return error_set(e, ERROR_DATA, "column %s is not on the source any more", r->columns[i].source);
		char *equals = equality(columns, row);
		strbuf_addf(sql, "%s%s %s $%zu", i ? " AND " : " WHERE ", r->columns[i].source, equals, i + 1);
		free(equals);
	}
	return true;
}

const char *relation_fetch_sql(struct relation *r, struct pg *source, struct error *e)
{
	if (r->fetch_sql)
		return r->fetch_sql;
	struct rows *columns = read_columns(source, false, r->source_schema, r->source_name, e);
	if (!columns)
		return NULL;
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "SELECT ");
	for (size_t i = 0; i < r->batch.columns; i++)
		strbuf_addf(&sql, "%s%s", i ? ", " : "", r->columns[i].source);
	strbuf_add(&sql, " FROM ");
	quote_qualified(&sql, r->source_schema, r->source_name);
	if (key_condition(&sql, r, columns, e))
		r->fetch_sql = strbuf_take(&sql);
	strbuf_free(&sql);
	rows_free(columns);
	return r->fetch_sql;
}

/* ---- masks ---- */

#define MOST_WORDS 26 /* a table has at most 1600 columns */

static size_t mask_words(const struct relation *r)
{
	return (r->batch.columns + (size_t)63) / 64;
}

static uint32_t intern(struct relation *r, const uint64_t *words)
{
	size_t bytes = mask_words(r) * sizeof(*words);
	for (uint32_t i = 0; i < r->mask_count; i++)
		if (memcmp(r->masks[i].words, words, bytes) == 0)
			return i;
	GROW(r->masks, r->mask_count);
	struct relation_mask *m = &r->masks[r->mask_count];
	m->words = xmalloc(bytes);
	memcpy(m->words, words, bytes);
	return r->mask_count++;
}

uint32_t relation_sent_mask(struct relation *r, const struct pgoutput_value *row)
{
	uint64_t words[MOST_WORDS] = { 0 };
	for (size_t i = 0; i < r->batch.columns; i++)
		words[i / 64] |= (uint64_t)(row[i].kind != VALUE_UNCHANGED) << (i % 64);
	return intern(r, words);
}

uint32_t relation_null_mask(struct relation *r, const struct pgoutput_value *row)
{
	uint64_t words[MOST_WORDS] = { 0 };
	for (size_t i = 0; i < r->batch.columns; i++)
		words[i / 64] |= (uint64_t)(r->columns[i].indexed && row[i].kind == VALUE_NULL) << (i % 64);
	return intern(r, words);
}

bool relation_mask_has(const struct relation *r, uint32_t mask, size_t column)
{
	return r->masks[mask].words[column / 64] >> (column % 64) & 1;
}

/* ---- all of them ---- */

struct relations {
	struct relation **slots; /* open addressing; size is a power of two */
	size_t size, count;
};

struct relations *relations_new(void)
{
	struct relations *l = xcalloc(1, sizeof(*l));
	l->size = 64;
	l->slots = xcalloc(l->size, sizeof(*l->slots));
	return l;
}

void relations_free(struct relations *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->size; i++)
		relation_free(l->slots[i]);
	free(l->slots);
	free(l);
}

static struct relation **slot_of(const struct relations *l, uint32_t id)
{
	size_t i = (id * UINT32_C(2654435761)) & (l->size - 1);
	while (l->slots[i] && l->slots[i]->id != id)
		i = (i + 1) & (l->size - 1);
	return &l->slots[i];
}

struct relation *relations_find(const struct relations *l, uint32_t id)
{
	return *slot_of(l, id);
}

static void enlarge(struct relations *l)
{
	struct relations larger = { xcalloc(2 * l->size, sizeof(*l->slots)), 2 * l->size, l->count };
	for (size_t i = 0; i < l->size; i++)
		if (l->slots[i])
			*slot_of(&larger, l->slots[i]->id) = l->slots[i];
	free(l->slots);
	*l = larger;
}

struct relation *relations_put(struct relations *l, struct relation *r)
{
	if (2 * (l->count + 1) > l->size)
		enlarge(l);
	struct relation **slot = slot_of(l, r->id), *old = *slot;
	*slot = r;
	l->count += !old;
	return old;
}
