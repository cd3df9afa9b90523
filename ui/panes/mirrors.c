// SPDX-License-Identifier: PostgreSQL
/* The list of mirrors. */
#include "panes/list.h"

#include "cutover_text.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_NAME, COL_SOURCE, COL_TARGET, COL_STATE, COL_PROGRESS, COL_LAG, COL_SINCE, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_NAME] = { "NAME", 8, 24, ALIGN_LEFT, 0, false, false },
	[COL_SOURCE] = { "SOURCE", 7, 20, ALIGN_LEFT, 3, false, false },
	[COL_TARGET] = { "TARGET", 7, 20, ALIGN_LEFT, 3, false, false },
	[COL_STATE] = { "STATE", 14, 16, ALIGN_LEFT, 0, false, false },
	[COL_PROGRESS] = { "PROGRESS", 12, 90, ALIGN_LEFT, 0, true, false, table_shorten_parts },
	[COL_LAG] = { "LAG", 5, 8, ALIGN_RIGHT, 1, false, false },
	[COL_SINCE] = { "SINCE", 6, 8, ALIGN_RIGHT, 2, false, false },
};

static uint64_t identity(const void *data, size_t row)
{
	const struct mirror_view *v = list_row(data, row);
	return table_identity(v->name);
}

/* True when a cutover is under way, or was interrupted: nothing else matters then. */
static bool cutover_cell(const struct ui *u, const struct mirror_view *v, int column, struct cell *out)
{
	struct cutover_view c;
	char took[FORMAT_SIZE];
	model_cutover(u->model, v->name, &c);
	enum cutover_step at = cutover_at(&c);
	bool stuck = c.phase == CUTOVER_STUCK, told = stuck || cutover_moves(&c);
	const char *step = at == CUTOVER_STEP_COUNT ? "" : cutover_step_name(at);
	if (told) {
		out->role = stuck ? ROLE_ERROR : ROLE_WARN;
		if (column == COL_STATE)
			snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(u->theme, stuck ? GLYPH_TROUBLE : GLYPH_ACTIVE),
				c.phase == CUTOVER_RUNNING || c.phase == CUTOVER_COMMITTED ? "cutting over" : cutover_phase_name(c.phase));
		else
			snprintf(out->text, sizeof(out->text), "%s  %s  cutover", step, format_lag(c.elapsed_s, took));
	}
	cutover_view_free(&c);
	return told;
}

static void progress_cell(const struct ui *u, const struct mirror_view *v, struct cell *out)
{
	if (v->error.class != ERROR_NONE)
		out->role = v->state == MIRROR_FAILED ? ROLE_ERROR : ROLE_WARN;
	size_t n = 0;
	if (v->reverse_of[0] != '\0')
		n = (size_t)snprintf(out->text, sizeof(out->text), "way back of %s  ", v->reverse_of);
	mirror_progress_brief(u, v, out->text + n, sizeof(out->text) - n);
}

/* Today's runs by their hour, older ones by how long ago. */
static void since_text(const struct mirror_view *v, char *buf, size_t size)
{
	char text[FORMAT_SIZE];
	int64_t at = v->ended_at != 0 && !mirror_runs(v->state) ? v->ended_at : v->started_at;
	double ago = (double)(wall_us() - at) / 1e6;
	if (at == 0)
		buf[0] = '\0';
	else if (ago < 12 * 3600)
		copy_text(buf, size, format_clock(at, text));
	else
		copy_text(buf, size, format_duration(ago, text));
}

static void lag_cell(const struct mirror_view *v, struct cell *out)
{
	char text[FORMAT_SIZE];
	copy_text(out->text, sizeof(out->text), v->continuous ? format_lag(v->lag_s, text) : "");
	if (v->state == MIRROR_CATCHING_UP)
		out->role = ROLE_WARN;
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct mirror_view *v = list_row(data, row);
	const struct ui *u = ((const struct pane *)data)->ui;
	out->role = ROLE_TEXT;
	if ((column == COL_STATE || column == COL_PROGRESS) && cutover_cell(u, v, column, out))
		return;
	if (column == COL_STATE)
		out->role = mirror_state_text(u, v->state, out->text, sizeof(out->text));
	else if (column == COL_PROGRESS)
		progress_cell(u, v, out);
	else if (column == COL_LAG)
		lag_cell(v, out);
	else if (column == COL_SINCE)
		since_text(v, out->text, sizeof(out->text));
	else
		copy_text(out->text, sizeof(out->text),
			column == COL_NAME	   ? v->name
			: column == COL_SOURCE ? v->source
								   : v->target);
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct mirror_view *x = list_row(data, a), *y = list_row(data, b);
	switch (column) {
	case COL_STATE:
		return ORDER(x->state, y->state);
	case COL_PROGRESS:
		return ORDER(x->load.fraction, y->load.fraction);
	case COL_LAG:
		return ORDER(x->lag_s, y->lag_s);
	case COL_SINCE:
		return ORDER(x->started_at, y->started_at);
	case COL_SOURCE:
		return strcmp(x->source, y->source);
	case COL_TARGET:
		return strcmp(x->target, y->target);
	default:
		return strcmp(x->name, y->name);
	}
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct mirror_view *v = list_row(data, row);
	strbuf_addf(out, "%s %s %s %s %s", v->name, v->source, v->target, mirror_state_name(v->state),
		v->error.text);
	if (v->reverse_of[0] != '\0')
		strbuf_addf(out, " way back of %s", v->reverse_of);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no mirrors yet: press n to create one",
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct list *l = (struct list *)p;
	struct mirror_view *rows;
	size_t count = model_mirrors(p->ui->model, &rows);
	list_take(l, rows, count, sizeof(*rows));
	list_choose(l, ROOT_MIRRORS);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	snprintf(buf, size, "Mirrors (%zu)", list_count(p));
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct mirror_view *v = list_selected(p);
	facts_add(f, NULL, ROLE_TITLE, "%s", v->name);
	facts_gap(f);
	mirror_facts(f, p->ui, v);
}

static void render(struct pane *p, const struct canvas *c)
{
	list_render_split(p, c, WIDE_COLS, describe);
}

static bool act(struct pane *p, enum action a)
{
	const struct mirror_view *v = list_selected(p);
	if (list_act(p, a))
		return true;
	if (a == ACTION_NEW) {
		ui_push(p->ui, mirror_form_new(p->ui, NULL));
		return true;
	}
	if (!v)
		return false;
	if (a == ACTION_OPEN) {
		ui_push(p->ui, mirror_detail_new(p->ui, v->name));
		return true;
	}
	if (a == ACTION_COPY) {
		ui_copy(p->ui, v->error.class != ERROR_NONE ? v->error.text : v->name);
		return true;
	}
	return mirror_act(p, v, a);
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct mirror_view *v = list_selected(p);
	struct peer_view *peers;
	if (a == ACTION_NEW) {
		size_t n = model_peers(p->ui->model, &peers);
		free(peers);
		return n < 2 ? "it takes two peers; press 1, then n" : NULL;
	}
	if (!v)
		return action_contexts(a) & IN_MIRROR || a == ACTION_OPEN ? "no mirror is selected" : NULL;
	return mirror_refuse(v, a);
}

static const char *label(const struct pane *p, enum action a)
{
	const struct mirror_view *v = list_selected(p);
	return v ? mirror_label(v, a) : NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)value;
	mirror_answered(p, a, subject);
}

static const enum action hints[] = { ACTION_NEW, ACTION_OPEN, ACTION_PAUSE, ACTION_RETRY, ACTION_EDIT,
	ACTION_DROP, ACTION_FILTER, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
};

struct pane *mirrors_pane_new(struct ui *u)
{
	struct list *l = xcalloc(1, sizeof(*l));
	list_init(l, u, &ops, IN_LIST | IN_MIRRORS | IN_MIRROR | IN_WIDE, &source);
	return &l->pane;
}
