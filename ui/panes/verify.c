// SPDX-License-Identifier: PostgreSQL
/* Are both sides of a mirror equal? Its tables, sequences and what was noted, worst first; while a verification
 * runs, how far each table is. It goes on when the pane is left: what is shown is the model's. */
#include "panes/verify.h"

#include "verified.h"

#include <pgpier/format.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 5000 /* tables; the list is then made anew once a second */
#define PERIOD_US 1000000

enum { COL_TABLE, COL_STATE, COL_SOURCE, COL_TARGET, COL_DIFFERING, COL_SIZE, COL_TOOK, COL_COUNT };

/* Names that begin alike mostly end in different ways. */
static void shorten_name(char *text, size_t size, int cells, const char *ellipsis)
{
	char whole[sizeof(((struct cell *)0)->text)];
	copy_text(whole, sizeof(whole), text);
	text_clip_middle(text, size, whole, cells, ellipsis);
}

static const struct column columns[COL_COUNT] = {
	[COL_TABLE] = { "TABLE", 19, 64, ALIGN_LEFT, 0, true, false, shorten_name },
	[COL_STATE] = { "STATE", 14, 14, ALIGN_LEFT, 0, false, false },
	[COL_SOURCE] = { "SOURCE", 8, 16, ALIGN_RIGHT, 0, false, false },
	[COL_TARGET] = { "TARGET", 8, 16, ALIGN_RIGHT, 0, false, false },
	[COL_DIFFERING] = { "DIFFER", 6, 9, ALIGN_RIGHT, 0, false, false },
	[COL_SIZE] = { "SIZE", 8, 9, ALIGN_RIGHT, 2, false, false },
	[COL_TOOK] = { "TIME", 6, 8, ALIGN_RIGHT, 1, false, false },
};

struct verify {
	struct list list; /* of struct verify_line */
	struct mirror_view view;
	struct verify_lines lines;
	int64_t fetched_at;
	bool moved; /* a person chose a row: the selection stays on it, else at the top */
};

static const struct verify_line *line_at(const void *data, size_t row)
{
	return list_row(data, row);
}

/* ---- rows ---- */

static uint64_t identity(const void *data, size_t row)
{
	const struct verify_line *l = line_at(data, row);
	return table_identity(l->name) + l->kind;
}

static double number_of(const struct verify_line *l, int column)
{
	switch (column) {
	case COL_SOURCE:
		return (double)l->source;
	case COL_TARGET:
		return (double)l->target;
	case COL_DIFFERING:
		return (double)l->differing;
	case COL_SIZE:
		return (double)l->bytes;
	case COL_TOOK:
		return l->took_s;
	default:
		return (double)l->look;
	}
}

/* Sequences stand below the tables, notes below both. In their own order lines stand by what they are. */
static int compare_lines(const void *a, const void *b, void *verify)
{
	const struct verify *s = verify;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	const struct verify_line *x = line_at(s, i), *y = line_at(s, j);
	int column = s->list.table.sort;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	int order = column == COL_TABLE ? strcmp(x->name, y->name) : ORDER(number_of(x, column), number_of(y, column));
	if (s->list.table.descending)
		order = -order;
	return order != 0 ? order : ORDER(i, j);
}

static void words(const struct verify *s, const struct verify_line *l, struct strbuf *out)
{
	char state[32];
	strbuf_clear(out);
	strbuf_addf(out, "%s %s %s", l->kind == LINE_SEQUENCE ? "sequence" : l->kind == LINE_NOTE ? "note" : "",
		l->name, l->kind == LINE_NOTE ? "" : verify_look_text(s->list.pane.ui, l->look, state, sizeof(state)));
}

static void arrange(void *data, struct table *t)
{
	struct verify *s = data;
	struct strbuf text = STRBUF_INIT;
	const char *what = edit_text(&t->filter);
	t->rows = xrealloc(t->rows, (s->list.count + 1) * sizeof(*t->rows));
	t->count = 0;
	for (size_t i = 0; i < s->list.count; i++) {
		words(s, line_at(s, i), &text);
		if (text_matches(text.text, what))
			t->rows[t->count++] = i;
	}
	strbuf_free(&text);
	qsort_r(t->rows, t->count, sizeof(*t->rows), compare_lines, s);
}

static void name_cell(const struct verify_line *l, struct cell *out)
{
	static const char *const prefixes[] = {
		[LINE_TABLE] = "", [LINE_SEQUENCE] = "seq ", [LINE_NOTE] = "note: "
	};
	out->role = l->kind == LINE_TABLE && l->look <= LOOK_UNSURE ? ROLE_TITLE : ROLE_TEXT;
	snprintf(out->text, sizeof(out->text), "%s%s", prefixes[l->kind], l->name);
}

static void rows_cell(const struct verify_line *l, int column, struct cell *out)
{
	int side = column == COL_TARGET;
	bool unlike = l->known[0] && l->known[1] && l->source != l->target && l->look == LOOK_DIFFERS;
	if (unlike)
		out->role = ROLE_ERROR;
	if (l->known[side])
		snprintf(out->text, sizeof(out->text), "%lld", (long long)(side ? l->target : l->source));
	else
		copy_text(out->text, sizeof(out->text), "-");
}

static void differing_cell(const struct verify_line *l, struct cell *out)
{
	out->role = ROLE_ERROR;
	if (l->differing > 0)
		snprintf(out->text, sizeof(out->text), "%s%lld", l->more ? ">=" : "", (long long)l->differing);
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct verify_line *l = line_at(data, row);
	char text[FORMAT_SIZE] = "";
	out->role = ROLE_TEXT;
	out->text[0] = '\0';
	if (column == COL_TABLE) {
		name_cell(l, out);
	} else if (l->kind == LINE_NOTE) {
		return;
	} else if (column == COL_STATE) {
		out->role = verify_look_role(l->look);
		verify_look_text(((const struct pane *)data)->ui, l->look, out->text, sizeof(out->text));
	} else if (column == COL_SOURCE || column == COL_TARGET) {
		rows_cell(l, column, out);
	} else if (column == COL_DIFFERING) {
		differing_cell(l, out);
	} else if (column == COL_SIZE && l->bytes > 0) {
		copy_text(out->text, sizeof(out->text), format_bytes(l->bytes, text));
	} else if (column == COL_TOOK && l->kind == LINE_TABLE && l->look != LOOK_WAITING) {
		copy_text(out->text, sizeof(out->text), format_duration(l->took_s, text));
	}
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "not verified yet; v chooses how, and begins",
	.identity = identity,
	.cell = cell,
	.arrange = arrange,
};

/* ---- following the model ---- */

static void sync(struct pane *p)
{
	struct verify *s = (struct verify *)p;
	size_t n;
	model_mirror(p->ui->model, s->view.name, &s->view);
	if (s->list.count > MANY && s->lines.view.running && p->ui->now - s->fetched_at < PERIOD_US)
		return;
	s->fetched_at = p->ui->now;
	struct verify_line *lines = verify_lines_fetch(&s->lines, p->ui->model, s->view.name, &n);
	s->list.source.empty = s->lines.view.running ? "" : source.empty;
	list_take(&s->list, lines, n, sizeof(*lines));
	if (!s->moved)
		table_act(&s->list.table, ACTION_FIRST);
}

/* ---- drawing ---- */

static const struct verify_line *selected(const struct verify *s)
{
	return list_selected(&s->list.pane);
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct verify_line *l = selected((const struct verify *)p);
	if (l)
		verify_line_facts(f, p->ui, l);
}

static void render_foot(const struct verify *s, const struct canvas *c)
{
	const struct verify_line *l = selected(s);
	struct canvas body = canvas_part(c, 1, 0, c->rows - 1, c->cols);
	struct facts f = { 0 };
	canvas_repeat(c, 0, 0, c->cols, ROLE_DIM, GLYPH_HORIZONTAL);
	if (l)
		verify_line_brief(&f, l);
	facts_render(&f, &body);
	facts_clear(&f);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct verify *s = (struct verify *)p;
	bool any = s->lines.view.running || s->lines.whole || s->lines.begun;
	bool narrow = c->cols + 2 < WIDE_COLS && !p->ui->zoomed && s->list.count > 0;
	int top = any ? 2 : 0, foot = narrow ? MAX(c->rows / 5, 4) : 0;
	struct canvas middle = canvas_part(c, top, 0, c->rows - top - foot, c->cols);
	struct canvas bottom = canvas_part(c, c->rows - foot, 0, foot, c->cols);
	verify_head_render(&s->lines, p->ui, c);
	list_render_split(p, &middle, WIDE_COLS, describe);
	if (foot > 0)
		render_foot(s, &bottom);
}

/* ---- the report ---- */

static void ask_save(struct pane *p)
{
	ui_ask_file(p->ui, "verify", "Save the report",
		"All that was found goes to this file; as JSON when its name ends in .json.");
}

static void save(struct verify *s, const char *path)
{
	const struct verify_lines *l = &s->lines;
	FILE *f = fopen(path, "wx");
	int why = errno;
	if (f)
		verified_report(l->whole, l->later, l->later_count, path, f);
	bool ok = f && !ferror(f);
	if (f && fclose(f) != 0) {
		why = errno;
		ok = false;
	}
	if (ok)
		ui_toast(s->list.pane.ui, false, "report saved to %s", path);
	else
		ui_toast(s->list.pane.ui, true, "could not write %s: %s", path, strerror(why));
}

/* ---- keys ---- */

static void open_line(struct verify *s)
{
	struct ui *u = s->list.pane.ui;
	const struct verify_line *l = selected(s);
	if (l->kind == LINE_TABLE && l->table->row_count > 0)
		ui_push(u, verify_rows_pane_new(u, &s->view, l->name));
	else if (l->table && l->table->why)
		ui_push(u, text_pane_new(u, l->name, xstrdup(l->table->why)));
	else if (l->kind != LINE_TABLE)
		ui_push(u, text_pane_new(u, l->kind == LINE_NOTE ? "Note" : l->name,
					   xstrdup(l->sequence && l->sequence->note ? l->sequence->note : l->name)));
}

static void compare(struct verify *s, enum action a)
{
	struct ui *u = s->list.pane.ui;
	if (!mirror_lacks_passwords(u, &s->view))
		ui_push(u, comparison_pane_new(u, a == ACTION_ROLES ? COMMAND_COMPARE_ROLES : COMMAND_COMPARE_SCHEMA,
					   &s->view));
}

static bool act(struct pane *p, enum action a)
{
	struct verify *s = (struct verify *)p;
	uint64_t ticket = s->lines.view.ticket;
	if (list_act(p, a)) {
		s->moved = true;
		return true;
	}
	switch (a) {
	case ACTION_OPEN:
		open_line(s);
		return true;
	case ACTION_COPY:
		ui_copy(p->ui, selected(s)->name);
		return true;
	case ACTION_VERIFY:
		ui_push(p->ui, verify_level_pane_new(p->ui, &s->view));
		return true;
	case ACTION_STOP:
		ui_cancel(p->ui, &ticket);
		return true;
	case ACTION_REPAIR:
		verify_ask_repair(p, &s->view, selected(s)->table);
		return true;
	case ACTION_SAVE:
		ask_save(p);
		return true;
	case ACTION_DIFFERENCE:
	case ACTION_ROLES:
		compare(s, a);
		return true;
	default:
		return false;
	}
}

static bool input(struct pane *p, const struct input *in)
{
	bool taken = list_input(p, in);
	((struct verify *)p)->moved |= taken;
	return taken;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	struct verify *s = (struct verify *)p;
	if (a == ACTION_SAVE && s->lines.whole)
		save(s, value);
	else if (a == ACTION_REPAIR)
		verify_repair_table(p->ui, s->view.name, subject);
}

static const char *refuse_open(const struct verify_line *l)
{
	if (!l)
		return "nothing is selected";
	if (l->kind != LINE_TABLE || (l->table && (l->table->row_count > 0 || l->table->why)))
		return NULL;
	return l->table ? "no row of it is known to differ" : "it is under way";
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct verify *s = (const struct verify *)p;
	const struct verify_line *l = selected(s);
	bool running = s->lines.view.running;
	switch (a) {
	case ACTION_VERIFY:
		return running ? "one is under way; c stops it" : NULL;
	case ACTION_STOP:
		return running ? NULL : "none is under way";
	case ACTION_OPEN:
		return refuse_open(l);
	case ACTION_COPY:
		return l ? NULL : "nothing is selected";
	case ACTION_SAVE:
		return s->lines.whole ? NULL : "nothing was verified yet";
	case ACTION_REPAIR:
		if (running)
			return "one is under way; c stops it";
		return l && l->table && l->look == LOOK_DIFFERS ? NULL : "no table that differs is selected";
	default:
		return NULL;
	}
}

static const char *label(const struct pane *p, enum action a)
{
	const struct verify *s = (const struct verify *)p;
	const struct verify_line *l = selected(s);
	bool changes = a == ACTION_VERIFY || a == ACTION_STOP || a == ACTION_REPAIR || a == ACTION_SAVE;
	if ((changes || a == ACTION_OPEN || a == ACTION_COPY) && refuse(p, a))
		return "";
	return a == ACTION_OPEN ? l->table && l->table->row_count > 0 ? "rows" : "all of it" : NULL;
}

static bool busy(const struct pane *p)
{
	return ((const struct verify *)p)->lines.view.running;
}

static void pane_free(struct pane *p)
{
	verify_lines_free(&((struct verify *)p)->lines);
	list_free(p);
}

static const enum action hints[] = { ACTION_VERIFY, ACTION_STOP, ACTION_OPEN, ACTION_REPAIR, ACTION_SAVE,
	ACTION_DIFFERENCE, ACTION_ROLES, ACTION_FILTER, ACTION_NEXT, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.input = input,
	.answered = answered,
	.busy = busy,
	.free = pane_free,
};

struct pane *verify_pane_new(struct ui *u, const char *mirror)
{
	struct verify *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_VERIFY | IN_WIDE, &source);
	copy_text(s->view.name, sizeof(s->view.name), mirror);
	return &s->list.pane;
}
