// SPDX-License-Identifier: PostgreSQL
/* A pane made of tabs, each of which is a pane of its own. The pane that embeds this adds what is common to
 * all its tabs; keys go to the tab first. */
#ifndef PGPIER_PANES_TABBED_H
#define PGPIER_PANES_TABBED_H

#include "panes/panes.h"
#include "widgets/tabs.h"

#define TABS_MAX 7

struct tabbed {
	struct pane pane; /* first, so that the ops below can find the rest */
	struct tabs tabs;
	struct pane *children[TABS_MAX]; /* owned */
	unsigned own_contexts;
};

void tabbed_init(struct tabbed *t, struct ui *u, const struct pane_ops *ops, unsigned contexts,
	const char *const *names, struct pane *const *take, int count);
void tabbed_finish(struct tabbed *t);
void tabbed_sync(struct pane *p);
void tabbed_render(struct pane *p, const struct canvas *c);
bool tabbed_act(struct pane *p, enum action a);
const char *tabbed_refuse(const struct pane *p, enum action a);
const char *tabbed_label(const struct pane *p, enum action a);
bool tabbed_takes_text(const struct pane *p);
bool tabbed_input(struct pane *p, const struct input *in);
void tabbed_answered(struct pane *p, enum action a, const char *subject, const char *value);
bool tabbed_busy(const struct pane *p);
const enum action *tabbed_hints(const struct pane *p);

#endif
