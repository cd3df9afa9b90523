// SPDX-License-Identifier: PostgreSQL
/* One table of a mirror that is being made: which of its columns, and its name on the target. */
#include "panes/panes.h"

#include "draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_NAME, COL_TYPE, COL_NOTES, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_NAME] = { "COLUMN", 20, 134, ALIGN_LEFT, 0, false, true },
	[COL_TYPE] = { "TYPE", 12, 40, ALIGN_LEFT, 0, false, true },
	[COL_NOTES] = { "NOTES", 10, 80, ALIGN_LEFT, 1, true, true },
};

struct columns_pane {
	struct pane pane;
	struct draft *draft;
	size_t index;
	struct table table;
};

static const struct catalog_table *table_of(const struct columns_pane *s)
{
	return &s->draft->catalog->tables[s->index];
}

static bool left_out(const struct columns_pane *s, size_t column)
{
	const bool *flags = s->draft->picks[s->index].left_out;
	return flags && flags[column];
}

static const char *name_of(const struct columns_pane *s, size_t column)
{
	return draft_column_name(s->draft, s->index, column);
}

static size_t count(const void *data)
{
	return table_of(data)->column_count;
}

static uint64_t identity(const void *data, size_t row)
{
	(void)data;
	return row;
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct columns_pane *s = data;
	const struct catalog_column *c = &table_of(s)->columns[row];
	out->role = left_out(s, row) || c->generated ? ROLE_DIM : ROLE_TEXT;
	bool renamed = !left_out(s, row) && strcmp(name_of(s, row), c->name) != 0;
	if (column == COL_NAME)
		snprintf(out->text, sizeof(out->text), "[%s] %s%s%s",
			c->generated		? "-"
			: left_out(s, row)	? " "
								: "x",
			c->name, renamed ? " -> " : "", renamed ? name_of(s, row) : "");
	else if (column == COL_TYPE)
		copy_text(out->text, sizeof(out->text), c->type);
	else
		snprintf(out->text, sizeof(out->text), "%s%s%s", c->key ? "key " : "",
			c->not_null ? "not null " : "", c->generated ? "generated: computed on the target" : "");
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct catalog_column *c = &table_of(data)->columns[row];
	strbuf_addf(out, "%s %s %s", c->name, name_of(data, row), c->type);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "the table has no columns; its rows are counted and that many empty rows arrive",
	.count = count,
	.identity = identity,
	.cell = cell,
	.words = words,
};

static size_t kept_columns(const struct columns_pane *s)
{
	size_t n = 0;
	for (size_t i = 0; i < count(s); i++)
		n += !left_out(s, i) && !table_of(s)->columns[i].generated;
	return n;
}

static const char *why_not(const struct columns_pane *s, size_t column)
{
	const struct catalog_column *c = &table_of(s)->columns[column];
	if (c->generated)
		return "a generated column is computed by the target itself";
	if (c->key)
		return "it belongs to the key";
	if (!left_out(s, column) && kept_columns(s) <= 1)
		return "one column has to stay";
	if (left_out(s, column) && !draft_name_is_free(s->draft, s->index, column, name_of(s, column)))
		return "another column has its name on the target";
	return NULL;
}

static void toggle(struct columns_pane *s, size_t column)
{
	struct pick *p = &s->draft->picks[s->index];
	if (!p->left_out)
		p->left_out = xcalloc(count(s), sizeof(*p->left_out));
	p->left_out[column] = !p->left_out[column];
	table_act(&s->table, ACTION_DOWN);
}

static const char *target_of(const struct columns_pane *s, char *buf, size_t size)
{
	const char *target = s->draft->picks[s->index].target;
	if (target)
		copy_text(buf, size, target);
	else
		snprintf(buf, size, "%s.%s", table_of(s)->schema, table_of(s)->name);
	return buf;
}

static void ask_target(struct columns_pane *s)
{
	char target[2 * NAME_SIZE + 2];
	ui_ask(s->pane.ui,
		&(struct question){ .kind = ASK_VALUE,
			.action = ACTION_RENAME,
			.title = "Name on the target",
			.text = "schema.table, the names as they are, without quotes. Empty = the same.",
			.value = target_of(s, target, sizeof(target)) });
}

static void ask_name(struct columns_pane *s, size_t column)
{
	ui_ask(s->pane.ui,
		&(struct question){ .kind = ASK_VALUE,
			.action = ACTION_RENAME_COLUMN,
			.title = "Name of the column on the target",
			.text = "As it is, without quotes. Empty = the same.",
			.subject = table_of(s)->columns[column].name,
			.value = name_of(s, column) });
}

static bool act(struct pane *p, enum action a)
{
	struct columns_pane *s = (struct columns_pane *)p;
	size_t row = table_selected(&s->table);
	if (table_act(&s->table, a))
		return true;
	if ((a == ACTION_TOGGLE || a == ACTION_OPEN) && row != TABLE_NOTHING)
		toggle(s, row);
	else if (a == ACTION_RENAME)
		ask_target(s);
	else if (a == ACTION_RENAME_COLUMN && row != TABLE_NOTHING)
		ask_name(s, row);
	else if (a == ACTION_ALL) {
		free(s->draft->picks[s->index].left_out);
		s->draft->picks[s->index].left_out = NULL;
	} else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct columns_pane *s = (const struct columns_pane *)p;
	size_t row = table_selected(&s->table);
	bool one = a == ACTION_TOGGLE || a == ACTION_OPEN;
	if (a == ACTION_RENAME_COLUMN && row != TABLE_NOTHING && left_out(s, row))
		return "it is left out";
	return one && row != TABLE_NOTHING ? why_not(s, row) : NULL;
}

static const char *label(const struct pane *p, enum action a)
{
	(void)p;
	return a == ACTION_OPEN || a == ACTION_COPY ? "" : NULL;
}

static bool target_ok(const char *text)
{
	const char *dot = strchr(text, '.');
	return *text == '\0' || (dot && dot > text && dot[1] != '\0' && dot - text < NAME_SIZE &&
								strlen(dot + 1) < NAME_SIZE);
}

static void rename_column(struct columns_pane *s, const char *column, const char *name)
{
	for (size_t i = 0; i < count(s); i++) {
		if (strcmp(table_of(s)->columns[i].name, column) != 0)
			continue;
		if (strlen(name) >= NAME_SIZE)
			ui_toast(s->pane.ui, true, "a name has at most 63 bytes: %s", name);
		else if (*name && !draft_name_is_free(s->draft, s->index, i, name))
			ui_toast(s->pane.ui, true, "another column has that name: %s", name);
		else
			draft_rename_column(s->draft, s->index, i, name);
	}
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	struct columns_pane *s = (struct columns_pane *)p;
	if (a == ACTION_RENAME_COLUMN)
		rename_column(s, subject, value);
	if (a != ACTION_RENAME)
		return;
	if (target_ok(value))
		draft_set_target(s->draft, s->index, value);
	else
		ui_toast(p->ui, true, "not schema.table with names of at most 63 bytes: %s", value);
}

static bool takes_text(const struct pane *p)
{
	return table_takes_text(&((const struct columns_pane *)p)->table);
}

static bool input(struct pane *p, const struct input *in)
{
	return list_table_input(p, &((struct columns_pane *)p)->table, in);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	const struct catalog_table *t = table_of((const struct columns_pane *)p);
	snprintf(buf, size, "%s.%s", t->schema, t->name);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct columns_pane *s = (struct columns_pane *)p;
	char target[2 * NAME_SIZE + 2];
	int x = canvas_add(c, 0, 1, ROLE_DIM, "goes to") + 1;
	canvas_add(c, 0, x, ROLE_FOCUS, target_of(s, target, sizeof(target)));
	struct canvas list = canvas_part(c, 2, 0, c->rows - 2, c->cols);
	table_render(&s->table, &list, true);
}

static void pane_free(struct pane *p)
{
	table_free(&((struct columns_pane *)p)->table);
	free(p);
}

static const enum action hints[] = { ACTION_TOGGLE, ACTION_RENAME_COLUMN, ACTION_RENAME, ACTION_ALL, ACTION_FILTER,
	ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.takes_text = takes_text,
	.input = input,
	.answered = answered,
	.free = pane_free,
};

struct pane *columns_pane_new(struct ui *u, struct draft *d, size_t table)
{
	struct columns_pane *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST | IN_COLUMNS };
	s->draft = d;
	s->index = table;
	table_init(&s->table, &source, s);
	table_refresh(&s->table);
	return &s->pane;
}
