// SPDX-License-Identifier: PostgreSQL
/* What is compared: the store's tables as both catalogs have them at the snapshots. A handful of queries a side,
 * however many tables there are. */
#include <pgpier/selection.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lsn.h"
#include "inside.h"

#define PG_HAS_GENERATED 120000
#define PG_HAS_INCLUDE 110000

/* The columns of one side's tables, by table, and their types. */
struct side_column {
	int64_t table, type;
	char *name, *sql_type;
	bool generated;
};

struct side_columns {
	struct side_column *items;
	size_t count;
	struct value_types *types;
};

struct describing {
	struct verify_run *run;
	struct side_columns columns[SIDES];
};

/* ---- tables ---- */

static char *names_of(const struct verify_run *r, int side, bool schema)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xcalloc(r->table_count, sizeof(*names));
	for (size_t i = 0; i < r->table_count; i++) {
		const struct store_table *t = r->tables[i].names;
		if (side == SOURCE)
			names[i] = schema ? t->source_schema : t->source_name;
		else
			names[i] = schema ? t->target_schema : t->target_name;
	}
	quote_array(&b, r->table_count, names);
	free(names);
	return strbuf_take(&b);
}

static void table_fill(struct compared *t, int side, const struct rows *rows, int i)
{
	struct compared_side *s = &t->side[side];
	struct strbuf from = STRBUF_INIT;
	s->oid = rows_int(rows, i, 1);
	s->partitioned = rows_text(rows, i, 2)[0] == 'p';
	s->filenode = s->partitioned ? 0 : rows_int(rows, i, 3);
	s->pages = rows_int(rows, i, 4);
	s->tuples = rows_number(rows, i, 5);
	s->triggers = rows_bool(rows, i, 6);
	strbuf_add(&from, s->partitioned ? "" : "ONLY ");
	if (side == SOURCE)
		quote_qualified(&from, t->names->source_schema, t->names->source_name);
	else
		quote_qualified(&from, t->names->target_schema, t->names->target_name);
	s->from = strbuf_take(&from);
}

static bool read_tables(struct verify_run *r, int side, struct pg *c, struct error *e)
{
	char *schemas = names_of(r, side, true), *names = names_of(r, side, false);
	struct rows *rows = PG_ROWS(c, e,
		"SELECT t.no - 1, c.oid, c.relkind, c.relfilenode, c.relpages, c.reltuples, c.relhastriggers"
		" FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
		" JOIN pg_namespace p ON p.nspname = t.s JOIN pg_class c ON c.relnamespace = p.oid AND c.relname = t.n"
		" WHERE c.relkind IN ('r', 'p')", schemas, names);
	free(schemas);
	free(names);
	for (int i = 0; rows && i < rows_count(rows); i++)
		table_fill(&r->tables[rows_int(rows, i, 0)], side, rows, i);
	rows_free(rows);
	return rows != NULL;
}

static char *oids_of(const struct verify_run *r, int side)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "{");
	for (size_t i = 0; i < r->table_count; i++)
		if (r->tables[i].side[side].oid)
			strbuf_addf(&b, "%s%lld", b.len > 1 ? "," : "", (long long)r->tables[i].side[side].oid);
	strbuf_add(&b, "}");
	return strbuf_take(&b);
}

/* ---- columns ---- */

static bool read_columns(struct pg *c, const char *oids, struct side_columns *out, struct error *e)
{
	char *sql = xasprintf("SELECT attrelid, atttypid, attname, format_type(atttypid, atttypmod), %s FROM pg_attribute"
		" WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum",
		pg_version(c) >= PG_HAS_GENERATED ? "attgenerated <> ''" : "false");
	struct rows *r = PG_ROWS(c, e, sql, oids);
	free(sql);
	if (!r)
		return false;
	out->count = (size_t)rows_count(r);
	out->items = xcalloc(out->count, sizeof(*out->items));
	for (int i = 0; i < rows_count(r); i++)
		out->items[i] = (struct side_column){ .table = rows_int(r, i, 0), .type = rows_int(r, i, 1),
			.name = xstrdup(rows_text(r, i, 2)), .sql_type = xstrdup(rows_text(r, i, 3)),
			.generated = rows_bool(r, i, 4) };
	rows_free(r);
	out->types = value_types_read(c, oids, e);
	return out->types != NULL;
}

static void side_columns_free(struct side_columns *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->items[i].name);
		free(l->items[i].sql_type);
	}
	free(l->items);
	value_types_free(l->types);
}

/* The first column of a table; its others stand behind it. */
static size_t columns_begin(const struct side_columns *l, int64_t table)
{
	size_t low = 0, high = l->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (l->items[middle].table < table)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct side_column *column_named(const struct side_columns *l, int64_t table, const char *name)
{
	for (size_t i = columns_begin(l, table); i < l->count && l->items[i].table == table; i++)
		if (strcmp(l->items[i].name, name) == 0)
			return &l->items[i];
	return NULL;
}

/* What the target calls a column. */
const char *describe_target_name(const struct store_table *t, const char *column)
{
	return renames_target(&t->renamed, column);
}

static void unverified(struct compared *t, const char *column, const char *why)
{
	char line[NAME_SIZE + WHY_SIZE + 4];
	snprintf(line, sizeof(line), "%s: %s", column, why);
	strings_add(&t->result->unverified, line);
}

static void add_quoted(struct strings *l, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_name(&b, name);
	strings_add(l, b.text);
	strbuf_free(&b);
}

static void add_column(struct describing *d, struct compared *t, const struct side_column *s, const struct side_column *g)
{
	struct compared_column c = { .way = WAY_TEXT };
	const struct side_column *both[SIDES] = { s, g };
	char why[WHY_SIZE];
	for (int side = 0; side < SIDES; side++)
		value_types_expand(d->columns[side].types, both[side]->type, &c.type[side]);
	if (!express_way(&d->run->servers, &c.type[SOURCE], &c.type[TARGET], &c.way, why)) {
		unverified(t, s->name, why);
		value_type_free(&c.type[SOURCE]);
		value_type_free(&c.type[TARGET]);
		return;
	}
	for (int side = 0; side < SIDES; side++) {
		struct strbuf quoted = STRBUF_INIT;
		quote_name(&quoted, both[side]->name);
		c.name[side] = xstrdup(both[side]->name);
		c.quoted[side] = strbuf_take(&quoted);
		c.sql_type[side] = xstrdup(both[side]->sql_type);
	}
	GROW(t->columns, t->column_count);
	t->columns[t->column_count++] = c;
	strings_add(&t->result->columns, s->name);
}

/* Values that the target makes itself are compared where the source makes them as well. */
static void match_column(struct describing *d, struct compared *t, const struct side_column *s)
{
	const struct store_table *n = t->names;
	if (selection_leaves_out(d->run->set->config, n->source_schema, n->source_name, s->name))
		return;
	const struct side_column *g =
		column_named(&d->columns[TARGET], t->side[TARGET].oid, describe_target_name(n, s->name));
	if (!g && !s->generated)
		unverified(t, s->name, "the target's table has no such column");
	if (!g || g->generated != s->generated)
		return;
	add_column(d, t, s, g);
	if (!s->generated) {
		add_quoted(&t->copied[SOURCE], s->name);
		add_quoted(&t->copied[TARGET], g->name);
	}
}

static bool is_ours(const struct describing *d, const char *column)
{
	const struct mirror_config *m = d->run->set->config;
	return (m->sync_columns || m->soft_delete) &&
		   (strcmp(column, m->synced_at_column) == 0 || strcmp(column, m->is_deleted_column) == 0);
}

/* Does the target have a column that no row of the source fills? */
static void find_own_column(struct describing *d, struct compared *t)
{
	const struct side_columns *l = &d->columns[TARGET];
	int64_t table = t->side[TARGET].oid;
	for (size_t i = columns_begin(l, table); i < l->count && l->items[i].table == table && !t->own_column; i++) {
		struct strbuf quoted = STRBUF_INIT;
		bool known = l->items[i].generated || is_ours(d, l->items[i].name);
		quote_name(&quoted, l->items[i].name);
		for (size_t c = 0; c < t->copied[TARGET].count && !known; c++)
			known = strcmp(t->copied[TARGET].items[c], quoted.text) == 0;
		strbuf_free(&quoted);
		if (!known)
			t->own_column = xstrdup(l->items[i].name);
	}
}

static void set_where(struct describing *d, struct compared *t)
{
	const struct mirror_config *m = d->run->set->config;
	struct strbuf where = STRBUF_INIT;
	if (!m->soft_delete || !column_named(&d->columns[TARGET], t->side[TARGET].oid, m->is_deleted_column))
		return;
	quote_name(&where, m->is_deleted_column);
	strbuf_add(&where, " IS NOT TRUE");
	t->side[TARGET].where = strbuf_take(&where);
}

static void set_row_hash(struct verify_run *r, struct compared *t)
{
	struct expressed *x = xcalloc(t->column_count, sizeof(*x));
	for (int side = 0; side < SIDES; side++) {
		struct strbuf sql = STRBUF_INIT;
		for (size_t c = 0; c < t->column_count; c++)
			x[c] = (struct expressed){ &t->columns[c].type[side], t->columns[c].way, t->columns[c].quoted[side] };
		express_row(&sql, &r->servers, x, t->column_count);
		t->side[side].row = strbuf_take(&sql);
	}
	free(x);
}

/* ---- keys ---- */

/* The primary key, or the shortest unique one that no row is left out of. */
static const char keys_sql[] =
	"SELECT k.indrelid::int8, a.attname FROM (SELECT DISTINCT ON (x.indrelid) x.indrelid, x.indkey, x.%s AS n"
	"   FROM pg_index x WHERE x.indrelid = ANY ($1::oid[]) AND x.indisunique AND x.indisvalid AND x.indpred IS NULL"
	"    AND x.indexprs IS NULL AND NOT EXISTS (SELECT 1 FROM generate_series(0, x.%s - 1) i"
	"     JOIN pg_attribute b ON b.attrelid = x.indrelid AND b.attnum = x.indkey[i] WHERE NOT b.attnotnull)"
	"   ORDER BY x.indrelid, x.indisprimary DESC, x.%s, x.indexrelid) k"
	" CROSS JOIN LATERAL generate_series(0, k.n - 1) i"
	" JOIN pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = k.indkey[i] ORDER BY 1, i";

static bool add_key_column(struct compared *t, const char *name)
{
	for (size_t c = 0; c < t->column_count; c++) {
		if (strcmp(t->columns[c].name[SOURCE], name) != 0)
			continue;
		GROW(t->key, t->key_count);
		t->key[t->key_count++] = c;
		return true;
	}
	return false;
}

/* The first of the rows, which are sorted by their table, that is of this one. */
static int key_begin(const struct rows *rows, int64_t table)
{
	int low = 0, high = rows_count(rows);
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (rows_int(rows, middle, 0) < table)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A key of which a column is not compared tells no rows apart. */
static void set_key(struct compared *t, const struct rows *rows)
{
	int64_t table = t->side[SOURCE].oid;
	bool whole = true;
	for (int i = key_begin(rows, table); whole && i < rows_count(rows) && rows_int(rows, i, 0) == table; i++)
		whole = add_key_column(t, rows_text(rows, i, 1));
	if (!whole)
		t->key_count = 0;
	t->result->key = xcalloc(t->column_count + 1, sizeof(bool));
	for (size_t k = 0; k < t->key_count; k++)
		t->result->key[t->key[k]] = true;
}

static bool read_keys(struct verify_run *r, struct pg *c, const char *oids, struct error *e)
{
	const char *width = pg_version(c) >= PG_HAS_INCLUDE ? "indnkeyatts" : "indnatts";
	char *sql = xasprintf(keys_sql, width, width, width);
	struct rows *rows = PG_ROWS(c, e, sql, oids);
	free(sql);
	for (size_t i = 0; rows && i < r->table_count; i++)
		set_key(&r->tables[i], rows);
	rows_free(rows);
	return rows != NULL;
}

/* ---- the servers ---- */

static bool read_server(struct pg *c, char encoding[NAME_SIZE], char money[NAME_SIZE], struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT current_setting('server_encoding'), current_setting('lc_monetary')");
	if (!r)
		return false;
	copy_text(encoding, NAME_SIZE, rows_text(r, 0, 0));
	copy_text(money, NAME_SIZE, rows_text(r, 0, 1));
	rows_free(r);
	return true;
}

static bool try_hashes(struct pg *source, struct pg *target, bool *agree, struct error *e)
{
	struct rows *a = PG_ROWS(source, e, express_probe_sql), *b = a ? PG_ROWS(target, e, express_probe_sql) : NULL;
	*agree = b && strcmp(rows_text(a, 0, 0), rows_text(b, 0, 0)) == 0;
	rows_free(a);
	rows_free(b);
	return b != NULL;
}

/* What is stored in SQL_ASCII has no encoding to be converted from: its bytes are compared. */
static bool read_servers(struct verify_run *r, struct pg *const c[SIDES], struct error *e)
{
	struct servers *s = &r->servers;
	char encoding[SIDES][NAME_SIZE], money[SIDES][NAME_SIZE];
	for (int side = 0; side < SIDES; side++) {
		s->version[side] = pg_version(c[side]);
		if (!read_server(c[side], encoding[side], money[side], e))
			return false;
	}
	s->convert = strcmp(encoding[SOURCE], encoding[TARGET]) != 0 && strcmp(encoding[SOURCE], "SQL_ASCII") != 0 &&
				 strcmp(encoding[TARGET], "SQL_ASCII") != 0;
	s->same_money = strcmp(money[SOURCE], money[TARGET]) == 0;
	if (s->convert || MIN(s->version[SOURCE], s->version[TARGET]) < EXPRESS_HASHES_SINCE)
		return true;
	return try_hashes(c[SOURCE], c[TARGET], &s->hashes, e);
}

/* ---- all of it ---- */

/* While others replicate: why the table is not where they are. */
static const char *is_apart(const struct verify_run *r, const struct store_table *t)
{
	lsn_t position;
	if (!r->result->exact || !lsn_parse(r->result->source.lsn, &position))
		return NULL;
	if (t->paused ? !t->error : !t->loaded)
		return "it is being copied";
	if (t->held_at && !t->paused)
		return "it is catching up with the other tables";
	if (t->fetched_at > position)
		return "some of its rows were read from the source later than that";
	return NULL;
}

static const char *is_incomplete(const struct compared *t)
{
	if (!t->names->loaded)
		return "its rows are not loaded yet";
	if (t->names->paused)
		return "it is paused: changes of the source wait for it";
	if (!t->side[SOURCE].oid)
		return "the source has this table no more";
	return t->side[TARGET].oid ? NULL : "the target has no such table";
}

static bool can_be_compared(struct describing *d, struct compared *t)
{
	const char *why = is_apart(d->run, t->names);
	if (!why)
		why = is_incomplete(t);
	if (why)
		jobs_fail(d->run, t, why);
	return !why;
}

/* A rewrite, a table that took another one's name, or one that was emptied and filled by somebody: no stream tells of
 * that, a table's oid and file do. Of what is partitioned they are its leaves', which may come and go. */
static char *files_of(const struct compared *t)
{
	const struct compared_side *s = &t->side[SOURCE], *g = &t->side[TARGET];
	if (s->filenode == 0 || g->filenode == 0)
		return NULL;
	return xasprintf("%lld/%lld %lld/%lld %zu", (long long)s->oid, (long long)s->filenode, (long long)g->oid,
		(long long)g->filenode, t->column_count);
}

/* Was it proven equal, as it is, and has nothing come since? */
static bool is_unchanged(const struct verify_run *r, const struct compared *t)
{
	const struct store_base *b = r->set->base;
	return b && b->lsn && t->names->changed_at < b->lsn && t->result->unverified.count == 0 && t->result->files &&
		   strings_sorted_have(&b->files, t->result->files);
}

static void choose_level(const struct verify_run *r, struct compared *t)
{
	t->result->files = files_of(t);
	if (t->level == VERIFY_CHECKSUM && is_unchanged(r, t)) {
		t->level = VERIFY_COUNTS;
		r->result->counted++;
	}
	t->result->level = t->level;
}

static void describe_table(struct describing *d, struct compared *t)
{
	const struct side_columns *l = &d->columns[SOURCE];
	int64_t table = t->side[SOURCE].oid;
	if (!can_be_compared(d, t))
		return;
	for (size_t i = columns_begin(l, table); i < l->count && l->items[i].table == table; i++)
		match_column(d, t, &l->items[i]);
	choose_level(d->run, t);
	find_own_column(d, t);
	set_where(d, t);
	set_row_hash(d->run, t);
	int64_t rows = MAX(MAX(t->names->rows, t->names->rows_estimate),
		(int64_t)MAX(t->side[SOURCE].tuples, t->side[TARGET].tuples));
	t->buckets = t->level == VERIFY_COUNTS ? 1 : sums_buckets(rows);
	t->weight = MAX(MAX(t->names->bytes, t->names->bytes_estimate), 0);
}

static bool is_chosen(const struct verify_run *r, const struct store_table *t)
{
	char name[2 * NAME_SIZE];
	const struct strings *only = r->set->only;
	if (t->parent || !only)
		return !t->parent;
	snprintf(name, sizeof(name), "%s.%s", t->source_schema, t->source_name);
	for (size_t i = 0; i < only->count; i++)
		if (strcmp(only->items[i], name) == 0)
			return true;
	return false;
}

static void result_begin(struct verify_run *r)
{
	struct verification *v = r->result;
	for (size_t i = 0; i < r->store.table_count; i++)
		v->table_count += is_chosen(r, &r->store.tables[i]);
	v->tables = xcalloc(v->table_count, sizeof(*v->tables));
	r->table_count = v->table_count;
	r->tables = xcalloc(r->table_count, sizeof(*r->tables));
	for (size_t i = 0, n = 0; i < r->store.table_count; i++) {
		const struct store_table *t = &r->store.tables[i];
		if (!is_chosen(r, t))
			continue;
		v->tables[n] = (struct verify_table){ .source = xasprintf("%s.%s", t->source_schema, t->source_name),
			.target = xasprintf("%s.%s", t->target_schema, t->target_name), .source_rows = -1, .target_rows = -1,
			.source_bytes = -1, .target_bytes = -1, .level = r->set->level };
		r->tables[n].names = t;
		r->tables[n].level = r->set->level;
		r->tables[n].result = &v->tables[n];
		n++;
	}
}

static bool read_side(struct describing *d, int side, struct pg *c, struct error *e)
{
	if (!read_tables(d->run, side, c, e))
		return false;
	char *oids = oids_of(d->run, side);
	bool ok = read_columns(c, oids, &d->columns[side], e);
	free(oids);
	return ok;
}

bool verify_describe(struct verify_run *r, struct error *e)
{
	struct describing d = { .run = r };
	struct pg *c[SIDES] = { snapshot_connection(r->snapshot[SOURCE]), snapshot_connection(r->snapshot[TARGET]) };
	result_begin(r);
	if (r->set->only && r->table_count == 0)
		return error_set(e, ERROR_USAGE, "mirror %s has no table %s", r->set->config->name,
			r->set->only->count > 0 ? r->set->only->items[0] : "");
	bool ok = read_servers(r, c, e) && read_side(&d, SOURCE, c[SOURCE], e) && read_side(&d, TARGET, c[TARGET], e);
	for (size_t i = 0; ok && i < r->table_count; i++)
		describe_table(&d, &r->tables[i]);
	char *oids = oids_of(r, SOURCE);
	ok = ok && read_keys(r, c[SOURCE], oids, e);
	free(oids);
	for (int side = 0; side < SIDES; side++)
		side_columns_free(&d.columns[side]);
	return ok;
}

static void table_free(struct compared *t)
{
	for (size_t c = 0; c < t->column_count; c++)
		for (int side = 0; side < SIDES; side++) {
			free(t->columns[c].name[side]);
			free(t->columns[c].quoted[side]);
			free(t->columns[c].sql_type[side]);
			value_type_free(&t->columns[c].type[side]);
		}
	for (int side = 0; side < SIDES; side++) {
		free(t->side[side].from);
		free(t->side[side].where);
		free(t->side[side].row);
		strings_free(&t->copied[side]);
		rows_list_free(&t->left[side]);
		fetched_free(&t->found[side]);
	}
	free(t->columns);
	free(t->key);
	free(t->own_column);
	sums_free(t->sums);
	free(t->differing);
}

void described_free(struct verify_run *r)
{
	for (size_t i = 0; i < r->table_count; i++)
		table_free(&r->tables[i]);
	free(r->tables);
	store_mirror_free(&r->store);
}
