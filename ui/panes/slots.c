// SPDX-License-Identifier: PostgreSQL
/* The replication slots of a peer's server, ours and others': who keeps its WAL. Sampled with its activity. */
#include "panes/list.h"

#include <pgpier/format.h>

#include <stdio.h>

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
	struct list list;
	char peer[NAME_SIZE];
	int64_t asked_at;
};

static uint64_t identity(const void *data, size_t row)
{
	const struct slot_view *v = list_row(data, row);
	return table_identity(v->name);
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
	const struct slot_view *v = list_row(data, row);
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
			position_text(column == COL_RESTART ? v->restart : v->confirmed, text));
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

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct slot_view *x = list_row(data, a), *y = list_row(data, b);
	switch (column) {
	case COL_RETAINED:
		return ORDER(x->retained_bytes, y->retained_bytes);
	case COL_SAFE:
		return ORDER(x->safe_bytes, y->safe_bytes);
	case COL_SPILL:
		return ORDER(x->spill_bytes, y->spill_bytes);
	case COL_RESTART:
		return ORDER(x->restart, y->restart);
	case COL_CONFIRMED:
		return ORDER(x->confirmed, y->confirmed);
	default:
		return table_order_text(cell, data, column, a, b);
	}
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct slot_view *v = list_row(data, row);
	strbuf_addf(out, "%s %s %s %s %s", v->name, v->mirror, v->wal_status, v->database, v->plugin);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no replication slots there, or the first sample is on its way",
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct slots *s = (struct slots *)p;
	struct slot_view *rows;
	int64_t taken_at;
	watch_peer(p->ui, s->peer, &s->asked_at);
	size_t count = model_slots(p->ui->model, s->peer, &rows, &taken_at);
	list_take(&s->list, rows, count, sizeof(*rows));
}

static bool act(struct pane *p, enum action a)
{
	const struct slot_view *v = list_selected(p);
	if (list_act(p, a))
		return true;
	if (!v || a != ACTION_COPY)
		return false;
	ui_copy(p->ui, v->name);
	return true;
}

static const enum action hints[] = { ACTION_NEXT, ACTION_FILTER, ACTION_COPY, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.act = act,
	.busy = list_sampled,
};

struct pane *slots_pane_new(struct ui *u, const char *peer)
{
	struct slots *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST, &source);
	copy_text(s->peer, sizeof(s->peer), peer);
	return &s->list.pane;
}
