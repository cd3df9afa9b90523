// SPDX-License-Identifier: PostgreSQL
/* The keys of the pane below, then those that work everywhere. Enter runs one. */
#include "panes/list.h"

#include <stdlib.h>
#include <string.h>

enum { COL_KEYS, COL_HELP, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_KEYS] = { "KEYS", 10, 14, ALIGN_LEFT, 0, false, true },
	[COL_HELP] = { "WHAT IT DOES", 20, 100, ALIGN_LEFT, 0, true, true },
};

static enum action action_at(const void *data, size_t row)
{
	return *(const enum action *)list_row(data, row);
}

static uint64_t identity(const void *data, size_t row)
{
	return (uint64_t)action_at(data, row);
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	enum action a = action_at(data, row);
	out->role = column == COL_KEYS ? ROLE_KEY : ROLE_TEXT;
	copy_text(out->text, sizeof(out->text), column == COL_KEYS ? action_keys(a) : action_help(a));
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	enum action a = action_at(data, row);
	strbuf_addf(out, "%s %s %s", action_keys(a), action_label(a), action_help(a));
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "",
	.identity = identity,
	.cell = cell,
	.words = words,
};

/* Returns how many there are by then. */
static size_t collect(enum action *actions, size_t n, unsigned contexts, bool everywhere)
{
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (action_applies(a, contexts) && ((action_contexts(a) & IN_ANY) != 0) == everywhere)
			actions[n++] = a;
	return n;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Help");
}

static bool act(struct pane *p, enum action a)
{
	const enum action *chosen = list_selected(p);
	if (a == ACTION_HELP || a == ACTION_QUIT) {
		ui_set_overlay(p->ui, NULL);
		return true;
	}
	if (list_act(p, a))
		return true;
	if (a != ACTION_OPEN || !chosen)
		return false;
	ui_set_overlay(p->ui, NULL);
	ui_act(p->ui, *chosen);
	return true;
}

static const enum action hints[] = { ACTION_OPEN, ACTION_FILTER, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.act = act,
};

struct pane *help_pane_new(struct ui *u, struct pane *of)
{
	struct list *l = xcalloc(1, sizeof(*l));
	enum action *actions = xcalloc(ACTION_COUNT, sizeof(*actions));
	size_t count = collect(actions, 0, of->contexts, false);
	list_init(l, u, &ops, IN_LIST, &source);
	list_take(l, actions, collect(actions, count, of->contexts, true), sizeof(*actions));
	return &l->pane;
}
