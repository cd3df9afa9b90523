// SPDX-License-Identifier: PostgreSQL
#include "keys.h"

#include "text.h"

#include <string.h>

static const struct {
	const char *keys, *label, *help;
	unsigned contexts;
} actions[ACTION_COUNT] = {
	[ACTION_NONE] = { "", "", "", 0 },
#define ACTION_ROW(id, keys, label, help, contexts) [ACTION_##id] = { keys, label, help, contexts },
	ACTIONS(ACTION_ROW)
#undef ACTION_ROW
};

static const struct {
	const char *name;
	int key;
} names[] = {
	{ "up", KEY_ARROW_UP },
	{ "down", KEY_ARROW_DOWN },
	{ "left", KEY_ARROW_LEFT },
	{ "right", KEY_ARROW_RIGHT },
	{ "pgup", KEY_PAGE_UP },
	{ "pgdn", KEY_PAGE_DOWN },
	{ "home", KEY_TO_HOME },
	{ "end", KEY_TO_END },
	{ "enter", KEY_RETURN },
	{ "esc", KEY_ESCAPE },
	{ "tab", KEY_TABULATOR },
	{ "btab", KEY_BACK_TAB },
	{ "space", ' ' },
	{ "f1", KEY_FUNCTION_1 },
};

const char *action_label(enum action a)
{
	return actions[a].label;
}

const char *action_help(enum action a)
{
	return actions[a].help;
}

const char *action_keys(enum action a)
{
	return actions[a].keys;
}

unsigned action_contexts(enum action a)
{
	return actions[a].contexts;
}

int key_named(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0)
			return names[i].key;
	if (n == 2 && name[0] == '^')
		return KEY_CTRL(name[1]);
	return n == 1 ? (unsigned char)name[0] : KEY_NUL;
}

static bool has_key(const char *keys, int key)
{
	while (*keys != '\0') {
		size_t n = strcspn(keys, " ");
		if (key_named(keys, n) == key)
			return true;
		keys += n + (keys[n] == ' ');
	}
	return false;
}

static bool is_of(enum action a, unsigned contexts)
{
	return (actions[a].contexts & ~(unsigned)CHANGES & (contexts | IN_ANY)) != 0;
}

enum action action_of_key(int key, unsigned contexts)
{
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (is_of(a, contexts) && has_key(actions[a].keys, key))
			return a;
	return ACTION_NONE;
}

bool action_applies(enum action a, unsigned contexts)
{
	const char *keys = actions[a].keys;
	while (is_of(a, contexts) && *keys != '\0') {
		size_t n = strcspn(keys, " ");
		if (action_of_key(key_named(keys, n), contexts) == a)
			return true;
		keys += n + (keys[n] == ' ');
	}
	return false;
}

const char *action_key(enum action a, char buf[16])
{
	size_t n = strcspn(actions[a].keys, " ");
	copy_text(buf, MIN(n + 1, (size_t)16), actions[a].keys);
	return buf;
}
