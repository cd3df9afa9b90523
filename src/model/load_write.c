// SPDX-License-Identifier: PostgreSQL
/* The tables, chunks, builds and workers of a mirror: what the engine reports as it goes. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

struct table_entry *table_find(struct mirror_entry *r, size_t table)
{
	return r && table < r->table_count ? &r->tables[table] : NULL;
}

static void replace_text(char **text, const char *with)
{
	free(*text);
	*text = xstrdup(with);
}

void replace_error(struct error **error, const struct error *with)
{
	free(*error);
	*error = NULL;
	if (with && with->class != ERROR_NONE) {
		*error = xmalloc(sizeof(**error));
		**error = *with;
	}
}

static void clear_chunks(struct table_entry *t)
{
	for (size_t i = 0; t->chunks && i < t->chunk_count; i++)
		free(t->chunks[i].range);
	free(t->chunks);
	t->chunks = NULL;
	t->chunk_count = t->chunks_done = 0;
}

static void clear_builds(struct table_entry *t)
{
	for (size_t i = 0; i < t->build_count; i++) {
		free(t->builds[i].name);
		free(t->builds[i].kind);
		free(t->builds[i].error);
	}
	free(t->builds);
	t->builds = NULL;
	t->build_count = t->builds_done = 0;
}

void load_clear(struct mirror_entry *r)
{
	for (size_t i = 0; i < r->table_count; i++) {
		struct table_entry *t = &r->tables[i];
		clear_chunks(t);
		clear_builds(t);
		free(t->source);
		free(t->target);
		free(t->how);
		free(t->stall);
		free(t->error);
	}
	free(r->tables);
	free(r->queue);
	r->tables = NULL;
	r->queue = NULL;
	r->table_count = 0;
}

static void table_init(struct table_entry *t, const struct load_table_init *init)
{
	*t = (struct table_entry){
		.source = xstrdup(init->source),
		.target = xstrdup(init->target),
		.how = xstrdup(init->how),
		.state = init->state,
		.exact = init->exact,
		.rows_estimate = init->rows,
		.bytes_estimate = init->bytes,
		.rows = init->exact ? MAX(init->rows, 0) : init->rows_done,
		.bytes = init->exact ? MAX(init->bytes, 0) : init->bytes_done,
		.chunk_count = init->chunks,
		.chunks_done = init->chunks_done,
		.took_us = (int64_t)(init->elapsed_s * 1e6),
		.attempts = init->attempts,
	};
	replace_error(&t->error, init->error);
	rate_reset(&t->rate);
}

struct queue_item {
	int64_t bytes;
	size_t table;
};

static int largest_first(const void *a, const void *b)
{
	const struct queue_item *x = a, *y = b;
	return x->bytes != y->bytes ? (x->bytes < y->bytes) - (x->bytes > y->bytes)
								: (x->table > y->table) - (x->table < y->table);
}

static void order_queue(struct mirror_entry *r)
{
	struct queue_item *items = xmalloc(r->table_count * sizeof(*items));
	for (size_t i = 0; i < r->table_count; i++)
		items[i] = (struct queue_item){ r->tables[i].bytes_estimate, i };
	qsort(items, r->table_count, sizeof(*items), largest_first);
	r->queue = xmalloc(r->table_count * sizeof(*r->queue));
	for (size_t i = 0; i < r->table_count; i++)
		r->queue[i] = items[i].table;
	free(items);
}

void model_load_set(struct model *m, const char *mirror, const struct load_table_init *tables, size_t n)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		struct kept_changes *kept = changes_keep(r);
		size_t kept_count = r->table_count;
		load_clear(r);
		r->run++;
		r->tables = xmalloc(n * sizeof(*r->tables));
		r->table_count = n;
		for (size_t i = 0; i < n; i++)
			table_init(&r->tables[i], &tables[i]);
		order_queue(r);
		changes_restore(r, kept, kept_count);
	}
	model_unlock_changed(m);
}

void model_load_started(struct model *m, const char *mirror)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		r->running = true;
		r->run_started_us = clock_us();
		rate_reset(&r->rate);
	}
	model_unlock_changed(m);
}

/* What a pause or a lost server interrupted waits again. */
static void settle_table(struct table_entry *t)
{
	if (t->state != TABLE_DONE && t->state != TABLE_FAILED && t->state != TABLE_PAUSED)
		t->state = TABLE_QUEUED;
	if (t->started_us)
		t->took_us += clock_us() - t->started_us;
	t->started_us = 0;
	rate_reset(&t->rate);
	replace_text(&t->stall, NULL);
}

void model_load_ended(struct model *m, const char *mirror)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r && r->running) {
		r->running = false;
		r->view.elapsed_s = (double)(clock_us() - r->run_started_us) / 1e6;
		rate_reset(&r->rate);
		for (size_t i = 0; i < r->table_count; i++)
			settle_table(&r->tables[i]);
		for (int i = 0; i < MOST_WORKERS; i++)
			r->workers[i].doing[0] = '\0';
	}
	model_unlock_changed(m);
}

/* ---- tables ---- */

static bool is_moving(enum table_state s)
{
	return s == TABLE_PLANNING || s == TABLE_COPYING || s == TABLE_BUILDING;
}

void model_table_state(struct model *m, const char *mirror, size_t table, enum table_state state)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t && t->state != state) {
		if (is_moving(state) && !is_moving(t->state))
			t->started_us = clock_us();
		if (!is_moving(state) && t->started_us) {
			t->took_us += clock_us() - t->started_us;
			t->started_us = 0;
		}
		if (state != TABLE_FAILED)
			replace_error(&t->error, NULL);
		if (state == TABLE_BUILDING || state == TABLE_DONE)
			t->exact = true;
		if (t->state == TABLE_FAILED)
			t->attempts++;
		t->state = state;
		replace_text(&t->stall, NULL);
	}
	model_unlock_changed(m);
}

void model_table_failed(struct model *m, const char *mirror, size_t table, const struct error *e)
{
	model_table_state(m, mirror, table, TABLE_FAILED);
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t)
		replace_error(&t->error, e);
	model_unlock_changed(m);
}

void model_table_planned(struct model *m, const char *mirror, size_t table, size_t chunks,
	const char *const *ranges, int64_t rows, const char *how)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t) {
		clear_chunks(t);
		t->rows = t->bytes = 0;
		t->exact = false;
		t->chunk_count = chunks;
		t->chunks = xcalloc(chunks, sizeof(*t->chunks));
		for (size_t i = 0; i < chunks; i++)
			t->chunks[i].range = xstrdup(ranges[i]);
		if (rows >= 0)
			t->rows_estimate = rows;
		replace_text(&t->how, how);
	}
	model_unlock_changed(m);
}

void model_table_reset(struct model *m, const char *mirror, size_t table)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t) {
		clear_chunks(t);
		t->rows = t->bytes = 0;
		t->exact = false;
		t->took_us = 0;
		rate_reset(&t->rate);
	}
	model_unlock_changed(m);
}

/* ---- chunks ---- */

static struct chunk_entry *chunk_find(struct table_entry *t, size_t chunk)
{
	return t && t->chunks && chunk < t->chunk_count ? &t->chunks[chunk] : NULL;
}

static void chunk_finish(struct table_entry *t, struct chunk_entry *c, int64_t rows, int64_t bytes,
	int64_t took_us)
{
	c->state = CHUNK_DONE;
	c->rows = rows;
	c->bytes = bytes;
	c->took_us = took_us;
	t->chunks_done++;
	t->rows += rows;
	t->bytes += bytes;
}

void model_chunk_kept(struct model *m, const char *mirror, size_t table, size_t chunk, int64_t rows,
	int64_t bytes, double took_s)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	struct chunk_entry *c = chunk_find(t, chunk);
	if (c)
		chunk_finish(t, c, rows, bytes, (int64_t)(took_s * 1e6));
	model_unlock_changed(m);
}

struct progress *model_progress_borrow(struct model *m, const char *mirror, int worker)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	struct progress *p = r ? &r->workers[worker % MOST_WORKERS].progress : NULL;
	model_unlock(m);
	return p;
}

static void progress_clear(struct worker_entry *w)
{
	atomic_store(&w->progress.rows, 0);
	atomic_store(&w->progress.bytes, 0);
}

void model_chunk_started(struct model *m, const char *mirror, size_t table, size_t chunk, int worker)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	struct chunk_entry *c = chunk_find(table_find(r, table), chunk);
	if (c) {
		struct worker_entry *w = &r->workers[worker % MOST_WORKERS];
		c->state = CHUNK_COPYING;
		c->worker = worker;
		c->attempts++;
		c->started_us = clock_us();
		w->table = table;
		w->chunk = chunk;
		w->copying = true;
		progress_clear(w);
	}
	model_unlock_changed(m);
}

static void worker_leave(struct mirror_entry *r, struct chunk_entry *c)
{
	struct worker_entry *w = &r->workers[c->worker % MOST_WORKERS];
	w->copying = false;
	progress_clear(w);
}

void model_chunk_done(struct model *m, const char *mirror, size_t table, size_t chunk, int64_t rows,
	int64_t bytes)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	struct table_entry *t = table_find(r, table);
	struct chunk_entry *c = chunk_find(t, chunk);
	if (c) {
		worker_leave(r, c);
		chunk_finish(t, c, rows, bytes, clock_us() - c->started_us);
	}
	model_unlock_changed(m);
}

void model_chunk_failed(struct model *m, const char *mirror, size_t table, size_t chunk, bool again)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	struct chunk_entry *c = chunk_find(table_find(r, table), chunk);
	if (c) {
		worker_leave(r, c);
		c->state = again ? CHUNK_QUEUED : CHUNK_FAILED;
		c->rows = c->bytes = 0;
	}
	model_unlock_changed(m);
}

/* ---- builds and workers ---- */

void model_table_builds(struct model *m, const char *mirror, size_t table, size_t n,
	const char *const *names, const char *const *kinds)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t) {
		clear_builds(t);
		t->builds = xcalloc(n, sizeof(*t->builds));
		t->build_count = n;
		for (size_t i = 0; i < n; i++) {
			t->builds[i].name = xstrdup(names[i]);
			t->builds[i].kind = xstrdup(kinds[i]);
			t->builds[i].fraction = -1;
		}
	}
	model_unlock_changed(m);
}

void model_build_state(struct model *m, const char *mirror, size_t table, size_t build,
	enum chunk_state state, const struct error *e)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t && build < t->build_count) {
		struct build_entry *b = &t->builds[build];
		t->builds_done += (state == CHUNK_DONE) - (b->state == CHUNK_DONE);
		if (state == CHUNK_COPYING)
			b->started_us = clock_us();
		else if (b->started_us)
			b->took_us = clock_us() - b->started_us;
		b->state = state;
		replace_error(&b->error, e);
	}
	model_unlock_changed(m);
}

void model_build_progress(struct model *m, const char *mirror, int worker, double fraction,
	const char *phase)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	struct worker_entry *w = r ? &r->workers[worker % MOST_WORKERS] : NULL;
	struct table_entry *t = w && w->building ? table_find(r, w->table) : NULL;
	for (size_t i = 0; t && i < t->build_count; i++) {
		if (t->builds[i].state != CHUNK_COPYING || !strstr(w->what, t->builds[i].name))
			continue;
		t->builds[i].fraction = w->fraction = fraction;
		copy_text(t->builds[i].phase, sizeof(t->builds[i].phase), phase);
	}
	model_unlock_changed(m);
}

void model_worker(struct model *m, const char *mirror, int worker, const char *doing, size_t table,
	const char *what)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		struct worker_entry *w = &r->workers[worker % MOST_WORKERS];
		copy_text(w->doing, sizeof(w->doing), doing);
		copy_text(w->what, sizeof(w->what), what);
		w->table = table;
		w->building = strcmp(doing, "index") == 0;
		w->fraction = -1;
	}
	model_unlock_changed(m);
}

void model_stalls_clear(struct model *m, const char *mirror)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; r && i < r->table_count; i++)
		if (r->tables[i].stall)
			replace_text(&r->tables[i].stall, NULL);
	model_unlock(m);
}

void model_worker_stall(struct model *m, const char *mirror, int worker, const char *stall)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	const struct worker_entry *w = r ? &r->workers[(unsigned)worker % MOST_WORKERS] : NULL;
	struct table_entry *t = worker > 0 && w && w->doing[0] ? table_find(r, w->table) : NULL;
	if (t)
		replace_text(&t->stall, stall);
	else if (r && worker == 0) /* before the workers begin: the mirror as a whole waits */
		copy_text(r->view.next, sizeof(r->view.next), stall);
	model_unlock_changed(m);
}
