// SPDX-License-Identifier: PostgreSQL
/* Reading the load: sums, windows, rates. A total is an estimate until the table's last row is in. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of the whole the keys and indexes are, as long as there are any: on measured clones a quarter. */
#define BUILDS_SHARE 0.25
/* Nothing says 100 % before the last commit. */
#define ALMOST 0.999

const char *table_state_name(enum table_state s)
{
	static const char *const names[] = {
		[TABLE_QUEUED] = "queued",
		[TABLE_CREATING] = "create",
		[TABLE_PLANNING] = "plan",
		[TABLE_COPYING] = "copy",
		[TABLE_BUILDING] = "index",
		[TABLE_DONE] = "done",
		[TABLE_PAUSED] = "paused",
		[TABLE_FAILED] = "failed",
	};
	return names[s];
}

/* Its rows and keys are in; what comes after that is the stream's. */
static bool is_loaded(enum table_state s)
{
	return s == TABLE_DONE || s == TABLE_PAUSED;
}

/* Rows and bytes that workers have moved of table i and not committed. */
static void moving(const struct mirror_entry *r, size_t table, int64_t *rows, int64_t *bytes)
{
	*rows = *bytes = 0;
	for (int i = 0; i < MOST_WORKERS; i++) {
		const struct worker_entry *w = &r->workers[i];
		if (!w->copying || w->table != table)
			continue;
		*rows += atomic_load(&w->progress.rows);
		*bytes += atomic_load(&w->progress.bytes);
	}
}

struct amounts {
	int64_t rows, rows_total, bytes, bytes_total;
};

/* rows_total and bytes_total are negative where nothing is known. */
static struct amounts amounts_of(const struct mirror_entry *r, size_t table)
{
	const struct table_entry *t = &r->tables[table];
	struct amounts a = { .rows = t->rows, .bytes = t->bytes };
	if (t->state == TABLE_COPYING) {
		int64_t rows, bytes;
		moving(r, table, &rows, &bytes);
		a.rows += rows;
		a.bytes += bytes;
	}
	if (t->exact) {
		a.rows_total = a.rows;
		a.bytes_total = a.bytes;
		return a;
	}
	a.rows_total = t->rows_estimate < 0 ? -1 : MAX(t->rows_estimate, a.rows);
	if (a.rows > 1000 && a.rows_total > 0) /* what a row really weighs is known by now */
		a.bytes_total = (int64_t)((double)a.bytes / (double)a.rows * (double)a.rows_total);
	else
		a.bytes_total = MAX(t->bytes_estimate, a.bytes);
	return a;
}

void load_sum(const struct mirror_entry *r, struct load_totals *out)
{
	*out = (struct load_totals){ .tables = r->table_count, .eta_s = r->rate.eta_s, .exact = true };
	for (size_t i = 0; i < r->table_count; i++) {
		const struct table_entry *t = &r->tables[i];
		struct amounts a = amounts_of(r, i);
		out->tables_done += is_loaded(t->state);
		out->tables_failed += t->state == TABLE_FAILED;
		out->tables_paused += t->state == TABLE_PAUSED;
		out->tables_running += t->state == TABLE_COPYING || t->state == TABLE_BUILDING;
		out->chunks += t->chunk_count;
		out->chunks_done += t->chunks_done;
		out->rows += a.rows;
		out->rows_total += MAX(a.rows_total, a.rows);
		out->bytes += a.bytes;
		out->bytes_total += MAX(a.bytes_total, a.bytes);
		out->builds += t->build_count;
		out->builds_done += t->builds_done;
		out->exact = out->exact && t->exact;
	}
	double copied = out->bytes_total > 0 ? (double)out->bytes / (double)out->bytes_total : 0;
	double built = out->builds > 0 ? (double)out->builds_done / (double)out->builds : 0;
	out->fraction = out->builds > 0 ? copied * (1 - BUILDS_SHARE) + built * BUILDS_SHARE : copied;
	if (out->tables_done == out->tables && out->tables > 0)
		out->fraction = 1;
	else
		out->fraction = MIN(out->fraction, ALMOST);
	out->rate = rate_per_s(&r->rate);
}

/* Queued tables wait for all larger ones: their ETA is when the queue reaches their end. */
static void tick_mirror(struct mirror_entry *r, int64_t now)
{
	struct load_totals sum;
	load_sum(r, &sum);
	rate_add(&r->rate, now, sum.bytes);
	rate_eta(&r->rate, sum.bytes_total - sum.bytes);
	double speed = rate_per_s(&r->rate);
	int64_t ahead = 0;
	for (size_t i = 0; i < r->table_count; i++) {
		struct table_entry *t = &r->tables[r->queue[i]];
		if (is_loaded(t->state) || t->state == TABLE_FAILED)
			continue;
		struct amounts a = amounts_of(r, r->queue[i]);
		ahead += MAX(a.bytes_total - a.bytes, 0);
		if (t->state == TABLE_COPYING) {
			rate_add(&t->rate, now, a.bytes);
			rate_eta(&t->rate, a.bytes_total - a.bytes);
		} else {
			t->rate.eta_s = speed > 0 && t->state != TABLE_BUILDING ? MAX((double)ahead / speed, 1) : -1;
		}
	}
}

void model_tick(struct model *m)
{
	int64_t now = clock_us();
	bool changed = false;
	model_lock(m);
	for (size_t i = 0; i < m->mirror_count; i++) {
		struct mirror_entry *r = m->mirrors[i];
		bool streams = r->replication && r->replication->view.running;
		if (r->running)
			tick_mirror(r, now);
		if (streams)
			replication_tick(r, now);
		changed = changed || r->running || streams;
	}
	if (changed)
		model_unlock_changed(m);
	else
		model_unlock(m);
}

bool model_load_totals(struct model *m, const char *mirror, struct load_totals *out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	if (r)
		load_sum(r, out);
	model_unlock(m);
	return r != NULL;
}

uint64_t model_load_run(struct model *m, const char *mirror)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	uint64_t run = r ? r->run : 0;
	model_unlock(m);
	return run;
}

void model_load_names(struct model *m, const char *mirror, struct strings *out)
{
	*out = (struct strings){ 0 };
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; r && i < r->table_count; i++)
		strings_add(out, r->tables[i].source);
	model_unlock(m);
}

static double key_value(const struct mirror_entry *r, size_t table, enum load_column column)
{
	const struct table_entry *t = &r->tables[table];
	struct amounts a = amounts_of(r, table);
	switch (column) {
	case LOAD_STATE:
		return (double)t->state;
	case LOAD_CHUNKS:
		return (double)t->chunk_count;
	case LOAD_ROWS:
		return (double)a.rows_total;
	case LOAD_BYTES:
		return (double)a.bytes_total;
	case LOAD_RATE:
		return t->state == TABLE_COPYING ? rate_per_s(&t->rate) : 0;
	case LOAD_ETA:
		return t->rate.eta_s;
	case LOAD_NAME:
		break;
	}
	return 0;
}

size_t model_load_keys(struct model *m, const char *mirror, enum load_column column, struct load_key **out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? r->table_count : 0;
	*out = xmalloc(n * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = (struct load_key){ i, r->tables[i].state, key_value(r, i, column) };
	model_unlock(m);
	return n;
}

static void table_view_of(const struct mirror_entry *r, size_t table, struct table_view *v)
{
	const struct table_entry *t = &r->tables[table];
	struct amounts a = amounts_of(r, table);
	*v = (struct table_view){
		.index = table,
		.state = t->state,
		.chunks = t->chunk_count,
		.chunks_done = t->chunks_done,
		.rows = a.rows,
		.rows_total = a.rows_total,
		.bytes = a.bytes,
		.bytes_total = a.bytes_total,
		.exact = t->exact,
		.builds = t->build_count,
		.builds_done = t->builds_done,
		.rate = t->state == TABLE_COPYING ? rate_per_s(&t->rate) : 0,
		.eta_s = is_loaded(t->state) || t->state == TABLE_FAILED ? -1 : t->rate.eta_s,
		.elapsed_s = (double)(t->took_us + (t->started_us ? clock_us() - t->started_us : 0)) / 1e6,
		.attempts = t->attempts,
	};
	copy_text(v->source, sizeof(v->source), t->source);
	copy_text(v->target, sizeof(v->target), t->target);
	copy_text(v->how, sizeof(v->how), t->how);
	copy_text(v->stall, sizeof(v->stall), t->stall);
	if (t->error)
		v->error = *t->error;
}

size_t model_load_tables(struct model *m, const char *mirror, const size_t *indexes, size_t n,
	struct table_view *out)
{
	size_t copied = 0;
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; r && i < n; i++)
		if (indexes[i] < r->table_count)
			table_view_of(r, indexes[i], &out[copied++]);
	model_unlock(m);
	return copied;
}

static void chunk_view_of(const struct mirror_entry *r, const struct chunk_entry *c, size_t number,
	struct chunk_view *v)
{
	*v = (struct chunk_view){
		.number = number,
		.state = c->state,
		.rows = c->rows,
		.bytes = c->bytes,
		.worker = c->worker,
		.attempts = c->attempts,
		.took_s = (double)c->took_us / 1e6,
	};
	copy_text(v->range, sizeof(v->range), c->range);
	if (c->state == CHUNK_COPYING) {
		const struct worker_entry *w = &r->workers[c->worker % MOST_WORKERS];
		v->rows = atomic_load(&w->progress.rows);
		v->bytes = atomic_load(&w->progress.bytes);
		v->took_s = (double)(clock_us() - c->started_us) / 1e6;
	}
}

size_t model_chunks(struct model *m, const char *mirror, size_t table, size_t first, size_t n,
	struct chunk_view *out)
{
	size_t copied = 0;
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	const struct table_entry *t = table_find(r, table);
	for (size_t i = first; t && t->chunks && i < t->chunk_count && copied < n; i++)
		chunk_view_of(r, &t->chunks[i], i + 1, &out[copied++]);
	model_unlock(m);
	return copied;
}

size_t model_builds(struct model *m, const char *mirror, size_t table, struct build_view **out)
{
	model_lock(m);
	const struct table_entry *t = table_find(mirror_find(m, mirror), table);
	size_t n = t ? t->build_count : 0;
	*out = xcalloc(n, sizeof(**out));
	for (size_t i = 0; i < n; i++) {
		const struct build_entry *b = &t->builds[i];
		struct build_view *v = &(*out)[i];
		copy_text(v->name, sizeof(v->name), b->name);
		copy_text(v->kind, sizeof(v->kind), b->kind);
		copy_text(v->phase, sizeof(v->phase), b->phase);
		v->state = b->state;
		v->fraction = b->fraction;
		v->took_s = (double)(b->state == CHUNK_COPYING ? clock_us() - b->started_us : b->took_us) / 1e6;
		if (b->error)
			v->error = *b->error;
	}
	model_unlock(m);
	return n;
}

/* How far the chunk of a worker is: by the mean of the table's chunks. */
static double chunk_fraction(const struct mirror_entry *r, const struct worker_entry *w)
{
	const struct table_entry *t = &r->tables[w->table];
	struct amounts a = amounts_of(r, w->table);
	if (t->chunk_count == 0 || a.rows_total <= 0)
		return -1;
	double mean = (double)a.rows_total / (double)t->chunk_count;
	return MIN((double)atomic_load(&w->progress.rows) / mean, ALMOST);
}

size_t model_workers(struct model *m, const char *mirror, struct worker_view **out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? MIN((size_t)r->view.workers, (size_t)MOST_WORKERS) : 0;
	*out = xcalloc(n, sizeof(**out));
	for (size_t i = 0; i < n; i++) {
		const struct worker_entry *w = &r->workers[(i + 1) % MOST_WORKERS];
		struct worker_view *v = &(*out)[i];
		v->number = (int)i + 1;
		copy_text(v->doing, sizeof(v->doing), w->doing);
		copy_text(v->what, sizeof(v->what), w->what);
		v->fraction = w->copying ? chunk_fraction(r, w) : w->fraction;
	}
	model_unlock(m);
	return n;
}
