// SPDX-License-Identifier: PostgreSQL
/* The rows of a table that differ, and the selected one's values side by side. A value is shown from where the two
 * begin to differ when that is far behind its beginning. When the table is verified again its rows follow. */
#include "panes/verify.h"

#include "verified.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEAST 6
#define NAME_MOST 30

enum { COL_FINDING, COL_KEY, COL_TIMES, COL_COLUMNS, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_FINDING] = { "FINDING", 9, 10, ALIGN_LEFT, 0, false, false },
	[COL_KEY] = { "KEY", 12, 60, ALIGN_LEFT, 0, false, false },
	[COL_TIMES] = { "TIMES", 5, 9, ALIGN_RIGHT, 1, false, true },
	[COL_COLUMNS] = { "COLUMNS THAT DIFFER", 20, 400, ALIGN_LEFT, 0, true, true },
};

struct rows_pane {
	struct list list;
	struct mirror_view view;
	char table[2 * NAME_SIZE]; /* schema.name on the source */
	struct verify_found found;
	struct verify_view verify;
};

static const struct verify_table *table_of(const void *data)
{
	return ((const struct rows_pane *)data)->found.table;
}

static const struct verify_row *row_at(const void *data, size_t row)
{
	return &table_of(data)->rows[row];
}

/* The side that has it; the source when both do. */
static const struct verify_value *values_of(const struct verify_row *r)
{
	return r->source ? r->source : r->target;
}

/* ---- the list ---- */

static size_t count(const void *data)
{
	return table_of(data) ? table_of(data)->row_count : 0;
}

static uint64_t identity(const void *data, size_t row)
{
	const struct verify_row *r = row_at(data, row);
	return table_identity(r->source_place ? r->source_place : "") * 31 +
		   table_identity(r->target_place ? r->target_place : "");
}

static void finding_cell(const struct verify_row *r, struct cell *out)
{
	bool both = r->source && r->target;
	out->role = both ? ROLE_WARN : ROLE_ERROR;
	copy_text(out->text, sizeof(out->text), both ? "changed" : r->source ? "missing" : "extra");
}

/* Where there is no key, the place on the side that has it. */
static void key_cell(const struct verify_table *t, const struct verify_row *r, struct cell *out)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t c = 0; c < t->columns.count; c++) {
		const char *text = values_of(r)[c].text;
		if (t->key[c])
			strbuf_addf(&b, "%s%s", b.len > 0 ? ", " : "", text ? text : "NULL");
	}
	if (b.len == 0)
		strbuf_add(&b, r->source_place ? r->source_place : r->target_place ? r->target_place : "");
	copy_text(out->text, sizeof(out->text), b.text);
	strbuf_free(&b);
}

static void columns_cell(const struct verify_table *t, const struct verify_row *r, struct cell *out)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t c = 0; r->differs && c < t->columns.count; c++)
		if (r->differs[c])
			strbuf_addf(&b, "%s%s", b.len > 0 ? ", " : "", t->columns.items[c]);
	if (!r->differs)
		strbuf_add(&b, r->source ? "the target has no such row" : "the source has no such row");
	out->role = r->differs ? ROLE_TEXT : ROLE_DIM;
	copy_text(out->text, sizeof(out->text), b.text ? b.text : "");
	strbuf_free(&b);
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct verify_row *r = row_at(data, row);
	out->role = ROLE_TEXT;
	out->text[0] = '\0';
	if (column == COL_FINDING)
		finding_cell(r, out);
	else if (column == COL_KEY)
		key_cell(table_of(data), r, out);
	else if (column == COL_COLUMNS)
		columns_cell(table_of(data), r, out);
	else
		snprintf(out->text, sizeof(out->text), "%lld", (long long)r->times);
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	return table_order_text(cell, data, column, a, b);
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	struct cell text;
	for (int column = 0; column < COL_COUNT; column++) {
		cell(data, row, column, &text);
		strbuf_addf(out, "%s ", text.text);
	}
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no row of it is known to differ",
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct rows_pane *s = (struct rows_pane *)p;
	struct verify_found now;
	model_mirror(p->ui->model, s->view.name, &s->view);
	model_verify(p->ui->model, s->view.name, &s->verify);
	verify_find(p->ui->model, s->view.name, s->table, &now);
	bool same = now.table == s->found.table;
	verify_found_free(&s->found);
	s->found = now;
	if (!same || !s->list.table.rows)
		table_refresh(&s->list.table);
}

/* ---- side by side ---- */

struct sides {
	const struct verify_table *table;
	const struct verify_row *row;
	const struct canvas *canvas;
	int name, value; /* cells of a column's name and of one value */
};

/* How many bytes, and cells, both begin with alike. */
static size_t alike(const char *a, const char *b, int *cells)
{
	size_t at = 0;
	*cells = 0;
	for (;;) {
		int wide;
		size_t n = text_step(a + at, &wide);
		if (n == 0 || strncmp(a + at, b + at, n) != 0 || text_step(b + at, &(int){ 0 }) != n)
			return at;
		at += n;
		*cells += wide;
	}
}

static size_t after_cells(const char *text, int cells)
{
	size_t at = 0;
	for (int wide; cells > 0 && text[at] != '\0'; cells -= wide)
		at += text_step(text + at, &wide);
	return at;
}

/* What both begin with is dim; when it is long, only its end is shown. */
static void render_differing(const struct sides *s, int y, int x, const char *text, size_t common, int common_cells)
{
	const char *ellipsis = theme_glyph(s->canvas->theme, GLYPH_ELLIPSIS);
	size_t from = 0;
	int cells = common_cells, right = x + s->value;
	if (common_cells > s->value * 2 / 3) {
		from = after_cells(text, common_cells - s->value / 3);
		cells = text_width(ellipsis) + s->value / 3;
		x += text_width(ellipsis);
		canvas_add(s->canvas, y, x - text_width(ellipsis), ROLE_DIM, ellipsis);
		cells -= text_width(ellipsis);
	}
	char *begin = xstrdup(text + from);
	begin[common - from] = '\0';
	canvas_put(s->canvas, y, x, cells, ALIGN_LEFT, ROLE_TEXT, begin);
	canvas_put(s->canvas, y, x + cells, right - x - cells, ALIGN_LEFT, ROLE_ERROR,
		text[common] != '\0' ? text + common : ellipsis);
	free(begin);
}

static void render_values(const struct sides *s, int y, size_t c)
{
	const struct verify_row *r = s->row;
	const struct verify_value *const sides[] = { r->source, r->target };
	struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT };
	bool differs = r->differs && r->differs[c];
	int cells = 0;
	for (int side = 0; side < 2; side++)
		if (sides[side])
			verified_value(&text[side], &sides[side][c]);
	size_t common = differs ? alike(text[0].text, text[1].text, &cells) : 0;
	for (int side = 0; side < 2; side++) {
		int x = 3 + s->name + side * (s->value + 2);
		if (differs)
			render_differing(s, y, x, text[side].text, common, cells);
		else if (sides[side])
			canvas_put(s->canvas, y, x, s->value, ALIGN_LEFT, s->table->key[c] ? ROLE_TEXT : ROLE_DIM,
				text[side].text);
		strbuf_free(&text[side]);
	}
}

static void render_column(const struct sides *s, int y, size_t c)
{
	bool differs = s->row->differs && s->row->differs[c];
	canvas_add(s->canvas, y, 0, ROLE_ERROR, differs ? "*" : " ");
	canvas_put(s->canvas, y, 2, s->name, ALIGN_LEFT,
		differs ? ROLE_ERROR : s->table->key[c] ? ROLE_TITLE : ROLE_DIM, s->table->columns.items[c]);
	render_values(s, y, c);
}

static bool is_telling(const struct sides *s, size_t c)
{
	return s->table->key[c] || (s->row->differs && s->row->differs[c]);
}

/* In the table's order when there is room for all; else what tells most first, and how many there are more. */
static void render_columns(const struct sides *s)
{
	size_t n = s->table->columns.count, room = (size_t)MAX(s->canvas->rows - 1, 0), drawn = 0;
	bool all = n <= room;
	for (int turn = all ? 1 : 0; turn < 2; turn++)
		for (size_t c = 0; c < n && drawn + !all < room; c++)
			if (all || is_telling(s, c) == (turn == 0))
				render_column(s, (int)++drawn, c);
	if (!all)
		canvas_addf(s->canvas, s->canvas->rows - 1, 2, ROLE_DIM, "%zu columns more; enter shows all", n - drawn);
}

static void render_titles(const struct sides *s, const struct mirror_view *v)
{
	const char *const peers[] = { v->source, v->target };
	const char *const places[] = { s->row->source_place, s->row->target_place };
	canvas_put(s->canvas, 0, 2, s->name, ALIGN_LEFT, ROLE_DIM, "COLUMN");
	for (int side = 0; side < 2; side++) {
		int x = 3 + s->name + side * (s->value + 2);
		struct canvas part = canvas_part(s->canvas, 0, x, 1, s->value);
		bool has = side ? s->row->target != NULL : s->row->source != NULL;
		int end = canvas_addf(&part, 0, 0, ROLE_TITLE, "%s %s", side ? "TARGET" : "SOURCE", peers[side]);
		canvas_addf(&part, 0, end + 1, has ? ROLE_DIM : ROLE_ERROR, "%s",
			!has ? "has no such row" : places[side] ? places[side] : "");
	}
}

static void render_sides(const struct rows_pane *s, const struct canvas *c)
{
	size_t row = table_selected(&s->list.table);
	struct canvas in = canvas_part(c, 1, 1, c->rows - 1, c->cols - 2);
	canvas_repeat(c, 0, 0, c->cols, ROLE_DIM, GLYPH_HORIZONTAL);
	if (row >= count(s))
		return;
	struct sides sides = { .table = table_of(s), .row = row_at(s, row), .canvas = &in, .name = NAME_LEAST };
	for (size_t i = 0; i < sides.table->columns.count; i++)
		sides.name = MAX(sides.name, text_width(sides.table->columns.items[i]));
	sides.name = MIN(sides.name, MIN(NAME_MOST, in.cols / 4));
	sides.value = (in.cols - sides.name - 5) / 2;
	render_titles(&sides, &s->view);
	render_columns(&sides);
}

static void render_head(const struct rows_pane *s, const struct canvas *c)
{
	const struct verify_found *f = &s->found;
	const struct ui *u = s->list.pane.ui;
	char text[160];
	if (s->verify.running) {
		canvas_addf(c, 0, 1, ROLE_PROGRESS, "%s %s %s", theme_spinner(u->theme, u->now),
			s->verify.repair ? "repairing" : "verifying",
			s->verify.table[0] ? s->verify.table : verify_level_names[s->verify.level]);
		return;
	}
	if (!f->table)
		return;
	enum verify_look look = verify_look_of(f->table->verdict);
	int x = canvas_addf(c, 0, 1, verify_look_role(look), "%s", verify_look_text(u, look, text, sizeof(text)));
	x = canvas_add(c, 0, x + 2, ROLE_TEXT, verify_rows_text(f->table, text, sizeof(text)));
	if (f->repaired && f->repaired->repair_error)
		canvas_addf(c, 0, x + 2, ROLE_ERROR, "not repaired: %s", f->repaired->repair_error);
	else if (f->repaired)
		canvas_addf(c, 0, x + 2, ROLE_OK, "repaired: %lld deleted, %lld copied anew", (long long)f->repaired->deleted,
			(long long)f->repaired->inserted);
	else if (f->table->more || f->table->row_count == VERIFY_SHOWN_ROWS)
		canvas_addf(c, 0, x + 2, ROLE_DIM, "%zu of them below", f->table->row_count);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct rows_pane *s = (struct rows_pane *)p;
	int rows = MIN((int)MIN(s->list.table.count, (size_t)c->rows) + 2, MAX(c->rows * 2 / 5, 5));
	struct canvas list = canvas_part(c, 1, 0, rows, c->cols);
	struct canvas sides = canvas_part(c, 1 + rows, 0, c->rows - 1 - rows, c->cols);
	render_head(s, c);
	list_render(p, &list);
	render_sides(s, &sides);
}

/* ---- keys ---- */

static char *row_text(const struct rows_pane *s, size_t row)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		abort();
	fprintf(f, "%s\n", s->table);
	verified_print_row(table_of(s), row_at(s, row), f);
	fclose(f);
	return text;
}

static bool act(struct pane *p, enum action a)
{
	struct rows_pane *s = (struct rows_pane *)p;
	size_t row = table_selected(&s->list.table);
	if (list_act(p, a))
		return true;
	if (a == ACTION_REPAIR) {
		verify_ask_repair(p, &s->view, s->found.table);
		return true;
	}
	if ((a != ACTION_OPEN && a != ACTION_COPY) || row >= count(s))
		return false;
	char *text = row_text(s, row);
	if (a == ACTION_OPEN) {
		ui_push(p->ui, text_pane_new(p->ui, "Row", text));
		return true;
	}
	ui_copy(p->ui, text);
	free(text);
	return true;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)value;
	if (a == ACTION_REPAIR)
		verify_repair_table(p->ui, ((struct rows_pane *)p)->view.name, subject);
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct rows_pane *s = (const struct rows_pane *)p;
	if (a != ACTION_REPAIR)
		return NULL;
	if (s->verify.running)
		return "a verification is under way";
	return s->found.table && s->found.table->verdict == VERIFY_DIFFERS ? NULL : "no row of it is known to differ";
}

static const char *label(const struct pane *p, enum action a)
{
	const struct rows_pane *s = (const struct rows_pane *)p;
	if (a == ACTION_REPAIR)
		return refuse(p, a) ? "" : NULL;
	if (a == ACTION_OPEN || a == ACTION_COPY)
		return s->list.table.count == 0 ? "" : a == ACTION_OPEN ? "whole row" : NULL;
	return NULL;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	copy_text(buf, size, ((const struct rows_pane *)p)->table);
}

static bool busy(const struct pane *p)
{
	return ((const struct rows_pane *)p)->verify.running;
}

static void pane_free(struct pane *p)
{
	verify_found_free(&((struct rows_pane *)p)->found);
	list_free(p);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_REPAIR, ACTION_FILTER, ACTION_COPY, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
	.busy = busy,
	.free = pane_free,
};

struct pane *verify_rows_pane_new(struct ui *u, const struct mirror_view *v, const char *table)
{
	struct rows_pane *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_DIFFERING, &source);
	s->view = *v;
	copy_text(s->table, sizeof(s->table), table);
	return &s->list.pane;
}
