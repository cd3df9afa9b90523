// SPDX-License-Identifier: PostgreSQL
/* The Schema tab, the difference and the roles of a mirror, on a screen that is read back cell by
 * cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "house.h"
#include "model/write.h"
#include "object_filter.h"

#define MIRROR "shop-2026"

static struct house *open_schema(int cols, int rows)
{
	struct house *h = house_open(cols, rows, false);
	stage_objects(h->engine, MIRROR);
	house_press(h, "enter tab tab");
	return h;
}

static int row_of(struct house *h, const char *what)
{
	char line[1024];
	house_draw(h);
	for (int row = 0; row < h->rows; row++) {
		house_read(h, line, sizeof(line), row);
		if (strstr(line, what))
			return row;
	}
	fail_msg("\"%s\" is not on\n%s", what, h->text);
	return -1;
}

/* What needs a person first; counts, a bar while something is to be made, the verdict after that.
 */
static void objects_by_state(void **state)
{
	struct house *h = open_schema(80, 24);
	(void)state;
	assert_sees(h, "6/8 objects");
	assert_sees(h, "75%");
	assert_sees(h, "1 failed  1 blocked  1 making  1 waiting  2 done  1 exists  1 left out");
	int failed = row_of(h, "! failed");
	assert_true(failed < row_of(h, "! blocked"));
	assert_true(row_of(h, "! blocked") < row_of(h, "● making"));
	assert_true(row_of(h, "- left out") < row_of(h, "✓ done"));
	assert_sees(h, "1m 05s");
	assert_sees(h, "then press r to retry"); /* the foot: of the first row, which failed */
	house_press(h, "down");
	assert_sees(h, "needs extension postgis, which failed");
	stage_object(h->engine, MIRROR, 6, OBJECT_DONE);
	stage_object(h->engine, MIRROR, 7, OBJECT_DONE);
	assert_sees(h, "1 of 8 objects failed; mend the cause");
	stage_object(h->engine, MIRROR, 1, OBJECT_DONE);
	assert_sees(h, "what 1 of 8 objects need is not there");
	stage_object(h->engine, MIRROR, 5, OBJECT_DONE);
	assert_sees(h, "✓ all of 8 objects");
	house_close(h);
}

/* On what needs a person until one has moved it; then on its object, wherever that goes. */
static void selection_stays(void **state)
{
	struct house *h = open_schema(80, 24);
	(void)state;
	assert_sees(h, "▸extension");
	stage_object(h->engine, MIRROR, 6, OBJECT_FAILED);
	stage_object(h->engine, MIRROR, 1, OBJECT_DONE);
	assert_sees(h, "▸index");
	house_press(h, "down up");
	stage_object(h->engine, MIRROR, 6, OBJECT_DONE);
	assert_sees(h, "▸index");
	house_press(h, "enter");
	assert_sees(h, "index sales.orders_total: done");
	house_close(h);
}

static void one_object_whole(void **state)
{
	struct house *h = open_schema(80, 24);
	(void)state;
	house_press(h, "enter");
	assert_sees(h, "extension postgis: failed, took 3 ms; made before the rows");
	assert_sees(h, "could not open extension control file");
	assert_sees(h, "SQLSTATE 58P01");
	assert_sees(h, "What to do: install postgis");
	assert_sees(h, "COMMENT ON EXTENSION postgis IS 'maps';");
	house_press(h, "esc");
	assert_sees(h, "6/8 objects");
	house_resize(h, 120, 30); /* beside the list */
	assert_sees(h, "SQLSTATE       58P01");
	assert_sees(h, "what to do     install postgis");
	assert_sees(h, "CREATE EXTENSION postgis;");
	house_close(h);
}

static void filtered_and_sorted(void **state)
{
	struct house *h = open_schema(100, 24);
	(void)state;
	house_press(h, "/");
	house_type(h, "state:failed");
	assert_sees(h, "1 of 8");
	house_press(h, "^u");
	house_type(h, "kind:index");
	assert_sees(h, "sales.orders_total");
	assert_not_sees(h, "postgis");
	house_press(h, "^u");
	house_type(h, "orders !kind:table");
	assert_sees(h, "2 of 8");
	house_press(h, "esc >"); /* by kind */
	assert_true(row_of(h, "rdsutils") < row_of(h, "fk constraint"));
	house_press(h, "!");
	assert_true(row_of(h, "rdsutils") > row_of(h, "fk constraint"));
	house_press(h, "> > >"); /* by the time taken, the longest first */
	assert_true(row_of(h, "1m 05s") < row_of(h, "12 ms"));
	house_close(h);
}

static bool takes(const char *text)
{
	struct object_filter f = object_filter_parse(text);
	bool taken = object_filter_takes(&f, "fk constraint", "sales.Orders_fkey", OBJECT_LEFT_OUT);
	object_filter_free(&f);
	return taken;
}

static void the_filter(void **state)
{
	static const char *const taken[] = { "", "fk", "orders", "Orders", "sales.o", "kind:constr",
		"name:sales", "state:left", "STATE:LEFT", "!state:done", "fk orders !kind:index", "!view" };
	static const char *const not_taken[] = { "ORDERS", "state:out", "state:failed", "kind:sales",
		"name:constraint", "!fk", "state:", "fk !orders" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (!takes(taken[i]))
			fail_msg("should be taken: %s", taken[i]);
	for (size_t i = 0; i < ARRAY_SIZE(not_taken); i++)
		if (takes(not_taken[i]))
			fail_msg("should not be taken: %s", not_taken[i]);
}

/* Objects alone are reason enough to try again; those of a load under way wait for its end. */
static void retry(void **state)
{
	struct house *h = open_schema(80, 24);
	(void)state;
	model_mirror_state(h->ui.model, MIRROR, MIRROR_LOADING, "");
	assert_sees(h, "1 running");
	house_press(h, "r");
	assert_sees(h, "tried again when the load is over");
	model_mirror_state(h->ui.model, MIRROR, MIRROR_DONE, NULL);
	assert_not_sees(h, "1 running");
	house_press(h, "r");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_RETRY), 1);
	assert_string_equal(stage_last(h->engine, COMMAND_MIRROR_RETRY)->name, MIRROR);
	stage_object(h->engine, MIRROR, 1, OBJECT_DONE);
	assert_not_sees(h, "1 failed");
	house_press(h, "r"); /* what is blocked may be made by now */
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_RETRY), 2);
	stage_object(h->engine, MIRROR, 5, OBJECT_DONE);
	assert_not_sees(h, "1 blocked");
	house_press(h, "r");
	assert_sees(h, "nothing has failed");
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_RETRY), 2);
	house_close(h);
}

static void nothing_yet(void **state)
{
	struct house *h = house_open(80, 24, false);
	(void)state;
	house_press(h, "enter tab tab");
	assert_sees(h, "the list of objects comes when the mirror has started");
	house_press(h, "enter");
	assert_sees(h, "no object is selected");
	stage_objects(h->engine, MIRROR);
	assert_sees(h, "6/8 objects");
	house_close(h);
}

/* Another run has other objects: fewer, of other names. */
static void replaced(void **state)
{
	struct house *h = open_schema(80, 24);
	const struct object_init one = { false, "TABLE", "public", "alone",
		"CREATE TABLE public.alone ()", { OBJECT_WAITING } };
	(void)state;
	house_press(h, "G");
	model_objects_set(h->ui.model, MIRROR, &one, 1);
	assert_sees(h, "0/1 objects");
	assert_sees(h, "public.alone");
	model_objects_set(h->ui.model, MIRROR, NULL, 0);
	assert_not_sees(h, "public.alone");
	house_close(h);
}

static void very_many(void **state)
{
	struct house *h = house_open(200, 60, false);
	(void)state;
	stage_many_objects(h->engine, MIRROR, 30000);
	house_press(h, "enter tab tab");
	assert_sees(h, "30 of 30000 objects failed");
	assert_sees(h, "▸table");
	house_press(h, "/");
	house_type(h, "29998");
	assert_sees(h, "public.t29998");
	house_close(h);
}

/* ---- both sides ---- */

static void difference(void **state)
{
	struct house *h = open_schema(120, 30);
	(void)state;
	house_press(h, "d");
	assert_string_equal(stage_last(h->engine, COMMAND_COMPARE_SCHEMA)->name, MIRROR);
	assert_int_equal(stage_count(h->engine, COMMAND_MIRROR_DROP), 0);
	assert_sees(h, "ec2-prod → rds17");
	assert_sees(h, "1 blocker, 1 warning, 0 others of 124 compared");
	assert_sees(h, "! blocker");
	assert_sees(h, "it is missing on the target ");
	house_press(h, "enter");
	assert_sees(h, "    ON sales.orders (total)");
	assert_sees(h, "CREATE INDEX orders_total ON sales.orders (total);");
	house_press(h, "esc R");
	assert_int_equal(stage_count(h->engine, COMMAND_COMPARE_SCHEMA), 2);
	house_press(h, "a"); /* of roles only */
	assert_int_equal(stage_count(h->engine, COMMAND_APPLY_ROLES), 0);
	house_press(h, "esc");
	assert_sees(h, "6/8 objects");
	house_close(h);
}

static void cancelled(void **state)
{
	struct house *h = open_schema(80, 24);
	(void)state;
	stage_hold(h->engine, true);
	house_press(h, "d");
	assert_sees(h, "reading the definitions of both databases");
	house_press(h, "R");
	assert_sees(h, "it is under way");
	house_press(h, "esc esc"); /* the first takes the message away */
	assert_int_equal(stage_count(h->engine, COMMAND_CANCEL), 1);
	assert_sees(h, "6/8 objects");
	house_close(h);
}

static void roles(void **state)
{
	struct house *h = open_schema(100, 30);
	(void)state;
	house_press(h, "o");
	assert_sees(h, "app_writer");
	assert_sees(h, "joe in app_writer");
	house_press(h, "a");
	assert_sees(h, "Make 2 things on rds17?");
	assert_sees(h, "role app_writer");
	assert_sees(h, "Nothing is changed on ec2-prod");
	assert_not_sees(h, "  password joe"); /* the list behind the question has it */
	house_press(h, "enter");              /* the default */
	assert_int_equal(stage_count(h->engine, COMMAND_APPLY_ROLES), 0);
	house_press(h, "a y");
	assert_int_equal(stage_count(h->engine, COMMAND_APPLY_ROLES), 1);
	assert_string_equal(stage_last(h->engine, COMMAND_APPLY_ROLES)->name, MIRROR);
	assert_sees(h, "2 statements run on rds17");
	assert_not_sees(h, "app_writer");
	house_press(h, "a");
	assert_sees(h, "nothing that it could make");
	h->ui.readonly = true;
	house_press(h, "a");
	assert_sees(h, "the console is read-only");
	house_close(h);
}

/* Its own key means the difference there; everywhere else of the mirror it drops. */
static void d_is_no_drop_there(void **state)
{
	struct house *h = open_schema(100, 40);
	(void)state;
	house_press(h, "?");
	assert_sees(h, "Compare the definitions of both databases");
	assert_not_sees(h, "Drop the peer or mirror");
	house_press(h, "esc tab tab d");
	assert_sees(h, "Drop mirror shop-2026?");
	house_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_by_state),
		cmocka_unit_test(selection_stays),
		cmocka_unit_test(one_object_whole),
		cmocka_unit_test(filtered_and_sorted),
		cmocka_unit_test(the_filter),
		cmocka_unit_test(retry),
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(replaced),
		cmocka_unit_test(very_many),
		cmocka_unit_test(difference),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(roles),
		cmocka_unit_test(d_is_no_drop_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
