// SPDX-License-Identifier: PostgreSQL
#include "tables.h"

#include <pgpier/selection.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PG_HAS_INCLUDED_COLUMNS 110000

struct stream_tables {
	const struct store_mirror *store;
	struct stream_table *items; /* in the store's order */
	struct stream_table **by_name;
	size_t count, reconciling;
};

/* ---- their keys ---- */

/* REPLICA IDENTITY USING INDEX sends that index's columns; else the primary key finds the row, FULL or not. */
static const char keys_sql[] =
	"SELECT t.no, a.attname FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
	" JOIN pg_catalog.pg_namespace p ON p.nspname = t.s"
	" JOIN pg_catalog.pg_class c ON c.relnamespace = p.oid AND c.relname = t.n"
	" JOIN LATERAL (SELECT i.indkey::int2[] AS columns, %s AS n FROM pg_catalog.pg_index i"
	"  WHERE i.indrelid = c.oid AND CASE WHEN c.relreplident = 'i' THEN i.indisreplident ELSE i.indisprimary END"
	"  LIMIT 1) i ON true"
	" JOIN LATERAL unnest(i.columns) WITH ORDINALITY k (attnum, no) ON k.no <= i.n"
	" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum"
	" ORDER BY t.no, k.no";

static char *names_array(const struct store_mirror *store, bool schemas)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc(store->table_count * sizeof(*names));
	for (size_t i = 0; i < store->table_count; i++)
		names[i] = schemas ? store->tables[i].source_schema : store->tables[i].source_name;
	quote_array(&b, store->table_count, names);
	free(names);
	return strbuf_take(&b);
}

static bool read_keys(struct stream_tables *t, struct pg *source, struct error *e)
{
	char *schemas = names_array(t->store, true), *names = names_array(t->store, false);
	char *sql = xasprintf(keys_sql, pg_version(source) >= PG_HAS_INCLUDED_COLUMNS ? "i.indnkeyatts" : "i.indnatts");
	struct rows *r = PG_ROWS(source, e, sql, schemas, names);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(&t->items[rows_int(r, i, 0) - 1].apply.key, rows_text(r, i, 1));
	free(schemas);
	free(names);
	free(sql);
	rows_free(r);
	return r != NULL;
}

/* ---- one table ---- */

static const struct store_snapshot *snapshot_of(const struct store_mirror *store, int number)
{
	for (size_t i = 0; i < store->snapshot_count; i++)
		if (store->snapshots[i].number == number)
			return &store->snapshots[i];
	return NULL;
}

/* The first snapshot of a mirror is its slot's: the stream begins where that one ends. */
static void fill_sight(struct stream_table *t, const struct store_mirror *store)
{
	const struct store_snapshot *first = snapshot_of(store, t->store->snapshot);
	const struct store_snapshot *last = snapshot_of(store, t->store->last_snapshot);
	if (first && first->number > 1) {
		t->seen = visible_new(first->visible);
		t->seen_until = first->lsn;
	}
	if (last && first && last->number != first->number)
		t->reconcile_until = MAX(last->lsn, t->store->fetched_at);
}

static void fill_excluded(struct apply_table *a, const struct mirror_config *config)
{
	char prefix[2 * NAME_SIZE + 2];
	int n = snprintf(prefix, sizeof(prefix), "%s.", a->source);
	for (size_t i = 0; i < config->columns_exclude.count; i++)
		if (strncmp(config->columns_exclude.items[i], prefix, (size_t)n) == 0)
			strings_add(&a->excluded, config->columns_exclude.items[i] + n);
}

static void fill(struct stream_tables *all, size_t index, const struct mirror_config *config)
{
	struct stream_table *t = &all->items[index];
	struct apply_table *a = &t->apply;
	t->store = &all->store->tables[index];
	t->paused = t->store->paused || !t->store->loaded;
	a->index = index;
	snprintf(a->source, sizeof(a->source), "%s.%s", t->store->source_schema, t->store->source_name);
	copy_text(a->target_schema, sizeof(a->target_schema), t->store->target_schema);
	copy_text(a->target_name, sizeof(a->target_name), t->store->target_name);
	a->renamed = &t->store->renamed;
	if (config->sync_columns)
		a->synced_column = config->synced_at_column;
	if (config->soft_delete)
		a->deleted_column = config->is_deleted_column;
	fill_excluded(a, config);
	if (t->store->columns && !ddl_parse(&t->known, t->store->columns))
		t->known = (struct ddl_relation){ 0 };
	fill_sight(t, all->store);
	a->reconcile = t->reconcile_until != 0;
	a->reconcile_until = &t->reconcile_until;
	all->reconciling += a->reconcile;
}

static int by_name(const void *a, const void *b)
{
	const struct store_table *x = (*(struct stream_table *const *)a)->store;
	const struct store_table *y = (*(struct stream_table *const *)b)->store;
	int c = strcmp(x->source_schema, y->source_schema);
	return c ? c : strcmp(x->source_name, y->source_name);
}

struct stream_tables *stream_tables_new(struct pg *source, const struct store_mirror *store,
	const struct mirror_config *config, struct error *e)
{
	struct stream_tables *t = xcalloc(1, sizeof(*t));
	t->store = store;
	t->count = store->table_count;
	t->items = xcalloc(t->count, sizeof(*t->items));
	t->by_name = xcalloc(t->count, sizeof(struct stream_table *));
	for (size_t i = 0; i < t->count; i++) {
		fill(t, i, config);
		t->by_name[i] = &t->items[i];
	}
	qsort(t->by_name, t->count, sizeof(struct stream_table *), by_name);
	if (read_keys(t, source, e))
		return t;
	stream_tables_free(t);
	return NULL;
}

void stream_tables_free(struct stream_tables *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		strings_free(&t->items[i].apply.key);
		strings_free(&t->items[i].apply.excluded);
		visible_free(t->items[i].seen);
		ddl_free(&t->items[i].known);
	}
	free(t->items);
	free(t->by_name);
	free(t);
}

struct stream_table *stream_tables_find(struct stream_tables *t, const char *schema, const char *name)
{
	for (size_t low = 0, high = t->count; low < high;) {
		size_t middle = (low + high) / 2;
		const struct store_table *s = t->by_name[middle]->store;
		int c = strcmp(schema, s->source_schema);
		c = c ? c : strcmp(name, s->source_name);
		if (c == 0)
			return t->by_name[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct stream_table *stream_tables_find_id(struct stream_tables *t, uint32_t id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].known.name && t->items[i].known.id == id)
			return &t->items[i];
	return NULL;
}

struct stream_table *stream_tables_of(struct stream_tables *t, const struct apply_table *a)
{
	return &t->items[a->index];
}

/* ---- positions ---- */

lsn_t stream_tables_from(const struct stream_tables *t)
{
	lsn_t from = t->store->replication.applied;
	for (size_t i = 0; i < t->count; i++)
		if (!t->items[i].paused && t->items[i].store->held_at)
			from = MIN(from, t->items[i].store->held_at);
	return from;
}

static lsn_t least_held(const struct stream_tables *t, bool paused_only)
{
	lsn_t held = 0;
	for (size_t i = 0; i < t->count; i++) {
		lsn_t at = t->items[i].store->held_at;
		if (at && (!held || at < held) && (t->items[i].paused || !paused_only))
			held = at;
	}
	return held;
}

lsn_t stream_tables_held(const struct stream_tables *t)
{
	return least_held(t, false);
}

lsn_t stream_tables_paused_at(const struct stream_tables *t)
{
	return least_held(t, true);
}

bool stream_tables_behind(const struct stream_tables *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!t->items[i].paused && t->items[i].store->held_at)
			return true;
	return false;
}

bool stream_table_wants(const struct stream_table *t, uint32_t xid, lsn_t final, lsn_t applied)
{
	if (t->paused || final < (t->store->held_at ? t->store->held_at : applied))
		return false;
	return !t->seen || final > t->seen_until || !visible_sees(t->seen, xid);
}

bool stream_tables_settle(struct stream_tables *t, lsn_t final, bool move)
{
	bool any = false;
	for (size_t i = 0; t->reconciling > 0 && i < t->count; i++) {
		struct stream_table *x = &t->items[i];
		if (!x->apply.reconcile || final <= x->reconcile_until)
			continue;
		any = true;
		if (!move)
			return true;
		x->apply.reconcile = false;
		t->reconciling--;
	}
	return any;
}
