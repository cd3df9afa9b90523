// SPDX-License-Identifier: PostgreSQL
/* Second page of the wizard: which tables, out of any number. */
#include "panes/list.h"

#include "draft.h"
#include "table_filter.h"
#include "widgets/tree.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_TABLE, COL_ROWS, COL_SIZE, COL_KEY, COL_TARGET, COL_NOTES, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_TABLE] = { "SOURCE", 24, 64, ALIGN_LEFT, 0, false, false },
	[COL_ROWS] = { "ROWS", 9, 9, ALIGN_RIGHT, 2, false, false },
	[COL_SIZE] = { "SIZE", 8, 8, ALIGN_RIGHT, 1, false, false },
	[COL_KEY] = { "KEY", 6, 6, ALIGN_LEFT, 3, false, false },
	[COL_TARGET] = { "TARGET", 8, 40, ALIGN_LEFT, 4, false, false },
	[COL_NOTES] = { "NOTES", 10, 400, ALIGN_LEFT, 5, true, false },
};

struct picker {
	struct list list;
	struct draft *draft; /* the form's */
	uint64_t ticket;     /* of the catalog; 0 none */
	int64_t asked_at;
	struct error error; /* of asking */
	struct tree tree;
	bool *shown; /* by the filter, for each table */
	uint64_t range_from; /* identity of the row where a range begins; 0 none */
};

static const struct catalog_table *table_of(const struct picker *s, size_t item)
{
	return &s->draft->catalog->tables[item];
}

/* ---- rows ---- */

static size_t count(const void *data)
{
	const struct picker *s = data;
	return s->draft->catalog ? s->draft->catalog->table_count : 0;
}

/* Rows are items or groups of a catalog that doesn't change, so that they are their own identity. */
static uint64_t identity(const void *data, size_t row)
{
	(void)data;
	return (uint64_t)row + 1;
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct picker *s = data;
	const struct catalog_table *x = table_of(s, a), *y = table_of(s, b);
	const char *left = s->draft->picks[a].target, *right = s->draft->picks[b].target;
	switch (column) {
	case COL_ROWS:
		return x->rows < y->rows ? -1 : x->rows > y->rows;
	case COL_SIZE:
		return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
	case COL_KEY:
		return (int)x->key - (int)y->key;
	case COL_NOTES:
		return (int)(x->notes != 0) - (int)(y->notes != 0);
	case COL_TARGET:
		return strcmp(left ? left : "", right ? right : "");
	default:
		return strcmp(x->name, y->name);
	}
}

static void arrange(void *data, struct table *t)
{
	struct picker *s = data;
	const char *what = edit_text(&t->filter);
	struct table_filter f = table_filter_parse(what);
	for (size_t i = 0; i < count(s); i++)
		s->shown[i] = table_filter_takes(&f, table_of(s, i));
	tree_arrange(&s->tree, t, s->shown, f.count > 0, compare);
	table_filter_free(&f);
}

/* What a schema's row sums up: of its tables that the filter shows. */
struct group_sum {
	size_t tables, taken;
	int64_t rows, bytes;
};

static struct group_sum sum_group(const struct picker *s, size_t g)
{
	struct group_sum sum = { 0 };
	for (size_t i = s->tree.first[g]; i < s->tree.first[g + 1]; i++) {
		if (!s->shown[i])
			continue;
		sum.tables++;
		sum.taken += s->draft->picks[i].taken;
		if (table_of(s, i)->notes & NOTE_PARTITION) /* counted with its parent */
			continue;
		sum.rows += MAX(table_of(s, i)->rows, 0);
		sum.bytes += MAX(table_of(s, i)->bytes, 0);
	}
	return sum;
}

static void group_cell(const struct picker *s, size_t g, int column, struct cell *out)
{
	struct group_sum sum = sum_group(s, g);
	char text[FORMAT_SIZE];
	bool open = s->tree.open[g] || *edit_text(&s->list.table.filter) != '\0';
	out->role = ROLE_TITLE;
	if (column == COL_TABLE)
		snprintf(out->text, sizeof(out->text), "%s [%s] %s",
			theme_glyph(s->list.pane.ui->theme, open ? GLYPH_OPEN : GLYPH_CLOSED),
			sum.taken == 0			  ? " "
			: sum.taken == sum.tables ? "x"
									  : "-",
			table_of(s, s->tree.first[g])->schema);
	else if (column == COL_ROWS)
		snprintf(out->text, sizeof(out->text), "~%s", format_count(sum.rows, text));
	else if (column == COL_SIZE)
		copy_text(out->text, sizeof(out->text), format_bytes(sum.bytes, text));
	else if (column == COL_KEY)
		snprintf(out->text, sizeof(out->text), "%zu/%zu", sum.taken, sum.tables);
}

static void notes_text(const struct catalog_table *t, struct cell *out)
{
	size_t n = 0;
	out->text[0] = '\0';
	if (t->refusal) {
		copy_text(out->text, sizeof(out->text), t->refusal);
		return;
	}
	for (unsigned i = 0; i < NOTE_COUNT; i++) {
		if (!(t->notes & 1u << i) || n >= sizeof(out->text))
			continue;
		n += (size_t)snprintf(out->text + n, sizeof(out->text) - n, "%s%s", n > 0 ? ", " : "",
			table_note_name((enum table_note)(1u << i)));
	}
}

static void item_cell(const struct picker *s, size_t item, int column, struct cell *out)
{
	const struct catalog_table *t = table_of(s, item);
	const struct pick *p = &s->draft->picks[item];
	char text[FORMAT_SIZE];
	out->role = t->refusal ? ROLE_DIM : ROLE_TEXT;
	switch (column) {
	case COL_TABLE:
		snprintf(out->text, sizeof(out->text), "    [%s] %s",
			t->refusal ? "!" : p->taken ? "x" : " ", t->name);
		break;
	case COL_ROWS:
		if (t->rows < 0)
			copy_text(out->text, sizeof(out->text), "?");
		else
			snprintf(out->text, sizeof(out->text), "~%s", format_count(t->rows, text));
		break;
	case COL_SIZE:
		copy_text(out->text, sizeof(out->text), format_bytes(MAX(t->bytes, 0), text));
		break;
	case COL_KEY:
		copy_text(out->text, sizeof(out->text), table_key_name(t->key));
		if (t->key == KEY_NONE && !t->refusal)
			out->role = ROLE_WARN;
		break;
	case COL_TARGET:
		copy_text(out->text, sizeof(out->text), p->target ? p->target : "same");
		out->role = p->target ? ROLE_FOCUS : ROLE_DIM;
		break;
	default:
		notes_text(t, out);
		out->role = t->refusal ? ROLE_WARN : ROLE_DIM;
		break;
	}
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	out->text[0] = '\0';
	if (tree_is_group(row))
		group_cell(data, tree_group(row), column, out);
	else
		item_cell(data, row, column, out);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "this database has no tables of its own",
	.count = count,
	.identity = identity,
	.cell = cell,
	.arrange = arrange,
};

/* ---- the catalog ---- */

static void ask_catalog(struct picker *s)
{
	struct command c = { .kind = COMMAND_CATALOG };
	copy_text(c.name, sizeof(c.name), s->draft->config.source);
	s->error = (struct error){ 0 };
	s->ticket = ui_submit(s->list.pane.ui, &c, NULL);
	s->asked_at = s->list.pane.ui->now;
}

/* The tree over the draft's catalog; with one schema, or few tables, there is no reason to keep it shut. */
static void adopt_catalog(struct picker *s)
{
	size_t tables = count(s);
	tree_free(&s->tree);
	tree_init(&s->tree, s->draft->first, s->draft->schema_count);
	for (size_t g = 0; g < s->draft->schema_count; g++)
		s->tree.open[g] = s->draft->schema_count == 1 || tables <= 60;
	free(s->shown);
	s->shown = xcalloc(tables, sizeof(*s->shown));
	s->range_from = 0;
	table_refresh(&s->list.table);
}

static void sync(struct pane *p)
{
	struct picker *s = (struct picker *)p;
	struct outcome o;
	if (!ui_outcome(p->ui, &s->ticket, &o))
		return;
	if (o.state == OUTCOME_DONE && o.catalog) {
		draft_take_catalog(s->draft, o.catalog);
		adopt_catalog(s);
	} else {
		s->error = o.error;
		catalog_release(o.catalog);
	}
}

/* ---- choosing ---- */

static void choose(struct picker *s, size_t item, bool taken)
{
	s->draft->picks[item].taken = taken && draft_can_take(s->draft, item);
}

static void choose_group(struct picker *s, size_t g)
{
	bool all = true;
	for (size_t i = s->tree.first[g]; i < s->tree.first[g + 1]; i++)
		all = all && (!s->shown[i] || s->draft->picks[i].taken || !draft_can_take(s->draft, i));
	for (size_t i = s->tree.first[g]; i < s->tree.first[g + 1]; i++)
		if (s->shown[i])
			choose(s, i, !all);
}

static void toggle(struct picker *s, size_t row)
{
	if (tree_is_group(row)) {
		choose_group(s, tree_group(row));
		return;
	}
	if (!draft_can_take(s->draft, row))
		ui_toast(s->list.pane.ui, true, "%s.%s can't be chosen: %s", table_of(s, row)->schema,
			table_of(s, row)->name, table_of(s, row)->refusal);
	choose(s, row, !s->draft->picks[row].taken);
	table_act(&s->list.table, ACTION_DOWN);
}

static void choose_shown(struct picker *s, bool taken)
{
	for (size_t i = 0; i < count(s); i++)
		if (s->shown[i])
			choose(s, i, taken);
}

/* The rows from where the range began to the selected one, whichever stands first. */
static void choose_range(struct picker *s)
{
	size_t from = SIZE_MAX, to = s->list.table.selected;
	for (size_t i = 0; i < s->list.table.count; i++)
		if (identity(s, s->list.table.rows[i]) == s->range_from)
			from = i;
	s->range_from = 0;
	if (from == SIZE_MAX)
		return;
	for (size_t i = MIN(from, to); i <= MAX(from, to); i++)
		if (!tree_is_group(s->list.table.rows[i]))
			choose(s, s->list.table.rows[i], true);
}

static size_t schema_of_row(const struct picker *s, size_t row)
{
	return tree_is_group(row) ? tree_group(row) : tree_group_of(&s->tree, row);
}

static void ask_schema(struct picker *s, size_t row)
{
	const char *name = table_of(s, s->tree.first[schema_of_row(s, row)])->schema;
	char head[160];
	snprintf(head, sizeof(head), "Map schema %s", name);
	ui_ask(s->list.pane.ui, &(struct question){ .kind = ASK_VALUE,
						   .action = ACTION_MAP_SCHEMA,
						   .title = head,
						   .text = "Schema on the target for all tables of this one. Empty = the same.",
						   .value = name });
}

static void open_row(struct picker *s, size_t row)
{
	if (!tree_is_group(row)) {
		ui_push(s->list.pane.ui, columns_pane_new(s->list.pane.ui, s->draft, row));
		return;
	}
	s->tree.open[tree_group(row)] = !s->tree.open[tree_group(row)];
	table_refresh(&s->list.table);
}

static void set_open(struct picker *s, size_t row, bool open)
{
	size_t g = schema_of_row(s, row);
	s->tree.open[g] = open;
	if (!open)
		table_select(&s->list.table, identity(s, TREE_GROUP | g));
	table_refresh(&s->list.table);
}

static bool act_on_row(struct picker *s, enum action a, size_t row)
{
	switch (a) {
	case ACTION_TOGGLE:
		toggle(s, row);
		return true;
	case ACTION_OPEN:
		open_row(s, row);
		return true;
	case ACTION_RIGHT:
	case ACTION_LEFT:
		set_open(s, row, a == ACTION_RIGHT);
		return true;
	case ACTION_RANGE:
		if (s->range_from != 0)
			choose_range(s);
		else
			s->range_from = identity(s, row);
		return true;
	case ACTION_MAP_SCHEMA:
		ask_schema(s, row);
		return true;
	case ACTION_COPY:
		if (!tree_is_group(row))
			ui_copy(s->list.pane.ui, table_of(s, row)->name);
		return true;
	default:
		return false;
	}
}

static void go_on(struct picker *s)
{
	if (s->draft->live) {
		tables_ask_change(&s->list.pane, s->draft);
		return;
	}
	draft_store(s->draft);
	ui_push(s->list.pane.ui, preflight_pane_new(s->list.pane.ui, s->draft));
}

static bool act(struct pane *p, enum action a)
{
	struct picker *s = (struct picker *)p;
	if (a == ACTION_BACK && s->range_from != 0) {
		s->range_from = 0;
		return true;
	}
	if (s->draft->catalog && list_act(p, a))
		return true;
	size_t row = table_selected(&s->list.table);
	if (row != TABLE_NOTHING && act_on_row(s, a, row))
		return true;
	if (a == ACTION_REFRESH && s->ticket == 0)
		ask_catalog(s);
	else if (a == ACTION_ALL || a == ACTION_NONE_OF)
		choose_shown(s, a == ACTION_ALL);
	else if (a == ACTION_CONTINUE)
		go_on(s);
	else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct picker *s = (const struct picker *)p;
	if (a == ACTION_CONTINUE && !s->draft->catalog)
		return "the tables are not known yet";
	if (a == ACTION_CONTINUE && draft_totals(s->draft).taken == 0)
		return "no table is chosen; space chooses one, a all";
	return NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	struct picker *s = (struct picker *)p;
	size_t row = table_selected(&s->list.table);
	(void)subject;
	if (a == ACTION_MAP_SCHEMA && row != TABLE_NOTHING)
		draft_map_schema(s->draft, schema_of_row(s, row), value);
	else if (a == ACTION_CONTINUE)
		tables_change(p, s->draft);
}

static bool input(struct pane *p, const struct input *in)
{
	struct picker *s = (struct picker *)p;
	return s->draft->catalog && list_input(p, in);
}

/* ---- drawing ---- */

static void title(const struct pane *p, char *buf, size_t size)
{
	snprintf(buf, size, "Tables of %s", ((const struct picker *)p)->draft->config.source);
}

static void render_waiting(const struct picker *s, const struct canvas *c)
{
	struct facts f = { 0 };
	const struct ui *u = s->list.pane.ui;
	if (s->error.class != ERROR_NONE) {
		error_facts(&f, &s->error);
		facts_gap(&f);
		facts_add(&f, NULL, ROLE_DIM, "R asks again, Esc goes back");
		facts_render(&f, c);
		facts_clear(&f);
	} else if (u->now - s->asked_at > 300000) {
		canvas_addf(c, 1, 2, ROLE_PROGRESS, "%s listing the tables of %s",
			theme_spinner(u->theme, u->now), s->draft->config.source);
	}
}

static void render_footer(const struct picker *s, const struct canvas *c)
{
	struct draft_totals t = draft_totals(s->draft);
	const char *dot = theme_glyph(c->theme, GLYPH_DOT);
	char size[FORMAT_SIZE], rows[FORMAT_SIZE], note[64];
	int x = canvas_addf(c, 0, 1, t.taken > 0 ? ROLE_TITLE : ROLE_DIM,
		"%zu of %zu tables %s %s %s %s%s rows", t.taken, t.tables, dot, format_bytes(t.bytes, size),
		dot, t.rows_known ? "~" : ">", format_count(t.rows, rows));
	if (s->ticket != 0)
		x = canvas_addf(c, 0, x + 2, ROLE_PROGRESS, "%s refreshing",
			theme_spinner(c->theme, s->list.pane.ui->now));
	if (s->range_from != 0)
		copy_text(note, sizeof(note), "range: v again chooses up to here, Esc drops it");
	else
		copy_text(note, sizeof(note), "/ size>1G key:none !audit");
	int cells = text_width(note);
	if (x + cells + 3 < c->cols)
		canvas_put(c, 0, c->cols - cells - 1, cells, ALIGN_LEFT,
			s->range_from != 0 ? ROLE_WARN : ROLE_DIM, note);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct picker *s = (struct picker *)p;
	struct canvas list = canvas_part(c, 0, 0, c->rows - 1, c->cols);
	struct canvas foot = canvas_part(c, c->rows - 1, 0, 1, c->cols);
	if (!s->draft->catalog) {
		render_waiting(s, &list);
		return;
	}
	list_render(p, &list);
	render_footer(s, &foot);
}

static bool busy(const struct pane *p)
{
	return ((const struct picker *)p)->ticket != 0;
}

static void pane_free(struct pane *p)
{
	struct picker *s = (struct picker *)p;
	ui_cancel(p->ui, &s->ticket);
	tree_free(&s->tree);
	free(s->shown);
	list_free(p);
}

static const char *label(const struct pane *p, enum action a)
{
	size_t row = table_selected(&((const struct picker *)p)->list.table);
	if (a != ACTION_OPEN)
		return NULL;
	return row == TABLE_NOTHING || tree_is_group(row) ? "open" : "columns";
}

static const enum action hints[] = { ACTION_CONTINUE, ACTION_TOGGLE, ACTION_ALL, ACTION_FILTER,
	ACTION_OPEN, ACTION_NONE_OF, ACTION_MAP_SCHEMA, ACTION_RANGE, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *picker_pane_new(struct ui *u, struct draft *d)
{
	struct picker *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_PICKER, &source);
	s->draft = d;
	/* Coming back to the same source finds everything as it was left. */
	if (d->catalog && strcmp(d->catalog->peer, d->config.source) == 0)
		adopt_catalog(s);
	else
		ask_catalog(s);
	return &s->list.pane;
}
