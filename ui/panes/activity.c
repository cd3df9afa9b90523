// SPDX-License-Identifier: PostgreSQL
/* What a peer's server is running, for us and for others; sampled while it is shown. */
#include "panes/list.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <string.h>

enum { COL_PID, COL_MIRROR, COL_ROLE, COL_USER, COL_STATE, COL_WAIT, COL_TIME, COL_QUERY, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_PID] = { "PID", 6, 8, ALIGN_RIGHT, 0, false, false },
	[COL_MIRROR] = { "MIRROR", 7, 24, ALIGN_LEFT, 1, false, false },
	[COL_ROLE] = { "ROLE", 7, 20, ALIGN_LEFT, 1, false, false },
	[COL_USER] = { "USER", 8, 16, ALIGN_LEFT, 6, false, false },
	[COL_STATE] = { "STATE", 6, 20, ALIGN_LEFT, 4, false, false },
	[COL_WAIT] = { "WAIT", 14, 24, ALIGN_LEFT, 5, false, false },
	[COL_TIME] = { "TIME", 6, 8, ALIGN_RIGHT, 3, false, false },
	[COL_QUERY] = { "QUERY", 30, 500, ALIGN_LEFT, 0, true, false },
};

struct activity {
	struct list list;
	char peer[NAME_SIZE];
	int64_t asked_at;
};

static uint64_t identity(const void *data, size_t row)
{
	const struct activity_row *a = list_row(data, row);
	return (uint64_t)a->pid;
}

/* A statement on one line: its line breaks and indents are of no use in a list. */
static void flatten(char *text)
{
	char *to = text;
	for (const char *p = text; *p != '\0'; p++) {
		bool space = strchr(" \t\r\n", *p) != NULL;
		if (!space)
			*to++ = *p;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct activity_row *a = list_row(data, row);
	const char *texts[COL_COUNT] = { "", a->mirror, a->role, a->user, a->state, a->wait, "", a->query };
	char took[FORMAT_SIZE];
	out->role = a->mirror[0] == '\0' ? ROLE_DIM : ROLE_TEXT;
	if (column == COL_PID)
		snprintf(out->text, sizeof(out->text), "%d", a->pid);
	else if (column == COL_TIME)
		copy_text(out->text, sizeof(out->text), format_duration(a->duration_s, took));
	else
		copy_text(out->text, sizeof(out->text), texts[column]);
	if (column == COL_QUERY)
		flatten(out->text);
	if (column == COL_WAIT && strncmp(a->wait, "Lock", 4) == 0)
		out->role = ROLE_WARN;
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct activity_row *x = list_row(data, a), *y = list_row(data, b);
	if (column == COL_PID)
		return ORDER(x->pid, y->pid);
	if (column == COL_TIME)
		return ORDER(x->duration_s, y->duration_s);
	return table_order_text(cell, data, column, a, b);
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct activity_row *a = list_row(data, row);
	strbuf_addf(out, "%d %s %s %s %s %s %s", a->pid, a->mirror, a->role, a->user, a->state, a->wait,
		a->query);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "nothing runs there, or the first sample is on its way",
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct activity *s = (struct activity *)p;
	struct activity_row *rows;
	int64_t taken_at;
	watch_peer(p->ui, s->peer, &s->asked_at);
	size_t count = model_activity(p->ui->model, s->peer, &rows, &taken_at);
	list_take(&s->list, rows, count, sizeof(*rows));
}

static bool act(struct pane *p, enum action a)
{
	const struct activity_row *v = list_selected(p);
	if (list_act(p, a))
		return true;
	if (!v || (a != ACTION_OPEN && a != ACTION_COPY))
		return false;
	if (a == ACTION_COPY)
		ui_copy(p->ui, v->query);
	else
		ui_push(p->ui, text_pane_new(p->ui, "Statement", xstrdup(v->query)));
	return true;
}

static const enum action hints[] = { ACTION_OPEN, ACTION_NEXT, ACTION_FILTER, ACTION_COPY, ACTION_BACK,
	ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.act = act,
	.busy = list_sampled,
};

struct pane *activity_pane_new(struct ui *u, const char *peer)
{
	struct activity *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST, &source);
	copy_text(s->peer, sizeof(s->peer), peer);
	return &s->list.pane;
}
