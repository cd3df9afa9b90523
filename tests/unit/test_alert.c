// SPDX-License-Identifier: PostgreSQL
/* Alerts: each thing is told once, and again after it has changed; commands that fail, hang or start others
 * hold nothing up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert.h"

#define TOLD(kind) (1U << (kind))

static struct alert_facts quiet(void)
{
	return (struct alert_facts){ .state = MIRROR_LOADING, .lag_s = -1, .lag_bytes = -1, .retained_bytes = -1 };
}

static void limits_are_told_once(void **state)
{
	struct mirror_config m;
	struct alert_memory memory = { 0 };
	struct alert_facts f = quiet();
	(void)state;
	mirror_config_defaults(&m);
	m.alert_lag_s = 60;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = 60;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = 61;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_LAG));
	f.lag_s = 55; /* still within a fifth of the limit */
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = 61;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = -1; /* unknown for a while */
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = 70;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = 47;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.lag_s = 61;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_LAG));
	m.alert_lag_s = 0;
	memory = (struct alert_memory){ 0 };
	f.lag_s = 1e9;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	mirror_config_free(&m);
}

static void kept_wal_is_in_millions_of_bytes(void **state)
{
	struct mirror_config m;
	struct alert_memory memory = { 0 };
	struct alert_facts f = quiet();
	(void)state;
	mirror_config_defaults(&m);
	m.alert_retained_mb = 5;
	f.retained_bytes = 5000000;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.retained_bytes++;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_RETAINED));
	mirror_config_free(&m);
}

static void another_failure_is_told_again(void **state)
{
	struct mirror_config m;
	struct alert_memory memory = { 0 };
	struct alert_facts f = quiet();
	struct error e = { 0 };
	(void)state;
	mirror_config_defaults(&m);
	f.error = &e;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	error_set(&e, ERROR_DATA, "duplicate key");
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_FAILED));
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	error_set(&e, ERROR_PERMISSION, "permission denied");
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_FAILED));
	f.error = NULL;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.error = &e;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_FAILED));
	f.slot_lost = true;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_SLOT_LOST));
	mirror_config_free(&m);
}

static void caught_up_is_the_all_clear(void **state)
{
	struct mirror_config m;
	struct alert_memory memory = { 0 };
	struct alert_facts f = quiet();
	(void)state;
	mirror_config_defaults(&m);
	m.alert_lag_s = 60;
	f.load_done = true;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_LOAD_DONE));
	f.caught_up = true;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_CAUGHT_UP));
	for (int i = 0; i < 3; i++) { /* a busy second is no news */
		f.caught_up = !f.caught_up;
		assert_int_equal(alert_changes(&m, &f, &memory), 0);
	}
	f.caught_up = false;
	f.lag_s = 100;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_LAG));
	f.lag_s = 10;
	assert_int_equal(alert_changes(&m, &f, &memory), 0);
	f.caught_up = true;
	assert_int_equal(alert_changes(&m, &f, &memory), TOLD(ALERT_CAUGHT_UP));
	mirror_config_free(&m);
}

/* ---- the command ---- */

static struct alerts *with_command(struct model *model, const char *command, bool load_done)
{
	struct mirror_config m;
	mirror_config_defaults(&m);
	m.name = xstrdup("shop");
	m.source = xstrdup("a");
	m.target = xstrdup("b");
	m.alert_command = xstrdup(command);
	struct alerts *a = alerts_new(model, &m, load_done);
	mirror_config_free(&m);
	return a;
}

static bool said(struct model *model, const char *words)
{
	struct event events[16];
	uint64_t first;
	size_t n = model_events(model, 0, ARRAY_SIZE(events), events, &first);
	for (size_t i = 0; i < n; i++)
		if (strstr(events[i].text, words))
			return true;
	return false;
}

static void the_command_gets_one_object(void **state)
{
	struct model *model = model_new();
	struct alert_facts f = quiet();
	struct error e;
	(void)state;
	error_set(&e, ERROR_DATA, "bad \"row\"\nin items");
	f.error = &e;
	f.state = MIRROR_FAILED;
	struct alerts *a = with_command(model, "cat; exit 3", false);
	alerts_look(a, &f);
	alerts_look(a, &f);
	alerts_free(a);
	assert_true(said(model, "failed, exit code 3: {\"alert\":\"failed\",\"mirror\":\"shop\",\"text\":"
							"\"bad \\\"row\\\"\\nin items\""));
	assert_int_equal(model_events_end(model), 1);
	model_free(model);
}

static void a_load_done_before_is_not_told(void **state)
{
	struct model *model = model_new();
	struct alert_facts f = quiet();
	(void)state;
	f.load_done = true;
	struct alerts *a = with_command(model, "true", true);
	alerts_look(a, &f);
	alerts_free(a);
	assert_int_equal(model_events_end(model), 0);
	model_free(model);
}

static void a_command_that_hangs_is_killed_with_all_it_started(void **state)
{
	struct model *model = model_new();
	struct alert_facts f = quiet();
	char path[] = "/tmp/pgpier-alert-XXXXXX", command[128];
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	f.load_done = true;
	snprintf(command, sizeof(command), "(sleep 3; echo late >> %s) & wait", path);
	struct alerts *a = with_command(model, command, false);
	int64_t began = clock_us();
	alerts_look(a, &f);
	assert_true(clock_us() - began < 500000);
	alerts_free(a);
	assert_true(clock_us() - began < 4000000);
	assert_true(said(model, "was killed"));
	sleep(2);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	unlink(path);
	model_free(model);
}

static void what_it_leaves_behind_holds_nothing_up(void **state)
{
	struct model *model = model_new();
	struct alert_facts f = quiet();
	(void)state;
	f.load_done = true;
	struct alerts *a = with_command(model, "sleep 4 & echo gone", false);
	int64_t began = clock_us();
	alerts_look(a, &f);
	alerts_free(a);
	assert_true(clock_us() - began < 1500000);
	assert_true(said(model, "was run: gone"));
	model_free(model);
}

static void a_command_that_never_stops_talking_is_killed(void **state)
{
	struct model *model = model_new();
	struct alert_facts f = quiet();
	(void)state;
	f.load_done = true;
	struct alerts *a = with_command(model, "yes", false);
	int64_t began = clock_us();
	alerts_look(a, &f);
	alerts_free(a);
	assert_true(clock_us() - began < 4000000);
	assert_true(said(model, "was killed: y"));
	model_free(model);
}

static void without_a_command_nothing_happens(void **state)
{
	struct mirror_config m;
	struct alert_facts f = quiet();
	(void)state;
	mirror_config_defaults(&m);
	struct alerts *a = alerts_new(NULL, &m, false);
	assert_null(a);
	alerts_look(a, &f);
	alerts_free(a);
	mirror_config_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_told_once),
		cmocka_unit_test(kept_wal_is_in_millions_of_bytes),
		cmocka_unit_test(another_failure_is_told_again),
		cmocka_unit_test(caught_up_is_the_all_clear),
		cmocka_unit_test(the_command_gets_one_object),
		cmocka_unit_test(a_load_done_before_is_not_told),
		cmocka_unit_test(a_command_that_hangs_is_killed_with_all_it_started),
		cmocka_unit_test(what_it_leaves_behind_holds_nothing_up),
		cmocka_unit_test(a_command_that_never_stops_talking_is_killed),
		cmocka_unit_test(without_a_command_nothing_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
