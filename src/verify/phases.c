// SPDX-License-Identifier: PostgreSQL
/* What comes after what for a table. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

static void begin(struct verify_run *r, struct compared *t, enum phase phase, enum job_kind kind, bool source,
	bool target, bool urgent)
{
	t->phase = phase;
	t->pending = source + target;
	if (source)
		jobs_push(r, &(struct job){ .kind = kind, .side = SOURCE, .table = t }, urgent);
	if (target)
		jobs_push(r, &(struct job){ .kind = kind, .side = TARGET, .table = t }, urgent);
}

/* A table that may be large is measured first. */
static void begin_sums(struct verify_run *r, struct compared *t)
{
	t->phase = PHASE_SUMS;
	t->pending = SIDES;
	for (int side = 0; side < SIDES; side++)
		jobs_push(r, &(struct job){ .kind = is_small(t, side) ? JOB_SUMS : JOB_PLAN, .side = side, .table = t }, false);
}

void phase_first(struct verify_run *r, struct compared *t)
{
	switch (t->level) {
	case VERIFY_COUNTS:
	case VERIFY_CHECKSUM:
		t->sums = sums_new(t->buckets);
		begin_sums(r, t);
		break;
	case VERIFY_SAMPLE:
		begin(r, t, PHASE_PICK, JOB_PICK, true, false, false);
		break;
	case VERIFY_FULL:
		begin(r, t, PHASE_FULL, JOB_FULL, true, false, false);
		break;
	}
}

static void go_on(struct verify_run *r, struct compared *t, enum phase phase, enum job_kind kind, bool source,
	bool target)
{
	pthread_mutex_lock(&r->lock);
	begin(r, t, phase, kind, source, target, true);
	pthread_mutex_unlock(&r->lock);
}

/* ---- verdicts ---- */

static int64_t total_of(const struct rows_list *l)
{
	int64_t n = 0;
	for (size_t i = 0; i < l->count; i++)
		n += l->items[i].count;
	return n;
}

static size_t unpaired(const struct fetched *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->count; i++)
		n += f->rows[i].partner == PAIR_NONE;
	return n;
}

/* Of rows that are changed, each side has one version. */
static void count_rows(struct compared *t)
{
	struct verify_table *out = t->result;
	const struct fetched *a = &t->found[SOURCE], *b = &t->found[TARGET];
	bool whole = t->phase == PHASE_FETCH && !t->partial;
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].partner != PAIR_NONE)
			out->changed += MIN(a->rows[i].times, b->rows[a->rows[i].partner].times);
	out->missing = whole ? total_of(&t->left[SOURCE]) - out->changed : (int64_t)unpaired(a);
	out->extra = whole ? total_of(&t->left[TARGET]) - out->changed : (int64_t)unpaired(b);
	out->more = t->partial;
}

/* What could not be listed or fetched differs all the same. */
static bool is_proven(const struct compared *t)
{
	return t->phase == PHASE_LOCATE || t->phase == PHASE_FETCH ||
		   (t->phase == PHASE_LOOKUP && t->level == VERIFY_CHECKSUM);
}

static void conclude(struct compared *t)
{
	struct verify_table *out = t->result;
	bool values = t->level != VERIFY_COUNTS;
	if (t->sums) {
		out->source_rows = sums_rows(t->sums, SOURCE);
		out->target_rows = sums_rows(t->sums, TARGET);
	}
	if (t->failed && is_proven(t))
		out->verdict = VERIFY_DIFFERS;
	if (t->failed)
		return;
	bool differs = out->changed || out->missing || out->extra || out->more || out->source_rows != out->target_rows;
	bool all = !values || out->unverified.count == 0;
	out->verdict = differs ? VERIFY_DIFFERS : all ? VERIFY_EQUAL : VERIFY_UNSURE;
	if (!all)
		out->why = xasprintf("%zu column%s could not be compared", out->unverified.count,
			out->unverified.count == 1 ? "" : "s");
}

static void over(struct verify_run *r, struct compared *t)
{
	conclude(t);
	fetched_free(&t->found[SOURCE]);
	fetched_free(&t->found[TARGET]);
	sums_free(t->sums);
	t->sums = NULL;
	free(t->differing);
	t->differing = NULL;
	jobs_table_over(r, t);
}

/* ---- checksum ---- */

/* As many buckets as can be listed. */
static void choose_buckets(struct compared *t)
{
	int64_t rows = 0;
	size_t n = 0;
	size_t all = sums_differing(t->sums, &t->differing);
	while (n < all && (n == 0 || rows + sums_bucket_rows(t->sums, t->differing[n]) <= MOST_LISTED))
		rows += sums_bucket_rows(t->sums, t->differing[n++]);
	t->differing_count = n;
	t->capped = t->partial = n < all;
}

/* Of a table that nobody had counted the buckets may be far too large. */
static bool sum_again(struct verify_run *r, struct compared *t)
{
	size_t wanted = sums_buckets(MAX(sums_rows(t->sums, SOURCE), sums_rows(t->sums, TARGET)));
	if (wanted < 8 * t->buckets)
		return false;
	sums_free(t->sums);
	free(t->differing);
	t->differing = NULL;
	t->buckets = wanted;
	t->sums = sums_new(wanted);
	progress_again(r, t);
	go_on(r, t, PHASE_SUMS, JOB_PLAN, true, true);
	return true;
}

static void after_sums(struct verify_run *r, struct compared *t)
{
	if (t->level == VERIFY_COUNTS) {
		over(r, t);
		return;
	}
	choose_buckets(t);
	if (t->differing_count == 0)
		over(r, t);
	else if (!sum_again(r, t))
		go_on(r, t, PHASE_LOCATE, JOB_PLAN, true, true);
}

/* The values of rows that only one side has. */
static void fetch(struct verify_run *r, struct compared *t)
{
	go_on(r, t, PHASE_FETCH, JOB_FETCH, t->left[SOURCE].count > 0, t->left[TARGET].count > 0);
}

static void after_locate(struct verify_run *r, struct compared *t)
{
	multiset_difference(&t->left[SOURCE], &t->left[TARGET]);
	t->partial = t->partial || MAX(t->left[SOURCE].count, t->left[TARGET].count) > VERIFY_SHOWN_ROWS;
	if (t->left[SOURCE].count + t->left[TARGET].count > 0) {
		fetch(r, t);
		return;
	}
	jobs_fail(r, t, "its sums differ, and yet no row does: please report this");
	over(r, t);
}

static void after_full(struct verify_run *r, struct compared *t)
{
	if (t->left[SOURCE].count + t->left[TARGET].count > 0)
		fetch(r, t);
	else
		over(r, t);
}

static void tell(struct verify_run *r, struct compared *t)
{
	fetched_drop_same(&t->found[SOURCE]);
	if (t->level != VERIFY_FULL) /* which has counted them */
		count_rows(t);
	pair_tell(&t->found[SOURCE], &t->found[TARGET], VERIFY_SHOWN_ROWS, t->result);
	over(r, t);
}

/* When only some rows were fetched, the other version of one may not be among them: it is looked up, on the target
 * first, because what is found there need not be looked for here. */
static void look_up_others(struct verify_run *r, struct compared *t)
{
	bool wanted = t->partial && t->key_count && t->level == VERIFY_CHECKSUM;
	for (int side = TARGET; wanted && side >= SOURCE; side--) {
		if (t->looked_up[side] || unpaired(&t->found[!side]) == 0)
			continue;
		t->looked_up[side] = true;
		go_on(r, t, PHASE_LOOKUP, JOB_LOOKUP, side == SOURCE, side == TARGET);
		return;
	}
	tell(r, t);
}

static void after_fetch(struct verify_run *r, struct compared *t)
{
	pair_rows(&t->found[SOURCE], &t->found[TARGET], t->key_count ? t->result->key : NULL);
	look_up_others(r, t);
}

/* ---- all levels ---- */

void phase_next(struct verify_run *r, struct compared *t)
{
	pthread_mutex_lock(&r->lock);
	bool failed = t->failed;
	pthread_mutex_unlock(&r->lock);
	if (failed) {
		over(r, t);
		return;
	}
	switch (t->phase) {
	case PHASE_SUMS:
		after_sums(r, t);
		break;
	case PHASE_LOCATE:
		after_locate(r, t);
		break;
	case PHASE_FETCH:
		after_fetch(r, t);
		break;
	case PHASE_PICK:
		go_on(r, t, PHASE_LOOKUP, JOB_LOOKUP, false, true);
		break;
	case PHASE_FULL:
		after_full(r, t);
		break;
	case PHASE_LOOKUP:
		look_up_others(r, t);
		break;
	case PHASE_OVER:
		break;
	}
}
