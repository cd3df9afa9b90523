// SPDX-License-Identifier: PostgreSQL
/* What a peer's server is running, for us and for others; sampled while it is shown. */
#include "panes/panes.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
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
	struct pane pane;
	char peer[NAME_SIZE];
	struct activity_row *rows;
	size_t count;
	int64_t taken_at, asked_at;
	struct table table;
};

static size_t count(const void *data)
{
	return ((const struct activity *)data)->count;
}

static const struct activity_row *row_at(const void *data, size_t row)
{
	return &((const struct activity *)data)->rows[row];
}

static uint64_t identity(const void *data, size_t row)
{
	return (uint64_t)row_at(data, row)->pid;
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
	const struct activity_row *a = row_at(data, row);
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
	const struct activity_row *x = row_at(data, a), *y = row_at(data, b);
	struct cell left, right;
	if (column == COL_PID)
		return x->pid - y->pid;
	if (column == COL_TIME)
		return x->duration_s < y->duration_s ? -1 : x->duration_s > y->duration_s;
	cell(data, a, column, &left);
	cell(data, b, column, &right);
	return strcmp(left.text, right.text);
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct activity_row *a = row_at(data, row);
	strbuf_addf(out, "%d %s %s %s %s %s %s", a->pid, a->mirror, a->role, a->user, a->state, a->wait,
		a->query);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "nothing runs there, or the first sample is on its way",
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct activity *s = (struct activity *)p;
	watch_peer(p->ui, s->peer, &s->asked_at);
	free(s->rows);
	s->count = model_activity(p->ui->model, s->peer, &s->rows, &s->taken_at);
	table_refresh(&s->table);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Activity");
}

static void render(struct pane *p, const struct canvas *c)
{
	table_render(&((struct activity *)p)->table, c, true);
}

static bool act(struct pane *p, enum action a)
{
	struct activity *s = (struct activity *)p;
	size_t row = table_selected(&s->table);
	if (table_act(&s->table, a))
		return true;
	if (row >= s->count || (a != ACTION_OPEN && a != ACTION_COPY))
		return false;
	if (a == ACTION_COPY)
		ui_copy(p->ui, s->rows[row].query);
	else
		ui_push(p->ui, text_pane_new(p->ui, "Statement", xstrdup(s->rows[row].query)));
	return true;
}

static bool takes_text(const struct pane *p)
{
	return table_takes_text(&((const struct activity *)p)->table);
}

static bool input(struct pane *p, const struct input *in)
{
	return list_input(p, &((struct activity *)p)->table, in);
}

static bool busy(const struct pane *p)
{
	(void)p;
	return true;
}

static void pane_free(struct pane *p)
{
	struct activity *s = (struct activity *)p;
	free(s->rows);
	table_free(&s->table);
	free(s);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_NEXT, ACTION_FILTER, ACTION_COPY, ACTION_BACK,
	ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.takes_text = takes_text,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *activity_pane_new(struct ui *u, const char *peer)
{
	struct activity *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST };
	copy_text(s->peer, sizeof(s->peer), peer);
	table_init(&s->table, &source, s);
	return &s->pane;
}
