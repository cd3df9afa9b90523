// SPDX-License-Identifier: PostgreSQL
/* The net effect of a batch against a model: random changes that a source could make, applied to a table one by
 * one, must leave what the net effect leaves, with every row found that it says is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/batch.h"

#define SEEDS 4000
#define KEYS 8
#define TABLES 3
#define COLUMNS 3 /* a, key, big: the key is not the first on the wire */

/* Tables are small arrays: what is at a key, if anything. */
struct row {
	bool there;
	int a, big;
};
struct table {
	struct row rows[KEYS];
};

/* ---- messages ---- */

#define UNCHANGED (-1)
#define NONE (-2)

struct wire {
	char bytes[256];
	size_t size;
};

static void put_value(struct wire *w, const char *prefix, int value)
{
	char text[32];
	if (value == UNCHANGED || value == NONE) {
		w->bytes[w->size++] = value == UNCHANGED ? 'u' : 'n';
		return;
	}
	uint32_t size = (uint32_t)snprintf(text, sizeof(text), "%s%d", prefix, value), on_wire = htobe32(size);
	w->bytes[w->size++] = 't';
	memcpy(w->bytes + w->size, &on_wire, 4);
	memcpy(w->bytes + w->size + 4, text, size);
	w->size += 4 + size;
}

static struct pgoutput_tuple put_row(struct wire *w, int key, int a, int big)
{
	struct pgoutput_tuple t = { .columns = COLUMNS };
	size_t begin = w->size;
	put_value(w, "a", a);
	put_value(w, "key ", key);
	put_value(w, "big ", big);
	t.at = w->bytes + begin;
	t.end = w->bytes + w->size;
	return t;
}

static void add(struct batch *b, struct batch_table *t, const struct pgoutput_message *m)
{
	struct error e;
	if (!batch_add(b, t, m, &e))
		fail_msg("%s", e.text);
}

static void add_insert(struct batch *b, struct batch_table *t, int key, int a, int big)
{
	struct wire w = { .size = 0 };
	struct pgoutput_message m = { .kind = PGOUTPUT_INSERT };
	m.change.new_row = put_row(&w, key, a, big);
	add(b, t, &m);
}

/* old_key NONE: it did not change and did not come. */
static void add_update(struct batch *b, struct batch_table *t, int old_key, int key, int a, int big)
{
	struct wire w = { .size = 0 };
	struct pgoutput_message m = { .kind = PGOUTPUT_UPDATE };
	if (old_key != NONE) {
		m.change.old_kind = 'K';
		m.change.old_row = put_row(&w, old_key, NONE, NONE);
	}
	m.change.new_row = put_row(&w, key, a, big);
	add(b, t, &m);
}

static void add_delete(struct batch *b, struct batch_table *t, int key)
{
	struct wire w = { .size = 0 };
	struct pgoutput_message m = { .kind = PGOUTPUT_DELETE };
	m.change.old_kind = 'K';
	m.change.old_row = put_row(&w, key, NONE, NONE);
	add(b, t, &m);
}

/* ---- reading rows back ---- */

static int number(const struct pgoutput_value *v, const char *prefix)
{
	if (v->kind == VALUE_UNCHANGED)
		return UNCHANGED;
	assert_int_equal(v->kind, VALUE_TEXT);
	assert_memory_equal(v->bytes, prefix, strlen(prefix));
	assert_int_equal(strlen(v->bytes), v->size);
	return atoi(v->bytes + strlen(prefix));
}

/* Our rows have the key first. */
static struct row *at_key(struct table *t, const struct pgoutput_value *row)
{
	return &t->rows[number(&row[0], "key ")];
}

static void set(struct row *r, const struct pgoutput_value *row)
{
	int big = number(&row[2], "big ");
	r->a = number(&row[1], "a");
	r->big = big == UNCHANGED ? r->big : big;
}

static void insert(struct table *t, const struct pgoutput_value *row)
{
	struct row *r = at_key(t, row);
	assert_false(r->there);
	assert_int_not_equal(number(&row[2], "big "), UNCHANGED);
	r->there = true;
	set(r, row);
}

/* ---- the two ways to apply a batch ---- */

static void apply_changes(const struct batch *b, const struct batch_table *t, struct table *target)
{
	for (uint32_t i = t->first; i != BATCH_NONE; i = batch_change(b, i)->next) {
		const struct change *c = batch_change(b, i);
		assert_ptr_equal(c->table, t);
		if (c->kind == CHANGE_INSERT) {
			insert(target, c->row);
			continue;
		}
		struct row *old = at_key(target, c->old ? c->old : c->row), was = *old;
		assert_true(old->there);
		old->there = false;
		if (c->kind == CHANGE_DELETE)
			continue;
		struct row *new = at_key(target, c->row);
		assert_false(new->there);
		*new = was;
		set(new, c->row);
	}
}

static void apply_net(const struct batch *b, const struct batch_table *t, struct table *target)
{
	const struct net *n = batch_nets(b) + t->net_begin, *end = batch_nets(b) + t->net_end;
	for (const struct net *i = n; i < end; i++)
		if (i->erase) {
			assert_true(at_key(target, i->key)->there);
			at_key(target, i->key)->there = false;
		}
	for (const struct net *i = n; i < end; i++)
		if (i->kind == NET_UPDATE) {
			assert_true(at_key(target, i->row)->there);
			assert_false(i->erase);
			set(at_key(target, i->row), i->row);
		}
	for (const struct net *i = n; i < end; i++)
		if (i->kind == NET_INSERT)
			insert(target, i->row);
}

static void check_equal(const struct table *a, const struct table *b, unsigned seed)
{
	for (int k = 0; k < KEYS; k++)
		if (a->rows[k].there != b->rows[k].there || (a->rows[k].there &&
			(a->rows[k].a != b->rows[k].a || a->rows[k].big != b->rows[k].big)))
			fail_msg("seed %u, key %d: %d %d %d, not %d %d %d", seed, k, b->rows[k].there, b->rows[k].a,
				b->rows[k].big, a->rows[k].there, a->rows[k].a, a->rows[k].big);
}

/* ---- random changes ---- */

struct source {
	struct table now;
	bool moved_unchanged; /* a key changed and big did not come */
	int values;
};

static int any_key(const struct source *s, bool there)
{
	int found[KEYS], n = 0;
	for (int k = 0; k < KEYS; k++)
		if (s->now.rows[k].there == there)
			found[n++] = k;
	return n ? found[rand() % n] : NONE;
}

static void change(struct source *s, struct batch *b, struct batch_table *t)
{
	int present = any_key(s, true), absent = any_key(s, false), value = ++s->values, what = rand() % 10;
	bool with_big = rand() % 2;
	if (what < 3 && absent != NONE) {
		s->now.rows[absent] = (struct row){ true, value, value };
		add_insert(b, t, absent, value, value);
	} else if (what < 6 && present != NONE) {
		struct row *r = &s->now.rows[present];
		*r = (struct row){ true, value, with_big ? value : r->big };
		add_update(b, t, rand() % 2 ? present : NONE, present, value, with_big ? value : UNCHANGED);
	} else if (what < 8 && present != NONE && absent != NONE) {
		s->now.rows[absent] = (struct row){ true, value, with_big ? value : s->now.rows[present].big };
		s->now.rows[present].there = false;
		s->moved_unchanged |= !with_big;
		add_update(b, t, present, absent, value, with_big ? value : UNCHANGED);
	} else if (present != NONE) {
		s->now.rows[present].there = false;
		add_delete(b, t, present);
	}
}

static void truncate_some(struct source *s, struct batch *b, struct batch_table *t)
{
	struct batch_table *some[TABLES];
	size_t n = 0;
	for (int i = 0; i < TABLES; i++) {
		if (rand() % 2)
			continue;
		for (int k = 0; k < KEYS; k++)
			s[i].now.rows[k].there = false;
		s[i].moved_unchanged = false;
		some[n++] = &t[i];
	}
	batch_truncate(b, some, n, 0);
}

static const int32_t places[COLUMNS] = { 1, 0, 2 };

static void one_seed(struct batch *b, struct batch_table *tables, unsigned seed, size_t *netted)
{
	struct source s[TABLES] = { 0 };
	struct table target[TABLES];
	srand(seed);
	for (int i = 0; i < TABLES; i++) {
		s[i].values = 100 * i;
		for (int k = 0; k < KEYS; k++)
			s[i].now.rows[k] = (struct row){ rand() % 2, -10 - k, -20 - k };
		target[i] = s[i].now;
	}
	int n = rand() % 60;
	for (int i = 0; i < n; i++) {
		int t = rand() % TABLES;
		if (rand() % 30 == 0)
			truncate_some(s, b, tables);
		else
			change(&s[t], b, &tables[t]);
	}
	batch_net(b);
	for (const struct batch_table *t = batch_tables(b); t; t = t->next) {
		size_t i = (size_t)(t - tables);
		struct table by_rows = target[i], by_net = target[i];
		if (t->truncates > 0)
			by_rows = by_net = (struct table){ 0 };
		apply_changes(b, t, &by_rows);
		check_equal(&s[i].now, &by_rows, seed);
		if (t->one_by_one) {
			assert_true(s[i].moved_unchanged);
			continue;
		}
		apply_net(b, t, &by_net);
		check_equal(&s[i].now, &by_net, seed);
		*netted += 1;
	}
	batch_clear(b);
}

static void agrees_with_the_model(void **state)
{
	(void)state;
	struct batch *b = batch_new();
	struct batch_table tables[TABLES] = { 0 };
	size_t netted = 0;
	for (int i = 0; i < TABLES; i++)
		tables[i] = (struct batch_table){ .columns = COLUMNS, .key = 1, .sent = COLUMNS, .place = places };
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		one_seed(b, tables, seed, &netted);
	assert_true(netted > SEEDS);
	batch_free(b);
}

/* ---- single cases ---- */

struct fixture {
	struct batch *b;
	struct batch_table t;
};

static struct fixture begin(void)
{
	return (struct fixture){ batch_new(),
		{ .columns = COLUMNS, .key = 1, .sent = COLUMNS, .place = places } };
}

static const struct net *only_net(struct fixture *f)
{
	batch_net(f->b);
	assert_false(f->t.one_by_one);
	assert_int_equal(f->t.net_end - f->t.net_begin, 1);
	return batch_nets(f->b) + f->t.net_begin;
}

static void updates_merge_by_column(void **state)
{
	(void)state;
	struct fixture f = begin();
	add_update(f.b, &f.t, NONE, 1, 10, 77);
	add_update(f.b, &f.t, NONE, 1, 11, UNCHANGED);
	const struct net *n = only_net(&f);
	assert_int_equal(n->kind, NET_UPDATE);
	assert_int_equal(number(&n->row[1], "a"), 11);
	assert_int_equal(number(&n->row[2], "big "), 77);
	batch_free(f.b);
}

static void unchanged_stays_unchanged(void **state)
{
	(void)state;
	struct fixture f = begin();
	add_update(f.b, &f.t, NONE, 1, 10, UNCHANGED);
	add_update(f.b, &f.t, NONE, 1, 11, UNCHANGED);
	assert_int_equal(only_net(&f)->row[2].kind, VALUE_UNCHANGED);
	batch_free(f.b);
}

static void short_lived_rows_are_nothing(void **state)
{
	(void)state;
	struct fixture f = begin();
	add_insert(f.b, &f.t, 1, 1, 1);
	add_update(f.b, &f.t, NONE, 1, 2, UNCHANGED);
	add_delete(f.b, &f.t, 1);
	const struct net *n = only_net(&f);
	assert_int_equal(n->kind, NET_NOTHING);
	assert_false(n->erase);
	assert_int_equal(f.t.inserts + f.t.updates + f.t.deletes, 3);
	batch_free(f.b);
}

static void moved_is_told_from_deleted(void **state)
{
	(void)state;
	struct fixture f = begin();
	add_delete(f.b, &f.t, 1);
	add_update(f.b, &f.t, 2, 3, 1, 1);
	batch_net(f.b);
	const struct net *n = batch_nets(f.b);
	assert_true(n[0].erase && !n[0].moved);
	assert_true(n[1].erase && n[1].moved);
	assert_int_equal(n[2].kind, NET_INSERT);
	batch_free(f.b);
}

/* What no source does is not guessed at. */
static void nonsense_goes_one_by_one(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fixture f = begin();
		add_delete(f.b, &f.t, 1);
		if (i == 0)
			add_delete(f.b, &f.t, 1);
		if (i == 1)
			add_update(f.b, &f.t, NONE, 1, 1, 1);
		if (i == 2)
			add_update(f.b, &f.t, 1, 2, 1, 1);
		if (i == 3) {
			add_insert(f.b, &f.t, 2, 1, 1);
			add_insert(f.b, &f.t, 2, 1, 1);
		}
		batch_net(f.b);
		assert_true(f.t.one_by_one);
		batch_free(f.b);
	}
}

static void without_a_key_only_inserts_have_a_net_effect(void **state)
{
	(void)state;
	struct fixture f = begin();
	f.t.key = 0;
	add_insert(f.b, &f.t, 1, 1, 1);
	add_insert(f.b, &f.t, 1, 1, 1);
	batch_net(f.b);
	assert_false(f.t.one_by_one);
	assert_int_equal(f.t.net_end - f.t.net_begin, 2);

	struct wire w = { .size = 0 };
	struct pgoutput_message m = { .kind = PGOUTPUT_DELETE };
	struct error e;
	m.change.old_kind = 'K';
	m.change.old_row = put_row(&w, 1, NONE, NONE);
	assert_false(batch_add(f.b, &f.t, &m, &e));
	m.change.old_kind = 'O';
	assert_true(batch_add(f.b, &f.t, &m, &e));
	batch_net(f.b);
	assert_true(f.t.one_by_one);
	assert_int_equal(f.t.net_end, f.t.net_begin);
	batch_free(f.b);
}

/* The whole old row knows what the new one does not bring. */
static void old_row_fills_a_moved_one(void **state)
{
	(void)state;
	struct fixture f = begin();
	struct wire w = { .size = 0 };
	struct pgoutput_message m = { .kind = PGOUTPUT_UPDATE };
	m.change.old_kind = 'O';
	m.change.old_row = put_row(&w, 1, 5, 55);
	m.change.new_row = put_row(&w, 2, 6, UNCHANGED);
	add(f.b, &f.t, &m);
	memset(w.bytes, 'x', sizeof(w.bytes));
	batch_net(f.b);
	assert_false(f.t.one_by_one);
	assert_int_equal(number(&batch_nets(f.b)[1].row[2], "big "), 55);
	batch_free(f.b);
}

static void rows_must_fit(void **state)
{
	(void)state;
	struct fixture f = begin();
	struct wire w = { .size = 0 };
	struct pgoutput_message m = { .kind = PGOUTPUT_INSERT };
	struct error e;
	m.change.new_row = put_row(&w, 1, 1, 1);
	m.change.new_row.columns = COLUMNS - 1;
	assert_false(batch_add(f.b, &f.t, &m, &e));
	m.change.new_row.columns = COLUMNS;
	w.bytes[0] = 'b';
	assert_false(batch_add(f.b, &f.t, &m, &e));
	assert_int_equal(e.class, ERROR_BUG);
	assert_int_equal(batch_count(f.b), 0);
	batch_free(f.b);
}

static void large_rows_and_reuse(void **state)
{
	(void)state;
	struct fixture f = begin();
	size_t size = 3000000;
	char *bytes = malloc(size + 7);
	uint32_t on_wire = htobe32((uint32_t)size);
	for (int round = 0; round < 3; round++) {
		struct pgoutput_message m = { .kind = PGOUTPUT_INSERT };
		memset(bytes, 'v', size + 7);
		bytes[0] = bytes[1] = 'n';
		bytes[2] = 't';
		memcpy(bytes + 3, &on_wire, 4);
		m.change.new_row = (struct pgoutput_tuple){ COLUMNS, bytes, bytes + size + 7 };
		add(f.b, &f.t, &m);
		for (int i = 0; i < 20000; i++)
			add_insert(f.b, &f.t, i, i, i);
		assert_true(batch_bytes(f.b) > size);
		batch_net(f.b);
		assert_int_equal(f.t.net_end, 20001);
		batch_clear(f.b);
		assert_int_equal(batch_bytes(f.b), 0);
		assert_null(batch_tables(f.b));
	}
	free(bytes);
	batch_free(f.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_model),
		cmocka_unit_test(updates_merge_by_column),
		cmocka_unit_test(unchanged_stays_unchanged),
		cmocka_unit_test(short_lived_rows_are_nothing),
		cmocka_unit_test(moved_is_told_from_deleted),
		cmocka_unit_test(nonsense_goes_one_by_one),
		cmocka_unit_test(without_a_key_only_inserts_have_a_net_effect),
		cmocka_unit_test(old_row_fills_a_moved_one),
		cmocka_unit_test(rows_must_fit),
		cmocka_unit_test(large_rows_and_reuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
