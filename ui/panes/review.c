// SPDX-License-Identifier: PostgreSQL
/* Last page of the wizard: what will be done where, in plain words. Nothing has been changed before it. */
#include "panes/panes.h"

#include "draft.h"
#include "widgets/textview.h"

#include <pgpier/format.h>
#include <pgpier/preflight.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { STEP_ASKING, STEP_SAVING, STEP_STARTING };

struct review {
	struct pane pane;
	struct draft *draft; /* the form's */
	const struct preflight *preflight;
	struct textview view;
	enum step step;
	uint64_t ticket;
};

static void add_amounts(struct strbuf *b, const struct preflight *p)
{
	char bytes[FORMAT_SIZE], rows[FORMAT_SIZE];
	strbuf_addf(b, "%zu tables, about %s rows, %s.\n\n", p->tables, format_count(p->rows, rows),
		format_bytes(p->bytes, bytes));
}

/* What goes on after the load, and what it costs the source. */
static void add_replication(struct strbuf *b, const struct mirror_config *m)
{
	char slot[NAME_SIZE], publication[NAME_SIZE];
	mirror_slot_name(m, slot);
	mirror_publication_name(m, publication);
	strbuf_addf(b, "\nReplication: publication %s and slot %s on %s, which pgpier drops with the mirror. While the "
				   "mirror is paused the slot keeps WAL there: watch its disk.\n",
		publication, slot, m->source);
	if (m->soft_delete)
		strbuf_addf(b, "A deleted row stays on %s, with %s set.\n", m->target, m->is_deleted_column);
	if (m->sync_columns)
		strbuf_addf(b, "Every table gets the columns %s and %s.\n", m->synced_at_column, m->is_deleted_column);
	strbuf_addf(b, "Up to %d changes a transaction on %s", m->batch_size, m->target);
	if (m->sync_interval_ms > 0)
		strbuf_addf(b, ", at least %d ms apart", m->sync_interval_ms);
	strbuf_addf(b, "; caught up under %.0f ms.\n", m->caught_up_s * 1000);
}

/* What is run at a cutover is for somebody to read before it is. */
static void add_cutover(struct strbuf *b, const struct mirror_config *m)
{
	const struct {
		const char *what, *command;
	} commands[] = { { "begins with", m->freeze_command }, { "is undone with", m->unfreeze_command },
		{ "moves the application with", m->open_command } };
	if (m->freeze == FREEZE_WAIT)
		strbuf_addf(b, "A cutover waits for your word that the writers of %s are stopped.\n", m->source);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].command)
			strbuf_addf(b, "A cutover %s: %s\n", commands[i].what, commands[i].command);
}

static char *plan_text(const struct review *s)
{
	struct strbuf b = STRBUF_INIT;
	const struct mirror_config *m = &s->draft->config;
	const char *dot = theme_glyph(s->pane.ui->theme, GLYPH_DOT);
	strbuf_addf(&b, "Mirror %s copies from %s to %s%s.\n", m->name, m->source, m->target,
		m->continuous ? ", then replicates every change until you stop it" : "");
	add_amounts(&b, s->preflight);
	strbuf_add(&b, "Creating it will:\n");
	for (size_t i = 0; i < s->preflight->plan.count; i++)
		strbuf_addf(&b, " %s %s\n", dot, s->preflight->plan.items[i]);
	strbuf_addf(&b, "\nSettings: %d workers, %d tables in parallel, %lld rows per chunk, chunking %s,"
					" transfer %s, ",
		m->workers, m->tables_in_parallel, (long long)m->rows_per_chunk,
		chunking_names[m->chunking], transfer_names[m->transfer]);
	if (m->rate_limit_mb > 0)
		strbuf_addf(&b, "at most %d MB/s.\n", m->rate_limit_mb);
	else
		strbuf_add(&b, "no rate limit.\n");
	if (m->continuous) {
		add_replication(&b, m);
		add_cutover(&b, m);
	}
	if (m->alert_command)
		strbuf_addf(&b, "Alerts go to: %s\n", m->alert_command);
	return strbuf_take(&b);
}

static void save(struct review *s)
{
	struct command c = { .kind = COMMAND_MIRROR_SAVE };
	c.mirror = xcalloc(1, sizeof(*c.mirror));
	mirror_config_copy(c.mirror, &s->draft->config);
	s->step = STEP_SAVING;
	s->ticket = ui_submit(s->pane.ui, &c, NULL);
}

static void run(struct review *s)
{
	struct command c = { .kind = COMMAND_MIRROR_RUN };
	copy_text(c.name, sizeof(c.name), s->draft->config.name);
	s->step = STEP_STARTING;
	s->ticket = ui_submit(s->pane.ui, &c, NULL);
}

/* The wizard closes, and the mirror's own page takes its place. */
static void leave(struct review *s)
{
	struct ui *u = s->pane.ui;
	char name[NAME_SIZE];
	copy_text(name, sizeof(name), s->draft->config.name);
	ui_choose(u, ROOT_MIRRORS, name);
	ui_pop_to(u, u->stacks[u->root][0]);
	ui_push(u, mirror_detail_new(u, name));
}

static void sync(struct pane *p)
{
	struct review *s = (struct review *)p;
	struct outcome o;
	if (!ui_outcome(p->ui, &s->ticket, &o))
		return;
	catalog_release(o.catalog);
	preflight_release(o.preflight);
	bool saved = s->step == STEP_STARTING;
	if (o.state == OUTCOME_DONE && s->step == STEP_SAVING) {
		run(s);
		return;
	}
	s->step = STEP_ASKING;
	if (o.state != OUTCOME_DONE)
		ui_toast_error(p->ui, &o.error);
	if (saved)
		leave(s);
}

/* Rows of the target are about to be lost: the grade of question for that is the typed name. */
static void create(struct review *s)
{
	const struct mirror_config *m = &s->draft->config;
	char text[400];
	if (m->on_existing_rows != EXISTING_TRUNCATE) {
		save(s);
		return;
	}
	snprintf(text, sizeof(text),
		"Existing rows is \"truncate\": all rows of up to %zu tables on %s are deleted before the "
		"copy. Type the mirror's name, %s, to go on.",
		s->preflight->tables, m->target, m->name);
	ui_ask(s->pane.ui, &(struct question){ .kind = ASK_NAME,
						   .action = ACTION_CONTINUE,
						   .title = "Truncate tables on the target?",
						   .text = text,
						   .subject = m->name });
}

static bool act(struct pane *p, enum action a)
{
	struct review *s = (struct review *)p;
	if (a == ACTION_CONTINUE || a == ACTION_OPEN)
		create(s);
	else if (a == ACTION_COPY)
		ui_copy(p->ui, s->view.text);
	else
		return textview_act(&s->view, a);
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct review *s = (const struct review *)p;
	bool going = a == ACTION_CONTINUE || a == ACTION_OPEN;
	if (going && s->ticket != 0)
		return "it is being created";
	return going && p->ui->readonly ? "the console is read-only" : NULL;
}

static const char *label(const struct pane *p, enum action a)
{
	(void)p;
	if (a == ACTION_CHECK)
		return "";
	return a == ACTION_CONTINUE ? "create mirror" : NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)subject;
	(void)value;
	if (a == ACTION_CONTINUE)
		save((struct review *)p);
}

static bool input(struct pane *p, const struct input *in)
{
	return textview_mouse(&((struct review *)p)->view, in);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Review");
}

static void render(struct pane *p, const struct canvas *c)
{
	struct review *s = (struct review *)p;
	struct canvas body = canvas_part(c, 0, 1, c->rows - 2, MIN(c->cols - 2, 110));
	const struct theme *t = p->ui->theme;
	textview_render(&s->view, &body);
	if (s->ticket != 0)
		canvas_addf(c, c->rows - 1, 2, ROLE_PROGRESS, "%s %s", theme_spinner(t, p->ui->now),
			s->step == STEP_SAVING ? "writing mirrors.conf" : "starting");
	else
		canvas_addf(c, c->rows - 1, 2, ROLE_SELECTION, "[ %s ]",
			s->draft->editing ? "Save mirror and run it" : "Create mirror");
}

static bool busy(const struct pane *p)
{
	return ((const struct review *)p)->ticket != 0;
}

static void pane_free(struct pane *p)
{
	struct review *s = (struct review *)p;
	textview_free(&s->view);
	preflight_release(s->preflight);
	free(s);
}

static const enum action hints[] = { ACTION_CONTINUE, ACTION_BACK, ACTION_DOWN, ACTION_UP, ACTION_COPY,
	ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *review_pane_new(struct ui *u, struct draft *d, const struct preflight *hold)
{
	struct review *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_TEXT | IN_STEP };
	s->draft = d;
	s->preflight = preflight_hold(hold);
	textview_take(&s->view, plan_text(s));
	return &s->pane;
}
