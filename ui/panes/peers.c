// SPDX-License-Identifier: PostgreSQL
/* The list of peers. */
#include "panes/list.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <string.h>

enum { COL_NAME, COL_ADDRESS, COL_VERSION, COL_WAL, COL_SIZE, COL_MIRRORS, COL_STATUS, COL_COUNT };

/* user@host:port/db. The user leaves first, then the end of db, then the middle of the host: the port is seen. */
static void shorten_address(char *text, size_t size, int cells, const char *ellipsis)
{
	char whole[256], host[256], port[16], db[256];
	const char *user_end = strrchr(text, '@');
	copy_text(whole, sizeof(whole), user_end ? user_end + 1 : text);
	char *colon = strrchr(whole, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	if (digits == 0)
		return;
	snprintf(port, sizeof(port), "%.*s", (int)digits + 1, colon);
	*colon = '\0';
	text_clip_middle(host, sizeof(host), whole, cells - text_width(port), ellipsis);
	text_clip(db, sizeof(db), colon + 1 + digits, cells - text_width(host) - text_width(port), ellipsis);
	snprintf(text, size, "%s%s%s", host, port, db);
}

static const struct column columns[COL_COUNT] = {
	[COL_NAME] = { "NAME", 8, 24, ALIGN_LEFT, 0, false, false },
	[COL_ADDRESS] = { "ADDRESS", 18, 56, ALIGN_LEFT, 1, false, false, shorten_address },
	[COL_VERSION] = { "VERSION", 7, 12, ALIGN_LEFT, 2, false, false },
	[COL_WAL] = { "WAL", 7, 8, ALIGN_LEFT, 4, false, false },
	[COL_SIZE] = { "SIZE", 7, 8, ALIGN_RIGHT, 3, false, false },
	[COL_MIRRORS] = { "MIRRORS", 7, 8, ALIGN_RIGHT, 5, false, false },
	[COL_STATUS] = { "STATUS", 10, 10, ALIGN_LEFT, 0, true, false },
};

static uint64_t identity(const void *data, size_t row)
{
	const struct peer_view *v = list_row(data, row);
	return table_identity(v->name);
}

static void status_cell(const struct ui *u, const struct peer_view *v, struct cell *out)
{
	const struct theme *t = u->theme;
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
		snprintf(out->text, sizeof(out->text), "%s testing", theme_spinner(t, u->now));
		break;
	case PEER_UNKNOWN:
		out->role = ROLE_DIM;
		snprintf(out->text, sizeof(out->text), "%s not tested", theme_glyph(t, GLYPH_IDLE));
		break;
	}
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct peer_view *v = list_row(data, row);
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
		status_cell(((const struct pane *)data)->ui, v, out);
	else if (ok && column == COL_VERSION)
		copy_text(out->text, sizeof(out->text), v->probe.version);
	else if (ok && column == COL_WAL)
		copy_text(out->text, sizeof(out->text), v->probe.wal_level);
	else if (ok && column == COL_SIZE)
		copy_text(out->text, sizeof(out->text), format_bytes(v->probe.database_bytes, size));
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct peer_view *x = list_row(data, a), *y = list_row(data, b);
	switch (column) {
	case COL_SIZE:
		return ORDER(x->probe.database_bytes, y->probe.database_bytes);
	case COL_MIRRORS:
		return ORDER(x->mirrors, y->mirrors);
	case COL_VERSION:
		return ORDER(x->probe.version_num, y->probe.version_num);
	case COL_STATUS:
		return ORDER(x->status, y->status);
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
	const struct peer_view *v = list_row(data, row);
	strbuf_addf(out, "%s %s %s", v->name, v->address, v->status == PEER_FAILED ? v->error.text : "");
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no peers yet; n makes one, also from a pasted postgresql:// address",
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

static void sync(struct pane *p)
{
	struct list *l = (struct list *)p;
	struct peer_view *rows;
	size_t count = model_peers(p->ui->model, &rows);
	list_take(l, rows, count, sizeof(*rows));
	list_choose(l, ROOT_PEERS);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	snprintf(buf, size, "Peers (%zu)", list_count(p));
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct peer_view *v = list_selected(p);
	facts_add(f, NULL, ROLE_TITLE, "%s", v->name);
	facts_gap(f);
	peer_facts(f, p->ui, v);
}

static void render(struct pane *p, const struct canvas *c)
{
	list_render_split(p, c, WIDE_COLS, describe);
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
	const struct peer_view *v = list_selected(p);
	if (list_act(p, a))
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
	const struct peer_view *v = list_selected(p);
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

static bool busy(const struct pane *p)
{
	for (size_t i = 0; i < list_count(p); i++)
		if (((const struct peer_view *)list_row(p, i))->status == PEER_PROBING)
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
	.busy = busy,
};

struct pane *peers_pane_new(struct ui *u)
{
	struct list *l = xcalloc(1, sizeof(*l));
	list_init(l, u, &ops, IN_LIST | IN_PEERS | IN_WIDE, &source);
	return &l->pane;
}
