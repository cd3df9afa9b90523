// SPDX-License-Identifier: PostgreSQL
/* What the model makes of a stream's samples: rates, slopes, forecasts; counters of tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/inside.h"

#define SECOND INT64_C(1000000)

static void add(struct trend *t, int64_t second, int64_t changes, int64_t lag)
{
	struct trend_sample s = { .at_us = second * SECOND, .value = { changes, changes / 10, lag, -1 } };
	trend_add(t, &s);
}

static struct trend *trend_of(int seconds, int64_t changes_a_second, int64_t lag, int64_t lag_a_second)
{
	struct trend *t = xcalloc(1, sizeof(*t));
	for (int i = 0; i < seconds; i++)
		add(t, i, i * changes_a_second, lag + i * lag_a_second);
	return t;
}

static void near(double value, double expected)
{
	if (fabs(value - expected) > 1e-6 * fabs(expected) + 1e-9)
		fail_msg("%f, not %f", value, expected);
}

static void nothing_is_known_at_first(void **state)
{
	struct trend *t = xcalloc(1, sizeof(*t));
	(void)state;
	near(trend_rate(t, TREND_CHANGES, 10), 0);
	near(trend_slope(t, TREND_LAG, 60), 0);
	add(t, 0, 100, 100);
	near(trend_rate(t, TREND_CHANGES, 10), 0);
	near(trend_slope(t, TREND_LAG, 60), 0);
	add(t, 1, 200, 100000);
	near(trend_rate(t, TREND_CHANGES, 10), 100);
	near(trend_slope(t, TREND_LAG, 60), 0); /* one second is no trend */
	free(t);
}

static void a_rate_is_that_of_the_last_seconds(void **state)
{
	struct trend *t = trend_of(100, 1000, 0, 0);
	(void)state;
	for (int i = 0; i < 10; i++)
		add(t, 100 + i, 99000 + (i + 1) * 50, 0);
	near(trend_rate(t, TREND_CHANGES, 10), 50);
	near(trend_rate(t, TREND_TRANSACTIONS, 10), 5);
	near(trend_rate(t, TREND_CHANGES, 5), 50);
	add(t, 110, 0, 0); /* the counter began anew */
	near(trend_rate(t, TREND_CHANGES, 10), 0);
	free(t);
}

static void the_ring_keeps_the_last_five_minutes(void **state)
{
	struct trend *t = trend_of(1000, 7, 0, 3);
	(void)state;
	assert_int_equal(t->count, TREND_SAMPLES);
	assert_true(trend_at(t, 0)->at_us == 700 * SECOND);
	assert_true(trend_at(t, TREND_SAMPLES - 1)->at_us == 999 * SECOND);
	near(trend_slope(t, TREND_LAG, 1000), 3);
	free(t);
}

static void teeth_do_not_hide_the_slope(void **state)
{
	struct trend *t = xcalloc(1, sizeof(*t));
	(void)state;
	for (int i = 0; i < 60; i++)
		add(t, i, 0, 10000000 - 2000 * i + (i % 10) * 5000); /* falls with each commit, every ten seconds */
	assert_true(trend_slope(t, TREND_LAG, 60) < -1000);
	assert_true(trend_slope(t, TREND_LAG, 60) > -3000);
	free(t);
}

static void unknown_values_are_left_out(void **state)
{
	struct trend *t = xcalloc(1, sizeof(*t));
	(void)state;
	for (int i = 0; i < 20; i++)
		add(t, i, 0, i < 10 ? -1 : 1000 + 100 * i);
	near(trend_slope(t, TREND_LAG, 60), 100);
	near(trend_slope(t, TREND_RETAINED, 60), 0);
	free(t);
}

static void when_it_ends(void **state)
{
	(void)state;
	near(trend_ends_in(1000, -10), 100);
	near(trend_ends_in(1000, 0), -1);
	near(trend_ends_in(1000, 10), -1);
	near(trend_ends_in(0, -10), -1);
	near(trend_ends_in(-1, -10), -1);
	near(trend_ends_in(INT64_C(1) << 50, -1), -1); /* in 35 million years is never */
}

/* ---- through the model ---- */

static const char *const tables[] = { "public.a", "public.b", "public.c" };

static void set_tables(struct model *m, const size_t *which, size_t n)
{
	struct load_table_init init[ARRAY_SIZE(tables)] = { 0 };
	for (size_t i = 0; i < n; i++)
		init[i] = (struct load_table_init){ .source = tables[which[i]],
			.target = tables[which[i]],
			.state = TABLE_DONE,
			.exact = true,
			.rows = 10 };
	model_load_set(m, "shop", init, n);
}

static struct model *model_of_shop(void)
{
	struct model *m = model_new();
	struct config c = { 0 };
	struct mirror_config r;
	mirror_config_defaults(&r);
	r.name = xstrdup("shop");
	r.source = xstrdup("a");
	r.target = xstrdup("b");
	r.continuous = true;
	config_put_mirror(&c, &r);
	model_set_config(m, &c);
	config_remove_mirror(&c, "shop");
	free(c.mirrors);
	set_tables(m, (size_t[]){ 0, 1, 2 }, 3);
	return m;
}

static void a_stream_that_never_began(void **state)
{
	struct model *m = model_of_shop();
	struct replication_view r;
	struct mirror_view v;
	struct lag_sample sample;
	(void)state;
	assert_false(model_replication(m, "shop", &r));
	assert_false(model_replication(m, "none", &r));
	assert_int_equal(model_lag(m, "shop", &sample, 1), 0);
	assert_true(model_mirror(m, "shop", &v));
	assert_true(v.continuous);
	assert_true(v.lag_s < 0);
	model_free(m);
}

/* Seconds as the tick would bring them. */
static void let_pass(struct model *m, int64_t *now, int seconds, int64_t lag_a_second)
{
	struct mirror_entry *r = mirror_find(m, "shop");
	for (int i = 0; i < seconds; i++) {
		struct replication_view v = r->replication->view;
		v.lag_bytes += lag_a_second;
		model_replication_set(m, "shop", &v);
		model_replication_count(m, "shop", 2, 30);
		replication_tick(r, *now += SECOND);
	}
}

static void rates_and_forecast(void **state)
{
	struct model *m = model_of_shop();
	struct replication_view r = {
		.running = true, .lag_s = 30, .lag_bytes = 1000000, .retained_bytes = -1
	};
	struct lag_sample samples[400];
	int64_t now = 1000 * SECOND;
	(void)state;
	model_replication_set(m, "shop", &r);
	let_pass(m, &now, 21, -10000);
	assert_true(model_replication(m, "shop", &r));
	near(r.changes_per_s, 30);
	near(r.transactions_per_s, 2);
	near(r.lag_slope, -10000);
	near(r.caught_up_in_s, 79);
	assert_true(r.changes == 630 && r.transactions == 42);
	assert_int_equal(model_lag(m, "shop", samples, 400), 21);
	assert_true(samples[0].lag_bytes == 990000 && samples[20].lag_bytes == 790000);
	assert_int_equal(model_lag(m, "shop", samples, 2), 2);
	assert_true(samples[1].lag_bytes == 790000);
	near(samples[1].changes_per_s, 30);
	let_pass(m, &now, 60, 500);
	assert_true(model_replication(m, "shop", &r));
	near(r.lag_slope, 500);
	assert_true(r.caught_up_in_s < 0);
	r.lag_s = 0.5; /* below caught_up_s: there is nothing to wait for, whatever the slope */
	model_replication_set(m, "shop", &r);
	let_pass(m, &now, 60, -500);
	assert_true(model_replication(m, "shop", &r));
	assert_true(r.caught_up_in_s < 0);
	r.running = false;
	model_replication_set(m, "shop", &r);
	assert_true(model_replication(m, "shop", &r));
	near(r.changes_per_s, 0);
	assert_true(r.changes == 141 * 30); /* a pause loses no count */
	model_free(m);
}

static void tables_that_changed(void **state)
{
	struct model *m = model_of_shop();
	struct error e = { .class = ERROR_DATA, .text = "column \"x\" is missing" };
	struct changes_view views[3];
	struct table_view table;
	size_t *indexes;
	(void)state;
	model_replication_set(m, "shop", &(struct replication_view){ .running = true });
	model_changes_count(m, "shop", 0, 1, 2, 3, 0, 0);
	model_changes_count(m, "shop", 2, 50, 0, 0, 1, 4);
	model_changes_count(m, "shop", 9, 1, 1, 1, 1, 1);
	assert_int_equal(model_changed_tables(m, "shop", &indexes), 2);
	assert_true(indexes[0] == 2 && indexes[1] == 0);
	free(indexes);
	model_table_paused(m, "shop", 1, &e);
	assert_int_equal(model_changed_tables(m, "shop", &indexes), 3);
	assert_true(indexes[0] == 1 && indexes[1] == 2 && indexes[2] == 0);
	assert_int_equal(model_changes(m, "shop", indexes, 3, views), 3);
	free(indexes);
	assert_true(views[0].paused);
	assert_string_equal(views[0].error.text, e.text);
	assert_true(views[1].inserts == 50 && views[1].truncates == 1 && views[1].missing == 4);
	assert_true(views[2].index == 0 && views[2].updates == 2 && views[2].deletes == 3);
	assert_int_equal(model_load_tables(m, "shop", (size_t[]){ 1 }, 1, &table), 1);
	assert_int_equal(table.state, TABLE_PAUSED);
	struct load_totals sum;
	model_load_totals(m, "shop", &sum);
	near(sum.fraction, 1); /* a pause of the stream takes nothing from the load */
	model_table_paused(m, "shop", 1, NULL);
	assert_int_equal(model_load_tables(m, "shop", (size_t[]){ 1 }, 1, &table), 1);
	assert_int_equal(table.state, TABLE_DONE);
	assert_int_equal(table.error.class, ERROR_NONE);
	model_free(m);
}

static void counters_follow_their_table(void **state)
{
	struct model *m = model_of_shop();
	struct changes_view view;
	(void)state;
	model_changes_count(m, "shop", 1, 7, 0, 0, 0, 0);
	set_tables(m, (size_t[]){ 1, 2 }, 2);
	assert_int_equal(model_changes(m, "shop", (size_t[]){ 0 }, 1, &view), 1);
	assert_true(view.inserts == 7);
	assert_int_equal(model_changes(m, "shop", (size_t[]){ 1 }, 1, &view), 1);
	assert_true(view.inserts == 0);
	set_tables(m, NULL, 0);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests_of_it[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(a_rate_is_that_of_the_last_seconds),
		cmocka_unit_test(the_ring_keeps_the_last_five_minutes),
		cmocka_unit_test(teeth_do_not_hide_the_slope),
		cmocka_unit_test(unknown_values_are_left_out),
		cmocka_unit_test(when_it_ends),
		cmocka_unit_test(a_stream_that_never_began),
		cmocka_unit_test(rates_and_forecast),
		cmocka_unit_test(tables_that_changed),
		cmocka_unit_test(counters_follow_their_table),
	};
	return cmocka_run_group_tests(tests_of_it, NULL, NULL);
}
