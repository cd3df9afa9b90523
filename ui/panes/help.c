// SPDX-License-Identifier: PostgreSQL
/* The keys of the pane below, then those that work everywhere. Enter runs one. */
#include "panes/panes.h"

#include <stdlib.h>
#include <string.h>

enum { COL_KEYS, COL_HELP, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_KEYS] = { "KEYS", 10, 14, ALIGN_LEFT, 0, false, true },
	[COL_HELP] = { "WHAT IT DOES", 20, 100, ALIGN_LEFT, 0, true, true },
};

struct help {
	struct pane pane;
	enum action actions[ACTION_COUNT];
	size_t count;
	struct table table;
};

static size_t count(const void *data)
{
	return ((const struct help *)data)->count;
}

static uint64_t identity(const void *data, size_t row)
{
	return (uint64_t)((const struct help *)data)->actions[row];
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	enum action a = ((const struct help *)data)->actions[row];
	out->role = column == COL_KEYS ? ROLE_KEY : ROLE_TEXT;
	copy_text(out->text, sizeof(out->text), column == COL_KEYS ? action_keys(a) : action_help(a));
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	enum action a = ((const struct help *)data)->actions[row];
	strbuf_addf(out, "%s %s %s", action_keys(a), action_label(a), action_help(a));
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "",
	.count = count,
	.identity = identity,
	.cell = cell,
	.words = words,
};

static void collect(struct help *s, unsigned contexts, bool everywhere)
{
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (action_applies(a, contexts) && ((action_contexts(a) & IN_ANY) != 0) == everywhere)
			s->actions[s->count++] = a;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Help");
}

static void render(struct pane *p, const struct canvas *c)
{
	table_render(&((struct help *)p)->table, c, true);
}

static bool act(struct pane *p, enum action a)
{
	struct help *s = (struct help *)p;
	size_t row = table_selected(&s->table);
	if (a == ACTION_HELP || a == ACTION_QUIT) {
		ui_set_overlay(p->ui, NULL);
		return true;
	}
	if (table_act(&s->table, a))
		return true;
	if (a != ACTION_OPEN || row == TABLE_NOTHING)
		return false;
	ui_set_overlay(p->ui, NULL);
	ui_act(p->ui, s->actions[row]);
	return true;
}

static bool takes_text(const struct pane *p)
{
	return table_takes_text(&((const struct help *)p)->table);
}

static bool input(struct pane *p, const struct input *in)
{
	return list_input(p, &((struct help *)p)->table, in);
}

static void pane_free(struct pane *p)
{
	table_free(&((struct help *)p)->table);
	free(p);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_FILTER, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.render = render,
	.act = act,
	.takes_text = takes_text,
	.input = input,
	.free = pane_free,
};

struct pane *help_pane_new(struct ui *u, struct pane *of)
{
	struct help *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST };
	collect(s, of->contexts, false);
	collect(s, of->contexts, true);
	table_init(&s->table, &source, s);
	table_refresh(&s->table);
	return &s->pane;
}
