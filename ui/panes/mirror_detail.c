// SPDX-License-Identifier: PostgreSQL
/* One mirror: overview, initial load, schema, replication if it is continuous, verify, events. */
#include "panes/tabbed.h"

#include <stdio.h>
#include <stdlib.h>

enum { TAB_OVERVIEW, TAB_LOAD, TAB_SCHEMA, TAB_REPLICATION }; /* the last only of a continuous mirror; then verify, events */

struct mirror_detail {
	struct tabbed tabbed;
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

/* What a person wants to see first: of a mirror that replicates its stream, of one that runs its load. */
static int first_tab(const struct mirror_view *v)
{
	bool streams = v->state == MIRROR_CATCHING_UP || v->state == MIRROR_REPLICATING;
	if (v->continuous && (streams || v->load.tables_paused > 0))
		return TAB_REPLICATION;
	return v->load.tables > 0 || mirror_runs(v->state) ? TAB_LOAD : TAB_OVERVIEW;
}

struct pane *mirror_detail_new(struct ui *u, const char *name)
{
	static const char *const names[] = { "Overview", "Initial load", "Schema", "Verify", "Events" };
	static const char *const continuous_names[] = { "Overview", "Initial load", "Schema", "Replication",
		"Verify", "Events" };
	struct mirror_detail *s = xcalloc(1, sizeof(*s));
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", name);
	copy_text(s->view.name, sizeof(s->view.name), name);
	model_mirror(u->model, name, &s->view);
	struct pane *children[TABS_MAX] = {
		[TAB_OVERVIEW] = overview_pane_new(u, name),
		[TAB_LOAD] = load_pane_new(u, name),
		[TAB_SCHEMA] = schema_pane_new(u, name),
	};
	int count = TAB_REPLICATION;
	if (s->view.continuous)
		children[count++] = replication_pane_new(u, name);
	children[count++] = verify_pane_new(u, name);
	children[count++] = events_pane_new(u, object);
	tabbed_init(&s->tabbed, u, &ops, IN_MIRROR, s->view.continuous ? continuous_names : names, children, count);
	s->tabbed.tabs.shown = first_tab(&s->view);
	return &s->tabbed.pane;
}
