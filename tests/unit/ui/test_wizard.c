// SPDX-License-Identifier: PostgreSQL
/* From a pasted connection string to a mirror that runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "house.h"
#include "model/write.h"

static void a_peer_from_a_uri(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_press(h, "1 n tab");
	house_paste(h, "postgresql://mo%40ver:s3%2Fcret@db.example.com:6432/shop?sslmode=require\n");
	assert_sees(h, "db.example.com");
	assert_sees(h, "mo@ver");
	assert_not_sees(h, "s3/cret");
	house_press(h, "^r");
	assert_sees(h, "s3/cret");
	house_press(h, "^r ^s"); /* no name yet */
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_SAVE), 0);
	assert_sees(h, "1 to 63 letters");
	house_type(h, "new-prod");
	house_press(h, "^s");
	const struct command *c = stage_last(h->engine, COMMAND_PEER_SAVE);
	assert_non_null(c->peer);
	assert_string_equal(c->peer->name, "new-prod");
	assert_string_equal(c->peer->host, "db.example.com");
	assert_int_equal(c->peer->port, 6432);
	assert_string_equal(c->peer->password, "s3/cret");
	assert_string_equal(c->peer->sslmode, "require");
	assert_true(c->peer->ask_password);
	assert_sees(h, "Peers (4)"); /* back in the list */
	assert_sees(h, "new-prod");
	house_close(h);
}

static void testing_a_peer(void **state)
{
	struct house *h = house_open(80, 40, false);
	(void)state;
	house_press(h, "1 n tab");
	house_paste(h, "host=db dbname=shop user=mover");
	stage_hold(h->engine, true);
	for (int i = 0; i < 9; i++)
		house_press(h, "tab");
	assert_sees(h, "[ Test ]");
	house_press(h, "enter");
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_TEST), 1);
	assert_sees(h, "[ Cancel ]");
	house_press(h, "esc"); /* ends the test, not the form */
	assert_int_equal(stage_count(h->engine, COMMAND_CANCEL), 1);
	stage_hold(h->engine, false);
	house_press(h, "enter");
	assert_sees(h, "PostgreSQL 15.20");
	assert_sees(h, "2.10 TB");
	house_press(h, "esc");
	assert_sees(h, "Leave the form?");
	house_press(h, "y");
	assert_sees(h, "Peers (3)");
	house_close(h);
}

static void a_peer_behind_a_pgbouncer(void **state)
{
	struct house *h = house_open(80, 40, false);
	(void)state;
	house_press(h, "1 n");
	house_type(h, "pooled");
	for (int i = 0; i < 9; i++)
		house_press(h, "tab");
	house_press(h, "enter"); /* More */
	for (int i = 0; i < 4; i++)
		house_press(h, "tab");
	house_type(h, "port=6432 user=boss");
	house_press(h, "tab");
	house_type(h, "shop");
	house_press(h, "^s");
	const struct peer_config *p = stage_last(h->engine, COMMAND_PEER_SAVE)->peer;
	assert_string_equal(p->pgbouncer, "port=6432 user=boss");
	assert_string_equal(p->pgbouncer_database, "shop");
	house_close(h);
}

static void open_picker(struct house *h, const char *name)
{
	house_press(h, "2 n");
	house_type(h, name);
	house_press(h, "^s");
	assert_sees(h, "Tables of ec2-prod");
}

static bool has(const struct strings *l, const char *what)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], what) == 0)
			return true;
	return false;
}

/* The page of a table whose column photo is left out; the one behind it is selected. */
static void rename_a_column(struct house *h)
{
	house_press(h, "up r");
	assert_sees(h, "it is left out");
	house_press(h, "g r ^u");
	house_type(h, "total");
	house_press(h, "enter");
	assert_sees(h, "another column has that name");
	house_press(h, "r ^u");
	house_type(h, "photo"); /* which is free */
	house_press(h, "enter");
	assert_sees(h, "[x] id -> photo");
	house_press(h, "down space");
	assert_sees(h, "another column has its name on the target");
	house_press(h, "esc"); /* takes the error away, and nothing else */
}

static void a_mirror(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	open_picker(h, "shop3");
	assert_sees(h, "0 of 7 tables");
	assert_sees(h, "[!] secret");
	house_press(h, "c");
	assert_sees(h, "no table is chosen");
	house_press(h, "down down space"); /* the refused one */
	assert_sees(h, "no SELECT privilege");
	house_press(h, "space"); /* the whole of public, which has none refused */
	house_press(h, "/");
	house_type(h, "schema:sales size>100G");
	house_press(h, "enter a");
	assert_sees(h, "4 of 7 tables");
	house_press(h, "esc G up enter"); /* columns of order_lines */
	assert_sees(h, "goes to sales.order_lines");
	house_press(h, "space");
	assert_sees(h, "it belongs to the key");
	house_press(h, "down space e ^u");
	house_type(h, "app.lines");
	house_press(h, "enter");
	assert_sees(h, "goes to app.lines");
	assert_sees(h, "[ ] photo");
	rename_a_column(h);
	house_press(h, "esc c");
	assert_sees(h, "nothing stands in the way");
	house_press(h, "c");
	assert_sees(h, "Mirror shop3 copies from ec2-prod to rds17");
	house_press(h, "enter");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_SAVE), 1);
	const struct mirror_config *m = stage_last(h->engine, COMMAND_MIRROR_SAVE)->mirror;
	assert_true(has(&m->tables, "public.*"));
	assert_true(has(&m->tables, "sales.order_lines"));
	assert_int_equal(m->tables.count, 2);
	assert_true(has(&m->columns_exclude, "sales.order_lines.photo"));
	assert_int_equal(m->map_count, 1);
	assert_string_equal(m->map[0].target, "app.lines");
	assert_int_equal(m->map[0].column_count, 1);
	assert_string_equal(m->map[0].columns[0].source, "id");
	assert_string_equal(m->map[0].columns[0].target, "photo");
	assert_string_equal(stage_last(h->engine, COMMAND_MIRROR_RUN)->name, "shop3");
	assert_sees(h, "Mirrors (4) › shop3"); /* its own page */
	house_close(h);
}

static void going_back_loses_nothing(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	open_picker(h, "blocked");
	house_press(h, "a c");
	assert_sees(h, "1 blocker");
	house_press(h, "c");
	assert_sees(h, "a blocker stands in the way");
	house_press(h, "esc"); /* takes the error away, and nothing else */
	assert_not_sees(h, "a blocker stands in the way");
	assert_sees(h, "1 blocker");
	house_press(h, "esc");
	assert_sees(h, "6 of 7 tables");
	house_press(h, "esc");
	assert_sees(h, "blocked");
	house_press(h, "1 2"); /* another root and back */
	assert_sees(h, "New mirror");
	house_press(h, "^s");
	assert_sees(h, "6 of 7 tables");
	assert_int_equal(stage_count(h->engine, COMMAND_CATALOG), 1); /* not asked for again */
	house_press(h, "esc esc");
	assert_sees(h, "Leave the mirror's form?");
	house_press(h, "y");
	assert_sees(h, "Mirrors (3)");
	house_close(h);
}

/* The whole database, whose its objects will be, and how indexes are built. */
static void a_whole_database(void **state)
{
	struct house *h = house_open(80, 40, false);
	(void)state;
	house_press(h, "2 n");
	house_type(h, "whole");
	house_press(h, "tab tab tab tab left"); /* schema: the last of the choices */
	assert_sees(h, "database");
	house_press(h, "tab tab enter"); /* Advanced */
	assert_sees(h, "what fits the server");
	for (int i = 0; i < 7; i++)
		house_press(h, "tab");
	assert_sees(h, "by roles_map in the file");
	house_press(h, "right tab"); /* map, which this mirror has none of */
	assert_sees(h, "needs a roles_map");
	house_press(h, "btab right tab space tab");
	assert_not_sees(h, "needs a roles_map");
	house_type(h, "1GB");
	house_press(h, "tab");
	house_type(h, "2");
	house_press(h, "^s a c c enter");
	const struct mirror_config *m = stage_last(h->engine, COMMAND_MIRROR_SAVE)->mirror;
	assert_int_equal(m->schema, SCHEMA_DATABASE);
	assert_int_equal(m->owners, OWNERS_NONE);
	assert_true(m->publications);
	assert_string_equal(m->maintenance_work_mem, "1GB");
	assert_int_equal(m->build_workers, 2);
	house_close(h);
}

/* One cause, one line; its objects are named below and whole. */
static void findings_of_one_cause(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	open_picker(h, "crowd");
	house_press(h, "a c");
	assert_sees(h, "41 warnings");
	assert_sees(h, "view maps.v00, +39");
	assert_sees(h, "public.users"); /* the note after them */
	assert_not_sees(h, "view maps.v01  ");
	house_press(h, "down");
	assert_sees(h, "all of them: needs extension postgis");
	house_press(h, "enter");
	assert_sees(h, "install postgis there");
	assert_sees(h, "40 times");
	house_press(h, "G");
	assert_sees(h, "view maps.v39");
	house_press(h, "esc /");
	house_type(h, "v17");
	assert_sees(h, "view maps.v00, +39");
	assert_not_sees(h, "public.users");
	house_close(h);
}

static void truncating_takes_the_name(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_press(h, "2 n");
	house_type(h, "cut");
	for (int i = 0; i < 5; i++)
		house_press(h, "tab");
	house_press(h, "right"); /* existing rows: truncate */
	assert_sees(h, "truncate");
	house_press(h, "^s a c c c");
	assert_sees(h, "Truncate tables on the target?");
	house_press(h, "enter");
	house_type(h, "cat");
	house_press(h, "enter");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_SAVE), 0);
	house_press(h, "^u");
	house_type(h, "cut");
	house_press(h, "enter");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_SAVE), 1);
	house_close(h);
}

static void a_continuous_mirror(void **state)
{
	struct house *h = house_open(119, 40, false);
	(void)state;
	house_press(h, "2 n");
	house_type(h, "Shop-5");
	assert_not_sees(h, "Soft delete");
	house_press(h, "tab tab tab");
	house_resize(h, 120, 40); /* the form shares the width with its summary */
	assert_sees(h, "on: goes on replicating changes until you stop it; off: initial");
	assert_sees(h, "copy only");
	house_resize(h, 119, 40);
	house_press(h, "space tab");
	assert_sees(h, "Soft delete");
	house_press(h, "space tab tab tab enter"); /* Advanced */
	assert_sees(h, "pgpier_shop_5");
	assert_sees(h, "_pgpier_is_deleted");
	assert_not_sees(h, "_pgpier_synced_at");
	for (int i = 0; i < 11; i++)
		house_press(h, "tab");
	house_type(h, "1000"); /* batch size */
	house_press(h, "tab tab");
	house_type(h, "250");
	house_press(h, "tab tab");
	house_type(h, "Bad-Slot");
	house_press(h, "tab");
	assert_sees(h, "slot must be 1 to 63 lower-case");
	house_press(h, "space"); /* sync columns */
	assert_sees(h, "_pgpier_synced_at");
	house_press(h, "^s");
	assert_sees(h, "slot must be"); /* it goes nowhere, and to the field that is wrong */
	house_press(h, "^u");
	house_type(h, "mine");
	assert_not_sees(h, "Alert, lag");
	house_press(h, "tab tab tab tab");
	house_type(h, "notify the-dba");
	assert_sees(h, "Alert, lag"); /* limits make no sense without it */
	house_press(h, "tab");
	house_type(h, "5");
	house_press(h, "tab tab right tab"); /* freeze: wait */
	house_type(h, "stop it");
	house_press(h, "tab tab tab");
	house_type(h, "monitor  backup");
	house_press(h, "tab right tab"); /* the cutover verifies: all */
	house_type(h, "60");
	house_press(h, "^s a c c");
	assert_sees(h, "then replicates every change");
	assert_sees(h, "waits for your word");
	assert_sees(h, "A cutover begins with: stop it");
	assert_sees(h, "publication pgpier_shop_5 and slot mine on ec2-prod");
	assert_sees(h, "caught up under 250 ms");
	house_press(h, "enter");
	const struct mirror_config *m = stage_last(h->engine, COMMAND_MIRROR_SAVE)->mirror;
	assert_true(m->continuous && m->soft_delete && m->sync_columns);
	assert_int_equal(m->batch_size, 1000);
	assert_true(m->caught_up_s == 0.25 && m->sync_interval_ms == 0);
	assert_string_equal(m->slot, "mine");
	assert_null(m->publication);
	assert_string_equal(m->alert_command, "notify the-dba");
	assert_true(m->alert_lag_s == 5 && m->alert_retained_mb == 10000);
	assert_true(m->freeze == FREEZE_WAIT && m->cutover_limit_s == 60);
	assert_string_equal(m->freeze_command, "stop it");
	assert_true(!m->unfreeze_command && !m->open_command);
	assert_true(m->cutover_verify == FINAL_VERIFY_ALL);
	assert_int_equal(m->allow.count, 2);
	assert_string_equal(m->allow.items[1], "backup");
	assert_string_equal(m->synced_at_column, "_pgpier_synced_at");
	assert_string_equal(m->is_deleted_column, "_pgpier_is_deleted");
	assert_sees(h, "Mirrors (4) › Shop-5");
	house_press(h, "esc"); /* from its own page to the list, where it is selected */
	assert_sees(h, "▸Shop-5");
	house_press(h, "e"); /* it runs; what it was made of shows when it doesn't */
	assert_sees(h, "it is running");
	model_mirror_state(h->ui.model, "Shop-5", MIRROR_PAUSED, NULL);
	house_press(h, "esc e");
	assert_sees(h, "Continuous            [x] on");
	house_press(h, "tab tab enter"); /* Advanced */
	assert_sees(h, "mine");
	house_close(h);
}

static void mapping_ranges_and_folds(void **state)
{
	struct house *h = house_open(120, 30, false);
	(void)state;
	open_picker(h, "shop4");
	house_press(h, "G s ^u");
	house_type(h, "retail");
	house_press(h, "enter");
	assert_sees(h, "retail.orders");
	house_press(h, "v up up v");
	assert_sees(h, "2 of 7 tables");
	house_press(h, "left");
	assert_not_sees(h, "order_lines");
	house_press(h, "enter");
	assert_sees(h, "order_lines");
	house_close(h);
}

/* Sanitizers are slower than people. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMIT_US 1000000
#else
#define LIMIT_US 100000
#endif

/* A key in the filter of a picker of 50,000 tables is answered, frame included, in less than 100 ms. */
static int64_t cpu_us(void)
{
	struct timespec t; /* of this process, so that a busy machine doesn't fail the test */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fifty_thousand_tables(void **state)
{
	struct house *h = house_open(80, 24, false);
	int64_t worst = 0;
	(void)state;
	stage_many_tables(h->engine, 50000, 300);
	open_picker(h, "big");
	assert_sees(h, "0 of 50007 tables");
	house_press(h, "/");
	for (const char *p = "name:orders size>1G !tenant_0001"; *p; p++) {
		int64_t began = cpu_us();
		house_type(h, (char[]){ *p, '\0' });
		worst = MAX(worst, cpu_us() - began);
	}
	print_message("worst key of the filter: %.1f ms\n", (double)worst / 1000);
	assert_true(worst < LIMIT_US);
	house_press(h, "enter a");
	assert_not_sees(h, "0 of 50007");
	int64_t began = cpu_us();
	house_press(h, "> > G g esc");
	print_message("two sorts, both ends, unfiltered: %.1f ms\n", (double)(cpu_us() - began) / 1000);
	house_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_from_a_uri),
		cmocka_unit_test(testing_a_peer),
		cmocka_unit_test(a_peer_behind_a_pgbouncer),
		cmocka_unit_test(a_mirror),
		cmocka_unit_test(going_back_loses_nothing),
		cmocka_unit_test(a_whole_database),
		cmocka_unit_test(findings_of_one_cause),
		cmocka_unit_test(truncating_takes_the_name),
		cmocka_unit_test(a_continuous_mirror),
		cmocka_unit_test(mapping_ranges_and_folds),
		cmocka_unit_test(fifty_thousand_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
