// SPDX-License-Identifier: PostgreSQL
#include "panes/tabbed.h"

static struct pane *shown(const struct pane *p)
{
	const struct tabbed *t = (const struct tabbed *)p;
	return t->children[t->tabs.shown];
}

static void adopt_contexts(struct tabbed *t)
{
	t->pane.contexts = t->own_contexts | IN_TABS | t->children[t->tabs.shown]->contexts;
}

void tabbed_init(struct tabbed *t, struct ui *u, const struct pane_ops *ops, unsigned contexts,
	const char *const *names, struct pane *const *take, int count)
{
	t->pane = (struct pane){ .ops = ops, .ui = u };
	t->own_contexts = contexts;
	t->tabs = (struct tabs){ .names = names, .count = count };
	for (int i = 0; i < count; i++)
		t->children[i] = take[i];
	adopt_contexts(t);
}

void tabbed_finish(struct tabbed *t)
{
	for (int i = 0; i < t->tabs.count; i++)
		t->children[i]->ops->free(t->children[i]);
}

void tabbed_sync(struct pane *p)
{
	struct pane *child = shown(p);
	if (child->ops->sync)
		child->ops->sync(child);
	adopt_contexts((struct tabbed *)p);
}

void tabbed_render(struct pane *p, const struct canvas *c)
{
	struct canvas body = canvas_part(c, 2, 0, c->rows - 2, c->cols);
	tabs_render(&((struct tabbed *)p)->tabs, c);
	shown(p)->ops->render(shown(p), &body);
}

bool tabbed_act(struct pane *p, enum action a)
{
	struct pane *child = shown(p);
	if (child->ops->act && child->ops->act(child, a))
		return true;
	if (!tabs_act(&((struct tabbed *)p)->tabs, a))
		return false;
	tabbed_sync(p);
	return true;
}

const char *tabbed_refuse(const struct pane *p, enum action a)
{
	const struct pane *child = shown(p);
	return child->ops->refuse ? child->ops->refuse(child, a) : NULL;
}

const char *tabbed_label(const struct pane *p, enum action a)
{
	const struct pane *child = shown(p);
	return child->ops->label ? child->ops->label(child, a) : NULL;
}

bool tabbed_takes_text(const struct pane *p)
{
	const struct pane *child = shown(p);
	return child->ops->takes_text && child->ops->takes_text(child);
}

bool tabbed_input(struct pane *p, const struct input *in)
{
	struct pane *child = shown(p);
	if (tabs_mouse(&((struct tabbed *)p)->tabs, in)) {
		tabbed_sync(p);
		return true;
	}
	return child->ops->input && child->ops->input(child, in);
}

void tabbed_answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	struct pane *child = shown(p);
	if (child->ops->answered)
		child->ops->answered(child, a, subject, value);
}

bool tabbed_busy(const struct pane *p)
{
	const struct pane *child = shown(p);
	return child->ops->busy && child->ops->busy(child);
}

const enum action *tabbed_hints(const struct pane *p)
{
	return shown(p)->ops->hints;
}
