// SPDX-License-Identifier: PostgreSQL
/* A verification from its snapshots to its verdict. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "verification.h"

#define LOOK_EVERY_MS 200
#define KEEP_EVERY_US 3000000

void verify_label(const char *mirror, char out[VERIFY_LABEL_SIZE])
{
	snprintf(out, VERIFY_LABEL_SIZE, "%.33s/verify", mirror);
}

/* ---- telling ---- */

static void tell(struct verify_run *r, const char *doing)
{
	pthread_mutex_lock(&r->lock);
	struct verify_view *v = &r->view;
	v->elapsed_s = (double)(clock_us() - r->began_us) / 1e6;
	v->rate = v->elapsed_s > 0 ? (double)v->bytes / v->elapsed_s : 0;
	double by_tables = v->tables ? (double)v->tables_done / (double)v->tables : 0;
	double by_bytes = v->bytes_total > 0 ? (double)v->bytes / (double)v->bytes_total : by_tables;
	v->fraction = MIN(MAX(by_bytes, by_tables), 1);
	copy_text(v->doing, sizeof(v->doing), doing);
	struct verify_view copy = *v;
	pthread_mutex_unlock(&r->lock);
	model_verify_set(r->set->model, r->set->config->name, &copy);
	if (r->table_count > 0)
		progress_tell(r);
}

static void view_begin(struct verify_run *r)
{
	r->began_us = clock_us();
	r->view.level = r->set->level;
	r->result->started_at = wall_us();
}

static void count_tables(struct verify_run *r)
{
	r->view.tables = r->table_count;
	for (size_t i = 0; i < r->table_count; i++) {
		r->view.tables_done += r->tables[i].failed;
		r->view.unsure += r->tables[i].failed;
		if (!r->tables[i].failed)
			r->view.bytes_total += 2 * bytes_expected(&r->tables[i]);
	}
}

/* ---- moments ---- */

static void take_moment(struct verify_moment *m, struct snapshot *s)
{
	struct pg *c = snapshot_connection(s);
	m->peer = xstrdup(pg_peer_name(c));
	m->version = xasprintf("%d.%d", pg_version(c) / 10000, pg_version(c) % 10000);
	m->lsn = xstrdup(snapshot_lsn(s));
	m->taken_at = snapshot_taken_at(s);
}

static bool take_snapshots(struct verify_run *r, const struct verify_moments *moments, struct error *e)
{
	struct verification *v = r->result;
	if (moments) {
		r->snapshot[SOURCE] = moments->source;
		r->snapshot[TARGET] = moments->target;
		v->exact = moments->exact;
		v->stopped_s = r->view.stopped_s = moments->stopped_s;
		v->tries = moments->tries;
	}
	for (int side = 0; side < SIDES; side++) {
		if (!r->snapshot[side])
			r->snapshot[side] = snapshot_new(r->peer[side], r->label, NULL, r->stop, e);
		if (!r->snapshot[side])
			return false;
		take_moment(side == SOURCE ? &v->source : &v->target, r->snapshot[side]);
	}
	if (moments && moments->exact) {
		free(v->source.lsn);
		v->source.lsn = xstrdup(moments->lsn);
		v->source.taken_at = moments->taken_at ? moments->taken_at : v->source.taken_at;
	}
	return true;
}

/* As of the target's snapshot, like the rows. */
static bool read_store(struct verify_run *r, struct error *e)
{
	bool found;
	if (!store_read(snapshot_connection(r->snapshot[TARGET]), r->set->config->name, &r->store, &found, e))
		return false;
	if (found && r->store.table_count > 0)
		return true;
	error_set(e, ERROR_CONFLICT, "the target knows no tables of mirror %s", r->set->config->name);
	return error_next(e, "run it first");
}

/* What was counted only is not said to be more. */
static char *how_summed(const struct verify_run *r)
{
	char lsn[FORMAT_SIZE];
	size_t n = r->result->counted;
	const char *sums = r->servers.hashes ? "64-bit hashes of all columns, summed by bucket"
										 : "64 bits of the md5 of all rows' texts, summed by bucket";
	if (n == 0)
		return xstrdup(sums);
	return xasprintf("%s; %zu table%s, unchanged since %s, only counted", sums, n, n == 1 ? "" : "s",
		format_lsn(r->set->base->lsn, lsn));
}

static void tell_how(struct verify_run *r)
{
	struct verification *v = r->result;
	switch (r->set->level) {
	case VERIFY_COUNTS:
		v->how = xstrdup("rows counted");
		break;
	case VERIFY_CHECKSUM:
		v->how = how_summed(r);
		break;
	case VERIFY_SAMPLE:
		v->how = xasprintf("%lld rows of each table at random, looked up by key", (long long)r->set->sample);
		break;
	case VERIFY_FULL:
		v->how = xstrdup("all values of all rows, in the order of their keys");
		break;
	}
}

/* ---- the crew ---- */

struct crew {
	struct worker *workers;
	pthread_t *threads;
	size_t count;
};

static void crew_start(struct crew *c, struct verify_run *r)
{
	size_t n = (size_t)r->set->config->workers;
	c->workers = xcalloc(2 * n, sizeof(*c->workers));
	c->threads = xcalloc(2 * n, sizeof(*c->threads));
	for (size_t i = 0; i < 2 * n; i++) {
		struct worker *w = &c->workers[c->count];
		*w = (struct worker){ .run = r, .side = i % 2 ? TARGET : SOURCE, .number = (int)i / 2 + 1 };
		if (pthread_create(&c->threads[c->count], NULL, verify_worker_main, w) == 0)
			c->count++;
		else if (c->count < SIDES)
			abort();
	}
}

static void crew_end(struct crew *c)
{
	for (size_t i = 0; i < c->count; i++)
		pthread_join(c->threads[i], NULL);
	free(c->workers);
	free(c->threads);
}

/* Until all tables are over, or it can't go on. */
static bool watch(struct verify_run *r, struct error *e)
{
	int64_t kept = clock_us();
	while (!jobs_wait(r, LOOK_EVERY_MS)) {
		tell(r, "");
		if (stop_raised(r->stop))
			return error_set(e, ERROR_CANCELLED, "the verification was stopped");
		if (clock_us() - kept < KEEP_EVERY_US)
			continue;
		kept = clock_us();
		if (!snapshot_keep(r->snapshot[SOURCE], e) || !snapshot_keep(r->snapshot[TARGET], e))
			return false;
	}
	return true;
}

/* A snapshot that is lost leaves what was verified before as it is. */
static bool compare_tables(struct verify_run *r, struct error *e)
{
	struct crew crew = { 0 };
	struct error why = { 0 };
	count_tables(r);
	progress_begin(r);
	jobs_open(r);
	tell(r, "");
	crew_start(&crew, r);
	bool ok = watch(r, &why);
	if (!ok) {
		jobs_break(r, &why);
		stop_raise(r->stop);
	}
	jobs_shut(r);
	crew_end(&crew);
	jobs_free(r);
	for (size_t i = 0; !ok && i < r->table_count; i++)
		if (r->tables[i].phase != PHASE_OVER)
			jobs_fail(r, &r->tables[i], why.text);
	if (!ok && why.class == ERROR_CANCELLED)
		*e = why;
	return ok || why.class != ERROR_CANCELLED;
}

/* ---- the verdict ---- */

static void add_verdict(struct verification *v, enum verify_verdict one)
{
	v->equal += one == VERIFY_EQUAL;
	v->differing += one == VERIFY_DIFFERS;
	v->unsure += one == VERIFY_UNSURE;
}

/* Nothing compared is nothing found equal. */
static void conclude(const struct verify_settings *s, struct verification *v)
{
	for (size_t i = 0; i < v->table_count; i++) {
		const struct verify_table *t = &v->tables[i];
		add_verdict(v, t->verdict);
		v->rows += MAX(t->source_rows, 0) + MAX(t->target_rows, 0) + 2 * t->looked_at;
		v->bytes += MAX(t->source_bytes, 0) + MAX(t->target_bytes, 0);
	}
	for (size_t i = 0; i < v->sequence_count; i++)
		add_verdict(v, v->sequences[i].verdict);
	if (s->config->continuous && !v->exact && v->differing)
		strings_add(&v->notes, "the mirror is not replicating now: what the source has changed since then is among what"
							   " differs");
	v->verdict = v->differing ? VERIFY_DIFFERS : v->unsure || v->table_count == 0 ? VERIFY_UNSURE : VERIFY_EQUAL;
	v->ended_at = wall_us();
}

/* Sequences that can't be read make the whole unsure, and say why. */
static void add_sequences(struct verify_run *r)
{
	struct error e = { 0 };
	if (compare_sequences(r, &e) || stop_raised(r->stop))
		return;
	char line[sizeof(e.text) + 40];
	snprintf(line, sizeof(line), "sequences could not be compared: %s", e.text);
	strings_add(&r->result->notes, line);
	r->result->unsure++;
}

static bool run(struct verify_run *r, const struct verify_moments *moments, struct error *e)
{
	tell(r, "taking snapshots");
	if (!take_snapshots(r, moments, e))
		return false;
	tell(r, "reading catalogs");
	if (!read_store(r, e) || !verify_describe(r, e))
		return false;
	tell_how(r);
	if (!compare_tables(r, e))
		return false;
	if (!r->set->only)
		add_sequences(r);
	if (stop_raised(r->set->stop))
		return error_set(e, ERROR_CANCELLED, "the verification was stopped");
	if (r->set->repair) {
		tell(r, "repairing rows");
		if (!verify_repair(r, e))
			return false;
	}
	conclude(r->set, r->result);
	return true;
}

/* Those that are ours. */
static void snapshots_free(struct verify_run *r, const struct verify_moments *moments)
{
	if (!moments || !moments->source)
		snapshot_free(r->snapshot[SOURCE]);
	if (!moments || !moments->target)
		snapshot_free(r->snapshot[TARGET]);
}

struct verification *verify(const struct verify_settings *s, const struct verify_moments *moments, struct error *e)
{
	struct verify_run r = { .set = s, .peer = { s->source, s->target }, .result = verification_new() };
	verify_label(s->config->name, r.label);
	r.result->mirror = xstrdup(s->config->name);
	r.result->only = s->only && s->only->count == 1 ? xstrdup(s->only->items[0]) : NULL;
	r.result->level = s->level;
	r.result->sample = s->level == VERIFY_SAMPLE ? s->sample : 0;
	r.stop = stop_new(s->stop);
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.moved, NULL);
	view_begin(&r);
	bool ok = run(&r, moments, e);
	tell(&r, "");
	described_free(&r);
	snapshots_free(&r, moments);
	pthread_mutex_destroy(&r.lock);
	pthread_cond_destroy(&r.moved);
	stop_free(r.stop);
	if (!ok)
		verification_release(r.result);
	return ok ? r.result : NULL;
}
