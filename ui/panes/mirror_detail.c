// SPDX-License-Identifier: PostgreSQL
/* One mirror: overview, initial load, schema, replication if it is continuous, verify, cutover if so, events. */
#include "panes/tabbed.h"

#include "cutover_text.h"

#include <stdio.h>
#include <stdlib.h>

/* Of a continuous mirror; the others lack replication and cutover. Then events. */
enum { TAB_OVERVIEW, TAB_LOAD, TAB_SCHEMA, TAB_REPLICATION, TAB_VERIFY, TAB_CUTOVER };

struct mirror_detail {
	struct tabbed tabbed;
	const char *names[TABS_MAX];
	struct mirror_view view;
	bool known;
};

static void title(const struct pane *p, char *buf, size_t size)
{
	copy_text(buf, size, ((const struct mirror_detail *)p)->view.name);
}

static void sync(struct pane *p)
{
	struct mirror_detail *s = (struct mirror_detail *)p;
	s->known = model_mirror(p->ui->model, s->view.name, &s->view);
	tabbed_sync(p);
}

static bool act(struct pane *p, enum action a)
{
	struct mirror_detail *s = (struct mirror_detail *)p;
	return tabbed_act(p, a) || (s->known && mirror_act(p, &s->view, a));
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct mirror_detail *s = (const struct mirror_detail *)p;
	const char *why = tabbed_refuse(p, a);
	if (!s->known && (action_contexts(a) & IN_MIRROR))
		return "the mirror is gone";
	return why ? why : mirror_refuse(&s->view, a);
}

static const char *label(const struct pane *p, enum action a)
{
	const char *text = mirror_label(&((const struct mirror_detail *)p)->view, a);
	return text ? text : tabbed_label(p, a);
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	mirror_answered(p, a, subject);
	tabbed_answered(p, a, subject, value);
	if (a == ACTION_DROP)
		ui_pop(p->ui);
}

static void pane_free(struct pane *p)
{
	tabbed_finish((struct tabbed *)p);
	free(p);
}

static const struct pane_ops ops = {
	.hints_now = tabbed_hints,
	.title = title,
	.sync = sync,
	.render = tabbed_render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.takes_text = tabbed_takes_text,
	.input = tabbed_input,
	.answered = answered,
	.busy = tabbed_busy,
	.free = pane_free,
};

/* It runs, was interrupted, or has been done: what a person comes for. */
static bool is_cutting(const struct ui *u, const struct mirror_view *v)
{
	struct cutover_view c;
	model_cutover(u->model, v->name, &c);
	bool cutting = cutover_moves(&c) || cutover_is_over(&c) || c.phase == CUTOVER_STUCK;
	cutover_view_free(&c);
	return cutting || v->state == MIRROR_CUT_OVER;
}

/* What a person wants to see first: of a mirror that replicates its stream, of one that runs its load. */
static int first_tab(const struct ui *u, const struct mirror_view *v)
{
	bool streams = v->state == MIRROR_CATCHING_UP || v->state == MIRROR_REPLICATING;
	if (v->continuous && is_cutting(u, v))
		return TAB_CUTOVER;
	if (v->continuous && (streams || v->load.tables_paused > 0))
		return TAB_REPLICATION;
	return v->load.tables > 0 || mirror_runs(v->state) ? TAB_LOAD : TAB_OVERVIEW;
}

struct pane *mirror_detail_new(struct ui *u, const char *name)
{
	struct mirror_detail *s = xcalloc(1, sizeof(*s));
	struct pane *children[TABS_MAX];
	char object[NAME_SIZE + 16];
	int count = 0;
	snprintf(object, sizeof(object), "mirror %s", name);
	copy_text(s->view.name, sizeof(s->view.name), name);
	model_mirror(u->model, name, &s->view);
	s->names[count] = "Overview";
	children[count++] = overview_pane_new(u, name);
	s->names[count] = "Initial load";
	children[count++] = load_pane_new(u, name);
	s->names[count] = "Schema";
	children[count++] = schema_pane_new(u, name);
	if (s->view.continuous) {
		s->names[count] = "Replication";
		children[count++] = replication_pane_new(u, name);
	}
	s->names[count] = "Verify";
	children[count++] = verify_pane_new(u, name);
	if (s->view.continuous) {
		s->names[count] = s->view.reverse_of[0] != '\0' ? "Rollback" : "Cutover";
		children[count++] = cutover_pane_new(u, name);
	}
	s->names[count] = "Events";
	children[count++] = events_pane_new(u, object);
	tabbed_init(&s->tabbed, u, &ops, IN_MIRROR, s->names, children, count);
	s->tabbed.tabs.shown = first_tab(u, &s->view);
	return &s->tabbed.pane;
}
