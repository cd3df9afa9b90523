// SPDX-License-Identifier: PostgreSQL
/* The jobs of counting and summing: how large a table is, the sums of its ranges, and the rows of the buckets that
 * differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define PG_HAS_TID_RANGES 140000
#define RANGE_BLOCKS 4096 /* 32 MB */
#define RANGES_A_WORKER 8
#define FETCH_ROWS "5000"

/* ---- plan ---- */

static bool read_size(struct pg *c, const struct compared *t, int side, int64_t *blocks, int64_t *bytes, struct error *e)
{
	char oid[24];
	snprintf(oid, sizeof(oid), "%lld", (long long)t->side[side].oid);
	struct rows *r = PG_ROWS(c, e,
		"SELECT coalesce(pg_relation_size(c.oid) / current_setting('block_size')::int8, 0), coalesce(CASE c.relkind"
		"  WHEN 'r' THEN pg_table_size(c.oid) END, 0) FROM pg_class c WHERE c.oid = $1::oid", oid);
	if (!r)
		return false;
	*blocks = rows_count(r) ? rows_int(r, 0, 0) : 0;
	*bytes = rows_count(r) ? rows_int(r, 0, 1) : 0;
	rows_free(r);
	return true;
}

int64_t bytes_expected(const struct compared *t)
{
	return t->weight;
}

/* With the lock held. */
static void note_bytes(struct verify_run *r, struct compared *t, int side, int64_t bytes)
{
	int64_t *noted = side == SOURCE ? &t->result->source_bytes : &t->result->target_bytes;
	r->view.bytes_total += bytes - (*noted < 0 ? bytes_expected(t) : *noted);
	*noted = bytes;
}

/* True when it is to be summed. */
static bool note_size(struct verify_run *r, struct compared *t, int side, int64_t bytes)
{
	pthread_mutex_lock(&r->lock);
	note_bytes(r, t, side, bytes);
	bool sums = t->phase == PHASE_SUMS;
	pthread_mutex_unlock(&r->lock);
	return sums;
}

bool measure(struct verify_run *r, struct pg *c, struct compared *t, int side, struct error *e)
{
	int64_t blocks, bytes;
	if (!read_size(c, t, side, &blocks, &bytes, e))
		return false;
	note_size(r, t, side, bytes);
	return true;
}

/* How many ranges the table is read in. The last one has no end, so that it does not matter if the table has grown. */
static int64_t ranges_of(const struct verify_run *r, struct pg *c, const struct compared *t, int side, int64_t blocks)
{
	if (t->side[side].partitioned || pg_version(c) < PG_HAS_TID_RANGES || blocks < 2 * RANGE_BLOCKS)
		return 1;
	return MIN(blocks / RANGE_BLOCKS, (int64_t)r->set->config->workers * RANGES_A_WORKER);
}

static void push_ranges(struct verify_run *r, const struct job *plan, enum job_kind kind, int64_t blocks, int64_t n)
{
	pthread_mutex_lock(&r->lock);
	plan->table->pending += (int)n;
	for (int64_t i = n; i-- > 0;) /* each to the front: the first one comes first */
		jobs_push(r, &(struct job){ .kind = kind, .side = plan->side, .table = plan->table, .first = blocks * i / n,
						 .end = i + 1 < n ? blocks * (i + 1) / n : 0 }, true);
	pthread_mutex_unlock(&r->lock);
}

/* By what is known of it, it would be read in one piece anyway. */
bool is_small(const struct compared *t, int side)
{
	const struct compared_side *s = &t->side[side];
	return s->partitioned || (s->pages > 0 && s->pages < RANGE_BLOCKS) ||
		   (s->pages <= 0 && t->names->bytes > 0 && t->names->bytes < RANGE_BLOCKS * 1024);
}

/* Of whichever phase reads the whole table. */
bool job_plan(struct worker *w, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	int64_t blocks, bytes;
	struct pg *c = worker_connection(w, job->side, e);
	if (!c || !read_size(c, t, job->side, &blocks, &bytes, e))
		return false;
	enum job_kind kind = note_size(w->run, t, job->side, bytes) ? JOB_SUMS : JOB_LOCATE;
	push_ranges(w->run, job, kind, blocks, ranges_of(w->run, c, t, job->side, blocks));
	return true;
}

/* ---- sums ---- */

static int64_t bytes_of_range(const struct job *job)
{
	const struct verify_table *out = job->table->result;
	int64_t all = job->side == SOURCE ? out->source_bytes : out->target_bytes;
	if (job->first == 0 && job->end == 0)
		return all;
	return (job->end ? job->end - job->first : RANGE_BLOCKS) * 8192;
}

static bool is_same_file(const struct compared *t, int side, int64_t filenode, struct error *e)
{
	if (t->side[side].partitioned || filenode == t->side[side].filenode)
		return true;
	return error_set(e, ERROR_CONFLICT, "it was truncated or rewritten on the %s while it was being verified",
		side == SOURCE ? "source" : "target");
}

bool check_file(struct pg *c, const struct compared *t, int side, struct error *e)
{
	char oid[24];
	snprintf(oid, sizeof(oid), "%lld", (long long)t->side[side].oid);
	struct rows *r = PG_ROWS(c, e, "SELECT coalesce(pg_relation_filenode($1::oid), 0)", oid);
	bool ok = r && is_same_file(t, side, rows_int(r, 0, 0), e);
	rows_free(r);
	return ok;
}

bool job_sums(struct worker *w, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	struct pg *c = worker_connection(w, job->side, e);
	if (!c)
		return false;
	char *sql = statement_sums(t, job->side, job->first, job->end);
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	bool ok = r && is_same_file(t, job->side, rows_count(r) ? rows_int(r, 0, 1) : 0, e);
	int64_t rows = 0;
	pthread_mutex_lock(&w->run->lock);
	if (ok && job->first == 0 && job->end == 0)
		note_bytes(w->run, t, job->side, rows_int(r, 0, 2));
	for (int i = 1; ok && i < rows_count(r); i++) {
		sums_add(t->sums, job->side, (size_t)rows_int(r, i, 0), rows_int(r, i, 1), rows_text(r, i, 2));
		rows += rows_int(r, i, 1);
	}
	int64_t bytes = ok ? bytes_of_range(job) : 0;
	w->run->view.bytes += bytes;
	pthread_mutex_unlock(&w->run->lock);
	progress_read(w->run, t, job->side, rows, bytes);
	rows_free(r);
	return ok;
}

/* ---- what differs ---- */

static bool list_rows(struct pg *c, struct rows_list *out, struct error *e)
{
	for (;;) {
		struct rows *r = PG_ROWS(c, e, "FETCH " FETCH_ROWS " FROM pgpier");
		if (!r)
			return false;
		int n = rows_count(r);
		bool ok = true;
		for (int i = 0; i < n && ok; i++) {
			struct rows_of_hash x = { .hash = rows_int(r, i, 2), .count = rows_int(r, i, 3),
				.place.table = rows_int(r, i, 0) };
			ok = place_parse(rows_text(r, i, 1), &x.place) || error_set(e, ERROR_BUG, "a row at no place");
			if (ok)
				rows_list_add(out, &x);
		}
		rows_free(r);
		if (ok && out->count > 2 * MOST_LISTED)
			return error_set(e, ERROR_CONFLICT, "it differs, but in parts of too many rows to be listed");
		if (n == 0 || !ok)
			return ok;
	}
}

bool job_locate(struct worker *w, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	struct rows_list found = { 0 };
	struct pg *c = worker_connection(w, job->side, e);
	if (!c)
		return false;
	char *sql = statement_locate(t, job->side, job->first, job->end);
	bool ok = pg_runf(c, e, "DECLARE pgpier NO SCROLL CURSOR FOR %s", sql) && list_rows(c, &found, e) &&
			  check_file(c, t, job->side, e);
	free(sql);
	if (ok) {
		pthread_mutex_lock(&w->run->lock);
		for (size_t i = 0; i < found.count; i++)
			rows_list_add(&t->left[job->side], &found.items[i]);
		pthread_mutex_unlock(&w->run->lock);
	}
	rows_list_free(&found);
	return ok;
}
