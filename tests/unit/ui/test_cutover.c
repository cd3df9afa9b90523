// SPDX-License-Identifier: PostgreSQL
/* The Cutover tab in each of its phases, from the checklist to the way back. */
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
#include "widgets/clock.h"

#define SHOP "shop-2026"

/* ---- a cutover to look at ---- */

static const struct cutover_gate gates[] = {
	{ GATE_OPEN, "initial load", "418 tables with their keys and indexes", "" },
	{ GATE_OPEN, "constraints and other objects", "1204 made, 0 to be made, 0 failed or blocked", "" },
	{ GATE_OPEN, "lag", "0.2 s, 14.2 kB, not rising", "" },
	{ GATE_WARNING, "last verify", "equal, 2d 04h ago", "verify again" },
	{ GATE_OPEN, "sequences", "212 values can be set", "" },
	{ GATE_CLOSED, "long and prepared transactions", "prepared transaction 'batch-7' of app, 12 min",
		"COMMIT PREPARED or ROLLBACK PREPARED it: no session holds it, so none can be ended" },
	{ GATE_OPEN, "sessions on the source", "12 of app@10.1.4.7 rails, 1 of etl@10.1.4.9 airflow", "" },
	{ GATE_OPEN, "freeze", "a fence keeps everybody but us out", "" },
	{ GATE_WARNING, "application", "nothing moves it", "set open_command, or tell it the new address" },
	{ GATE_OPEN, "statistics", "all tables are analyzed", "" },
	{ GATE_OPEN, "room", "source 2.10 TB, target 1.98 TB; SQL can't tell what its disk has left", "" },
	{ GATE_OPEN, "way back", "mirror can be made", "" },
};

static const struct {
	const char *what, *undo;
	double took_s;
} steps[CUTOVER_STEP_COUNT] = {
	[CUTOVER_GATES] = { "12 gates are open", "", 0.31 },
	[CUTOVER_PREPARE] = { "mirror shop-2026-back, publication pgpier_back on rds17", "drops them", 0.42 },
	[CUTOVER_FREEZE] = { "ended 12 sessions, 3 roles are kept out", "lets the roles connect again", 0.6 },
	[CUTOVER_SILENCE] = { "nobody has written for 200 ms", "", 0.2 },
	[CUTOVER_DRAIN] = { "everything before 2/516B3748 is on rds17", "the stream goes on", 0.18 },
	[CUTOVER_SEQUENCES] = { "212 values set", "", 0.05 },
	[CUTOVER_VERIFY] = { "418 tables are equal", "", 0.7 },
	[CUTOVER_WAY_BACK] = { "slot pgpier_shop_2026_back on rds17", "drops the slot", 0.1 },
	[CUTOVER_COMMIT] = { "silence was kept", "", 0.02 },
	[CUTOVER_OPEN] = { "open_command", "", 0.04 },
	[CUTOVER_FOLLOW] = { "shop-2026-back runs", "", 0.3 },
};

/* All steps before `at` are done, that one is in the state. */
static void cut(struct house *h, enum cutover_phase phase, enum cutover_step at, enum step_state state)
{
	struct cutover_view v = { .phase = phase, .here = true, .began_at = wall_us(), .limit_s = 300, .closed_s = -1,
		.forecast_s = 1.9 };
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++) {
		struct cutover_step_view *s = &v.steps[i];
		s->forecast_s = i == CUTOVER_FREEZE ? 0.5 : -1;
		copy_text(s->undo, sizeof(s->undo), steps[i].undo);
		s->state = i < (int)at ? STEP_DONE : i == (int)at ? state : STEP_WAITING;
		if (s->state == STEP_WAITING)
			continue;
		s->took_s = steps[i].took_s;
		v.elapsed_s += s->took_s;
		copy_text(s->what, sizeof(s->what), steps[i].what);
	}
	if (at > CUTOVER_FREEZE)
		v.closed_s = 1.2;
	if (phase == CUTOVER_UNDONE || phase == CUTOVER_STUCK)
		error_set(&v.error, ERROR_CONFLICT, "mirror " SHOP ": verify: public.users differs");
	if (phase == CUTOVER_DONE) {
		v.closed_s = 1.87;
		copy_text(v.connection, sizeof(v.connection), "host=shop.abcdef.eu-central-1.rds.amazonaws.com dbname=shop user=app");
		copy_text(v.back, sizeof(v.back), SHOP "-back");
		strings_add(&v.remains, "REPLICA IDENTITY FULL of public.log was set by pgpier");
	}
	model_cutover_set(h->ui.model, SHOP, &v);
	cutover_view_free(&v);
}

/* On the tab of a mirror that replicates, measured or not. */
static struct house *house_with_gates(int cols, int rows, bool ascii, size_t n)
{
	struct house *h = house_open(cols, rows, ascii);
	stage_replicating(h->engine, SHOP);
	stage_pass(h->engine, SHOP, 10);
	if (n > 0)
		model_gates_set(h->ui.model, SHOP, gates, n);
	house_press(h, "enter tab tab");
	return h;
}

static size_t cutovers(const struct house *h)
{
	return stage_count(h->engine, COMMAND_CUTOVER);
}

/* ---- before ---- */

static void measured_when_first_seen(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	stage_replicating(h->engine, SHOP);
	stage_hold(h->engine, true);
	house_press(h, "enter tab tab");
	assert_sees(h, "measuring both servers");
	assert_int_equal(stage_count(h->engine, COMMAND_GATES), 1);
	assert_string_equal(stage_last(h->engine, COMMAND_GATES)->name, SHOP);
	house_press(h, "R"); /* it is being measured */
	assert_int_equal(stage_count(h->engine, COMMAND_GATES), 1);
	house_close(h);
}

static void the_checklist(void **state)
{
	struct house *h = house_with_gates(80, 24, false, ARRAY_SIZE(gates));
	char line[600];
	(void)state;
	assert_sees(h, " Cutover ");
	assert_sees(h, "! not yet: 1 closed, 2 warning, 9 ok (");
	assert_sees(h, "none yet: t rehearses");
	assert_non_null(house_line(h, "▸long and prepared", line, sizeof(line))); /* the worst is selected */
	assert_non_null(strstr(line, "! closed"));
	assert_sees(h, "COMMIT PREPARED or ROLLBACK PREPARED it");
	house_press(h, "c");
	assert_sees(h, "a gate is closed: mend it");
	house_press(h, "esc R");
	assert_int_equal(stage_count(h->engine, COMMAND_GATES), 1);
	house_press(h, "enter");
	assert_sees(h, "What to do: COMMIT PREPARED");
	house_close(h);
}

static void a_rehearsal(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	(void)state;
	assert_sees(h, "✓ it can begin: 1 warning, 4 ok");
	assert_sees(h, "none yet: t rehearses");
	house_press(h, "t");
	assert_int_equal(cutovers(h), 1);
	assert_true(stage_last(h->engine, COMMAND_CUTOVER)->dry_run);
	cut(h, CUTOVER_REHEARSING, CUTOVER_DRAIN, STEP_RUNNING);
	assert_sees(h, "a rehearsal: nobody is kept out, nothing is changed");
	cut(h, CUTOVER_REHEARSED, CUTOVER_STEP_COUNT, STEP_DONE);
	assert_sees(h, "nobody can write for about 1.9 s");
	assert_sees(h, "MEASURED"); /* the checklist is in front again */
	house_press(h, "v");
	assert_sees(h, "✓ done");
	house_close(h);
}

static void begins_with_the_name(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	(void)state;
	house_press(h, "c");
	assert_sees(h, "Cut over " SHOP "?");
	assert_sees(h, "The application leaves ec2-prod for rds17.");
	house_type(h, "yes");
	house_press(h, "enter");
	assert_int_equal(cutovers(h), 0);
	house_press(h, "^u");
	house_type(h, SHOP);
	house_press(h, "enter");
	assert_int_equal(cutovers(h), 1);
	assert_false(stage_last(h->engine, COMMAND_CUTOVER)->dry_run);
	assert_string_equal(stage_last(h->engine, COMMAND_CUTOVER)->name, SHOP);
	house_close(h);
}

/* ---- while it runs ---- */

static void the_clock_and_the_steps(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	char line[600];
	(void)state;
	cut(h, CUTOVER_RUNNING, CUTOVER_VERIFY, STEP_RUNNING);
	assert_sees(h, "███ ");
	assert_sees(h, "undoes itself in 4m 58s, at 5m 00s");
	assert_sees(h, "nobody can write for 1.2 s  forecast 1.9 s");
	assert_non_null(house_line(h, "freeze ", line, sizeof(line)));
	assert_non_null(strstr(line, "✓ done      0.6 s  ended 12 sessions"));
	assert_non_null(house_line(h, "● running", line, sizeof(line)));
	assert_non_null(strstr(line, "verify"));
	assert_non_null(house_line(h, "follow", line, sizeof(line))); /* the last one is seen as well */
	assert_non_null(strstr(line, "○ waiting"));
	assert_sees(h, "u undo");
	assert_not_sees(h, "t rehearse");
	house_press(h, "p");
	assert_sees(h, "a cutover is under way: undo it first");
	house_press(h, "esc c");
	assert_sees(h, "it is under way");
	house_close(h);
}

static void the_writers_are_stopped(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	struct cutover_view v;
	(void)state;
	cut(h, CUTOVER_RUNNING, CUTOVER_FREEZE, STEP_RUNNING);
	house_press(h, "w");
	assert_int_equal(stage_count(h->engine, COMMAND_CUTOVER_GO), 0);
	house_press(h, "esc");
	model_cutover(h->ui.model, SHOP, &v);
	v.asks = true;
	model_cutover_set(h->ui.model, SHOP, &v);
	cutover_view_free(&v);
	assert_sees(h, "! stop all who write to ec2-prod, then press w");
	assert_sees(h, "w stopped");
	house_press(h, "w");
	assert_string_equal(stage_last(h->engine, COMMAND_CUTOVER_GO)->name, SHOP);
	house_close(h);
}

static void undone_on_yes(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	(void)state;
	house_press(h, "u");
	assert_sees(h, "there is nothing to undo");
	cut(h, CUTOVER_RUNNING, CUTOVER_DRAIN, STEP_RUNNING);
	house_press(h, "esc u");
	assert_sees(h, "ec2-prod is open for its writers again");
	house_press(h, "enter"); /* No */
	assert_int_equal(stage_count(h->engine, COMMAND_CUTOVER_UNDO), 0);
	house_press(h, "u y");
	assert_string_equal(stage_last(h->engine, COMMAND_CUTOVER_UNDO)->name, SHOP);
	cut(h, CUTOVER_UNDOING, CUTOVER_FREEZE, STEP_UNDOING);
	assert_sees(h, "undoing freeze  lets the roles connect again");
	cut(h, CUTOVER_UNDONE, CUTOVER_VERIFY, STEP_FAILED);
	assert_sees(h, "ec2-prod is open as it was before");
	assert_sees(h, "verify: public.users differs");
	house_press(h, "c"); /* it may begin again */
	assert_sees(h, "Cut over " SHOP "?");
	house_close(h);
}

static void leaving_asks(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	(void)state;
	cut(h, CUTOVER_RUNNING, CUTOVER_DRAIN, STEP_RUNNING);
	house_press(h, "q");
	assert_sees(h, "Leaving undoes it: the source");
	house_press(h, "n");
	assert_false(h->ui.quit);
	cut(h, CUTOVER_COMMITTED, CUTOVER_OPEN, STEP_RUNNING);
	house_press(h, "q");
	assert_sees(h, "point of no");
	house_press(h, "y");
	assert_true(h->ui.quit);
	house_close(h);
}

/* ---- after it ---- */

static void interrupted(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	(void)state;
	cut(h, CUTOVER_STUCK, CUTOVER_VERIFY, STEP_FAILED);
	assert_sees(h, "at verify: neither done nor undone");
	assert_sees(h, "c goes on with it, u undoes it");
	assert_sees(h, "c go on");
	house_press(h, "c");
	assert_sees(h, "Go on with the cutover of " SHOP "?");
	house_type(h, SHOP);
	house_press(h, "enter");
	assert_int_equal(cutovers(h), 1);
	house_press(h, "u y");
	assert_int_equal(stage_count(h->engine, COMMAND_CUTOVER_UNDO), 1);
	house_press(h, "esc");
	assert_sees(h, "! interrupted");
	assert_sees(h, "verify  2.5 s");
	house_close(h);
}

static void done_and_the_way_back(void **state)
{
	struct house *h = house_with_gates(80, 24, false, 5);
	(void)state;
	cut(h, CUTOVER_DONE, CUTOVER_STEP_COUNT, STEP_DONE);
	model_mirror_state(h->ui.model, SHOP, MIRROR_CUT_OVER, NULL);
	assert_sees(h, "from ec2-prod to rds17");
	assert_sees(h, "nobody could write for 1.9 s");
	assert_sees(h, "host=shop.abcdef.eu-central-1.rds.amazonaws.com dbname=shop");
	assert_sees(h, "mirror " SHOP "-back: b rolls back to ec2-prod, f ends it");
	assert_sees(h, "REPLICA IDENTITY FULL of public.log");
	house_press(h, "u");
	assert_sees(h, "it can't be undone any more, only rolled back");
	house_press(h, "esc b");
	assert_sees(h, "The application leaves rds17 for ec2-prod.");
	house_type(h, SHOP);
	house_press(h, "enter");
	assert_string_equal(stage_last(h->engine, COMMAND_CUTOVER)->name, SHOP "-back");
	house_press(h, "f");
	assert_sees(h, "Nobody can go back to ec2-prod any more.");
	house_type(h, SHOP);
	house_press(h, "enter");
	assert_string_equal(stage_last(h->engine, COMMAND_FINISH)->name, SHOP);
	house_press(h, "esc");
	assert_sees(h, "✓ cut over");
	assert_sees(h, "on rds17");
	house_close(h);
}

static void a_mirror_that_leads_back(void **state)
{
	struct house *h = house_open(160, 30, false);
	struct command save = { .kind = COMMAND_MIRROR_SAVE, .mirror = xcalloc(1, sizeof(*save.mirror)) };
	(void)state;
	mirror_config_defaults(save.mirror);
	save.mirror->name = xstrdup("zback");
	save.mirror->source = xstrdup("rds17");
	save.mirror->target = xstrdup("ec2-prod");
	save.mirror->reverse_of = xstrdup(SHOP);
	save.mirror->continuous = true;
	engine_submit(h->engine, &save);
	assert_sees(h, "way back of " SHOP);
	house_press(h, "G enter btab btab");
	assert_sees(h, " Rollback ");
	assert_sees(h, SHOP ": the application goes back from rds17 to ec2-prod");
	assert_sees(h, "c roll back");
	house_press(h, "c");
	assert_sees(h, "Roll back to ec2-prod?");
	house_close(h);
}

/* ---- other terminals ---- */

static void in_ascii(void **state)
{
	struct house *h = house_with_gates(80, 24, true, ARRAY_SIZE(gates));
	(void)state;
	cut(h, CUTOVER_RUNNING, CUTOVER_FREEZE, STEP_RUNNING);
	assert_sees(h, "### ");
	for (const char *at = house_draw(h); *at != '\0'; at++)
		assert_true((unsigned char)*at < 0x80);
	house_close(h);
}

static void both_lists_in_a_large_terminal(void **state)
{
	struct house *h = house_with_gates(200, 60, false, ARRAY_SIZE(gates));
	(void)state;
	assert_sees(h, "WHAT TO DO");
	assert_sees(h, "ITS UNDO");
	cut(h, CUTOVER_RUNNING, CUTOVER_VERIFY, STEP_RUNNING);
	assert_sees(h, "lets the roles connect again");
	assert_sees(h, "██████  ");
	assert_sees(h, "sessions on the source");
	house_resize(h, 60, 15);
	assert_sees(h, "0:02.5");
	assert_sees(h, "undoes itself in");
	house_close(h);
}

static void clock_texts(void **state)
{
	char text[FORMAT_SIZE];
	(void)state;
	assert_string_equal(clock_text(0, text), "0:00.0");
	assert_string_equal(clock_text(7.44, text), "0:07.4");
	assert_string_equal(clock_text(59.96, text), "1:00.0");
	assert_string_equal(clock_text(723, text), "12:03.0");
	assert_string_equal(clock_text(3723.4, text), "1:02:03");
	assert_string_equal(clock_text(-1, text), "0:00.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measured_when_first_seen),
		cmocka_unit_test(the_checklist),
		cmocka_unit_test(a_rehearsal),
		cmocka_unit_test(begins_with_the_name),
		cmocka_unit_test(the_clock_and_the_steps),
		cmocka_unit_test(the_writers_are_stopped),
		cmocka_unit_test(undone_on_yes),
		cmocka_unit_test(leaving_asks),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(done_and_the_way_back),
		cmocka_unit_test(a_mirror_that_leads_back),
		cmocka_unit_test(in_ascii),
		cmocka_unit_test(both_lists_in_a_large_terminal),
		cmocka_unit_test(clock_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
