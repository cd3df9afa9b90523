// SPDX-License-Identifier: PostgreSQL
/* Third page of the wizard: what stands in the way. What is found of many things in the same words is
 * one line. */
#include "panes/list.h"

#include "draft.h"

#include <pgpier/preflight.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_SEVERITY, COL_SUBJECT, COL_TEXT, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_SEVERITY] = { "FINDING", 9, 10, ALIGN_LEFT, 0, false, true },
	[COL_SUBJECT] = { "SUBJECT", 10, 34, ALIGN_LEFT, 0, false, true },
	[COL_TEXT] = { "WHAT", 20, 500, ALIGN_LEFT, 0, true, true },
};

/* Findings that differ in their subjects alone. */
struct group {
	const size_t *members; /* places in the findings, in their order */
	size_t count;
};

struct preflight_pane {
	struct list list; /* of struct group */
	struct draft *draft; /* the form's */
	uint64_t ticket;
	int64_t asked_at;
	struct error error;
	const struct preflight *preflight; /* held */
	size_t *order; /* places in its findings, those of a group together */
	struct facts facts;
};

/* ---- groups ---- */

static const struct finding *finding_at(const void *data, size_t row)
{
	const struct group *g = list_row(data, row);
	return &((const struct preflight_pane *)data)->preflight->findings[g->members[0]];
}

static int compare_findings(const struct finding *a, const struct finding *b)
{
	int order = ORDER(b->severity, a->severity);
	if (order == 0)
		order = strcmp(a->text, b->text);
	return order != 0 ? order : strcmp(a->next ? a->next : "", b->next ? b->next : "");
}

static int compare_places(const void *a, const void *b, void *findings)
{
	const struct finding *f = findings;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = compare_findings(&f[x], &f[y]);
	return order != 0 ? order : ORDER(x, y);
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return ORDER(x->members[0], y->members[0]);
}

static void group(struct preflight_pane *s)
{
	struct finding *f = s->preflight->findings;
	size_t n = s->preflight->finding_count, count = 0;
	struct group *groups = xcalloc(n + 1, sizeof(*groups));
	free(s->order);
	s->order = xmalloc((n + 1) * sizeof(*s->order));
	for (size_t i = 0; i < n; i++)
		s->order[i] = i;
	qsort_r(s->order, n, sizeof(*s->order), compare_places, f);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || compare_findings(&f[s->order[i - 1]], &f[s->order[i]]) != 0)
			groups[count++].members = &s->order[i];
		groups[count - 1].count++;
	}
	qsort(groups, count, sizeof(*groups), compare_groups);
	list_take(&s->list, groups, count, sizeof(*groups));
}

static void add_subjects(struct strbuf *b, const struct preflight_pane *s, const struct group *g,
	const char *between)
{
	for (size_t i = 0; i < g->count; i++)
		strbuf_addf(b, "%s%s", i > 0 ? between : "", s->preflight->findings[g->members[i]].subject);
}

static char *whole(const struct preflight_pane *s, const struct group *g)
{
	const struct finding *f = &s->preflight->findings[g->members[0]];
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s\n", f->text);
	if (f->next)
		strbuf_addf(&b, "\n%s\n", f->next);
	if (g->count > 1) {
		strbuf_addf(&b, "\n%zu times:\n\n", g->count);
		add_subjects(&b, s, g, "\n");
	}
	return strbuf_take(&b);
}

/* ---- rows ---- */

static uint64_t identity(const void *data, size_t row)
{
	(void)data;
	return row;
}

static void subject_text(const void *data, size_t row, char *buf, size_t size)
{
	const struct group *g = list_row(data, row);
	if (g->count > 1)
		snprintf(buf, size, "%s, +%zu", finding_at(data, row)->subject, g->count - 1);
	else
		copy_text(buf, size, finding_at(data, row)->subject);
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	static const struct {
		enum glyph glyph;
		enum role role;
	} looks[] = {
		[SEVERITY_OK] = { GLYPH_DONE, ROLE_OK },
		[SEVERITY_NOTE] = { GLYPH_DOT, ROLE_TEXT },
		[SEVERITY_WARNING] = { GLYPH_TROUBLE, ROLE_WARN },
		[SEVERITY_BLOCKER] = { GLYPH_TROUBLE, ROLE_ERROR },
	};
	const struct preflight_pane *s = data;
	const struct finding *f = finding_at(data, row);
	out->role = column == COL_SEVERITY ? looks[f->severity].role : ROLE_TEXT;
	if (column == COL_SEVERITY)
		snprintf(out->text, sizeof(out->text), "%s %s",
			theme_glyph(s->list.pane.ui->theme, looks[f->severity].glyph), severity_name(f->severity));
	else if (column == COL_SUBJECT)
		subject_text(data, row, out->text, sizeof(out->text));
	else
		copy_text(out->text, sizeof(out->text), f->text);
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct finding *f = finding_at(data, row);
	strbuf_addf(out, "%s %s ", severity_name(f->severity), f->text);
	add_subjects(out, data, list_row(data, row), " ");
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "nothing stands in the way",
	.identity = identity,
	.cell = cell,
	.words = words,
};

static void start(struct preflight_pane *s)
{
	struct command c = { .kind = COMMAND_MIRROR_CHECK };
	c.mirror = xcalloc(1, sizeof(*c.mirror));
	mirror_config_copy(c.mirror, &s->draft->config);
	s->error = (struct error){ 0 };
	s->ticket = ui_submit(s->list.pane.ui, &c, NULL);
	s->asked_at = s->list.pane.ui->now;
}

static void sync(struct pane *p)
{
	struct preflight_pane *s = (struct preflight_pane *)p;
	struct outcome o;
	if (!ui_outcome(p->ui, &s->ticket, &o))
		return;
	catalog_release(o.catalog);
	if (o.state != OUTCOME_DONE || !o.preflight) {
		preflight_release(o.preflight);
		s->error = o.error;
		return;
	}
	preflight_release(s->preflight);
	s->preflight = o.preflight;
	group(s);
}

static bool act(struct pane *p, enum action a)
{
	struct preflight_pane *s = (struct preflight_pane *)p;
	const struct group *g = list_selected(p);
	if (s->preflight && list_act(p, a))
		return true;
	if (a == ACTION_CHECK && s->ticket == 0)
		start(s);
	else if (a == ACTION_CONTINUE)
		ui_push(p->ui, review_pane_new(p->ui, s->draft, s->preflight));
	else if (a == ACTION_OPEN && g)
		ui_push(p->ui,
			text_pane_new(p->ui, s->preflight->findings[g->members[0]].subject, whole(s, g)));
	else if (a == ACTION_COPY && g)
		ui_copy(p->ui, s->preflight->findings[g->members[0]].text);
	else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct preflight_pane *s = (const struct preflight_pane *)p;
	if (a != ACTION_CONTINUE)
		return NULL;
	if (!s->preflight || s->ticket != 0)
		return "the check is not done";
	return s->preflight->blockers > 0 ? "a blocker stands in the way; mend it, then press R" : NULL;
}

static bool input(struct pane *p, const struct input *in)
{
	struct preflight_pane *s = (struct preflight_pane *)p;
	return s->preflight && list_input(p, in);
}

static void title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Preflight");
}

static void render_verdict(const struct preflight_pane *s, const struct canvas *c)
{
	const struct ui *u = s->list.pane.ui;
	if (s->ticket != 0) {
		if (u->now - s->asked_at > 300000)
			canvas_addf(c, 0, 1, ROLE_PROGRESS, "%s checking both servers",
				theme_spinner(u->theme, u->now));
		return;
	}
	if (!s->preflight)
		return;
	if (s->preflight->blockers > 0)
		canvas_addf(c, 0, 1, ROLE_ERROR, "%s %zu blocker%s, %zu warning%s; R checks again",
			theme_glyph(u->theme, GLYPH_TROUBLE), s->preflight->blockers,
			s->preflight->blockers == 1 ? "" : "s", s->preflight->warnings,
			s->preflight->warnings == 1 ? "" : "s");
	else
		canvas_addf(c, 0, 1, s->preflight->warnings > 0 ? ROLE_WARN : ROLE_OK,
			"%s nothing stands in the way, %zu warning%s; c goes on to the review",
			theme_glyph(u->theme, GLYPH_DONE), s->preflight->warnings,
			s->preflight->warnings == 1 ? "" : "s");
}

/* The selected finding in full: most are longer than a line. */
static void render_detail(struct preflight_pane *s, const struct canvas *c)
{
	const struct group *g = list_selected(&s->list.pane);
	struct strbuf subjects = STRBUF_INIT;
	canvas_repeat(c, 0, 0, c->cols, ROLE_DIM, GLYPH_HORIZONTAL);
	if (!g)
		return;
	const struct finding *f = &s->preflight->findings[g->members[0]];
	struct canvas body = canvas_part(c, 1, 0, c->rows - 1, c->cols);
	facts_clear(&s->facts);
	facts_add(&s->facts, NULL, ROLE_TEXT, "%s: %s", g->count > 1 ? "all of them" : f->subject,
		f->text);
	if (f->next)
		facts_add(&s->facts, NULL, ROLE_WARN, "%s", f->next);
	if (g->count > 1) {
		add_subjects(&subjects, s, g, ", ");
		facts_add(&s->facts, NULL, ROLE_DIM, "%s", subjects.text);
		strbuf_free(&subjects);
	}
	facts_render(&s->facts, &body);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct preflight_pane *s = (struct preflight_pane *)p;
	int foot = MAX(c->rows / 4, 5);
	struct canvas list = canvas_part(c, 2, 0, c->rows - 2 - foot, c->cols);
	struct canvas detail = canvas_part(c, c->rows - foot, 0, foot, c->cols);
	render_verdict(s, c);
	if (s->ticket == 0 && s->error.class != ERROR_NONE) {
		facts_clear(&s->facts);
		error_facts(&s->facts, &s->error);
		facts_render(&s->facts, &list);
	} else if (s->list.count > 0) {
		list_render(p, &list);
		render_detail(s, &detail);
	}
}

static bool busy(const struct pane *p)
{
	return ((const struct preflight_pane *)p)->ticket != 0;
}

static void pane_free(struct pane *p)
{
	struct preflight_pane *s = (struct preflight_pane *)p;
	ui_cancel(p->ui, &s->ticket);
	preflight_release(s->preflight);
	facts_clear(&s->facts);
	free(s->order);
	list_free(p);
}

static const enum action hints[] = { ACTION_CONTINUE, ACTION_OPEN, ACTION_CHECK, ACTION_FILTER,
	ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *preflight_pane_new(struct ui *u, struct draft *d)
{
	struct preflight_pane *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_STEP, &source);
	s->draft = d;
	start(s);
	return &s->list.pane;
}
