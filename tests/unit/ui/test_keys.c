// SPDX-License-Identifier: PostgreSQL
/* The table of actions: every key means one thing wherever it applies, and is described. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "keys.h"

/* The contexts that one pane has at the same time. */
static const unsigned panes[] = {
	IN_LIST | IN_PEERS | IN_WIDE,
	IN_LIST | IN_PEER | IN_TABS,
	IN_TEXT | IN_PEER | IN_TABS,
	IN_LIST | IN_PEER | IN_TABS | IN_COMPARE,
	IN_LIST | IN_MIRRORS | IN_MIRROR | IN_WIDE,
	IN_TEXT | IN_MIRROR | IN_TABS,
	IN_LIST | IN_MIRROR | IN_TABS | IN_LOAD | IN_WIDE,
	IN_LIST | IN_MIRROR | IN_TABS | IN_SCHEMA | IN_WIDE,
	IN_LIST | IN_MIRROR | IN_TABS | IN_REPLICATION | IN_WIDE,
	IN_LIST | IN_MIRROR | IN_TABS | IN_CUTOVER,
	IN_LIST | IN_SIDES | IN_ROLES,
	IN_LIST | IN_MIRROR | IN_TABS | IN_EVENTS,
	IN_LIST | IN_EVENTS,
	IN_FORM,
	IN_LIST | IN_PICKER,
	IN_LIST | IN_COLUMNS,
	IN_LIST | IN_STEP,
	IN_TEXT | IN_STEP,
	IN_TEXT,
	IN_LIST,
};

static bool has_key(enum action a, const char *key, size_t n)
{
	const char *keys = action_keys(a);
	while (*keys != '\0') {
		size_t k = strcspn(keys, " ");
		if (k == n && memcmp(keys, key, n) == 0)
			return true;
		keys += k + (keys[k] == ' ');
	}
	return false;
}

static void no_key_means_two_things(void **state)
{
	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(panes); p++)
		for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
			for (enum action b = a + 1; b < ACTION_COUNT; b++) {
				if (!action_applies(a, panes[p]) || !action_applies(b, panes[p]))
					continue;
				const char *keys = action_keys(a);
				while (*keys != '\0') {
					size_t n = strcspn(keys, " ");
					if (has_key(b, keys, n))
						fail_msg("%.*s is %s and %s in pane %zu", (int)n, keys, action_label(a),
							action_label(b), p);
					keys += n + (keys[n] == ' ');
				}
			}
}

static void every_action_is_whole(void **state)
{
	(void)state;
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
		assert_true(strlen(action_label(a)) > 0 && strlen(action_label(a)) <= 14);
		assert_true(strlen(action_help(a)) > 0 && strlen(action_help(a)) <= 60);
		const char *keys = action_keys(a);
		assert_true(*keys != '\0');
		while (*keys != '\0') {
			size_t n = strcspn(keys, " ");
			assert_int_not_equal(key_named(keys, n), KEY_NUL);
			keys += n + (keys[n] == ' ');
		}
	}
}

static void keys_find_their_action(void **state)
{
	(void)state;
	assert_int_equal(action_of_key('n', IN_LIST | IN_PEERS), ACTION_NEW);
	assert_int_equal(action_of_key('n', IN_LIST), ACTION_NONE);
	assert_int_equal(action_of_key(KEY_CTRL('s'), IN_FORM), ACTION_SUBMIT);
	assert_int_equal(action_of_key(KEY_CTRL('s'), IN_LIST | IN_EVENTS), ACTION_SAVE);
	assert_int_equal(action_of_key(KEY_PAGE_DOWN, IN_LIST), ACTION_PAGE_DOWN);
	assert_int_equal(action_of_key('q', IN_FORM), ACTION_QUIT);
	assert_int_equal(action_of_key(KEY_NUL, IN_LIST), ACTION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_key_means_two_things),
		cmocka_unit_test(every_action_is_whole),
		cmocka_unit_test(keys_find_their_action),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
