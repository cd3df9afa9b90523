// SPDX-License-Identifier: PostgreSQL
/* The stream of a mirror: what the engine says of it, what follows from a few minutes of that, and what it
 * did to each table. Counters are told after every commit on the target, thousands a second at times, so
 * they wake nobody: the tick does. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

#define RATE_S 10
#define SLOPE_S 60

/* ---- written ---- */

void model_replication_set(struct model *m, const char *mirror, const struct replication_view *view)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		if (!r->replication)
			r->replication = xcalloc(1, sizeof(*r->replication));
		struct replication_view *now = &r->replication->view, before = *now;
		*now = *view;
		now->changes = before.changes;
		now->transactions = before.transactions;
		now->changes_per_s = view->running ? before.changes_per_s : 0;
		now->transactions_per_s = view->running ? before.transactions_per_s : 0;
		now->lag_slope = view->running ? before.lag_slope : 0;
		now->retained_slope = before.retained_slope;
		now->caught_up_in_s = view->running && before.running ? before.caught_up_in_s : -1;
		if (view->running && !before.running)
			trend_reset(&r->replication->trend); /* a gap has no slope */
	}
	model_unlock_changed(m);
}

void model_replication_count(struct model *m, const char *mirror, int64_t transactions, int64_t changes)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r && r->replication) {
		r->replication->view.transactions += transactions;
		r->replication->view.changes += changes;
	}
	model_unlock(m);
}

void model_changes_count(struct model *m, const char *mirror, size_t table, int64_t inserts,
	int64_t updates, int64_t deletes, int64_t truncates, int64_t missing)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t) {
		t->changes.inserts += inserts;
		t->changes.updates += updates;
		t->changes.deletes += deletes;
		t->changes.truncates += truncates;
		t->changes.missing += missing;
	}
	model_unlock(m);
}

void model_table_paused(struct model *m, const char *mirror, size_t table, const struct error *e)
{
	model_lock(m);
	struct table_entry *t = table_find(mirror_find(m, mirror), table);
	if (t && (e || t->state == TABLE_PAUSED)) {
		t->state = e ? TABLE_PAUSED : TABLE_DONE;
		replace_error(&t->error, e);
	}
	model_unlock_changed(m);
}

void model_set_slots(struct model *m, const char *peer, struct slot_view *take, size_t n)
{
	model_lock(m);
	struct peer_entry *p = peer_find(m, peer);
	if (p) {
		free(p->slots);
		p->slots = take;
		p->slot_count = n;
		p->slots_at = wall_us();
	} else {
		free(take);
	}
	model_unlock_changed(m);
}

/* ---- what a second adds ---- */

static bool caught_up(const struct mirror_entry *r)
{
	const struct replication_view *v = &r->replication->view;
	return v->lag_s >= 0 && v->lag_s < r->config.caught_up_s;
}

void replication_tick(struct mirror_entry *r, int64_t now)
{
	struct replication_view *v = &r->replication->view;
	struct trend *t = &r->replication->trend;
	struct trend_sample s = { .at_us = now, .lag_s = (float)v->lag_s };
	const struct trend_sample *last = t->count > 0 ? trend_at(t, t->count - 1) : NULL;
	s.value[TREND_CHANGES] = v->changes;
	s.value[TREND_TRANSACTIONS] = v->transactions;
	s.value[TREND_LAG] = v->lag_bytes;
	s.value[TREND_RETAINED] = v->retained_bytes;
	if (last && now > last->at_us)
		s.changes_per_s =
			(float)((double)(v->changes - last->value[TREND_CHANGES]) * 1e6 / (double)(now - last->at_us));
	trend_add(t, &s);
	v->changes_per_s = trend_rate(t, TREND_CHANGES, RATE_S);
	v->transactions_per_s = trend_rate(t, TREND_TRANSACTIONS, RATE_S);
	v->lag_slope = trend_slope(t, TREND_LAG, SLOPE_S);
	v->retained_slope = trend_slope(t, TREND_RETAINED, SLOPE_S);
	v->caught_up_in_s = caught_up(r) ? -1 : trend_ends_in(v->lag_bytes, v->lag_slope);
}

/* ---- counters outlive a new list of tables ---- */

static int by_source(const void *a, const void *b)
{
	return strcmp(((const struct kept_changes *)a)->source, ((const struct kept_changes *)b)->source);
}

struct kept_changes *changes_keep(const struct mirror_entry *r)
{
	struct kept_changes *kept = xmalloc(r->table_count * sizeof(*kept));
	for (size_t i = 0; i < r->table_count; i++)
		kept[i] = (struct kept_changes){ xstrdup(r->tables[i].source), r->tables[i].changes };
	qsort(kept, r->table_count, sizeof(*kept), by_source);
	return kept;
}

void changes_restore(struct mirror_entry *r, struct kept_changes *take, size_t n)
{
	for (size_t i = 0; n > 0 && i < r->table_count; i++) {
		const struct kept_changes *same =
			bsearch(&(struct kept_changes){ .source = r->tables[i].source }, take, n, sizeof(*take), by_source);
		if (same)
			r->tables[i].changes = same->changes;
	}
	for (size_t i = 0; i < n; i++)
		free(take[i].source);
	free(take);
}

/* ---- read ---- */

bool model_replication(struct model *m, const char *mirror, struct replication_view *out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	bool found = r && r->replication;
	if (found) {
		*out = r->replication->view;
		out->tables_paused = 0;
		for (size_t i = 0; i < r->table_count; i++)
			out->tables_paused += r->tables[i].state == TABLE_PAUSED;
	}
	model_unlock(m);
	return found;
}

size_t model_lag(struct model *m, const char *mirror, struct lag_sample *out, size_t n)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	const struct trend *t = r && r->replication ? &r->replication->trend : NULL;
	size_t count = t ? MIN(n, t->count) : 0;
	for (size_t i = 0; i < count; i++) {
		const struct trend_sample *s = trend_at(t, t->count - count + i);
		out[i] = (struct lag_sample){ s->lag_s, s->changes_per_s, s->value[TREND_LAG] };
	}
	model_unlock(m);
	return count;
}

static int64_t changes_of(const struct table_entry *t)
{
	const struct changes_entry *c = &t->changes;
	return c->inserts + c->updates + c->deletes + c->truncates;
}

size_t model_changes(struct model *m, const char *mirror, const size_t *indexes, size_t n,
	struct changes_view *out)
{
	size_t copied = 0;
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; i < n; i++) {
		const struct table_entry *t = table_find(r, indexes[i]);
		if (!t)
			continue;
		const struct changes_entry *c = &t->changes;
		out[copied] = (struct changes_view){ indexes[i], c->inserts, c->updates, c->deletes, c->truncates,
			c->missing, .paused = t->state == TABLE_PAUSED };
		if (out[copied].paused && t->error)
			out[copied].error = *t->error;
		copied++;
	}
	model_unlock(m);
	return copied;
}

struct changed_table {
	bool paused;
	int64_t changes;
	size_t index;
};

static int paused_then_most(const void *a, const void *b)
{
	const struct changed_table *x = a, *y = b;
	if (x->paused != y->paused)
		return y->paused - x->paused;
	if (x->changes != y->changes)
		return x->changes < y->changes ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

size_t model_changed_tables(struct model *m, const char *mirror, size_t **out)
{
	size_t n = 0;
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	struct changed_table *list = xmalloc((r ? r->table_count : 0) * sizeof(*list));
	for (size_t i = 0; r && i < r->table_count; i++) {
		const struct table_entry *t = &r->tables[i];
		bool paused = t->state == TABLE_PAUSED;
		if (paused || changes_of(t) > 0 || t->changes.missing > 0)
			list[n++] = (struct changed_table){ paused, changes_of(t), i };
	}
	model_unlock(m);
	qsort(list, n, sizeof(*list), paused_then_most);
	*out = xmalloc(n * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = list[i].index;
	free(list);
	return n;
}

size_t model_slots(struct model *m, const char *peer, struct slot_view **out, int64_t *taken_at)
{
	model_lock(m);
	const struct peer_entry *p = peer_find(m, peer);
	size_t n = p ? p->slot_count : 0;
	*out = xmalloc(n * sizeof(**out));
	if (n > 0)
		memcpy(*out, p->slots, n * sizeof(**out));
	if (taken_at)
		*taken_at = p ? p->slots_at : 0;
	model_unlock(m);
	return n;
}
