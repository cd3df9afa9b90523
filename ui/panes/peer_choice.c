// SPDX-License-Identifier: PostgreSQL
/* One of the other peers, to be compared with. */
#include "panes/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_NAME, COL_ADDRESS, COL_VERSION, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_NAME] = { "NAME", 8, 32, ALIGN_LEFT, 0, false, false },
	[COL_ADDRESS] = { "ADDRESS", 18, 72, ALIGN_LEFT, 1, false, false },
	[COL_VERSION] = { "VERSION", 7, 12, ALIGN_LEFT, 2, true, false },
};

struct peer_choice {
	struct list list; /* of struct peer_view */
	char except[NAME_SIZE];
	char *chosen; /* the asker's, of NAME_SIZE */
};

static uint64_t identity(const void *data, size_t row)
{
	return table_identity(((const struct peer_view *)list_row(data, row))->name);
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct peer_view *v = list_row(data, row);
	out->role = ROLE_TEXT;
	copy_text(out->text, sizeof(out->text),
		column == COL_NAME      ? v->name
		: column == COL_ADDRESS ? v->address
		: v->status == PEER_OK  ? v->probe.version
								: "-");
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	return table_order_text(cell, data, column, a, b);
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct peer_view *v = list_row(data, row);
	strbuf_addf(out, "%s %s", v->name, v->address);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "there is no other peer",
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct peer_choice *s = (struct peer_choice *)p;
	struct peer_view *rows;
	size_t n = model_peers(p->ui->model, &rows), kept = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, s->except) != 0)
			rows[kept++] = rows[i];
	list_take(&s->list, rows, kept, sizeof(*rows));
}

static bool act(struct pane *p, enum action a)
{
	const struct peer_view *v = list_selected(p);
	if (list_act(p, a))
		return true;
	if (a != ACTION_OPEN || !v)
		return false;
	copy_text(((struct peer_choice *)p)->chosen, NAME_SIZE, v->name);
	ui_pop(p->ui);
	return true;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	snprintf(buf, size, "Compare %s with", ((const struct peer_choice *)p)->except);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_FILTER, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.act = act,
};

struct pane *peer_choice_pane_new(struct ui *u, const char *except, char *chosen)
{
	struct peer_choice *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST, &source);
	copy_text(s->except, sizeof(s->except), except);
	s->chosen = chosen;
	return &s->list.pane;
}
