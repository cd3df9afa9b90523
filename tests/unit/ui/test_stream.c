// SPDX-License-Identifier: PostgreSQL
/* Replication on the screen: the stream's tab, slots of a peer, the list of mirrors, the words for a lag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "house.h"
#include "model/write.h"
#include "panes/panes.h"
#include "widgets/sparkline.h"

static struct house *house_with_stream(int cols, int rows, bool ascii)
{
	struct house *h = house_open(cols, rows, ascii);
	stage_replicating(h->engine, "shop-2026");
	stage_pass(h->engine, "shop-2026", 100);
	return h;
}

static void the_tab(void **state)
{
	struct house *h = house_with_stream(80, 24, false);
	char line[600];
	(void)state;
	assert_non_null(house_line(h, "▸shop-2026", line, sizeof(line)));
	assert_non_null(strstr(line, "● catching up"));
	assert_non_null(strstr(line, "1.5 k ch/s"));
	assert_non_null(strstr(line, "30 s"));
	house_press(h, "enter"); /* its stream is what one wants to see first */
	assert_sees(h, "lag 30 s  1.02 GB  reaches 0 at");
	assert_sees(h, "│ 42 s "); /* the top of the chart */
	assert_sees(h, "  lag, the last 1m 40s");
	assert_sees(h, "1.5 k changes/s  400 transactions/s");
	assert_sees(h, "written 2/516B3748");
	assert_sees(h, "sent 2/516B3000");
	assert_sees(h, "received 2/516B2F00");
	assert_sees(h, "applied 2/50000A10");
	assert_sees(h, "confirmed 2/50000A10");
	assert_sees(h, "slot pgpier_shop_2026  extended  keeps 2.21 GB, +3.10 MB/s, lost at");
	assert_sees(h, "2 rows were not found on the target, last: sales.orders (id) = (17)");
	assert_sees(h, "3 batches replayed change by change");
	assert_non_null(house_line(h, "▸public.users", line, sizeof(line))); /* paused ones first */
	assert_non_null(strstr(line, "! paused: column"));
	assert_non_null(house_line(h, " sales.order_lines", line, sizeof(line)));
	assert_non_null(strstr(line, "812.4 k"));
	house_press(h, "/");
	house_type(h, "orders");
	assert_sees(h, "1 of 3");
	house_press(h, "enter esc");
	house_close(h);
}

static void assert_order(struct house *h, const char *first, const char *second, const char *third)
{
	const char *screen = house_draw(h), *a = strstr(screen, first), *b = strstr(screen, second),
			   *c = strstr(screen, third);
	assert_true(a && b && c);
	assert_true(a < b && b < c);
}

static void sorted_by_any_column(void **state)
{
	struct house *h = house_with_stream(80, 34, false);
	char line[600];
	(void)state;
	house_press(h, "enter down"); /* order_lines is selected, and stays it */
	assert_order(h, "public.users  ", "sales.order_lines", "sales.orders  ");
	house_press(h, ">");
	assert_sees(h, "TABLE▲");
	assert_order(h, "public.users  ", "sales.order_lines", "sales.orders  ");
	house_press(h, "!");
	assert_order(h, "sales.orders  ", "sales.order_lines", "public.users  ");
	house_press(h, "> >"); /* updates, the most first */
	assert_sees(h, "UPDATES▼");
	assert_order(h, "sales.orders  ", "sales.order_lines", "public.users  ");
	house_press(h, "<");
	assert_sees(h, "INSERTS▼");
	assert_order(h, "sales.order_lines", "sales.orders  ", "public.users  ");
	assert_non_null(house_line(h, "▸sales.order_lines", line, sizeof(line)));
	house_press(h, "< <"); /* their own order again: the paused one first */
	assert_order(h, "public.users  ", "sales.order_lines", "sales.orders  ");
	house_close(h);
}

static void a_paused_table(void **state)
{
	struct house *h = house_with_stream(80, 24, false);
	(void)state;
	house_press(h, "enter");
	assert_sees(h, "! table public.users: column \"nickname\" (text) is not on the target");
	house_press(h, "enter");
	assert_sees(h, "ALTER TABLE app.users ADD COLUMN nickname text");
	house_press(h, "esc r");
	assert_string_equal(stage_last(h->engine, COMMAND_MIRROR_RETRY)->name, "shop-2026");
	house_press(h, "down"); /* of another table it is said that one is paused */
	assert_sees(h, "1 table is paused: mend the cause, then r goes on");
	model_table_paused(h->ui.model, "shop-2026", 3, NULL);
	assert_not_sees(h, "paused");
	house_press(h, "r");
	assert_sees(h, "nothing has failed");
	house_close(h);
}

static void resync_takes_the_name(void **state)
{
	struct house *h = house_with_stream(80, 24, false);
	(void)state;
	house_press(h, "enter down R");
	assert_sees(h, "All rows of sales.order_lines on rds17 are deleted");
	house_type(h, "yes");
	house_press(h, "enter");
	assert_int_equal(stage_count(h->engine, COMMAND_TABLE_RESYNC), 0);
	house_press(h, "^u");
	house_type(h, "sales.order_lines");
	house_press(h, "enter");
	assert_int_equal(stage_count(h->engine, COMMAND_TABLE_RESYNC), 1);
	assert_string_equal(stage_last(h->engine, COMMAND_TABLE_RESYNC)->name, "shop-2026");
	assert_string_equal(stage_last(h->engine, COMMAND_TABLE_RESYNC)->table, "sales.order_lines");
	model_mirror_state(h->ui.model, "shop-2026", MIRROR_PAUSED, NULL);
	assert_sees(h, "○ paused");
	house_press(h, "R");
	assert_sees(h, "the mirror does not run");
	assert_int_equal(stage_count(h->engine, COMMAND_TABLE_RESYNC), 1);
	house_press(h, "esc");
	h->ui.readonly = true;
	house_press(h, "R");
	assert_sees(h, "the console is read-only");
	house_close(h);
}

static void caught_up_and_paused(void **state)
{
	struct house *h = house_with_stream(120, 30, false);
	struct replication_view r;
	(void)state;
	stage_pass(h->engine, "shop-2026", 300);
	model_mirror_state(h->ui.model, "shop-2026", MIRROR_REPLICATING, NULL);
	house_press(h, "enter");
	assert_sees(h, "● replicating  lag <1 ms  0 B  caught up");
	assert_true(model_replication(h->ui.model, "shop-2026", &r));
	r.running = false;
	model_replication_set(h->ui.model, "shop-2026", &r);
	model_mirror_state(h->ui.model, "shop-2026", MIRROR_PAUSED, NULL);
	assert_sees(h, "○ paused  go on: p in the console");
	assert_sees(h, "its slot keeps WAL on the source");
	assert_sees(h, "keeps 3.14 GB"); /* as it was last seen */
	house_press(h, "btab btab btab");
	assert_sees(h, "continuous replication");
	assert_sees(h, "delete the row");
	house_press(h, "d");
	assert_sees(h, "replication slot pgpier_shop_2026 and publication");
	house_close(h);
}

static void other_tables_while_it_runs(void **state)
{
	struct house *h = house_with_stream(100, 30, false);
	(void)state;
	house_press(h, "e");
	assert_sees(h, "Edit shop-2026");
	house_press(h, "enter");
	assert_sees(h, "Tables of ec2-prod");
	assert_sees(h, "3 of 7 tables"); /* public.* */
	house_press(h, "c");
	assert_sees(h, "the tables are what they were");
	house_press(h, "/");
	house_type(h, "orders");
	house_press(h, "enter a /");
	house_press(h, "^u");
	house_type(h, "invoices");
	house_press(h, "enter u esc c");
	assert_sees(h, "1 table will be copied to rds17 from a snapshot of its own");
	assert_sees(h, "sales.orders.");
	assert_sees(h, "1 table is no longer followed; its rows stay on rds17");
	assert_sees(h, "public.invoices.");
	house_press(h, "enter"); /* No is the default */
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_TABLES), 0);
	house_press(h, "c y");
	const struct command *c = stage_last(h->engine, COMMAND_MIRROR_TABLES);
	assert_string_equal(c->name, "shop-2026");
	assert_int_equal(c->mirror->tables.count, 3);
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_SAVE), 0);
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_RUN), 0);
	assert_sees(h, "Mirrors (3) › shop-2026");
	house_close(h);
}

/* A mirror that only copies has no such tab. */
static void not_continuous(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_press(h, "enter");
	assert_sees(h, "Initial load");
	assert_not_sees(h, "Replication");
	house_close(h);
}

static void slots_of_a_peer(void **state)
{
	struct house *h = house_with_stream(120, 30, false);
	char line[600];
	(void)state;
	stage_slots(h->engine, "ec2-prod", "shop-2026");
	house_press(h, "1 enter tab");
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_WATCH), 2); /* one for each of the tabs seen */
	assert_non_null(house_line(h, "▸pgpier_shop_2026", line, sizeof(line)));
	assert_non_null(strstr(line, "shop-2026"));
	assert_non_null(strstr(line, "pid 4711"));
	assert_non_null(strstr(line, "no end"));
	assert_non_null(house_line(h, " forgotten", line, sizeof(line)));
	assert_non_null(strstr(line, "unreserved"));
	assert_non_null(strstr(line, "98.0 GB"));
	assert_non_null(strstr(line, "0/16B3748"));
	house_close(h);
}

/* Charts, lists and notes share the rows of any window. */
static void all_sizes(void **state)
{
	static const int sizes[][2] = { { 60, 15 }, { 80, 24 }, { 100, 34 }, { 149, 35 }, { 150, 36 }, { 200, 60 },
		{ 300, 16 } };
	struct house *h = house_with_stream(80, 24, false);
	(void)state;
	house_press(h, "enter");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		house_resize(h, sizes[i][0], sizes[i][1]);
		assert_sees(h, "lag 30 s");
		assert_sees(h, "▸public.users"); /* the list keeps some rows */
		assert_sees(h, " sales.orders");
	}
	assert_not_sees(h, "changes/s  │"); /* no chart in 16 rows */
	house_resize(h, 200, 60);
	assert_sees(h, "1m 40s ago");
	assert_sees(h, "what to do     ALTER TABLE app.users");
	house_close(h);
}

static void ascii(void **state)
{
	struct house *h = house_with_stream(100, 40, true);
	(void)state;
	house_press(h, "enter");
	for (const char *p = house_draw(h); *p; p++)
		if ((unsigned char)*p >= 0x80)
			fail_msg("not ASCII: %s", p);
	house_close(h);
}

static void expect_forecast(struct replication_view r, enum mirror_state state, enum role role, const char *text)
{
	char buf[128];
	enum role found = forecast_text(&r, state, 0, buf, sizeof(buf));
	assert_string_equal(buf, text);
	assert_int_equal(found, role);
}

static void forecasts(void **state)
{
	struct replication_view r = { .running = true, .lag_s = 12, .caught_up_in_s = 3600 };
	(void)state;
	setenv("TZ", "UTC", 1);
	expect_forecast(r, MIRROR_CATCHING_UP, ROLE_TEXT, "reaches 0 at 01:00");
	r.caught_up_in_s = 90000;
	expect_forecast(r, MIRROR_CATCHING_UP, ROLE_TEXT, "reaches 0 in 1d 01h");
	r.caught_up_in_s = -1;
	expect_forecast(r, MIRROR_CATCHING_UP, ROLE_DIM, "");
	r.lag_slope = 3e6;
	expect_forecast(r, MIRROR_CATCHING_UP, ROLE_WARN, "falling behind 3.00 MB/s");
	expect_forecast(r, MIRROR_REPLICATING, ROLE_OK, "caught up"); /* a step between two commits is no trend */
	r.running = false;
	expect_forecast(r, MIRROR_PAUSED, ROLE_DIM, "");
}

static void what_a_slot_keeps(void **state)
{
	char buf[256];
	struct replication_view r = { .retained_bytes = 1240000000, .safe_bytes = -1, .wal_status = "reserved" };
	(void)state;
	assert_int_equal(slot_text(&r, 0, buf, sizeof(buf)), ROLE_TEXT);
	assert_string_equal(buf, "reserved  keeps 1.24 GB");
	r.safe_bytes = 7200000000;
	slot_text(&r, 0, buf, sizeof(buf));
	assert_string_equal(buf, "reserved  keeps 1.24 GB, lost after 7.20 GB more");
	r.retained_slope = 1e6;
	assert_int_equal(slot_text(&r, 0, buf, sizeof(buf)), ROLE_WARN); /* within hours */
	assert_string_equal(buf, "reserved  keeps 1.24 GB, +1.00 MB/s, lost at 02:00");
	copy_text(r.wal_status, sizeof(r.wal_status), "lost");
	assert_int_equal(slot_text(&r, 0, buf, sizeof(buf)), ROLE_ERROR);
	assert_string_equal(buf, "lost  keeps 1.24 GB, +1.00 MB/s");
	r = (struct replication_view){ .retained_bytes = -1, .safe_bytes = -1 };
	slot_text(&r, 0, buf, sizeof(buf)); /* a server before 13, and nothing read yet */
	assert_string_equal(buf, "keeps ?");
}

static void sparklines(void **state)
{
	struct house *h = house_open(80, 24, false);
	struct canvas line = { &h->theme, 5, 3, 1, 8 }, chart = { &h->theme, 10, 3, 2, 4 };
	double values[300] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	(void)state;
	house_draw(h);
	sparkline_render(&line, ROLE_TEXT, values, 8);
	sparkline_render(&chart, ROLE_TEXT, (double[]){ 1, -1, 2, 4 }, 4);
	char text[200];
	house_read(h, text, sizeof(text), 5);
	assert_non_null(strstr(text, "▁▂▃▄▅▆▇█"));
	house_read(h, text, sizeof(text), 10);
	assert_non_null(strstr(text, "   █"));
	house_read(h, text, sizeof(text), 11);
	assert_non_null(strstr(text, "▄ ██"));
	/* More than columns: the highest of those that share one is seen. */
	memset(values, 0, sizeof(values));
	values[150] = 9;
	sparkline_render(&line, ROLE_TEXT, values, 300);
	house_read(h, text, sizeof(text), 5);
	assert_non_null(strstr(text, "▁▁▁▁█▁▁▁"));
	house_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tab),
		cmocka_unit_test(sorted_by_any_column),
		cmocka_unit_test(a_paused_table),
		cmocka_unit_test(resync_takes_the_name),
		cmocka_unit_test(caught_up_and_paused),
		cmocka_unit_test(other_tables_while_it_runs),
		cmocka_unit_test(not_continuous),
		cmocka_unit_test(slots_of_a_peer),
		cmocka_unit_test(all_sizes),
		cmocka_unit_test(ascii),
		cmocka_unit_test(forecasts),
		cmocka_unit_test(what_a_slot_keeps),
		cmocka_unit_test(sparklines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
