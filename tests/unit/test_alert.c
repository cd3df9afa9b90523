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

/* A mirror, what was told of it so far, and how it stands now. */
struct watched {
	struct mirror_config mirror;
	struct alert_memory memory;
	struct alert_facts now;
};

static int watch(void **state)
{
	struct watched *w = xcalloc(1, sizeof(*w));
	mirror_config_defaults(&w->mirror);
	w->now = quiet();
	*state = w;
	return 0;
}

static int unwatch(void **state)
{
	struct watched *w = *state;
	mirror_config_free(&w->mirror);
	free(w);
	return 0;
}

#define NOTHING 0U
#define assert_tells(w, what) assert_int_equal(alert_changes(&(w)->mirror, &(w)->now, &(w)->memory), what)

static void limits_are_told_once(void **state)
{
	static const struct {
		double lag_s;
		bool told;
	} steps[] = {
		{ -1, false },
		{ 60, false },
		{ 61, true },
		{ 55, false }, /* still within a fifth of the limit */
		{ 61, false },
		{ -1, false }, /* unknown for a while */
		{ 70, false },
		{ 47, false },
		{ 61, true },
	};
	struct watched *w = *state;
	w->mirror.alert_lag_s = 60;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		w->now.lag_s = steps[i].lag_s;
		assert_tells(w, steps[i].told ? TOLD(ALERT_LAG) : NOTHING);
	}
}

static void no_limit_is_never_told(void **state)
{
	struct watched *w = *state;
	w->mirror.alert_lag_s = 0;
	w->now.lag_s = 1e9;
	assert_tells(w, NOTHING);
}

static void kept_wal_is_in_millions_of_bytes(void **state)
{
	struct watched *w = *state;
	w->mirror.alert_retained_mb = 5;
	w->now.retained_bytes = 5000000;
	assert_tells(w, NOTHING);
	w->now.retained_bytes++;
	assert_tells(w, TOLD(ALERT_RETAINED));
}

static void another_failure_is_told_again(void **state)
{
	struct watched *w = *state;
	struct error e = { 0 };
	w->now.error = &e;
	assert_tells(w, NOTHING);
	error_set(&e, ERROR_DATA, "duplicate key");
	assert_tells(w, TOLD(ALERT_FAILED));
	assert_tells(w, NOTHING);
	error_set(&e, ERROR_PERMISSION, "permission denied");
	assert_tells(w, TOLD(ALERT_FAILED));
	w->now.error = NULL;
	assert_tells(w, NOTHING);
	w->now.error = &e;
	assert_tells(w, TOLD(ALERT_FAILED));
	w->now.slot_lost = true;
	assert_tells(w, TOLD(ALERT_SLOT_LOST));
}

static void caught_up_is_the_all_clear(void **state)
{
	struct watched *w = *state;
	w->mirror.alert_lag_s = 60;
	w->now.load_done = true;
	assert_tells(w, TOLD(ALERT_LOAD_DONE));
	w->now.caught_up = true;
	assert_tells(w, TOLD(ALERT_CAUGHT_UP));
	for (int i = 0; i < 3; i++) { /* a busy second is no news */
		w->now.caught_up = !w->now.caught_up;
		assert_tells(w, NOTHING);
	}
	w->now.caught_up = false;
	w->now.lag_s = 100;
	assert_tells(w, TOLD(ALERT_LAG));
	w->now.lag_s = 10;
	assert_tells(w, NOTHING);
	w->now.caught_up = true;
	assert_tells(w, TOLD(ALERT_CAUGHT_UP));
}

/* ---- the command ---- */

/* What a mirror that has come so far tells its command, and how long that held it up. */
static struct model *told(const char *command, const struct alert_facts *now, bool load_done_before, int64_t *took_us)
{
	struct model *model = model_new();
	struct mirror_config m;
	mirror_config_defaults(&m);
	m.name = xstrdup("shop");
	m.source = xstrdup("a");
	m.target = xstrdup("b");
	m.alert_command = xstrdup(command);
	struct alerts *a = alerts_new(model, &m, load_done_before);
	mirror_config_free(&m);
	int64_t began = clock_us();
	alerts_look(a, now);
	alerts_look(a, now); /* no news */
	assert_true(clock_us() - began < 500000);
	alerts_free(a);
	*took_us = clock_us() - began;
	return model;
}

static struct alert_facts loaded(void)
{
	struct alert_facts f = quiet();
	f.load_done = true;
	return f;
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

/* Of a load that is done; the model has one event, with these words. */
static void assert_said(const char *command, const char *words, int64_t within_us)
{
	struct alert_facts f = loaded();
	int64_t took;
	struct model *model = told(command, &f, false, &took);
	assert_true(said(model, words));
	assert_int_equal(model_events_end(model), 1);
	assert_true(took < within_us);
	model_free(model);
}

static void the_command_gets_one_object(void **state)
{
	struct alert_facts f = quiet();
	struct error e;
	int64_t took;
	(void)state;
	error_set(&e, ERROR_DATA, "bad \"row\"\nin items");
	f.error = &e;
	f.state = MIRROR_FAILED;
	struct model *model = told("cat; exit 3", &f, false, &took);
	assert_true(said(model, "failed, exit code 3: {\"alert\":\"failed\",\"mirror\":\"shop\",\"text\":"
							"\"bad \\\"row\\\"\\nin items\""));
	assert_int_equal(model_events_end(model), 1);
	model_free(model);
}

static void a_load_done_before_is_not_told(void **state)
{
	struct alert_facts f = loaded();
	int64_t took;
	(void)state;
	struct model *model = told("true", &f, true, &took);
	assert_int_equal(model_events_end(model), 0);
	model_free(model);
}

static void a_command_that_hangs_is_killed_with_all_it_started(void **state)
{
	char path[] = "/tmp/pgpier-alert-XXXXXX", command[128];
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	snprintf(command, sizeof(command), "(sleep 3; echo late >> %s) & wait", path);
	assert_said(command, "was killed", 4000000);
	sleep(2);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	unlink(path);
}

static void what_it_leaves_behind_holds_nothing_up(void **state)
{
	(void)state;
	assert_said("sleep 4 & echo gone", "was run: gone", 1500000);
}

static void a_command_that_never_stops_talking_is_killed(void **state)
{
	(void)state;
	assert_said("yes", "was killed: y", 4000000);
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
		cmocka_unit_test_setup_teardown(limits_are_told_once, watch, unwatch),
		cmocka_unit_test_setup_teardown(no_limit_is_never_told, watch, unwatch),
		cmocka_unit_test_setup_teardown(kept_wal_is_in_millions_of_bytes, watch, unwatch),
		cmocka_unit_test_setup_teardown(another_failure_is_told_again, watch, unwatch),
		cmocka_unit_test_setup_teardown(caught_up_is_the_all_clear, watch, unwatch),
		cmocka_unit_test(the_command_gets_one_object),
		cmocka_unit_test(a_load_done_before_is_not_told),
		cmocka_unit_test(a_command_that_hangs_is_killed_with_all_it_started),
		cmocka_unit_test(what_it_leaves_behind_holds_nothing_up),
		cmocka_unit_test(a_command_that_never_stops_talking_is_killed),
		cmocka_unit_test(without_a_command_nothing_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
