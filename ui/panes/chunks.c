// SPDX-License-Identifier: PostgreSQL
/* The chunks of one table, and the keys and indexes that follow them. */
#include "panes/list.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 256

enum { COL_NUMBER, COL_STATE, COL_RANGE, COL_ROWS, COL_BYTES, COL_WORKER, COL_TRIES, COL_TOOK, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_NUMBER] = { "CHUNK", 6, 12, ALIGN_RIGHT, 0, false, true },
	[COL_STATE] = { "STATE", 9, 10, ALIGN_LEFT, 0, false, true },
	[COL_RANGE] = { "RANGE", 26, 400, ALIGN_LEFT, 0, true, true },
	[COL_ROWS] = { "ROWS", 7, 9, ALIGN_RIGHT, 2, false, true },
	[COL_BYTES] = { "BYTES", 8, 9, ALIGN_RIGHT, 1, false, true },
	[COL_WORKER] = { "WORKER", 6, 6, ALIGN_RIGHT, 4, false, true },
	[COL_TRIES] = { "TRIES", 5, 5, ALIGN_RIGHT, 5, false, true },
	[COL_TOOK] = { "TOOK", 7, 8, ALIGN_RIGHT, 3, false, true },
};

struct chunks {
	struct list list;
	char mirror[NAME_SIZE];
	size_t index;
	char name[2 * NAME_SIZE];
	struct table_view view;
	struct build_view *builds;
	size_t build_count;
	struct chunk_view window[WINDOW_MAX];
	size_t window_first, window_count;
};

/* Builds stand first: there are few of them, and they come last in time. */
static size_t count(const void *data)
{
	const struct chunks *s = data;
	return s->build_count + s->view.chunks;
}

static uint64_t identity(const void *data, size_t row)
{
	const struct chunks *s = data;
	return row < s->build_count ? table_identity(s->builds[row].name) : row - s->build_count + 1;
}

static void window(void *data, const size_t *rows, size_t n)
{
	struct chunks *s = data;
	size_t first = n > 0 ? rows[0] : 0;
	s->window_first = first > s->build_count ? first - s->build_count : 0;
	s->window_count = model_chunks(s->list.pane.ui->model, s->mirror, s->index, s->window_first,
		MIN(n, (size_t)WINDOW_MAX), s->window);
}

static void state_cell(const struct theme *t, enum chunk_state state, struct cell *out)
{
	static const struct {
		enum glyph glyph;
		enum role role;
		const char *name;
	} looks[] = {
		[CHUNK_QUEUED] = { GLYPH_IDLE, ROLE_DIM, "queued" },
		[CHUNK_COPYING] = { GLYPH_ACTIVE, ROLE_PROGRESS, "running" },
		[CHUNK_DONE] = { GLYPH_DONE, ROLE_OK, "done" },
		[CHUNK_FAILED] = { GLYPH_TROUBLE, ROLE_ERROR, "failed" },
	};
	out->role = looks[state].role;
	snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(t, looks[state].glyph),
		looks[state].name);
}

static void build_cell(const struct chunks *s, const struct build_view *b, int column, struct cell *out)
{
	char took[FORMAT_SIZE];
	if (column == COL_NUMBER)
		copy_text(out->text, sizeof(out->text), b->kind);
	else if (column == COL_STATE)
		state_cell(s->list.pane.ui->theme, b->state, out);
	else if (column == COL_TOOK)
		copy_text(out->text, sizeof(out->text), format_duration(b->took_s, took));
	else if (column == COL_RANGE && b->state == CHUNK_FAILED)
		snprintf(out->text, sizeof(out->text), "%s: %s", b->name, b->error.text);
	else if (column == COL_RANGE && b->fraction >= 0 && b->state == CHUNK_COPYING)
		snprintf(out->text, sizeof(out->text), "%s: %s %.0f%%", b->name, b->phase,
			b->fraction * 100);
	else if (column == COL_RANGE)
		copy_text(out->text, sizeof(out->text), b->name);
}

static void chunk_cell(const struct chunks *s, const struct chunk_view *v, int column, struct cell *out)
{
	char text[FORMAT_SIZE];
	const char *from = text;
	switch (column) {
	case COL_NUMBER:
		snprintf(text, sizeof(text), "#%zu", v->number);
		break;
	case COL_STATE:
		state_cell(s->list.pane.ui->theme, v->state, out);
		return;
	case COL_RANGE:
		from = v->range;
		break;
	case COL_ROWS:
		format_count(v->rows, text);
		break;
	case COL_BYTES:
		format_bytes(v->bytes, text);
		break;
	case COL_WORKER:
		snprintf(text, sizeof(text), v->worker > 0 ? "%d" : "-", v->worker);
		break;
	case COL_TRIES:
		snprintf(text, sizeof(text), "%d", v->attempts);
		break;
	default:
		format_duration(v->took_s, text);
		break;
	}
	copy_text(out->text, sizeof(out->text), from);
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct chunks *s = data;
	out->role = ROLE_TEXT;
	out->text[0] = '\0';
	if (row < s->build_count) {
		build_cell(s, &s->builds[row], column, out);
		return;
	}
	size_t chunk = row - s->build_count;
	if (chunk >= s->window_first && chunk - s->window_first < s->window_count)
		chunk_cell(s, &s->window[chunk - s->window_first], column, out);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "its chunks are known when it has been planned",
	.count = count,
	.identity = identity,
	.cell = cell,
	.window = window,
};

static void sync(struct pane *p)
{
	struct chunks *s = (struct chunks *)p;
	size_t had = count(s);
	model_load_tables(p->ui->model, s->mirror, &s->index, 1, &s->view);
	free(s->builds);
	s->build_count = model_builds(p->ui->model, s->mirror, s->index, &s->builds);
	if (had != count(s) || !s->list.table.rows)
		table_refresh(&s->list.table);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	copy_text(buf, size, ((const struct chunks *)p)->name);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct chunks *s = (struct chunks *)p;
	struct facts f = { 0 };
	table_facts(&f, p->ui, &s->view);
	struct canvas head = canvas_part(c, 0, 0, c->rows / 2, c->cols);
	int lines = MIN(facts_render(&f, &head), head.rows) + 1;
	facts_clear(&f);
	struct canvas list = canvas_part(c, lines, 0, c->rows - lines, c->cols);
	list_render(p, &list);
}

static char *row_report(const struct chunks *s)
{
	if (s->view.error.class != ERROR_NONE)
		return error_report(&s->view.error);
	size_t row = table_selected(&s->list.table);
	if (row < s->build_count && s->builds[row].error.class != ERROR_NONE)
		return error_report(&s->builds[row].error);
	return NULL;
}

static bool act(struct pane *p, enum action a)
{
	struct chunks *s = (struct chunks *)p;
	if (list_act(p, a))
		return true;
	if (a != ACTION_OPEN && a != ACTION_COPY)
		return false;
	char *report = row_report(s);
	if (report && a == ACTION_OPEN) {
		ui_push(p->ui, text_pane_new(p->ui, "Error", report));
		return true;
	}
	if (a == ACTION_COPY)
		ui_copy(p->ui, report ? report : s->name);
	free(report);
	return true;
}

static void pane_free(struct pane *p)
{
	struct chunks *s = (struct chunks *)p;
	free(s->builds);
	list_free(p);
}

static const enum action hints[] = { ACTION_BACK, ACTION_OPEN, ACTION_COPY, ACTION_LAST, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.free = pane_free,
};

struct pane *chunks_pane_new(struct ui *u, const char *mirror, size_t table, const char *name)
{
	struct chunks *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST, &source);
	s->index = table;
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	copy_text(s->name, sizeof(s->name), name);
	return &s->list.pane;
}
