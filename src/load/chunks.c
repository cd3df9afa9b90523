// SPDX-License-Identifier: PostgreSQL
#include "chunks.h"

#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* TID range scans exist since 14: before, a ctid condition reads the whole table. */
#define PG_HAS_TID_RANGE_SCAN 140000
#define PG_HAS_TABLESAMPLE 90500

#define MOST_CHUNKS 20000
/* Wide rows: a chunk is also no larger than this, so that a retry or a pause loses little. */
#define CHUNK_BYTES (1000 * 1000 * 1000LL)
/* As many sampled rows a chunk make chunks even within a few percent. */
#define SAMPLE_ROWS 200
/* Below this the whole table is read for NTILE: a sample of few blocks would be uneven. */
#define SAMPLE_FROM_PAGES 2000
/* Up to this size a table without statistics is counted; a larger one is estimated from a sample. */
#define COUNT_UP_TO_PAGES (128 * 1024)
/* A table without statistics and smaller than this is one chunk whatever it holds. */
#define SMALL_PAGES 512
#define BLOCK_SIZE 8192

static void add_chunk(struct chunks *c, char *condition, char *range)
{
	GROW(c->items, c->count);
	c->items[c->count++] = (struct chunk){ condition, range };
}

void chunks_free(struct chunks *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].condition);
		free(c->items[i].range);
	}
	free(c->items);
	*c = (struct chunks){ 0 };
}

int64_t chunks_estimate(const struct table_info *t)
{
	if (t->bytes == 0)
		return 0;
	return t->pages > 0 && t->tuples >= 0 ? (int64_t)t->tuples : -1;
}

bool chunks_is_small(const struct table_info *t, int64_t rows_per_chunk)
{
	int64_t rows = chunks_estimate(t);
	if (rows < 0)
		return t->bytes <= (int64_t)SMALL_PAGES * BLOCK_SIZE;
	return rows <= rows_per_chunk && t->bytes <= CHUNK_BYTES;
}

void chunks_one(const struct table_info *t, struct chunks *out)
{
	*out = (struct chunks){ .rows = chunks_estimate(t) };
	add_chunk(out, xstrdup(""), xstrdup("all rows"));
	copy_text(out->how, sizeof(out->how), "1 chunk");
}

void chunks_between(struct chunks *out, const char *expression, const char *const *boundaries, size_t n)
{
	for (size_t i = 0; i <= n; i++) {
		const char *low = i > 0 ? boundaries[i - 1] : NULL, *high = i < n ? boundaries[i] : NULL;
		struct strbuf condition = STRBUF_INIT, range = STRBUF_INIT;
		if (low)
			strbuf_addf(&condition, "%s >= %s%s", expression, low, high ? " AND " : "");
		if (high)
			strbuf_addf(&condition, "%s < %s", expression, high);
		strbuf_addf(&range, "%s %s .. %s", expression, low ? low : "start", high ? high : "end");
		add_chunk(out, strbuf_take(&condition), strbuf_take(&range));
	}
}

void chunks_blocks(struct chunks *out, int64_t blocks, int64_t n)
{
	n = MAX(1, MIN(n, blocks));
	char **boundaries = xmalloc((size_t)n * sizeof(char *));
	for (int64_t i = 1; i < n; i++)
		boundaries[i - 1] = xasprintf("'(%lld,0)'", (long long)(blocks * i / n));
	chunks_between(out, "ctid", (const char *const *)boundaries, (size_t)(n - 1));
	for (int64_t i = 1; i < n; i++)
		free(boundaries[i - 1]);
	free(boundaries);
}

/* ---- asking the source ---- */

struct plan {
	struct pg *source;
	const struct table_info *table;
	char *name; /* quoted */
	int64_t blocks, rows, chunks;
	int64_t started_us;
	struct chunks *out;
	struct error *e;
};

static bool one_number(struct plan *p, const char *sql, int64_t *out)
{
	struct rows *r = PG_ROWS(p->source, p->e, sql);
	if (!r)
		return false;
	*out = rows_int(r, 0, 0);
	rows_free(r);
	return true;
}

static bool measure_blocks(struct plan *p)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_addf(&sql, "SELECT pg_catalog.pg_relation_size(%lld::oid) / current_setting('block_size')::int8",
		(long long)p->table->oid);
	bool ok = one_number(p, sql.text, &p->blocks);
	strbuf_free(&sql);
	return ok;
}

/* COUNT where there are no statistics; else tuples a page times the pages of now. */
static bool measure_rows(struct plan *p)
{
	const struct table_info *t = p->table;
	struct strbuf sql = STRBUF_INIT;
	if (t->pages > 0 && t->tuples >= 0) {
		p->rows = (int64_t)(t->tuples / (double)t->pages * (double)p->blocks);
		return true;
	}
	bool sample = p->blocks > COUNT_UP_TO_PAGES && pg_version(p->source) >= PG_HAS_TABLESAMPLE;
	strbuf_addf(&sql, "SELECT count(*)%s FROM ONLY %s%s", sample ? " * 100" : "", p->name,
		sample ? " TABLESAMPLE SYSTEM (1)" : "");
	bool ok = one_number(p, sql.text, &p->rows);
	strbuf_free(&sql);
	return ok;
}

/* " TABLESAMPLE SYSTEM (p)" or nothing; *percent is 100 then. */
static char *sample_clause(const struct plan *p, double *percent)
{
	*percent = 100;
	if (pg_version(p->source) < PG_HAS_TABLESAMPLE || p->blocks < SAMPLE_FROM_PAGES || p->rows <= 0)
		return xstrdup("");
	*percent = 100.0 * (double)(p->chunks * SAMPLE_ROWS) / (double)p->rows;
	*percent = MAX(*percent, 100.0 * 200 / (double)p->blocks); /* of 200 blocks at least */
	*percent = MIN(*percent, 100);
	return xasprintf(" TABLESAMPLE SYSTEM (%.4f)", *percent);
}

static void describe(struct plan *p, const char *over, double percent)
{
	char sampled[48] = "whole table", took[FORMAT_SIZE];
	if (percent < 100)
		snprintf(sampled, sizeof(sampled), "%.2g %% sample", percent);
	snprintf(p->out->how, sizeof(p->out->how), "ntile over %.60s, %zu chunks, %s in %s", over,
		p->out->count, sampled, format_duration((double)(clock_us() - p->started_us) / 1e6, took));
}

/* The lowest value of each bucket but the first is a boundary. Equal ones (a key that is not unique, a
 * block that was sampled twice) fall together, which the query's order makes easy. */
static bool boundaries_of(struct plan *p, const char *sql, const char *type, struct strings *out)
{
	struct rows *r = PG_ROWS(p->source, p->e, sql);
	if (!r)
		return false;
	for (int i = 1; i < rows_count(r); i++) {
		struct strbuf literal = STRBUF_INIT;
		quote_literal(&literal, rows_text(r, i, 0));
		strbuf_addf(&literal, "%s%s", type[0] ? "::" : "", type);
		if (strcmp(rows_text(r, i, 0), rows_text(r, i - 1, 0)) != 0)
			strings_add(out, literal.text);
		strbuf_free(&literal);
	}
	rows_free(r);
	return true;
}

/* NTILE over ctid, boundaries rounded down to the block, so that a block is read by one chunk. */
static bool ntile_over_ctid(struct plan *p)
{
	double percent;
	struct strings boundaries = { 0 };
	char *sample = sample_clause(p, &percent);
	char *sql = xasprintf(
		"SELECT '(' || split_part(trim('(' from min(at)::text), ',', 1) || ',0)' FROM"
		" (SELECT ctid AS at, ntile(%lld) OVER (ORDER BY ctid) AS bucket FROM ONLY %s%s) s"
		" GROUP BY bucket ORDER BY bucket", (long long)p->chunks, p->name, sample);
	bool ok = boundaries_of(p, sql, "", &boundaries);
	if (ok) {
		chunks_between(p->out, "ctid", (const char *const *)boundaries.items, boundaries.count);
		describe(p, "ctid", percent);
	}
	strings_free(&boundaries);
	free(sample);
	free(sql);
	return ok;
}

static bool ntile_over_key(struct plan *p)
{
	double percent;
	struct strings boundaries = { 0 };
	struct strbuf key = STRBUF_INIT;
	quote_name(&key, p->table->key_column);
	char *sample = sample_clause(p, &percent);
	char *sql = xasprintf(
		"SELECT low::text FROM (SELECT DISTINCT ON (bucket) bucket, k AS low FROM"
		" (SELECT %s AS k, ntile(%lld) OVER (ORDER BY %s) AS bucket FROM ONLY %s%s WHERE %s IS NOT NULL) s"
		" ORDER BY bucket, k) b ORDER BY bucket",
		key.text, (long long)p->chunks, key.text, p->name, sample, key.text);
	bool ok = boundaries_of(p, sql, p->table->key_type, &boundaries);
	if (ok) {
		chunks_between(p->out, key.text, (const char *const *)boundaries.items, boundaries.count);
		if (p->table->key_nullable && p->out->items[0].condition[0])
			add_chunk(p->out, xasprintf("%s IS NULL", key.text), xasprintf("%s null", key.text));
		describe(p, p->table->key_column, percent);
	}
	strings_free(&boundaries);
	strbuf_free(&key);
	free(sample);
	free(sql);
	return ok;
}

static bool equal_blocks(struct plan *p)
{
	chunks_blocks(p->out, p->blocks, p->chunks);
	snprintf(p->out->how, sizeof(p->out->how), "ctid, %zu equal block ranges", p->out->count);
	return true;
}

static bool whole(struct plan *p, const char *why)
{
	add_chunk(p->out, xstrdup(""), xstrdup("all rows"));
	snprintf(p->out->how, sizeof(p->out->how), "1 chunk%s%s", why[0] ? ": " : "", why);
	return true;
}

static bool choose(struct plan *p, enum chunking chunking, int64_t rows_per_chunk)
{
	bool by_ctid = pg_version(p->source) >= PG_HAS_TID_RANGE_SCAN;
	bool by_key = p->table->key_column != NULL;
	p->chunks = MAX((p->rows + rows_per_chunk - 1) / rows_per_chunk,
		p->blocks * BLOCK_SIZE / CHUNK_BYTES);
	p->chunks = MIN(p->chunks, MOST_CHUNKS);
	if (p->chunks <= 1)
		return whole(p, "");
	if (chunking == CHUNKING_CTID)
		return by_ctid ? equal_blocks(p) : whole(p, "ctid ranges need a source from 14 on");
	if (chunking == CHUNKING_NTILE && by_key)
		return ntile_over_key(p);
	if (by_ctid)
		return ntile_over_ctid(p);
	return by_key ? ntile_over_key(p) : whole(p, "no key, and no ctid ranges before 14");
}

bool chunks_plan(struct pg *source, const struct table_info *t, enum chunking chunking,
	int64_t rows_per_chunk, struct chunks *out, struct error *e)
{
	struct strbuf name = STRBUF_INIT;
	quote_qualified(&name, t->schema, t->name);
	*out = (struct chunks){ .rows = -1 };
	struct plan p = {
		.source = source, .table = t, .name = name.text, .started_us = clock_us(), .out = out, .e = e
	};
	bool ok = measure_blocks(&p) && measure_rows(&p) && choose(&p, chunking, rows_per_chunk);
	out->rows = p.rows;
	strbuf_free(&name);
	if (!ok)
		chunks_free(out);
	return ok;
}
