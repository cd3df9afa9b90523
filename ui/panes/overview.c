// SPDX-License-Identifier: PostgreSQL
/* A mirror in words: where it stands, what it is made of, what to do next. */
#include "panes/panes.h"

#include <stdio.h>
#include <stdlib.h>

#define TWO_COLUMNS 118

struct overview {
	struct pane pane;
	char mirror[NAME_SIZE];
	struct facts state, settings;
	char *report; /* of the last error */
};

static void settings_facts(struct facts *f, const struct mirror_config *m)
{
	size_t tables = 0, columns = 0;
	for (size_t i = 0; i < m->map_count; i++) {
		tables += m->map[i].target != NULL;
		columns += m->map[i].column_count > 0;
	}
	facts_add(f, NULL, ROLE_TITLE, "Settings");
	facts_gap(f);
	facts_add(f, "kind", ROLE_TEXT, m->continuous ? "continuous replication" : "initial copy only");
	facts_add(f, "tables", ROLE_TEXT, "%zu pattern%s, %zu excluded", m->tables.count,
		m->tables.count == 1 ? "" : "s", m->exclude.count);
	facts_add(f, "columns out", ROLE_TEXT, "%zu", m->columns_exclude.count);
	facts_add(f, "other names", ROLE_TEXT, "%zu table%s, columns of %zu", tables, tables == 1 ? "" : "s", columns);
	facts_add(f, "schema", ROLE_TEXT, "%s%s%s%s", schema_mode_names[m->schema],
		m->schema == SCHEMA_NONE ? "" : ", owners ", m->schema == SCHEMA_NONE ? "" : owners_names[m->owners],
		m->schema != SCHEMA_NONE && m->publications ? ", publications" : "");
	facts_add(f, "existing rows", ROLE_TEXT, "%s", existing_rows_names[m->on_existing_rows]);
	facts_add(f, "rows per chunk", ROLE_TEXT, "%lld", (long long)m->rows_per_chunk);
	facts_add(f, "chunking", ROLE_TEXT, "%s", chunking_names[m->chunking]);
	facts_add(f, "transfer", ROLE_TEXT, "%s", transfer_names[m->transfer]);
	facts_add(f, "kept in", ROLE_TEXT, "%s",
		m->editable ? "mirrors.conf" : "pgpier.conf (by hand)");
}

static void replication_facts(struct facts *f, const struct mirror_config *m)
{
	char slot[NAME_SIZE], publication[NAME_SIZE];
	mirror_slot_name(m, slot);
	mirror_publication_name(m, publication);
	facts_gap(f);
	facts_add(f, "publication", ROLE_TEXT, "%s", publication);
	facts_add(f, "slot", ROLE_TEXT, "%s", slot);
	facts_add(f, "deletes", ROLE_TEXT, "%s%s", m->soft_delete ? "set " : "delete the row",
		m->soft_delete ? m->is_deleted_column : "");
	if (m->sync_columns)
		facts_add(f, "sync columns", ROLE_TEXT, "%s, %s", m->synced_at_column, m->is_deleted_column);
	facts_add(f, "batch size", ROLE_TEXT, "%d changes", m->batch_size);
	if (m->sync_interval_ms > 0)
		facts_add(f, "sync interval", ROLE_TEXT, "%d ms", m->sync_interval_ms);
	facts_add(f, "caught up", ROLE_TEXT, "under %.0f ms", m->caught_up_s * 1000);
}

static void alert_facts(struct facts *f, const struct mirror_config *m)
{
	char lag[FORMAT_SIZE], kept[FORMAT_SIZE];
	facts_add(f, "alert command", ROLE_TEXT, "%s", m->alert_command);
	if (m->continuous && m->alert_lag_s > 0)
		facts_add(f, "alert over", ROLE_TEXT, "%s of lag", format_duration(m->alert_lag_s, lag));
	if (m->continuous && m->alert_retained_mb > 0)
		facts_add(f, "alert over", ROLE_TEXT, "%s of kept WAL", format_bytes(m->alert_retained_mb * 1000000, kept));
}

/* Who stops the writers, what moves the application. */
static void cutover_facts(struct facts *f, const struct mirror_config *m)
{
	struct strbuf allow = STRBUF_INIT;
	char limit[FORMAT_SIZE];
	for (size_t i = 0; i < m->allow.count; i++)
		strbuf_addf(&allow, "%s%s", i > 0 ? ", " : "", m->allow.items[i]);
	facts_gap(f);
	facts_add(f, "freeze", ROLE_TEXT, "%s", m->freeze == FREEZE_FENCE ? "fence: pgpier keeps writers out of the source"
																	 : "wait: you stop the writers and say so");
	if (m->freeze == FREEZE_FENCE)
		facts_add(f, "allowed", ROLE_TEXT, "%s", allow.len ? allow.text : "no roles but our own");
	if (m->freeze_command)
		facts_add(f, "freeze command", ROLE_TEXT, "%s", m->freeze_command);
	if (m->unfreeze_command)
		facts_add(f, "its undo", ROLE_TEXT, "%s", m->unfreeze_command);
	facts_add(f, "open command", ROLE_TEXT, "%s", m->open_command ? m->open_command : "none: you move the application");
	facts_add(f, "its verify", ROLE_TEXT, "%s", final_verify_names[m->cutover_verify]);
	facts_add(f, "cutover limit", ROLE_TEXT, "%s, then it undoes itself", format_duration(m->cutover_limit_s, limit));
	strbuf_free(&allow);
}

static void sync(struct pane *p)
{
	struct overview *s = (struct overview *)p;
	struct mirror_view v;
	struct replication_view r;
	struct mirror_config m = { 0 };
	facts_clear(&s->state);
	facts_clear(&s->settings);
	free(s->report);
	s->report = NULL;
	if (!model_mirror(p->ui->model, s->mirror, &v)) {
		facts_add(&s->state, NULL, ROLE_WARN, "the mirror is gone");
		return;
	}
	mirror_facts(&s->state, p->ui, &v);
	if (v.continuous && model_replication(p->ui->model, s->mirror, &r)) {
		facts_gap(&s->state);
		stream_facts(&s->state, &r, v.state);
	}
	s->report = v.error.class != ERROR_NONE ? error_report(&v.error) : NULL;
	if (!model_mirror_config(p->ui->model, s->mirror, &m))
		return;
	settings_facts(&s->settings, &m);
	if (m.continuous)
		replication_facts(&s->settings, &m);
	if (m.alert_command)
		alert_facts(&s->settings, &m);
	if (m.continuous)
		cutover_facts(&s->settings, &m);
	mirror_config_free(&m);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Overview");
}

static void render(struct pane *p, const struct canvas *c)
{
	struct overview *s = (struct overview *)p;
	bool two = c->cols >= TWO_COLUMNS;
	struct canvas left = canvas_part(c, 0, 0, c->rows, two ? c->cols / 2 : c->cols);
	int below = facts_render(&s->state, &left) - s->state.top + 1; /* negative: all of it is scrolled away, and more */
	struct canvas right = two ? canvas_part(c, 0, c->cols / 2, c->rows, c->cols / 2)
							  : canvas_part(c, MAX(below, 0), 0, c->rows, c->cols);
	s->settings.top = two ? s->state.top : MAX(-below, 0);
	facts_render(&s->settings, &right);
}

static bool act(struct pane *p, enum action a)
{
	struct overview *s = (struct overview *)p;
	if (a == ACTION_COPY && s->report)
		ui_copy(p->ui, s->report);
	else if (a == ACTION_OPEN && s->report)
		ui_push(p->ui, text_pane_new(p->ui, "Error", xstrdup(s->report)));
	else if (a == ACTION_UP)
		s->state.top -= s->state.top > 0;
	else if (a == ACTION_DOWN)
		s->state.top += s->state.top < s->state.count + s->settings.count;
	else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct overview *s = (const struct overview *)p;
	return (a == ACTION_OPEN || a == ACTION_COPY) && !s->report ? "there is no error to show" : NULL;
}

static const char *label(const struct pane *p, enum action a)
{
	const struct overview *s = (const struct overview *)p;
	if (a == ACTION_OPEN)
		return s->report ? "error" : "";
	return NULL;
}

static void pane_free(struct pane *p)
{
	struct overview *s = (struct overview *)p;
	facts_clear(&s->state);
	facts_clear(&s->settings);
	free(s->report);
	free(s);
}

static const enum action hints[] = { ACTION_NEXT, ACTION_PAUSE, ACTION_RETRY, ACTION_OPEN, ACTION_EDIT,
	ACTION_DROP, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.free = pane_free,
};

struct pane *overview_pane_new(struct ui *u, const char *mirror)
{
	struct overview *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_TEXT };
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	return &s->pane;
}
