// SPDX-License-Identifier: PostgreSQL
/* What the panes show and do, on a screen that is read back cell by cell. */
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

static void mirrors_and_peers(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	stage_loading(h->engine, "shop-2026");
	assert_sees(h, "┌ Mirrors (3) ");
	assert_sees(h, "▸shop-2026");
	assert_sees(h, "● initial load");
	assert_sees(h, "! failed");
	assert_sees(h, "items: permission d"); /* the reason, not just a colour */
	assert_sees(h, "1 running");
	house_press(h, "1");
	assert_sees(h, "10.1.1.5:5432/shop "); /* the user leaves first, the port never */
	assert_sees(h, "192.168.7.93:5432… ");
	assert_sees(h, "shop.a…ws.com:5432 ");
	house_resize(h, 110, 24);
	assert_sees(h, "mover@10.1.1.5:5432/shop");
	house_resize(h, 80, 24);
	assert_sees(h, "● 0.8 ms");
	assert_sees(h, "! connect");
	house_press(h, "enter");
	assert_sees(h, "Activity");
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_WATCH), 1);
	house_press(h, "tab");
	assert_sees(h, "no replication slots there");
	house_press(h, "tab");
	assert_sees(h, "ec2-prod → rds17");
	house_press(h, "tab");
	assert_sees(h, "PostgreSQL 15.20");
	assert_sees(h, "superuser");
	house_press(h, "esc");
	assert_sees(h, "Peers (3)");
	house_press(h, "esc esc"); /* never quits */
	assert_false(h->ui.quit);
	house_close(h);
}

/* Which two, which way round, one difference whole; the filter; what only a person can know is asked for. */
static void settings_of_two_peers(void **state)
{
	struct house *h = house_open(120, 30, false);
	(void)state;
	house_press(h, "1 enter tab");
	assert_int_equal(stage_count(h->engine, COMMAND_COMPARE_SETTINGS), 0); /* nobody has looked yet */
	house_press(h, "tab");
	assert_string_equal(stage_last(h->engine, COMMAND_COMPARE_SETTINGS)->other, "rds17"); /* of its mirror */
	assert_sees(h, "1 blocker, 1 warning, 1 other of 310 compared");
	assert_sees(h, "ALTER SYSTEM SET DateStyle = 'ISO, DMY'");
	assert_sees(h, "disk: the database takes 447 GB");
	house_press(h, "enter");
	assert_sees(h, "Source  ec2-prod: ISO, DMY");
	assert_sees(h, "ALTER SYSTEM SET DateStyle = 'ISO, DMY';");
	house_press(h, "esc /");
	house_type(h, "extension");
	house_press(h, "enter");
	assert_sees(h, "CREATE EXTENSION");
	assert_not_sees(h, "DateStyle");
	house_press(h, "esc s");
	assert_sees(h, "rds17 → ec2-prod");
	assert_string_equal(stage_last(h->engine, COMMAND_COMPARE_SETTINGS)->name, "rds17");
	house_press(h, "o");
	assert_sees(h, "Compare ec2-prod with");
	house_press(h, "/");
	house_type(h, "old");
	house_press(h, "enter enter");
	assert_sees(h, "ec2-prod → old-dc");
	assert_int_equal(stage_count(h->engine, COMMAND_COMPARE_SETTINGS), 3);
	house_press(h, "R");
	assert_int_equal(stage_count(h->engine, COMMAND_COMPARE_SETTINGS), 4);
	house_close(h);
}

/* A comparison that nobody waits for any more is cancelled; the target's page is that of a target. */
static void settings_of_a_target(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	stage_hold(h->engine, true);
	house_press(h, "1 G enter tab tab");
	assert_sees(h, "→ rds17");
	assert_sees(h, "comparing");
	house_press(h, "s");
	assert_int_equal(stage_count(h->engine, COMMAND_CANCEL), 1);
	house_press(h, "esc");
	assert_int_equal(stage_count(h->engine, COMMAND_CANCEL), 2);
	house_close(h);
}

/* Every frame, of every size that is accepted, is whole: borders at the edges, no line longer. */
static void all_sizes(void **state)
{
	static const int sizes[][2] = { { 60, 15 }, { 80, 24 }, { 81, 25 }, { 119, 40 }, { 120, 40 },
		{ 200, 60 }, { 300, 20 } };
	struct house *h = house_open(80, 24, false);
	(void)state;
	stage_loading(h->engine, "shop-2026");
	stage_objects(h->engine, "shop-2026");
	static const char *const paths[] = { "1", "1 enter tab", "tab", "esc 1 n", "esc y 2", "2 enter", "tab", "d", "esc o",
		"esc tab", "esc 2 n", "3" };
	for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
		house_press(h, paths[p]);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			house_resize(h, sizes[i][0], sizes[i][1]);
			struct strbuf lines = STRBUF_INIT;
			strbuf_add(&lines, house_draw(h));
			int rows = 0;
			for (char *rest = NULL, *line = strtok_r(lines.text, "\n", &rest); line;
				 line = strtok_r(NULL, "\n", &rest), rows++) {
				assert_int_equal(text_cells(line), sizes[i][0]);
				bool edge = rows > 0 && rows + 1 < sizes[i][1];
				size_t n = strlen(line);
				const char *last = line + n - 3;
				bool closed = strcmp(last, "│") == 0 || strcmp(last, "┐") == 0 ||
							  strcmp(last, "┘") == 0 || strcmp(last, "┃") == 0;
				if (edge && !closed)
					fail_msg("row %d at %dx%d of %s: %s", rows, sizes[i][0], sizes[i][1], paths[p],
						line);
			}
			strbuf_free(&lines);
		}
		house_resize(h, 80, 24);
	}
	house_close(h);
}

static void too_small(void **state)
{
	struct house *h = house_open(59, 15, false);
	(void)state;
	assert_sees(h, "59x15 is too small");
	assert_sees(h, "pgpier needs 60x15");
	assert_sees(h, "q quits");
	house_resize(h, 20, 5);
	assert_sees(h, "20x5 is too small");
	house_resize(h, 3, 1);
	house_draw(h);
	house_resize(h, 60, 15);
	assert_sees(h, "Mirrors (3)");
	house_close(h);
}

static void ascii(void **state)
{
	struct house *h = house_open(80, 24, true);
	(void)state;
	stage_loading(h->engine, "shop-2026");
	house_press(h, "enter");
	const char *text = house_draw(h);
	for (const char *p = text; *p; p++) {
		bool name = (unsigned char)*p >= 0x80; /* a server's name is not ours to change */
		if (name)
			assert_non_null(strstr(text, "京都の表"));
	}
	assert_sees(h, "+ Mirrors (3) > shop-2026 ---");
	assert_sees(h, "* copy");
	assert_sees(h, "####");
	house_close(h);
}

static void the_load(void **state)
{
	struct house *h = house_open(120, 40, false);
	char line[600];
	(void)state;
	stage_loading(h->engine, "shop-2026");
	house_press(h, "enter");
	assert_sees(h, "sales.order_lines");
	assert_sees(h, "0.81/~1.20 G");
	assert_non_null(house_line(h, "audit.events", line, sizeof(line)));
	assert_non_null(strstr(line, "! failed"));
	assert_non_null(strstr(line, "COPY from source failed"));
	assert_sees(h, "1 order_lines #2");
	assert_sees(h, "1 failed");
	assert_not_sees(h, "100%");
	model_worker_stall(h->ui.model, "shop-2026", 2, "stalled 40s: waiting on lock, pid 4711 (ALTER TABLE x)");
	assert_sees(h, "stalled 40s: waiting");
	house_press(h, "down");
	assert_sees(h, "stalled 40s: waiting on lock, pid 4711 (ALTER TABLE x)");
	house_press(h, "+");
	assert_int_equal(stage_last(h->engine, COMMAND_MIRROR_TUNE)->workers, 5);
	assert_int_equal(stage_last(h->engine, COMMAND_MIRROR_TUNE)->rate_limit_mb, -1);
	house_press(h, "b ^u");
	house_type(h, "50");
	house_press(h, "enter");
	assert_int_equal(stage_last(h->engine, COMMAND_MIRROR_TUNE)->rate_limit_mb, 50);
	house_press(h, "/");
	house_type(h, "failed");
	assert_sees(h, "1 of 6");
	assert_not_sees(h, "public.users");
	house_press(h, "enter enter");
	assert_sees(h, "SQLSTATE       42501");
	assert_sees(h, "what to do     grant SELECT");
	house_press(h, "esc esc");
	assert_sees(h, "public.users");
	house_close(h);
}

static void chunks(void **state)
{
	struct house *h = house_open(100, 30, false);
	(void)state;
	stage_loading(h->engine, "shop-2026");
	house_press(h, "enter enter");
	assert_sees(h, "ctid (0,0) .. (5120,0)");
	assert_sees(h, "ntile over ctid, 3 chunks");
	assert_sees(h, "✓ done");
	assert_sees(h, "● running");
	house_close(h);
}

static void hostile_names(void **state)
{
	struct house *h = house_open(120, 24, false);
	struct load_table_init tables[] = {
		{ "public.\x1b[31mred", "public.\x1b[31mred", 1, 1, TABLE_QUEUED, 0, 0, false, NULL, 0, 0, NULL },
		{ "public.tab\there\u202e", "x.y", 1, 1, TABLE_QUEUED, 0, 0, false, NULL, 0, 0, NULL },
	};
	(void)state;
	model_load_set(h->ui.model, "audit", tables, 2);
	model_mirror_state(h->ui.model, "audit", MIRROR_PAUSED, "\x1b]0;x\x07 resume");
	house_press(h, "down enter");
	assert_sees(h, "public.\\x1b[31mred");
	assert_not_sees(h, "\x1b");
	assert_not_sees(h, "\u202e");
	house_close(h);
}

static void dropping_asks(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_press(h, "down d");
	assert_sees(h, "Drop mirror audit?");
	assert_sees(h, "stay as they are");
	assert_sees(h, "no (default)");
	house_press(h, "enter"); /* the default */
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_DROP), 0);
	house_press(h, "d esc");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_DROP), 0);
	house_press(h, "d y");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_DROP), 1);
	assert_string_equal(stage_last(h->engine, COMMAND_MIRROR_DROP)->name, "audit");
	house_press(h, "1 d");
	assert_sees(h, "a mirror uses it");
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_DROP), 0);
	house_close(h);
}

static void what_is_refused_says_why(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_press(h, "down r");
	assert_sees(h, "nothing has failed");
	house_press(h, "1 down down e"); /* the first key takes the error away */
	assert_sees(h, "written by hand in pgpier.conf");
	h->ui.readonly = true;
	house_press(h, "2 n");
	assert_sees(h, "the console is read-only");
	house_press(h, "down p");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_RUN), 0);
	house_close(h);
}

static void help_and_palette(void **state)
{
	struct house *h = house_open(80, 24, false);
	char line[400];
	(void)state;
	house_press(h, "?");
	assert_sees(h, "Create a peer or a mirror");
	assert_not_sees(h, "One more worker"); /* not of this pane */
	house_press(h, "/");
	house_type(h, "whole screen");
	assert_sees(h, "^l");
	house_press(h, "enter esc esc");
	assert_not_sees(h, "WHAT IT DOES");
	house_press(h, ":");
	house_type(h, "retry");
	assert_non_null(house_line(h, "not now: nothing has failed", line, sizeof(line)));
	assert_non_null(strstr(line, "retry"));
	house_press(h, "^u");
	house_type(h, "events");
	house_press(h, "enter");
	assert_sees(h, "┌ Events");
	house_close(h);
}

static void events_follow(void **state)
{
	struct house *h = house_open(80, 24, false);
	char text[64];
	(void)state;
	for (int i = 0; i < 100; i++)
		model_event(h->ui.model, EVENT_INFO, "pgpier", NULL, "event number %d", i);
	house_press(h, "3");
	assert_sees(h, "event number 99");
	house_press(h, "up");
	model_event(h->ui.model, EVENT_INFO, "pgpier", NULL, "event number %d", 100);
	assert_sees(h, "paused; F follows");
	assert_not_sees(h, "event number 100");
	house_press(h, "F");
	assert_sees(h, "event number 100");
	/* More than are kept: the oldest leave, the newest are there. */
	for (int i = 0; i < 5000; i++)
		model_event(h->ui.model, EVENT_WARNING, "pgpier", NULL, "flood %d", i);
	assert_sees(h, "flood 4999");
	house_press(h, "/");
	house_type(h, "flood 4998");
	house_press(h, "enter enter");
	snprintf(text, sizeof(text), "warning  pgpier");
	assert_sees(h, text);
	house_close(h);
}

static void the_mouse(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_draw(h);
	house_click(h, INPUT_CLICK, 4, 5);
	assert_sees(h, "▸audit");
	house_click(h, INPUT_WHEEL_DOWN, 4, 5);
	assert_sees(h, "▸legacy93");
	house_click(h, INPUT_CLICK, 2, 3);
	assert_sees(h, "NAME▲");
	house_click(h, INPUT_DOUBLE_CLICK, 3, 5);
	assert_sees(h, "Mirrors (3) › audit");
	house_close(h);
}

static void leaving_with_work(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	stage_loading(h->engine, "shop-2026");
	house_press(h, "q");
	assert_sees(h, "Leave pgpier?");
	house_press(h, "enter");
	assert_false(h->ui.quit);
	house_press(h, "q");
	assert_not_sees(h, "keeps WAL");
	house_press(h, "esc");
	stage_replicating(h->engine, "audit");
	house_press(h, "q");
	assert_sees(h, "2 mirrors are running");
	assert_sees(h, "keeps WAL on its source");
	house_press(h, "y");
	assert_true(h->ui.quit);
	house_close(h);
}

/* A peer that asks has lost its password with the process before. */
static void forgotten_passwords(void **state)
{
	struct house *h = house_open(80, 24, false);
	struct config c = { 0 };
	struct mirror_config m;
	(void)state;
	const char *const names[] = { "one", "two", "keeps" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct peer_config p = { .name = xstrdup(names[i]), .ask_password = true };
		p.password = i == 2 ? xstrdup("known") : NULL;
		config_put_peer(&c, &p);
	}
	mirror_config_defaults(&m);
	m.name = xstrdup("m");
	m.source = xstrdup("one");
	m.target = xstrdup("keeps");
	config_put_mirror(&c, &m);
	model_set_config(h->ui.model, &c);
	passwords_init(&h->ui);
	assert_sees(h, "Password of one");
	house_type(h, "s3cret");
	assert_not_sees(h, "s3cret");
	house_press(h, "enter");
	assert_string_equal(stage_last(h->engine, COMMAND_PEER_PASSWORD)->name, "one");
	assert_string_equal(stage_last(h->engine, COMMAND_PEER_PASSWORD)->peer->password, "s3cret");
	assert_sees(h, "Password of two");
	house_press(h, "esc");
	assert_not_sees(h, "Password of");
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_PASSWORD), 1);
	house_press(h, "2 p"); /* the stage did not take it, so what needs it asks again */
	assert_sees(h, "Password of one");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_RUN), 0);
	house_press(h, "esc 1 down t");
	assert_sees(h, "Password of two");
	house_press(h, "esc down t");
	assert_int_equal(stage_count(h->engine, COMMAND_PEER_PROBE), 1);
	house_close(h);
	while (c.peer_count > 0)
		config_remove_peer(&c, c.peers[0].name);
	config_remove_mirror(&c, "m");
	free(c.peers);
	free(c.mirrors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirrors_and_peers),
		cmocka_unit_test(settings_of_two_peers),
		cmocka_unit_test(settings_of_a_target),
		cmocka_unit_test(all_sizes),
		cmocka_unit_test(too_small),
		cmocka_unit_test(ascii),
		cmocka_unit_test(the_load),
		cmocka_unit_test(chunks),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(dropping_asks),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(help_and_palette),
		cmocka_unit_test(events_follow),
		cmocka_unit_test(the_mouse),
		cmocka_unit_test(leaving_with_work),
		cmocka_unit_test(forgotten_passwords),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
