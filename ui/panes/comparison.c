// SPDX-License-Identifier: PostgreSQL
/* What the two sides of a mirror have that is not the same: the objects of its databases, or the
 * roles of its servers, which can be made here once it was said which. */
#include "panes/differences.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMED 10 /* of what is made, in the question */

struct comparison_pane {
	struct differences differences; /* first, like its list */
	enum command_kind kind;
	char mirror[NAME_SIZE], source[NAME_SIZE], target[NAME_SIZE];
	uint64_t ticket;
	bool applying; /* the ticket is of a command that changes the target */
	int64_t asked_at;
	struct error error;
};

static bool of_roles(const struct comparison_pane *s)
{
	return s->kind == COMMAND_COMPARE_ROLES;
}

static void start(struct comparison_pane *s, enum command_kind kind)
{
	struct ui *u = s->differences.list.pane.ui;
	struct command c = { .kind = kind };
	copy_text(c.name, sizeof(c.name), s->mirror);
	differences_take(&s->differences, NULL);
	s->error = (struct error){ 0 };
	s->applying = kind == COMMAND_APPLY_ROLES;
	s->asked_at = u->now;
	s->ticket = ui_submit(u, &c, NULL);
}

static void sync(struct pane *p)
{
	struct comparison_pane *s = (struct comparison_pane *)p;
	struct outcome o;
	if (!ui_outcome(p->ui, &s->ticket, &o))
		return;
	s->error = o.error;
	differences_take(&s->differences, o.comparison);
	if (s->applying && o.comparison)
		ui_toast(p->ui, false, "%zu statement%s run on %s", o.comparison->applied,
			o.comparison->applied == 1 ? "" : "s", s->target);
}

/* ---- what can be made ---- */

static size_t count_applying(const struct comparison *c)
{
	size_t n = 0;
	for (size_t i = 0; c && i < c->count; i++)
		n += c->items[i].applies;
	return n;
}

static void ask_apply(struct pane *p, const struct comparison_pane *s)
{
	const struct comparison *c = s->differences.comparison;
	size_t all = count_applying(c), named = 0;
	struct strbuf text = STRBUF_INIT;
	struct peer_view v;
	char title[96];
	bool known = model_peer(p->ui->model, s->target, &v);
	strbuf_addf(&text, "On %s%s%s%s, for all databases of its server:\n\n", s->target,
		known ? " (" : "", known ? v.address : "", known ? ")" : "");
	for (size_t i = 0; i < c->count && named < NAMED; i++)
		if (c->items[i].applies) {
			strbuf_addf(&text, "  %s %s\n", c->items[i].kind, c->items[i].name);
			named++;
		}
	if (all > named)
		strbuf_addf(&text, "  and %zu more\n", all - named);
	strbuf_addf(&text, "\nNothing is changed on %s.", s->source);
	snprintf(title, sizeof(title), "Make %zu thing%s on %s?", all, all == 1 ? "" : "s", s->target);
	ui_ask(p->ui, &(struct question){ .kind = ASK_YES_NO,
					  .action = ACTION_APPLY,
					  .title = title,
					  .text = text.text,
					  .subject = s->mirror });
	strbuf_free(&text);
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)subject;
	(void)value;
	if (a == ACTION_APPLY)
		start((struct comparison_pane *)p, COMMAND_APPLY_ROLES);
}

/* ---- keys ---- */

static bool act(struct pane *p, enum action a)
{
	struct comparison_pane *s = (struct comparison_pane *)p;
	if (differences_act(p, a))
		return true;
	if (a == ACTION_REFRESH)
		start(s, s->kind);
	else if (a == ACTION_APPLY)
		ask_apply(p, s);
	else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct comparison_pane *s = (const struct comparison_pane *)p;
	if (a != ACTION_APPLY && a != ACTION_REFRESH)
		return NULL;
	if (s->ticket != 0)
		return "it is under way";
	return a == ACTION_APPLY && count_applying(s->differences.comparison) == 0
			   ? "there is nothing that it could make"
			   : NULL;
}

static const char *label(const struct pane *p, enum action a)
{
	bool can = of_roles((const struct comparison_pane *)p) && !refuse(p, a);
	return a == ACTION_APPLY && !can ? "" : NULL;
}

/* ---- drawing ---- */

static void title(const struct pane *p, char *buf, size_t size)
{
	copy_text(buf, size, of_roles((const struct comparison_pane *)p) ? "Roles" : "Difference");
}

static void render_busy(const struct comparison_pane *s, const struct canvas *c)
{
	const struct ui *u = s->differences.list.pane.ui;
	char took[FORMAT_SIZE];
	const char *what = s->applying   ? "making roles on the target"
					   : of_roles(s) ? "reading the roles of both servers"
									 : "reading the definitions of both databases";
	canvas_addf(c, 1, 1, ROLE_PROGRESS, "%s %s, %s; Esc %s", theme_spinner(u->theme, u->now), what,
		format_duration((double)(u->now - s->asked_at) / 1e6, took),
		s->applying ? "leaves it to go on" : "cancels");
}

static void render(struct pane *p, const struct canvas *c)
{
	struct comparison_pane *s = (struct comparison_pane *)p;
	struct canvas body = canvas_part(c, 2, 0, c->rows - 2, c->cols);
	canvas_addf(
		c, 0, 1, ROLE_TEXT, "%s %s %s", s->source, theme_glyph(c->theme, GLYPH_ARROW), s->target);
	if (s->ticket != 0) {
		render_busy(s, c);
	} else if (s->differences.comparison) {
		differences_render_verdict(&s->differences, c, 1);
		differences_render(p, &body);
	} else {
		struct facts f = { 0 };
		error_facts(&f, &s->error);
		facts_render(&f, &body);
		facts_clear(&f);
	}
}

static bool busy(const struct pane *p)
{
	return ((const struct comparison_pane *)p)->ticket != 0;
}

static void pane_free(struct pane *p)
{
	struct comparison_pane *s = (struct comparison_pane *)p;
	if (!s->applying)
		ui_cancel(p->ui, &s->ticket);
	differences_finish(&s->differences);
	list_free(p);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_APPLY, ACTION_FILTER, ACTION_COPY,
	ACTION_REFRESH, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
	.busy = busy,
	.free = pane_free,
};

struct pane *comparison_pane_new(struct ui *u, enum command_kind kind, const struct mirror_view *v)
{
	struct comparison_pane *s = xcalloc(1, sizeof(*s));
	bool roles = kind == COMMAND_COMPARE_ROLES;
	differences_init(&s->differences, u, &ops, IN_LIST | IN_SIDES | (roles ? IN_ROLES : 0));
	s->kind = kind;
	copy_text(s->mirror, sizeof(s->mirror), v->name);
	copy_text(s->source, sizeof(s->source), v->source);
	copy_text(s->target, sizeof(s->target), v->target);
	start(s, kind);
	return &s->differences.list.pane;
}
