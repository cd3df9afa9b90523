// SPDX-License-Identifier: PostgreSQL
/* The replication slots of a peer's server, ours and others': who keeps its WAL. Sampled with its activity. */
#include "panes/panes.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_NAME, COL_MIRROR, COL_ACTIVE, COL_STATUS, COL_RETAINED, COL_SAFE, COL_RESTART, COL_CONFIRMED,
	COL_SPILL, COL_DATABASE, COL_PLUGIN, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_NAME] = { "SLOT", 18, 63, ALIGN_LEFT, 0, false, false },
	[COL_MIRROR] = { "MIRROR", 9, 24, ALIGN_LEFT, 2, false, false },
	[COL_ACTIVE] = { "ACTIVE", 6, 14, ALIGN_LEFT, 0, false, false },
	[COL_STATUS] = { "WAL STATUS", 10, 12, ALIGN_LEFT, 0, false, false },
	[COL_RETAINED] = { "RETAINED", 8, 10, ALIGN_RIGHT, 0, false, false },
	[COL_SAFE] = { "SAFE", 7, 10, ALIGN_RIGHT, 1, false, false },
	[COL_RESTART] = { "RESTART", 10, 17, ALIGN_LEFT, 4, false, false },
	[COL_CONFIRMED] = { "CONFIRMED", 10, 17, ALIGN_LEFT, 3, false, false },
	[COL_SPILL] = { "SPILL", 7, 10, ALIGN_RIGHT, 5, false, false },
	[COL_DATABASE] = { "DATABASE", 8, 24, ALIGN_LEFT, 6, false, false },
	[COL_PLUGIN] = { "PLUGIN", 8, 40, ALIGN_LEFT, 7, true, false },
};

struct slots {
	struct pane pane;
	char peer[NAME_SIZE];
	struct slot_view *rows;
	size_t count;
	int64_t taken_at, asked_at;
	struct table table;
};

static size_t count(const void *data)
{
	return ((const struct slots *)data)->count;
}

static const struct slot_view *slot_at(const void *data, size_t row)
{
	return &((const struct slots *)data)->rows[row];
}

static uint64_t identity(const void *data, size_t row)
{
	return table_identity(slot_at(data, row)->name);
}

static void bytes_cell(int64_t bytes, const char *unknown, struct cell *out)
{
	char text[FORMAT_SIZE];
	copy_text(out->text, sizeof(out->text), bytes < 0 ? unknown : format_bytes(bytes, text));
}

static void active_cell(const struct slot_view *v, struct cell *out)
{
	if (v->active && v->pid > 0)
		snprintf(out->text, sizeof(out->text), "pid %d", v->pid);
	else
		copy_text(out->text, sizeof(out->text), v->active ? "yes" : "no");
	out->role = v->active ? ROLE_TEXT : ROLE_WARN; /* nobody takes what it keeps */
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct slot_view *v = slot_at(data, row);
	char text[FORMAT_SIZE];
	out->role = v->mirror[0] == '\0' ? ROLE_DIM : ROLE_TEXT;
	switch (column) {
	case COL_ACTIVE:
		active_cell(v, out);
		break;
	case COL_STATUS:
		copy_text(out->text, sizeof(out->text), v->wal_status[0] != '\0' ? v->wal_status : "-");
		if (wal_status_role(v->wal_status) != ROLE_TEXT)
			out->role = wal_status_role(v->wal_status);
		break;
	case COL_RETAINED:
		bytes_cell(v->retained_bytes, "-", out);
		break;
	case COL_SAFE:
		bytes_cell(v->safe_bytes, "no end", out);
		break;
	case COL_SPILL:
		bytes_cell(v->spill_bytes, "-", out);
		break;
	case COL_RESTART:
	case COL_CONFIRMED:
		copy_text(out->text, sizeof(out->text),
			format_lsn(column == COL_RESTART ? v->restart : v->confirmed, text));
		break;
	default:
		copy_text(out->text, sizeof(out->text),
			column == COL_NAME		 ? v->name
			: column == COL_MIRROR	 ? v->mirror
			: column == COL_DATABASE ? v->database
			: v->plugin[0] != '\0'	 ? v->plugin
									 : "physical");
	}
}

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct slot_view *x = slot_at(data, a), *y = slot_at(data, b);
	struct cell left, right;
	switch (column) {
	case COL_RETAINED:
		return compare_numbers(x->retained_bytes, y->retained_bytes);
	case COL_SAFE:
		return compare_numbers(x->safe_bytes, y->safe_bytes);
	case COL_SPILL:
		return compare_numbers(x->spill_bytes, y->spill_bytes);
	case COL_RESTART:
		return x->restart < y->restart ? -1 : x->restart > y->restart;
	case COL_CONFIRMED:
		return x->confirmed < y->confirmed ? -1 : x->confirmed > y->confirmed;
	default:
		cell(data, a, column, &left);
		cell(data, b, column, &right);
		return strcmp(left.text, right.text);
	}
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct slot_view *v = slot_at(data, row);
	strbuf_addf(out, "%s %s %s %s %s", v->name, v->mirror, v->wal_status, v->database, v->plugin);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no replication slots there, or the first sample is on its way",
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct slots *s = (struct slots *)p;
	watch_peer(p->ui, s->peer, &s->asked_at);
	free(s->rows);
	s->count = model_slots(p->ui->model, s->peer, &s->rows, &s->taken_at);
	table_refresh(&s->table);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Slots");
}

static void render(struct pane *p, const struct canvas *c)
{
	table_render(&((struct slots *)p)->table, c, true);
}

static bool act(struct pane *p, enum action a)
{
	struct slots *s = (struct slots *)p;
	size_t row = table_selected(&s->table);
	if (table_act(&s->table, a))
		return true;
	if (row >= s->count || a != ACTION_COPY)
		return false;
	ui_copy(p->ui, s->rows[row].name);
	return true;
}

static bool takes_text(const struct pane *p)
{
	return table_takes_text(&((const struct slots *)p)->table);
}

static bool input(struct pane *p, const struct input *in)
{
	return list_input(p, &((struct slots *)p)->table, in);
}

static bool busy(const struct pane *p)
{
	(void)p;
	return true;
}

static void pane_free(struct pane *p)
{
	struct slots *s = (struct slots *)p;
	free(s->rows);
	table_free(&s->table);
	free(s);
}

static const enum action hints[] = { ACTION_NEXT, ACTION_FILTER, ACTION_COPY, ACTION_BACK, ACTION_NONE };

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

struct pane *slots_pane_new(struct ui *u, const char *peer)
{
	struct slots *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST };
	copy_text(s->peer, sizeof(s->peer), peer);
	table_init(&s->table, &source, s);
	return &s->pane;
}
