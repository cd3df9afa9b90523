// SPDX-License-Identifier: PostgreSQL
/* The list of peers. */
#include "panes/panes.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_NAME, COL_ADDRESS, COL_VERSION, COL_WAL, COL_SIZE, COL_MIRRORS, COL_STATUS, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_NAME] = { "NAME", 8, 24, ALIGN_LEFT, 0, false, false },
	[COL_ADDRESS] = { "ADDRESS", 14, 56, ALIGN_LEFT, 1, false, false },
	[COL_VERSION] = { "VERSION", 7, 12, ALIGN_LEFT, 2, false, false },
	[COL_WAL] = { "WAL", 7, 8, ALIGN_LEFT, 4, false, false },
	[COL_SIZE] = { "SIZE", 7, 8, ALIGN_RIGHT, 3, false, false },
	[COL_MIRRORS] = { "MIRRORS", 7, 8, ALIGN_RIGHT, 5, false, false },
	[COL_STATUS] = { "STATUS", 10, 10, ALIGN_LEFT, 0, true, false },
};

struct peers {
	struct pane pane;
	struct peer_view *rows;
	size_t count;
	struct table table;
	struct facts facts;
};

static size_t count(const void *data)
{
	return ((const struct peers *)data)->count;
}

static const struct peer_view *peer_at(const void *data, size_t row)
{
	return &((const struct peers *)data)->rows[row];
}

static uint64_t identity(const void *data, size_t row)
{
	return table_identity(peer_at(data, row)->name);
}

static void status_cell(const struct peers *s, const struct peer_view *v, struct cell *out)
{
	const struct theme *t = s->pane.ui->theme;
	switch (v->status) {
	case PEER_OK:
		out->role = ROLE_OK;
		snprintf(out->text, sizeof(out->text), "%s %.1f ms", theme_glyph(t, GLYPH_ACTIVE),
			v->probe.latency_ms);
		break;
	case PEER_FAILED:
		out->role = ROLE_ERROR;
		snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(t, GLYPH_TROUBLE),
			without_subject(v->error.text, "peer", v->name));
		break;
	case PEER_PROBING:
		out->role = ROLE_DIM;
		snprintf(out->text, sizeof(out->text), "%s testing", theme_spinner(t, s->pane.ui->now));
		break;
	case PEER_UNKNOWN:
		out->role = ROLE_DIM;
		snprintf(out->text, sizeof(out->text), "%s not tested", theme_glyph(t, GLYPH_IDLE));
		break;
	}
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct peer_view *v = peer_at(data, row);
	bool ok = v->status == PEER_OK;
	char size[FORMAT_SIZE];
	out->role = ROLE_TEXT;
	copy_text(out->text, sizeof(out->text), ok ? "" : "-");
	if (column == COL_NAME)
		copy_text(out->text, sizeof(out->text), v->name);
	else if (column == COL_ADDRESS)
		copy_text(out->text, sizeof(out->text), v->address);
	else if (column == COL_MIRRORS)
		snprintf(out->text, sizeof(out->text), "%zu", v->mirrors);
	else if (column == COL_STATUS)
		status_cell(data, v, out);
	else if (ok && column == COL_VERSION)
		copy_text(out->text, sizeof(out->text), v->probe.version);
	else if (ok && column == COL_WAL)
		copy_text(out->text, sizeof(out->text), v->probe.wal_level);
	else if (ok && column == COL_SIZE)
		copy_text(out->text, sizeof(out->text), format_bytes(v->probe.database_bytes, size));
}

static int compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct peer_view *x = peer_at(data, a), *y = peer_at(data, b);
	switch (column) {
	case COL_SIZE:
		return compare_numbers((double)x->probe.database_bytes, (double)y->probe.database_bytes);
	case COL_MIRRORS:
		return compare_numbers((double)x->mirrors, (double)y->mirrors);
	case COL_VERSION:
		return compare_numbers(x->probe.version_num, y->probe.version_num);
	case COL_STATUS:
		return compare_numbers(x->status, y->status);
	case COL_WAL:
		return strcmp(x->probe.wal_level, y->probe.wal_level);
	case COL_ADDRESS:
		return strcmp(x->address, y->address);
	default:
		return strcmp(x->name, y->name);
	}
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct peer_view *v = peer_at(data, row);
	strbuf_addf(out, "%s %s %s", v->name, v->address, v->status == PEER_FAILED ? v->error.text : "");
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no peers yet; n makes one, also from a pasted postgresql:// address",
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static const struct peer_view *selected(const struct peers *s)
{
	size_t row = table_selected(&s->table);
	return row < s->count ? &s->rows[row] : NULL;
}

static void sync(struct pane *p)
{
	struct peers *s = (struct peers *)p;
	free(s->rows);
	s->count = model_peers(p->ui->model, &s->rows);
	table_refresh(&s->table);
	list_choose(p, &s->table, ROOT_PEERS);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	const struct peers *s = (const struct peers *)p;
	snprintf(buf, size, "Peers (%zu)", s->count);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct peers *s = (struct peers *)p;
	struct canvas list, detail;
	split_detail(p->ui, c, WIDE_COLS, &list, &detail);
	table_render(&s->table, &list, true);
	const struct peer_view *v = selected(s);
	if (detail.cols == 0 || !v)
		return;
	facts_clear(&s->facts);
	facts_add(&s->facts, NULL, ROLE_TITLE, "%s", v->name);
	facts_gap(&s->facts);
	peer_facts(&s->facts, p->ui, v);
	facts_render(&s->facts, &detail);
}

static void probe(struct ui *u, const char *name, const char *done)
{
	struct command c = { .kind = COMMAND_PEER_PROBE };
	copy_text(c.name, sizeof(c.name), name);
	ui_submit(u, &c, done);
}

static void ask_drop(struct pane *p, const struct peer_view *v)
{
	char head[128], text[512];
	snprintf(head, sizeof(head), "Drop peer %s?", v->name);
	snprintf(text, sizeof(text),
		"Removes %s (%s) from peers.conf. Nothing happens on the server.", v->name, v->address);
	ui_ask(p->ui, &(struct question){ .kind = ASK_YES_NO,
					  .action = ACTION_DROP,
					  .title = head,
					  .text = text,
					  .subject = v->name });
}

static bool act(struct pane *p, enum action a)
{
	struct peers *s = (struct peers *)p;
	const struct peer_view *v = selected(s);
	if (table_act(&s->table, a))
		return true;
	if (a == ACTION_NEW)
		ui_push(p->ui, peer_form_new(p->ui, NULL));
	else if (a == ACTION_REFRESH)
		probe(p->ui, "", "");
	else if (a == ACTION_OPEN && v)
		ui_push(p->ui, peer_detail_new(p->ui, v->name));
	else if (a == ACTION_EDIT && v)
		ui_push(p->ui, peer_form_new(p->ui, v->name));
	else if (a == ACTION_TEST && v && password_needed(p->ui, v->name))
		return true; /* a test follows the answer */
	else if (a == ACTION_TEST && v)
		probe(p->ui, v->name, "");
	else if (a == ACTION_DROP && v)
		ask_drop(p, v);
	else if (a == ACTION_COPY && v)
		ui_copy(p->ui, v->address);
	else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct peer_view *v = selected((const struct peers *)p);
	bool about_one = a == ACTION_EDIT || a == ACTION_DROP || a == ACTION_TEST || a == ACTION_OPEN;
	if (!about_one)
		return NULL;
	if (!v)
		return "no peer is selected";
	if ((a == ACTION_EDIT || a == ACTION_DROP) && !v->editable)
		return "it is written by hand in pgpier.conf";
	if (a == ACTION_DROP && v->mirrors > 0)
		return "a mirror uses it; drop the mirror first";
	return NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)value;
	if (a != ACTION_DROP)
		return;
	struct command c = { .kind = COMMAND_PEER_DROP };
	copy_text(c.name, sizeof(c.name), subject);
	ui_submit(p->ui, &c, "peer dropped");
}

static bool takes_text(const struct pane *p)
{
	return table_takes_text(&((const struct peers *)p)->table);
}

static bool input(struct pane *p, const struct input *in)
{
	return list_input(p, &((struct peers *)p)->table, in);
}

static void pane_free(struct pane *p)
{
	struct peers *s = (struct peers *)p;
	free(s->rows);
	table_free(&s->table);
	facts_clear(&s->facts);
	free(s);
}

static bool busy(const struct pane *p)
{
	const struct peers *s = (const struct peers *)p;
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].status == PEER_PROBING)
			return true;
	return false;
}

static const enum action hints[] = { ACTION_NEW, ACTION_OPEN, ACTION_TEST, ACTION_EDIT, ACTION_DROP,
	ACTION_FILTER, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.answered = answered,
	.takes_text = takes_text,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *peers_pane_new(struct ui *u)
{
	struct peers *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST | IN_PEERS | IN_WIDE };
	table_init(&s->table, &source, s);
	return &s->pane;
}
