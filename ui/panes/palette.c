// SPDX-License-Identifier: PostgreSQL
/* Every action by its name: type a few of its letters, Enter runs it. One that can't run says why. */
#include "panes/panes.h"

#include <stdio.h>
#include <stdlib.h>

enum { COL_LABEL, COL_KEY, COL_HELP, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_LABEL] = { "ACTION", 11, 14, ALIGN_LEFT, 0, false, true },
	[COL_KEY] = { "KEY", 6, 6, ALIGN_LEFT, 0, false, true },
	[COL_HELP] = { "WHAT IT DOES", 20, 200, ALIGN_LEFT, 0, true, true },
};

struct palette {
	struct pane pane;
	struct pane *of; /* the pane below, which stays while this is open */
	struct edit what;
	enum action actions[ACTION_COUNT];
	int scores[ACTION_COUNT];
	size_t count;
	struct table table;
};

static size_t count(const void *data)
{
	return ((const struct palette *)data)->count;
}

static uint64_t identity(const void *data, size_t row)
{
	return (uint64_t)((const struct palette *)data)->actions[row];
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct palette *s = data;
	enum action a = s->actions[row];
	const char *refusal = ui_refusal(s->pane.ui, s->of, a);
	char key[16];
	out->role = refusal ? ROLE_DIM : column == COL_KEY ? ROLE_KEY : ROLE_TEXT;
	if (column == COL_LABEL)
		copy_text(out->text, sizeof(out->text), action_label(a));
	else if (column == COL_KEY)
		copy_text(out->text, sizeof(out->text), action_key(a, key));
	else
		snprintf(out->text, sizeof(out->text), "%s%s", refusal ? "not now: " : "",
			refusal ? refusal : action_help(a));
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no action has these letters",
	.count = count,
	.identity = identity,
	.cell = cell,
};

static int compare_scores(const void *a, const void *b, void *palette)
{
	const struct palette *s = palette;
	enum action x = *(const enum action *)a, y = *(const enum action *)b;
	return s->scores[y] != s->scores[x] ? s->scores[y] - s->scores[x] : (int)x - (int)y;
}

static void search(struct palette *s)
{
	const char *what = edit_text(&s->what);
	char text[200];
	s->count = 0;
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
		if (!action_applies(a, s->of->contexts) || a == ACTION_PALETTE)
			continue;
		snprintf(text, sizeof(text), "%s %s", action_label(a), action_help(a));
		/* Letters of the label itself count for more than those of its description. */
		s->scores[a] = text_fuzzy(text, what) + 4 * text_fuzzy(action_label(a), what);
		if (s->scores[a] > 0)
			s->actions[s->count++] = a;
	}
	qsort_r(s->actions, s->count, sizeof(s->actions[0]), compare_scores, s);
	s->table.anchored = false;
	s->table.selected = s->table.top = 0;
	table_refresh(&s->table);
}

static void run(struct palette *s)
{
	size_t row = table_selected(&s->table);
	struct ui *u = s->pane.ui;
	if (row == TABLE_NOTHING)
		return;
	enum action a = s->actions[row];
	ui_set_overlay(u, NULL);
	ui_act(u, a);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Actions");
}

static void render(struct pane *p, const struct canvas *c)
{
	struct palette *s = (struct palette *)p;
	struct canvas list = canvas_part(c, 2, 0, c->rows - 2, c->cols);
	canvas_add(c, 0, 1, ROLE_KEY, ":");
	table_render(&s->table, &list, true);
	edit_render(&s->what, c, 0, 3, c->cols - 4, true, "type letters of an action");
}

static bool takes_text(const struct pane *p)
{
	(void)p;
	return true;
}

static bool input(struct pane *p, const struct input *in)
{
	struct palette *s = (struct palette *)p;
	bool opened = false;
	if (in->kind != INPUT_KEY && in->kind != INPUT_PASTE) {
		bool taken = table_mouse(&s->table, in, &opened);
		if (opened)
			run(s);
		return taken;
	}
	if (in->kind == INPUT_KEY && in->key == KEY_RETURN)
		run(s);
	else if (in->kind == INPUT_KEY && (in->key == KEY_ARROW_UP || in->key == KEY_ARROW_DOWN))
		table_act(&s->table, in->key == KEY_ARROW_UP ? ACTION_UP : ACTION_DOWN);
	else if (edit_input(&s->what, in))
		search(s);
	else
		return false;
	return true;
}

static void pane_free(struct pane *p)
{
	struct palette *s = (struct palette *)p;
	edit_free(&s->what);
	table_free(&s->table);
	free(s);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.render = render,
	.takes_text = takes_text,
	.input = input,
	.free = pane_free,
};

struct pane *palette_pane_new(struct ui *u, struct pane *of)
{
	struct palette *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST };
	s->of = of;
	table_init(&s->table, &source, s);
	search(s);
	return &s->pane;
}
