// SPDX-License-Identifier: PostgreSQL
/* The log: of everything, or of one object. Follows the newest line until the person scrolls up. */
#include "panes/list.h"

#include <pgpier/format.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 2000
#define BATCH 64

enum { COL_TIME, COL_LEVEL, COL_OBJECT, COL_TEXT, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_TIME] = { "TIME", 8, 8, ALIGN_LEFT, 0, false, true },
	[COL_LEVEL] = { "LEVEL", 7, 9, ALIGN_LEFT, 2, false, true },
	[COL_OBJECT] = { "OBJECT", 8, 28, ALIGN_LEFT, 1, false, true },
	[COL_TEXT] = { "TEXT", 20, 500, ALIGN_LEFT, 0, true, true },
};

struct events {
	struct list list;
	char object[NAME_SIZE + 16]; /* empty: all */
	struct event *kept;          /* a ring of KEPT from first */
	size_t first, count;
	uint64_t next; /* seq to ask for */
	bool paused;   /* the person looks at older lines */
};

static const struct event *event_at(const void *data, size_t row)
{
	const struct events *s = data;
	return &s->kept[(s->first + row) % KEPT];
}

static size_t count(const void *data)
{
	return ((const struct events *)data)->count;
}

static uint64_t identity(const void *data, size_t row)
{
	return event_at(data, row)->seq;
}

static const char *level_name(enum event_level l)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	return names[l];
}

static void time_text(int64_t at, char *buf, size_t size)
{
	char full[FORMAT_SIZE];
	format_time(at, full);
	copy_text(buf, size, strlen(full) > 11 ? full + 11 : full);
}

/* Its object stands beside the text. */
static const char *without_object(const struct event *e)
{
	size_t n = strlen(e->object);
	return strncmp(e->text, e->object, n) == 0 && strncmp(e->text + n, ": ", 2) == 0 ? e->text + n + 2
																					  : e->text;
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct event *e = event_at(data, row);
	static const enum role roles[] = { ROLE_DIM, ROLE_TEXT, ROLE_WARN, ROLE_ERROR };
	out->role = column == COL_TIME ? ROLE_DIM : roles[e->level];
	if (column == COL_TIME)
		time_text(e->at, out->text, sizeof(out->text));
	else if (column == COL_LEVEL)
		snprintf(out->text, sizeof(out->text), "%s %s", e->level >= EVENT_WARNING ? "!" : " ",
			level_name(e->level));
	else
		copy_text(out->text, sizeof(out->text),
			column == COL_OBJECT ? e->object : without_object(e));
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct event *e = event_at(data, row);
	strbuf_addf(out, "%s %s %s", level_name(e->level), e->object, e->text);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "nothing has happened yet",
	.count = count,
	.identity = identity,
	.cell = cell,
	.words = words,
};

static void keep(struct events *s, const struct event *e)
{
	if (s->object[0] != '\0' && strcmp(e->object, s->object) != 0)
		return;
	s->kept[(s->first + s->count) % KEPT] = *e;
	if (s->count < KEPT)
		s->count++;
	else
		s->first = (s->first + 1) % KEPT;
}

static void sync(struct pane *p)
{
	struct events *s = (struct events *)p;
	struct event *batch = xmalloc(BATCH * sizeof(*batch));
	uint64_t first_kept;
	size_t n, before = (size_t)s->next;
	while ((n = model_events(p->ui->model, s->next, BATCH, batch, &first_kept)) > 0) {
		for (size_t i = 0; i < n; i++)
			keep(s, &batch[i]);
		s->next = batch[n - 1].seq + 1;
	}
	free(batch);
	if (before == (size_t)s->next)
		return;
	table_refresh(&s->list.table);
	if (!s->paused)
		table_act(&s->list.table, ACTION_LAST);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	const struct events *s = (const struct events *)p;
	snprintf(buf, size, "Events%s", s->paused ? " (paused; F follows)" : "");
}

static char *event_report(const struct event *e)
{
	struct strbuf b = STRBUF_INIT;
	char when[FORMAT_SIZE];
	strbuf_addf(&b, "%s  %s  %s\n\n%s\n", format_time(e->at, when), level_name(e->level), e->object,
		e->text);
	report_details(&b, e->sqlstate, e->detail, e->statement);
	return strbuf_take(&b);
}

static void ask_save(struct pane *p)
{
	ui_ask_file(p->ui, "events", "Save the events shown",
		"The lines that the filter shows go to this file.");
}

static void save(struct events *s, const char *path)
{
	FILE *f = fopen(path, "wx");
	bool ok = f != NULL;
	for (size_t i = 0; ok && i < s->list.table.count; i++) {
		const struct event *e = event_at(s, s->list.table.rows[i]);
		char when[FORMAT_SIZE], clean[TEXT_SIZE];
		format_sanitized(e->text, clean, sizeof(clean));
		ok = fprintf(f, "%s %s %s: %s\n", format_time(e->at, when), level_name(e->level), e->object,
				 clean) > 0;
	}
	int why = errno;
	if (f && fclose(f) != 0) {
		why = errno;
		ok = false;
	}
	if (ok)
		ui_toast(s->list.pane.ui, false, "%zu events saved to %s", s->list.table.count, path);
	else
		ui_toast(s->list.pane.ui, true, "could not write %s: %s", path, strerror(why));
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)subject;
	if (a == ACTION_SAVE)
		save((struct events *)p, value);
}

static bool act_on_row(struct events *s, enum action a)
{
	size_t row = table_selected(&s->list.table);
	if (row >= s->count || (a != ACTION_OPEN && a != ACTION_COPY))
		return false;
	char *report = event_report(event_at(s, row));
	if (a == ACTION_OPEN) {
		ui_push(s->list.pane.ui, text_pane_new(s->list.pane.ui, "Event", report));
		return true;
	}
	ui_copy(s->list.pane.ui, report);
	free(report);
	return true;
}

static bool act(struct pane *p, enum action a)
{
	struct events *s = (struct events *)p;
	if (a == ACTION_FOLLOW)
		a = ACTION_LAST;
	if (list_act(p, a)) {
		s->paused = s->list.table.selected + 1 < s->list.table.count;
		return true;
	}
	if (a == ACTION_SAVE) {
		ask_save(p);
		return true;
	}
	return act_on_row(s, a);
}

static bool input(struct pane *p, const struct input *in)
{
	struct events *s = (struct events *)p;
	bool taken = list_input(p, in);
	if (taken)
		s->paused = s->list.table.selected + 1 < s->list.table.count;
	return taken;
}

static void pane_free(struct pane *p)
{
	struct events *s = (struct events *)p;
	free(s->kept);
	list_free(p);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_FILTER, ACTION_FOLLOW, ACTION_COPY, ACTION_SAVE,
	ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.act = act,
	.input = input,
	.answered = answered,
	.free = pane_free,
};

struct pane *events_pane_new(struct ui *u, const char *object)
{
	struct events *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_EVENTS, &source);
	copy_text(s->object, sizeof(s->object), object);
	s->kept = xcalloc(KEPT, sizeof(*s->kept));
	return &s->list.pane;
}
