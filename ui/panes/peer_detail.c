// SPDX-License-Identifier: PostgreSQL
/* One peer: what its server is running, its replication slots, how it differs from another, what the last test
 * found. */
#include "panes/tabbed.h"

#include <stdio.h>
#include <stdlib.h>

struct peer_facts_pane {
	struct pane pane;
	struct peer_view view;
	bool known;
	struct facts facts;
};

static void facts_sync(struct pane *p)
{
	struct peer_facts_pane *s = (struct peer_facts_pane *)p;
	s->known = model_peer(p->ui->model, s->view.name, &s->view);
	facts_clear(&s->facts);
	if (s->known)
		peer_facts(&s->facts, p->ui, &s->view);
	else
		facts_add(&s->facts, NULL, ROLE_WARN, "the peer is gone");
}

static void facts_title(const struct pane *p, char *buf, size_t size)
{
	(void)p;
	copy_text(buf, size, "Overview");
}

static void facts_pane_render(struct pane *p, const struct canvas *c)
{
	facts_render(&((struct peer_facts_pane *)p)->facts, c);
}

static bool facts_act(struct pane *p, enum action a)
{
	struct peer_facts_pane *s = (struct peer_facts_pane *)p;
	if (a == ACTION_UP)
		s->facts.top -= s->facts.top > 0;
	else if (a == ACTION_DOWN)
		s->facts.top++;
	else
		return false;
	return true;
}

static void facts_free(struct pane *p)
{
	facts_clear(&((struct peer_facts_pane *)p)->facts);
	free(p);
}

static const enum action facts_hints[] = { ACTION_NEXT, ACTION_TEST, ACTION_EDIT, ACTION_BACK,
	ACTION_NONE };

static const struct pane_ops facts_ops = {
	.hints = facts_hints,
	.title = facts_title,
	.sync = facts_sync,
	.render = facts_pane_render,
	.act = facts_act,
	.free = facts_free,
};

static struct pane *facts_pane_new(struct ui *u, const char *name)
{
	struct peer_facts_pane *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &facts_ops, u, IN_TEXT };
	copy_text(s->view.name, sizeof(s->view.name), name);
	return &s->pane;
}

/* ---- the tabs ---- */

struct peer_detail {
	struct tabbed tabbed;
	char name[NAME_SIZE];
};

static void title(const struct pane *p, char *buf, size_t size)
{
	copy_text(buf, size, ((const struct peer_detail *)p)->name);
}

static bool act(struct pane *p, enum action a)
{
	struct peer_detail *s = (struct peer_detail *)p;
	struct command c = { .kind = COMMAND_PEER_PROBE };
	if (tabbed_act(p, a))
		return true;
	if (a == ACTION_EDIT) {
		ui_push(p->ui, peer_form_new(p->ui, s->name));
		return true;
	}
	if (a != ACTION_TEST && a != ACTION_REFRESH)
		return false;
	copy_text(c.name, sizeof(c.name), s->name);
	ui_submit(p->ui, &c, "tested");
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct peer_detail *s = (const struct peer_detail *)p;
	struct peer_view v;
	if (a == ACTION_EDIT && (!model_peer(p->ui->model, s->name, &v) || !v.editable))
		return "it is written by hand in pgpier.conf";
	return tabbed_refuse(p, a);
}

static void pane_free(struct pane *p)
{
	tabbed_finish((struct tabbed *)p);
	free(p);
}

static const struct pane_ops ops = {
	.hints_now = tabbed_hints,
	.title = title,
	.sync = tabbed_sync,
	.render = tabbed_render,
	.act = act,
	.refuse = refuse,
	.takes_text = tabbed_takes_text,
	.input = tabbed_input,
	.busy = tabbed_busy,
	.free = pane_free,
};

struct pane *peer_detail_new(struct ui *u, const char *name)
{
	static const char *const names[] = { "Activity", "Slots", "Settings", "Overview" };
	struct peer_detail *s = xcalloc(1, sizeof(*s));
	struct pane *children[] = { activity_pane_new(u, name), slots_pane_new(u, name),
		settings_pane_new(u, name), facts_pane_new(u, name) };
	copy_text(s->name, sizeof(s->name), name);
	tabbed_init(&s->tabbed, u, &ops, IN_PEER, names, children, ARRAY_SIZE(children));
	return &s->tabbed.pane;
}
